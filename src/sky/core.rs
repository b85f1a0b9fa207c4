//! The two halves of a Sérsic galaxy's light, each easy where the other is hard.
//!
//! I(r) = I(r) w(r) + I(r) (1 − w(r)), with w = Γ(4, x²)/Γ(4) = exp(−x²)(1 + x² + x⁴/2 + x⁶/6), x = r/r_c:
//! the **core** holds the cusp, which no grid samples well, and has compact support, so its Fourier
//! transform is a short Hankel integral in one variable; the **rest** vanishes at the centre as r⁸ and
//! is smooth on the scale of r_c, so that samples on a grid represent it, and it carries the wide
//! wings, whose transform would be long.
//!
//! The ellipse becomes a circle by squeezing the minor axis, in space by 1/q and in frequency by q.

use super::cubic::{Cubic, GUARD};
use super::hankel::{END, Hankel, WAVE_STEP};
use super::sersic::Sersic;

/// r_c along the minor axis, in samples of the grid.
const RADIUS_IN_SAMPLES: f64 = 4.0;
/// Steps of the rest's table to one r_c.
const STEPS_PER_RADIUS: f64 = 24.0;
/// exp(−45) ≈ 3e-20: beyond, the profile is zero.
const ZERO_EXPONENT: f64 = 45.0;

/// A galaxy split for a grid of a given step.
pub(super) struct Split {
    /// (A, B, C) of r² = A dx² + 2B dx dy + C dy².
    form: [f64; 3],
    /// Sine and cosine of the position angle.
    turn: (f64, f64),
    q: f64,
    flux: f64,
    central: f64,
    /// t = b (r/R_e)^(1/n) = exp(per_n ln r + offset).
    per_n: f64,
    offset: f64,
    /// r_c along the major axis, pixels.
    radius: f64,
}

/// The tables of one galaxy; kept from one to the next for their memory.
#[derive(Default)]
pub(super) struct Tables {
    values: Vec<f64>,
    transformed: Vec<f64>,
    cubic: Cubic,
}

impl Split {
    /// For a grid of `step` pixels between samples.
    pub(super) fn new(galaxy: &Sersic, step: f64) -> Self {
        let per_n = 1.0 / galaxy.n;
        Split {
            form: galaxy.quadratic_form(),
            turn: galaxy.pa.to_radians().sin_cos(),
            q: galaxy.q,
            flux: galaxy.flux,
            central: galaxy.central,
            per_n,
            offset: galaxy.b.ln() - per_n * galaxy.re_maj.ln(),
            radius: RADIUS_IN_SAMPLES * step / galaxy.q,
        }
    }

    /// The surface brightness where ln r is `ln_r`, over the central one.
    fn light(&self, ln_r: f64) -> f64 {
        let t = (self.per_n * ln_r + self.offset).exp();
        if t > ZERO_EXPONENT { 0.0 } else { (-t).exp() }
    }

    /// The elliptical radius beyond which there is no light, pixels.
    fn dark(&self) -> f64 {
        ((ZERO_EXPONENT.ln() - self.offset) / self.per_n).exp()
    }

    /// The core's surface brightness at elliptical radius `r` > 0.
    pub(super) fn core_at(&self, r: f64) -> f64 {
        self.central * self.light(r.ln()) * window((r / self.radius).powi(2))
    }

    /// Adds the rest's surface brightness (flux per pixel²) to a square grid of `side`² samples `step` pixels
    /// apart, the first of which lies at (x0, y0) from the galaxy's centre, pixels.
    pub(super) fn add_rest(
        &self,
        side: usize,
        step: f64,
        (x0, y0): (f64, f64),
        tables: &mut Tables,
        out: &mut [f64],
    ) {
        let [a, b, c] = self.form;
        let r = |x: f64, y: f64| (a * x * x + 2.0 * b * x * y + c * y * y).sqrt();
        let (x1, y1) = (x0 + side as f64 * step, y0 + side as f64 * step);
        let end = r(x0, y0).max(r(x0, y1)).max(r(x1, y0)).max(r(x1, y1)).min(self.dark());
        let per_step = STEPS_PER_RADIUS / self.radius;
        self.tabulate_rest(end, per_step, tables);
        // From here on in steps of the table.
        let scale = per_step * per_step;
        let [a, b, c] = [a * scale, b * scale, c * scale];
        let end2 = end * end * scale;
        let column_of = |dx: f64| ((dx - x0) / step).clamp(0.0, side as f64);
        for (row, samples) in out.chunks_exact_mut(side).enumerate() {
            let dy = y0 + row as f64 * step;
            let (linear, constant) = (2.0 * b * dy, c * dy * dy);
            // Where the row crosses the ellipse of the end: a dx² + linear dx + constant = end².
            let discriminant = linear * linear - 4.0 * a * (constant - end2);
            if discriminant <= 0.0 {
                continue;
            }
            let (middle, half) = (-0.5 * linear / a, 0.5 * discriminant.sqrt() / a);
            let range = column_of(middle - half) as usize..column_of(middle + half).ceil() as usize;
            tables.cubic.at_roots(
                range,
                |column| {
                    let dx = x0 + column as f64 * step;
                    (a * dx + linear) * dx + constant
                },
                |column, value| samples[column] += value,
            );
        }
    }

    /// The rest as a function of the radius in steps, out to `end`.
    fn tabulate_rest(&self, end: f64, per_step: f64, tables: &mut Tables) {
        let ln_step = -per_step.ln();
        let intervals = (end * per_step).ceil() as usize + 1;
        let values = &mut tables.values;
        values.clear();
        // Before the centre, where the rest is even and as good as zero.
        values.extend([0.0; GUARD + 1]);
        values.extend((1..=intervals + GUARD).map(|i| {
            let i = i as f64;
            let x2 = (i / STEPS_PER_RADIUS).powi(2);
            let beyond = if x2 < END * END { 1.0 - window(x2) } else { 1.0 };
            self.central * self.light(i.ln() + ln_step) * beyond
        }));
        tables.cubic.fill_ending_dark(values);
    }

