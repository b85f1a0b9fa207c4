//! What training makes small, a mean over all elements: L = Σᵢ |pᵢ − tᵢ| / n, so ∂L/∂pᵢ = sign(pᵢ − tᵢ)·g/n, and 0 where
//! both are equal; or L = Σᵢ (pᵢ − tᵢ)² / n, so ∂L/∂pᵢ = 2·(pᵢ − tᵢ)·g/n. The targets are data and get no gradient.

use super::{reduce, same_shape};
use crate::Result;
use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::{Gpu, Tape, Tensor, Var};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

static LOSS: Source =
    Source { name: "loss", parts: &[include_str!("../../../shaders/loss.wgsl")], in_bounds: true };

pub(super) const KERNELS: &[&Source] = &[&LOSS];

/// What training makes small, and which epoch is the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The mean absolute error of the scaled targets: every galaxy pulls alike.
    #[default]
    Absolute,
    /// Their mean squared error, of which R² is made: galaxies that are hard to measure pull most.
    Squared,
}

impl Loss {
    /// The loss of predictions, of shape \[1\].
    ///
    /// # Errors
    /// Predictions and targets differ in shape, or there is no room on the device.
    pub fn of(self, tape: &Tape, predictions: &Var, targets: &Tensor) -> Result<Var> {
        same_shape("loss", predictions.shape(), targets.shape())?;
        let gpu = tape.gpu().clone();
        let (p, t) = (predictions.value().clone(), targets.clone());
        let terms = self.launch(&gpu, 0, &p, &t, &p)?;
        let loss = reduce::sum_rows(&gpu, &terms, p.len(), 1.0 / p.len() as f32)?;
        Ok(tape.push(loss, &[predictions], move |g| Ok(vec![Some(self.launch(&gpu, 1, &p, &t, g)?)])))
    }

    fn launch(self, gpu: &Gpu, backward: u32, p: &Tensor, t: &Tensor, g: &Tensor) -> Result<Tensor> {
        let z = gpu.tensor(p.shape())?;
        let factor = 1.0 / p.len() as f32;
        let constants = [("SQUARED", u32::from(self == Loss::Squared)), ("BACKWARD", backward)];
        gpu.launch(&LOSS, &constants, &[p, t, g, &z], &[factor.to_bits()], linear_grid(z.len(), 256))?;
        Ok(z)
    }

    /// What one error, prediction − target, adds to the sum.
    pub fn term(self, error: f64) -> f64 {
        match self {
            Loss::Absolute => error.abs(),
            Loss::Squared => error.powi(2),
        }
    }

    /// The f64 reference of [`Loss::of`].
    pub fn reference(self, predictions: &[f64], targets: &[f64]) -> f64 {
        let terms = predictions.iter().zip(targets).map(|(p, t)| self.term(p - t));
        terms.sum::<f64>() / predictions.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn both_directions_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for (loss, n) in
                Loss::value_variants().iter().flat_map(|&l| [1, 3, 64, 257, 5001].map(|n| (l, n)))
            {
                let (p, t) = (check::random(&[n, 1], 1, 1.0), check::random(&[n, 1], 2, 1.0));
                let (tp, tt) = (gpu.upload(&[n, 1], &p)?, gpu.upload(&[n, 1], &t)?);
                let tape = Tape::new(gpu);
                let found = loss.of(&tape, &tape.constant(&tp), &tt)?;
                assert_eq!(found.shape(), [1]);
                let (p, t) = (check::f64s(&p), check::f64s(&t));
                check::close("loss", &gpu.read(found.value())?, [loss.reference(&p, &t)]);
                let g = gpu.upload(&[1], &[2.5])?;
                let gradient = p.iter().zip(&t).map(|(p, t)| {
                    let slope = if loss == Loss::Squared { 2.0 * (p - t) } else { (p - t).signum() };
                    2.5 * slope / n as f64
                });
                check::close("gradient", &gpu.read(&loss.launch(gpu, 1, &tp, &tt, &g)?)?, gradient);
            }
            Ok(())
        });
    }

    #[test]
    fn where_both_are_equal_the_gradient_is_zero() {
        check::on_every_gpu(|gpu| {
            let (p, t) = (gpu.upload(&[2], &[1.5, 1.0])?, gpu.upload(&[2], &[1.5, 2.0])?);
            let g = gpu.upload(&[1], &[1.0])?;
            assert_eq!(gpu.read(&Loss::Absolute.launch(gpu, 1, &p, &t, &g)?)?, [0.0, -0.5]);
            assert_eq!(gpu.read(&Loss::Squared.launch(gpu, 1, &p, &t, &g)?)?, [0.0, -1.0]);
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        for &loss in Loss::value_variants() {
            // |p| ≥ 0.3 after the check's scaling, targets within ±0.1: the sign never changes.
            let p = check::random(&[9, 1], 3, 1.0).into_iter().map(|p| p + 0.4_f32.copysign(p)).collect();
            check::gradients_at("loss", &[&[9, 1]], &[p], 0.01, |tape, v| {
                let targets = tape.gpu().upload(&[9, 1], &check::random(&[9, 1], 4, 0.1))?;
                loss.of(tape, &v[0], &targets)
            });
        }
    }

    #[test]
    fn shapes_that_differ_are_an_error_that_names_them() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let p = tape.constant(&gpu.upload(&[2, 1], &[1.0, 2.0])?);
            let t = gpu.upload(&[2], &[1.0, 2.0])?;
            let message = Loss::Absolute.of(&tape, &p, &t).expect_err("different shapes").to_string();
            assert_eq!(message, "loss: shapes [2, 1] and [2] differ");
            Ok(())
        });
    }
}
