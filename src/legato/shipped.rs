//! The networks in the box: what `legato fit` measures with unless it is given others.

use super::predict::by_parameter;
use super::{Estimator, Parameter, load_estimators};
use crate::Result;
use crate::engine::Gpu;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::Path;

/// A set of networks that ships with the program, by what its galaxies were. `models/README.md` says how each was
/// trained, and how well it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Set {
    /// Each alone on its stamp, as the paper simulates them.
    Isolated,
    /// Among companions, as real stamps have them.
    Crowded,
}

impl Set {
    /// The set for real images.
    pub const DEFAULT: Set = Set::Crowded;

    /// All sets.
    pub const ALL: [Set; 2] = [Set::Isolated, Set::Crowded];

    /// The set that learned from galaxies as those of this survey; the default for others.
    pub fn of_survey(survey: &str) -> Set {
        match survey {
            "candels-f160w" | "candels-f160w-faint" | "candels-f160w-wide" => Set::Isolated,
            _ => Set::DEFAULT,
        }
    }

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Set::Isolated => "isolated",
            Set::Crowded => "crowded",
        }
    }

    /// The one called so.
    pub fn find(name: &str) -> Option<Set> {
        Set::ALL.into_iter().find(|set| set.name() == name)
    }
}

/// A set's file, as it is called in the source tree, and its bytes.
pub fn shipped_file(set: Set) -> (&'static str, &'static [u8]) {
    match set {
        Set::Isolated => ("models/isolated.safetensors", include_bytes!("../../models/isolated.safetensors")),
        Set::Crowded => ("models/crowded.safetensors", include_bytes!("../../models/crowded.safetensors")),
    }
}

/// The networks of a set, one estimator a parameter. Nothing is read from disk; the paths that they give are those of the
/// source tree.
///
/// # Errors
/// The device fails.
pub fn shipped_estimators(gpu: &Gpu, set: Set) -> Result<BTreeMap<Parameter, Estimator>> {
    let (name, bytes) = shipped_file(set);
    by_parameter(Estimator::from_bytes(gpu, Path::new(name), bytes)?)
}

/// The networks at `path`, as [`load_estimators`] has them; where there is no such file, those of the set of that name;
/// those of `usual` where none is given.
///
/// # Errors
/// As [`load_estimators`] and [`shipped_estimators`].
pub fn estimators_or_shipped(
    gpu: &Gpu,
    path: Option<&Path>,
    usual: Set,
) -> Result<BTreeMap<Parameter, Estimator>> {
    let Some(path) = path else { return shipped_estimators(gpu, usual) };
    match path.to_str().and_then(Set::find) {
        Some(set) if !path.exists() => shipped_estimators(gpu, set),
        _ => load_estimators(gpu, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legato::{Evaluation, Stamps, evaluate};
    use crate::sky::{Simulator, Survey};

    #[test]
    fn the_networks_in_the_box_measure_all_parameters_of_simulated_galaxies() -> Result<()> {
        let gpu = Gpu::open(&crate::engine::GpuOptions::default())?;
        // Not the seeds of their training.
        let simulator = Simulator::new(Survey::builtin("candels-f160w")?, 20_261_124)?;
        let stamps = Stamps::simulate(&simulator, 0..96)?;
        for set in Set::ALL {
            let estimators = shipped_estimators(&gpu, set)?;
            assert!(Parameter::ALL.iter().all(|parameter| estimators.contains_key(parameter)));
            for estimator in estimators.values() {
                let made = &estimator.provenance;
                assert_eq!((made.zero_point, made.pixel_scale), (25.9463, 0.06));
                // What begins with a slash is of the machine that they were made on.
                assert!(!serde_json::to_string(&**made).unwrap_or_default().contains("\"/"));
            }
            let evaluations: Vec<Evaluation> = evaluate(&gpu, &estimators, &stamps, 32, |_| ())?;
            for found in evaluations {
                let r2 = found.statistics.r2;
                assert!(r2 > 0.9, "{}, {}: R² {r2}", set.name(), found.parameter);
            }
        }
        Ok(())
    }

    #[test]
    fn a_set_is_found_by_its_name_and_its_file_is_called_so() {
        for set in Set::ALL {
            assert_eq!(Set::find(set.name()), Some(set));
            assert_eq!(shipped_file(set).0, format!("models/{}.safetensors", set.name()));
        }
        assert_eq!(Set::find("runs"), None);
    }
}
