//! A drawing as a list of marks in a page's coordinates (x to the right, y down, CSS pixels), from which `svg.rs` and
//! `raster.rs` each make their picture: what is decided here is decided once for both.

use super::Figure;
use crate::{Error, Result};

/// What a mark is drawn in. Each has a name that the page's style sheet turns into another colour on dark paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ink {
    /// Titles, labels, what counts.
    Text,
    /// Axes, ticks, what is to be read only on demand.
    Muted,
    /// Lines that guide the eye.
    Grid,
    /// The paper.
    Paper,
    /// One of the colours of Okabe & Ito (2008), which colour-blind readers tell apart; counted round.
    Series(usize),
}

/// Blue, vermilion, bluish green, reddish purple, orange, sky blue.
const SERIES: [(u8, u8, u8); 6] =
    [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233)];

impl Ink {
    /// Red, green and blue on white paper.
    pub(super) fn rgb(self) -> (u8, u8, u8) {
        match self {
            Ink::Text => (34, 34, 34),
            Ink::Muted => (110, 110, 110),
            Ink::Grid => (226, 226, 226),
            Ink::Paper => (255, 255, 255),
            Ink::Series(i) => SERIES[i % SERIES.len()],
        }
    }

    /// Its class in the style sheet.
    pub(super) fn class(self) -> String {
        match self {
            Ink::Text => "ink-text".to_owned(),
            Ink::Muted => "ink-muted".to_owned(),
            Ink::Grid => "ink-grid".to_owned(),
            Ink::Paper => "ink-paper".to_owned(),
            Ink::Series(i) => format!("ink-{}", i % SERIES.len()),
        }
    }
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A place on the page.
pub(super) type Place = (f64, f64);

/// Something drawn.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// A line through places.
    Line { through: Vec<Place>, ink: Ink, width: f64, dashed: bool },
    /// A filled polygon.
    Area { corners: Vec<Place>, ink: Ink, opacity: f64 },
    /// Discs of one size.
    Discs { centres: Vec<Place>, radius: f64, ink: Ink, opacity: f64 },
    /// A line of text whose baseline passes through `at`; `upright` reads from below.
    Words { at: Place, text: String, size: f64, bold: bool, ink: Ink, anchor: Anchor, upright: bool },
}

/// Length of a dash, and of the gap behind it.
pub(super) const DASH: (f64, f64) = (5.0, 3.5);
/// Size of letters beside axes and in legends; titles are bold.
pub(super) const LETTERS: f64 = 12.0;

/// A drawing in the making.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) marks: Vec<Mark>,
}

impl Sketch {
    /// An empty page.
    pub(super) fn new(width: f64, height: f64) -> Self {
        let corners = vec![(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
        Sketch { width, height, marks: vec![Mark::Area { corners, ink: Ink::Paper, opacity: 1.0 }] }
    }

    pub(super) fn line(&mut self, through: Vec<Place>, ink: Ink, width: f64) {
        self.marks.push(Mark::Line { through, ink, width, dashed: false });
    }

    pub(super) fn dashed(&mut self, through: Vec<Place>, ink: Ink, width: f64) {
        self.marks.push(Mark::Line { through, ink, width, dashed: true });
    }

    pub(super) fn area(&mut self, corners: Vec<Place>, ink: Ink, opacity: f64) {
        self.marks.push(Mark::Area { corners, ink, opacity });
    }

    /// A filled rectangle between two opposite corners.
    pub(super) fn rectangle(&mut self, (x0, y0): Place, (x1, y1): Place, ink: Ink, opacity: f64) {
        self.area(vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1)], ink, opacity);
    }

    pub(super) fn discs(&mut self, centres: Vec<Place>, radius: f64, ink: Ink, opacity: f64) {
        self.marks.push(Mark::Discs { centres, radius, ink, opacity });
    }

    /// A star of five points.
    pub(super) fn star(&mut self, (x, y): Place, radius: f64, ink: Ink) {
        let corner = |i: u8| {
            let (angle, r) = (
                f64::from(i) * std::f64::consts::PI / 5.0,
                if i.is_multiple_of(2) { radius } else { 0.4 * radius },
            );
            (x + r * angle.sin(), y - r * angle.cos())
        };
        self.area((0..10).map(corner).collect(), ink, 1.0);
    }

    /// A line of text beside axes and in legends.
    pub(super) fn words(&mut self, at: Place, text: impl Into<String>, ink: Ink, anchor: Anchor) {
        let (text, size) = (text.into(), LETTERS);
        self.marks.push(Mark::Words { at, text, size, bold: false, ink, anchor, upright: false });
    }

    /// A title.
    pub(super) fn title(&mut self, at: Place, text: impl Into<String>) {
        let (text, size, ink, anchor) = (text.into(), LETTERS + 1.0, Ink::Text, Anchor::Start);
        self.marks.push(Mark::Words { at, text, size, bold: true, ink, anchor, upright: false });
    }

    /// A line of text that reads from below, its middle at `at`.
    pub(super) fn upright(&mut self, at: Place, text: impl Into<String>) {
        let (text, size, ink, anchor) = (text.into(), LETTERS, Ink::Text, Anchor::Middle);
        self.marks.push(Mark::Words { at, text, size, bold: false, ink, anchor, upright: true });
    }

    /// The figure: this drawing as SVG and PNG, with the numbers in it as CSV.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be drawn, which a drawing in memory does not meet.
    pub(super) fn figure(self, name: &str, caption: &str, csv: Option<String>) -> Result<Figure> {
        let png = super::raster::png(&self).map_err(|e| Error::io(format!("{name}.png"), "draw", e))?;
        let svg = super::svg::svg(&self, caption);
        Ok(Figure { name: name.to_owned(), caption: caption.to_owned(), svg, png, csv })
    }
}
