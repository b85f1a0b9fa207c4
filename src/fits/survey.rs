//! The files that a survey names, read for the simulator, which knows no files.

use super::columns::read_columns;
use super::psf::read_psf;
use crate::sky::{CatalogueGalaxy, GalaxyRanges, Psf, PsfModel, RadiusUnit, Survey, SurveyParts, SurveyPsf};
use crate::{Error, Result};

/// Reads the PSFs and the galaxies of a survey, from their files where they are in some.
///
/// # Errors
/// As [`read_psf`], [`PsfModel::psf`]; [`Error::Fits`] and
/// [`Error::Catalogue`] for a catalogue that cannot be read or lacks a column.
pub fn survey_parts(survey: &Survey) -> Result<SurveyParts> {
    Ok(SurveyParts {
        psfs: survey.psf.iter().map(psf).collect::<Result<_>>()?,
        galaxies: galaxies(&survey.galaxies, survey.pixel_scale)?,
    })
}

fn psf(psf: &SurveyPsf) -> Result<Psf> {
    match (&psf.model, psf.model.psf()?) {
        (_, Some(psf)) => Ok(psf),
        (PsfModel::File { path, pixel_scale }, None) => read_psf(path, *pixel_scale),
        (model, None) => Err(Error::Usage(format!("no PSF is known for {model:?}"))),
    }
}

fn galaxies(ranges: &GalaxyRanges, pixel_scale: f64) -> Result<Vec<CatalogueGalaxy>> {
    let Some(catalogue) = &ranges.catalogue else { return Ok(Vec::new()) };
    let names = [&catalogue.magnitude, &catalogue.radius, &catalogue.sersic_index, &catalogue.axis_ratio];
    let units = match catalogue.radius_unit {
        RadiusUnit::Pixels => [1.0; 4],
        RadiusUnit::Arcsec => [1.0, 1.0 / pixel_scale, 1.0, 1.0],
    };
    let wanted: Vec<usize> = (0..4).filter(|&i| ranges.from_catalogue()[i]).collect();
    let columns =
        read_columns(&catalogue.path, &wanted.iter().map(|&i| names[i].as_str()).collect::<Vec<_>>())?;
    let mut galaxies = vec![[f64::NAN; 4]; columns.first().map_or(0, Vec::len)];
    for (i, column) in wanted.into_iter().zip(columns) {
        for (galaxy, value) in galaxies.iter_mut().zip(column) {
            galaxy[i] = value * units[i];
        }
    }
    Ok(galaxies)
}
