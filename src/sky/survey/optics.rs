//! The point spread functions of a survey.

use super::reader::{Read, Table};
use crate::Result;
use crate::sky::psf::Psf;
use serde::Serialize;
use std::path::PathBuf;

/// One of a survey's effective PSFs and how often it is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SurveyPsf {
    /// What it is.
    #[serde(flatten)]
    pub model: PsfModel,
    /// How often it is drawn, beside the others' weights.
    pub weight: f64,
}

/// An effective PSF as a survey file gives it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "model", rename_all = "kebab-case")]
pub enum PsfModel {
    /// A circular Moffat profile.
    Moffat {
        /// Full width at half maximum, arcsec.
        fwhm: f64,
        /// Exponent.
        beta: f64,
    },
    /// A circular Gaussian.
    Gaussian {
        /// Full width at half maximum, arcsec.
        fwhm: f64,
    },
    /// A FITS image; a relative path starts at the survey file's folder.
    File {
        /// The image.
        path: PathBuf,
        /// Its pixel scale, arcsec.
        pixel_scale: f64,
    },
}

impl PsfModel {
    /// The PSF; `None` where it is a FITS image, which `fits::survey_parts` reads.
    ///
    /// # Errors
    /// As [`Psf::moffat`] and [`Psf::gaussian`].
    pub fn psf(&self) -> Result<Option<Psf>> {
        match *self {
            PsfModel::Moffat { fwhm, beta } => Psf::moffat(fwhm, beta).map(Some),
            PsfModel::Gaussian { fwhm } => Psf::gaussian(fwhm).map(Some),
            PsfModel::File { .. } => Ok(None),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Moffat,
    Gaussian,
    File,
}

impl SurveyPsf {
    pub(super) fn read(table: &Table) -> Read<Self> {
        let kinds = [("moffat", Kind::Moffat), ("gaussian", Kind::Gaussian), ("file", Kind::File)];
        let kind = table.required("model")?.choice(&kinds)?;
        table.only(match kind {
            Kind::Moffat => &["model", "weight", "fwhm", "beta"],
            Kind::Gaussian => &["model", "weight", "fwhm"],
            Kind::File => &["model", "weight", "path", "pixel_scale"],
        })?;
        let fwhm = || table.required("fwhm")?.positive("arcsec");
        let model = match kind {
            Kind::Moffat => PsfModel::Moffat { fwhm: fwhm()?, beta: table.required("beta")?.number()? },
            Kind::Gaussian => PsfModel::Gaussian { fwhm: fwhm()? },
            Kind::File => PsfModel::File {
                path: table.required("path")?.string()?.into(),
                pixel_scale: table.required("pixel_scale")?.positive("arcsec")?,
            },
        };
        if let Err(error) = model.psf() {
            return table.fail(error.to_string());
        }
        let weight = table.optional("weight").map_or(Ok(1.0), |w| w.positive("beside the others"))?;
        Ok(SurveyPsf { model, weight })
    }
}
