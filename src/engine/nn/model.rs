//! A network with weights on a device.

use super::network::{Layer, Network, ParameterShape};
use crate::engine::ops::draw::Draw;
use crate::engine::ops::{conv2d, dense, dropout, flatten, max_pool, noise, stretch};
use crate::engine::{Gpu, Tape, Tensor, Var};
use crate::rng::{Philox, Stream, normal_pair};
use crate::{Error, Result};
use rand::Rng;

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Dropout and noise off.
    Inference,
    /// Dropout and noise on, drawn for this seed and step.
    Training {
        /// The run's seed.
        seed: u64,
        /// Which step of the run.
        step: u64,
    },
}

/// A network's weights on a device.
pub struct Model {
    network: Network,
    parameters: Vec<(ParameterShape, Tensor)>,
}

impl Model {
    /// A network with random weights: normal with variance 2/fan-in (He et al. 2015), which keeps
    /// the size of activations through ReLU layers; layers without a ReLU, the last one above all,
    /// with a hundredth of 1/fan-in, so that first answers lie near 0, the middle of the targets;
    /// biases zero.
    ///
    /// # Errors
    /// A network that makes no sense, or no room for it.
    pub fn random(gpu: &Gpu, network: &Network, seed: u64) -> Result<Self> {
        let shapes = network.parameters()?;
        let rectified: Vec<bool> = network
            .layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Conv2d { relu, .. } | Layer::Dense { relu, .. } => Some(*relu),
                _ => None,
            })
            .collect();
        let values = shapes.iter().enumerate().map(|(number, shape)| {
            let elements = shape.shape.iter().product();
            if shape.fan_in == 0 {
                return vec![0.0; elements];
            }
            let gain = if rectified[number / 2] { 2.0 } else { 0.01 };
            let deviation = (gain / shape.fan_in as f32).sqrt();
            let mut words = Philox::new(seed, Stream::Initialisation, number as u32, 0);
            let pairs = std::iter::repeat_with(|| normal_pair(words.next_u32(), words.next_u32()));
            pairs.flatten().take(elements).map(|x| deviation * x).collect()
        });
        Self::with_values(gpu, network, values.collect())
    }

    /// A network with the given weights, one flat array for each of [`Network::parameters`].
    ///
    /// # Errors
    /// Arrays that do not fit the network's shapes, or no room for them.
    pub fn with_values(gpu: &Gpu, network: &Network, values: Vec<Vec<f32>>) -> Result<Self> {
        let shapes = network.parameters()?;
        if shapes.len() != values.len() {
            let message = format!("{} arrays for {} parameters", values.len(), shapes.len());
            return Err(Error::shape("model", message));
        }
        let parameters = shapes
            .into_iter()
            .zip(values)
            .map(|(shape, values)| gpu.upload(&shape.shape, &values).map(|tensor| (shape, tensor)))
            .collect::<Result<_>>()?;
        Ok(Model { network: network.clone(), parameters })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Each parameter's description and tensor, in the order of [`Network::parameters`].
    pub fn parameters(&self) -> &[(ParameterShape, Tensor)] {
        &self.parameters
    }

    /// Puts the parameters on a tape, with or without gradients.
    pub fn on_tape(&self, tape: &Tape, gradients: bool) -> Vec<Var> {
        let place = |tensor| if gradients { tape.parameter(tensor) } else { tape.constant(tensor) };
        self.parameters.iter().map(|(_, tensor)| place(tensor)).collect()
    }

    /// From inputs \[N\]\[H\]\[W\]\[C\] to outputs, with the parameters of [`Model::on_tape`].
    ///
    /// # Errors
    /// An input of another shape than the network's.
    pub fn forward(&self, tape: &Tape, parameters: &[Var], input: &Var, mode: Mode) -> Result<Var> {
        if input.shape().len() != 4 || input.shape()[1..] != self.network.input {
            let expected = self.network.input;
            let message =
                format!("{} takes images of {expected:?}, not {:?}", self.network.name, input.shape());
            return Err(Error::shape("forward", message));
        }
        let mut x = input.clone();
        let mut weights = parameters.chunks_exact(2);
        let mut next = || weights.next().ok_or_else(|| Error::shape("forward", "too few parameters"));
        for (index, layer) in self.network.layers.iter().enumerate() {
            let draw = match mode {
                Mode::Inference => None,
                Mode::Training { seed, step } => Some(Draw { seed, layer: index as u32, step }),
            };
            x = match (layer, draw) {
                (&Layer::Stretch { gain, scale }, _) => stretch::stretch(tape, &x, gain, scale)?,
                (&Layer::GaussianNoise { sigma }, Some(draw)) => noise::noise(tape, &x, sigma, draw)?,
                (&Layer::Dropout { probability }, Some(draw)) => {
                    dropout::dropout(tape, &x, probability, draw)?
                }
                (Layer::GaussianNoise { .. } | Layer::Dropout { .. }, None) => x,
                (Layer::MaxPool, _) => max_pool::max_pool(tape, &x)?,
                (Layer::Flatten, _) => flatten::flatten(tape, &x)?,
                (Layer::Conv2d { relu, .. }, _) => {
                    let wb = next()?;
                    let operation = if *relu { conv2d::conv2d_bias_relu } else { conv2d::conv2d };
                    operation(tape, &x, &wb[0], &wb[1])?
                }
                (Layer::Dense { relu, .. }, _) => {
                    let wb = next()?;
                    let operation = if *relu { dense::dense_relu } else { dense::dense };
                    operation(tape, &x, &wb[0], &wb[1])?
                }
            };
        }
        Ok(x)
    }

    /// The network's outputs for a batch of inputs, without dropout or noise.
    ///
    /// # Errors
    /// An input of another shape than the network's.
    pub fn infer(&self, gpu: &Gpu, input: &Tensor) -> Result<Tensor> {
        let tape = Tape::new(gpu);
        let parameters = self.on_tape(&tape, false);
        Ok(self.forward(&tape, &parameters, &tape.constant(input), Mode::Inference)?.value().clone())
    }
}
