//! The options that say how to train.

use crate::Result;
use crate::engine::ops::loss::Loss;
use crate::legato::{Dense, Recipe, Schedule, Stretch};
use clap::Args;

/// The recipe of a run, with what departs from it.
#[derive(Args, Default)]
pub struct RecipeArguments {
    /// How to train: `paper`, `best`, `adapt`, or a TOML file of your own [default: `paper`; to adapt: `adapt`]
    #[arg(long, value_name = "NAME|FILE")]
    recipe: Option<String>,
    /// How pixels are made fit for the network [paper: asinh]
    #[arg(long, conflicts_with_all = ["network", "from"])]
    stretch: Option<Stretch>,
    /// What follows the hidden dense layers [paper: relu]
    #[arg(long, conflicts_with_all = ["network", "from"])]
    dense: Option<Dense>,
    /// Most epochs [paper: 310]
    #[arg(long, value_parser = super::at_least_one)]
    epochs: Option<usize>,
    /// Stamps a step [paper: 64]
    #[arg(long, value_parser = super::at_least_one)]
    batch: Option<usize>,
    /// Adam's learning rate [paper: 0.001]
    #[arg(long, allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// How the learning rate goes on after the warm-up [paper: constant]
    #[arg(long)]
    schedule: Option<Schedule>,
    /// What training makes small [paper: absolute]
    #[arg(long)]
    loss: Option<Loss>,
    /// First epochs at the full rate and without early stopping [paper: 10]
    #[arg(long)]
    warm_up: Option<usize>,
    /// Epochs without a better validation loss before it stops; 0: never [paper: 20]
    #[arg(long)]
    patience: Option<usize>,
    /// Share of activations that dropout layers drop; 0: there are none [paper: 0.15]
    #[arg(long, conflicts_with = "network")]
    dropout: Option<f32>,
    /// Standard deviation of what the noise layer adds; 0: there is none [paper: 0.01]
    #[arg(long, conflicts_with = "network")]
    noise: Option<f32>,
    /// First layers with weights that keep what they began with [paper: 0]
    #[arg(long, value_name = "LAYERS")]
    frozen: Option<usize>,
}

impl RecipeArguments {
    /// The recipe that is asked for, or `usual`, with what departs from it.
    pub fn recipe(&self, usual: &str) -> Result<Recipe> {
        let base = Recipe::find(self.recipe.as_deref().unwrap_or(usual))?;
        let recipe = Recipe {
            stretch: self.stretch.unwrap_or(base.stretch),
            dense: self.dense.unwrap_or(base.dense),
            epochs: self.epochs.unwrap_or(base.epochs),
            batch: self.batch.unwrap_or(base.batch),
            learning_rate: self.learning_rate.unwrap_or(base.learning_rate),
            schedule: self.schedule.unwrap_or(base.schedule),
            loss: self.loss.unwrap_or(base.loss),
            warm_up: self.warm_up.unwrap_or(base.warm_up),
            patience: self.patience.unwrap_or(base.patience),
            dropout: self.dropout.unwrap_or(base.dropout),
            noise: self.noise.unwrap_or(base.noise),
            frozen: self.frozen.unwrap_or(base.frozen),
            ..base
        };
        recipe.check()?;
        Ok(recipe)
    }
}
