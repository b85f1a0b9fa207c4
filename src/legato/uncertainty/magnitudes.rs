//! What changes smoothly with magnitude: numbers at some magnitudes, straight lines between them, and what lies beyond
//! the ends as at the ends. Those numbers are quantiles of what is near each of those magnitudes, taken over a size
//! that changes with magnitude itself: what is near the faintest of them is all brighter, and errors grow by half from one
//! to the next.

use crate::legato::quantile;

/// Magnitudes between knots.
const STEP: f64 = 0.5;
/// Standard deviation of the weights of what is near a knot, mag.
const WIDTH: f64 = 0.35;
/// How often sizes are corrected by what they leave.
const CORRECTIONS: usize = 4;
/// What is further from a knot than so many standard deviations does not count.
const REACH: f64 = 3.0;

/// The knots for a set of measured magnitudes: from the 0.5th to the 99.5th percentile in steps of about half a
/// magnitude; a single one where no magnitude is known.
pub(super) fn knots(magnitudes: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = magnitudes.iter().copied().filter(|m| m.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (quantile(&sorted, 0.005), quantile(&sorted, 0.995)) else {
        return vec![0.0];
    };
    let steps = ((last - first) / STEP).round() as usize;
    (0..=steps).map(|i| first + (last - first) * i as f64 / steps.max(1) as f64).collect()
}

/// The value at a magnitude of numbers at knots, which ascend; NaN where there are several and the magnitude is not
/// known.
pub(super) fn between(knots: &[f64], numbers: &[f64], magnitude: f64) -> f64 {
    match (knots, numbers) {
        ([_], &[number]) => number,
        _ if magnitude.is_nan() => f64::NAN,
        _ => {
            let above = knots.partition_point(|&knot| knot <= magnitude).clamp(1, knots.len() - 1);
            let along = (magnitude - knots[above - 1]) / (knots[above] - knots[above - 1]);
            let (low, high) = (numbers[above - 1], numbers[above]);
            low + (high - low) * along.clamp(0.0, 1.0)
        }
    }
}

/// Which of some magnitudes are near each of the knots, and how much each counts there.
pub(super) struct Neighbourhoods<'a> {
    knots: &'a [f64],
    magnitudes: &'a [f64],
    /// Of each knot, the numbers of what is near, and weights.
    near: Vec<Vec<(usize, f64)>>,
}

impl<'a> Neighbourhoods<'a> {
    /// With a single knot everything is near.
    pub(super) fn new(knots: &'a [f64], magnitudes: &'a [f64]) -> Self {
        let near = |&knot: &f64| {
            let weight = |(i, &magnitude): (usize, &f64)| {
                let away = (magnitude - knot) / WIDTH;
                match knots.len() {
                    1 => Some((i, 1.0)),
                    _ => (away.abs() <= REACH).then(|| (i, (-0.5 * away * away).exp())),
                }
            };
            magnitudes.iter().enumerate().filter_map(weight).collect()
        };
        Neighbourhoods { knots, magnitudes, near: knots.iter().map(near).collect() }
    }

    /// At each knot the size of values, which changes with magnitude: the mean of their moduli near it, corrected by the
    /// means of what these leave of them, again and again, as Jones, Linton & Nielsen (1995, Biometrika 82, 327) do
    /// once. The mean alone is too small where sizes grow and all that is near lies to one side. 1 everywhere for values
    /// that have no size somewhere.
    pub(super) fn sizes(&self, values: &[f64]) -> Vec<f64> {
        let mut sizes = vec![1.0; self.knots.len()];
        for _ in 0..CORRECTIONS {
            let left: Vec<f64> = self.over(values, &sizes).into_iter().map(f64::abs).collect();
            let mean = |near: &Vec<(usize, f64)>| {
                let (sum, weight) = near.iter().fold((0.0, 0.0), |(s, w), &(i, v)| (s + v * left[i], w + v));
                sum / weight
            };
            sizes.iter_mut().zip(&self.near).for_each(|(size, near)| *size *= mean(near));
        }
        let sound = sizes.iter().all(|size| size.is_finite() && *size > 0.0);
        if sound { sizes } else { vec![1.0; self.knots.len()] }
    }

    /// The values at each knot below which each of some shares of its neighbourhood lies, by weight, each value taken over
    /// the size that is usual at its magnitude; NaN where nothing is near.
    pub(super) fn quantiles<const N: usize>(&self, values: &[f64], shares: [f64; N]) -> Vec<[f64; N]> {
        let sizes = self.sizes(values);
        let over = self.over(values, &sizes);
        let of = |(near, size): (&Vec<(usize, f64)>, &f64)| {
            let mut sorted: Vec<(f64, f64)> = near.iter().map(|&(i, weight)| (over[i], weight)).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            shares.map(|share| size * weighted_quantile(&sorted, share))
        };
        self.near.iter().zip(&sizes).map(of).collect()
    }

