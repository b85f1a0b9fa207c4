//! The random numbers of a stamp, by purpose.

use crate::rng::{Philox, Stream};

/// What is drawn: sub-streams of [`Stream::Simulation`]. One never moves another's numbers, so a galaxy is the same
/// with and without companions.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Purpose {
    /// The galaxy.
    Parameters = 0,
    /// The sky's noise, or the place of its cut-out.
    Sky = 1,
    /// Electrons of pixels where few are expected.
    FewPhotons = 2,
    /// And where many are.
    ManyPhotons = 3,
    Psf = 16,
    CatalogueRow = 17,
    Companions = 18,
    Neighbours = 19,
    Asymmetry = 20,
    /// Where on a field the galaxy is.
    Place = 21,
}

/// Blocks of four random words set aside for a stamp and a purpose; more than the noise of 4096² pixels needs.
const BLOCKS_PER_STAMP: u64 = 1 << 24;

/// The first block of stamp `index`.
pub(super) fn first_block(index: u64) -> u64 {
    index.wrapping_mul(BLOCKS_PER_STAMP)
}

/// The random numbers of stamp `index` of a seed.
#[derive(Clone, Copy)]
pub(super) struct Draws {
    pub(super) seed: u64,
    pub(super) index: u64,
}

impl Draws {
    pub(super) fn of(self, purpose: Purpose) -> Philox {
        Philox::new(self.seed, Stream::Simulation, purpose as u32, first_block(self.index))
    }
}
