//! Ranges of a parameter and how values lie in them.

use super::reader::{Field, Read};
use serde::Serialize;

/// A range and how values are spread over it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// How values lie between them.
    pub distribution: Distribution,
}

/// How values are spread over a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Evenly.
    Uniform,
    /// Evenly in the logarithm.
    LogUniform,
    /// As in the catalogue of `[galaxies.catalogue]`; the range holds the values that are taken from it.
    Catalogue,
}

impl Range {
    /// An even distribution from `min` to `max`.
    pub fn uniform(min: f64, max: f64) -> Self {
        Range { min, max, distribution: Distribution::Uniform }
    }

    /// The value at `u` in [0, 1) of the distribution's cumulative function; NaN for a catalogue's.
    pub fn at(&self, u: f64) -> f64 {
        match self.distribution {
            Distribution::Uniform => self.min + u * (self.max - self.min),
            Distribution::LogUniform => self.min * (u * (self.max / self.min).ln()).exp(),
            Distribution::Catalogue => f64::NAN,
        }
    }

    /// Whether a value lies in the range.
    pub fn contains(&self, value: f64) -> bool {
        (self.min..=self.max).contains(&value)
    }

    /// Reads a range within `low` to `high`, uniform where the file does not say.
    pub(super) fn read(field: &Field, limits: (f64, f64)) -> Read<Self> {
        let range = Range::any(field, limits, Distribution::Uniform)?;
        if range.distribution == Distribution::Catalogue {
            return field.fail("there is no catalogue to draw this from");
        }
        Ok(range)
    }

    /// Reads a range within `low` to `high`, drawn from the survey's catalogue where the file does not say.
    pub(super) fn read_or_catalogue(field: &Field, limits: (f64, f64)) -> Read<Self> {
        Range::any(field, limits, Distribution::Catalogue)
    }

    fn any(field: &Field, (low, high): (f64, f64), usual: Distribution) -> Read<Self> {
        let table = field.table()?;
        table.only(&["min", "max", "distribution"])?;
        let (min, max) = (table.required("min")?.number()?, table.required("max")?.number()?);
        if min > max {
            return field.fail(format!("min = {min} must not exceed max = {max}"));
        }
        if !(low <= min && max <= high) {
            return field.fail(format!("{min} to {max} must lie within {low} to {high}"));
        }
        let Some(named) = table.optional("distribution") else {
            return Ok(Range { min, max, distribution: usual });
        };
        let distribution = named.choice(&[
            ("uniform", Distribution::Uniform),
            ("log-uniform", Distribution::LogUniform),
            ("catalogue", Distribution::Catalogue),
        ])?;
        if distribution == Distribution::LogUniform && min <= 0.0 {
            return named.fail(format!("a log-uniform range must be positive, not {min} to {max}"));
        }
        Ok(Range { min, max, distribution })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_span_their_range() {
        let range = Range { min: 1.0, max: 100.0, distribution: Distribution::LogUniform };
        assert!((range.at(0.5) - 10.0).abs() < 1e-12 && range.at(0.0) == 1.0);
        assert_eq!(Range::uniform(1.0, 3.0).at(0.5), 2.0);
        assert!(range.contains(1.0) && range.contains(100.0) && !range.contains(f64::NAN));
    }
}
