//! A pass of a layer as work to be timed.

use crate::Result;
use crate::engine::gpu::{Choice, Pass, Rung, Weights};
use crate::engine::ops::{conv2d, dense};
use crate::engine::{Gpu, Tensor};
use crate::rng::{Philox, Stream, unit_f32};
use rand::Rng;

/// A layer with its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A convolution.
    Conv2d(conv2d::Geometry),
    /// A dense layer.
    Dense(dense::Geometry),
}

/// Input, weights, bias and the output's gradient: random numbers in ±½.
pub struct Operands([Tensor; 4]);

impl Work {
    /// What a tuned kernel is looked up by.
    pub fn weights(&self) -> Weights {
        match self {
            Work::Conv2d(g) => g.weights(),
            Work::Dense(g) => g.weights(),
        }
    }

    /// Pixels or examples of the batch.
    pub fn rows(&self) -> usize {
        match self {
            Work::Conv2d(g) => g.batch * g.height * g.width,
            Work::Dense(g) => g.batch,
        }
    }

    /// In words, as in "conv 3×3 16→64 on 64×64".
    pub fn name(&self) -> String {
        match self {
            Work::Conv2d(g) => format!("{} on {}×{}", self.weights(), g.height, g.width),
            Work::Dense(_) => self.weights().to_string(),
        }
    }

    /// Floating-point operations of a pass: two for each multiply-add, the border counted as if it were image.
    pub fn operations(&self) -> f64 {
        let macs = match self {
            Work::Conv2d(g) => g.macs(),
            Work::Dense(g) => g.macs(),
        };
        2.0 * macs as f64
    }

    /// Bytes that a pass must move however clever it is: each tensor that it needs once in, its result once out.
    pub fn bytes(&self, pass: Pass) -> f64 {
        let [x, w, b, d] = self.shapes().map(|shape| shape.iter().product::<usize>());
        let numbers = match pass {
            Pass::Forward => x + w + b + d,
            Pass::InputGradient | Pass::WeightGradient => x + w + d,
        };
        4.0 * numbers as f64
    }

    /// Whether a rung takes a pass on this device.
    pub fn fits(&self, gpu: &Gpu, rung: Rung, pass: Pass) -> bool {
        match self {
            Work::Conv2d(g) => conv2d::fits(rung, pass, g, gpu.subgroup_sizes()),
            Work::Dense(g) => dense::fits(rung, g, gpu.subgroup_sizes()),
        }
    }

    /// What the device runs where nobody asks for a rung.
    pub fn choice(&self, gpu: &Gpu, pass: Pass) -> Choice {
        match self {
            Work::Conv2d(g) => conv2d::choice(gpu, pass, g),
            Work::Dense(g) => dense::choice(gpu, pass, g),
        }
    }

    /// The passes of training.
    pub fn passes(&self) -> impl Iterator<Item = Pass> + use<> {
        let work = *self;
        Pass::ALL.into_iter().filter(move |&pass| work.needs(pass))
    }

    /// Whether training needs a pass: the first layer's input has no gradient.
    pub fn needs(&self, pass: Pass) -> bool {
        pass != Pass::InputGradient || !matches!(self, Work::Conv2d(g) if g.in_channels == 1)
    }

    fn shapes(&self) -> [Vec<usize>; 4] {
        match *self {
            Work::Conv2d(g) => {
                let image = |channels| vec![g.batch, g.height, g.width, channels];
                let weights = vec![g.kernel_height, g.kernel_width, g.in_channels, g.out_channels];
                [image(g.in_channels), weights, vec![g.out_channels], image(g.out_channels)]
            }
            Work::Dense(dense::Geometry { batch, inputs, outputs }) => {
                [vec![batch, inputs], vec![inputs, outputs], vec![outputs], vec![batch, outputs]]
            }
        }
    }

    /// The tensors that its passes take.
    ///
    /// # Errors
    /// The device has no room for them.
    pub fn operands(&self, gpu: &Gpu) -> Result<Operands> {
        let mut numbers = Philox::new(1, Stream::Test, 0, 0);
        let mut tensor = |shape: &[usize]| {
            let count = shape.iter().product();
            let values: Vec<f32> = (0..count).map(|_| unit_f32(numbers.next_u32()) - 0.5).collect();
            gpu.upload(shape, &values)
        };
        let [x, w, b, d] = self.shapes();
        Ok(Operands([tensor(&x)?, tensor(&w)?, tensor(&b)?, tensor(&d)?]))
    }

    /// Records a pass on a rung, with bias and ReLU on the way forward.
    ///
    /// # Errors
    /// The rung does not take it, or the device has no room for the result.
    pub fn run(&self, gpu: &Gpu, choice: Choice, pass: Pass, operands: &Operands) -> Result<Tensor> {
        let Operands([x, w, b, d]) = operands;
        match (self, pass) {
            (Work::Conv2d(g), Pass::Forward) => {
                conv2d::forward_by(gpu, choice, g, [x, w, b], conv2d::Epilogue::BiasRelu)
            }
            (Work::Conv2d(g), Pass::InputGradient) => conv2d::input_gradient_by(gpu, choice, g, [w, d], None),
            (Work::Conv2d(g), Pass::WeightGradient) => conv2d::weight_gradient_by(gpu, choice, g, x, d),
            (Work::Dense(g), Pass::Forward) => dense::forward_by(gpu, choice, g, [x, w, b], true),
            (Work::Dense(g), Pass::InputGradient) => dense::input_gradient_by(gpu, choice, g, w, d),
            (Work::Dense(g), Pass::WeightGradient) => dense::weight_gradient_by(gpu, choice, g, x, d),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_and_bytes_are_those_of_the_definition() {
        let conv = Work::Conv2d(conv2d::Geometry {
            batch: 2,
            height: 5,
            width: 6,
            in_channels: 3,
            out_channels: 4,
            kernel_height: 3,
            kernel_width: 2,
        });
        assert_eq!(conv.operations(), 2.0 * (2 * 5 * 6 * 4) as f64 * (3 * 2 * 3) as f64);
        assert_eq!(conv.bytes(Pass::Forward), 4.0 * (180 + 72 + 4 + 240) as f64);
        assert_eq!(conv.bytes(Pass::WeightGradient), 4.0 * (180 + 72 + 240) as f64);
        let dense = Work::Dense(dense::Geometry { batch: 3, inputs: 5, outputs: 7 });
        assert_eq!(
            (dense.operations(), dense.bytes(Pass::InputGradient)),
            (210.0, 4.0 * (15 + 35 + 21) as f64)
        );
        assert_eq!([conv.name(), dense.name()], ["conv 3×2 3→4 on 5×6", "dense 5→7"]);
    }
}
