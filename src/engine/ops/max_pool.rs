//! 2×2 max-pooling with stride 2, alone or with a rectifier.
//!
//! y\[b\]\[r\]\[s\]\[c\] = max over i, j ∈ {0, 1} of x\[b\]\[2r+i\]\[2s+j\]\[c\]; a last odd row or
//! column is dropped. ∂L/∂x is g at the largest element of each cell (the first of equals in row
//! order) and 0 everywhere else.
//!
//! A rectifier before the pooling is the same as one after it, max(max(x, 0)) = max(max x, 0), and there it costs
//! nothing: [`relu_max_pool`] is both in one pass over memory, forward and back, where a rectifier before it would
//! write a tensor four times as large as the output, and mask one on the way back. Its gradient is g at the largest
//! element of a cell where that is positive.

use super::words::{self, ByNumbers};
use crate::engine::gpu::Source;
use crate::engine::{Gpu, Tape, Tensor, Var};
use crate::{Error, Result};

static FORWARD: Source =
    Source { name: "max_pool", parts: &[include_str!("../../../shaders/max_pool.wgsl")], in_bounds: true };
const CELLS: &str = include_str!("../../../shaders/max_pool_cells.wgsl");
static BACKWARD: Source = Source {
    name: "max_pool_gradient",
    parts: &[words::ONE, words::PLAIN, CELLS, include_str!("../../../shaders/max_pool_gradient.wgsl")],
    in_bounds: true,
};
static PLACES_BACKWARD: ByNumbers = words::by_numbers!("max_pool_places_gradient", CELLS);

pub(super) const KERNELS: &[&Source] = &[&FORWARD, &BACKWARD, &PLACES_BACKWARD[0], &PLACES_BACKWARD[1]];

const GROUP: usize = 64;

fn forward(gpu: &Gpu, x: &Tensor, [b, h, w, c]: [usize; 4], rectify: bool) -> Result<Tensor> {
    let y = gpu.tensor(&[b, h / 2, w / 2, c])?;
    let groups = [(w / 2 * c).div_ceil(GROUP) as u32, (h / 2) as u32, b as u32];
    gpu.launch(
        &FORWARD,
        &[("RECTIFY", u32::from(rectify))],
        &[x, &y],
        &[h as u32, w as u32, c as u32],
        groups,
    )?;
    Ok(y)
}

fn backward(gpu: &Gpu, from: [&Tensor; 2], shape: [usize; 4], rectify: bool) -> Result<Tensor> {
    back_by(gpu, (&BACKWARD, 1), ("RECTIFY", u32::from(rectify)), from, shape)
}

/// The gradient of the input, of shape \[B, H, W, C\], from that of the output and the places of the largest elements, as
/// [`forward_with_places_by`](super::conv2d::forward_with_places_by) writes them down.
pub(super) fn backward_by_places(gpu: &Gpu, [g, places]: [&Tensor; 2], shape: [usize; 4]) -> Result<Tensor> {
    let outputs = g.len() / places.len().max(1);
    // The bytes of two channels have to be in one word of places.
    let form = words::form(gpu, &PLACES_BACKWARD, outputs);
    back_by(gpu, form, ("OUTPUTS", outputs as u32), [g, places], shape)
}

