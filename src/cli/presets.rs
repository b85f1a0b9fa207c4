//! The layers that kernels are timed and tuned on: those of the two architectures.

use crate::Result;
use crate::engine::Gpu;
use crate::engine::ladder::{Work, heaviest_of, layers};
use crate::engine::nn::Network;
use crate::legato::{Architecture, Stretching};

/// Pixels along a stamp's side.
const STAMP: usize = 128;
/// The same where only two layers are timed, to see that it works.
const SMALL_STAMP: usize = 32;

/// Both networks.
pub fn both() -> [Network; 2] {
    [Architecture::One, Architecture::Two].map(|a| a.network(STAMP, Stretching::None))
}

/// Stamps in a batch: as many as training takes on a GPU; on a processor fewer, which tell the same.
pub fn batch(gpu: &Gpu, quick: bool) -> usize {
    match (quick, gpu.is_software()) {
        (true, _) => 1,
        (false, true) => 4,
        (false, false) => 64,
    }
}

/// The heaviest convolution of Architecture 2 and its heaviest dense layer, for small stamps.
///
/// # Errors
/// None that the presets meet.
pub fn two(batch: usize) -> Result<Vec<Work>> {
    let all = layers(&[Architecture::Two.network(SMALL_STAMP, Stretching::None)], batch)?;
    let top = |dense: bool| heaviest_of(&all, |work| matches!(work, Work::Dense(_)) == dense);
    Ok([top(false), top(true)].into_iter().flatten().collect())
}
