//! The Sérsic profile: one galaxy's light as a function of position, with its total flux to
//! infinity fixed by its magnitude.
//!
//! I(r) = I_e · exp(−b_n [(r/R_e)^(1/n) − 1]), r the elliptical radius in units along the major
//! axis (Sérsic 1963; Graham & Driver 2005, eq. 1). F = 2π q R_e² I_e n e^b b^(−2n) Γ(2n)
//! (Graham & Driver 2005, eq. 4, times the axis ratio).

use crate::{Error, Result};
use statrs::function::gamma::{gamma_lr, ln_gamma};
use std::f64::consts::TAU;

/// The smallest and largest total AB magnitude that surveys and tables of galaxies may hold.
pub const MAGNITUDE_LIMITS: (f64, f64) = (-50.0, 60.0);
/// The smallest and largest RE_MAJ that they may hold, pixels.
pub const RADIUS_LIMITS: (f64, f64) = (0.01, 1e4);
/// The smallest and largest Sérsic index that [`Sersic::new`] takes.
pub const INDEX_LIMITS: (f64, f64) = (0.1, 10.0);
/// The smallest and largest axis ratio that [`Sersic::new`] takes.
pub const AXIS_RATIO_LIMITS: (f64, f64) = (0.05, 1.0);

/// b_n of the Sérsic profile: the solution of γ(2n, b) = Γ(2n)/2, by which half of the light lies
/// within R_e (Ciotti 1991), to 1e-12 relative. Solved rather than taken from the series of
/// Ciotti & Bertin (1999), which loses its digits below n ≈ 0.5.
///
/// `n` must be positive; [`Sersic::new`] checks it.
pub fn b_n(n: f64) -> f64 {
    let a = 2.0 * n;
    let excess = |b: f64| gamma_lr(a, b) - 0.5;
    // The median of a gamma distribution lies between 0 and its mean.
    let (mut low, mut high) = (0.0, a);
    let mut b = (a - 1.0 / 3.0 + 0.009_876 / n).clamp(0.1 * a, a);
    for _ in 0..200 {
        let f = excess(b);
        if f > 0.0 {
            high = b;
        } else {
            low = b;
        }
        let slope = ((a - 1.0) * b.ln() - b - ln_gamma(a)).exp();
        let newton = b - f / slope;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - b).abs() <= 1e-13 * b {
            return next;
        }
        b = next;
    }
    b
}

/// One Sérsic galaxy, centred at the origin. Lengths are in pixels of the image it is drawn on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sersic {
    /// Total flux to infinity, in the image's unit (e/s).
    pub flux: f64,
    /// Half-light radius along the major axis, pixels.
    pub re_maj: f64,
    /// Sérsic index.
    pub n: f64,
    /// Axis ratio b/a, 0.05 to 1.
    pub q: f64,
    /// Position angle of the major axis from +y, counter-clockwise, degrees (as GALFIT).
    pub pa: f64,
    /// b_n of `n`.
    pub b: f64,
    /// Surface brightness at the centre, flux unit per pixel²: I_e e^b.
    pub central: f64,
}