fn back_by(
    gpu: &Gpu,
    (kernel, together): (&'static Source, usize),
    constant: (&'static str, u32),
    [g, beside]: [&Tensor; 2],
    [b, h, w, c]: [usize; 4],
) -> Result<Tensor> {
    let dx = gpu.tensor(&[b, h, w, c])?;
    let channels = c / together;
    let groups = [(w.div_ceil(2) * channels).div_ceil(GROUP) as u32, h.div_ceil(2) as u32, b as u32];
    gpu.launch(kernel, &[constant], &[g, beside, &dx], &[h as u32, w as u32, channels as u32], groups)?;
    Ok(dx)
}

fn pool(tape: &Tape, x: &Var, rectify: bool) -> Result<Var> {
    let shape = match *x.shape() {
        [b, h, w, c] if h >= 2 && w >= 2 => [b, h, w, c],
        ref other => {
            let message = format!("the input has shape {other:?}, not [B, H, W, C] with H and W at least 2");
            return Err(Error::shape(if rectify { "relu_max_pool" } else { "max_pool" }, message));
        }
    };
    let gpu = tape.gpu().clone();
    let y = forward(&gpu, x.value(), shape, rectify)?;
    let x_value = x.value().clone();
    Ok(tape.push(y, &[x], move |g| Ok(vec![Some(backward(&gpu, [g, &x_value], shape, rectify)?)])))
}

/// The largest of each 2×2 cell: \[B, H, W, C\] → \[B, ⌊H/2⌋, ⌊W/2⌋, C\].
///
/// # Errors
/// `x` has not four axes, or is narrower or lower than one cell.
pub fn max_pool(tape: &Tape, x: &Var) -> Result<Var> {
    pool(tape, x, false)
}

/// [`max_pool`] of max(x, 0), in one pass.
///
/// # Errors
/// As [`max_pool`].
pub fn relu_max_pool(tape: &Tape, x: &Var) -> Result<Var> {
    pool(tape, x, true)
}

/// The f64 reference of [`max_pool`]: the output, and for each of its elements the position in `x`
/// that it was taken from, where the gradient goes back to.
pub fn max_pool_reference(x: &[f64], [b, h, w, c]: [usize; 4]) -> (Vec<f64>, Vec<usize>) {
    let (mut values, mut positions) = (Vec::new(), Vec::new());
    for image in 0..b {
        for row in 0..h / 2 {
            for column in 0..w / 2 {
                for channel in 0..c {
                    let at = |i, j| ((image * h + 2 * row + i) * w + 2 * column + j) * c + channel;
                    let mut best = at(0, 0);
                    for other in [at(0, 1), at(1, 0), at(1, 1)] {
                        if x[other] > x[best] {
                            best = other;
                        }
                    }
                    values.push(x[best]);
                    positions.push(best);
                }
            }
        }
    }
    (values, positions)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn both_directions_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for shape in [[1, 2, 2, 1], [2, 5, 7, 3], [3, 2, 9, 17], [1, 13, 2, 65], [2, 6, 8, 16]] {
                let [b, h, w, c] = shape;
                let out = [b, h / 2, w / 2, c];
                let (x, g) = (check::random(&shape, 1, 1.0), check::random(&out, 2, 1.0));
                let (tx, tg) = (gpu.upload(&shape, &x)?, gpu.upload(&out, &g)?);
                let (values, positions) = max_pool_reference(&check::f64s(&x), shape);
                for (rectify, least) in [(false, f64::MIN), (true, 0.0)] {
                    let y = forward(gpu, &tx, shape, rectify)?;
                    assert_eq!(y.shape(), out);
                    check::close("max_pool", &gpu.read(&y)?, values.iter().map(|v| v.max(least)));
                    let mut gradient = vec![0.0; x.len()];
                    for ((&at, &g), &value) in positions.iter().zip(&g).zip(&values) {
                        gradient[at] = if value > least { f64::from(g) } else { 0.0 };
                    }
                    let found = gpu.read(&backward(gpu, [&tg, &tx], shape, rectify)?)?;
                    check::close("gradient", &found, gradient);
                }
            }
            Ok(())
        });
    }

    #[test]
    fn of_equals_the_first_gets_the_gradient() {
        check::on_every_gpu(|gpu| {
            let g = gpu.upload(&[1, 1, 1, 1], &[3.0])?;
            for (x, want) in [
                ([0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0]),
                ([0.0, 1.0, 1.0, 1.0], [0.0, 3.0, 0.0, 0.0]),
                ([0.0, -1.0, 1.0, 1.0], [0.0, 0.0, 3.0, 0.0]),
            ] {
                let x = gpu.upload(&[1, 2, 2, 1], &x)?;
                assert_eq!(gpu.read(&backward(gpu, [&g, &x], [1, 2, 2, 1], false)?)?, want);
            }
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        // Distinct values 0.05 apart in a scattered order: a step of 0.01 keeps every maximum.
        let shape = [2, 5, 6, 3];
        let n: usize = shape.iter().product();
        let x: Vec<f32> = (0..n).map(|i| 0.05 * ((i * 77 + 5) % n) as f32 - 4.0).collect();
        check::gradients_at("max_pool", &[&shape], std::slice::from_ref(&x), 0.01, |tape, v| {
            max_pool(tape, &v[0])
        });
        // And none of them near the rectifier's kink.
        let x = x.into_iter().map(|x| x + 0.025).collect();
        check::gradients_at("relu_max_pool", &[&shape], &[x], 0.01, |tape, v| relu_max_pool(tape, &v[0]));
    }

    #[test]
    fn a_nan_passes_so_that_it_shows() {
        check::on_every_gpu(|gpu| {
            let x = gpu.upload(&[1, 2, 2, 1], &[f32::NAN; 4])?;
            assert!(gpu.read(&forward(gpu, &x, [1, 2, 2, 1], true)?)?[0].is_nan());
            Ok(())
        });
    }

    #[test]
    fn an_input_smaller_than_a_cell_is_an_error() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.constant(&gpu.upload(&[1, 1, 4, 1], &[0.0; 4])?);
            let message = max_pool(&tape, &x).expect_err("one row").to_string();
            assert_eq!(
                message,
                "max_pool: the input has shape [1, 1, 4, 1], not [B, H, W, C] with H and W at least 2"
            );
            Ok(())
        });
    }
}
