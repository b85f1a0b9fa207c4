//! The stretch that compresses a galaxy's range of brightness: y = b·asinh(a·x), linear for
//! |x| ≪ 1/a and logarithmic beyond, with two positive numbers a and b.
//!
//! ∂L/∂x = g·a·b/√(1 + (a·x)²).

use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::{Gpu, Tape, Tensor, Var};
use crate::{Error, Result};

pub(super) const LN_1P: &str = include_str!("../../../shaders/ln_1p.wgsl");
/// [`LN_1P`] belongs to it.
pub(super) const ASINH: &str = include_str!("../../../shaders/asinh.wgsl");

static STRETCH: Source = Source {
    name: "stretch",
    parts: &[LN_1P, ASINH, include_str!("../../../shaders/stretch.wgsl")],
    in_bounds: true,
};

pub(super) const KERNELS: &[&Source] = &[&STRETCH];

fn launch(gpu: &Gpu, backward: u32, x: &Tensor, g: &Tensor, [a, b]: [f32; 2]) -> Result<Tensor> {
    let z = gpu.tensor(x.shape())?;
    let words = [a.to_bits(), b.to_bits()];
    gpu.launch(&STRETCH, &[("BACKWARD", backward)], &[x, g, &z], &words, linear_grid(z.len(), 256))?;
    Ok(z)
}

/// b·asinh(a·x), of the shape of `x`.
///
/// # Errors
/// `a` or `b` is not positive and finite.
pub fn stretch(tape: &Tape, x: &Var, a: f32, b: f32) -> Result<Var> {
    check_factors([a, b])?;
    let y = launch(tape.gpu(), 0, x.value(), x.value(), [a, b])?;
    Ok(push(tape, x, y, [a, b]))
}

/// Refuses factors that are no stretch's.
pub(super) fn check_factors([a, b]: [f32; 2]) -> Result<()> {
    if !(a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite()) {
        return Err(Error::shape("stretch", format!("a = {a} and b = {b} are not two positive numbers")));
    }
    Ok(())
}

/// Puts on the tape what was made of x with [a, b], by this or by something that goes back the same way.
pub(super) fn push(tape: &Tape, x: &Var, y: Tensor, factors: [f32; 2]) -> Var {
    let (gpu, x_value) = (tape.gpu().clone(), x.value().clone());
    tape.push(y, &[x], move |g| Ok(vec![Some(launch(&gpu, 1, &x_value, g, factors)?)]))
}

/// The f64 reference of [`stretch`].
pub fn stretch_reference(x: &[f64], a: f64, b: f64) -> Vec<f64> {
    x.iter().map(|x| b * (a * x).asinh()).collect()
}

/// The f64 reference of its gradient.
pub fn stretch_gradient_reference(x: &[f64], g: &[f64], a: f64, b: f64) -> Vec<f64> {
    x.iter().zip(g).map(|(x, g)| g * a * b / (1.0 + (a * x).powi(2)).sqrt()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    /// As the recipe for stamps with σ = 0.0032 has them.
    const A: f32 = 1.0 / (3.0 * 0.0032);
    const B: f32 = 1.0 / 3.0;

    #[test]
    fn both_directions_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for (n, scale) in [(1, 1.0), (3, 0.01), (257, 0.01), (1001, 3.0), (5000, 1000.0)] {
                let (x, g) = (check::random(&[n], 1, scale), check::random(&[n], 2, 1.0));
                let (tx, tg) = (gpu.upload(&[n], &x)?, gpu.upload(&[n], &g)?);
                let ([x, g], [a, b]) = ([&x, &g].map(|v| check::f64s(v)), [A, B].map(f64::from));
                let y = gpu.read(&launch(gpu, 0, &tx, &tx, [A, B])?)?;
                check::close("stretch", &y, stretch_reference(&x, a, b));
                let dx = gpu.read(&launch(gpu, 1, &tx, &tg, [A, B])?)?;
                check::close("gradient", &dx, stretch_gradient_reference(&x, &g, a, b));
            }
            Ok(())
        });
    }

    #[test]
    fn every_size_and_sign_keeps_its_digits() {
        // Each within 1e-6 of itself, from 1e-30 to 1e30, across the changes of formula.
        let powers = (-300..=300).map(|k| 10_f32.powf(k as f32 / 10.0));
        let edges = [0.0, 0.29, 0.3, 0.41, 0.7, 9.999e3, 1.0e4, 1.0001e4];
        let x: Vec<f32> = powers.chain(edges).flat_map(|x| [x, -x]).collect();
        check::on_every_gpu(|gpu| {
            let tx = gpu.upload(&[x.len()], &x)?;
            let y = gpu.read(&launch(gpu, 0, &tx, &tx, [1.0, 1.0])?)?;
            for (&x, &y) in x.iter().zip(&y) {
                let want = f64::from(x).asinh();
                assert!((f64::from(y) - want).abs() <= 1e-6 * want.abs(), "asinh({x}) = {y}, not {want}");
            }
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        check::gradients("stretch", &[&[5, 7]], 0.01, |tape, v| stretch(tape, &v[0], 2.0, 0.7));
    }

    #[test]
    fn a_factor_that_is_not_positive_is_an_error() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.constant(&gpu.upload(&[1], &[1.0])?);
            let message = stretch(&tape, &x, -2.0, 1.0).expect_err("negative").to_string();
            assert_eq!(message, "stretch: a = -2 and b = 1 are not two positive numbers");
            Ok(())
        });
    }
}
