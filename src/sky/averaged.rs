//! GALFIT's pixel convention: the profile is averaged over each pixel, and the averages are convolved with the PSF's
//! values at the pixels' centres.
//!
//! The average is Gauss's quadrature on the pixel, or on its quarters' quarters where the profile is steep: a cell is
//! divided until the galaxy's centre is far from it against its size.

use super::sersic::Sersic;
use serde::{Deserialize, Serialize};

/// What the pixels do to a galaxy that the PSF has not done already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelConvention {
    /// Nothing: a PSF measured on images holds the pixel's response. A stamp's value is the galaxy convolved
    /// with the PSF, at the pixel's centre (GalSim's `no_pixel`).
    #[default]
    EffectivePsf,
    /// The galaxy is averaged over each pixel and the averages are convolved with the PSF's values at the pixels'
    /// centres, as GALFIT does, which counts the pixel twice where the PSF is an effective one. Some thirty times
    /// slower to draw.
    PixelAveraged,
}

/// Gauss–Legendre nodes and weights on [−1, 1] (Abramowitz & Stegun, table 25.4), weights summing to one, for 3 and 5
/// points.
const GAUSS_3: [(f64, f64); 3] =
    [(-0.774_596_669_241_483, 5.0 / 18.0), (0.0, 4.0 / 9.0), (0.774_596_669_241_483, 5.0 / 18.0)];
const GAUSS_5: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.118_463_442_528_094_5),
    (-0.538_469_310_105_683, 0.239_314_335_249_683_2),
    (0.0, 64.0 / 225.0),
    (0.538_469_310_105_683, 0.239_314_335_249_683_2),
    (0.906_179_845_938_664, 0.118_463_442_528_094_5),
];
/// A cell whose centre is further from the galaxy's, in units of the cell's half-diagonal, all in elliptical radii,
/// takes 3×3 points.
const FAR: f64 = 10.0;
/// One nearer than this is divided; between, 5×5 points do.
const NEAR: f64 = 2.5;
/// A cell that cannot hold more than this fraction of the flux is not divided further.
const NEGLIGIBLE: f64 = 1e-10;

/// Adds a galaxy's mean surface brightness in each pixel of a square grid of `side` pixels; the first pixel's centre
/// lies at (x0, y0) from the galaxy's.
pub(super) fn add_averages(galaxy: &Sersic, side: usize, (x0, y0): (f64, f64), out: &mut [f64]) {
    let profile = Profile { galaxy, form: galaxy.quadratic_form() };
    for (i, pixel) in out.iter_mut().enumerate() {
        *pixel += profile.mean(x0 + (i % side) as f64, y0 + (i / side) as f64, 0.5);
    }
}

struct Profile<'g> {
    galaxy: &'g Sersic,
    form: [f64; 3],
}

impl Profile<'_> {
    fn radius(&self, x: f64, y: f64) -> f64 {
        let [a, b, c] = self.form;
        (a * x * x + 2.0 * b * x * y + c * y * y).max(0.0).sqrt()
    }

    /// The mean over the square cell of half-side `h` about (x, y).
    fn mean(&self, x: f64, y: f64, h: f64) -> f64 {
        let extent = std::f64::consts::SQRT_2 * h / self.galaxy.q;
        let r = self.radius(x, y);
        if r > FAR * extent {
            self.quadrature(&GAUSS_3, x, y, h)
        } else if r > NEAR * extent || 4.0 * h * h * self.galaxy.central < NEGLIGIBLE * self.galaxy.flux {
            self.quadrature(&GAUSS_5, x, y, h)
        } else {
            let h = 0.5 * h;
            let quarters = [(x - h, y - h), (x + h, y - h), (x - h, y + h), (x + h, y + h)];
            0.25 * quarters.into_iter().map(|(x, y)| self.mean(x, y, h)).sum::<f64>()
        }
    }

    fn quadrature(&self, points: &[(f64, f64)], x: f64, y: f64, h: f64) -> f64 {
        let row = |dy: f64| -> f64 {
            points.iter().map(|(t, w)| w * self.galaxy.intensity(self.radius(x + t * h, y + dy))).sum()
        };
        points.iter().map(|(t, w)| w * row(t * h)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::function::erf::erf;

    #[test]
    fn a_gaussian_galaxy_has_the_averages_of_error_functions() {
        // n = 1/2 upright: exp(−x²/2σx²) exp(−y²/2σy²), σ of R_e/√(2 ln 2), the average a product.
        for (re, q) in [(0.8, 0.3), (3.0, 1.0), (6.0, 0.05)] {
            let galaxy = Sersic::new(5.0, re, 0.5, q, 0.0).unwrap();
            let sigma = re / (2.0 * std::f64::consts::LN_2).sqrt();
            let (x0, y0) = (-6.2, -5.9);
            let mut out = vec![0.0; 169];
            add_averages(&galaxy, 13, (x0, y0), &mut out);
            let share = |x: f64, s: f64| {
                let at = |x: f64| 0.5 * erf(x / (s * std::f64::consts::SQRT_2));
                at(x + 0.5) - at(x - 0.5)
            };
            for (i, value) in out.iter().enumerate() {
                let (x, y) = (x0 + (i % 13) as f64, y0 + (i / 13) as f64);
                let expected = 5.0 * share(x, sigma * q) * share(y, sigma);
                assert!((value - expected).abs() < 1e-7, "{re} {q} {i}: {value} {expected}");
            }
        }
    }

    #[test]
    fn the_averages_of_a_steep_galaxy_hold_its_flux() {
        // A disc of pixels against the light within its radius: what the ragged edge adds and takes is small
        // far out.
        for n in [4.0, 8.0] {
            let galaxy = Sersic::new(1.0, 0.3, n, 1.0, 0.0).unwrap();
            let side = 121;
            let mut out = vec![0.0; side * side];
            add_averages(&galaxy, side, (-60.3, -59.9), &mut out);
            let within: f64 = out
                .iter()
                .enumerate()
                .filter(|(i, _)| ((i % side) as f64 - 60.3).hypot((i / side) as f64 - 59.9) < 50.0)
                .map(|(_, value)| value)
                .sum();
            let expected = galaxy.flux_within(50.0);
            assert!((within - expected).abs() < 1e-5, "n {n}: {within} {expected}");
        }
    }
}
