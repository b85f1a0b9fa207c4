//! How much device memory a step takes, before it is taken: a rehearsal of the step, in which every tensor is only
//! counted.

mod rehearsal;

use super::Network;
use crate::engine::{Gpu, pack};
use crate::{Error, Result};
use rehearsal::{Piece, Rehearsal};
use std::fmt;

/// The device memory of one step of a network, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Inputs a step.
    pub batch: usize,
    /// Weights and biases.
    pub parameters: u64,
    /// The gradient of each and Adam's two averages; 0 without training.
    pub adam: u64,
    /// The input and what becomes of it, as far as it is in memory together.
    pub activations: u64,
    /// What the way back takes besides; 0 without training.
    pub backward: u64,
    /// The largest tensor.
    pub largest: u64,
    /// What that is, as in "the gradient of the input of layer 3 (max-pool 2×2)".
    pub largest_is: String,
    network: Network,
}

impl Budget {
    /// Of a step of training with Adam, its batch augmented on the device.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn training(gpu: &Gpu, network: &Network, batch: usize) -> Result<Self> {
        Self::of(gpu, network, batch, true)
    }

    /// Of one inference.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn inference(gpu: &Gpu, network: &Network, batch: usize) -> Result<Self> {
        Self::of(gpu, network, batch, false)
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.parameters + self.adam + self.activations + self.backward
    }

    /// Refuses a step that the device has no room for, as far as that can be known: of the memory of a GPU wgpu tells
    /// nothing, a software adapter's is the machine's.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] with what does not fit and the largest batch that would.
    pub fn check(&self, gpu: &Gpu) -> Result<()> {
        let room = if gpu.is_software() { free_memory() } else { None };
        self.check_within(gpu, gpu.largest_tensor(), room)
    }

    fn check_within(&self, gpu: &Gpu, tensor: u64, room: Option<u64>) -> Result<()> {
        let room = room.unwrap_or(u64::MAX);
        let what = if self.largest > tensor {
            let (size, limit) = (Bytes(self.largest), Bytes(tensor));
            format!("{} takes {size}; no tensor may take more than {limit} here", self.largest_is)
        } else if self.total() > room {
            format!("a step takes {self}; {} are free", Bytes(room))
        } else {
            return Ok(());
        };
        let training = self.adam > 0;
        let fits = |batch: usize| {
            let found = Self::of(gpu, &self.network, batch, training)?;
            Ok(found.largest <= tensor && found.total() <= room)
        };
        let advice = match most(self.batch, fits)? {
            0 => "not even one image fits".to_owned(),
            batch => format!("a batch of {batch} fits"),
        };
        Err(Error::OutOfMemory { message: format!("{what}; {advice}") })
    }

    fn of(gpu: &Gpu, network: &Network, batch: usize, training: bool) -> Result<Self> {
        let outlines = network.outlines()?;
        let step = Rehearsal::new(gpu, batch);
        let counts: Vec<usize> =
            outlines.iter().flat_map(|o| &o.parameters).map(|p| p.shape.iter().product()).collect();
        let pieces = pack::lengths(gpu, &counts);
        let all = |what| pieces.iter().map(|&n| step.take(what, n)).collect::<Vec<Piece>>();
        let weights = all("the weights");
        let parameters = step.taken();
        let of_adam = ["the mean gradients", "the mean squares", "the gradients of the weights"];
        let state: Vec<_> = if training { of_adam.into_iter().flat_map(all).collect() } else { vec![] };
        let adam = step.taken() - parameters;
        let forward = step.run(network, &outlines, training);
        drop((weights, state));
        let activations = forward - parameters - adam;
        let backward = step.taken() - forward;
        let (largest, what, layer) = step.largest();
        let batch_is = format!("a batch of {}", step.batch());
        let largest_is = match layer.checked_sub(1).and_then(|index| network.layers.get(index)) {
            Some(of) => format!("{what} of layer {layer} ({of}) for {batch_is}"),
            None => format!("{what} of {batch_is}"),
        };
        let (batch, network) = (step.batch(), network.clone());
        Ok(Budget { batch, parameters, adam, activations, backward, largest, largest_is, network })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "weights {}", Bytes(self.parameters))?;
        if self.adam > 0 {
            write!(f, ", Adam {}", Bytes(self.adam))?;
        }
        write!(f, ", activations of a batch of {} {}", self.batch, Bytes(self.activations))?;
        if self.backward > 0 {
            write!(f, ", the way back {}", Bytes(self.backward))?;
        }
        write!(f, ": {} in all", Bytes(self.total()))
    }
}

/// A size as people read it.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut size = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while size >= 1000.0 && unit + 1 < UNITS.len() {
            size /= 1024.0;
            unit += 1;
        }
        write!(f, "{size:.1} {}", UNITS[unit])
    }
}

/// The largest number below `all` that fits, where everything below one that fits does too; 0 where none does.
fn most(all: usize, fits: impl Fn(usize) -> Result<bool>) -> Result<usize> {
    let (mut low, mut high) = (0, all);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle)? { low = middle } else { high = middle }
    }
    Ok(low)
}

/// Memory of this machine that is free, in bytes, where its system says so (Linux).
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests;
