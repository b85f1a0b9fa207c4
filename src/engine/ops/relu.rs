//! The rectifier: y = max(x, 0), so ∂L/∂x = g where y > 0 and 0 elsewhere.
//!
//! Both directions are one kernel, the masking of one tensor by the sign of another.

use super::words::{self, ByNumbers};
use crate::Result;
use crate::engine::gpu::Source;
use crate::engine::{Gpu, Masks, Tape, Tensor, Var};

static MASK: ByNumbers = words::by_numbers!("mask");

pub(super) const KERNELS: &[&Source] = &[&MASK[0], &MASK[1]];

/// `gradient` times `factor` where `y` > 0, else 0, for tensors with as many elements: the way back through any
/// operation that ends in a ReLU, where [no other kernel](Masks) does it in passing.
pub(crate) fn mask(gpu: &Gpu, gradient: &Tensor, y: &Tensor, factor: f32) -> Result<Tensor> {
    let z = gpu.tensor(gradient.shape())?;
    words::launch_flat(gpu, &MASK, &[], &[gradient, y, &z], &[factor.to_bits()])?;
    Ok(z)
}

/// max(x, 0), of the shape of `x`.
///
/// # Errors
/// Only those of the device.
pub fn relu(tape: &Tape, x: &Var) -> Result<Var> {
    let gpu = tape.gpu().clone();
    let y = mask(&gpu, x.value(), x.value(), 1.0)?;
    let masks = Masks { of_output: Some(1.0), ..Masks::default() };
    // The mask is all there is to the way back, and whoever made the gradient has seen to it.
    Ok(tape.push_with(masks, y, &[x], |g| Ok(vec![Some(g.clone())])))
}

/// The f64 reference of [`relu`].
pub fn relu_reference(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x.max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn relu_and_its_mask_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for n in [1, 3, 255, 257, 258, 1001, 1002] {
                let (x, g) = (check::random(&[n], 1, 2.0), check::random(&[n], 2, 2.0));
                let (tx, tg) = (gpu.upload(&[n], &x)?, gpu.upload(&[n], &g)?);
                let tape = Tape::new(gpu);
                let y = relu(&tape, &tape.constant(&tx))?;
                check::close("relu", &gpu.read(y.value())?, relu_reference(&check::f64s(&x)));
                let masked = x.iter().zip(&g).map(|(&x, &g)| if x > 0.0 { 1.5 * f64::from(g) } else { 0.0 });
                check::close("mask", &gpu.read(&mask(gpu, &tg, y.value(), 1.5)?)?, masked);
            }
            Ok(())
        });
    }

    #[test]
    fn at_zero_nothing_passes_in_either_direction() {
        check::on_every_gpu(|gpu| {
            let x = gpu.upload(&[3], &[0.0, -0.0, 1.0])?;
            let g = gpu.upload(&[3], &[5.0, 5.0, 5.0])?;
            assert_eq!(gpu.read(&mask(gpu, &g, &x, 1.0)?)?, [0.0, 0.0, 5.0]);
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        // Away from the kink: |x| ≥ 0.2 with a step of 0.01.
        let x = check::random(&[5, 7], 3, 1.0).into_iter().map(|x| x + 0.2_f32.copysign(x)).collect();
        check::gradients_at("relu", &[&[5, 7]], &[x], 0.01, |tape, v| relu(tape, &v[0]));
    }
}
