//! How well estimates agree with the truth.

use serde::Serialize;

/// Agreement of estimates f with true values y, in physical units. What cannot be told is NaN, `null` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// How many pairs.
    pub count: usize,
    /// 1 − Σ(y−f)² / Σ(y−ȳ)²: 1 is perfect, 0 is no better than the mean.
    pub r2: f64,
    /// Median of f − y.
    pub bias: f64,
    /// 1.4826 times the median absolute deviation of f − y from its median (σ_NMAD).
    pub scatter: f64,
    /// Share of pairs further than 5 σ_NMAD from the bias.
    pub outliers: f64,
}

/// Standard deviation of a Gaussian over its median absolute deviation: 1 / Φ⁻¹(3/4).
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

impl Statistics {
    /// Of pairs (truth, estimate); NaN where there are too few to tell.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let n = pairs.len() as f64;
        let mean = pairs.iter().map(|(y, _)| y).sum::<f64>() / n;
        let spread: f64 = pairs.iter().map(|(y, _)| (y - mean).powi(2)).sum();
        let residual: f64 = pairs.iter().map(|(y, f)| (y - f).powi(2)).sum();
        let errors: Vec<f64> = pairs.iter().map(|(y, f)| f - y).collect();
        let bias = median(errors.clone());
        let scatter = MAD_TO_SIGMA * median(errors.iter().map(|e| (e - bias).abs()).collect());
        let outliers = errors.iter().filter(|&e| (e - bias).abs() > 5.0 * scatter).count() as f64 / n;
        let r2 = if spread > 0.0 { 1.0 - residual / spread } else { f64::NAN };
        Statistics { count: pairs.len(), r2, bias, scatter, outliers }
    }
}

/// The five numbers of Tukey's box plot (1977), and what lies outside them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoxSummary {
    /// The least value within 1.5 interquartile ranges of the box.
    pub lower_whisker: f64,
    /// First quartile: the box's lower edge.
    pub lower_quartile: f64,
    /// The line in the box.
    pub median: f64,
    /// Third quartile: the box's upper edge.
    pub upper_quartile: f64,
    /// The greatest value within 1.5 interquartile ranges of the box.
    pub upper_whisker: f64,
    /// What lies beyond the whiskers, ascending.
    #[serde(skip)]
    pub fliers: Vec<f64>,
}

impl BoxSummary {
    /// Of values without NaN; none of no values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let quartile = |q: f64| quantile(&sorted, q);
        let (lower_quartile, median, upper_quartile) = (quartile(0.25)?, quartile(0.5)?, quartile(0.75)?);
        let reach = 1.5 * (upper_quartile - lower_quartile);
        let within = |v: &f64| (lower_quartile - reach..=upper_quartile + reach).contains(v);
        // A quartile lies between two values: the nearest within reach may still be inside the box, which a whisker
        // does not enter.
        let lower_whisker = sorted.iter().copied().find(within)?.min(lower_quartile);
        let upper_whisker = sorted.iter().rev().copied().find(within)?.max(upper_quartile);
        let fliers = sorted.iter().copied().filter(|v| !within(v)).collect();
        Some(BoxSummary { lower_whisker, lower_quartile, median, upper_quartile, upper_whisker, fliers })
    }
}

/// The value below which a share `q` in [0, 1] of ascending values lies, linear between the two neighbours of rank
/// q (N − 1); none of no values.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let rank = q * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    Some(below + (above - below) * rank.fract())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_estimates_have_r2_of_one_and_no_scatter() {
        let s = Statistics::of(&[(1.0, 1.0), (2.0, 2.0), (5.0, 5.0)]);
        assert_eq!((s.count, s.r2, s.bias, s.scatter, s.outliers), (3, 1.0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn the_mean_as_estimate_has_r2_of_zero() {
        assert_eq!(Statistics::of(&[(1.0, 2.0), (2.0, 2.0), (3.0, 2.0)]).r2, 0.0);
    }

    #[test]
    fn where_the_truth_has_no_spread_there_is_no_r2() {
        for pairs in [vec![(1.0, 2.0)], vec![(1.0, 1.0)], vec![(3.0, 2.0), (3.0, 4.0)], vec![]] {
            assert!(Statistics::of(&pairs).r2.is_nan(), "{pairs:?}");
        }
    }

    #[test]
    fn a_constant_offset_is_bias_and_one_wild_estimate_an_outlier() {
        let mut pairs: Vec<(f64, f64)> =
            (0..99).map(|i| (f64::from(i), f64::from(i) + 0.5 + 0.01 * f64::from(i % 3))).collect();
        pairs.push((50.0, 90.0));
        let s = Statistics::of(&pairs);
        assert!((s.bias - 0.51).abs() < 1e-9);
        assert_eq!(s.outliers, 0.01);
    }

    #[test]
    fn a_box_of_nothing_is_none_and_of_one_value_a_line() {
        assert_eq!(BoxSummary::of(&[]), None);
        let line = BoxSummary::of(&[3.0]).unwrap();
        assert_eq!((line.lower_whisker, line.median, line.upper_whisker), (3.0, 3.0, 3.0));
        assert!(line.fliers.is_empty());
    }

    #[test]
    fn what_lies_beyond_the_whiskers_is_kept() {
        let b = BoxSummary::of(&[5.0, 100.0, 1.0, 2.0, 3.0, 4.0, -50.0]).unwrap();
        assert_eq!((b.lower_whisker, b.upper_whisker), (1.0, 5.0));
        assert_eq!(b.fliers, [-50.0, 100.0]);
    }
}
