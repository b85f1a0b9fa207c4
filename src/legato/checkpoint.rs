//! Stopping and going on: a folder with the weights, Adam's averages and the counters, replaced as
//! a whole. Random numbers are functions of seed and step, so there is nothing else to keep.

use super::{FreshPlan, Recipe, Task};
use crate::engine::Gpu;
use crate::engine::nn::{Adam, Model, weights};
use crate::{Error, Result, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The checkpoint's folder inside a run's.
const FOLDER: &str = "checkpoint";
/// Where the former checkpoint stands while a new one takes its place.
const FORMER: &str = "checkpoint.former";
const WEIGHTS: &str = "weights.safetensors";
/// Adam's mean gradients and mean squares, apart so that neither file is large.
const MOMENTS: [&str; 2] = ["adam-mean.safetensors", "adam-square.safetensors"];
const STATE: &str = "state.json";

/// One epoch, as history keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// The recipe's loss of the scaled targets over the epoch's batches.
    pub training_loss: f64,
    /// The recipe's loss of the scaled targets on the validation set.
    #[serde(deserialize_with = "super::null_is_nan")]
    pub validation_loss: f64,
    /// R² of the physical values on the validation set, the mean of all that is learned; NaN where the set is too small
    /// to tell.
    #[serde(deserialize_with = "super::null_is_nan")]
    pub validation_r2: f64,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Training stamps a second.
    #[serde(deserialize_with = "super::null_is_nan")]
    pub images_per_second: f64,
    /// When it ended, in seconds since 1970.
    pub unix_time: f64,
}

/// How far an epoch has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// Steps made of it.
    pub steps: usize,
    /// The sum of their losses.
    pub loss_sum: f32,
}

/// What tells one data set from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Where it came from.
    pub origin: String,
    /// How many stamps it holds.
    pub stamps: usize,
    /// A check sum over truth and pixels.
    pub sum: u64,
}

/// Everything about a run besides weights and averages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// How it is trained.
    pub recipe: Recipe,
    /// What is learned.
    pub task: Task,
    /// The data set that it began with, or the stamps held out.
    pub data: Fingerprint,
    /// Which galaxies are drawn while it learns; none where it learns from a data set.
    #[serde(default)]
    pub fresh: Option<FreshPlan>,
    /// The epochs so far.
    pub history: Vec<Epoch>,
    /// The epoch that was under way.
    #[serde(default)]
    pub partial: Option<Partial>,
}

impl State {
    /// The epoch with the lowest validation loss so far; the first of equals.
    pub fn best(&self) -> Option<&Epoch> {
        self.history.iter().min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss))
    }
}

/// Writes a run's checkpoint. At every moment a whole one is on disk.
pub fn save(
    gpu: &Gpu,
    run: &Path,
    state: &State,
    (model, arrays): (&Model, &weights::Arrays),
    adam: &Adam,
) -> Result<()> {
    let failed = |action| move |e| Error::io(run, action, e);
    let fresh = files::Scratch::new(run).map_err(failed("write in"))?;
    weights::save(&fresh.path().join(WEIGHTS), model.network(), arrays, Default::default())?;
    let steps = [("steps".to_owned(), adam.steps().into())].into();
    for (which, name) in MOMENTS.iter().enumerate() {
        let named = model.parameters().iter().zip(adam.moments());
        let named = named.map(|((shape, _), moments)| (shape.name.clone(), &moments[which]));
        weights::write_arrays(&fresh.path().join(name), &weights::download(gpu, named)?, &steps)?;
    }
    let text = serde_json::to_vec_pretty(state).map_err(|e| Error::weights(run, e.to_string()))?;
    files::replace(&fresh.path().join(STATE), &text)?;

    let (current, former) = (run.join(FOLDER), run.join(FORMER));
    fresh.settle(|| {
        if current.exists() {
            if former.exists() {
                std::fs::remove_dir_all(&former).map_err(failed("clear"))?;
            }
            std::fs::rename(&current, &former).map_err(failed("rename in"))?;
        }
        std::fs::rename(fresh.path(), &current).map_err(failed("rename in"))?;
        if former.exists() {
            std::fs::remove_dir_all(&former).map_err(failed("clear"))?;
        }
        Ok(())
    })
}

/// Whether a folder is a checkpoint, by its name.
pub fn is_checkpoint(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == FOLDER || name == FORMER)
}

/// The folder of a run's latest whole checkpoint, if there is one.
pub fn find(run: &Path) -> Option<PathBuf> {
    [FOLDER, FORMER].map(|name| run.join(name)).into_iter().find(|folder| folder.join(STATE).is_file())
}

/// Reads what a run's checkpoint holds besides weights and averages, and where it is.
///
/// # Errors
/// There is none, or it is damaged.
pub fn read_state(run: &Path) -> Result<(State, PathBuf)> {
    let folder = find(run)
        .ok_or_else(|| Error::weights(run, "has no checkpoint to resume from: start without --resume"))?;
    let path = folder.join(STATE);
    let state = serde_json::from_slice(&files::read(&path)?)
        .map_err(|e| Error::weights(&path, format!("is damaged: {e}")))?;
    Ok((state, folder))
}

/// Reads a run's checkpoint.
///
/// # Errors
/// As [`read_state`].
pub fn load(gpu: &Gpu, run: &Path) -> Result<(State, Model, Adam)> {
    let (state, folder) = read_state(run)?;
    let (model, _) = weights::load(gpu, &folder.join(WEIGHTS))?;
    let mut steps = 0;
    let mut moments = vec![[Vec::new(), Vec::new()]; model.parameters().len()];
    for (which, name) in MOMENTS.iter().enumerate() {
        let path = folder.join(name);
        let damaged = |what: &str| Error::weights(&path, format!("is damaged: it has no {what}"));
        let (mut arrays, metadata) = weights::read_arrays(&path)?;
        steps = metadata.get("steps").and_then(|s| s.as_u64()).ok_or_else(|| damaged("number of steps"))?;
        for ((shape, _), moments) in model.parameters().iter().zip(&mut moments) {
            let (_, values) = arrays.remove(&shape.name).ok_or_else(|| damaged(&shape.name))?;
            moments[which] = values;
        }
    }
    let adam = Adam::with_moments(gpu, &model, moments, steps)?;
    Ok((state, model, adam))
}
