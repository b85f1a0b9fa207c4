//! What surrounds the galaxy.

use super::distribution::Range;
use super::reader::{Field, Read};
use crate::sky::{AXIS_RATIO_LIMITS, INDEX_LIMITS};
use serde::Serialize;

/// The galaxies and stars around the one that is measured. How many there are is negative binomial, a Poisson
/// distribution whose mean varies from field to field; the number of those with more than x times the galaxy's flux
/// falls as x^(−slope); their places are even over the stamp and around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Companions {
    /// Mean number of those whose centres are on the stamp.
    pub mean: f64,
    /// Fraction of stamps with none: at least exp(−mean), a Poisson distribution's.
    pub none: f64,
    /// Fraction that are stars, points of light.
    pub stars: f64,
    /// Least distance from the galaxy's centre, pixels.
    pub min_distance: f64,
    /// How far beyond the stamp's edges there are more of them, as dense as on it, pixels.
    pub reach: f64,
    /// Their flux over the galaxy's.
    pub flux_ratio: FluxRatios,
    /// Their half-light radii.
    pub radius: RadiusLaw,
    /// Their Sérsic indices.
    pub sersic_index: Range,
    /// Their axis ratios b/a.
    pub axis_ratio: Range,
}

/// A power law of flux ratios between two limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FluxRatios {
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// The number above x falls as x^(−slope), up to a constant that makes it 0 at the largest.
    pub slope: f64,
}

/// Half-light radii along the major axis that follow the magnitude: log-normal, with a median of
/// `median` · 10^(`slope` (m − `magnitude`)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RadiusLaw {
    /// The AB magnitude at which the median is given.
    pub magnitude: f64,
    /// The median there, pixels.
    pub median: f64,
    /// Dex per magnitude.
    pub slope: f64,
    /// Standard deviation, dex.
    pub scatter: f64,
}

impl Companions {
    pub(super) fn read(field: &Field, stamp_size: usize) -> Read<Self> {
        let table = field.table()?;
        table.only(&[
            "mean",
            "none",
            "stars",
            "min_distance",
            "reach",
            "flux_ratio",
            "radius",
            "sersic_index",
            "axis_ratio",
        ])?;
        let size = stamp_size as f64;
        let mean = table.required("mean")?.positive("companions a stamp")?;
        if mean > MOST {
            return table.required("mean")?.fail(format!("{mean} must not exceed {MOST}"));
        }
        let none = table.required("none")?;
        let poisson = (-mean).exp();
        if !(poisson..1.0).contains(&none.number()?) {
            return none.fail(format!(
                "{} must be at least exp(-mean) = {poisson:.4}, a Poisson distribution's, and below 1",
                none.number()?
            ));
        }
        let or = |key, usual: f64, high| match table.optional(key) {
            Some(field) => field.within(0.0, high, "pixels"),
            None => Ok(usual),
        };
        let range = |key, limits| Range::read(&table.required(key)?, limits);
        Ok(Companions {
            mean,
            none: none.number()?,
            stars: table.required("stars")?.within(0.0, 1.0, "a fraction")?,
            min_distance: or("min_distance", 0.0, 0.25 * size)?,
            reach: or("reach", 0.0, size)?,
            flux_ratio: FluxRatios::read(&table.required("flux_ratio")?)?,
            radius: RadiusLaw::read(&table.required("radius")?)?,
            sersic_index: range("sersic_index", INDEX_LIMITS)?,
            axis_ratio: range("axis_ratio", AXIS_RATIO_LIMITS)?,
        })
    }
}

/// More companions than any stamp is worth drawing with.
const MOST: f64 = 50.0;

impl FluxRatios {
    fn read(field: &Field) -> Read<Self> {
        let table = field.table()?;
        table.only(&["min", "max", "slope"])?;
        let ratio = |key| table.required(key)?.within(1e-6, 1e4, "of the galaxy's flux");
        let (min, max) = (ratio("min")?, ratio("max")?);
        if min > max {
            return field.fail(format!("min = {min} must not exceed max = {max}"));
        }
        Ok(FluxRatios { min, max, slope: table.required("slope")?.within(0.01, 10.0, "of a power law")? })
    }
}

impl RadiusLaw {
    fn read(field: &Field) -> Read<Self> {
        let table = field.table()?;
        table.only(&["magnitude", "median", "slope", "scatter"])?;
        Ok(RadiusLaw {
            magnitude: table.required("magnitude")?.number()?,
            median: table.required("median")?.positive("pixels")?,
            slope: table.required("slope")?.within(-1.0, 1.0, "dex per magnitude")?,
            scatter: table.required("scatter")?.within(0.0, 1.0, "dex")?,
        })
    }
}
