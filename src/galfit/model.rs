//! What GALFIT says of a fit in the header of its model, the second image of its output block.

use super::component::Component;
use super::value::Value;
use crate::Result;
use crate::fits::{BlockHeaders, Cards, read_block_headers};
use std::path::{Path, PathBuf};

/// A fit as GALFIT reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Its components, without those that have no total magnitude.
    pub components: Vec<Component>,
    /// The image that was fitted, as GALFIT was told.
    pub image: String,
    /// First and last column, first and last row of the part that was fitted: FITS pixels of the image.
    pub region: Option<[f64; 4]>,
    /// Reduced χ²; NaN where it is not told.
    pub chi2: f64,
    /// The magnitude zero point; NaN where it is not told.
    pub zero_point: f64,
    /// The flags of `galfit -help`, such as `1` for running out of iterations and `2` for suspected numerical trouble.
    pub flags: Vec<String>,
    /// The constraint file, as GALFIT was told.
    pub constraints: Option<PathBuf>,
}

/// GALFIT's flag for having run out of iterations.
const OUT_OF_ITERATIONS: &str = "1";
/// GALFIT's flag for suspected numerical trouble.
const NUMERICAL: &str = "2";

impl Fit {
    /// Reads the header of the model in an output block, and that of the data.
    ///
    /// # Errors
    /// As [`read_block_headers`]; [`Error::Fits`](crate::Error::Fits) for a block without a component that has a magnitude, and for a parameter
    /// that is no number, with its keyword.
    pub fn of_block(path: &Path) -> Result<(Fit, BlockHeaders)> {
        let block = read_block_headers(path)?;
        let fit = Fit::of_cards(&block.model).map_err(|what| block.error(what))?;
        Ok((fit, block))
    }

    fn of_cards(cards: &Cards) -> std::result::Result<Self, String> {
        let mut components = Vec::new();
        for number in 1.. {
            let Some(kind) = cards.text(&format!("COMP_{number}")) else { break };
            let key = |name: &str| format!("{number}_{name}");
            let written = |name: &str| cards.text(&key(name));
            if let Some(bad) = ["XC", "YC", "MAG", "RE", "N", "AR", "PA"]
                .iter()
                .find(|name| written(name).is_some_and(|text| Value::parse(text).is_none()))
            {
                let text = written(bad).unwrap_or_default();
                return Err(format!("{} is '{text}', not a value of GALFIT's", key(bad)));
            }
            components.extend(Component::read(number, kind, |name| Value::parse(written(name)?)));
        }
        if components.is_empty() {
            return Err("the model has no component with a total magnitude".to_owned());
        }
        let text = |name: &str| cards.text(name).unwrap_or("").to_owned();
        let file = cards.text("CONSTRNT").filter(|name| !name.eq_ignore_ascii_case("none"));
        let mut flags: Vec<String> = text("FLAGS").split_whitespace().map(str::to_owned).collect();
        // What GALFIT 2 and the first of GALFIT 3 wrote in place of the flag.
        if cards.text("ERROR").is_some_and(|error| error.eq_ignore_ascii_case("convergence")) {
            flags.push(NUMERICAL.to_owned());
        }
        Ok(Fit {
            components,
            image: text("DATAIN"),
            region: cards.text("FITSECT").and_then(region),
            chi2: cards.number("CHI2NU").unwrap_or(f64::NAN),
            zero_point: cards.number("MAGZPT").unwrap_or(f64::NAN),
            flags,
            constraints: file.map(PathBuf::from),
        })
    }

    /// Whether GALFIT ran out of iterations.
    pub fn ran_out(&self) -> bool {
        self.flags.iter().any(|flag| flag == OUT_OF_ITERATIONS)
    }

    /// Whether GALFIT suspects numerical trouble in some component.
    pub fn numerical_trouble(&self) -> bool {
        self.flags.iter().any(|flag| flag == NUMERICAL)
    }

    /// The galaxy: of the components with a shape the one nearest to the middle of the region that was fitted, or the
    /// first where there is no region.
    pub fn galaxy(&self) -> Option<&Component> {
        let galaxies = self.components.iter().filter(|component| component.shape.is_some());
        match self.region {
            None => galaxies.into_iter().next(),
            Some([left, right, bottom, top]) => {
                let middle = (0.5 * (left + right), 0.5 * (bottom + top));
                galaxies.min_by(|a, b| a.distance(middle).total_cmp(&b.distance(middle)))
            }
        }
    }

    /// Whether a place, FITS pixels of the image, lies on the region that was fitted.
    pub fn holds(&self, x: f64, y: f64) -> bool {
        self.region.is_none_or(|[left, right, bottom, top]| {
            (left - 0.5..=right + 0.5).contains(&x) && (bottom - 0.5..=top + 0.5).contains(&y)
        })
    }

    /// Of the other components with their centres on the region the brightest that GALFIT trusts: its flux over
    /// `galaxy`'s, and its distance from it, pixels.
    pub fn neighbour(&self, galaxy: &Component) -> Option<(f64, f64)> {
        /// A magnitude that is known no better than this tells nothing.
        const UNKNOWN: f64 = 1.0;
        let place = (galaxy.x.value, galaxy.y.value);
        let trusted = |c: &&Component| {
            c.number != galaxy.number
                && c.mag.value.is_finite()
                && (c.mag.error.is_nan() || c.mag.error <= UNKNOWN)
                && c.suspect().is_none()
                && self.holds(c.x.value, c.y.value)
        };
        let brightest =
            self.components.iter().filter(trusted).min_by(|a, b| a.mag.value.total_cmp(&b.mag.value))?;
        Some((10f64.powf(0.4 * (galaxy.mag.value - brightest.mag.value)), brightest.distance(place)))
    }
}

/// `[x1:x2,y1:y2]` as numbers.
pub(super) fn region(text: &str) -> Option<[f64; 4]> {
    let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let numbers: Vec<f64> = inside.split([':', ',']).map(|n| n.trim().parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_four_numbers_in_brackets() {
        assert_eq!(region("[1:125,1:105]"), Some([1.0, 125.0, 1.0, 105.0]));
        assert_eq!(region(" [ 11: 20, 3 :8 ] "), Some([11.0, 20.0, 3.0, 8.0]));
        for text in ["", "1:2,3:4", "[1:2,3]", "[a:2,3:4]", "[1:2,3:4,5:6]"] {
            assert_eq!(region(text), None, "{text}");
        }
    }
}
