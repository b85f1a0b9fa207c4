//! The random numbers of a stamp, by purpose.

use crate::rng::{Philox, Stream};

/// What is drawn: sub-streams of [`Stream::Simulation`]. One never moves another's numbers, so a galaxy is the same
/// with and without companions. The noise has those in between.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(in crate::sky) enum Purpose {
    Parameters = 0,
    Sky = 1,
    Photons = 2,
    Psf = 16,
    CatalogueRow = 17,
    Companions = 18,
    Neighbours = 19,
    Asymmetry = 20,
}

/// Blocks of four random words set aside for a stamp: enough for three words in every pixel of the
/// largest stamp with its margins.
const BLOCKS_PER_STAMP: u64 = 1 << 24;

/// The random numbers of stamp `index` of a seed.
#[derive(Clone, Copy)]
pub(in crate::sky) struct Draws {
    pub(in crate::sky) seed: u64,
    pub(in crate::sky) index: u64,
}

impl Draws {
    pub(in crate::sky) fn of(self, purpose: Purpose) -> Philox {
        let block = self.index.wrapping_mul(BLOCKS_PER_STAMP);
        Philox::new(self.seed, Stream::Simulation, purpose as u32, block)
    }
}
