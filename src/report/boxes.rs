//! Errors group by group as box plots (Tukey 1977), several methods side by side, as in the paper's Figures 3 and 7.

use super::axis::Axis;
use super::curves::numbers;
use super::grid::Grid;
use super::methods::Methods;
use super::names;
use super::panel::{Key, Panel, STROKE};
use super::sketch::{Anchor, Ink, Sketch};
use super::{Figure, number};
use crate::Result;
use crate::legato::{BoxSummary, Comparison, Part, Split};

/// Part of a group's room that its boxes fill.
const FILLED: f64 = 0.72;
/// A box is no wider than this, pixels.
const WIDEST: f64 = 34.0;

/// Errors (estimate − truth) in each group of a split, a panel for each comparison: boxes from quartile to quartile with
/// the median across, whiskers to the last value within 1.5 interquartile ranges, dots beyond. How many galaxies a group
/// has stands above it. Dots that are far beyond all boxes are left out of the drawing, and counted in its numbers.
///
/// # Errors
/// [`crate::Error::Io`] where it cannot be drawn.
pub fn error_boxes(name: &str, caption: &str, comparisons: &[Comparison], split: &Split) -> Result<Figure> {
    let methods = Methods::of(comparisons);
    let entry = |label: &&str| (Key::Box(methods.ink(label)), (*label).to_owned());
    let shown = methods.labels().iter().filter(|_| methods.are_several());
    let legend = shown.map(entry).collect();
    let alone = comparisons.len() <= 1;
    let (columns, frame) = if alone { (1, (640.0, 280.0)) } else { (2, (362.0, 200.0)) };
    let grid = Grid { columns, frame, lines: 1, legend };
    let mut sketch = grid.sketch(comparisons.len());
    let mut rows = Vec::new();
    for (i, comparison) in comparisons.iter().enumerate() {
        let parts: Vec<Vec<Part>> =
            (0..comparison.methods.len()).map(|m| split.parts(comparison, m)).collect();
        let boxes = || parts.iter().flatten().filter_map(|part| part.errors.as_ref());
        let ends = boxes().flat_map(|b| [b.lower_whisker, b.upper_whisker]).chain([0.0]);
        let x = Axis::names(&split.label, split.groups.iter().map(|(name, _)| name.as_str()));
        let panel = grid.panel(i, x, Axis::around(&names::error_axis(comparison.parameter), ends));
        panel.frame(&mut sketch, names::title(comparison.parameter), 1);
        let (low, high) = panel.x.span();
        sketch.line(vec![panel.place((low, 0.0)), panel.place((high, 0.0))], Ink::Muted, 1.0);
        for (method, parts) in parts.iter().enumerate() {
            let ink = methods.ink(&comparison.methods[method].0);
            let room = FILLED / comparison.methods.len() as f64;
            let wide = room.min(WIDEST / panel.width * high);
            let offset = 0.5 + (method as f64 - 0.5 * (comparison.methods.len() as f64 - 1.0)) * wide;
            for (group, part) in parts.iter().enumerate() {
                if let Some(summary) = &part.errors {
                    draw(&mut sketch, &panel, summary, (group as f64 + offset, 0.84 * wide), ink);
                }
                rows.push(row(comparison, method, part));
            }
        }
        for (group, part) in parts.first().into_iter().flatten().enumerate() {
            let (x, _) = panel.place((group as f64 + 0.5, 0.0));
            let count = part.statistics.count.to_string();
            sketch.words((x, panel.top - 8.0), count, Ink::Muted, Anchor::Middle);
        }
    }
    let columns = [
        "parameter",
        "method",
        "group",
        "galaxies",
        "r2",
        "bias",
        "scatter",
        "outliers",
        "lower_whisker",
        "lower_quartile",
        "median",
        "upper_quartile",
        "upper_whisker",
        "fliers",
    ]
    .map(str::to_owned);
    sketch.figure(name, caption, Some(numbers(name, &columns, rows)?))
}

/// One box, its middle and its width in the axis' units.
fn draw(sketch: &mut Sketch, panel: &Panel, summary: &BoxSummary, (x, width): (f64, f64), ink: Ink) {
    let (left, right) = (x - 0.5 * width, x + 0.5 * width);
    let at = |x: f64, value: f64| panel.place((x, value));
    let (low, high) = (at(left, summary.lower_quartile), at(right, summary.upper_quartile));
    for (from, to) in
        [(summary.lower_quartile, summary.lower_whisker), (summary.upper_quartile, summary.upper_whisker)]
    {
        sketch.line(vec![at(x, from), at(x, to)], ink, 1.0);
        sketch.line(vec![at(x - 0.2 * width, to), at(x + 0.2 * width, to)], ink, 1.0);
    }
    sketch.rectangle(low, high, Ink::Paper, 1.0);
    sketch.rectangle(low, high, ink, 0.25);
    let outline = vec![low, (high.0, low.1), high, (low.0, high.1), low];
    sketch.line(outline, ink, 1.0);
    sketch.line(vec![at(left, summary.median), at(right, summary.median)], ink, STROKE + 0.6);
    let fliers: Vec<(f64, f64)> = summary.fliers.iter().map(|&value| (x, value)).collect();
    panel.discs(sketch, &fliers, 1.4, ink, 0.45);
}

fn row(comparison: &Comparison, method: usize, part: &Part) -> Vec<String> {
    let s = &part.statistics;
    let mut row = vec![
        comparison.parameter.name().to_owned(),
        comparison.methods[method].0.clone(),
        part.group.clone(),
        s.count.to_string(),
    ];
    let b = part.errors.as_ref();
    let five = |of: fn(&BoxSummary) -> f64| b.map_or(f64::NAN, of);
    let values = [
        s.r2,
        s.bias,
        s.scatter,
        s.outliers,
        five(|b| b.lower_whisker),
        five(|b| b.lower_quartile),
        five(|b| b.median),
        five(|b| b.upper_quartile),
        five(|b| b.upper_whisker),
    ];
    row.extend(values.map(number::data));
    row.push(b.map_or(0, |b| b.fliers.len()).to_string());
    row
}
