//! How many truths the intervals hold.

use crate::legato::{Evaluation, Parameter, Split};
use crate::sky::Truth;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

/// A measured value with its errors, and the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The truth.
    pub truth: f64,
    /// The value.
    pub value: f64,
    /// From the value down to the lower end of its 68% interval.
    pub err_lo: f64,
    /// From the value up to the upper end.
    pub err_hi: f64,
}

/// The share of intervals that hold the truth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The share that should.
    pub claimed: f64,
    /// How many intervals there are; those that are not known do not count.
    pub count: usize,
    /// The share that does; NaN of none.
    pub found: f64,
}

impl Interval {
    /// The error on the truth's side.
    fn towards_the_truth(&self) -> f64 {
        if self.truth < self.value { self.err_lo } else { self.err_hi }
    }

    /// Whether there is an interval, and the truth is known.
    fn is_known(&self) -> bool {
        (self.truth - self.value + self.err_lo + self.err_hi).is_finite()
    }
}

impl Coverage {
    /// What the errors themselves claim: the share of a Gaussian within its standard deviation.
    pub const CLAIMED: f64 = 0.682_689_492_137_086;

    /// Of intervals that claim a share: the errors, stretched as a Gaussian's intervals are.
    pub fn of(intervals: &[Interval], claimed: f64) -> Self {
        let stretch = Normal::standard().inverse_cdf(0.5 * (1.0 + claimed));
        let known: Vec<&Interval> = intervals.iter().filter(|interval| interval.is_known()).collect();
        let holds = |i: &&&Interval| (i.truth - i.value).abs() <= stretch * i.towards_the_truth();
        let found = known.iter().filter(holds).count() as f64 / known.len() as f64;
        Coverage { claimed, count: known.len(), found }
    }

    /// Of intervals that claim 10, 15, … 95%.
    pub fn curve(intervals: &[Interval]) -> Vec<Self> {
        (2..20).map(|i| Coverage::of(intervals, f64::from(i) * 0.05)).collect()
    }
}

/// The coverage of one parameter's errors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoverageByMagnitude {
    /// Whose.
    #[serde(skip)]
    pub parameter: Parameter,
    /// Of all galaxies.
    pub all: Coverage,
    /// In bins of true magnitude: its name, and the coverage there.
    pub by_magnitude: Vec<(String, Coverage)>,
    /// Of intervals that claim other shares.
    pub curve: Vec<Coverage>,
}

impl CoverageByMagnitude {
    /// Of an evaluation, and the truth about its galaxies.
    pub fn of(evaluation: &Evaluation, truths: &[Truth]) -> Self {
        let intervals = evaluation.intervals();
        let bin = |(name, galaxies): (String, Vec<usize>)| {
            let within: Vec<Interval> = galaxies.into_iter().map(|i| intervals[i]).collect();
            (name, Coverage::of(&within, Coverage::CLAIMED))
        };
        CoverageByMagnitude {
            parameter: evaluation.parameter,
            all: Coverage::of(&intervals, Coverage::CLAIMED),
            by_magnitude: Split::by_magnitude(truths).groups.into_iter().map(bin).collect(),
            curve: Coverage::curve(&intervals),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(truth: f64, err_lo: f64, err_hi: f64) -> Interval {
        Interval { truth, value: 0.0, err_lo, err_hi }
    }

    #[test]
    fn a_truth_is_held_on_its_own_side_ends_included() {
        let held = |truth| Coverage::of(&[interval(truth, 1.0, 2.0)], Coverage::CLAIMED).found;
        assert_eq!([-1.01, -0.99, 0.0, 1.99, 2.01].map(held), [0.0, 1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn a_gaussian_is_held_as_often_as_claimed() {
        let normal = Normal::standard();
        let n = 4000;
        let quantile = |i: u32| normal.inverse_cdf((f64::from(i) + 0.5) / f64::from(n));
        let intervals: Vec<Interval> = (0..n).map(|i| interval(quantile(i), 1.0, 1.0)).collect();
        for coverage in Coverage::curve(&intervals) {
            assert!((coverage.found - coverage.claimed).abs() < 1e-3, "{coverage:?}");
        }
    }

    #[test]
    fn what_is_not_known_does_not_count() {
        let intervals = [interval(0.0, 1.0, 1.0), interval(f64::NAN, 1.0, 1.0), interval(0.0, f64::NAN, 1.0)];
        assert_eq!(Coverage::of(&intervals, 0.5).count, 1);
        assert!(Coverage::of(&[], 0.5).found.is_nan());
    }
}
