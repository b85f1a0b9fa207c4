//! Predictions beside the truth of a data set.

use super::{
    Coverage, Estimator, Interval, Observation, Parameter, RepeatOptions, Repeater, Stamps, Statistics,
};
use crate::engine::Gpu;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// One parameter's estimates for a data set.
pub struct Evaluation {
    /// What was estimated.
    pub parameter: Parameter,
    /// (truth, estimate) of each stamp, physical units, in the data set's order; NaN where the truth is not known.
    pub pairs: Vec<(f64, f64)>,
    /// Lower and upper error of each estimate; NaN where there is none.
    pub errors: Vec<(f64, f64)>,
    /// Their agreement, where the truth is known.
    pub statistics: Statistics,
}

impl Evaluation {
    /// Of every parameter that was measured.
    pub fn all(observations: &[Observation]) -> Vec<Self> {
        let parameters = observations.first().map(|o| o.measured.estimates.keys().copied());
        let evaluation = |parameter: Parameter| {
            let measured = || observations.iter().map(|o| o.measured.estimates[&parameter]);
            let truths = observations.iter().map(|o| parameter.of(&o.truth));
            let errors = measured().map(|e| (e.err_lo, e.err_hi)).collect();
            Evaluation::new(parameter, truths.zip(measured().map(|e| e.value)).collect(), errors)
        };
        parameters.into_iter().flatten().map(evaluation).collect()
    }

    /// Of pairs (truth, estimate) with their errors.
    pub fn new(parameter: Parameter, pairs: Vec<(f64, f64)>, errors: Vec<(f64, f64)>) -> Self {
        let known: Vec<(f64, f64)> = pairs.iter().copied().filter(|(truth, _)| truth.is_finite()).collect();
        Evaluation { parameter, statistics: Statistics::of(&known), pairs, errors }
    }

    /// Every estimate with its errors and its truth.
    pub fn intervals(&self) -> Vec<Interval> {
        let interval = |(&(truth, value), &(err_lo, err_hi)): (&(f64, f64), &(f64, f64))| Interval {
            truth,
            value,
            err_lo,
            err_hi,
        };
        self.pairs.iter().zip(&self.errors).map(interval).collect()
    }

    /// Whether any estimate has errors.
    pub fn has_errors(&self) -> bool {
        Coverage::of(&self.intervals(), Coverage::CLAIMED).count > 0
    }
}

/// Runs every estimator once over every stamp of a data set, each batch uploaded once; `progress` hears of each stamp
/// done.
///
/// # Errors
/// As [`observe`].
pub fn evaluate(
    gpu: &Gpu,
    estimators: &BTreeMap<Parameter, Estimator>,
    stamps: &Stamps,
    batch: usize,
    progress: impl FnMut(usize),
) -> Result<Vec<Evaluation>> {
    let options = RepeatOptions { repeats: 0, batch, ..RepeatOptions::default() };
    Ok(Evaluation::all(&observe(&Repeater::new(gpu, estimators, &options)?, stamps, progress)?))
}

/// Measures every stamp of a data set; `progress` hears of each stamp done.
///
/// # Errors
/// Stamps of another size than the networks', a parameter of which no stamp's truth is known, or a failing device.
pub fn observe(
    repeater: &Repeater,
    stamps: &Stamps,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Observation>> {
    let (size, estimators) = (stamps.size(), repeater.estimators());
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
    let factor = factor.unwrap_or(1.0);
    let (chunk, mut observations) = (repeater.chunk(), Vec::with_capacity(stamps.len()));
    for first in (0..stamps.len()).step_by(chunk) {
        let indices = first..stamps.len().min(first + chunk);
        let pixels: Vec<f32> =
            indices.clone().flat_map(|i| stamps.pixels(i)).map(|p| p * factor as f32).collect();
        let truths = &stamps.truths()[indices];
        let keys: Vec<u64> = truths.iter().map(|truth| truth.id as u64).collect();
        let sigma = vec![factor * stamps.meta.sigma; keys.len()];
        let measured = repeater.measure(&pixels, &keys, &sigma)?;
        let pairs = truths.iter().zip(measured);
        observations.extend(pairs.map(|(truth, measured)| Observation { truth: *truth, measured }));
        progress(keys.len());
    }
    Ok(observations)
}
