//! How fast the device computes and copies at best, by kernels that do nothing else.

use super::stopwatch::{enough_launches, seconds};
use crate::Result;
use crate::engine::Gpu;
use crate::engine::gpu::{Source, device::linear_grid};

static MULTIPLY_ADD: Source = Source {
    name: "peak_multiply_add",
    parts: &[include_str!("../../../shaders/peak_multiply_add.wgsl")],
    in_bounds: true,
};
static COPY: Source =
    Source { name: "peak_copy", parts: &[include_str!("../../../shaders/peak_copy.wgsl")], in_bounds: true };

pub(in crate::engine) const KERNELS: &[&Source] = &[&MULTIPLY_ADD, &COPY];

/// Floating-point operations that an invocation of the kernel makes in a round.
const OPERATIONS: f64 = 2.0 * 96.0;
/// Invocations and rounds: enough to fill a GPU, and few enough for a processor not to take long.
const GPU: (usize, u32) = (1 << 20, 256);
const SOFTWARE: (usize, u32) = (1 << 14, 1024);
/// Bytes of each of the two tensors of a copy, more than caches hold.
const COPIED: u64 = 256 << 20;

/// What a device does at best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Floating-point operations a second, two for each multiply-add.
    pub operations: f64,
    /// Bytes a second read and written.
    pub bytes: f64,
}

impl Peak {
    /// The most operations a second for work of so many operations a byte.
    pub fn roof(&self, intensity: f64) -> f64 {
        self.operations.min(intensity * self.bytes)
    }
}

/// Measures both, the best of `repeats` times.
///
/// # Errors
/// Whatever went wrong on the device.
pub fn peak(gpu: &Gpu, repeats: usize) -> Result<Peak> {
    let (invocations, rounds) = if gpu.is_software() { SOFTWARE } else { GPU };
    // v·a + b stays near 1 for any number of rounds.
    let factors = gpu.upload(&[2], &[0.5, 0.5])?;
    let multiply_add = || {
        let y = gpu.tensor(&[invocations])?;
        let grid = linear_grid(invocations, 64);
        gpu.launch(&MULTIPLY_ADD, &[("ROUNDS", rounds)], &[&factors, &y], &[], grid)?;
        Ok(y)
    };
    let bytes = COPIED.min(gpu.limits().max_storage_buffer_binding_size / 2) / 4096 * 4096;
    let numbers = (bytes / 4) as usize;
    let from = gpu.upload(&[numbers], &vec![1.0; numbers])?;
    let copy = || {
        let to = gpu.tensor(&[numbers])?;
        gpu.launch(&COPY, &[], &[&from, &to], &[], linear_grid(numbers / 16, 64))?;
        Ok(to)
    };
    let best = |run: &dyn Fn() -> Result<crate::engine::Tensor>| -> Result<f64> {
        seconds(gpu, 1, run)?;
        let launches = enough_launches(seconds(gpu, 1, run)?);
        (0..repeats.max(1)).try_fold(f64::INFINITY, |best, _| Ok(best.min(seconds(gpu, launches, run)?)))
    };
    Ok(Peak {
        operations: OPERATIONS * invocations as f64 * f64::from(rounds) / best(&multiply_add)?,
        bytes: 2.0 * bytes as f64 / best(&copy)?,
    })
}
