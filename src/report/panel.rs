//! A panel: a frame between two axes, and data drawn inside it.

use super::axis::Axis;
use super::canvas::text_width;
use super::sketch::{Anchor, Ink, LETTERS, Place, Sketch};

/// Where the frame stands on the page, and its axes.
pub(super) struct Panel {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

/// Strength of lines that show data.
pub(super) const STROKE: f64 = 1.8;
/// Length of a tick.
const TICK: f64 = 4.0;
/// From a frame's top to the baseline of the legend above it, and from one line above it to the next.
const ABOVE: f64 = 10.0;
const LINE: f64 = 19.0;

impl Panel {
    /// A value pair's place on the page.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> Place {
        (self.left + self.width * self.x.along(x), self.top + self.height * (1.0 - self.y.along(y)))
    }

    /// Whether a place lies in the frame.
    pub(super) fn holds(&self, (x, y): Place) -> bool {
        let slack = 1e-6;
        (self.left - slack..=self.left + self.width + slack).contains(&x)
            && (self.top - slack..=self.top + self.height + slack).contains(&y)
    }

    /// Draws axes, guides and title; `lines` of other words stand between title and frame.
    pub(super) fn frame(&self, sketch: &mut Sketch, title: &str, lines: usize) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let middle = 0.35 * LETTERS;
        let mut widest: f64 = 0.0;
        for (value, text) in &self.y.ticks {
            let y = bottom - self.height * self.y.along(*value);
            sketch.line(vec![(self.left, y), (right, y)], Ink::Grid, 1.0);
            sketch.words((self.left - 7.0, y + middle), text, Ink::Muted, Anchor::End);
            widest = widest.max(text_width(text, LETTERS));
        }
        let mut free_from = f64::NEG_INFINITY;
        for (value, text) in &self.x.ticks {
            let x = self.left + self.width * self.x.along(*value);
            sketch.line(vec![(x, bottom), (x, bottom + TICK)], Ink::Muted, 1.0);
            // A label that would run into the last one is left out.
            let half = 0.5 * text_width(text, LETTERS);
            if x - half >= free_from {
                sketch.words((x, bottom + TICK + LETTERS + 1.0), text, Ink::Muted, Anchor::Middle);
                free_from = x + half + 4.0;
            }
        }
        sketch.line(vec![(self.left, self.top), (self.left, bottom), (right, bottom)], Ink::Muted, 1.0);
        let centre = self.left + 0.5 * self.width;
        sketch.words((centre, bottom + 2.0 * LETTERS + 12.0), &self.x.label, Ink::Text, Anchor::Middle);
        sketch.upright((self.left - 7.0 - widest - 10.0, self.top + 0.5 * self.height), &self.y.label);
        sketch.title((self.left, self.top - ABOVE - LINE * lines as f64), title);
    }

    /// A line through values, broken where one is not a number, cut at the frame.
    pub(super) fn line(&self, sketch: &mut Sketch, values: &[(f64, f64)], ink: Ink, dashed: bool) {
        let mut run: Vec<Place> = Vec::new();
        let mut finish = |run: &mut Vec<Place>| match std::mem::take(run) {
            through if through.is_empty() => (),
            through if dashed => sketch.dashed(through, ink, STROKE),
            through => sketch.line(through, ink, STROKE),
        };
        for pair in values.windows(2) {
            let (from, to) = (self.place(pair[0]), self.place(pair[1]));
            let Some((from, to)) = self.cut(from, to) else {
                finish(&mut run);
                continue;
            };
            if run.last() != Some(&from) {
                finish(&mut run);
                run.push(from);
            }
            run.push(to);
        }
        finish(&mut run);
    }

    /// The part of a segment inside the frame (Liang & Barsky 1984).
    fn cut(&self, from: Place, to: Place) -> Option<(Place, Place)> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        if !(dx + dy + from.0 + from.1).is_finite() {
            return None;
        }
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let (mut begin, mut end) = (0.0f64, 1.0f64);
        let edges = [
            (-dx, from.0 - self.left),
            (dx, right - from.0),
            (-dy, from.1 - self.top),
            (dy, bottom - from.1),
        ];
        for (towards, room) in edges {
            if towards == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if towards < 0.0 {
                begin = begin.max(room / towards);
            } else {
                end = end.min(room / towards);
            }
        }
        // The ends themselves where nothing is cut, so that pieces join to the last bit.
        let at = |t: f64| (from.0 + t * dx, from.1 + t * dy);
        let first = if begin == 0.0 { from } else { at(begin) };
        let last = if end == 1.0 { to } else { at(end) };
        (begin <= end).then_some((first, last))
    }

    /// Discs at values, those outside the frame left out.
    pub(super) fn discs(
        &self,
        sketch: &mut Sketch,
        values: &[(f64, f64)],
        radius: f64,
        ink: Ink,
        opacity: f64,
    ) {
        let places = values.iter().map(|&v| self.place(v)).filter(|&p| self.holds(p));
        sketch.discs(places.collect(), radius, ink, opacity);
    }

    /// Names what is drawn, in a row above the frame.
    pub(super) fn legend(&self, sketch: &mut Sketch, entries: &[(Key, String)]) {
        legend(sketch, (self.left, self.top - ABOVE), entries);
    }
}

