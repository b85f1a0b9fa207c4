//! Sums and means, in two passes and a fixed order: the same bits every time, without atomics.
//!
//! s = Σᵢ aᵢ and m = s/n, so ∂L/∂aᵢ = g for the sum and g/n for the mean, with g the gradient of
//! the one number that comes out.

use super::words::{self, ByNumbers};
use crate::Result;
use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::tape::Home;
use crate::engine::{Gpu, Tape, Tensor, Var};

static SUM_ROWS: ByNumbers = words::by_numbers!("sum_rows");
static FILL: Source =
    Source { name: "fill", parts: &[include_str!("../../../shaders/fill.wgsl")], in_bounds: true };

pub(super) const KERNELS: &[&Source] = &[&SUM_ROWS[0], &SUM_ROWS[1], &FILL];

/// The rows of a matrix, so many at a time: a row of the output each.
fn sum_blocks(
    gpu: &Gpu,
    [input, output]: [&Tensor; 2],
    rows: usize,
    per_block: usize,
    factor: f32,
) -> Result<()> {
    let columns = input.len() / rows.max(1);
    let (source, together) = words::form(gpu, &SUM_ROWS, columns);
    let words = [rows as u32, (columns / together) as u32, per_block as u32, factor.to_bits()];
    gpu.launch(source, &[], &[input, output], &words, linear_grid(output.len() / together, 64))
}

/// The sum over the rows of a matrix, times `factor`: \[rows\]\[columns\] → \[columns\], whatever the shape of `output` is
/// called. The first pass leaves about √rows blocks, so that both have work for many invocations.
pub(crate) fn sum_rows_into(
    gpu: &Gpu,
    output: &Tensor,
    input: &Tensor,
    rows: usize,
    factor: f32,
) -> Result<()> {
    if rows <= 64 {
        return sum_blocks(gpu, [input, output], rows, rows.max(1), factor);
    }
    let per_block = (rows as f64).sqrt().ceil() as usize;
    let partial = gpu.tensor(&[rows.div_ceil(per_block), input.len() / rows])?;
    sum_blocks(gpu, [input, &partial], rows, per_block, 1.0)?;
    let blocks = partial.shape()[0];
    sum_blocks(gpu, [&partial, output], blocks, blocks, factor)
}

/// As [`sum_rows_into`], into a tensor of its own.
pub(crate) fn sum_rows(gpu: &Gpu, input: &Tensor, rows: usize, factor: f32) -> Result<Tensor> {
    let output = gpu.tensor(&[input.len() / rows.max(1)])?;
    sum_rows_into(gpu, &output, input, rows, factor)?;
    Ok(output)
}

/// The sum over the rows of a matrix: a gradient, where it belongs.
pub(super) fn sum_rows_at(gpu: &Gpu, input: &Tensor, rows: usize, home: &Home) -> Result<Tensor> {
    let output = home.claim(gpu, &[input.len() / rows.max(1)])?;
    sum_rows_into(gpu, &output, input, rows, 1.0)?;
    Ok(output)
}

fn reduce(tape: &Tape, a: &Var, factor: f32) -> Result<Var> {
    let (gpu, shape) = (tape.gpu().clone(), a.shape().to_vec());
    let total = sum_rows(&gpu, a.value(), a.value().len(), factor)?;
    Ok(tape.push(total, &[a], move |g| {
        let da = gpu.tensor(&shape)?;
        gpu.launch(&FILL, &[], &[g, &da], &[factor.to_bits()], linear_grid(da.len(), 256))?;
        Ok(vec![Some(da)])
    }))
}

/// The sum of all elements, of shape \[1\].
pub fn sum(tape: &Tape, a: &Var) -> Result<Var> {
    reduce(tape, a, 1.0)
}

/// The mean of all elements, of shape \[1\].
pub fn mean(tape: &Tape, a: &Var) -> Result<Var> {
    reduce(tape, a, 1.0 / a.value().len() as f32)
}

/// The f64 reference of the sum over the rows of a matrix with `columns` columns.
pub fn sum_rows_reference(input: &[f64], columns: usize) -> Vec<f64> {
    let mut total = vec![0.0; columns];
    for row in input.chunks(columns) {
        total.iter_mut().zip(row).for_each(|(t, x)| *t += x);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn sums_over_rows_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for (rows, columns) in
                [(1, 1), (1, 2), (1, 7), (64, 3), (65, 3), (1000, 5), (1001, 6), (4099, 16), (3, 300)]
            {
                let input = check::random(&[rows, columns], 1, 1.0);
                let tensor = gpu.upload(&[rows, columns], &input)?;
                let reference = sum_rows_reference(&check::f64s(&input), columns);
                check::close("sum_rows", &gpu.read(&sum_rows(gpu, &tensor, rows, 1.0)?)?, reference);
            }
            Ok(())
        });
    }

    #[test]
    fn the_mean_is_the_sum_over_the_count() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let a = tape.constant(&gpu.upload(&[3], &[1.0, 2.0, 6.0])?);
            assert_eq!(gpu.read(mean(&tape, &a)?.value())?, [3.0]);
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        check::gradients("sum", &[&[7, 13]], 0.1, |tape, v| sum(tape, &v[0]));
        check::gradients("mean", &[&[7, 13]], 0.1, |tape, v| mean(tape, &v[0]));
    }
}
