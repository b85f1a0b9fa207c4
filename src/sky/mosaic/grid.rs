//! Stamps side by side.

use super::super::simulate::Simulator;
use super::super::truth::Truth;
use super::Band;
use crate::Result;
use rayon::prelude::*;

/// Cells of a stamp's size, row by row from the lower left.
pub(super) struct Grid {
    /// Along a side.
    pub(super) cells: usize,
}

impl Grid {
    /// What is in cell `index`.
    pub(super) fn truth(&self, simulator: &Simulator, index: u64) -> Truth {
        let size = simulator.survey().stamp_size;
        let (column, row) = (index as usize % self.cells, index as usize / self.cells);
        let truth = simulator.truth(index);
        Truth { x: truth.x + (column * size) as f64, y: truth.y + (row * size) as f64, ..truth }
    }

    /// One row of cells; those beyond the last galaxy hold noise.
    pub(super) fn band(&self, simulator: &Simulator, number: u64, row: usize) -> Result<Band> {
        let size = simulator.survey().stamp_size;
        let first = (row * self.cells) as u64;
        let stamps = (first..first + self.cells as u64).into_par_iter().map(|index| {
            if index < number { simulator.stamp_and_light(index) } else { Ok(simulator.blank(index)) }
        });
        let stamps: Vec<(Vec<f32>, Vec<f64>)> = stamps.collect::<Result<_>>()?;
        let width = self.cells * size;
        let mut band = Band { pixels: vec![0.0; width * size], rms: vec![0.0; width * size] };
        for (cell, (stamp, light)) in stamps.iter().enumerate() {
            for y in 0..size {
                let (from, to) = (y * size..(y + 1) * size, y * width + cell * size);
                band.pixels[to..to + size].copy_from_slice(&stamp[from.clone()]);
                for (rms, light) in band.rms[to..to + size].iter_mut().zip(&light[from]) {
                    *rms = simulator.rms(*light) as f32;
                }
            }
        }
        Ok(band)
    }
}