/// What stands before a name in a legend.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Line(Ink),
    Dashed(Ink),
    Disc(Ink),
    Star(Ink),
    Box(Ink),
}

/// A legend from a place to the right; its words' baseline passes through the place.
pub(super) fn legend(sketch: &mut Sketch, (mut x, y): Place, entries: &[(Key, String)]) {
    const SAMPLE: f64 = 22.0;
    let middle = y - 0.35 * LETTERS;
    for (key, name) in entries {
        let (line, centre) = (vec![(x, middle), (x + SAMPLE, middle)], (x + 0.5 * SAMPLE, middle));
        match *key {
            Key::Line(ink) => sketch.line(line, ink, STROKE),
            Key::Dashed(ink) => sketch.dashed(line, ink, STROKE),
            Key::Disc(ink) => sketch.discs(vec![centre], 3.5, ink, 1.0),
            Key::Star(ink) => sketch.star(centre, 7.0, ink),
            Key::Box(ink) => {
                sketch.rectangle((x + 4.0, middle - 5.0), (x + SAMPLE - 4.0, middle + 5.0), ink, 0.75);
            }
        }
        sketch.words((x + SAMPLE + 6.0, y), name, Ink::Text, Anchor::Start);
        x += SAMPLE + 6.0 + text_width(name, LETTERS) + 18.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sketch::Mark;

    fn panel() -> Panel {
        let axis = || Axis::between("", 0.0, 10.0);
        Panel { left: 0.0, top: 0.0, width: 10.0, height: 10.0, x: axis(), y: axis() }
    }

    fn lines(values: &[(f64, f64)]) -> Vec<Vec<Place>> {
        let mut sketch = Sketch::new(10.0, 10.0);
        panel().line(&mut sketch, values, Ink::Text, false);
        let through = |mark: &Mark| match mark {
            Mark::Line { through, .. } => Some(through.clone()),
            _ => None,
        };
        sketch.marks.iter().filter_map(through).collect()
    }

    #[test]
    fn lines_end_at_the_frame_and_begin_again() {
        // y counts down on the page.
        let found = lines(&[(0.0, 5.0), (2.0, 15.0), (4.0, 5.0), (6.0, 5.0)]);
        assert_eq!(found, [vec![(0.0, 5.0), (1.0, 0.0)], vec![(3.0, 0.0), (4.0, 5.0), (6.0, 5.0)]]);
        assert!(lines(&[(1.0, 11.0), (2.0, 12.0)]).is_empty());
    }

    #[test]
    fn a_value_that_is_not_a_number_breaks_the_line() {
        let found = lines(&[(0.0, 1.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 1.0)]);
        assert_eq!(found.len(), 2);
        assert!(lines(&[]).is_empty() && lines(&[(1.0, 1.0)]).is_empty());
    }
}
