//! A survey: everything that makes its galaxies look as they do on its images, described in a TOML
//! file of `datasets/`.

use super::psf::Psf;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The surveys that are part of the program, by name.
const BUILTIN: [(&str, &str); 1] = [("candels-f160w", include_str!("../../datasets/candels-f160w.toml"))];

/// A survey and the galaxies to simulate for it; the keys of its TOML file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// Its name, kept in data sets and weights.
    pub name: String,
    /// Pixel scale, arcsec.
    pub pixel_scale: f64,
    /// AB zero point of images in e/s: the magnitude of 1 e/s.
    pub zero_point: f64,
    /// Exposure time, s; sets the photon noise.
    pub exposure: f64,
    /// Standard deviation of the sky noise in a pixel, e/s.
    pub noise_sigma: f64,
    /// Pixels along a side of a stamp.
    pub stamp_size: usize,
    /// The effective PSF.
    pub psf: PsfModel,
    /// Autocorrelation of the noise between pixels; white noise where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_correlation: Option<NoiseCorrelation>,
    /// The galaxies' parameters.
    pub galaxies: GalaxyRanges,
}

/// An effective PSF as a survey file gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "lowercase", deny_unknown_fields)]
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

/// The noise's correlation coefficients between pixels apart by whole numbers of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// From which ranges galaxies are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GalaxyRanges {
    /// Total AB magnitude.
    pub magnitude: Range,
    /// Half-light radius along the major axis (RE_MAJ), pixels.
    pub radius: Range,
    /// Sérsic index.
    pub sersic_index: Range,
    /// Axis ratio b/a.
    pub axis_ratio: Range,
    /// The galaxy's centre lies within ± this many pixels of the stamp's centre along each axis.
    pub centre_offset: f64,
}

/// A range and how values are spread over it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// How values lie between them.
    #[serde(default)]
    pub distribution: Distribution,
}

/// How values are spread over a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Evenly.
    #[default]
    Uniform,
    /// Evenly in the logarithm.
    LogUniform,
}

impl Range {
    /// The value at `u` in [0, 1) of the distribution's cumulative function.
    pub fn at(&self, u: f64) -> f64 {
        match self.distribution {
            Distribution::Uniform => self.min + u * (self.max - self.min),
            Distribution::LogUniform => self.min * (u * (self.max / self.min).ln()).exp(),
        }
    }
}

