//! The dense layer, with or without a rectifier.
//!
//! y = f(x·W + b), with x \[B, I\], W \[I, O\], b \[O\], y \[B, O\] and f(v) = v or max(v, 0). With
//! g = ∂L/∂y, and g = 0 where the rectifier gave 0:
//!
//! | gradient | |
//! |---|---|
//! | ∂L/∂x = g·Wᵀ | \[B, I\], sums over O |
//! | ∂L/∂W = xᵀ·g | \[I, O\], sums over B |
//! | ∂L/∂b = Σ_B g | \[O\] |
//!
//! The three products are the same kernels under three sets of strides. A long sum over few outputs, as
//! in the forward product, is cut into chunks that a second pass adds in their order.

mod product;

#[cfg(test)]
mod tests;

pub(super) use product::KERNELS;
pub(in crate::engine) use product::forward_chunks;
use product::weight_gradient_at;
pub use product::{fits, forward_by, input_gradient_by, weight_gradient_by};

use super::reduce;
use crate::engine::gpu::{Choice, Pass, Weights};
use crate::engine::{Gpu, Masks, Tape, Var};
use crate::{Error, Result};

/// The sizes of a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Examples, B.
    pub batch: usize,
    /// Numbers in of an example, I.
    pub inputs: usize,
    /// Numbers out of an example, O.
    pub outputs: usize,
}

impl Geometry {
    /// Its weights, by which a tuned kernel is looked up.
    pub fn weights(&self) -> Weights {
        Weights::Dense { inputs: self.inputs, outputs: self.outputs }
    }

    /// Multiply-adds of each of the three products.
    pub fn macs(&self) -> u64 {
        [self.batch, self.inputs, self.outputs].iter().map(|&n| n as u64).product()
    }
}

/// The kernel that runs a pass of a dense layer on this device.
pub fn choice(gpu: &Gpu, pass: Pass, geometry: &Geometry) -> Choice {
    let subgroups = gpu.subgroup_sizes();
    gpu.tuning().choose(pass, &geometry.weights(), geometry.batch, |rung| fits(rung, geometry, subgroups))
}

fn layer(tape: &Tape, [x, w, b]: [&Var; 3], rectify: bool) -> Result<Var> {
    let geometry = match (x.shape(), w.shape(), b.shape()) {
        (&[batch, inputs], &[terms, outputs], &[biases]) if inputs == terms && biases == outputs => {
            Geometry { batch, inputs, outputs }
        }
        (x, w, b) => {
            let message = format!("input {x:?}, weights {w:?} and bias {b:?} are not [B, I], [I, O] and [O]");
            return Err(Error::shape(if rectify { "dense_relu" } else { "dense" }, message));
        }
    };
    let gpu = tape.gpu().clone();
    let (x_value, w_value) = (x.value().clone(), w.value().clone());
    let by = |pass| choice(tape.gpu(), pass, &geometry);
    let y = forward_by(&gpu, by(Pass::Forward), &geometry, [&x_value, &w_value, b.value()], rectify)?;
    let [back_x, back_w] = [Pass::InputGradient, Pass::WeightGradient].map(by);
    let (needs_dx, [of_weights, of_bias]) = (x.needs_gradient(), [w, b].map(Var::home));
    let masks = Masks { of_output: rectify.then_some(1.0), of_input: false };
    Ok(tape.push_with(masks, y, &[x, w, b], move |g| {
        let dx = needs_dx.then(|| input_gradient_by(&gpu, back_x, &geometry, &w_value, g)).transpose()?;
        let dw = of_weights.map(|home| weight_gradient_at(&gpu, back_w, &geometry, [&x_value, g], &home));
        let db = of_bias.map(|home| reduce::sum_rows_at(&gpu, g, geometry.batch, &home));
        let (dw, db) = (dw.transpose()?, db.transpose()?);
        Ok(vec![dx, dw, db])
    }))
}

/// x·W + b: \[B, I\], \[I, O\] and \[O\] → \[B, O\].
///
/// # Errors
/// Shapes that are not these.
pub fn dense(tape: &Tape, x: &Var, w: &Var, b: &Var) -> Result<Var> {
    layer(tape, [x, w, b], false)
}

/// max(x·W + b, 0): \[B, I\], \[I, O\] and \[O\] → \[B, O\].
///
/// # Errors
/// Shapes that are not these.
pub fn dense_relu(tape: &Tape, x: &Var, w: &Var, b: &Var) -> Result<Var> {
    layer(tape, [x, w, b], true)
}

/// The f64 reference of a product of matrices: a \[M, K\] · b \[K, N\] → \[M, N\].
pub fn product_reference(a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let mut c = vec![0.0; m * n];
    for row in 0..m {
        for column in 0..n {
            c[row * n + column] = (0..k).map(|i| a[row * k + i] * b[i * n + column]).sum();
        }
    }
    c
}

/// The f64 reference of a transposed matrix: a \[M, N\] → \[N, M\].
pub fn transpose_reference(a: &[f64], [m, n]: [usize; 2]) -> Vec<f64> {
    (0..m * n).map(|i| a[i % m * n + i / m]).collect()
}
