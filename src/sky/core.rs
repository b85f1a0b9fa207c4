//! The two halves of a Sérsic galaxy's light, each easy where the other is hard.
//!
//! I(r) = I(r) w(r) + I(r) (1 − w(r)), with w = Γ(4, x²)/Γ(4) = exp(−x²)(1 + x² + x⁴/2 + x⁶/6), x = r/r_c:
//! the **core** holds the cusp, which no grid samples well, and has compact support, so its Fourier
//! transform is a short Hankel integral in one variable; the **rest** vanishes at the centre as r⁸ and
//! is smooth on the scale of r_c, so that samples on a grid represent it, and it carries the wide
//! wings, whose transform would be long.
//!
//! The ellipse becomes a circle by squeezing the minor axis, in space by 1/q and in frequency by q.

use super::bessel::J0Table;
use super::sersic::Sersic;
use rustfft::num_complex::Complex64;

/// r_c along the minor axis, in samples of the grid.
const RADIUS_IN_SAMPLES: f64 = 4.0;
/// w < 1e-10 beyond this x.
const WINDOW_END: f64 = 5.6;
/// Phase k·Δr between radii of the Hankel integral at the highest frequency, radians.
const PHASE_STEP: f64 = 1.9;
/// Step of the variable s that stretches radii: r = L ln(1 + e^s), logarithmic inside L and linear
/// outside; the trapezoid rule in s converges geometrically.
const STRETCH_STEP: f64 = 0.2;
/// Phase k·r_end between tabulated frequencies, radians; cubic interpolation is then good to 1e-5 of
/// the core's flux at worst and far better where the core's transform is large.
const TABLE_PHASE: f64 = 0.5;
/// exp(−45) ≈ 3e-20: beyond, the profile is zero.
const ZERO_EXPONENT: f64 = 45.0;

/// A galaxy split for a grid of `step` pixels between samples.
pub(super) struct Split {
    /// (A, B, C) of r² = A dx² + 2B dx dy + C dy².
    form: [f64; 3],
    /// Sine and cosine of the position angle.
    turn: (f64, f64),
    q: f64,
    central: f64,
    /// t = b (r/R_e)^(1/n) = exp(m ln r² + offset).
    m: f64,
    offset: f64,
    /// r_c along the major axis, pixels.
    radius: f64,
}

impl Split {
    pub(super) fn new(galaxy: &Sersic, step: f64) -> Self {
        let m = 0.5 / galaxy.n;
        Split {
            form: galaxy.quadratic_form(),
            turn: galaxy.pa.to_radians().sin_cos(),
            q: galaxy.q,
            central: galaxy.central,
            m,
            offset: galaxy.b.ln() - 2.0 * m * galaxy.re_maj.ln(),
            radius: RADIUS_IN_SAMPLES * step / galaxy.q,
        }
    }

    fn exponent(&self, r2: f64) -> f64 {
        (self.m * r2.ln() + self.offset).exp()
    }

    /// Writes the rest's surface brightness (flux per pixel²) on a square grid of `side`² samples, the
    /// first of which lies at (x0, y0) from the galaxy's centre, pixels.
    pub(super) fn rest(&self, side: usize, step: f64, x0: f64, y0: f64, out: &mut [f64]) {
        let [a, b, c] = self.form;
        let per_core = 1.0 / (self.radius * self.radius);
        for (row, samples) in out.chunks_exact_mut(side).enumerate() {
            let dy = y0 + row as f64 * step;
            let (linear, constant) = (2.0 * b * dy, c * dy * dy);
            for (column, sample) in samples.iter_mut().enumerate() {
                let dx = x0 + column as f64 * step;
                let r2 = ((a * dx + linear) * dx + constant).max(f64::MIN_POSITIVE);
                let t = self.exponent(r2);
                *sample = if t > ZERO_EXPONENT {
                    0.0
                } else {
                    let value = self.central * (-t).exp();
                    let x2 = r2 * per_core;
                    if x2 < WINDOW_END * WINDOW_END { value * (1.0 - window(x2)) } else { value }
                };
            }
        }
    }

    /// The core's transform for elliptical wave numbers from 0 to `highest` (radians per pixel).
    pub(super) fn core(&self, highest: f64, bessel: &J0Table) -> CoreTransform {
        let end = WINDOW_END * self.radius;
        // Where the light ends before the window does, so does the integral.
        let dark = ((ZERO_EXPONENT.ln() - self.offset) / (2.0 * self.m)).exp();
        let end = end.min(dark);
        let length = PHASE_STEP / highest / STRETCH_STEP;
        let mut nodes = Vec::new();
        let mut s = inverse_stretch(end / length);
        loop {
            let r = length * stretch(s);
            let slope = length / (1.0 + (-s).exp());
            let r2 = r * r;
            let x2 = r2 / (self.radius * self.radius);
            let light = self.central * (-self.exponent(r2)).exp() * window(x2);
            nodes.push((r, std::f64::consts::TAU * self.q * light * r * slope * STRETCH_STEP));
            // Inward the integrand falls as r².
            if r2 * self.central < 1e-12 * self.total() {
                break;
            }
            s -= STRETCH_STEP;
        }
        let step = (TABLE_PHASE / end).min(highest / 8.0);
        // One node before zero and two past the end, for the cubic.
        let count = (highest / step).ceil() as usize + 4;
        let values = (0..count)
            .map(|i| {
                let k = (i as f64 - 1.0).abs() * step;
                nodes.iter().map(|&(r, weight)| weight * bessel.at(k * r)).sum()
            })
            .collect();
        CoreTransform { values, per_step: 1.0 / step, turn: self.turn, q: self.q }
    }

