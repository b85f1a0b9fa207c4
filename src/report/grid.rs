//! Panels of one size in rows, under a legend for all of them.

use super::axis::Axis;
use super::panel::{Key, Panel, legend};
use super::sketch::Sketch;

/// How panels stand.
pub(super) struct Grid {
    /// Panels in a row.
    pub(super) columns: usize,
    /// Width and height of each one's frame.
    pub(super) frame: (f64, f64),
    /// Lines of words between a panel's title and its frame.
    pub(super) lines: usize,
    /// What all panels show; empty for no legend.
    pub(super) legend: Vec<(Key, String)>,
}

/// Room around a frame: labels at its left and below it, a title above it.
const LEFT: f64 = 78.0;
const RIGHT: f64 = 18.0;
const ABOVE: f64 = 32.0;
const BELOW: f64 = 56.0;
const LINE: f64 = 19.0;
const LEGEND: f64 = 30.0;

impl Grid {
    fn cell(&self) -> (f64, f64) {
        (LEFT + self.frame.0 + RIGHT, ABOVE + LINE * self.lines as f64 + self.frame.1 + BELOW)
    }

    fn head(&self) -> f64 {
        if self.legend.is_empty() { 0.0 } else { LEGEND }
    }

    /// A page with room for `count` panels, and its legend.
    pub(super) fn sketch(&self, count: usize) -> Sketch {
        let (columns, rows) = (count.clamp(1, self.columns), count.div_ceil(self.columns).max(1));
        let (width, height) = self.cell();
        let mut sketch = Sketch::new(columns as f64 * width, self.head() + rows as f64 * height);
        legend(&mut sketch, (LEFT, LEGEND - 8.0), &self.legend);
        sketch
    }

    /// Panel `index`, counted along rows.
    pub(super) fn panel(&self, index: usize, x: Axis, y: Axis) -> Panel {
        let (width, height) = self.cell();
        let (column, row) = (index % self.columns, index / self.columns);
        let left = column as f64 * width + LEFT;
        let top = self.head() + row as f64 * height + ABOVE + LINE * self.lines as f64;
        Panel { left, top, width: self.frame.0, height: self.frame.1, x, y }
    }
}
