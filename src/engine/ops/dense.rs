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
//! The three products are one kernel under three sets of strides. A long sum over few outputs, as
//! in the forward product, is cut into chunks that a second pass adds in their order.

use super::{reduce, relu};
use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::{Gpu, Tape, Tensor, Var};
use crate::{Error, Result};

const PRODUCT: &str = include_str!("../../../shaders/dense_product.wgsl");
static PRODUCT_BROADCAST: Source = Source {
    name: "dense_product",
    parts: &[include_str!("../../../shaders/dense_eight_broadcast.wgsl"), PRODUCT],
    in_bounds: true,
};
static PRODUCT_LOAD: Source = Source {
    name: "dense_product",
    parts: &[include_str!("../../../shaders/dense_eight_load.wgsl"), PRODUCT],
    in_bounds: true,
};
static FINISH: Source = Source {
    name: "dense_finish",
    parts: &[include_str!("../../../shaders/dense_finish.wgsl")],
    in_bounds: true,
};

pub(super) const KERNELS: &[&Source] = &[&PRODUCT_BROADCAST, &PRODUCT_LOAD, &FINISH];

/// Columns of a workgroup's tile, as in the kernel.
const TILE_COLUMNS: usize = 128;
/// Terms that a chunk of a sum has at least.
const SHORTEST_CHUNK: usize = 256;
/// Workgroups that are enough to fill a device.
const ENOUGH_GROUPS: usize = 512;

/// A matrix in memory: the tensor, and how far apart its rows and its columns are.
type Strided<'a> = (&'a Tensor, usize, usize);

/// Rows, columns and terms of a product.
#[derive(Clone, Copy)]
struct Size {
    rows: usize,
    columns: usize,
    terms: usize,
}

/// The kernel that suits the device.
fn product_source(gpu: &Gpu) -> &'static Source {
    if gpu.subgroup_sizes().is_some_and(|(smallest, _)| smallest >= 8) {
        &PRODUCT_BROADCAST
    } else {
        &PRODUCT_LOAD
    }
}

fn rows_of_a_tile(rows: usize) -> usize {
    [8, 16].into_iter().find(|&tile| rows <= tile).unwrap_or(32)
}

/// How many chunks the terms of a forward product are cut into: more where there are few tiles.
fn chunks(size: Size) -> usize {
    let tiles = size.columns.div_ceil(TILE_COLUMNS) * size.rows.div_ceil(rows_of_a_tile(size.rows));
    size.terms.div_ceil(SHORTEST_CHUNK).min(ENOUGH_GROUPS.div_ceil(tiles.max(1))).max(1)
}

/// Chunks of the forward product of \[rows, terms\] and \[terms, columns\], which are in memory together.
pub(in crate::engine) fn forward_chunks(rows: usize, columns: usize, terms: usize) -> usize {
    chunks(Size { rows, columns, terms })
}

/// a·b as \[chunks\]\[rows\]\[columns\], each the sum over one part of the terms.
fn product(
    gpu: &Gpu,
    source: &'static Source,
    (a, a_row, a_step): Strided,
    (b, b_step, b_column): Strided,
    Size { rows, columns, terms }: Size,
    chunks: usize,
) -> Result<Tensor> {
    // A whole number of the kernel's steps of eight terms; the last chunks may then be empty.
    let chunk = terms.div_ceil(chunks).next_multiple_of(8);
    let c = gpu.tensor(&[chunks, rows, columns])?;
    let tile = rows_of_a_tile(rows);
    let groups = [columns.div_ceil(TILE_COLUMNS) as u32, rows.div_ceil(tile) as u32, chunks as u32];
    let words = [rows, columns, terms, chunk, a_row, a_step, b_step, b_column].map(|n| n as u32);
    gpu.launch(source, &[("ROWS", tile as u32)], &[a, b, &c], &words, groups)?;
    gpu.states_flops(2 * rows * columns * terms);
    Ok(c)
}

fn forward(
    gpu: &Gpu,
    source: &'static Source,
    [x, w, b]: [&Tensor; 3],
    size: Size,
    relu: bool,
) -> Result<Tensor> {
    let Size { rows, columns, terms } = size;
    let chunks = chunks(size);
    let partial = product(gpu, source, (x, terms, 1), (w, columns, 1), size, chunks)?;
    let y = gpu.tensor(&[rows, columns])?;
    let words = [chunks as u32, columns as u32, u32::from(relu)];
    gpu.launch(&FINISH, &[], &[&partial, b, &y], &words, linear_grid(y.len(), 64))?;
    Ok(y)
}

/// g·Wᵀ, where `size` is that of the forward product.
fn input_gradient(gpu: &Gpu, source: &'static Source, g: &Tensor, w: &Tensor, size: Size) -> Result<Tensor> {
    let Size { rows, columns, terms } = size;
    let size = Size { rows, columns: terms, terms: columns };
    Ok(product(gpu, source, (g, columns, 1), (w, 1, columns), size, 1)?.reshaped(&[rows, terms]))
}

/// xᵀ·g, where `size` is that of the forward product.
fn weight_gradient(gpu: &Gpu, source: &'static Source, g: &Tensor, x: &Tensor, size: Size) -> Result<Tensor> {
    let Size { rows, columns, terms } = size;
    let size = Size { rows: terms, columns, terms: rows };
    Ok(product(gpu, source, (x, 1, terms), (g, columns, 1), size, 1)?.reshaped(&[terms, columns]))
}

