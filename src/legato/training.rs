//! The training loop: epochs of augmented batches, a validation after each, the best weights kept,
//! a checkpoint to go on from.

mod saving;

use super::checkpoint::{self, Epoch, State};
use super::fresh::Batch;
use super::supply::Lessons;
use super::{FreshPlan, Recipe, Stamps, Statistics, Supply, Task};
use crate::engine::gpu::Readback;
use crate::engine::nn::{Adam, Budget, Mode, Model};
use crate::engine::ops::arithmetic;
use crate::engine::ops::augment::augment;
use crate::engine::{Gpu, Tensor};
use crate::{Error, Result, files};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The best epoch's weights, in the run's folder.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
/// The share of an epoch's time in which the device may wait for stamps before it is told.
const TOLD: f64 = 0.1;
/// How long an epoch may go on before what it has learned so far is saved.
const SAVE_EVERY: Duration = Duration::from_secs(300);

/// What a run tells while it works.
pub enum Event<'a> {
    /// A step was sent to the device.
    Step {
        /// The epoch that it belongs to, from 1.
        epoch: usize,
        /// Stamps in it.
        stamps: usize,
        /// The loss of a recent step, as soon as one has come back.
        loss: Option<f32>,
    },
    /// The device had to wait for stamps through more than a tenth of an epoch.
    Starved {
        /// The share of the epoch's time.
        share: f64,
        /// Stamps a second that were made.
        made: f64,
        /// Stamps a second that the device would have taken.
        needed: f64,
    },
    /// An epoch is over and saved.
    Epoch {
        /// Its figures.
        epoch: &'a Epoch,
        /// Whether its weights are the best so far.
        best: bool,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// No better validation loss came for as many epochs as the recipe's patience.
    StoppedEarly,
    /// It was asked to stop after so many epochs; it can be resumed.
    Paused,
    /// It was asked to stop at once, and did after a step; it can be resumed.
    Interrupted,
}

/// A training run: a network, the stamps that it learns from, and a folder.
pub struct Training<'a> {
    gpu: Gpu,
    lessons: Lessons<'a>,
    /// The data set, or the stamps held out.
    stamps: &'a Stamps,
    folder: PathBuf,
    model: Model,
    adam: Adam,
    state: State,
    /// Asks it to stop after the step that it is at.
    stop: Option<&'a AtomicBool>,
    save_every: Duration,
}

impl<'a> Training<'a> {
    /// A new run in `folder`, which must not hold one already, that teaches `model` its task.
    ///
    /// # Errors
    /// A recipe, task or network that makes no sense, stamps of another size than the network's, too
    /// few stamps, or a folder that holds a run or cannot be written.
    pub fn start(
        gpu: &Gpu,
        supply: impl Into<Supply<'a>>,
        recipe: &Recipe,
        task: &Task,
        model: Model,
        folder: &Path,
    ) -> Result<Self> {
        let supply = supply.into();
        let (stamps, network) = (supply.stamps(), model.network());
        recipe.check()?;
        task.check()?;
        if checkpoint::find(folder).is_some() {
            return Err(Error::Usage(format!(
                "{} holds a training run: go on with it by --resume, or choose another folder",
                folder.display()
            )));
        }
        let unfit = |layer, message| Err(Error::Network { network: network.name.clone(), layer, message });
        let (size, [height, width, channels]) = (stamps.size(), network.input);
        if network.input != [size, size, 1] {
            let message = format!(
                "takes images of {height}×{width}×{channels}, but {} holds stamps of {size}×{size}×1",
                stamps.origin
            );
            return unfit(1, message);
        }
        let (output, wanted) = (network.output()?, task.targets.len());
        if output != [wanted] {
            let message = format!(
                "gives {output:?} numbers a stamp, but [{wanted}] are learned: end with a dense layer of {wanted} units"
            );
            return unfit(network.layers.len(), message);
        }
        for parameter in task.parameters() {
            stamps.check_truth(parameter)?;
        }
        stamps.check_calibration()?;
        files::make_folder(folder)?;
        let state = State {
            recipe: recipe.clone(),
            task: task.clone(),
            data: supply.fingerprint(task),
            fresh: supply.plan(),
            history: Vec::new(),
            partial: None,
        };
        let adam = Adam::new(gpu, &model)?;
        Self::assemble(gpu, supply, folder, (state, model, adam))
    }