impl Sersic {
    /// A galaxy of total `flux` (to infinity), half-light radius `re_maj` along the major axis
    /// (pixels), Sérsic index `n`, axis ratio `q` and position angle `pa` (degrees from +y,
    /// counter-clockwise).
    ///
    /// # Errors
    /// [`Error::Usage`] for values no galaxy has: a radius or flux that is not positive and
    /// finite, n outside [`INDEX_LIMITS`], q outside (0, 1].
    pub fn new(flux: f64, re_maj: f64, n: f64, q: f64, pa: f64) -> Result<Self> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let possible = positive(flux)
            && positive(re_maj)
            && (INDEX_LIMITS.0..=INDEX_LIMITS.1).contains(&n)
            && (AXIS_RATIO_LIMITS.0..=AXIS_RATIO_LIMITS.1).contains(&q)
            && pa.is_finite();
        if !possible {
            return Err(Error::Usage(format!(
                "not a Sérsic galaxy: flux {flux}, RE_MAJ {re_maj} px, n {n}, q {q}, PA {pa}; flux and \
                 radius must be positive, n {} to {}, q {} to {}",
                INDEX_LIMITS.0, INDEX_LIMITS.1, AXIS_RATIO_LIMITS.0, AXIS_RATIO_LIMITS.1
            )));
        }
        let b = b_n(n);
        // I_e e^b = F b^(2n) / (2π q R_e² n Γ(2n)); in logarithms, since b^(2n) overflows nothing
        // here but Γ(2n) and it are both large.
        let log_shape = 2.0 * n * b.ln() - ln_gamma(2.0 * n);
        let central = flux * log_shape.exp() / (TAU * q * re_maj * re_maj * n);
        Ok(Sersic { flux, re_maj, n, q, pa, b, central })
    }

    /// As [`Sersic::new`], from an AB magnitude and the image's zero point: F = 10^((ZP − m)/2.5).
    ///
    /// # Errors
    /// As [`Sersic::new`].
    pub fn from_magnitude(mag: f64, zero_point: f64, re_maj: f64, n: f64, q: f64, pa: f64) -> Result<Self> {
        Sersic::new(flux_of(mag, zero_point), re_maj, n, q, pa)
    }

    /// Circularised half-light radius √(ab) = RE_MAJ √q, pixels.
    pub fn re_circ(&self) -> f64 {
        self.re_maj * self.q.sqrt()
    }

    /// Surface brightness at elliptical radius `r` (pixels along the major axis), flux per pixel².
    pub fn intensity(&self, r: f64) -> f64 {
        self.central * (-self.b * (r / self.re_maj).powf(1.0 / self.n)).exp()
    }

    /// Flux inside the ellipse of major semi-axis `r` (pixels): F · P(2n, b (r/R_e)^(1/n)), P the
    /// regularised lower incomplete gamma function (Graham & Driver 2005, eq. 2).
    pub fn flux_within(&self, r: f64) -> f64 {
        let x = self.b * (r / self.re_maj).powf(1.0 / self.n);
        if x > 0.0 { self.flux * gamma_lr(2.0 * self.n, x) } else { 0.0 }
    }

    /// The quadratic form (A, B, C) of the elliptical radius: r² = A dx² + 2B dx dy + C dy², with
    /// dx, dy from the centre in pixels.
    pub fn quadratic_form(&self) -> [f64; 3] {
        let (sin, cos) = self.pa.to_radians().sin_cos();
        let w = 1.0 / (self.q * self.q);
        // Along the major axis (−sin, cos), along the minor axis (cos, sin).
        [sin * sin + w * cos * cos, sin * cos * (w - 1.0), cos * cos + w * sin * sin]
    }
}

/// The flux of an AB magnitude at a zero point (flux 1 has magnitude `zero_point`).
pub fn flux_of(mag: f64, zero_point: f64) -> f64 {
    10f64.powf(0.4 * (zero_point - mag))
}