fn layer(tape: &Tape, [x, w, b]: [&Var; 3], rectify: bool) -> Result<Var> {
    let size = match (x.shape(), w.shape(), b.shape()) {
        (&[rows, inputs], &[terms, columns], &[biases]) if inputs == terms && biases == columns => {
            Size { rows, columns, terms }
        }
        (x, w, b) => {
            let message = format!("input {x:?}, weights {w:?} and bias {b:?} are not [B, I], [I, O] and [O]");
            return Err(Error::shape(if rectify { "dense_relu" } else { "dense" }, message));
        }
    };
    let gpu = tape.gpu().clone();
    let source = product_source(&gpu);
    let (x_value, w_value) = (x.value().clone(), w.value().clone());
    let y = forward(&gpu, source, [&x_value, &w_value, b.value()], size, rectify)?;
    let needed = [x, w, b].map(Var::needs_gradient);
    let rectified = rectify.then(|| y.clone());
    Ok(tape.push(y, &[x, w, b], move |g| {
        let masked = rectified.map(|y| relu::mask(&gpu, g, &y)).transpose()?;
        let g = masked.as_ref().unwrap_or(g);
        let dx = needed[0].then(|| input_gradient(&gpu, source, g, &w_value, size)).transpose()?;
        let dw = needed[1].then(|| weight_gradient(&gpu, source, g, &x_value, size)).transpose()?;
        let db = needed[2].then(|| reduce::sum_rows(&gpu, g, size.rows, 1.0)).transpose()?;
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

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    /// Batch, inputs and outputs: single ones, ones that divide nothing, every height of a tile, and
    /// sums of several chunks, whole and not.
    const SIZES: [[usize; 3]; 9] = [
        [1, 1, 1],
        [1, 5, 3],
        [7, 64, 1],
        [9, 13, 33],
        [16, 257, 64],
        [17, 600, 129],
        [33, 1025, 31],
        [64, 2048, 128],
        [3, 3000, 200],
    ];

    #[test]
    fn every_product_matches_the_reference() {
        check::on_every_gpu(|gpu| {
            for source in [product_source(gpu), &PRODUCT_LOAD] {
                for [rows, terms, columns] in SIZES {
                    let size = Size { rows, columns, terms };
                    let what = |name| format!("{name} of {rows}×{terms} by {columns}");
                    let values = [[rows, terms], [terms, columns], [1, columns], [rows, columns]];
                    let values: Vec<Vec<f32>> =
                        (0..4).map(|i| check::random(&values[i], i as u32, 1.0)).collect();
                    let [x, w, b, g] = [0, 1, 2, 3].map(|i| check::f64s(&values[i]));
                    let tensors: Vec<Tensor> =
                        values.iter().map(|v| gpu.upload(&[v.len()], v)).collect::<Result<_>>()?;
                    let [tx, tw, tb, tg] = [0, 1, 2, 3].map(|i| &tensors[i]);

                    let linear = product_reference(&x, &w, [rows, terms, columns]);
                    let with_bias = linear.iter().enumerate().map(|(i, y)| y + b[i % columns]);
                    let y = forward(gpu, source, [tx, tw, tb], size, false)?;
                    check::close(&what("dense"), &gpu.read(&y)?, with_bias.clone());
                    let y = forward(gpu, source, [tx, tw, tb], size, true)?;
                    check::close(&what("dense_relu"), &gpu.read(&y)?, with_bias.map(|y| y.max(0.0)));

                    let transposed = transpose_reference(&w, [terms, columns]);
                    let dx = product_reference(&g, &transposed, [rows, columns, terms]);
                    let got = input_gradient(gpu, source, tg, tw, size)?;
                    check::close(&what("input gradient"), &gpu.read(&got)?, dx);

                    let transposed = transpose_reference(&x, [rows, terms]);
                    let dw = product_reference(&transposed, &g, [terms, rows, columns]);
                    let got = weight_gradient(gpu, source, tg, tx, size)?;
                    check::close(&what("weight gradient"), &gpu.read(&got)?, dw);
                }
            }
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        for [rows, terms, columns] in [[5, 7, 3], [1, 9, 1], [3, 700, 2]] {
            let shapes: [&[usize]; 3] = [&[rows, terms], &[terms, columns], &[columns]];
            check::gradients("dense", &shapes, 0.05, |tape, v| dense(tape, &v[0], &v[1], &v[2]));
        }
    }

    #[test]
    fn gradients_through_the_rectifier_match_finite_differences() {
        // Biases of ±4 against |x·W| below 1.6: no output comes near the kink, half of them are cut.
        let values =
            vec![check::random(&[5, 7], 0, 0.6), check::random(&[7, 4], 1, 0.6), vec![4.0, -4.0, 4.5, -4.5]];
        check::gradients_at("dense_relu", &[&[5, 7], &[7, 4], &[4]], &values, 0.02, |tape, v| {
            dense_relu(tape, &v[0], &v[1], &v[2])
        });
    }

    #[test]
    fn shapes_that_do_not_fit_are_an_error_that_names_them() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let zeros = |shape: &[usize]| -> Result<Var> {
                Ok(tape.constant(&gpu.upload(shape, &vec![0.0; shape.iter().product()])?))
            };
            let (w, b) = (zeros(&[3, 4])?, zeros(&[4])?);
            let message = |e: Error| e.to_string();
            assert_eq!(
                dense(&tape, &zeros(&[2, 5])?, &w, &b).map_err(message).err().as_deref(),
                Some("dense: input [2, 5], weights [3, 4] and bias [4] are not [B, I], [I, O] and [O]")
            );
            assert_eq!(
                dense_relu(&tape, &zeros(&[2, 3, 1])?, &w, &b).map_err(message).err().as_deref(),
                Some(
                    "dense_relu: input [2, 3, 1], weights [3, 4] and bias [4] are not [B, I], [I, O] and [O]"
                )
            );
            Ok(())
        });
    }
}
