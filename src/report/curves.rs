//! Curves: how a network learned, and what labelled galaxies teach it.

use super::axis::{Axis, span};
use super::page::csv_text;
use super::panel::{Key, Panel};
use super::sketch::{Ink, Sketch};
use super::{Figure, number};
use crate::{Error, Result};

/// One epoch of a training run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Epochs since the beginning.
    pub epoch: f64,
    /// Loss on what is learned from.
    pub training_loss: f64,
    /// Loss on what is held out.
    pub validation_loss: f64,
    /// R² on what is held out; NaN where it is too small to tell.
    pub validation_r2: f64,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// A line with a disc at each point.
    #[default]
    Line,
    /// A dashed line; of a single point, a level across the whole panel.
    Dashed,
    /// A green star at each point.
    Star,
    /// A disc at each point.
    Points,
}

/// Points that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What they are.
    pub label: String,
    /// (x, y) of each; one that is not a number is left out.
    pub points: Vec<(f64, f64)>,
    /// Standard error of each y, where known.
    pub errors: Option<Vec<f64>>,
    /// How they are drawn.
    pub style: Style,
}

/// Up to so many points are marked on a line.
const MARKED: usize = 40;
/// R² below this says no more than that it is bad: axes do not follow it there.
const WORST_R2: f64 = -0.6;
/// What stars are drawn in.
const GREEN: Ink = Ink::Series(2);

/// A run's losses, logarithmic, and its R² on what is held out, epoch by epoch.
///
/// # Errors
/// [`Error::Io`] where it cannot be drawn.
pub fn learning_curves(name: &str, caption: &str, epochs: &[CurvePoint]) -> Result<Figure> {
    let mut sketch = Sketch::new(860.0, 350.0);
    let series =
        |of: fn(&CurvePoint) -> f64| -> Vec<(f64, f64)> { epochs.iter().map(|e| (e.epoch, of(e))).collect() };
    let (training, validation) = (series(|e| e.training_loss), series(|e| e.validation_loss));
    let r2 = series(|e| e.validation_r2);
    let x = || Axis::around("epoch", epochs.iter().map(|e| e.epoch));
    let panel = |left, y| Panel { left, top: 62.0, width: 335.0, height: 226.0, x: x(), y };

    let losses = panel(78.0, Axis::logarithmic("loss", training.iter().chain(&validation).map(|p| p.1)));
    losses.frame(&mut sketch, "Loss", 1);
    for (points, ink, dashed) in [(&training, Ink::Series(1), true), (&validation, Ink::Series(0), false)] {
        draw_line(&mut sketch, &losses, points, ink, dashed);
    }
    let keys =
        [(Key::Dashed(Ink::Series(1)), "training".into()), (Key::Line(Ink::Series(0)), "validation".into())];
    losses.legend(&mut sketch, &keys);

    let right = panel(502.0, r2_axis("R²", r2.iter().map(|p| p.1)));
    right.frame(&mut sketch, "R² on validation", 1);
    draw_line(&mut sketch, &right, &r2, Ink::Series(0), false);
    let best = epochs.iter().filter(|e| e.validation_loss.is_finite());
    if let Some(best) = best.min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss)) {
        for (panel, value) in [(&losses, best.validation_loss), (&right, best.validation_r2)] {
            panel.discs(&mut sketch, &[(best.epoch, value)], 4.5, GREEN, 1.0);
        }
        let words = format!("lowest validation loss, epoch {}", number::plain(best.epoch));
        right.legend(&mut sketch, &[(Key::Disc(GREEN), words)]);
    }

    let columns = ["epoch", "training_loss", "validation_loss", "validation_r2"].map(str::to_owned);
    let row = |e: &CurvePoint| {
        [e.epoch, e.training_loss, e.validation_loss, e.validation_r2].map(|v| v.to_string()).to_vec()
    };
    sketch.figure(name, caption, Some(numbers(name, &columns, epochs.iter().map(row).collect())?))
}

