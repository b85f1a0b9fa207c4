//! What a survey names and does not hold itself: the contents of its files.

use super::psf::Psf;
use super::survey::Survey;
use crate::{Error, Result};

/// The contents of the files that a survey names, as `fits::survey_parts` reads them.
#[derive(Clone, Debug, Default)]
pub struct SurveyParts {
    /// The effective PSFs, in the survey's order.
    pub psfs: Vec<Psf>,
    /// Rows of the galaxies' catalogue, empty where there is none.
    pub galaxies: Vec<CatalogueGalaxy>,
}

/// A row of a catalogue: total AB magnitude, half-light radius along the major axis in pixels, Sérsic index and
/// axis ratio; NaN for those that are not drawn from it.
pub type CatalogueGalaxy = [f64; 4];

impl SurveyParts {
    /// The parts of a survey that names no files.
    ///
    /// # Errors
    /// [`Error::Usage`] where it names one; as [`Psf::moffat`] and its like.
    pub fn without_files(survey: &Survey) -> Result<Self> {
        let needs = |what| {
            Error::Usage(format!("survey '{}' has {what} in a file, which must be read first", survey.name))
        };
        let psf = |psf: &super::survey::SurveyPsf| psf.model.psf()?.ok_or_else(|| needs("its PSF"));
        if survey.galaxies.catalogue.is_some() {
            return Err(needs("its galaxies"));
        }
        if survey.noise.image().is_some() {
            return Err(needs("its sky"));
        }
        Ok(SurveyParts { psfs: survey.psf.iter().map(psf).collect::<Result<_>>()?, galaxies: Vec::new() })
    }
}
