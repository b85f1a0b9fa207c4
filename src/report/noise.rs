//! Bias and scatter against the signal-to-noise ratio.

use super::axis::Axis;
use super::curves::numbers;
use super::grid::Grid;
use super::methods::Methods;
use super::panel::Key;
use super::sketch::Ink;
use super::{Figure, names, number};
use crate::Result;
use crate::legato::{Comparison, Part};

/// Scatter (σ_NMAD, whole lines) and bias (the median error, dashed) in groups of about as many galaxies each, ordered by
/// signal-to-noise ratio: `snr` has one for each galaxy of the data set. A panel a comparison.
///
/// # Errors
/// [`crate::Error::Io`] where it cannot be drawn.
pub fn noise_curves(name: &str, caption: &str, comparisons: &[Comparison], snr: &[f64]) -> Result<Figure> {
    let methods = Methods::of(comparisons);
    let mut legend = Vec::new();
    for label in methods.labels() {
        let (ink, of) = (methods.ink(label), methods.suffix(label));
        legend.push((Key::Line(ink), format!("scatter{of}")));
        legend.push((Key::Dashed(ink), format!("bias{of}")));
    }
    let columns = if comparisons.len() > 1 { 2 } else { 1 };
    let grid = Grid { columns, frame: (362.0, 200.0), lines: 0, legend };
    let mut sketch = grid.sketch(comparisons.len());
    let mut rows = Vec::new();
    for (i, comparison) in comparisons.iter().enumerate() {
        let split = comparison.by_signal_to_noise(snr);
        let middles: Vec<f64> =
            split.groups.iter().map(|(_, galaxies)| snr[galaxies[galaxies.len() / 2]]).collect();
        let parts: Vec<Vec<Part>> =
            (0..comparison.methods.len()).map(|m| split.parts(comparison, m)).collect();
        let values = || parts.iter().flatten().flat_map(|p| [p.statistics.bias, p.statistics.scatter]);
        let y = Axis::around(&names::error_axis(comparison.parameter), values().chain([0.0]));
        let panel = grid.panel(i, Axis::logarithmic(&split.label, middles.iter().copied()), y);
        panel.frame(&mut sketch, names::title(comparison.parameter), 0);
        let (low, high) = panel.x.span();
        sketch.line(vec![panel.place((low, 0.0)), panel.place((high, 0.0))], Ink::Muted, 1.0);
        for (method, parts) in parts.iter().enumerate() {
            let ink = methods.ink(&comparison.methods[method].0);
            let points = |of: fn(&Part) -> f64| -> Vec<(f64, f64)> {
                middles.iter().copied().zip(parts.iter().map(of)).collect()
            };
            let (scatter, bias) = (points(|p| p.statistics.scatter), points(|p| p.statistics.bias));
            panel.line(&mut sketch, &bias, ink, true);
            panel.line(&mut sketch, &scatter, ink, false);
            panel.discs(&mut sketch, &[scatter, bias].concat(), 2.8, ink, 1.0);
            for (part, middle) in parts.iter().zip(&middles) {
                let words = [comparison.parameter.name().to_owned(), comparison.methods[method].0.clone()];
                let s = &part.statistics;
                let values = [*middle, s.count as f64, s.r2, s.bias, s.scatter, s.outliers].map(number::data);
                rows.push(words.into_iter().chain(values).collect());
            }
        }
    }
    let columns =
        ["parameter", "method", "snr", "galaxies", "r2", "bias", "scatter", "outliers"].map(str::to_owned);
    sketch.figure(name, caption, Some(numbers(name, &columns, rows)?))
}
