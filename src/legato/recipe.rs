//! How a network is trained.

use super::{Parameter, Stretching, Target};
use crate::engine::ops::augment::Augmentation;
use crate::engine::ops::loss::Loss;
use crate::{Error, Result, files};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How the learning rate goes on after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls linearly to zero at the last epoch.
    Linear,
}

/// How pixels are made fit for a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Stretch {
    /// asinh(x / 3σ) / 3, with σ the sky's noise.
    Asinh,
    /// They stay as they are.
    None,
}

/// What follows the hidden dense layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Dense {
    /// The positive part.
    Relu,
    /// Nothing.
    Linear,
}

/// Everything that decides how a training run goes besides what is learned, from which stamps and
/// from which seed. Two runs that agree in all of it and in the device give the same weights, bit
/// for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
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
    /// What is made small. Runs from before there was a choice made the mean absolute error small.
    #[serde(default)]
    pub loss: Loss,
    /// Share of the stamps of a data set that is held out for validation.
    pub validation: f64,
    /// Largest shift, as a share of the stamp's width.
    pub shift: f64,
    /// Whether stamps are mirrored at random.
    pub flips: bool,
    /// Smallest and largest zoom.
    pub zoom: [f64; 2],
    /// The parameters for which stamps are zoomed: a network that learns others, too, sees none.
    pub zoom_for: Vec<Parameter>,
    /// How pixels are made fit for the network.
    pub stretch: Stretch,
    /// What follows the hidden dense layers.
    pub dense: Dense,
    /// Share of activations that the architectures' dropout layers drop; 0: there are none.
    pub dropout: f32,
    /// Standard deviation of what the architectures' noise layer adds; 0: there is none.
    pub noise: f32,
    /// First layers with weights that keep those they began with.
    pub frozen: usize,
}

impl Recipe {
    /// The recipes that are part of the program: name and text. What they do not name is the first one's.
    pub const BUILTIN: [(&str, &str); 3] = [
        ("paper", include_str!("../../recipes/paper.toml")),
        ("best", include_str!("../../recipes/best.toml")),
        ("adapt", include_str!("../../recipes/adapt.toml")),
    ];

    /// The paper's: Adam at 0.001, 10 epochs of warm-up and at most 300 more until 20 pass without
    /// a better validation loss, a fifth held out, shifts of up to 5%, flips, and zooms of 0.7 to
    /// 1.3 for radius and Sérsic index.
    ///
    /// # Errors
    /// Never, but that the text is read as a user's would be.
    pub fn paper() -> Result<Self> {
        Self::find("paper")
    }

    /// The built-in recipe of a name, or the one in a file.
    ///
    /// # Errors
    /// There is neither, or the file is no recipe.
    pub fn find(name: &str) -> Result<Self> {
        let path = Path::new(name);
        if let Some((_, text)) = Self::BUILTIN.iter().find(|(known, _)| *known == name) {
            return Self::from_toml(text, path);
        }
        if !path.exists() {
            let known = Self::BUILTIN.map(|(known, _)| known).join(", ");
            return Err(Error::Usage(format!(
                "no recipe is called '{name}', nor any file: built in are {known}"
            )));
        }
        Self::from_toml(&String::from_utf8_lossy(&files::read(path)?), path)
    }

    /// A recipe from TOML; settings that are left out are the paper's. `path` is named in errors.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the setting.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self> {
        let wrong = |e: toml::de::Error| Error::Usage(format!("{}: {e}", path.display()));
        let mut settings: toml::Table = toml::from_str(Self::BUILTIN[0].1).map_err(wrong)?;
        settings.extend(toml::from_str::<toml::Table>(text).map_err(wrong)?);
        let recipe: Recipe = settings.try_into().map_err(wrong)?;
        recipe.check()?;
        Ok(recipe)
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
            r if !(0.0..1.0).contains(&r.dropout) => wrong("the dropout must be at least 0 and below 1"),
            r if !(r.noise >= 0.0 && r.noise.is_finite()) => wrong("the noise must be 0 or more"),
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

    /// What happens to stamps of `size` pixels before each step towards these targets.
    pub fn augmentation(&self, targets: &[Target], size: usize) -> Augmentation {
        let zooms = targets.iter().all(|target| self.zoom_for.contains(&target.parameter));
        Augmentation {
            max_shift: (self.shift * size as f64) as f32,
            whole_pixels: true,
            flips: self.flips,
            zoom: if zooms { self.zoom.map(|z| z as f32) } else { [1.0, 1.0] },
        }
    }

    /// How a network stretches pixels under sky noise of standard deviation `sigma`.
    pub fn stretching(&self, sigma: f64) -> Stretching {
        match self.stretch {
            Stretch::Asinh => Stretching::Asinh { sigma: sigma as f32 },
            Stretch::None => Stretching::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scaling;
    use super::*;

    fn paper() -> Recipe {
        Recipe::paper().expect("it is built in")
    }

    #[test]
    fn a_linear_schedule_falls_from_the_full_rate_to_nothing() {
        let recipe = Recipe { schedule: Schedule::Linear, warm_up: 1, epochs: 3, ..paper() };
        let rates: Vec<f64> =
            [0, 9, 10, 20, 30].iter().map(|&step| recipe.learning_rate(step, 10) * 1e3).collect();
        assert_eq!(rates, [1.0, 1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_senseless_setting_is_named() {
        let recipe = Recipe { zoom: [1.3, 0.7], ..paper() };
        assert_eq!(recipe.check().expect_err("reversed").to_string(), "the zoom must be a range above 0");
        assert!(paper().check().is_ok());
    }

    #[test]
    fn a_recipe_is_the_papers_but_for_what_it_says() {
        let recipe = Recipe::from_toml("batch = 16\nschedule = \"linear\"", Path::new("mine.toml"));
        let expected = Recipe { batch: 16, schedule: Schedule::Linear, ..paper() };
        assert_eq!(recipe.expect("it is sound"), expected);
        let message = |text| match Recipe::from_toml(text, Path::new("mine.toml")) {
            Ok(_) => panic!("'{text}' was taken"),
            Err(error) => error.to_string(),
        };
        assert!(message("bach = 16").contains("mine.toml") && message("bach = 16").contains("bach"));
        assert!(message("batch = -1").contains("mine.toml"));
        assert_eq!(message("validation = 1.5"), "the validation share must be between 0 and 1");
    }

    #[test]
    fn what_is_built_in_can_be_read_and_anything_else_is_refused() {
        for (name, _) in Recipe::BUILTIN {
            Recipe::find(name).expect("it is built in");
        }
        let message = Recipe::find("worst").expect_err("there is none").to_string();
        assert!(message.contains("'worst'") && message.contains("paper, best, adapt"), "{message}");
    }

    #[test]
    fn stamps_are_zoomed_only_where_all_that_is_learned_allows_it() {
        let target = |parameter| Target { parameter, scaling: Scaling { min: 0.0, max: 1.0 } };
        let zoom = |parameters: &[Parameter]| {
            let targets: Vec<Target> = parameters.iter().copied().map(target).collect();
            paper().augmentation(&targets, 128).zoom
        };
        assert_eq!(zoom(&[Parameter::Radius]), [0.7, 1.3]);
        assert_eq!(zoom(&[Parameter::Radius, Parameter::SersicIndex]), [0.7, 1.3]);
        assert_eq!(zoom(&[Parameter::Radius, Parameter::Magnitude]), [1.0, 1.0]);
    }
}
