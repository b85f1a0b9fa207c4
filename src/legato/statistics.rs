//! How well estimates agree with the truth.

use serde::Serialize;

/// Agreement of estimates f with true values y, in physical units.
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

impl Statistics {
    /// Of pairs (truth, estimate); NaN where there are too few to tell.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let n = pairs.len() as f64;
        let mean = pairs.iter().map(|(y, _)| y).sum::<f64>() / n;
        let spread: f64 = pairs.iter().map(|(y, _)| (y - mean).powi(2)).sum();
        let residual: f64 = pairs.iter().map(|(y, f)| (y - f).powi(2)).sum();
        let errors: Vec<f64> = pairs.iter().map(|(y, f)| f - y).collect();
        let bias = median(errors.clone());
        let scatter = 1.4826 * median(errors.iter().map(|e| (e - bias).abs()).collect());
        let outliers = errors.iter().filter(|&e| (e - bias).abs() > 5.0 * scatter).count() as f64 / n;
        let r2 = if spread > 0.0 { 1.0 - residual / spread } else { f64::NAN };
        Statistics { count: pairs.len(), r2, bias, scatter, outliers }
    }
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
    fn one_pair_says_nothing_of_r2() {
        assert!(Statistics::of(&[(1.0, 2.0)]).r2.is_nan() && Statistics::of(&[]).r2.is_nan());
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
}
