//! All that is told of one method and one parameter, for programs to read.

use super::{Comparison, Part, Split, Statistics};
use crate::sky::Truth;
use serde::Serialize;

/// Agreement of one method's estimates of one parameter with the truth, altogether and in groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Of all galaxies.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// In bins of true magnitude.
    pub by_magnitude: Vec<Part>,
    /// By the flux of the brightest companion; empty where it is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_companion: Vec<Part>,
    /// By signal-to-noise ratio; empty where it is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_signal_to_noise: Vec<Part>,
}

impl Summary {
    /// Of one method of a comparison, counted from 0; `truths` and `snr` are those of the whole data set.
    pub fn of(comparison: &Comparison, method: usize, truths: &[Truth], snr: &[f64]) -> Self {
        let parts = |split: Split| split.parts(comparison, method);
        Summary {
            statistics: comparison.statistics(method),
            by_magnitude: parts(Split::by_magnitude(truths)),
            by_companion: Split::by_companion(truths).map(parts).unwrap_or_default(),
            by_signal_to_noise: parts(comparison.by_signal_to_noise(snr)),
        }
    }
}
