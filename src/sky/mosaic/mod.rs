//! Simulated mosaics, made band by band of rows: a pure function of survey, seed, layout and number of galaxies,
//! whatever the number of threads, and never whole in memory.
//!
//! | file | idea |
//! |---|---|
//! | `grid.rs` | each galaxy in a cell of its own, as it is on its stamp |
//! | `field.rs` | galaxies at random places, whose light overlaps |
//! | `tests.rs` | of both |

mod field;
mod grid;
#[cfg(test)]
mod tests;

use super::simulate::Simulator;
use super::truth::Truth;
use crate::{Error, Result};
use field::Field;
use grid::Grid;

/// Galaxies on a mosaic, and pixels along a side, at most.
const MOST: (u64, usize) = (1 << 24, 1 << 20);

/// Where the galaxies of a mosaic are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Each on a cell of a stamp's size, pixel for pixel the stamp of the same seed and number.
    Grid,
    /// At random places, as many to the area as on the grid, with the light of all overlapping.
    Field,
}

/// Makes a mosaic.
pub struct MosaicSimulator {
    simulator: Simulator,
    number: u64,
    side: usize,
    layout: Made,
}

enum Made {
    Grid(Grid),
    Field(Box<Field>),
}

/// Rows of a mosaic.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Pixels, e/s, row-major, y up, as wide as the mosaic.
    pub pixels: Vec<f32>,
    /// The standard deviation of the noise of each, the sources' photons included.
    pub rms: Vec<f32>,
}

impl MosaicSimulator {
    /// A mosaic of `number` galaxies, the first of a simulator's.
    ///
    /// # Errors
    /// [`Error::Usage`] for no galaxies or more than a mosaic holds, and for a field whose noise is cut out of an image,
    /// which is no larger than a stamp.
    pub fn new(simulator: Simulator, number: u64, layout: Layout) -> Result<Self> {
        if !(1..=MOST.0).contains(&number) {
            return Err(Error::Usage(format!("a mosaic has 1 to {} galaxies, not {number}", MOST.0)));
        }
        let cells = (1..).find(|cells| cells * cells >= number).unwrap_or(1) as usize;
        let side = cells * simulator.survey().stamp_size;
        if side > MOST.1 {
            return Err(Error::Usage(format!(
                "{number} galaxies need a mosaic of {side} pixels a side: too many"
            )));
        }
        let layout = match layout {
            Layout::Grid => Made::Grid(Grid { cells }),
            Layout::Field => Made::Field(Box::new(Field::new(&simulator, number, side)?)),
        };
        Ok(MosaicSimulator { simulator, number, side, layout })
    }

    /// What makes its galaxies.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Pixels along a side.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Its galaxies, with `x`, `y` in FITS pixels of the mosaic.
    pub fn truths(&self) -> Vec<Truth> {
        (0..self.number)
            .map(|index| match &self.layout {
                Made::Grid(grid) => grid.truth(&self.simulator, index),
                Made::Field(field) => field.truth(&self.simulator, index),
            })
            .collect()
    }

    /// Its bands of rows, from the lowest on.
    pub fn into_bands(self) -> Bands {
        Bands { mosaic: self, row: 0, waiting: field::Waiting::default() }
    }
}

/// The bands of a mosaic, each made when it is asked for.
pub struct Bands {
    mosaic: MosaicSimulator,
    /// The next row, counted from 0.
    row: usize,
    waiting: field::Waiting,
}

impl Iterator for Bands {
    type Item = Result<Band>;

    fn next(&mut self) -> Option<Self::Item> {
        let MosaicSimulator { simulator, number, side, layout } = &self.mosaic;
        let (first, height) = (self.row, simulator.survey().stamp_size);
        self.row += height;
        (first < *side).then(|| match layout {
            Made::Grid(grid) => grid.band(simulator, *number, first / height),
            Made::Field(field) => field.band(simulator, first, height, &mut self.waiting),
        })
    }
}
