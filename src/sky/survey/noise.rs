//! The noise of a survey.

use super::reader::{Field, Read, Table};
use crate::sky::noise::{Noise, NoiseModel};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is added to a noiseless stamp. Photon noise of the sources comes with every kind but `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SurveyNoise {
    /// Nothing.
    None,
    /// Gaussian noise, independent from pixel to pixel.
    White {
        /// Standard deviation of the sky in a pixel, e/s.
        sigma: f64,
    },
    /// Gaussian noise correlated between pixels, as drizzling leaves it.
    Correlated {
        /// Standard deviation of the sky in a pixel, e/s, as measured on the image.
        sigma: f64,
        /// The correlation between pixels.
        autocorrelation: NoiseCorrelation,
    },
    /// Cut out of an image of blank sky.
    Image {
        /// The FITS image, e/s; a relative path starts at the survey file's folder.
        path: PathBuf,
        /// Standard deviation of the sky in a pixel, e/s, as measured on the image.
        sigma: f64,
        /// The correlation between pixels of the sources' photon noise; white where absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        autocorrelation: Option<NoiseCorrelation>,
    },
}

/// The noise's correlation coefficients between pixels apart by whole numbers of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseCorrelation {
    /// One pixel apart in x.
    pub x1: f64,
    /// One pixel apart in y.
    pub y1: f64,
    /// One pixel apart in both.
    pub diagonal: f64,
    /// Two pixels apart in x or y.
    pub lag2: f64,
    /// Three pixels apart in x or y.
    pub lag3: f64,
}

#[derive(Clone, Copy)]
enum Kind {
    None,
    White,
    Correlated,
    Image,
}

impl SurveyNoise {
    /// Standard deviation of the sky in a pixel, e/s; 0 for `None`.
    pub fn sigma(&self) -> f64 {
        match self {
            SurveyNoise::None => 0.0,
            SurveyNoise::White { sigma }
            | SurveyNoise::Correlated { sigma, .. }
            | SurveyNoise::Image { sigma, .. } => *sigma,
        }
    }

    /// The image that it is cut out of.
    pub fn image(&self) -> Option<&Path> {
        match self {
            SurveyNoise::Image { path, .. } => Some(path),
            _ => None,
        }
    }

    /// The correlation of the sources' photon noise between pixels; none where it is white.
    pub fn autocorrelation(&self) -> Option<&NoiseCorrelation> {
        match self {
            SurveyNoise::Correlated { autocorrelation, .. } => Some(autocorrelation),
            SurveyNoise::Image { autocorrelation, .. } => autocorrelation.as_ref(),
            SurveyNoise::None | SurveyNoise::White { .. } => None,
        }
    }

    pub(super) fn read(table: &Table) -> Read<Self> {
        let kind = table.required("kind")?.choice(&[
            ("none", Kind::None),
            ("white", Kind::White),
            ("correlated", Kind::Correlated),
            ("image", Kind::Image),
        ])?;
        table.only(match kind {
            Kind::None => &["kind"],
            Kind::White => &["kind", "sigma"],
            Kind::Correlated => &["kind", "sigma", "autocorrelation"],
            Kind::Image => &["kind", "sigma", "path", "autocorrelation"],
        })?;
        let sigma = || table.required("sigma")?.not_negative("e/s per pixel");
        let autocorrelation =
            table.optional("autocorrelation").map(|field| NoiseCorrelation::read(&field)).transpose()?;
        Ok(match kind {
            Kind::None => SurveyNoise::None,
            Kind::White => SurveyNoise::White { sigma: sigma()? },
            Kind::Correlated => SurveyNoise::Correlated {
                sigma: sigma()?,
                autocorrelation: autocorrelation.unwrap_or(NoiseCorrelation::DRIZZLED),
            },
            Kind::Image => SurveyNoise::Image {
                path: table.required("path")?.string()?.into(),
                sigma: sigma()?,
                autocorrelation,
            },
        })
    }
}

impl NoiseCorrelation {
    fn read(field: &Field) -> Read<Self> {
        let table = field.table()?;
        table.only(&["x1", "y1", "diagonal", "lag2", "lag3"])?;
        let coefficient = |key| {
            let field = table.required(key)?;
            match field.number()? {
                x if x.abs() < 1.0 => Ok(x),
                x => field.fail(format!("{x} must lie between -1 and 1")),
            }
        };
        let autocorrelation = NoiseCorrelation {
            x1: coefficient("x1")?,
            y1: coefficient("y1")?,
            diagonal: coefficient("diagonal")?,
            lag2: coefficient("lag2")?,
            lag3: coefficient("lag3")?,
        };
        // Coefficients may each be possible and not together.
        let model = NoiseModel::Correlated { sigma: 1.0, autocorrelation };
        match Noise::new(&model, 1.0, 8) {
            Ok(_) => Ok(autocorrelation),
            Err(error) => field.fail(error.to_string()),
        }
    }
}
