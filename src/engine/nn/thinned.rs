//! Monte Carlo dropout (Gal & Ghahramani 2016) in the dense layers: one network asked many times, each time with other
//! neurons left out.
//!
//! Dropout of the numbers h that a dense layer reads is the same layer with other weights: with m = 0 for a number
//! that is left out, which happens with probability p, and 1/(1 − p) otherwise, (h ⊙ m)·W = h·(diag(m)·W). So a thinned
//! network is a network, the same for every image: what it says of one depends on that image alone, not on its place in
//! a batch. And as its convolutions are those of the whole network, they run once for all of them.

use super::model::Model;
use super::network::{Layer, Network, ParameterShape};
use crate::engine::ops::draw::Draw;
use crate::engine::{Gpu, Tensor};
use crate::rng::{Stream, unit_f32};
use crate::{Error, Result};

/// A network cut in two behind its first hidden dense layer, with thinned copies of its second part.
pub struct Thinned {
    /// Up to the first hidden dense layer; the whole network where there is none.
    body: Model,
    /// The rest, whole; none where there is no hidden dense layer.
    head: Option<Model>,
    thinned: Vec<Model>,
}

impl Thinned {
    /// `count` thinned copies of a network, in which each number that a dense layer reads from another dense layer is
    /// left out with `probability`: a pure function of the seed. A network without a hidden dense layer has none.
    ///
    /// # Errors
    /// The probability is not in [0, 1), or the device fails.
    pub fn new(gpu: &Gpu, model: &Model, probability: f32, count: usize, seed: u64) -> Result<Self> {
        if !(0.0..1.0).contains(&probability) {
            let message = format!("the probability {probability} is not in [0, 1)");
            return Err(Error::shape("thinned", message));
        }
        let network = model.network();
        let dense = |layer: &Layer| matches!(layer, Layer::Dense { .. });
        let first = network.layers.iter().position(dense);
        let Some((cut, units)) = first.and_then(|first| match network.layers[first] {
            Layer::Dense { units, .. } if network.layers[first + 1..].iter().any(dense) => {
                Some((first + 1, units))
            }
            _ => None,
        }) else {
            let body = Model::of_tensors(network.clone(), model.parameters().to_vec());
            return Ok(Thinned { body, head: None, thinned: Vec::new() });
        };
        let (before, behind) = network.layers.split_at(cut);
        let before = Network { layers: before.to_vec(), ..network.clone() };
        let behind = Network {
            name: network.name.clone(),
            input: [1, 1, units],
            layers: [&[Layer::Flatten], behind].concat(),
        };
        let (own, rest) = model.parameters().split_at(before.parameters()?.len());
        let weights = rest.iter().map(|(_, tensor)| gpu.read(tensor)).collect::<Result<Vec<_>>>()?;
        let thin = |number: usize| -> Result<Model> {
            let tensors = rest.iter().zip(&weights).enumerate().map(|(place, ((shape, _), values))| {
                let draw = Draw { seed, layer: place as u32, step: number as u64 };
                gpu.upload(&shape.shape, &without_rows(shape, values, probability, draw))
            });
            let values = tensors.collect::<Result<Vec<_>>>()?;
            let parameters = rest.iter().map(|(shape, _)| shape.clone()).zip(values).collect();
            Ok(Model::of_tensors(behind.clone(), parameters))
        };
        Ok(Thinned {
            body: Model::of_tensors(before, own.to_vec()),
            thinned: (0..count).map(thin).collect::<Result<_>>()?,
            head: Some(Model::of_tensors(behind, rest.to_vec())),
        })
    }

    /// The outputs \[B, O\] of the whole network, which are those of [`Model::infer`] to the last bit, and of each
    /// thinned one.
    ///
    /// # Errors
    /// An input of another shape than the network's.
    pub fn infer(&self, gpu: &Gpu, input: &Tensor) -> Result<(Tensor, Vec<Tensor>)> {
        let hidden = self.body.infer(gpu, input)?;
        let Some(head) = &self.head else { return Ok((hidden, Vec::new())) };
        let &[batch, units] = hidden.shape() else {
            let message = format!("a dense layer gave {:?}, not [B, O]", hidden.shape());
            return Err(Error::shape("thinned", message));
        };
        let hidden = hidden.reshaped(&[batch, 1, 1, units]);
        let thinned = self.thinned.iter().map(|model| model.infer(gpu, &hidden));
        Ok((head.infer(gpu, &hidden)?, thinned.collect::<Result<_>>()?))
    }
}

