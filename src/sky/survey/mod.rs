//! A survey: everything that makes its galaxies look as they do on its images, described in a TOML
//! file of `datasets/`.
//!
//! | file | idea |
//! |---|---|
//! | `reader.rs` | TOML read key by key, with the line in every complaint |
//! | `optics.rs` | `[[psf]]` |
//! | `noise.rs` | `[noise]` |
//! | `galaxies.rs` | `[galaxies]` |
//! | `companions.rs` | `[companions]` |
//! | `asymmetry.rs` | `[asymmetry]` |
//! | `distribution.rs` | ranges of parameters |

mod asymmetry;
mod companions;
mod distribution;
mod galaxies;
mod noise;
mod optics;
mod reader;

pub use asymmetry::{Asymmetry, Lopsided, SecondComponent};
pub use companions::{Companions, FluxRatios, RadiusLaw};
pub use distribution::{Distribution, Range};
pub use galaxies::{GalaxyCatalogue, GalaxyRanges, RadiusUnit};
pub use noise::{NoiseCorrelation, SurveyNoise};
pub use optics::{PsfModel, SurveyPsf};

use super::averaged::PixelConvention;
use crate::{Error, Result};
use reader::{Read, Table};
use serde::Serialize;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The surveys that are part of the program, by name.
const BUILTIN: [(&str, &str); 6] = [
    ("candels-f160w", include_str!("../../../datasets/candels-f160w.toml")),
    ("candels-f160w-crowded", include_str!("../../../datasets/candels-f160w-crowded.toml")),
    ("candels-f160w-crowded-wide", include_str!("../../../datasets/candels-f160w-crowded-wide.toml")),
    ("candels-f160w-faint", include_str!("../../../datasets/candels-f160w-faint.toml")),
    ("candels-f160w-wide", include_str!("../../../datasets/candels-f160w-wide.toml")),
    ("euclid-vis", include_str!("../../../datasets/euclid-vis.toml")),
];

/// A survey and the galaxies to simulate for it; the keys of its TOML file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survey {
    /// Its name, kept in data sets and weights.
    pub name: String,
    /// Pixel scale, arcsec.
    pub pixel_scale: f64,
    /// AB zero point of images in e/s: the magnitude of 1 e/s.
    pub zero_point: f64,
    /// Exposure time, s; sets the photon noise.
    pub exposure: f64,
    /// Pixels along a side of a stamp.
    pub stamp_size: usize,
    /// What pixels do that the PSF has not done.
    pub pixel_convention: PixelConvention,
    /// The noise.
    pub noise: SurveyNoise,
    /// The galaxies' parameters.
    pub galaxies: GalaxyRanges,
    /// What surrounds the galaxy; nothing where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub companions: Option<Companions>,
    /// Light beside the one Sérsic profile; none where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asymmetry: Option<Asymmetry>,
    /// The effective PSFs, one or more, of which each stamp has one.
    pub psf: Vec<SurveyPsf>,
}

impl Survey {
    /// Reads a survey from a TOML file.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Config`] for what is not TOML, an unknown or
    /// missing key or an impossible value, with its line and key.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, "read", e))?;
        let mut survey = Survey::parse(&text, path)?;
        if let Some(folder) = path.parent() {
            // An absolute path stays as it is.
            survey.files().for_each(|file| *file = folder.join(&*file));
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
                "no survey '{name}' in the program; there are {}, and any survey's TOML file can be given \
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
        let document = DeTable::parse(text).map_err(|e| config(e.to_string().trim_end().to_owned()))?;
        Survey::read(&Table::root(text, document.get_ref())).map_err(config)
    }

    /// The survey as TOML text, as weights and data sets keep it.
    pub fn to_toml(&self) -> String {
        // Every field is a number, a string or a table of them, all of which TOML can hold, but for a path that
        // is not Unicode.
        toml::to_string(self).unwrap_or_default()
    }

    fn read(table: &Table) -> Read<Self> {
        table.only(&[
            "name",
            "pixel_scale",
            "zero_point",
            "exposure",
            "stamp_size",
            "pixel_convention",
            "psf",
            "noise",
            "galaxies",
            "companions",
            "asymmetry",
        ])?;
        let conventions = [
            ("effective-psf", PixelConvention::EffectivePsf),
            ("pixel-averaged", PixelConvention::PixelAveraged),
        ];
        let convention = table.optional("pixel_convention").map(|c| c.choice(&conventions));
        let stamp_size = table.required("stamp_size")?.whole(8, 4096, "pixels")? as usize;
        let psf = table.required("psf")?;
        let psfs: Vec<SurveyPsf> = psf.tables()?.iter().map(SurveyPsf::read).collect::<Read<_>>()?;
        if psfs.is_empty() {
            return psf.fail("at least one is needed");
        }
        Ok(Survey {
            name: table.required("name")?.string()?.to_owned(),
            pixel_scale: table.required("pixel_scale")?.positive("arcsec")?,
            zero_point: table.required("zero_point")?.number()?,
            exposure: table.required("exposure")?.positive("s")?,
            stamp_size,
            pixel_convention: convention.unwrap_or(Ok(PixelConvention::default()))?,
            noise: SurveyNoise::read(&table.required("noise")?.table()?)?,
            galaxies: GalaxyRanges::read(&table.required("galaxies")?.table()?, stamp_size)?,
            companions: table.optional("companions").map(|f| Companions::read(&f, stamp_size)).transpose()?,
            asymmetry: table.optional("asymmetry").map(|f| Asymmetry::read(&f)).transpose()?,
            psf: psfs,
        })
    }

    /// The files that the survey names, for their paths to be made relative to another folder.
    fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let psfs = self.psf.iter_mut().filter_map(|psf| match &mut psf.model {
            PsfModel::File { path, .. } => Some(path),
            _ => None,
        });
        let noise = match &mut self.noise {
            SurveyNoise::Image { path, .. } => Some(path),
            _ => None,
        };
        psfs.chain(noise).chain(self.galaxies.catalogue.as_mut().map(|catalogue| &mut catalogue.path))
    }
}

#[cfg(test)]
mod tests;
