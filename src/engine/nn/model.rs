//! A network with weights on a device.

use super::network::{Layer, Network, ParameterShape};
use crate::engine::gpu::profile::{Pass, Place};
use crate::engine::ops::draw::Draw;
use crate::engine::ops::{conv2d, dense, dropout, flatten, max_pool, noise, stretch};
use crate::engine::{Gpu, Tape, Tensor, Var, pack};
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
    /// the size of activations through ReLU layers, and 1/fan-in in layers without; the last layer a
    /// tenth of that size, so that first answers lie near 0, the middle of the targets; biases zero.
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
            let gain = match rectified[number / 2] {
                true => 2.0,
                false if number / 2 + 1 == rectified.len() => 0.01,
                false => 1.0,
            };
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
        let arrays: Vec<_> = shapes.iter().map(|s| &s.shape[..]).zip(values.iter().map(|v| &v[..])).collect();
        let tensors = pack::upload(gpu, &arrays)?;
        Ok(Model { network: network.clone(), parameters: shapes.into_iter().zip(tensors).collect() })
    }

    /// A network with parameters that are on the device already, which must be its own.
    pub(super) fn of_tensors(network: Network, parameters: Vec<(ParameterShape, Tensor)>) -> Self {
        Model { network, parameters }
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
        let place = |(_, tensor): &(_, Tensor)| match gradients {
            true => tape.parameter(tensor),
            false => tape.constant(tensor),
        };
        self.parameters.iter().map(place).collect()
    }

    /// As [`Model::on_tape`], with gradients from layer `first` on, counted among those with weights; they are written into
    /// the tensors given, one for each parameter.
    pub(super) fn on_tape_from(&self, tape: &Tape, first: usize, gradients: &[Tensor]) -> Vec<Var> {
        let parameters = self.parameters.iter().zip(gradients).enumerate();
        let place =
            |(number, ((_, tensor), gradient)): (usize, (&(_, Tensor), &Tensor))| match number / 2 < first {
                true => tape.constant(tensor),
                false => tape.parameter_at(tensor, gradient),
            };
        parameters.map(place).collect()
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
        // Whether the layer before did the work of this one, too.
        let mut done = false;
        for (index, layer) in self.network.layers.iter().enumerate() {
            let (pass, draw) = match mode {
                Mode::Inference => (Pass::Inference, None),
                Mode::Training { seed, step } => {
                    (Pass::Forward, Some(Draw { seed, layer: index as u32, step }))
                }
            };
            tape.gpu().set_place(Place { pass, layer: index as u32 + 1 });
            x = match (layer, draw) {
                _ if std::mem::take(&mut done) => x,
                (&Layer::Stretch { gain, scale }, draw) => {
                    match draw.zip(self.network.noise_behind_stretch(index)) {
                        Some((draw, sigma)) => {
                            done = true;
                            let draw = Draw { layer: draw.layer + 1, ..draw };
                            noise::stretch_noise(tape, &x, [gain, scale], sigma, draw)?
                        }
                        None => stretch::stretch(tape, &x, gain, scale)?,
                    }
                }
                (&Layer::GaussianNoise { sigma }, Some(draw)) => noise::noise(tape, &x, sigma, draw)?,
                (&Layer::Dropout { probability }, Some(draw)) => {
                    dropout::dropout(tape, &x, probability, draw)?
                }
                (Layer::GaussianNoise { .. } | Layer::Dropout { .. }, None) => x,
                (Layer::MaxPool, _) => {
                    let rectifies = index > 0 && self.network.rectified_by_pool(index - 1);
                    let operation = if rectifies { max_pool::relu_max_pool } else { max_pool::max_pool };
                    operation(tape, &x)?
                }
                (Layer::Flatten, _) => flatten::flatten(tape, &x)?,
                (Layer::Conv2d { relu, .. }, _) => {
                    let wb = next()?;
                    let pool_follows = self.network.rectified_by_pool(index);
                    let both = match pool_follows {
                        true => conv2d::conv2d_relu_max_pool(tape, &x, &wb[0], &wb[1])?,
                        false => None,
                    };
                    done = both.is_some();
                    let relu = *relu && !pool_follows;
                    let operation = if relu { conv2d::conv2d_bias_relu } else { conv2d::conv2d };
                    both.map_or_else(|| operation(tape, &x, &wb[0], &wb[1]), Ok)?
                }
                (Layer::Dense { relu, .. }, _) => {
                    let wb = next()?;
                    let operation = if *relu { dense::dense_relu } else { dense::dense };
                    operation(tape, &x, &wb[0], &wb[1])?
                }
            };
        }
        tape.gpu().set_place(Place::default());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ops::check;

    fn network(layers: Vec<Layer>) -> Network {
        Network { name: "test".into(), input: [8, 8, 2], layers }
    }

    #[test]
    fn initial_weights_have_the_variance_that_their_layer_needs_and_zero_mean() {
        let network = network(vec![
            Layer::Conv2d { kernel: 3, filters: 150, relu: true },
            Layer::Conv2d { kernel: 2, filters: 40, relu: false },
            Layer::Flatten,
            Layer::Dense { units: 20, relu: true },
            Layer::Dense { units: 300, relu: false },
        ]);
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network, 3)?;
            // By fan-in: 2/n before a rectifier, 1/n where there is none, a hundredth of that at the end.
            let variances = [2.0 / 18.0, 1.0 / 600.0, 2.0 / 2560.0, 0.01 / 20.0];
            for (pair, variance) in model.parameters().chunks_exact(2).zip(variances) {
                let [(weight, values), (_, bias)] = pair else { unreachable!("chunks of two") };
                let values = check::f64s(&gpu.read(values)?);
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let found = values.iter().map(|v| v * v).sum::<f64>() / n;
                // Five standard errors: √(σ²/n) of the mean, σ²·√(2/n) of the variance.
                assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "{}: mean {mean}", weight.name);
                let off = (found / variance - 1.0).abs();
                assert!(off < 5.0 * (2.0 / n).sqrt(), "{}: {found} for {variance}", weight.name);
                assert!(gpu.read(bias)?.iter().all(|&b| b == 0.0));
            }
            Ok(())
        });
    }

    #[test]
    fn the_seed_decides_the_initial_weights() {
        let network = network(vec![Layer::Flatten, Layer::Dense { units: 3, relu: false }]);
        check::on_every_gpu(|gpu| {
            let weights = |seed| gpu.read(&Model::random(gpu, &network, seed)?.parameters()[0].1);
            assert_eq!(weights(1)?, weights(1)?);
            assert_ne!(weights(1)?, weights(2)?);
            Ok(())
        });
    }

    #[test]
    fn an_input_of_the_wrong_shape_is_an_error_with_both_shapes() {
        let network = network(vec![Layer::Flatten, Layer::Dense { units: 1, relu: false }]);
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network, 1)?;
            for shape in [vec![1, 8, 7, 2], vec![8, 8, 2], vec![2, 128]] {
                let input = gpu.tensor(&shape)?;
                let message = model.infer(gpu, &input).expect_err("another shape").to_string();
                assert_eq!(message, format!("forward: test takes images of [8, 8, 2], not {shape:?}"));
            }
            Ok(())
        });
    }

    #[test]
    fn arrays_that_do_not_fit_the_network_are_an_error() {
        let network = network(vec![Layer::Flatten, Layer::Dense { units: 1, relu: false }]);
        check::on_every_gpu(|gpu| {
            let refusal = |values| Model::with_values(gpu, &network, values).err().map(|e| e.to_string());
            let message = refusal(vec![vec![0.0; 128]]);
            assert_eq!(message.as_deref(), Some("model: 1 arrays for 2 parameters"));
            let message = refusal(vec![vec![0.0; 127], vec![0.0]]);
            let expected = "upload: 127 values do not fill a tensor of shape [128, 1]";
            assert_eq!(message.as_deref(), Some(expected));
            Ok(())
        });
    }

    #[test]
    fn dropout_and_noise_act_in_training_alone_and_anew_each_step() {
        for layer in [Layer::Dropout { probability: 0.3 }, Layer::GaussianNoise { sigma: 0.2 }] {
            let network = network(vec![layer.clone(), Layer::MaxPool, layer, Layer::Flatten]);
            check::on_every_gpu(|gpu| {
                let model = Model::random(gpu, &network, 1)?;
                let input = gpu.upload(&[3, 8, 8, 2], &check::random(&[3 * 128], 0, 1.0))?;
                let output = |mode| {
                    let tape = Tape::new(gpu);
                    let output = model.forward(&tape, &[], &tape.constant(&input), mode)?;
                    gpu.read(output.value())
                };
                let training = |seed, step| output(Mode::Training { seed, step });
                let calm = output(Mode::Inference)?;
                assert_eq!(calm, output(Mode::Inference)?);
                assert_eq!(calm, gpu.read(&model.infer(gpu, &input)?)?);
                let first = training(1, 0)?;
                assert_ne!(first, calm);
                assert_eq!(first, training(1, 0)?);
                assert_ne!(first, training(1, 1)?);
                assert_ne!(first, training(2, 0)?);
                Ok(())
            });
        }
    }
}