    /// The highest elliptical wave number, in units of the core's radius, of a circle of `reach` radians
    /// per pixel: what a [`Hankel`] for [`Split::core`] must cover.
    pub(super) fn highest_wave(&self, reach: f64) -> f64 {
        reach * self.radius
    }

    /// The core's Fourier transform.
    pub(super) fn core<'t>(&self, hankel: &Hankel, tables: &'t mut Tables) -> CoreTransform<'t> {
        let ln_radius = self.radius.ln();
        let scale = self.central * self.q * self.radius * self.radius;
        let Tables { values, transformed, cubic } = tables;
        values.clear();
        for (node, ln_rho) in hankel.ln_radii.iter().enumerate() {
            let light = scale * self.light(ln_rho + ln_radius);
            values.push(light * window((2.0 * ln_rho).exp()));
            // Further in the surface brightness is the centre's at most.
            if hankel.inside(node, scale) < 1e-10 * self.flux {
                break;
            }
        }
        hankel.transform(values, transformed);
        cubic.fill(transformed);
        CoreTransform { cubic, per_wave: self.radius / WAVE_STEP, turn: self.turn, q: self.q }
    }
}

/// The core's Fourier transform: real, a function of the elliptical wave number alone.
pub(super) struct CoreTransform<'t> {
    cubic: &'t Cubic,
    /// Steps of the table to one radian per pixel.
    per_wave: f64,
    turn: (f64, f64),
    q: f64,
}

impl CoreTransform<'_> {
    /// Hands the transform (flux unit) at the wave vectors (kx, ky\[i\]), radians per pixel, for all i of `range` to
    /// `take`.
    #[inline]
    pub(super) fn along(
        &self,
        kx: f64,
        ky: &[f64],
        range: std::ops::Range<usize>,
        take: impl FnMut(usize, f64),
    ) {
        let (sin, cos) = self.turn;
        let (sin, cos) = (sin * self.per_wave, cos * self.per_wave);
        let (x_major, x_minor) = (-kx * sin, kx * cos * self.q);
        let (y_major, y_minor) = (cos, sin * self.q);
        let squares = |i: usize| {
            let ky = ky.get(i).copied().unwrap_or(0.0);
            let (major, minor) = (x_major + ky * y_major, x_minor + ky * y_minor);
            major * major + minor * minor
        };
        self.cubic.at_roots(range, squares, take);
    }

    /// At one wave vector.
    #[cfg(test)]
    fn at(&self, kx: f64, ky: f64) -> f64 {
        let mut found = 0.0;
        self.along(kx, &[ky], 0..1, |_, value| found = value);
        found
    }
}

fn window(x2: f64) -> f64 {
    (-x2).exp() * (1.0 + x2 * (1.0 + x2 * (0.5 + x2 / 6.0)))
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
            let mut tables = Tables::default();
            split.add_rest(side, 0.5, (-200.13, -199.9), &mut tables, &mut out);
            let rest = out.iter().sum::<f64>() * 0.25;
            let hankel = Hankel::new(split.highest_wave(6.0));
            let core = split.core(&hankel, &mut tables).at(0.0, 0.0);
            assert!(((core + rest) / 3.0 - 1.0).abs() < 1e-6, "n {n}: {core} + {rest}");
        }
    }

    #[test]
    fn the_core_of_a_gaussian_galaxy_has_the_transform_of_its_integral() {
        // n = 1/2, small: w = 1 over the whole galaxy, so the core is all of it, and its transform the
        // Gaussian exp(−σ²k²/2).
        let galaxy = Sersic::new(1.0, 1.0, 0.5, 0.25, 0.0).unwrap();
        let split = Split::new(&galaxy, 1.0);
        let mut tables = Tables::default();
        let hankel = Hankel::new(split.highest_wave(5.0));
        let core = split.core(&hankel, &mut tables);
        let variance = 1.0 / (2.0 * std::f64::consts::LN_2);
        for (kx, ky) in [(0.0f64, 0.0f64), (0.0, 1.3), (2.0, 0.7), (4.0, 0.1), (0.3, 3.1)] {
            let k2 = ky * ky + (0.25 * kx).powi(2);
            let expected = (-0.5 * variance * k2).exp();
            let found = core.at(kx, ky);
            assert!((found - expected).abs() < 1e-5, "{kx} {ky}: {found} {expected}");
        }
    }

    #[test]
    fn the_rest_is_the_profile_where_the_window_has_ended() {
        let galaxy = Sersic::new(1.0, 20.0, 1.7, 0.6, 35.0).unwrap();
        let split = Split::new(&galaxy, 1.0);
        let side = 301;
        let mut out = vec![0.0; side * side];
        split.add_rest(side, 1.0, (-150.3, -149.8), &mut Tables::default(), &mut out);
        let [a, b, c] = galaxy.quadratic_form();
        for (i, value) in out.iter().enumerate() {
            let (x, y) = ((i % side) as f64 - 150.3, (i / side) as f64 - 149.8);
            let r = (a * x * x + 2.0 * b * x * y + c * y * y).sqrt();
            if r > 4.0 / 0.6 * END {
                let expected = galaxy.intensity(r);
                assert!((value - expected).abs() < 1e-6 * galaxy.intensity(20.0), "{i}: {value} {expected}");
            }
        }
    }
}
