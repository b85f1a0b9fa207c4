//! What a training run learns from, batch by batch, and what it is judged by.

use super::checkpoint::Fingerprint;
use super::fresh::{Batch, Batches};
use super::{Fresh, FreshPlan, Stamps, Task};
use crate::engine::Gpu;
use crate::rng::{self, Stream};
use crate::{Error, Result};

/// Where the stamps of a training run come from.
#[derive(Clone, Copy)]
pub enum Supply<'a> {
    /// A data set, a part of which is held out.
    Set(&'a Stamps),
    /// Galaxies drawn as they are needed.
    Fresh(&'a Fresh),
}

impl<'a> Supply<'a> {
    /// The stamps in memory: the set, or those held out.
    pub fn stamps(self) -> &'a Stamps {
        match self {
            Supply::Set(stamps) => stamps,
            Supply::Fresh(fresh) => fresh.held_out(),
        }
    }

    /// What is drawn, if it is drawn.
    pub fn plan(self) -> Option<FreshPlan> {
        match self {
            Supply::Set(_) => None,
            Supply::Fresh(fresh) => Some(fresh.plan()),
        }
    }

    /// What tells the stamps in memory from others.
    pub(super) fn fingerprint(self, task: &Task) -> Fingerprint {
        let stamps = self.stamps();
        let truths = stamps.truths().iter();
        let truths =
            truths.flat_map(|truth| task.parameters().map(|parameter| parameter.of(truth).to_bits()));
        let pixels = (0..stamps.len()).flat_map(|i| stamps.pixels(i)).map(|pixel| u64::from(pixel.to_bits()));
        // FNV-1a by words: every one of them counts, and their order.
        let sum = truths
            .chain(pixels)
            .fold(0xcbf2_9ce4_8422_2325, |sum: u64, word| (sum ^ word).wrapping_mul(0x0000_0100_0000_01b3));
        Fingerprint { origin: stamps.origin.clone(), stamps: stamps.len(), sum }
    }
}

impl<'a> From<&'a Stamps> for Supply<'a> {
    fn from(stamps: &'a Stamps) -> Self {
        Supply::Set(stamps)
    }
}

impl<'a> From<&'a Fresh> for Supply<'a> {
    fn from(fresh: &'a Fresh) -> Self {
        Supply::Fresh(fresh)
    }
}

/// A run's supply, divided into stamps to learn from and stamps held out.
pub(super) struct Lessons<'a> {
    supply: Supply<'a>,
    /// Indices of the stamps to learn from; none where they are drawn.
    learning: Vec<u32>,
    /// Indices of those held out.
    held_out: Vec<u32>,
    /// In which order an epoch takes those to learn from.
    order: Vec<u32>,
    /// What is drawn for the coming steps.
    batches: Option<Batches>,
}

impl<'a> Lessons<'a> {
    /// Divides a supply; of a data set, the share `validation` is held out.
    ///
    /// # Errors
    /// [`Error::Usage`] for a data set of too few stamps.
    pub(super) fn new(supply: Supply<'a>, validation: f64, seed: u64) -> Result<Self> {
        let all = supply.stamps().len();
        let (learning, held_out) = match supply {
            Supply::Fresh(_) => (Vec::new(), (0..all as u32).collect()),
            Supply::Set(_) => {
                let held_out = (validation * all as f64).round() as usize;
                let mut order = rng::permutation(all, seed, Stream::Split, 0);
                let learning = order.split_off(held_out.min(all));
                if held_out == 0 || learning.is_empty() {
                    return Err(Error::Usage(format!(
                        "{all} stamps are too few: {held_out} would be held out and {} left to learn from",
                        learning.len()
                    )));
                }
                (learning, order)
            }
        };
        Ok(Lessons { supply, learning, held_out, order: Vec::new(), batches: None })
    }

    pub(super) fn supply(&self) -> Supply<'a> {
        self.supply
    }

    /// Stamps to learn from in an epoch.
    pub(super) fn learning(&self) -> usize {
        self.supply.plan().map_or(self.learning.len(), |plan| plan.stamps_an_epoch)
    }

    /// Indices of the stamps held out.
    pub(super) fn held_out(&self) -> &[u32] {
        &self.held_out
    }

    /// Puts the stamps to learn from into the order of an epoch.
    pub(super) fn begin(&mut self, epoch: usize, seed: u64) {
        self.order = rng::permutation(self.learning.len(), seed, Stream::Shuffle, epoch as u32);
    }

    /// The batch of step `step`, which is number `number` of its epoch.
    ///
    /// # Errors
    /// Those of the simulator and the device, where stamps are drawn.
    pub(super) fn batch(&mut self, gpu: &Gpu, batch: usize, number: usize, step: u64) -> Result<Batch> {
        match self.supply {
            Supply::Set(stamps) => Ok(self.gather(stamps, &self.order[number * batch..][..batch])),
            Supply::Fresh(fresh) => {
                let expected = self.batches.take().filter(|batches| batches.step() == step);
                self.batches
                    .insert(expected.unwrap_or_else(|| fresh.batches(batch, step)))
                    .next(|| gpu.is_idle())
            }
        }
    }

    /// Stamps of a data set; `chosen` are places among those to learn from.
    fn gather(&self, stamps: &Stamps, chosen: &[u32]) -> Batch {
        let (mut pixels, mut truths) = (Vec::new(), Vec::with_capacity(chosen.len()));
        pixels.reserve_exact(chosen.len() * stamps.size() * stamps.size());
        for &place in chosen {
            let index = self.learning[place as usize] as usize;
            pixels.extend_from_slice(stamps.pixels(index));
            truths.push(stamps.truths()[index]);
        }
        (pixels, truths)
    }

    /// Seconds for which the device had nothing to do, for want of stamps, since this was asked last.
    pub(super) fn take_waited(&mut self) -> f64 {
        self.batches.as_mut().map_or(0.0, |batches| batches.take_waited().as_secs_f64())
    }
}