    /// The galaxies that the run in `folder` draws, for a [`Fresh`](super::Fresh) to go on with.
    ///
    /// # Errors
    /// There is no run, its checkpoint is damaged, or it learns from a data set.
    pub fn plan(folder: &Path) -> Result<FreshPlan> {
        let (state, _) = checkpoint::read_state(folder)?;
        state.fresh.ok_or_else(|| {
            Error::weights(
                folder,
                format!("began with the data set {}: go on with it by --data", state.data.origin),
            )
        })
    }

    /// Goes on with the run in `folder`, on the same stamps.
    ///
    /// # Errors
    /// There is no run, its checkpoint is damaged, or the stamps are not those it began with.
    pub fn resume(gpu: &Gpu, supply: impl Into<Supply<'a>>, folder: &Path) -> Result<Self> {
        let supply = supply.into();
        files::remove_left_behind(folder);
        let (state, model, adam) = checkpoint::load(gpu, folder)?;
        let (began, now) = (&state.data, supply.fingerprint(&state.task));
        let others = (now.stamps, now.sum) != (began.stamps, began.sum);
        let message = match (state.fresh, supply.plan()) {
            (None, None) if others => format!(
                "began with {} stamps from {}; {} holds {} others",
                began.stamps, began.origin, now.origin, now.stamps
            ),
            (Some(_), None) => {
                format!("began with galaxies drawn as it learned ({}): go on by --simulate", began.origin)
            }
            (None, Some(_)) => format!("began with the data set {}: go on with it by --data", began.origin),
            (Some(began), Some(now)) if began != now => {
                format!("began with {began}: it cannot go on with {now}")
            }
            (Some(_), Some(_)) if others => format!(
                "began with galaxies of another survey or another version of it ({}; now {}): start anew in \
                 another folder",
                began.origin, now.origin
            ),
            _ => return Self::assemble(gpu, supply, folder, (state, model, adam)),
        };
        Err(Error::weights(folder, message))
    }

    fn assemble(
        gpu: &Gpu,
        supply: Supply<'a>,
        folder: &Path,
        (state, model, mut adam): (State, Model, Adam),
    ) -> Result<Self> {
        let lessons = Lessons::new(supply, state.recipe.validation, state.task.seed)?;
        adam.freeze(state.recipe.frozen);
        adam.minimise(state.recipe.loss);
        let (gpu, stamps, folder) = (gpu.clone(), supply.stamps(), folder.to_owned());
        let training =
            Training { gpu, lessons, stamps, folder, model, adam, state, stop: None, save_every: SAVE_EVERY };
        training.budget()?.check(&training.gpu)?;
        Ok(training)
    }

    /// Has the run stop, saved, after the step at which it finds `stop` set.
    pub fn stop_when(&mut self, stop: &'a AtomicBool) {
        self.stop = Some(stop);
    }

    /// Saves within epochs, too, where they go on for longer than this; five minutes unless told otherwise.
    pub fn save_every(&mut self, time: Duration) {
        self.save_every = time;
    }

    /// The recipe of the run.
    pub fn recipe(&self) -> &Recipe {
        &self.state.recipe
    }

    /// What is learned.
    pub fn task(&self) -> &Task {
        &self.state.task
    }

    /// Stamps to learn from, or to draw, in an epoch, and held out.
    pub fn split(&self) -> (usize, usize) {
        (self.lessons.learning(), self.lessons.held_out().len())
    }