/// A dense layer's weights \[in\]\[out\] with rows left out and the others scaled up; biases as they are.
fn without_rows(shape: &ParameterShape, values: &[f32], probability: f32, draw: Draw) -> Vec<f32> {
    if shape.fan_in == 0 {
        return values.to_vec();
    }
    let scale = 1.0 / (1.0 - probability);
    let factor = |row: usize| {
        let word = draw.block(Stream::Dropout, (row / 4) as u32)[row % 4];
        if unit_f32(word) >= probability { scale } else { 0.0 }
    };
    let rows = values.chunks(values.len() / shape.fan_in).enumerate();
    rows.flat_map(|(row, weights)| weights.iter().map(move |w| w * factor(row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ops::check;
    use crate::engine::ops::dropout::dropout_reference;

    fn network() -> Network {
        let layers = vec![
            Layer::Conv2d { kernel: 3, filters: 3, relu: true },
            Layer::MaxPool,
            Layer::Flatten,
            Layer::Dense { units: 19, relu: true },
            Layer::Dense { units: 11, relu: true },
            Layer::Dense { units: 3, relu: false },
        ];
        Network { name: "test".into(), input: [6, 8, 1], layers }
    }

    fn images(gpu: &Gpu, batch: usize) -> Result<Tensor> {
        gpu.upload(&[batch, 6, 8, 1], &check::random(&[batch * 48], 1, 1.0))
    }

    #[test]
    fn the_whole_network_answers_as_it_does_uncut() {
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network(), 1)?;
            let (whole, thinned) = Thinned::new(gpu, &model, 0.3, 2, 5)?.infer(gpu, &images(gpu, 7)?)?;
            assert_eq!(gpu.read(&whole)?, gpu.read(&model.infer(gpu, &images(gpu, 7)?)?)?);
            let outputs = thinned.iter().map(|t| gpu.read(t)).collect::<Result<Vec<_>>>()?;
            assert!(outputs.len() == 2 && outputs[0] != outputs[1]);
            Ok(())
        });
    }

    #[test]
    fn nothing_left_out_changes_nothing() {
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network(), 1)?;
            let (whole, thinned) = Thinned::new(gpu, &model, 0.0, 1, 5)?.infer(gpu, &images(gpu, 5)?)?;
            assert_eq!(gpu.read(&whole)?, gpu.read(&thinned[0])?);
            Ok(())
        });
    }

    #[test]
    fn a_thinned_network_is_dropout_of_what_its_dense_layers_read() {
        check::on_every_gpu(|gpu| {
            let (model, seed, number, p) = (Model::random(gpu, &network(), 2)?, 77, 3, 0.4);
            let arrays =
                model.parameters()[2..].iter().map(|(_, tensor)| Ok(check::f64s(&gpu.read(tensor)?)));
            let arrays = arrays.collect::<Result<Vec<_>>>()?;
            let hidden = Thinned::new(gpu, &model, p, 0, seed)?.body.infer(gpu, &images(gpu, 3)?)?;
            let hidden = check::f64s(&gpu.read(&hidden)?);
            let (_, thinned) =
                Thinned::new(gpu, &model, p, number + 1, seed)?.infer(gpu, &images(gpu, 3)?)?;
            let expected = hidden.chunks(19).flat_map(|h| {
                let drop =
                    |x: &[f64], layer| dropout_reference(x, p, Draw { seed, layer, step: number as u64 });
                let dense = |x: &[f64], w: &[f64], b: &[f64]| -> Vec<f64> {
                    let sum = |o: usize| (0..x.len()).map(|i| x[i] * w[i * b.len() + o]).sum::<f64>() + b[o];
                    (0..b.len()).map(sum).collect()
                };
                let second = dense(&drop(h, 0), &arrays[2], &arrays[3]);
                let second: Vec<f64> = second.iter().map(|v| v.max(0.0)).collect();
                dense(&drop(&second, 2), &arrays[4], &arrays[5])
            });
            check::close("thinned", &gpu.read(&thinned[number])?, expected);
            Ok(())
        });
    }

    #[test]
    fn a_network_without_hidden_dense_layers_has_no_thinned_copies() {
        check::on_every_gpu(|gpu| {
            let layers = vec![Layer::Flatten, Layer::Dense { units: 2, relu: false }];
            let model = Model::random(gpu, &Network { layers, ..network() }, 1)?;
            let (whole, thinned) = Thinned::new(gpu, &model, 0.5, 4, 1)?.infer(gpu, &images(gpu, 2)?)?;
            assert_eq!((whole.shape(), thinned.len()), (&[2, 2][..], 0));
            Ok(())
        });
    }

    #[test]
    fn a_probability_that_leaves_nothing_is_an_error() {
        check::on_every_gpu(|gpu| {
            let model = Model::random(gpu, &network(), 1)?;
            let message = Thinned::new(gpu, &model, 1.0, 1, 1).err().map(|e| e.to_string());
            assert_eq!(message.as_deref(), Some("thinned: the probability 1 is not in [0, 1)"));
            Ok(())
        });
    }
}