    /// A scale for the flux: that of the whole galaxy to within an order of magnitude.
    fn total(&self) -> f64 {
        // The half-light ellipse of constant surface brightness e^(−b) of the centre.
        let re2 = ((self.b_ln() - self.offset) / self.m).exp();
        self.q * re2 * self.central * (-self.b_ln().exp()).exp()
    }

    fn b_ln(&self) -> f64 {
        super::sersic::b_n(0.5 / self.m).ln()
    }
}

/// The core's Fourier transform: real, a function of the elliptical wave number alone.
pub(super) struct CoreTransform {
    values: Vec<f64>,
    per_step: f64,
    turn: (f64, f64),
    q: f64,
}

impl CoreTransform {
    /// At the wave vector (kx, ky), radians per pixel; flux unit.
    pub(super) fn at(&self, kx: f64, ky: f64) -> f64 {
        let (sin, cos) = self.turn;
        let (major, minor) = (ky * cos - kx * sin, (kx * cos + ky * sin) * self.q);
        let position = (major * major + minor * minor).sqrt() * self.per_step;
        let i = (position as usize).min(self.values.len() - 4);
        cubic(&self.values[i..i + 4], position - i as f64)
    }
}

/// The cubic through four equidistant values at −1, 0, 1, 2, at `t` in [0, 1].
pub(super) fn cubic(v: &[f64], t: f64) -> f64 {
    let (a, b, c) = (t + 1.0, t - 1.0, t - 2.0);
    -v[0] * t * b * c / 6.0 + v[1] * a * b * c / 2.0 - v[2] * a * t * c / 2.0 + v[3] * a * t * b / 6.0
}

fn window(x2: f64) -> f64 {
    (-x2).exp() * (1.0 + x2 * (1.0 + x2 * (0.5 + x2 / 6.0)))
}

fn stretch(s: f64) -> f64 {
    if s > 30.0 { s } else { s.exp().ln_1p() }
}

fn inverse_stretch(y: f64) -> f64 {
    if y > 30.0 { y } else { y.exp_m1().ln() }
}

/// exp(−i k x) for all wave numbers `k` of an axis.
pub(super) fn phases(k: &[f64], x: f64) -> Vec<Complex64> {
    k.iter().map(|k| Complex64::cis(-k * x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_and_rest_hold_the_whole_flux() {
        for (n, re, q) in [(0.3, 1.5, 0.2), (0.3, 12.0, 0.5), (1.0, 3.0, 0.8), (2.0, 4.0, 0.3)] {
            let galaxy = Sersic::new(3.0, re, n, q, 25.0).unwrap();
            let split = Split::new(&galaxy, 0.5);
            let side = 800;
            let mut out = vec![0.0; side * side];
            split.rest(side, 0.5, -200.13, -199.9, &mut out);
            let rest = out.iter().sum::<f64>() * 0.25;
            let core = split.core(6.0, &J0Table::new()).at(0.0, 0.0);
            assert!(((core + rest) / 3.0 - 1.0).abs() < 1e-6, "n {n}: {core} + {rest}");
        }
    }

    #[test]
    fn the_core_of_a_gaussian_galaxy_has_the_transform_of_its_integral() {
        // n = 1/2, small: w = 1 over the whole galaxy, so the core is all of it, and its transform the
        // Gaussian exp(−σ²k²/2).
        let galaxy = Sersic::new(1.0, 1.0, 0.5, 0.25, 0.0).unwrap();
        let core = Split::new(&galaxy, 1.0).core(5.0, &J0Table::new());
        let variance = 1.0 / (2.0 * std::f64::consts::LN_2);
        for (kx, ky) in [(0.0f64, 0.0f64), (0.0, 1.3), (2.0, 0.7), (4.0, 0.1), (0.3, 3.1)] {
            let k2 = ky * ky + (0.25 * kx).powi(2);
            let expected = (-0.5 * variance * k2).exp();
            assert!((core.at(kx, ky) - expected).abs() < 1e-5, "{kx} {ky}: {} {expected}", core.at(kx, ky));
        }
    }

    #[test]
    fn the_cubic_is_exact_for_cubics() {
        let f = |x: f64| 2.0 - x + 0.5 * x * x - 3.0 * x * x * x;
        assert!((cubic(&[f(-1.0), f(0.0), f(1.0), f(2.0)], 0.3) - f(0.3)).abs() < 1e-14);
    }
}
