//! The networks in the box: what `legato fit` measures with unless it is given others.

use super::predict::by_parameter;
use super::{Estimator, Parameter, load_estimators};
use crate::Result;
use crate::engine::Gpu;
use std::collections::BTreeMap;
use std::path::Path;

/// Each file of `models/` that is in the program, and what is in it.
const FILES: [(&str, &[u8]); 1] =
    [("models/isolated.safetensors", include_bytes!("../../models/isolated.safetensors"))];

/// The networks that ship with the program, one estimator a parameter. Nothing is read from disk; the paths that they
/// give are those of the source tree. `models/README.md` says what they were trained on, and how well they do.
///
/// # Errors
/// The device fails.
pub fn shipped_estimators(gpu: &Gpu) -> Result<BTreeMap<Parameter, Estimator>> {
    let loaded = FILES.iter().map(|(name, bytes)| Estimator::from_bytes(gpu, Path::new(name), bytes));
    by_parameter(loaded.collect::<Result<Vec<_>>>()?.into_iter().flatten())
}

/// The networks at `path`, as [`load_estimators`] has them; those in the box where none is given.
///
/// # Errors
/// As [`load_estimators`] and [`shipped_estimators`].
pub fn estimators_or_shipped(gpu: &Gpu, path: Option<&Path>) -> Result<BTreeMap<Parameter, Estimator>> {
    path.map_or_else(|| shipped_estimators(gpu), |path| load_estimators(gpu, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legato::{Evaluation, Stamps, evaluate};
    use crate::sky::{Simulator, Survey};

    #[test]
    fn the_networks_in_the_box_measure_all_parameters_of_simulated_galaxies() -> Result<()> {
        let gpu = Gpu::open(&crate::engine::GpuOptions::default())?;
        let estimators = shipped_estimators(&gpu)?;
        assert!(Parameter::ALL.iter().all(|parameter| estimators.contains_key(parameter)));
        for estimator in estimators.values() {
            let made = &estimator.provenance;
            assert_eq!((made.survey.as_str(), made.pixel_scale), ("candels-f160w", 0.06));
            // What begins with a slash is of the machine that they were made on.
            assert!(!serde_json::to_string(&**made).unwrap_or_default().contains("\"/"));
        }
        // Not the seeds of their training.
        let simulator = Simulator::new(Survey::builtin("candels-f160w")?, 20_261_124)?;
        let stamps = Stamps::simulate(&simulator, 0..96)?;
        let evaluations: Vec<Evaluation> = evaluate(&gpu, &estimators, &stamps, 32, |_| ())?;
        for found in evaluations {
            let r2 = found.statistics.r2;
            assert!(r2 > 0.95, "{}: R² {r2}", found.parameter);
        }
        Ok(())
    }
}
