//! The two architectures of Tuccillo et al. (2018), with what the paper leaves open filled in.
//!
//! Architecture 2's widths are those of the first author's own later tutorial (Euclid school);
//! Architecture 1's are in no publication, and ours follow the same style. The hidden dense layers
//! carry ReLU unless told otherwise; the tutorial leaves it out.

use super::Dense;
use crate::engine::nn::{Layer, Network};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Architecture {
    /// Four blocks; noise before the first layer, dropout after two blocks.
    #[serde(rename = "1")]
    One,
    /// Three blocks; noise and dropout after the first.
    #[serde(rename = "2")]
    Two,
}

/// How pixels, in e/s, are made fit for a network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stretch", rename_all = "kebab-case")]
pub enum Stretching {
    /// asinh(x / 3σ) / 3 with σ the sky's noise: faint outskirts and bright cores both of order 1.
    Asinh {
        /// Standard deviation of the sky noise in a pixel, in the image's unit.
        sigma: f32,
    },
    /// As they are. The noise layer's σ is then in the image's unit.
    None,
}

/// Additive noise while training, in the units of the stretched image.
const NOISE: f32 = 0.01;
/// Share of activations dropped while training.
const DROPOUT: f32 = 0.15;

impl Architecture {
    /// Its number, as on the command line.
    pub fn number(self) -> u32 {
        match self {
            Architecture::One => 1,
            Architecture::Two => 2,
        }
    }

    /// The network for stamps of `size`×`size` pixels, with one output and ReLU after the hidden dense
    /// layers.
    pub fn network(self, size: usize, stretching: Stretching) -> Network {
        self.network_for(1, size, stretching, Dense::Relu)
    }

    /// As [`Architecture::network`], with as many outputs, and what follows the hidden dense layers;
    /// in the tutorial it is nothing.
    pub fn network_for(self, outputs: usize, size: usize, stretching: Stretching, dense: Dense) -> Network {
        let dense_relu = dense == Dense::Relu;
        let mut layers = Vec::new();
        if let Stretching::Asinh { sigma } = stretching {
            layers.push(Layer::Stretch { gain: 1.0 / (3.0 * sigma), scale: 1.0 / 3.0 });
        }
        let noise = Layer::GaussianNoise { sigma: NOISE };
        let dropout = Layer::Dropout { probability: DROPOUT };
        let mut block = |kernel, filters, after: &[&Layer]| {
            let convolution = Layer::Conv2d { kernel, filters, relu: true };
            layers.extend([convolution.clone(), convolution, Layer::MaxPool]);
            layers.extend(after.iter().copied().cloned());
        };
        match self {
            Architecture::One => {
                block(4, 16, &[&dropout]);
                block(4, 32, &[&dropout]);
                block(3, 64, &[]);
                block(2, 128, &[]);
                let before_first_block = layers.iter().position(|l| matches!(l, Layer::Conv2d { .. }));
                layers.insert(before_first_block.unwrap_or(0), noise);
            }
            Architecture::Two => {
                block(4, 16, &[&dropout, &noise]);
                block(3, 64, &[]);
                block(2, 64, &[]);
            }
        }
        layers.extend([
            Layer::Flatten,
            Layer::Dense { units: 128, relu: dense_relu },
            Layer::Dense { units: 64, relu: dense_relu },
            Layer::Dense { units: outputs, relu: false },
        ]);
        Network { name: format!("architecture-{}", self.number()), input: [size, size, 1], layers }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architectures_have_their_published_sizes() {
        let count =
            |a: Architecture| a.network(128, Stretching::None).parameter_count().expect("a sound preset");
        assert_eq!(count(Architecture::Two), 2_189_089);
        assert_eq!(count(Architecture::One), 1_240_033);
    }

    #[test]
    fn noise_and_dropout_stand_where_the_architectures_differ() {
        let kinds = |a: Architecture| {
            let network = a.network(128, Stretching::Asinh { sigma: 0.0032 });
            network.layers.iter().map(ToString::to_string).take(6).collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(
            kinds(Architecture::One),
            "0.333·asinh(104.2·x) | Gaussian noise 0.01 | conv 4×4 ×16 + ReLU | conv 4×4 ×16 + ReLU \
             | max-pool 2×2 | dropout 0.15"
        );
        assert_eq!(
            kinds(Architecture::Two),
            "0.333·asinh(104.2·x) | conv 4×4 ×16 + ReLU | conv 4×4 ×16 + ReLU | max-pool 2×2 \
             | dropout 0.15 | Gaussian noise 0.01"
        );
    }
}
