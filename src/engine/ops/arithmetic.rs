//! Sums, products and multiples, element by element, and the glue that tests are made of.
//!
//! | operation | z | ∂L/∂a | ∂L/∂b |
//! |---|---|---|---|
//! | [`add`] | a + b | g | g |
//! | [`multiply`] | a·b | g·b | g·a |
//! | [`scale`] | s·a | s·g | – |
//!
//! with g = ∂L/∂z.

use super::same_shape;
use super::words::{self, ByNumbers};
use crate::Result;
use crate::engine::gpu::Source;
use crate::engine::{Gpu, Tape, Tensor, Var};

static ELEMENTWISE: ByNumbers = words::by_numbers!("elementwise");

pub(super) const KERNELS: &[&Source] = &[&ELEMENTWISE[0], &ELEMENTWISE[1]];

fn launch(gpu: &Gpu, operation: u32, a: &Tensor, b: &Tensor, s: f32) -> Result<Tensor> {
    let z = gpu.tensor(a.shape())?;
    words::launch_flat(gpu, &ELEMENTWISE, &[("OPERATION", operation)], &[a, b, &z], &[s.to_bits()])?;
    Ok(z)
}

/// a + b, outside the tape.
pub(crate) fn add_tensors(gpu: &Gpu, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launch(gpu, 0, a, b, 0.0)
}

/// a·b, outside the tape.
pub(crate) fn multiply_tensors(gpu: &Gpu, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    launch(gpu, 1, a, b, 0.0)
}

/// s·a, outside the tape.
pub(crate) fn scale_tensor(gpu: &Gpu, a: &Tensor, s: f32) -> Result<Tensor> {
    launch(gpu, 2, a, a, s)
}

/// a + b of tensors of the same shape.
pub fn add(tape: &Tape, a: &Var, b: &Var) -> Result<Var> {
    same_shape("add", a.shape(), b.shape())?;
    let z = add_tensors(tape.gpu(), a.value(), b.value())?;
    Ok(tape.push(z, &[a, b], |g| Ok(vec![Some(g.clone()), Some(g.clone())])))
}

/// a·b, element by element, of tensors of the same shape.
pub fn multiply(tape: &Tape, a: &Var, b: &Var) -> Result<Var> {
    same_shape("multiply", a.shape(), b.shape())?;
    let (gpu, values) = (tape.gpu().clone(), (a.value().clone(), b.value().clone()));
    let z = multiply_tensors(&gpu, a.value(), b.value())?;
    let needed = (a.needs_gradient(), b.needs_gradient());
    Ok(tape.push(z, &[a, b], move |g| {
        let da = needed.0.then(|| multiply_tensors(&gpu, g, &values.1)).transpose()?;
        let db = needed.1.then(|| multiply_tensors(&gpu, g, &values.0)).transpose()?;
        Ok(vec![da, db])
    }))
}

/// s·a.
pub fn scale(tape: &Tape, a: &Var, s: f32) -> Result<Var> {
    let gpu = tape.gpu().clone();
    let z = scale_tensor(&gpu, a.value(), s)?;
    Ok(tape.push(z, &[a], move |g| Ok(vec![Some(scale_tensor(&gpu, g, s)?)])))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn arithmetic_matches_the_reference() {
        check::on_every_gpu(|gpu| {
            for n in [1, 3, 255, 256, 257, 258, 1001, 1002] {
                let (a, b) = (check::random(&[n], 1, 2.0), check::random(&[n], 2, 2.0));
                let (ta, tb) = (gpu.upload(&[n], &a)?, gpu.upload(&[n], &b)?);
                let pairs = || a.iter().zip(&b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
                check::close("add", &gpu.read(&add_tensors(gpu, &ta, &tb)?)?, pairs().map(|(a, b)| a + b));
                check::close(
                    "multiply",
                    &gpu.read(&multiply_tensors(gpu, &ta, &tb)?)?,
                    pairs().map(|(a, b)| a * b),
                );
                check::close(
                    "scale",
                    &gpu.read(&scale_tensor(gpu, &ta, -1.5)?)?,
                    pairs().map(|(a, _)| -1.5 * a),
                );
            }
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        check::gradients("multiply and add", &[&[5, 3], &[5, 3]], 0.01, |tape, v| {
            let product = multiply(tape, &v[0], &v[1])?;
            add(tape, &scale(tape, &product, 1.7)?, &v[1])
        });
    }

    #[test]
    fn shapes_that_differ_are_an_error_that_names_them() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let a = tape.constant(&gpu.upload(&[2], &[1.0, 2.0])?);
            let b = tape.constant(&gpu.upload(&[1], &[1.0])?);
            let message = add(&tape, &a, &b).expect_err("different shapes").to_string();
            assert_eq!(message, "add: shapes [2] and [1] differ");
            Ok(())
        });
    }
}
