//! Kernels that have one number of each tensor an invocation, or two that are loaded and stored as a word: see
//! `shaders/words.wgsl`.

use crate::Result;
use crate::engine::gpu::{Source, device::linear_grid, kernel::Constants};
use crate::engine::{Gpu, Tensor};

/// Two numbers as a word.
pub(super) const WORDS: &str = include_str!("../../../shaders/words.wgsl");
/// Numbers as they are.
pub(super) const PLAIN: &str = include_str!("../../../shaders/plain.wgsl");
/// What a kernel begins with that has one number of each tensor; [`PLAIN`] belongs to it.
pub(super) const ONE: &str = include_str!("../../../shaders/numbers_one.wgsl");
/// What it begins with that has two; [`WORDS`] belong to it.
pub(super) const TWO: &str = include_str!("../../../shaders/numbers_two.wgsl");

/// A kernel for one number an invocation, and for two.
pub(super) type ByNumbers = [Source; 2];

/// Both forms of a kernel, from the stem of its file, what either begins with, and what stands before it in both.
macro_rules! forms {
    ($name:literal, [$($one:expr),*], [$($two:expr),*] $(, $part:expr)*) => {
        [
            Source {
                name: $name,
                parts: &[
                    $($one,)*
                    $($part,)*
                    include_str!(concat!("../../../shaders/", $name, ".wgsl")),
                ],
                in_bounds: true,
            },
            Source {
                name: $name,
                parts: &[
                    $($two,)*
                    $($part,)*
                    include_str!(concat!("../../../shaders/", $name, ".wgsl")),
                ],
                in_bounds: true,
            },
        ]
    };
}
pub(super) use forms;

/// Both forms of a kernel for one number of each tensor an invocation, and for two.
macro_rules! by_numbers {
    ($name:literal $(, $part:expr)*) => {
        words::forms!($name, [words::ONE, words::PLAIN], [words::TWO, words::WORDS] $(, $part)*)
    };
}
pub(super) use by_numbers;

/// The form for tensors whose rows have `count` numbers, and how many an invocation has of them: two where the device uses
/// words and `count` is even.
pub(super) fn form(gpu: &Gpu, kernel: &'static ByNumbers, count: usize) -> (&'static Source, usize) {
    let two = gpu.uses_words() && count.is_multiple_of(2);
    (&kernel[usize::from(two)], if two { 2 } else { 1 })
}

/// Launches the form that fits for flat tensors with as many elements each, in workgroups of 256 invocations.
pub(super) fn launch_flat(
    gpu: &Gpu,
    kernel: &'static ByNumbers,
    constants: Constants,
    tensors: &[&Tensor],
    immediates: &[u32],
) -> Result<()> {
    let count = tensors.first().map_or(0, |tensor| tensor.len());
    let (source, together) = form(gpu, kernel, count);
    gpu.launch(source, constants, tensors, immediates, linear_grid(count / together, 256))
}
