//! Estimates against the truth, a panel a parameter and method.

use super::axis::{Axis, span};
use super::curves::numbers;
use super::grid::Grid;
use super::methods::Methods;
use super::panel::Panel;
use super::sketch::{Ink, Sketch};
use super::{Figure, names, number};
use crate::Result;
use crate::legato::Comparison;
use std::collections::BTreeMap;

/// More points than this are counted in cells.
const MOST_POINTS: usize = 1500;
/// Side of a cell, pixels.
const CELL: f64 = 3.0;
/// Part of the truth's range that is shown beyond either end of it.
const BEYOND: f64 = 0.12;
/// What points are drawn in that lie beyond the frame and stand on its edge.
const STRAY: Ink = Ink::Series(1);

/// Estimates against the truth, with the line on which they would be equal, and R²: a panel for each comparison and
/// method. Many galaxies are drawn as cells, darker where there are more of them (by the logarithm of their number).
/// Estimates far outside the truth's range stand on the frame's edge in another colour.
///
/// # Errors
/// [`crate::Error::Io`] where it cannot be drawn.
pub fn truth_scatter(name: &str, caption: &str, comparisons: &[Comparison]) -> Result<Figure> {
    let rows = comparisons.iter().enumerate();
    let panels = rows.flat_map(|(row, c)| (0..c.methods.len()).map(move |method| (row, c, method)));
    let methods = Methods::of(comparisons);
    // A method a column and a comparison a row, or two columns of a single method.
    let columns = if methods.are_several() { methods.len() } else { 2 };
    let side = if columns > 2 { 250.0 } else { 330.0 };
    let grid = Grid { columns, frame: (side, side), lines: 0, legend: Vec::new() };
    let mut sketch = grid.sketch(methods.len() * comparisons.len());
    let mut rows = Vec::new();
    for (row, comparison, method) in panels {
        let (label, values) = &comparison.methods[method];
        let i = row * methods.len() + methods.place(label);
        let parameter = comparison.parameter;
        let (low, high) = span(comparison.truth.iter().copied()).unwrap_or((0.0, 1.0));
        let margin = if high > low { BEYOND * (high - low) } else { 1.0 };
        let axis =
            |what: &str| Axis::between(&names::value_axis(what, parameter), low - margin, high + margin);
        let panel = grid.panel(i, axis("true"), axis("estimated"));
        let of = methods.suffix(label);
        let r2 = number::fixed(comparison.statistics(method).r2, 4);
        panel.frame(&mut sketch, &format!("{}{of}: R² {r2}", names::title(parameter)), 0);
        let (inside, stray): (Vec<_>, Vec<_>) =
            comparison.pairs(method).into_iter().partition(|&pair| panel.holds(panel.place(pair)));
        if inside.len() > MOST_POINTS {
            cells(&mut sketch, &panel, &inside);
        } else {
            let opacity = if inside.len() > 300 { 0.3 } else { 0.5 };
            panel.discs(&mut sketch, &inside, 1.8, Ink::Series(0), opacity);
        }
        let edge = |(x, y): (f64, f64)| (x, y.clamp(low - margin, high + margin));
        panel.discs(&mut sketch, &stray.into_iter().map(edge).collect::<Vec<_>>(), 2.4, STRAY, 0.8);
        let equal = [low - margin, high + margin].map(|value| panel.place((value, value)));
        sketch.dashed(equal.to_vec(), Ink::Text, 1.0);
        for ((galaxy, truth), estimate) in comparison.galaxies.iter().zip(&comparison.truth).zip(values) {
            let words = [parameter.name().to_owned(), label.clone(), (galaxy + 1).to_string()];
            rows.push(words.into_iter().chain([*truth, *estimate].map(number::data)).collect());
        }
    }
    let columns = ["parameter", "method", "galaxy", "truth", "estimate"].map(str::to_owned);
    sketch.figure(name, caption, Some(numbers(name, &columns, rows)?))
}

/// Counts points in cells and draws those that hold any.
fn cells(sketch: &mut Sketch, panel: &Panel, pairs: &[(f64, f64)]) {
    let mut counts: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    for &pair in pairs {
        let (x, y) = panel.place(pair);
        let cell = (((x - panel.left) / CELL).floor() as i64, ((y - panel.top) / CELL).floor() as i64);
        *counts.entry(cell).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(1) as f64;
    for ((column, row), count) in counts {
        let (x, y) = (panel.left + CELL * column as f64, panel.top + CELL * row as f64);
        let opacity = 0.25 + 0.75 * (count as f64).ln() / most.ln().max(1.0);
        sketch.rectangle((x, y), (x + CELL, y + CELL), Ink::Series(0), (20.0 * opacity).round() / 20.0);
    }
}