impl Survey {
    /// Reads a survey from a TOML file.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Config`] for what is not TOML, an unknown or
    /// missing key (with its line) or an impossible value.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, "read", e))?;
        let mut survey = Survey::parse(&text, path)?;
        if let PsfModel::File { path: image, .. } = &mut survey.psf
            && image.is_relative()
            && let Some(folder) = path.parent()
        {
            *image = folder.join(&image);
        }
        Ok(survey)
    }

    /// A survey that is part of the program.
    ///
    /// # Errors
    /// [`Error::Usage`] naming those there are.
    pub fn builtin(name: &str) -> Result<Self> {
        match BUILTIN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Survey::parse(text, Path::new(&format!("{name}.toml"))),
            None => Err(Error::Usage(format!(
                "no survey '{name}' in the program; there is {}, and any survey's TOML file can be given \
                 by its path",
                Survey::builtin_names().join(", ")
            ))),
        }
    }

    /// The names of the surveys that are part of the program.
    pub fn builtin_names() -> Vec<&'static str> {
        BUILTIN.iter().map(|(name, _)| *name).collect()
    }

    /// The survey called `name` where the program has one, else the one in the file `name`.
    ///
    /// # Errors
    /// As [`Survey::load`] and [`Survey::builtin`].
    pub fn find(name: &str) -> Result<Self> {
        let looks_like_a_file = name.ends_with(".toml") || Path::new(name).exists();
        if looks_like_a_file && !Survey::builtin_names().contains(&name) {
            Survey::load(name)
        } else {
            Survey::builtin(name)
        }
    }

    /// A survey from the text of a TOML file; `path` is for the messages.
    ///
    /// # Errors
    /// [`Error::Config`] as [`Survey::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let config = |message: String| Error::Config { path: path.to_owned(), message };
        let survey: Survey = toml::from_str(text).map_err(|e| config(e.to_string().trim_end().to_owned()))?;
        survey.check().map_err(config)?;
        Ok(survey)
    }

    /// The survey as TOML text, as weights and data sets keep it.
    pub fn to_toml(&self) -> String {
        // Every field is a number, a string or a table of them, all of which TOML can hold.
        toml::to_string(self).unwrap_or_default()
    }

    /// The PSF of a model that needs no file; `None` where the survey's is a FITS image (read it with
    /// `fits::survey_psf`).
    ///
    /// # Errors
    /// As [`Psf::moffat`] and [`Psf::gaussian`].
    pub fn model_psf(&self) -> Result<Option<Psf>> {
        match self.psf {
            PsfModel::Moffat { fwhm, beta } => Psf::moffat(fwhm, beta).map(Some),
            PsfModel::Gaussian { fwhm } => Psf::gaussian(fwhm).map(Some),
            PsfModel::File { .. } => Ok(None),
        }
    }

    /// Checks every value; the message names the key.
    fn check(&self) -> std::result::Result<(), String> {
        let positive = |key: &str, x: f64, unit: &str| {
            if x.is_finite() && x > 0.0 {
                Ok(())
            } else {
                Err(format!("{key} = {x} must be positive ({unit})"))
            }
        };
        positive("pixel_scale", self.pixel_scale, "arcsec")?;
        positive("exposure", self.exposure, "s")?;
        if !self.zero_point.is_finite() {
            return Err(format!("zero_point = {} must be a number (AB magnitude of 1 e/s)", self.zero_point));
        }
        if !(self.noise_sigma.is_finite() && self.noise_sigma >= 0.0) {
            return Err(format!("noise_sigma = {} must not be negative (e/s per pixel)", self.noise_sigma));
        }
        if !(8..=4096).contains(&self.stamp_size) {
            return Err(format!("stamp_size = {} must be 8 to 4096 pixels", self.stamp_size));
        }
        self.model_psf().map_err(|e| format!("[psf]: {e}"))?;
        if let PsfModel::File { pixel_scale, .. } = &self.psf {
            positive("psf.pixel_scale", *pixel_scale, "arcsec")?;
        }
        if let Some(c) = &self.noise_correlation {
            for (key, value) in
                [("x1", c.x1), ("y1", c.y1), ("diagonal", c.diagonal), ("lag2", c.lag2), ("lag3", c.lag3)]
            {
                if value.is_nan() || value.abs() >= 1.0 {
                    return Err(format!("noise_correlation.{key} = {value} must lie between -1 and 1"));
                }
            }
        }
        let GalaxyRanges { magnitude, radius, sersic_index, axis_ratio, centre_offset } = &self.galaxies;
        let half = 0.5 * self.stamp_size as f64;
        for (key, range, low, high) in [
            ("magnitude", magnitude, -50.0, 60.0),
            ("radius", radius, 0.01, 1e4),
            ("sersic_index", sersic_index, super::INDEX_LIMITS.0, super::INDEX_LIMITS.1),
            ("axis_ratio", axis_ratio, 0.01, 1.0),
        ] {
            let Range { min, max, distribution } = *range;
            if min.is_nan() || max.is_nan() || min > max {
                return Err(format!("galaxies.{key}: min = {min} must not exceed max = {max}"));
            }
            if !(low <= min && max <= high) {
                return Err(format!("galaxies.{key}: {min} to {max} must lie within {low} to {high}"));
            }
            if distribution == Distribution::LogUniform && min <= 0.0 {
                return Err(format!(
                    "galaxies.{key}: a log-uniform range must be positive, not {min} to {max}"
                ));
            }
        }
        if !(0.0..=half).contains(centre_offset) {
            return Err(format!("galaxies.centre_offset = {centre_offset} must be 0 to {half} pixels"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(from: &str, to: &str) -> String {
        let text = BUILTIN[0].1;
        assert!(text.contains(from), "{from}");
        match Survey::parse(&text.replacen(from, to, 1), Path::new("my.toml")) {
            Ok(_) => panic!("'{to}' was taken"),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn every_builtin_survey_reads_and_survives_a_round_trip() {
        for name in Survey::builtin_names() {
            let survey = Survey::builtin(name).unwrap();
            assert_eq!(survey.name, name);
            assert_eq!(Survey::parse(&survey.to_toml(), Path::new("again")).unwrap(), survey);
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let message = changed("pixel_scale = ", "pixelscale = 1\npixel_scale = ");
        assert!(message.starts_with("my.toml: ") && message.contains("pixelscale"), "{message}");
        assert!(message.contains("line "), "{message}");
        let message = changed("beta = ", "bta = ");
        assert!(message.contains("bta"), "{message}");
    }

    #[test]
    fn impossible_values_are_errors_that_name_the_key() {
        for (from, to, key) in [
            ("min = 16.0", "min = 26.0", "galaxies.magnitude"),
            ("min = 0.2", "min = -0.2", "galaxies.axis_ratio"),
            ("min = 0.3", "min = 0.0", "galaxies.sersic_index"),
            ("exposure = 3200.0", "exposure = -1.0", "exposure"),
            ("noise_sigma = 0.0032", "noise_sigma = nan", "noise_sigma"),
            ("stamp_size = 128", "stamp_size = 2", "stamp_size"),
            ("fwhm = 0.17", "fwhm = 0.0", "psf"),
        ] {
            let message = changed(from, to);
            assert!(message.contains(key), "{message}");
        }
    }

    #[test]
    fn a_missing_file_and_an_unknown_name_say_so() {
        let error = Survey::load("no/such/survey.toml").unwrap_err().to_string();
        assert!(error.contains("no/such/survey.toml: cannot read"), "{error}");
        let error = Survey::find("euclid").unwrap_err().to_string();
        assert!(error.contains("candels-f160w"), "{error}");
    }

    #[test]
    fn distributions_span_their_range() {
        let range = Range { min: 1.0, max: 100.0, distribution: Distribution::LogUniform };
        assert!((range.at(0.5) - 10.0).abs() < 1e-12 && range.at(0.0) == 1.0);
        let range = Range { min: 1.0, max: 3.0, distribution: Distribution::Uniform };
        assert_eq!(range.at(0.5), 2.0);
    }
}