    /// Where its stamps come from.
    pub fn supply(&self) -> Supply<'a> {
        self.lessons.supply()
    }

    /// The figures of each epoch so far.
    pub fn history(&self) -> &[Epoch] {
        &self.state.history
    }

    /// The epoch whose weights are kept.
    pub fn best(&self) -> Option<&Epoch> {
        self.state.best()
    }

    /// Steps of an epoch. What does not fill a batch waits for another epoch's order.
    pub fn steps_an_epoch(&self) -> usize {
        (self.split().0 / self.batch()).max(1)
    }

    /// The device memory that a step takes.
    ///
    /// # Errors
    /// None, for a network that could be made.
    pub fn budget(&self) -> Result<Budget> {
        Budget::training(&self.gpu, self.model.network(), self.batch())
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.adam.steps()
    }

    fn batch(&self) -> usize {
        self.state.recipe.batch.min(self.split().0)
    }

    /// Whether a folder holds a run.
    pub fn exists(folder: &Path) -> bool {
        checkpoint::find(folder).is_some()
    }

    /// Whether there is nothing left to do.
    pub fn ended(&self) -> bool {
        self.ending().is_some()
    }

    /// How the run has ended, if it has.
    fn ending(&self) -> Option<Outcome> {
        let (recipe, history) = (&self.state.recipe, &self.state.history);
        let since_best = history.len() - self.best().map_or(0, |e| e.epoch);
        if history.len() >= recipe.epochs {
            Some(Outcome::Finished)
        } else if recipe.patience > 0 && history.len() > recipe.warm_up && since_best >= recipe.patience {
            Some(Outcome::StoppedEarly)
        } else {
            None
        }
    }

    /// Trains until the recipe is done, or for `most` more epochs; saves after each, and within
    /// long ones.
    ///
    /// # Errors
    /// A loss that is no longer finite, a failing device, or a folder that cannot be written.
    pub fn run(&mut self, most: Option<usize>, mut hear: impl FnMut(Event)) -> Result<Outcome> {
        for _ in 0..most.unwrap_or(usize::MAX) {
            if let Some(ending) = self.ending() {
                return Ok(ending);
            }
            let Some(epoch) = self.epoch(&mut hear)? else { return Ok(Outcome::Interrupted) };
            let arrays = self.finite_weights(epoch.training_loss)?;
            self.state.history.push(epoch);
            let best = self.best().is_some_and(|best| best.epoch == epoch.epoch);
            if best {
                self.save_weights(&arrays)?;
            }
            self.save_history()?;
            self.save_checkpoint(&arrays)?;
            hear(Event::Epoch { epoch: &epoch, best });
        }
        Ok(self.ending().unwrap_or(Outcome::Paused))
    }

    /// An epoch, from where the last checkpoint stands in it; nothing where it was asked to stop before its end.
    fn epoch(&mut self, hear: &mut impl FnMut(Event)) -> Result<Option<Epoch>> {
        let number = self.state.history.len() + 1;
        let (batch, steps) = (self.batch(), self.steps_an_epoch());
        let seed = self.state.task.seed;
        self.lessons.begin(number, seed);
        let (started, mut saved) = (Instant::now(), Instant::now());
        let begun = self.state.partial.take();
        let first = begun.map_or(0, |partial| partial.steps);
        let mut total = begun.map(|partial| self.gpu.upload(&[1], &[partial.loss_sum])).transpose()?;
        let mut arriving = None;
        let mut learning_rate = self.state.recipe.learning_rate(self.adam.steps(), steps as u64);
        for place in first..steps {
            let stop = self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
            if stop || saved.elapsed() > self.save_every {
                self.save_partial(place, total.as_ref())?;
                saved = Instant::now();
            }
            if stop {
                return Ok(None);
            }
            let step = self.adam.steps();
            learning_rate = self.state.recipe.learning_rate(step, steps as u64);
            let stamps = self.lessons.batch(&self.gpu, batch, place, step)?;
            let (inputs, targets) = self.upload(&stamps, step)?;
            let mode = Mode::Training { seed, step };
            let loss = self.adam.step(&self.gpu, &self.model, (&inputs, &targets), mode, learning_rate)?;
            total = Some(match total {
                Some(sum) => arithmetic::add_tensors(&self.gpu, &sum, &loss)?,
                None => loss.clone(),
            });
            let mut latest = None;
            // A loss on its way is not waited for; the next one starts when it has arrived.
            match arriving.take() {
                None => arriving = Some(self.gpu.start_read(&loss)?),
                Some(pending) => {
                    self.gpu.submit()?;
                    latest = pending.poll()?.map(|v| v[0]);
                    arriving = Some(pending).filter(|_| latest.is_none());
                }
            }
            if let Some(loss) = latest.filter(|loss| !loss.is_finite()) {
                return Err(Error::Diverged { step, loss: f64::from(loss) });
            }
            hear(Event::Step { epoch: number, stamps: batch, loss: latest });
        }
        let sum = total.map(|t| self.gpu.read(&t)).transpose()?.map_or(f64::NAN, |v| f64::from(v[0]));
        let seconds = started.elapsed().as_secs_f64();
        let images = ((steps - first) * batch) as f64;
        let waited = self.lessons.take_waited();
        if waited > TOLD * seconds {
            let needed = images / (seconds - waited);
            hear(Event::Starved { share: waited / seconds, made: images / seconds, needed });
        }
        let training_loss = sum / steps as f64;
        if !training_loss.is_finite() {
            return Err(Error::Diverged { step: self.adam.steps(), loss: training_loss });
        }
        self.state.partial = None;
        let (validation_loss, validation_r2) = self.validate()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Ok(Some(Epoch {
            epoch: number,
            training_loss,
            validation_loss,
            validation_r2,
            learning_rate,
            images_per_second: images / seconds,
            unix_time: now.map_or(0.0, |since| since.as_secs_f64()),
        }))
    }

    /// A batch on the device: augmented stamps and their scaled targets.
    fn upload(&self, (pixels, truths): &Batch, step: u64) -> Result<(Tensor, Tensor)> {
        let State { recipe, task, .. } = &self.state;
        let (size, outputs) = (self.stamps.size(), task.targets.len());
        let augmentation = recipe.augmentation(&task.targets, size);
        let (mut targets, mut placements) = (Vec::new(), Vec::new());
        for (place, truth) in truths.iter().enumerate() {
            let placement = augmentation
                .draw(task.seed, step.wrapping_mul(recipe.batch as u64).wrapping_add(place as u64));
            for target in &task.targets {
                let follows = target.parameter.follows_zoom();
                let zoom = if follows { f64::from(placement.zoom) } else { 1.0 };
                targets.push(target.scaling.target(zoom * target.parameter.of(truth)) as f32);
            }
            placements.push(placement);
        }
        let stamps = self.gpu.upload(&[truths.len(), size, size, 1], pixels)?;
        let targets = self.gpu.upload(&[truths.len(), outputs], &targets)?;
        Ok((augment(&self.gpu, &stamps, &placements)?, targets))
    }

    /// The loss of the scaled targets, and mean R² of the values, on the stamps held out.
    fn validate(&self) -> Result<(f64, f64)> {
        let State { recipe, task, .. } = &self.state;
        let (size, outputs) = (self.stamps.size(), task.targets.len());
        let mut estimates = Vec::new();
        // The device works on a batch while the next one is gathered.
        let mut arriving: Option<Readback> = None;
        for indices in self.lessons.held_out().chunks(recipe.batch) {
            let pixels: Vec<f32> =
                indices.iter().flat_map(|&i| self.stamps.pixels(i as usize)).copied().collect();
            let input = self.gpu.upload(&[indices.len(), size, size, 1], &pixels)?;
            let next = self.gpu.start_read(&self.model.infer(&self.gpu, &input)?)?;
            if let Some(before) = arriving.replace(next) {
                estimates.extend(before.wait()?);
            }
        }
        estimates.extend(arriving.map(Readback::wait).transpose()?.unwrap_or_default());
        let (mut loss, mut r2) = (0.0, 0.0);
        for (output, target) in task.targets.iter().enumerate() {
            let estimates = estimates.iter().skip(output).step_by(outputs).map(|&t| f64::from(t));
            let truths = self.lessons.held_out().iter().map(|&i| &self.stamps.truths()[i as usize]);
            let truths = truths.map(|truth| target.parameter.of(truth));
            let errors = truths
                .clone()
                .zip(estimates.clone())
                .map(|(y, t)| recipe.loss.term(target.scaling.target(y) - t));
            loss += errors.sum::<f64>();
            let pairs: Vec<(f64, f64)> = truths.zip(estimates.map(|t| target.scaling.value(t))).collect();
            r2 += Statistics::of(&pairs).r2;
        }
        Ok((loss / estimates.len() as f64, r2 / outputs as f64))
    }
}
