//! The galaxy of a stamp and its PSF.

use crate::sky::draws::{Draws, Purpose};
use crate::sky::parts::{CatalogueGalaxy, SurveyParts};
use crate::sky::survey::{Distribution, Survey};
use crate::sky::truth::Truth;
use crate::{Error, Result};
use rand::RngExt;

/// Draws the galaxies of a survey.
pub(in crate::sky) struct Targets {
    /// Rows of the catalogue within the survey's ranges.
    pub(in crate::sky) rows: Vec<CatalogueGalaxy>,
    /// Rows that are not.
    pub(in crate::sky) rejected: usize,
}

impl Targets {
    /// # Errors
    /// [`Error::Usage`] where the survey has a catalogue without a galaxy in its ranges.
    pub(in crate::sky) fn new(survey: &Survey, parts: &SurveyParts) -> Result<Self> {
        let galaxies = &survey.galaxies;
        let wanted = galaxies.ranges().into_iter().zip(galaxies.from_catalogue());
        let possible = |row: &&CatalogueGalaxy| {
            wanted.clone().zip(*row).all(|((range, wanted), value)| !wanted || range.contains(*value))
        };
        let rows: Vec<CatalogueGalaxy> = parts.galaxies.iter().filter(possible).copied().collect();
        if galaxies.catalogue.is_some() && rows.is_empty() {
            return Err(Error::Usage(format!(
                "survey '{}': not one of the {} galaxies of its catalogue lies within the ranges of [galaxies]",
                survey.name,
                parts.galaxies.len()
            )));
        }
        Ok(Targets { rejected: parts.galaxies.len() - rows.len(), rows })
    }

    /// The galaxy's centre is that of the stamp, FITS pixel (size + 1)/2 (64.5 of 128), plus an offset drawn evenly
    /// from ± `centre_offset` on each axis. Nothing is known of the scene yet.
    pub(super) fn draw(&self, survey: &Survey, draws: Draws) -> Truth {
        let mut numbers = draws.of(Purpose::Parameters);
        let mut draw = || numbers.random::<f64>();
        let galaxies = &survey.galaxies;
        let row = self.row(draws);
        // A number is drawn for each, used or not, so that no parameter depends on how another is drawn.
        let [mag, re_maj, n, q] = std::array::from_fn(|i| {
            let (range, u) = (galaxies.ranges()[i], draw());
            if range.distribution == Distribution::Catalogue { row[i] } else { range.at(u) }
        });
        let pa = -90.0 + 180.0 * draw();
        let centre = 0.5 * (survey.stamp_size as f64 + 1.0);
        let offset = galaxies.centre_offset;
        let x = centre + offset * (2.0 * draw() - 1.0);
        let y = centre + offset * (2.0 * draw() - 1.0);
        let (id, re_circ, psf) = (draws.index as i64, re_maj * q.sqrt(), Some(psf(survey, draws)));
        Truth { id, mag, re_maj, re_circ, n, q, pa, x, y, psf, ..Truth::default() }
    }

    /// A row of the catalogue; of NaN without one.
    fn row(&self, draws: Draws) -> CatalogueGalaxy {
        let u = draws.of(Purpose::CatalogueRow).random::<f64>();
        self.rows.get((u * self.rows.len() as f64) as usize).copied().unwrap_or([f64::NAN; 4])
    }
}

/// Which of a survey's PSFs a stamp has.
pub(in crate::sky) fn psf(survey: &Survey, draws: Draws) -> u32 {
    let total: f64 = survey.psf.iter().map(|psf| psf.weight).sum();
    let mut u = draws.of(Purpose::Psf).random::<f64>() * total;
    let drawn = survey.psf.iter().position(|psf| {
        u -= psf.weight;
        u < 0.0
    });
    // Past the last by rounding alone.
    drawn.unwrap_or(survey.psf.len() - 1) as u32
}
