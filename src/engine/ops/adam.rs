//! Adam (Kingma & Ba 2015): moving averages of a gradient and of its square, and a step of their
//! ratio.
//!
//! m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  p ← p − α·m̂ / (√v̂ + ε), with m̂ = m/(1−β₁ᵗ) and
//! v̂ = v/(1−β₂ᵗ) at the t-th step. The corrections are computed once, on the host, in f64.

use super::same_shape;
use super::words::{self, ByNumbers};
use crate::Result;
use crate::engine::gpu::Source;
use crate::engine::{Gpu, Tensor};

static ADAM: ByNumbers = words::by_numbers!("adam");

pub(super) const KERNELS: &[&Source] = &[&ADAM[0], &ADAM[1]];

/// Adam's constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConstants {
    /// Decay of the mean gradient.
    pub beta1: f64,
    /// Decay of the mean square.
    pub beta2: f64,
    /// Keeps the ratio finite.
    pub epsilon: f64,
}

impl Default for AdamConstants {
    fn default() -> Self {
        AdamConstants { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// Steps `parameter`, and its averages `mean` and `square`, in place along `gradient`; `step`
/// counts from 1.
///
/// # Errors
/// The four tensors differ in shape.
pub fn adam_step(
    gpu: &Gpu,
    constants: &AdamConstants,
    learning_rate: f64,
    step: u64,
    gradient: &Tensor,
    [parameter, mean, square]: [&Tensor; 3],
) -> Result<()> {
    for other in [gradient, mean, square] {
        same_shape("adam", parameter.shape(), other.shape())?;
    }
    let &AdamConstants { beta1, beta2, epsilon } = constants;
    let power = step.min(i32::MAX as u64) as i32;
    let rate = learning_rate / (1.0 - beta1.powi(power));
    let root = 1.0 / (1.0 - beta2.powi(power)).sqrt();
    let numbers = [rate, root, beta1, beta2, 1.0 - beta1, 1.0 - beta2, epsilon];
    let words = numbers.map(|number| (number as f32).to_bits());
    let tensors = [gradient, parameter, mean, square];
    words::launch_flat(gpu, &ADAM, &[], &tensors, &words)
}

/// The f64 reference of [`adam_step`].
pub fn adam_reference(
    constants: &AdamConstants,
    learning_rate: f64,
    step: u64,
    gradient: &[f64],
    [parameter, mean, square]: [&mut [f64]; 3],
) {
    let &AdamConstants { beta1, beta2, epsilon } = constants;
    for (i, &g) in gradient.iter().enumerate() {
        mean[i] = beta1 * mean[i] + (1.0 - beta1) * g;
        square[i] = beta2 * square[i] + (1.0 - beta2) * g * g;
        let (m, v) = (mean[i] / (1.0 - beta1.powf(step as f64)), square[i] / (1.0 - beta2.powf(step as f64)));
        parameter[i] -= learning_rate * m / (v.sqrt() + epsilon);
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn ten_steps_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for n in [1, 7, 256, 1001, 1002] {
                let start = check::random(&[n], 0, 1.0);
                let zeros = vec![0.0; n];
                let [p, m, v] =
                    [gpu.upload(&[n], &start)?, gpu.upload(&[n], &zeros)?, gpu.upload(&[n], &zeros)?];
                let (mut rp, mut rm, mut rv) = (check::f64s(&start), vec![0.0; n], vec![0.0; n]);
                for step in 1..=10 {
                    let g = check::random(&[n], step as u32, 0.1);
                    let constants = AdamConstants::default();
                    adam_step(gpu, &constants, 0.001, step, &gpu.upload(&[n], &g)?, [&p, &m, &v])?;
                    adam_reference(&constants, 0.001, step, &check::f64s(&g), [&mut rp, &mut rm, &mut rv]);
                }
                check::close("adam: mean", &gpu.read(&m)?, rm);
                check::close("adam: square", &gpu.read(&v)?, rv);
                check::close("adam: parameter", &gpu.read(&p)?, rp);
            }
            Ok(())
        });
    }

    #[test]
    fn the_first_step_has_the_size_of_the_learning_rate() {
        check::on_every_gpu(|gpu| {
            let [p, m, v] =
                [gpu.upload(&[2], &[0.0; 2])?, gpu.upload(&[2], &[0.0; 2])?, gpu.upload(&[2], &[0.0; 2])?];
            let g = gpu.upload(&[2], &[3.0, -0.001])?;
            adam_step(gpu, &AdamConstants::default(), 0.01, 1, &g, [&p, &m, &v])?;
            check::close_within("adam", 1e-4, &gpu.read(&p)?, [-0.01, 0.01]);
            Ok(())
        });
    }

    #[test]
    fn a_gradients_share_of_the_averages_keeps_all_its_digits() {
        check::on_every_gpu(|gpu| {
            let [p, m, v] = [gpu.upload(&[1], &[0.0])?, gpu.upload(&[1], &[0.0])?, gpu.upload(&[1], &[0.0])?];
            adam_step(gpu, &AdamConstants::default(), 0.001, 1, &gpu.upload(&[1], &[1.0])?, [&p, &m, &v])?;
            check::close_within("mean", 1e-7, &gpu.read(&m)?, [0.1]);
            check::close_within("square", 1e-7, &gpu.read(&v)?, [0.001]);
            Ok(())
        });
    }

    #[test]
    fn shapes_that_differ_are_an_error() {
        check::on_every_gpu(|gpu| {
            let (a, b) = (gpu.upload(&[2], &[0.0; 2])?, gpu.upload(&[3], &[0.0; 3])?);
            let result = adam_step(gpu, &AdamConstants::default(), 0.1, 1, &b, [&a, &a, &a]);
            assert_eq!(result.expect_err("2 is not 3").to_string(), "adam: shapes [2] and [3] differ");
            Ok(())
        });
    }
}
