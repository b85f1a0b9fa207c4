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
    /// HST/WFC3-IR F160W drizzled to 0.06″, computed from its physics.
    #[serde(rename = "wfc3-f160w")]
    Wfc3F160w,
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
        /// Its pixel scale, arcsec; its header's where absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pixel_scale: Option<f64>,
    },
}

impl PsfModel {
    /// The PSF; `None` where it is a FITS image, which `fits::survey_parts` reads.
    ///
    /// # Errors
    /// As [`Psf::moffat`] and [`Psf::gaussian`].
    pub fn psf(&self) -> Result<Option<Psf>> {
        match *self {
            PsfModel::Wfc3F160w => Ok(Some(Psf::wfc3_f160w())),
            PsfModel::Moffat { fwhm, beta } => Psf::moffat(fwhm, beta).map(Some),
            PsfModel::Gaussian { fwhm } => Psf::gaussian(fwhm).map(Some),
            PsfModel::File { .. } => Ok(None),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Wfc3F160w,
    Moffat,
    Gaussian,
    File,
}

impl SurveyPsf {
    pub(super) fn read(table: &Table) -> Read<Self> {
        let kind = table.required("model")?.choice(&[
            ("wfc3-f160w", Kind::Wfc3F160w),
            ("moffat", Kind::Moffat),
            ("gaussian", Kind::Gaussian),
            ("file", Kind::File),
        ])?;
        table.only(match kind {
            Kind::Wfc3F160w => &["model", "weight"],
            Kind::Moffat => &["model", "weight", "fwhm", "beta"],
            Kind::Gaussian => &["model", "weight", "fwhm"],
            Kind::File => &["model", "weight", "path", "pixel_scale"],
        })?;
        let fwhm = || table.required("fwhm")?.positive("arcsec");
        let model = match kind {
            Kind::Wfc3F160w => PsfModel::Wfc3F160w,
            Kind::Moffat => PsfModel::Moffat { fwhm: fwhm()?, beta: table.required("beta")?.number()? },
            Kind::Gaussian => PsfModel::Gaussian { fwhm: fwhm()? },
            Kind::File => PsfModel::File {
                path: table.required("path")?.string()?.into(),
                pixel_scale: table
                    .optional("pixel_scale")
                    .map(|scale| scale.positive("arcsec"))
                    .transpose()?,
            },
        };
        if let PsfModel::Moffat { fwhm, beta } = model
            && let Err(error) = Psf::moffat(fwhm, beta)
        {
            return table.required("beta")?.fail(error.to_string());
        }
        let weight = table.optional("weight").map_or(Ok(1.0), |w| w.positive("beside the others"))?;
        Ok(SurveyPsf { model, weight })
    }
}
