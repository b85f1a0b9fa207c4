//! How a network is trained.

use super::{Architecture, Parameter};
use crate::engine::ops::augment::Augmentation;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the learning rate goes on after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls linearly to zero at the last epoch.
    Linear,
}

/// Everything that decides how a training run goes, besides the data. Two runs of one recipe on
/// one data set and device give the same weights, bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What to learn.
    pub parameter: Parameter,
    /// With which network, unless one of the user's own was given.
    pub architecture: Architecture,
    /// Stamps a step.
    pub batch: usize,
    /// Most epochs.
    pub epochs: usize,
    /// First epochs, at the full learning rate and without early stopping.
    pub warm_up: usize,
    /// Epochs without a better validation loss after which training stops; 0: never.
    pub patience: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// How the learning rate goes on after the warm-up.
    pub schedule: Schedule,
    /// Share of the stamps that is held out for validation.
    pub validation: f64,
    /// Largest shift, as a share of the stamp's width.
    pub shift: f64,
    /// Whether stamps are mirrored at random.
    pub flips: bool,
    /// Smallest and largest zoom.
    pub zoom: [f64; 2],
    /// The seed of everything random.
    pub seed: u64,
}

impl Recipe {
    /// The paper's recipe for a parameter: Adam at 0.001, 10 epochs of warm-up and at most 300 more
    /// until 20 pass without a better validation loss, a fifth held out, shifts of up to 5%, flips,
    /// and zooms of 0.7 to 1.3 for radius and Sérsic index.
    pub fn paper(parameter: Parameter, seed: u64) -> Self {
        let zooms = matches!(parameter, Parameter::Radius | Parameter::SersicIndex);
        Recipe {
            parameter,
            architecture: parameter.architecture(),
            batch: 64,
            epochs: 310,
            warm_up: 10,
            patience: 20,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            validation: 0.2,
            shift: 0.05,
            flips: true,
            zoom: if zooms { [0.7, 1.3] } else { [1.0, 1.0] },
            seed,
        }
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the setting.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: &str| Err(Error::Usage(message.into()));
        match self {
            r if r.batch == 0 => wrong("the batch must be at least 1"),
            r if r.epochs == 0 => wrong("there must be at least 1 epoch"),
            r if !(r.learning_rate > 0.0 && r.learning_rate.is_finite()) => {
                wrong("the learning rate must be positive")
            }
            r if !(r.validation > 0.0 && r.validation < 1.0) => {
                wrong("the validation share must be between 0 and 1")
            }
            r if !(0.0..0.5).contains(&r.shift) => {
                wrong("the shift must be at least 0 and less than half the stamp")
            }
            r if !(r.zoom[0] > 0.0 && r.zoom[0] <= r.zoom[1]) => wrong("the zoom must be a range above 0"),
            _ => Ok(()),
        }
    }

    /// The learning rate of a step, counted from 0.
    pub fn learning_rate(&self, step: u64, steps_an_epoch: u64) -> f64 {
        let (warm, total) = (
            (self.warm_up as u64).saturating_mul(steps_an_epoch),
            (self.epochs as u64).saturating_mul(steps_an_epoch),
        );
        match self.schedule {
            Schedule::Linear if step >= warm && total > warm => {
                self.learning_rate * (total - step.min(total)) as f64 / (total - warm) as f64
            }
            _ => self.learning_rate,
        }
    }

    /// What happens to stamps of `size` pixels before each step.
    pub fn augmentation(&self, size: usize) -> Augmentation {
        Augmentation {
            max_shift: (self.shift * size as f64) as f32,
            whole_pixels: true,
            flips: self.flips,
            zoom: self.zoom.map(|z| z as f32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_schedule_falls_from_the_full_rate_to_nothing() {
        let recipe = Recipe {
            schedule: Schedule::Linear,
            warm_up: 1,
            epochs: 3,
            ..Recipe::paper(Parameter::Radius, 1)
        };
        let rates: Vec<f64> =
            [0, 9, 10, 20, 30].iter().map(|&step| recipe.learning_rate(step, 10) * 1e3).collect();
        assert_eq!(rates, [1.0, 1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_senseless_setting_is_named() {
        let recipe = Recipe { zoom: [1.3, 0.7], ..Recipe::paper(Parameter::Radius, 1) };
        assert_eq!(recipe.check().expect_err("reversed").to_string(), "the zoom must be a range above 0");
        assert!(Recipe::paper(Parameter::Magnitude, 1).check().is_ok());
    }
}
