//! How far galaxies are from one smooth ellipse.

use super::distribution::Range;
use super::reader::{Field, Read};
use crate::sky::INDEX_LIMITS;
use serde::Serialize;

/// Light of a galaxy that its one Sérsic profile does not describe. Its total magnitude includes that light; its
/// other parameters are those of the main component.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Asymmetry {
    /// Lopsidedness, where there is some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lopsided: Option<Lopsided>,
    /// A second component, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondComponent>,
}

/// A copy of the galaxy beside it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lopsided {
    /// The copy's part of the light.
    pub fraction: Range,
    /// Its distance, in half-light radii of its direction.
    pub displacement: Range,
}

/// A component of the same centre, axis ratio and position angle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SecondComponent {
    /// Its part of the light.
    pub fraction: Range,
    /// Its half-light radius over the main component's.
    pub radius_ratio: Range,
    /// Its Sérsic index.
    pub sersic_index: Range,
}

/// Of two such parts the main component still has the most light.
const FRACTIONS: (f64, f64) = (0.0, 0.3);

impl Asymmetry {
    pub(super) fn read(field: &Field) -> Read<Self> {
        let table = field.table()?;
        table.only(&["lopsided", "second"])?;
        let asymmetry = Asymmetry {
            lopsided: table.optional("lopsided").map(|field| Lopsided::read(&field)).transpose()?,
            second: table.optional("second").map(|field| SecondComponent::read(&field)).transpose()?,
        };
        if asymmetry.lopsided.is_none() && asymmetry.second.is_none() {
            return field.fail("[asymmetry.lopsided] or [asymmetry.second] is missing");
        }
        Ok(asymmetry)
    }
}

impl Lopsided {
    fn read(field: &Field) -> Read<Self> {
        let table = field.table()?;
        table.only(&["fraction", "displacement"])?;
        let range = |key, limits| Range::read(&table.required(key)?, limits);
        Ok(Lopsided {
            fraction: range("fraction", FRACTIONS)?,
            displacement: range("displacement", (0.0, 2.0))?,
        })
    }
}

impl SecondComponent {
    fn read(field: &Field) -> Read<Self> {
        let table = field.table()?;
        table.only(&["fraction", "radius_ratio", "sersic_index"])?;
        let range = |key, limits| Range::read(&table.required(key)?, limits);
        Ok(SecondComponent {
            fraction: range("fraction", FRACTIONS)?,
            radius_ratio: range("radius_ratio", (0.05, 10.0))?,
            sersic_index: range("sersic_index", INDEX_LIMITS)?,
        })
    }
}
