//! The polynomials by which an instrument's pixels differ from those of a projection (Shupe et al. 2005, ASP Conf. Ser.
//! 347, 491): u' = u + Σ A_pq u^p v^q, v' = v + Σ B_pq u^p v^q, with u, v from the reference pixel.

use super::super::header::Cards;

/// Polynomials of higher order are refused.
const HIGHEST: usize = 9;
/// Rounds of the inverse, and what it must come to, pixels.
const ROUNDS: usize = 50;
const CLOSE: f64 = 1e-9;

/// The coefficients that there are, with their powers of u and v.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sip([Vec<(i32, i32, f64)>; 2]);

impl Sip {
    /// `None` for an order beyond what the convention knows. Inverse polynomials (`AP`, `BP`) are approximate and not
    /// used.
    pub(super) fn from_cards(cards: &Cards) -> Option<Self> {
        let polynomial = |letter: &str| -> Option<Vec<(i32, i32, f64)>> {
            let order = cards.number(&format!("{letter}_ORDER")).unwrap_or(0.0);
            if !(0.0..=HIGHEST as f64).contains(&order) {
                return None;
            }
            let order = order as i32;
            let powers = (0..=order).flat_map(|p| (0..=order - p).map(move |q| (p, q)));
            Some(
                powers
                    .filter_map(|(p, q)| Some((p, q, cards.number(&format!("{letter}_{p}_{q}"))?)))
                    .collect(),
            )
        };
        Some(Sip([polynomial("A")?, polynomial("B")?]))
    }

    fn shift(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        let sum =
            |terms: &Vec<(i32, i32, f64)>| terms.iter().map(|(p, q, c)| c * u.powi(*p) * v.powi(*q)).sum();
        [sum(&self.0[0]), sum(&self.0[1])]
    }

    /// From an offset in the instrument's pixels to one in the projection's.
    pub(super) fn undistorted(&self, offset: [f64; 2]) -> [f64; 2] {
        let [f, g] = self.shift(offset);
        [offset[0] + f, offset[1] + g]
    }

    /// The other way, by iteration; none where it does not settle, far beyond the image that the polynomials are of.
    pub(super) fn distorted(&self, wanted: [f64; 2]) -> Option<[f64; 2]> {
        let mut offset = wanted;
        for _ in 0..ROUNDS {
            let [f, g] = self.shift(offset);
            let next = [wanted[0] - f, wanted[1] - g];
            let step = (next[0] - offset[0]).hypot(next[1] - offset[1]);
            offset = next;
            if step < CLOSE {
                return Some(offset);
            }
        }
        None
    }
}
