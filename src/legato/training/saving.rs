//! What a run leaves on disk while it goes on: checkpoint, weights, history.

use super::{Training, WEIGHTS_FILE};
use crate::engine::Tensor;
use crate::engine::nn::weights;
use crate::legato::Provenance;
use crate::legato::checkpoint::{self, Partial, State};
use crate::legato::events::{self, Point};
use crate::{Error, Result, files};

const HISTORY_FILE: &str = "history.csv";

impl Training<'_> {
    /// The weights, unless something in them is not a number: kernels may hide that from the loss, and nothing of it
    /// shall reach a file.
    pub(super) fn finite_weights(&self, loss: f64) -> Result<weights::Arrays> {
        let arrays = weights::model_arrays(&self.gpu, &self.model)?;
        if arrays.values().any(|(_, values)| values.iter().any(|v| !v.is_finite())) {
            return Err(Error::Diverged { step: self.adam.steps(), loss });
        }
        Ok(arrays)
    }

    pub(super) fn save_checkpoint(&self, arrays: &weights::Arrays) -> Result<()> {
        checkpoint::save(&self.gpu, &self.folder, &self.state, (&self.model, arrays), &self.adam)
    }

    /// Saves in the middle of an epoch, whose losses so far add up to `total`.
    pub(super) fn save_partial(&mut self, steps: usize, total: Option<&Tensor>) -> Result<()> {
        let loss_sum = total.map(|t| self.gpu.read(t)).transpose()?.map_or(0.0, |v| v[0]);
        let arrays = self.finite_weights(f64::from(loss_sum) / steps as f64)?;
        self.state.partial = Some(Partial { steps, loss_sum });
        self.save_checkpoint(&arrays)
    }

    /// The best epoch's weights, with what they are.
    pub(super) fn save_weights(&self, arrays: &weights::Arrays) -> Result<()> {
        let (State { task, .. }, meta) = (&self.state, &self.stamps.meta);
        let Some(best) = self.best() else { return Ok(()) };
        let provenance = Provenance {
            targets: task.targets.clone(),
            from: task.from.clone(),
            survey: meta.survey.clone(),
            zero_point: meta.zero_point,
            pixel_scale: meta.pixel_scale,
            sigma: meta.sigma,
            data: self.stamps.origin.clone(),
            seed: task.seed,
            epoch: best.epoch,
            images_seen: self.adam.steps() * self.batch() as u64,
            loss: self.state.recipe.loss,
            validation_loss: best.validation_loss,
            validation_r2: best.validation_r2,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            adapter: self.gpu.description(),
        };
        let path = self.folder.join(WEIGHTS_FILE);
        weights::save(&path, self.model.network(), arrays, provenance.metadata(&path)?)
    }

    /// The history as CSV, and as TensorBoard reads it.
    pub(super) fn save_history(&self) -> Result<()> {
        let path = self.folder.join(HISTORY_FILE);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |e: csv::Error| Error::Catalogue { path: path.clone(), message: e.to_string() };
        for epoch in &self.state.history {
            writer.serialize(epoch).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|e| Error::io(&path, "write", e.into_error()))?;
        files::replace(&path, &bytes)?;

        let scalars = self.state.history.iter().map(|epoch| {
            [
                ("loss/training", epoch.training_loss as f32),
                ("loss/validation", epoch.validation_loss as f32),
                ("R2/validation", epoch.validation_r2 as f32),
                ("learning rate", epoch.learning_rate as f32),
                ("stamps a second", epoch.images_per_second as f32),
            ]
        });
        let scalars: Vec<_> = scalars.collect();
        let points = self.state.history.iter().zip(&scalars).map(|(epoch, scalars)| Point {
            wall_time: epoch.unix_time,
            step: epoch.epoch as i64,
            scalars,
        });
        events::save(&self.folder, &points.collect::<Vec<_>>())
    }
}
