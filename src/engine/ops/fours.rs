//! Kernels that draw: of two forms each, as those of `words`, and four numbers an invocation, as many as Philox makes at once.

use super::words::{self, ByNumbers};
use crate::Result;
use crate::engine::gpu::{device::linear_grid, kernel::Constants};
use crate::engine::{Gpu, Tensor};

/// The generator; what stands before it multiplies.
pub(super) const PHILOX: &str = include_str!("../../../shaders/philox.wgsl");
/// Products for any device.
pub(super) const HALVES: &str = include_str!("../../../shaders/product_halves.wgsl");
/// Products for one that has integers of 64 bits.
pub(super) const LONG: &str = include_str!("../../../shaders/product_long.wgsl");
/// Four numbers, loaded and stored one by one.
pub(super) const ONE: &str = include_str!("../../../shaders/fours_one.wgsl");
/// The same as two words.
pub(super) const TWO: &str = include_str!("../../../shaders/fours_two.wgsl");

/// Both forms of a kernel that draws, from the stem of its file and what stands before it.
macro_rules! by_fours {
    ($name:literal $(, $part:expr)*) => {
        words::forms!(
            $name,
            [fours::ONE, fours::HALVES, fours::PHILOX],
            [words::WORDS, fours::TWO, fours::LONG, fours::PHILOX]
            $(, $part)*
        )
    };
}
pub(super) use by_fours;

/// Launches the form that fits, from a tensor to another of its shape.
pub(super) fn launch(
    gpu: &Gpu,
    kernel: &'static ByNumbers,
    constants: Constants,
    x: &Tensor,
    immediates: &[u32],
) -> Result<Tensor> {
    let y = gpu.tensor(x.shape())?;
    let (source, _) = words::form(gpu, kernel, x.len());
    gpu.launch(source, constants, &[x, &y], immediates, linear_grid(x.len().div_ceil(4), 64))?;
    Ok(y)
}