    /// Values over what is given at knots.
    fn over(&self, values: &[f64], sizes: &[f64]) -> Vec<f64> {
        let each = values.iter().zip(self.magnitudes);
        each.map(|(value, &magnitude)| value / between(self.knots, sizes, magnitude)).collect()
    }
}

/// The value below which a share of ascending (value, weight) lies, linear between the middles of the weights.
fn weighted_quantile(sorted: &[(f64, f64)], share: f64) -> f64 {
    let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let mut before = 0.0;
    let mut last: Option<(f64, f64)> = None;
    for &(value, weight) in sorted {
        let middle = before + 0.5 * weight;
        if middle >= share * total {
            let Some((lower, below)) = last else { return value };
            return below + (value - below) * (share * total - lower) / (middle - lower);
        }
        (last, before) = (Some((middle, value)), before + weight);
    }
    last.map_or(f64::NAN, |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_interpolated_and_end_as_they_end() {
        let (knots, numbers) = ([16.0, 18.0, 19.0], [1.0, 3.0, 2.0]);
        let found = [10.0, 16.0, 17.0, 18.5, 19.0, 30.0].map(|m| between(&knots, &numbers, m));
        assert_eq!(found, [1.0, 1.0, 2.0, 2.5, 2.0, 2.0]);
        assert!(between(&knots, &numbers, f64::NAN).is_nan());
        assert_eq!(between(&[0.0], &[7.0], f64::NAN), 7.0);
    }

    #[test]
    fn knots_span_the_magnitudes() {
        let magnitudes: Vec<f64> = (0..=1000).map(|i| 16.0 + 0.007 * f64::from(i)).collect();
        let found = knots(&magnitudes);
        assert_eq!(found.len(), 15);
        assert!((found[0] - 16.035).abs() < 1e-9 && (found[14] - 22.965).abs() < 1e-9);
        assert_eq!(knots(&[f64::NAN]).len(), 1);
        assert_eq!(knots(&[20.0, 20.0]), [20.0]);
    }

    #[test]
    fn equal_weights_give_the_usual_quantiles() {
        let sorted: Vec<(f64, f64)> = (0..101).map(|i| (f64::from(i), 2.0)).collect();
        for share in [0.2, 0.5, 0.8413] {
            let found = weighted_quantile(&sorted, share);
            assert!((found - (101.0 * share - 0.5)).abs() < 1e-9, "{found}");
        }
        assert_eq!(weighted_quantile(&[(3.0, 1.0)], 0.9), 3.0);
        assert!(weighted_quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_value_counts_by_its_weight() {
        // As if the 10 were there nine times.
        let found = weighted_quantile(&[(0.0, 1.0), (10.0, 9.0)], 0.5);
        assert!((9.0..=10.0).contains(&found), "{found}");
    }

    #[test]
    fn only_what_is_near_counts() {
        let near = Neighbourhoods::new(&[16.0, 22.0], &[16.0, 16.0, 22.0]);
        assert_eq!(near.quantiles(&[1.0, 1.0, 5.0], [0.5]), [[1.0], [5.0]]);
        assert_eq!(near.sizes(&[1.0, 1.0, -5.0]), [1.0, 5.0]);
        assert_eq!(Neighbourhoods::new(&[0.0], &[f64::NAN; 3]).sizes(&[1.0, 2.0, 3.0]), [2.0]);
    }

    #[test]
    fn what_grows_to_an_end_is_as_large_there_as_it_is() {
        let magnitudes: Vec<f64> = (0..=7000).map(|i| 16.0 + 0.001 * f64::from(i)).collect();
        let knots = knots(&magnitudes);
        let near = Neighbourhoods::new(&knots, &magnitudes);
        // It doubles in a magnitude, and each value is as likely above as below by a third.
        let truth = |m: f64| (m - 16.0).exp2();
        let part = |i: usize| [0.5, 1.0, 1.5][i % 3];
        let values: Vec<f64> = magnitudes.iter().enumerate().map(|(i, &m)| part(i) * truth(m)).collect();
        let found = near.quantiles(&values, [0.5]);
        for (knot, [found]) in knots.iter().zip(found) {
            // Straight lines between knots are up to 1.5% above a size that doubles in a magnitude; without sizes it would be 16%.
            assert!((found / truth(*knot) - 1.0).abs() < 0.04, "{knot}: {found}");
        }
    }

    #[test]
    fn values_without_a_size_have_quantiles_all_the_same() {
        let magnitudes = [16.0, 16.0, 22.0];
        let near = Neighbourhoods::new(&[16.0, 22.0], &magnitudes);
        assert_eq!(near.quantiles(&[0.0; 3], [0.5]), [[0.0], [0.0]]);
    }
}
