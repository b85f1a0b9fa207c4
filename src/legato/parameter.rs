//! What is estimated: four parameters of the one-component Sérsic profile, a network each.

use super::Architecture;
use crate::sky::{Survey, Truth};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A structural parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Parameter {
    /// Total AB magnitude (`MAG`).
    Magnitude,
    /// Half-light radius along the major axis, pixels (`RE_MAJ`).
    Radius,
    /// Sérsic index (`N`).
    SersicIndex,
    /// Axis ratio b/a (`Q`).
    AxisRatio,
}

impl Parameter {
    /// All of them, in the order of the catalogue's columns.
    pub const ALL: [Parameter; 4] =
        [Parameter::Magnitude, Parameter::Radius, Parameter::SersicIndex, Parameter::AxisRatio];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Parameter::Magnitude => "magnitude",
            Parameter::Radius => "radius",
            Parameter::SersicIndex => "sersic-index",
            Parameter::AxisRatio => "axis-ratio",
        }
    }

    /// The column in data sets and catalogues.
    pub fn column(self) -> &'static str {
        match self {
            Parameter::Magnitude => "MAG",
            Parameter::Radius => "RE_MAJ",
            Parameter::SersicIndex => "N",
            Parameter::AxisRatio => "Q",
        }
    }

    /// The architecture that the paper found better for it.
    pub fn architecture(self) -> Architecture {
        match self {
            Parameter::Magnitude | Parameter::Radius => Architecture::Two,
            Parameter::SersicIndex | Parameter::AxisRatio => Architecture::One,
        }
    }

    /// Its value in a row of truth.
    pub fn of(self, truth: &Truth) -> f64 {
        match self {
            Parameter::Magnitude => truth.mag,
            Parameter::Radius => truth.re_maj,
            Parameter::SersicIndex => truth.n,
            Parameter::AxisRatio => truth.q,
        }
    }

    /// Whether a zoom of the image multiplies it.
    pub fn follows_zoom(self) -> bool {
        self == Parameter::Radius
    }

    /// The scaling for a survey's range of it.
    pub fn scaling(self, survey: &Survey) -> Scaling {
        let galaxies = &survey.galaxies;
        let range = match self {
            Parameter::Magnitude => galaxies.magnitude,
            Parameter::Radius => galaxies.radius,
            Parameter::SersicIndex => galaxies.sersic_index,
            Parameter::AxisRatio => galaxies.axis_ratio,
        };
        Scaling { min: range.min, max: range.max }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A parameter's range, which maps linearly to the networks' targets in [-1, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The value at -1.
    pub min: f64,
    /// The value at 1.
    pub max: f64,
}

impl Scaling {
    /// From a physical value to a target.
    pub fn target(&self, value: f64) -> f64 {
        2.0 * (value - self.min) / (self.max - self.min) - 1.0
    }

    /// From a network's answer to a physical value.
    pub fn value(&self, target: f64) -> f64 {
        self.min + 0.5 * (target + 1.0) * (self.max - self.min)
    }

    /// Whether a value lies in the range.
    pub fn contains(&self, value: f64) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_maps_to_plus_and_minus_one_and_back() {
        let scaling = Scaling { min: 16.0, max: 23.0 };
        assert_eq!([16.0, 19.5, 23.0].map(|m| scaling.target(m)), [-1.0, 0.0, 1.0]);
        assert_eq!(scaling.value(scaling.target(18.25)), 18.25);
        assert!(scaling.contains(16.0) && !scaling.contains(23.01));
    }
}
