//! A data set in memory: stamps, and what is on them.

use super::Parameter;
use super::calibration::flux_factor;
use crate::fits::{Dataset, DatasetMeta};
use crate::sky::{Simulator, Truth};
use crate::{Error, Result};
use std::path::Path;

/// Square stamps with their truth.
#[derive(Clone, Debug)]
pub struct Stamps {
    size: usize,
    pixels: Vec<f32>,
    truths: Vec<Truth>,
    /// What the data set says of itself.
    pub meta: DatasetMeta,
    /// Where it came from, for provenance.
    pub origin: String,
}

impl Stamps {
    /// Reads a whole data set.
    ///
    /// # Errors
    /// A file that is not a data set, has no `TRUTH`, or whose stamps are not square.
    pub fn read(path: &Path) -> Result<Self> {
        let mut dataset = Dataset::open(path)?;
        let (size, width) = (dataset.height(), dataset.width());
        if size != width {
            return Err(Error::fits_hdu(path, 0, format!("stamps of {width}×{size} pixels are not square")));
        }
        let truths = dataset.truth().map(<[Truth]>::to_vec).ok_or_else(|| {
            Error::fits(path, "has no TRUTH table, so nothing can be learned from it or compared with it")
        })?;
        let mut pixels = Vec::new();
        dataset.read(0..dataset.len(), &mut pixels)?;
        if let Some(bad) = pixels.iter().position(|p| !p.is_finite()) {
            let stamp = bad / (size * size);
            let message = format!("stamp {stamp} (counted from 0) has a pixel that is not a number");
            return Err(Error::fits_hdu(path, 0, message));
        }
        Ok(Stamps { size, pixels, truths, meta: dataset.meta().clone(), origin: path.display().to_string() })
    }

    /// Simulates stamps `range` of a survey.
    ///
    /// # Errors
    /// Those of the simulator.
    pub fn simulate(simulator: &Simulator, range: std::ops::Range<u64>) -> Result<Self> {
        let survey = simulator.survey();
        let meta = DatasetMeta::simulated(survey, simulator.seed());
        let origin = format!("simulation of {} with seed {}", survey.name, simulator.seed());
        let (pixels, truths) = simulator.batch(range)?;
        Ok(Stamps { size: survey.stamp_size, pixels, truths, meta, origin })
    }

    /// From its parts: `size`² finite pixels for each row of truth.
    pub(super) fn assemble(
        size: usize,
        pixels: Vec<f32>,
        truths: Vec<Truth>,
        meta: DatasetMeta,
        origin: String,
    ) -> Self {
        debug_assert_eq!(pixels.len(), truths.len() * size * size);
        Stamps { size, pixels, truths, meta, origin }
    }

    /// Only the stamps that all of these parameters are known of, in their order.
    pub fn that_know(&self, parameters: &[Parameter]) -> Stamps {
        let known = |i: &usize| parameters.iter().all(|p| p.of(&self.truths[*i]).is_finite());
        let known: Vec<usize> = (0..self.len()).filter(known).collect();
        Stamps {
            size: self.size,
            pixels: known.iter().flat_map(|&i| self.pixels(i)).copied().collect(),
            truths: known.iter().map(|&i| self.truths[i]).collect(),
            meta: self.meta.clone(),
            origin: self.origin.clone(),
        }
    }

    /// The same light in the flux unit that has this AB zero point; as it is where either is unknown.
    pub fn at_zero_point(mut self, zero_point: f64) -> Self {
        let factor = flux_factor(self.meta.zero_point, zero_point);
        if factor.is_finite() && factor != 1.0 {
            self.pixels.iter_mut().for_each(|p| *p = (f64::from(*p) * factor) as f32);
            self.meta.zero_point = zero_point;
            self.meta.sigma *= factor;
        }
        self
    }

    /// Stamps `range` alone.
    pub fn part(&self, range: std::ops::Range<usize>) -> Stamps {
        let area = self.size * self.size;
        Stamps {
            size: self.size,
            pixels: self.pixels[range.start * area..range.end * area].to_vec(),
            truths: self.truths[range].to_vec(),
            meta: self.meta.clone(),
            origin: self.origin.clone(),
        }
    }

    /// Refuses stamps that a parameter is not known of.
    ///
    /// # Errors
    /// [`Error::Fits`] with the first row at fault.
    pub fn check_truth(&self, parameter: Parameter) -> Result<()> {
        match self.truths.iter().position(|t| !parameter.of(t).is_finite()) {
            None => Ok(()),
            Some(row) => {
                let message =
                    format!("row {} has no {}: fill it or leave the stamp out", row + 1, parameter.column());
                Err(Error::fits_hdu(&self.origin, "TRUTH", message))
            }
        }
    }

    /// Refuses stamps whose calibration is not known, on which a network would learn something that no other image
    /// could be compared with.
    ///
    /// # Errors
    /// [`Error::Fits`] with the missing keyword.
    pub fn check_calibration(&self) -> Result<()> {
        let keys = [
            ("MAGZERO", self.meta.zero_point, "AB magnitude of one unit"),
            ("PIXSCALE", self.meta.pixel_scale, "size of a pixel, arcsec"),
        ];
        match keys.iter().find(|(_, value, _)| !value.is_finite()) {
            None => Ok(()),
            Some((key, _, meaning)) => Err(Error::fits_hdu(
                &self.origin,
                0,
                format!("the header has no {key} ({meaning}), which training needs: add it"),
            )),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.truths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.truths.is_empty()
    }

    /// Pixels along a side.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The pixels of one stamp, row by row.
    pub fn pixels(&self, index: usize) -> &[f32] {
        let area = self.size * self.size;
        &self.pixels[index * area..(index + 1) * area]
    }

    /// What is on each stamp.
    pub fn truths(&self) -> &[Truth] {
        &self.truths
    }
}
