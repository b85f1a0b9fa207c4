//! Training a model one step at a time.

use super::{Mode, Model};
use crate::engine::ops::adam::{AdamConstants, adam_step};
use crate::engine::ops::mae;
use crate::engine::{Gpu, Tape, Tensor};
use crate::{Error, Result};

/// Adam's state for every parameter of a model.
pub struct Adam {
    constants: AdamConstants,
    /// Mean gradient and mean square of each parameter.
    moments: Vec<[Tensor; 2]>,
    steps: u64,
}

impl Adam {
    /// A fresh state.
    ///
    /// # Errors
    /// No room for it.
    pub fn new(gpu: &Gpu, model: &Model) -> Result<Self> {
        let zeros =
            model.parameters().iter().map(|(_, p)| [vec![0.0; p.len()], vec![0.0; p.len()]]).collect();
        Self::with_moments(gpu, model, zeros, 0)
    }

    /// The state after `steps` steps, from each parameter's flat mean gradient and mean square.
    ///
    /// # Errors
    /// Arrays that do not fit the model, or no room for them.
    pub fn with_moments(gpu: &Gpu, model: &Model, moments: Vec<[Vec<f32>; 2]>, steps: u64) -> Result<Self> {
        if moments.len() != model.parameters().len() {
            let message = format!("{} moments for {} parameters", moments.len(), model.parameters().len());
            return Err(Error::shape("adam", message));
        }
        let upload = |((shape, _), [m, v]): (&(_, Tensor), &[Vec<f32>; 2])| {
            let shape: &super::network::ParameterShape = shape;
            Ok([gpu.upload(&shape.shape, m)?, gpu.upload(&shape.shape, v)?])
        };
        let moments = model.parameters().iter().zip(&moments).map(upload).collect::<Result<_>>()?;
        Ok(Adam { constants: AdamConstants::default(), moments, steps })
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Each parameter's mean gradient and mean square.
    pub fn moments(&self) -> &[[Tensor; 2]] {
        &self.moments
    }

    /// One step of training on a batch: forward with dropout and noise, mean absolute error, the
    /// way back, Adam. Everything is recorded and nothing submitted or read; the loss, of shape
    /// \[1\], is that before the step.
    ///
    /// # Errors
    /// Inputs or targets that do not fit the network, or no room on the device.
    pub fn step(
        &mut self,
        gpu: &Gpu,
        model: &Model,
        (inputs, targets): (&Tensor, &Tensor),
        mode: Mode,
        learning_rate: f64,
    ) -> Result<Tensor> {
        let tape = Tape::new(gpu);
        let parameters = model.on_tape(&tape, true);
        let output = model.forward(&tape, &parameters, &tape.constant(inputs), mode)?;
        let loss = mae::mae(&tape, &output, targets)?;
        drop(output);
        let gradients = tape.backward(&loss)?;
        self.steps += 1;
        for ((variable, (_, parameter)), [mean, square]) in
            parameters.iter().zip(model.parameters()).zip(&self.moments)
        {
            if let Some(gradient) = gradients.of(variable) {
                let state = [parameter, mean, square];
                adam_step(gpu, &self.constants, learning_rate, self.steps, gradient, state)?;
            }
        }
        Ok(loss.value().clone())
    }
}
