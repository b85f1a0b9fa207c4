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
    #[serde(flatten)]
    pub distribution: Distribution,
}

/// How values are spread over a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum Distribution {
    /// Evenly.
    Uniform,
    /// Evenly in the logarithm.
    LogUniform,
    /// As galaxies are counted by their magnitude m: in proportion to 10^(`slope` m), the more the fainter.
    Counts {
        /// Dex per unit of the parameter; below 0, the fewer the larger.
        slope: f64,
    },
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
            // The u of which F(x) = (10^(s (x − min)) − 1) / (10^(s (max − min)) − 1) is u.
            Distribution::Counts { slope } => {
                let rate = slope * std::f64::consts::LN_10;
                self.min + (u * (rate * (self.max - self.min)).exp_m1()).ln_1p() / rate
            }
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
        table.only(&["min", "max", "distribution", "slope"])?;
        let (min, max) = (table.required("min")?.number()?, table.required("max")?.number()?);
        if min > max {
            return field.fail(format!("min = {min} must not exceed max = {max}"));
        }
        if !(low <= min && max <= high) {
            return field.fail(format!("{min} to {max} must lie within {low} to {high}"));
        }
        let slope = table.optional("slope");
        let Some(named) = table.optional("distribution") else {
            return match slope {
                Some(slope) => slope.fail("goes with distribution = \"counts\""),
                None => Ok(Range { min, max, distribution: usual }),
            };
        };
        let distribution = named.choice(&[
            ("uniform", Distribution::Uniform),
            ("log-uniform", Distribution::LogUniform),
            ("counts", Distribution::Counts { slope: 0.0 }),
            ("catalogue", Distribution::Catalogue),
        ])?;
        let distribution = match (distribution, slope) {
            (Distribution::Counts { .. }, _) => {
                let slope = table.required("slope")?.within(-2.0, 2.0, "dex")?;
                match slope.abs() < 1e-6 {
                    true => Distribution::Uniform,
                    false => Distribution::Counts { slope },
                }
            }
            (_, Some(slope)) => return slope.fail("goes with distribution = \"counts\""),
            (other, None) => other,
        };
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
        // Ten times as many a magnitude fainter: of 1 + 10 in two magnitudes, one is in the first.
        let counts = Range { min: 20.0, max: 22.0, distribution: Distribution::Counts { slope: 1.0 } };
        assert!((counts.at(1.0 / 11.0) - 21.0).abs() < 1e-12);
        assert!(counts.at(0.0) == 20.0 && (counts.at(1.0) - 22.0).abs() < 1e-12);
        assert!(range.contains(1.0) && range.contains(100.0) && !range.contains(f64::NAN));
    }
}
