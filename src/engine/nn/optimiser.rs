//! Training a model one step at a time.

use super::{Mode, Model};
use crate::engine::ops::adam::{AdamConstants, adam_step};
use crate::engine::ops::loss::Loss;
use crate::engine::{Gpu, Tape, Tensor, pack};
use crate::{Error, Result};

/// Adam's state for every parameter of a model.
pub struct Adam {
    constants: AdamConstants,
    /// Mean gradient and mean square of each parameter.
    moments: Vec<[Tensor; 2]>,
    /// Where the gradient of each is written.
    gradients: Vec<Tensor>,
    steps: u64,
    /// First layers whose weights stay.
    frozen: usize,
    loss: Loss,
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
        let shapes = || model.parameters().iter().map(|(_, parameter)| parameter.shape());
        let side_by_side = |which: usize| {
            let values = moments.iter().map(|moments| moments[which].as_slice());
            pack::upload(gpu, &shapes().zip(values).collect::<Vec<_>>())
        };
        let (mean, square) = (side_by_side(0)?, side_by_side(1)?);
        Ok(Adam {
            constants: AdamConstants::default(),
            moments: mean.into_iter().zip(square).map(<[Tensor; 2]>::from).collect(),
            gradients: pack::zeros(gpu, shapes())?,
            steps,
            frozen: 0,
            loss: Loss::default(),
        })
    }

    /// Leaves the weights of the first `layers` layers that have some as they are, from now on.
    pub fn freeze(&mut self, layers: usize) {
        self.frozen = layers;
    }

    /// Makes this small from now on; the mean absolute error otherwise.
    pub fn minimise(&mut self, loss: Loss) {
        self.loss = loss;
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Each parameter's mean gradient and mean square.
    pub fn moments(&self) -> &[[Tensor; 2]] {
        &self.moments
    }

    /// One step of training on a batch: forward with dropout and noise, the loss, the
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
        let parameters = model.on_tape_from(&tape, self.frozen, &self.gradients);
        let output = model.forward(&tape, &parameters, &tape.constant(inputs), mode)?;
        let loss = self.loss.of(&tape, &output, targets)?;
        drop(output);
        let gradients = tape.backward(&loss)?;
        self.steps += 1;
        let stepped = parameters.iter().zip(model.parameters()).zip(&self.moments);
        let stepped = stepped.filter_map(|((variable, (_, parameter)), [mean, square])| {
            Some([gradients.of(variable)?, parameter, mean, square])
        });
        // One dispatch where all lie side by side, as they do unless a model was put together otherwise.
        for [gradient, parameter, mean, square] in pack::joined(stepped) {
            let state = [&parameter, &mean, &square];
            adam_step(gpu, &self.constants, learning_rate, self.steps, &gradient, state)?;
        }
        Ok(loss.value().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Network};
    use super::*;
    use crate::engine::GpuOptions;
    use crate::engine::gpu::Profiling;
    use crate::engine::nn::weights;
    use crate::engine::ops::check;

    fn network() -> Network {
        let layers = vec![
            Layer::Conv2d { kernel: 3, filters: 4, relu: true },
            Layer::Dropout { probability: 0.2 },
            Layer::Flatten,
            Layer::Dense { units: 1, relu: false },
        ];
        Network { name: "test".into(), input: [5, 6, 1], layers }
    }

    fn train(gpu: &Gpu, model: &Model, adam: &mut Adam, steps: u64) -> Result<Vec<f32>> {
        let batch = (
            gpu.upload(&[7, 5, 6, 1], &check::random(&[210], 0, 1.0))?,
            gpu.upload(&[7, 1], &check::random(&[7], 1, 1.0))?,
        );
        let mut losses = Vec::new();
        for _ in 0..steps {
            let mode = Mode::Training { seed: 5, step: adam.steps() };
            losses.extend(gpu.read(&adam.step(gpu, model, (&batch.0, &batch.1), mode, 0.01)?)?);
        }
        Ok(losses)
    }

    #[test]
    fn a_model_and_its_state_put_together_anew_go_on_bit_for_bit() {
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network(), 1)?;
            let mut adam = Adam::new(gpu, &model)?;
            train(gpu, &model, &mut adam, 3)?;
            let values = model.parameters().iter().map(|(_, p)| gpu.read(p)).collect::<Result<Vec<_>>>()?;
            let copy = Model::with_values(gpu, &network(), values)?;
            let moments = adam.moments().iter().map(|[m, v]| Ok([gpu.read(m)?, gpu.read(v)?]));
            let mut resumed = Adam::with_moments(gpu, &copy, moments.collect::<Result<_>>()?, 3)?;
            let losses = train(gpu, &model, &mut adam, 4)?;
            assert_eq!(losses, train(gpu, &copy, &mut resumed, 4)?);
            assert_eq!((adam.steps(), resumed.steps()), (7, 7));
            assert_eq!(weights::model_arrays(gpu, &model)?, weights::model_arrays(gpu, &copy)?);
            Ok(())
        });
    }

    #[test]
    fn training_on_one_batch_brings_its_loss_down() {
        check::on_every_gpu(|gpu| {
            for loss in [Loss::Absolute, Loss::Squared] {
                let model = Model::random(gpu, &network(), 1)?;
                let mut adam = Adam::new(gpu, &model)?;
                adam.minimise(loss);
                let losses = train(gpu, &model, &mut adam, 100)?;
                let last = losses[90..].iter().sum::<f32>() / 10.0;
                assert!(last < 0.5 * losses[0], "{loss:?} from {} to {last}", losses[0]);
            }
            Ok(())
        });
    }

    #[test]
    fn a_step_makes_the_loss_small_that_it_is_told() {
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network(), 1)?;
            let values = model.parameters().iter().map(|(_, p)| gpu.read(p)).collect::<Result<Vec<_>>>()?;
            let first = |loss: Loss| {
                let model = Model::with_values(gpu, &network(), values.clone())?;
                let mut adam = Adam::new(gpu, &model)?;
                adam.minimise(loss);
                train(gpu, &model, &mut adam, 1)
            };
            // What the same step predicts.
            let tape = Tape::new(gpu);
            let input = gpu.upload(&[7, 5, 6, 1], &check::random(&[210], 0, 1.0))?;
            let mode = Mode::Training { seed: 5, step: 0 };
            let parameters = model.on_tape(&tape, false);
            let output = model.forward(&tape, &parameters, &tape.constant(&input), mode)?;
            let errors = gpu.read(output.value())?.into_iter().zip(check::random(&[7], 1, 1.0));
            let errors: Vec<f64> = errors.map(|(p, t)| f64::from(p) - f64::from(t)).collect();
            for loss in [Loss::Absolute, Loss::Squared] {
                let mean = errors.iter().map(|&error| loss.term(error)).sum::<f64>() / 7.0;
                check::close("the loss", &first(loss)?, [mean]);
            }
            Ok(())
        });
    }

    /// The same model and state, as they are after five steps: once side by side, and once each parameter by itself.
    fn together_and_apart(gpu: &Gpu) -> Result<[(Model, Adam); 2]> {
        let model = Model::random(gpu, &network(), 1)?;
        let mut adam = Adam::new(gpu, &model)?;
        train(gpu, &model, &mut adam, 5)?;
        let apart = model
            .parameters()
            .iter()
            .map(|(shape, parameter)| Ok((shape.clone(), gpu.upload(&shape.shape, &gpu.read(parameter)?)?)));
        let apart = Model::of_tensors(network(), apart.collect::<Result<_>>()?);
        let moments = adam.moments().iter().map(|[m, v]| Ok([gpu.read(m)?, gpu.read(v)?]));
        let adam_apart = Adam::with_moments(gpu, &apart, moments.collect::<Result<_>>()?, 5)?;
        Ok([(model, adam), (apart, adam_apart)])
    }

    #[test]
    fn parameters_side_by_side_take_the_step_that_each_takes_by_itself() {
        check::on_every_gpu(|gpu| {
            for frozen in [0, 1] {
                let [(model, mut adam), (apart, mut adam_apart)] = together_and_apart(gpu)?;
                adam.freeze(frozen);
                adam_apart.freeze(frozen);
                let losses = train(gpu, &model, &mut adam, 3)?;
                assert_eq!(losses, train(gpu, &apart, &mut adam_apart, 3)?);
                assert_eq!(weights::model_arrays(gpu, &model)?, weights::model_arrays(gpu, &apart)?);
            }
            Ok(())
        });
    }

    #[test]
    fn frozen_layers_stay_and_the_others_do_not() {
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network(), 1)?;
            let before = weights::model_arrays(gpu, &model)?;
            let mut adam = Adam::new(gpu, &model)?;
            adam.freeze(1);
            train(gpu, &model, &mut adam, 3)?;
            for (name, values) in weights::model_arrays(gpu, &model)? {
                assert_eq!(values == before[&name], name.starts_with("conv"), "{name}");
            }
            Ok(())
        });
    }

    #[test]
    fn parameters_side_by_side_take_their_step_in_one_dispatch() {
        // Without words the kernel has one form, whose first dispatch the profile leaves out.
        let options = GpuOptions { profiling: Profiling::Kernels, words: false, ..GpuOptions::default() };
        let gpu = check::open(options);
        let [(model, mut adam), (apart, mut adam_apart)] = together_and_apart(&gpu).expect("room");
        let calls_of_three_steps = |model: &Model, adam: &mut Adam| {
            let calls = || {
                let profile = gpu.profile().expect("a device").expect("it was opened for one");
                let adam = profile.by_kernel(false).into_iter().find(|cost| cost.kernel == "adam");
                adam.map_or(0, |cost| cost.calls)
            };
            let before = calls();
            train(&gpu, model, adam, 3).expect("room");
            calls() - before
        };
        assert_eq!(calls_of_three_steps(&model, &mut adam), 3);
        assert_eq!(calls_of_three_steps(&apart, &mut adam_apart), 3 * 4);
        // Without the frozen convolution there are a dense layer's weights and its bias.
        adam.freeze(1);
        adam_apart.freeze(1);
        assert_eq!(calls_of_three_steps(&model, &mut adam), 3);
        assert_eq!(calls_of_three_steps(&apart, &mut adam_apart), 3 * 2);
    }

    #[test]
    fn moments_of_another_model_are_an_error() {
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network(), 1)?;
            let few = Adam::with_moments(gpu, &model, vec![[vec![], vec![]]], 1).err();
            assert_eq!(few.map(|e| e.to_string()).as_deref(), Some("adam: 1 moments for 4 parameters"));
            let empty = vec![[vec![], vec![]]; 4];
            assert!(matches!(Adam::with_moments(gpu, &model, empty, 1), Err(Error::Shape { .. })));
            Ok(())
        });
    }
}
