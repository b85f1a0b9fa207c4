//! The mean absolute error: L = Σᵢ |pᵢ − tᵢ| / n, so ∂L/∂pᵢ = sign(pᵢ − tᵢ)·g/n, and 0 where both
//! are equal. The targets are data and get no gradient.

use super::{reduce, same_shape};
use crate::Result;
use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::{Gpu, Tape, Tensor, Var};

static MAE: Source =
    Source { name: "mae", parts: &[include_str!("../../../shaders/mae.wgsl")], in_bounds: true };

pub(super) const KERNELS: &[&Source] = &[&MAE];

fn launch(gpu: &Gpu, backward: u32, p: &Tensor, t: &Tensor, g: &Tensor) -> Result<Tensor> {
    let z = gpu.tensor(p.shape())?;
    let factor = 1.0 / p.len() as f32;
    let constants = [("BACKWARD", backward)];
    gpu.launch(&MAE, &constants, &[p, t, g, &z], &[factor.to_bits()], linear_grid(z.len(), 256))?;
    Ok(z)
}

/// The mean of |p − t|, of shape \[1\].
///
/// # Errors
/// Predictions and targets differ in shape.
pub fn mae(tape: &Tape, predictions: &Var, targets: &Tensor) -> Result<Var> {
    same_shape("mae", predictions.shape(), targets.shape())?;
    let gpu = tape.gpu().clone();
    let (p, t) = (predictions.value().clone(), targets.clone());
    let terms = launch(&gpu, 0, &p, &t, &p)?;
    let loss = reduce::sum_rows(&gpu, &terms, p.len(), 1.0 / p.len() as f32)?;
    Ok(tape.push(loss, &[predictions], move |g| Ok(vec![Some(launch(&gpu, 1, &p, &t, g)?)])))
}

/// The f64 reference of [`mae`].
pub fn mae_reference(predictions: &[f64], targets: &[f64]) -> f64 {
    let terms = predictions.iter().zip(targets).map(|(p, t)| (p - t).abs());
    terms.sum::<f64>() / predictions.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn both_directions_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for n in [1, 3, 64, 257, 5001] {
                let (p, t) = (check::random(&[n, 1], 1, 1.0), check::random(&[n, 1], 2, 1.0));
                let (tp, tt) = (gpu.upload(&[n, 1], &p)?, gpu.upload(&[n, 1], &t)?);
                let tape = Tape::new(gpu);
                let loss = mae(&tape, &tape.constant(&tp), &tt)?;
                assert_eq!(loss.shape(), [1]);
                let reference = mae_reference(&check::f64s(&p), &check::f64s(&t));
                check::close("mae", &gpu.read(loss.value())?, [reference]);
                let g = gpu.upload(&[1], &[2.5])?;
                let gradient = p.iter().zip(&t).map(|(&p, &t)| 2.5 * f64::from(p - t).signum() / n as f64);
                check::close("gradient", &gpu.read(&launch(gpu, 1, &tp, &tt, &g)?)?, gradient);
            }
            Ok(())
        });
    }

    #[test]
    fn where_both_are_equal_the_gradient_is_zero() {
        check::on_every_gpu(|gpu| {
            let (p, t) = (gpu.upload(&[2], &[1.5, 1.0])?, gpu.upload(&[2], &[1.5, 2.0])?);
            let g = gpu.upload(&[1], &[1.0])?;
            assert_eq!(gpu.read(&launch(gpu, 1, &p, &t, &g)?)?, [0.0, -0.5]);
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        // |p| ≥ 0.3 after the check's scaling, targets within ±0.1: the sign never changes.
        let p = check::random(&[9, 1], 3, 1.0).into_iter().map(|p| p + 0.4_f32.copysign(p)).collect();
        check::gradients_at("mae", &[&[9, 1]], &[p], 0.01, |tape, v| {
            let targets = tape.gpu().upload(&[9, 1], &check::random(&[9, 1], 4, 0.1))?;
            mae(tape, &v[0], &targets)
        });
    }

    #[test]
    fn shapes_that_differ_are_an_error_that_names_them() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let p = tape.constant(&gpu.upload(&[2, 1], &[1.0, 2.0])?);
            let t = gpu.upload(&[2], &[1.0, 2.0])?;
            let message = mae(&tape, &p, &t).expect_err("different shapes").to_string();
            assert_eq!(message, "mae: shapes [2, 1] and [2] differ");
            Ok(())
        });
    }
}
