//! Which galaxies a survey's simulations draw.

use super::distribution::{Distribution, Range};
use super::reader::{Field, Read, Table};
use crate::sky::{AXIS_RATIO_LIMITS, INDEX_LIMITS, MAGNITUDE_LIMITS, RADIUS_LIMITS};
use serde::Serialize;
use std::path::PathBuf;

/// From which ranges galaxies are drawn, position angles being drawn evenly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GalaxyRanges {
    /// The galaxy's centre lies within ± this many pixels of the stamp's centre along each axis.
    pub centre_offset: f64,
    /// Total AB magnitude.
    pub magnitude: Range,
    /// Half-light radius along the major axis (RE_MAJ), pixels.
    pub radius: Range,
    /// Sérsic index.
    pub sersic_index: Range,
    /// Axis ratio b/a.
    pub axis_ratio: Range,
    /// The catalogue that some or all of the parameters are drawn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<GalaxyCatalogue>,
}

/// A catalogue of galaxies to draw from: one row a galaxy, so that parameters stay related as they are there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GalaxyCatalogue {
    /// A table in a FITS file, or a CSV file; a relative path starts at the survey file's folder.
    pub path: PathBuf,
    /// Its column of total AB magnitudes.
    pub magnitude: String,
    /// Its column of half-light radii along the major axis.
    pub radius: String,
    /// Their unit.
    pub radius_unit: RadiusUnit,
    /// Its column of Sérsic indices.
    pub sersic_index: String,
    /// Its column of axis ratios b/a.
    pub axis_ratio: String,
}

/// The unit of radii in a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RadiusUnit {
    /// The survey's pixels.
    Pixels,
    /// Seconds of arc.
    Arcsec,
}

impl GalaxyRanges {
    /// The ranges in the order of a catalogue's columns: magnitude, radius, Sérsic index, axis ratio.
    pub fn ranges(&self) -> [Range; 4] {
        [self.magnitude, self.radius, self.sersic_index, self.axis_ratio]
    }

    /// Whether each parameter, in the order of [`GalaxyRanges::ranges`], comes from the catalogue.
    pub fn from_catalogue(&self) -> [bool; 4] {
        self.ranges().map(|range| range.distribution == Distribution::Catalogue)
    }

    pub(super) fn read(table: &Table, stamp_size: usize) -> Read<Self> {
        table.only(&["centre_offset", "magnitude", "radius", "sersic_index", "axis_ratio", "catalogue"])?;
        let catalogue = table.optional("catalogue");
        let range = |key, limits| match catalogue {
            Some(_) => Range::read_or_catalogue(&table.required(key)?, limits),
            None => Range::read(&table.required(key)?, limits),
        };
        let half = 0.5 * stamp_size as f64;
        let galaxies = GalaxyRanges {
            centre_offset: table.required("centre_offset")?.within(0.0, half, "pixels")?,
            magnitude: range("magnitude", MAGNITUDE_LIMITS)?,
            radius: range("radius", RADIUS_LIMITS)?,
            sersic_index: range("sersic_index", INDEX_LIMITS)?,
            axis_ratio: range("axis_ratio", AXIS_RATIO_LIMITS)?,
            catalogue: catalogue.as_ref().map(GalaxyCatalogue::read).transpose()?,
        };
        match catalogue {
            Some(unused) if galaxies.from_catalogue() == [false; 4] => {
                unused.fail("no parameter is drawn from it: leave it out, or a distribution")
            }
            _ => Ok(galaxies),
        }
    }
}

impl GalaxyCatalogue {
    fn read(field: &Field) -> Read<Self> {
        let table = field.table()?;
        table.only(&["path", "magnitude", "radius", "radius_unit", "sersic_index", "axis_ratio"])?;
        let column = |key, usual: &str| match table.optional(key) {
            Some(name) => name.string().map(str::to_owned),
            None => Ok(usual.to_owned()),
        };
        let units = [("pixels", RadiusUnit::Pixels), ("arcsec", RadiusUnit::Arcsec)];
        Ok(GalaxyCatalogue {
            path: table.required("path")?.string()?.into(),
            magnitude: column("magnitude", "MAG")?,
            radius: column("radius", "RE_MAJ")?,
            radius_unit: table
                .optional("radius_unit")
                .map_or(Ok(RadiusUnit::Pixels), |u| u.choice(&units))?,
            sersic_index: column("sersic_index", "N")?,
            axis_ratio: column("axis_ratio", "Q")?,
        })
    }
}
