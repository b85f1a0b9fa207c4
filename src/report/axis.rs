//! An axis: which values it spans, where they stand along it, and its ticks.

use super::number::plain;

/// How values stand along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spacing {
    Linear,
    Logarithmic,
    /// As their square roots, which spreads counts from 0 on.
    Root,
}

/// An axis with its ticks.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// What it shows, with its unit.
    pub(super) label: String,
    low: f64,
    high: f64,
    spacing: Spacing,
    /// Values and what is written beside them.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From `low` to `high`, with ticks at round numbers between them.
    pub(super) fn between(label: &str, low: f64, high: f64) -> Self {
        let step = round_step((high - low) / 5.0);
        Axis {
            label: label.to_owned(),
            low,
            high,
            spacing: Spacing::Linear,
            ticks: round_ticks(low, high, step),
        }
    }

    /// Round numbers around all finite values; 0 to 1 where there are none.
    pub(super) fn around(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = match span(values) {
            None => (0.0, 1.0),
            Some((low, high)) if low == high => {
                let margin = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
                (low - margin, high + margin)
            }
            Some(span) => span,
        };
        let step = round_step((high - low) / 5.0);
        Self::between(label, (low / step).floor() * step, (high / step).ceil() * step)
    }

    /// The finite values above zero and a little more, logarithmic; 0.1 to 1 where there are none.
    pub(super) fn logarithmic(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = span(values.into_iter().filter(|&v| v > 0.0)).unwrap_or((0.1, 1.0));
        let (low, high) = (low / 1.15, high * 1.15);
        let decades = || (low.log10().floor() as i32..=high.log10().ceil() as i32).map(|p| 10f64.powi(p));
        let inside = |mantissas: &[f64]| -> Vec<f64> {
            let all = decades().flat_map(|decade| mantissas.iter().map(move |m| m * decade));
            all.filter(|v| (low..=high).contains(v)).collect()
        };
        // The coarsest of these that leaves three ticks to read by.
        let choices: [&[f64]; 4] =
            [&[1.0], &[1.0, 3.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]];
        let chosen = choices.iter().map(|m| inside(m)).find(|ticks| ticks.len() >= 3);
        let ticks = match chosen {
            Some(values) => values.into_iter().map(|v| (v, plain(v))).collect(),
            None => round_ticks(low, high, round_step((high - low) / 4.0)),
        };
        Axis { label: label.to_owned(), low, high, spacing: Spacing::Logarithmic, ticks }
    }

    /// Counts from 0 to the largest, with a tick at each.
    pub(super) fn counts(label: &str, counts: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = counts.into_iter().filter(|v| v.is_finite() && *v >= 0.0).collect();
        values.push(0.0);
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let high = values.last().copied().filter(|&v| v > 0.0).unwrap_or(1.0);
        let ticks = values.into_iter().map(|v| (v, plain(v))).collect();
        Axis { label: label.to_owned(), low: 0.0, high: high * 1.02, spacing: Spacing::Root, ticks }
    }

    /// A tick for each name, the first at 0.5, the next at 1.5.
    pub(super) fn names<'a>(label: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let ticks: Vec<_> =
            names.into_iter().enumerate().map(|(i, n)| (i as f64 + 0.5, n.to_owned())).collect();
        let high = ticks.len().max(1) as f64;
        Axis { label: label.to_owned(), low: 0.0, high, spacing: Spacing::Linear, ticks }
    }

    /// The ends.
    pub(super) fn span(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Where a value stands: 0 at the lower end, 1 at the upper, beyond them outside.
    pub(super) fn along(&self, value: f64) -> f64 {
        let stretch = |v: f64| match self.spacing {
            Spacing::Linear => v,
            Spacing::Logarithmic => v.ln(),
            Spacing::Root => v.signum() * v.abs().sqrt(),
        };
        (stretch(value) - stretch(self.low)) / (stretch(self.high) - stretch(self.low))
    }
}

/// The least and the greatest of the finite values.
pub(super) fn span(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|v| v.is_finite());
    finite.fold(None, |span, v| {
        let (low, high) = span.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is no smaller.
fn round_step(least: f64) -> f64 {
    let decade = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0].into_iter().map(|m| m * decade).find(|s| *s >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0 * decade)
}

/// The multiples of a step from `low` to `high`, all with as many decimals as the step needs.
fn round_ticks(low: f64, high: f64, step: f64) -> Vec<(f64, String)> {
    let whole = |d: &i32| {
        let scaled = step * 10f64.powi(*d);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    let decimals = (0..12).find(whole).unwrap_or(12) as usize;
    let slack = 1e-6;
    let (first, last) = ((low / step - slack).ceil() as i64, (high / step + slack).floor() as i64);
    let tick = |i: i64| {
        let value = i as f64 * step;
        (value, format!("{value:.decimals$}").replace('-', "\u{2212}"))
    };
    (first..=last).map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_span_the_values() {
        let axis = Axis::around("", [-0.31, f64::NAN, 0.72]);
        assert_eq!(labels(&axis), ["−0.50", "−0.25", "0.00", "0.25", "0.50", "0.75"]);
        assert_eq!(axis.span(), (-0.5, 0.75));
        assert_eq!((axis.along(-0.5), axis.along(0.75)), (0.0, 1.0));
        assert_eq!(labels(&Axis::between("", 16.0, 23.0)), ["16", "18", "20", "22"]);
    }

    #[test]
    fn no_value_and_one_value_have_an_axis_too() {
        assert_eq!(Axis::around("", []).span(), (0.0, 1.0));
        for value in [0.0, 3.0, -1e-9, 1e12] {
            let axis = Axis::around("", [value]);
            let (low, high) = axis.span();
            assert!(low < value && value < high && axis.ticks.len() >= 3, "{axis:?}");
        }
        for values in [vec![], vec![0.0, -1.0], vec![0.02], vec![1e-9, 1e9]] {
            let axis = Axis::logarithmic("", values.clone());
            assert!(axis.ticks.len() >= 2, "{values:?}: {axis:?}");
        }
    }

    #[test]
    fn decades_are_as_wide_as_each_other() {
        let axis = Axis::logarithmic("", [0.01, 1.0]);
        assert_eq!(labels(&axis), ["0.01", "0.1", "1"]);
        assert!((axis.along(0.1) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn counts_have_a_tick_each() {
        let axis = Axis::counts("", [400.0, 50.0, 50.0, 100.0]);
        assert_eq!(labels(&axis), ["0", "50", "100", "400"]);
        assert!((axis.along(100.0) / axis.along(400.0) - 0.5).abs() < 1e-12);
    }
}