/// R² against how many labelled galaxies were learned from, as in the paper's Figure 6: curves that are adapted, from
/// scratch, and levels to compare them with.
///
/// # Errors
/// [`Error::Io`] where it cannot be drawn.
pub fn adaptation_curve(
    name: &str,
    caption: &str,
    parameter_label: &str,
    curves: &[Series],
) -> Result<Figure> {
    let mut sketch = Sketch::new(720.0, 420.0);
    let points = || curves.iter().flat_map(|c| &c.points);
    // A level has no place along the axis.
    let sizes = curves.iter().filter(|c| !is_level(c)).flat_map(|c| c.points.iter().map(|p| p.0));
    let x = Axis::counts("labelled galaxies learned from (training and validation)", sizes);
    let y = r2_axis("R² on galaxies never learned from", points().map(|p| p.1));
    let panel = Panel { left: 74.0, top: 62.0, width: 620.0, height: 296.0, x, y };
    panel.frame(&mut sketch, parameter_label, 1);
    let mut keys = Vec::new();
    let mut colours = [0, 1, 3, 4, 5].into_iter().map(Ink::Series).cycle();
    for curve in curves {
        let ink = match curve.style {
            Style::Star => GREEN,
            Style::Dashed => Ink::Muted,
            Style::Line | Style::Points => colours.next().unwrap_or(Ink::Text),
        };
        draw_errors(&mut sketch, &panel, curve, ink);
        let key = match curve.style {
            Style::Line => {
                draw_line(&mut sketch, &panel, &curve.points, ink, false);
                Key::Line(ink)
            }
            Style::Dashed if is_level(curve) => {
                let (low, high) = panel.x.span();
                panel.line(&mut sketch, &[low, high].map(|x| (x, curve.points[0].1)), ink, true);
                Key::Dashed(ink)
            }
            Style::Dashed => {
                panel.line(&mut sketch, &curve.points, ink, true);
                Key::Dashed(ink)
            }
            Style::Star => {
                let places = curve.points.iter().map(|&p| panel.place(p)).filter(|&p| panel.holds(p));
                places.for_each(|place| sketch.star(place, 9.0, ink));
                Key::Star(ink)
            }
            Style::Points => {
                panel.discs(&mut sketch, &curve.points, 3.5, ink, 1.0);
                Key::Disc(ink)
            }
        };
        keys.push((key, curve.label.clone()));
    }
    panel.legend(&mut sketch, &keys);

    let columns = ["series", "galaxies", "r2", "r2_error"].map(str::to_owned);
    let rows = curves.iter().flat_map(|curve| {
        let error = |i: usize| curve.errors.as_ref().and_then(|e| e.get(i)).map(f64::to_string);
        let points = curve.points.iter().enumerate();
        points.map(move |(i, (x, y))| {
            vec![curve.label.clone(), x.to_string(), y.to_string(), error(i).unwrap_or_default()]
        })
    });
    sketch.figure(name, caption, Some(numbers(name, &columns, rows.collect())?))
}

/// A figure's numbers as CSV.
pub(super) fn numbers(name: &str, columns: &[String], rows: Vec<Vec<String>>) -> Result<String> {
    csv_text(columns, &rows)
        .map_err(|e| Error::Catalogue { path: format!("{name}.csv").into(), message: e.to_string() })
}

/// From the worst value that still tells something to 1.
fn r2_axis(label: &str, values: impl Iterator<Item = f64>) -> Axis {
    let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    // Where even the best is worse than that, all of them.
    let (lowest, best) = span(values).unwrap_or((0.0, 1.0));
    let low = if best > WORST_R2 { lowest.max(WORST_R2) } else { lowest };
    Axis::around(label, [low.min(0.9), 1.0])
}

fn is_level(series: &Series) -> bool {
    series.style == Style::Dashed && series.points.len() == 1
}

fn draw_line(sketch: &mut Sketch, panel: &Panel, points: &[(f64, f64)], ink: Ink, dashed: bool) {
    panel.line(sketch, points, ink, dashed);
    if points.len() <= MARKED {
        panel.discs(sketch, points, 2.8, ink, 1.0);
    }
}

fn draw_errors(sketch: &mut Sketch, panel: &Panel, curve: &Series, ink: Ink) {
    for (&(x, y), error) in curve.points.iter().zip(curve.errors.iter().flatten()) {
        panel.line(sketch, &[(x, y - error), (x, y + error)], ink, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(n: usize) -> Vec<CurvePoint> {
        let point = |i: usize| {
            let loss = 0.4 / (1.0 + i as f64);
            let r2 = if i == 2 { f64::NAN } else { 1.0 - 4.0 * loss };
            CurvePoint {
                epoch: 1.0 + i as f64,
                training_loss: 0.9 * loss,
                validation_loss: loss,
                validation_r2: r2,
            }
        };
        (0..n).map(point).collect()
    }

    #[test]
    fn learning_is_drawn_for_any_number_of_epochs() {
        for n in [0, 1, 2, 3, 300] {
            let figure = learning_curves("learning", "c", &epochs(n)).unwrap();
            assert!(figure.svg.starts_with("<svg ") && figure.png.starts_with(b"\x89PNG"));
            assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"), "{n}: {}", figure.svg);
            assert_eq!(figure.csv.unwrap().lines().count(), n + 1);
        }
    }

    #[test]
    fn adaptation_is_drawn_with_levels_stars_and_failures() {
        let series = |label: &str, points: &[(f64, f64)], style| Series {
            label: label.into(),
            points: points.to_vec(),
            errors: Some(vec![0.02; points.len()]),
            style,
        };
        let curves = [
            series("adapted", &[(0.0, 0.8), (50.0, 0.9), (400.0, 0.97)], Style::Line),
            series("from <scratch>", &[(50.0, -1e4), (400.0, f64::NAN), (800.0, 0.5)], Style::Line),
            series("before", &[(0.0, 0.8)], Style::Dashed),
            series("start", &[(0.0, 0.8)], Style::Star),
        ];
        let figure = adaptation_curve("adaptation", "c", "Magnitude", &curves).unwrap();
        assert!(figure.svg.contains("from &lt;scratch&gt;") && !figure.svg.contains("NaN"));
        assert_eq!(figure.csv.unwrap().lines().count(), 9);
        for curves in [&[][..], &curves[2..3], &curves[3..]] {
            adaptation_curve("adaptation", "c", "Magnitude", curves).unwrap();
        }
    }
}