/// The AB magnitude of a flux at a zero point; NaN for a flux that is not positive.
pub fn magnitude_of(flux: f64, zero_point: f64) -> f64 {
    if flux > 0.0 { zero_point - 2.5 * flux.log10() } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_n_is_the_published_value() {
        // n = 1/2 is a Gaussian: b = ln 2. Graham & Driver 2005 quote b₁ = 1.678 and b₄ = 7.669; b is the
        // median of a gamma distribution of shape a = 2n, for which Choi 1994 gives the series, which
        // errs by its next term, of order a⁻⁵.
        assert!((b_n(0.5) - std::f64::consts::LN_2).abs() < 1e-10);
        for n in [1.5f64, 2.5, 4.0, 6.2, 10.0] {
            let a = 2.0 * n;
            let series = a - 1.0 / 3.0
                + 8.0 / (405.0 * a)
                + 184.0 / (25_515.0 * a.powi(2))
                + 2248.0 / (3_444_525.0 * a.powi(3))
                - 19_006_408.0 / (15_345_358_875.0 * a.powi(4));
            assert!((b_n(n) - series).abs() < 2e-3 / a.powi(5), "n {n}: {} {series}", b_n(n));
        }
        assert!((b_n(1.0) - 1.678_346_990_016_66).abs() < 1e-10);
    }

    #[test]
    fn half_of_the_light_lies_within_b_n_by_quadrature() {
        // ∫₀^b x^(2n−1) e^(−x) dx in v = ln x, by the trapezoid rule, which converges
        // exponentially there; independent of the incomplete gamma function.
        for n in [0.3, 0.4, 0.5, 1.0, 2.7, 4.0, 6.2] {
            let b = b_n(n);
            let integrand = |v: f64| (2.0 * n * v - v.exp()).exp();
            let (lowest, steps) = (-40.0 / (2.0 * n), 200_000);
            let simpson = |from: f64, to: f64| {
                let h = (to - from) / f64::from(steps);
                let sum: f64 = (1..steps)
                    .map(|i| integrand(from + f64::from(i) * h) * if i % 2 == 1 { 4.0 } else { 2.0 })
                    .sum();
                (integrand(from) + integrand(to) + sum) * h / 3.0
            };
            let inside = simpson(lowest, b.ln());
            let outside = simpson(b.ln(), 5.0);
            assert!((inside / (inside + outside) - 0.5).abs() < 1e-10, "n {n}");
        }
    }

    #[test]
    fn the_integral_of_the_profile_is_the_flux() {
        for (n, q) in [(0.3, 0.2), (1.0, 0.8), (4.0, 0.5), (6.2, 0.35)] {
            let galaxy = Sersic::from_magnitude(20.0, 25.9463, 5.0, n, q, 30.0).unwrap();
            // F = 2πq ∫ I(r) r² d ln r.
            let h = 0.002;
            let total: f64 = (-12_000..12_000)
                .map(|i| {
                    let r = 5.0 * (f64::from(i) * h).exp();
                    galaxy.intensity(r) * r * r
                })
                .sum::<f64>()
                * h
                * TAU
                * q;
            assert!((total / galaxy.flux - 1.0).abs() < 1e-9, "n {n}: {}", total / galaxy.flux);
            assert!((galaxy.flux_within(5.0) / galaxy.flux - 0.5).abs() < 1e-10);
            assert!((magnitude_of(galaxy.flux, 25.9463) - 20.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_position_angle_turns_from_y_counter_clockwise() {
        let r2 = |galaxy: &Sersic, x: f64, y: f64| {
            let [a, b, c] = galaxy.quadratic_form();
            a * x * x + 2.0 * b * x * y + c * y * y
        };
        let upright = Sersic::new(1.0, 5.0, 1.0, 0.5, 0.0).unwrap();
        assert!((r2(&upright, 0.0, 3.0) - 9.0).abs() < 1e-12);
        assert!((r2(&upright, 3.0, 0.0) - 36.0).abs() < 1e-12);
        // Counter-clockwise from +y is towards −x.
        let turned = Sersic::new(1.0, 5.0, 1.0, 0.5, 45.0).unwrap();
        assert!((r2(&turned, -1.0, 1.0) - 2.0).abs() < 1e-12);
        assert!((r2(&turned, 1.0, 1.0) - 8.0).abs() < 1e-12);
    }

    #[test]
    fn impossible_galaxies_are_errors() {
        for (flux, re, n, q) in
            [(0.0, 5.0, 1.0, 0.5), (1.0, -1.0, 1.0, 0.5), (1.0, 5.0, 0.0, 0.5), (1.0, 5.0, 1.0, 1.5)]
        {
            assert!(Sersic::new(flux, re, n, q, 0.0).is_err());
        }
        assert!(Sersic::new(1.0, 5.0, f64::NAN, 0.5, 0.0).is_err());
    }
}
