//! Predictions beside the truth of a data set.

use super::predict::estimate;
use super::{Estimator, Parameter, Stamps, Statistics};
use crate::engine::Gpu;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// One parameter's estimates for a data set.
pub struct Evaluation {
    /// What was estimated.
    pub parameter: Parameter,
    /// (truth, estimate) of each stamp, physical units, in the data set's order; NaN where the truth is not known.
    pub pairs: Vec<(f64, f64)>,
    /// Their agreement, where the truth is known.
    pub statistics: Statistics,
}

/// Runs every estimator over every stamp of a data set, each batch uploaded once; `progress` hears
/// of each stamp done.
///
/// # Errors
/// Stamps of another size than the networks', a parameter of which no stamp's truth is known, or a failing device.
pub fn evaluate(
    gpu: &Gpu,
    estimators: &BTreeMap<Parameter, Estimator>,
    stamps: &Stamps,
    batch: usize,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Evaluation>> {
    let size = stamps.size();
    if let Some(other) = estimators.values().find(|e| e.stamp_size() != size) {
        let message =
            format!("takes stamps of {} pixels, {} holds {size}", other.stamp_size(), stamps.origin);
        return Err(Error::weights(&other.path, message));
    }
    for &parameter in estimators.keys() {
        // Labels of real galaxies have gaps, which are left out; what is all gap is a mistake.
        if !stamps.truths().iter().any(|truth| parameter.of(truth).is_finite()) {
            stamps.check_truth(parameter)?;
        }
    }
    // The same stamps in the networks' flux unit.
    let factor = estimators.values().next().and_then(|e| e.provenance.flux_factor(stamps.meta.zero_point));
    let factor = factor.unwrap_or(1.0) as f32;
    let mut values: BTreeMap<Parameter, Vec<f64>> = BTreeMap::new();
    for first in (0..stamps.len()).step_by(batch.max(1)) {
        let indices = first..stamps.len().min(first + batch.max(1));
        let count = indices.len();
        let pixels: Vec<f32> = indices.flat_map(|i| stamps.pixels(i)).map(|p| p * factor).collect();
        for (estimator, estimates) in estimate(gpu, estimators, &pixels)? {
            values.entry(estimator.parameter()).or_default().extend(estimates);
        }
        progress(count);
    }
    let evaluation = |(parameter, estimates): (Parameter, Vec<f64>)| {
        let truth = stamps.truths().iter().map(|t| parameter.of(t));
        let pairs: Vec<(f64, f64)> = truth.zip(estimates).collect();
        let known: Vec<(f64, f64)> = pairs.iter().copied().filter(|(truth, _)| truth.is_finite()).collect();
        Evaluation { parameter, statistics: Statistics::of(&known), pairs }
    };
    Ok(values.into_iter().map(evaluation).collect())
}
