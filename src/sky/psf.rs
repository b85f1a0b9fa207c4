//! Effective point spread functions: what one photon-emitting point leaves on the pixels, the
//! pixel's own response included. All are normalised to a total flux of one.

use crate::{Error, Result};
use rustfft::num_complex::Complex64;
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{LN_2, PI, TAU};

/// An effective PSF, centred, of total flux 1. Lengths in arcsec.
#[derive(Clone, Debug, PartialEq)]
pub enum Psf {
    /// Circular Moffat (1969): p(r) = (β−1)/(π α²) (1 + r²/α²)^(−β), α from the FWHM.
    Moffat {
        /// Full width at half maximum, arcsec.
        fwhm: f64,
        /// Exponent β > 1.
        beta: f64,
    },
    /// Circular Gaussian.
    Gaussian {
        /// Full width at half maximum, arcsec.
        fwhm: f64,
    },
    /// A measured image.
    Image(PsfImage),
}

/// A measured PSF on pixels of its own scale, taken as band-limited between them.
#[derive(Clone, Debug, PartialEq)]
pub struct PsfImage {
    pixels: Vec<f64>,
    width: usize,
    pixel_scale: f64,
    /// The centroid, pixels from the first pixel's centre.
    centre: (f64, f64),
}

impl Psf {
    /// A Moffat PSF of full width at half maximum `fwhm` (arcsec) and exponent `beta`.
    ///
    /// # Errors
    /// [`Error::Usage`] unless fwhm > 0 and 1 < β ≤ 50.
    pub fn moffat(fwhm: f64, beta: f64) -> Result<Self> {
        if !(fwhm > 0.0 && fwhm.is_finite() && beta > 1.0 && beta <= 50.0) {
            return Err(Error::Usage(format!(
                "a Moffat PSF needs fwhm > 0 arcsec and 1 < beta <= 50, not fwhm {fwhm}, beta {beta}"
            )));
        }
        Ok(Psf::Moffat { fwhm, beta })
    }

    /// A Gaussian PSF of full width at half maximum `fwhm` (arcsec).
    ///
    /// # Errors
    /// [`Error::Usage`] unless fwhm > 0.
    pub fn gaussian(fwhm: f64) -> Result<Self> {
        if !(fwhm > 0.0 && fwhm.is_finite()) {
            return Err(Error::Usage(format!("a Gaussian PSF needs fwhm > 0 arcsec, not {fwhm}")));
        }
        Ok(Psf::Gaussian { fwhm })
    }

    /// A PSF from an image of `width` columns (row-major) at `pixel_scale` arcsec per pixel: it is
    /// normalised to a sum of one and recentred on its centroid, the mean position weighted by flux
    /// and a Gaussian window of 2.5 pixels that follows it, from the brightest pixel on.
    ///
    /// # Errors
    /// [`Error::Usage`] for an image that is not a whole number of rows, has pixels that are not
    /// finite, or whose sum is not positive.
    pub fn from_image(pixels: &[f32], width: usize, pixel_scale: f64) -> Result<Self> {
        let bad = |message: String| Err(Error::Usage(format!("PSF image: {message}")));
        if width == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(width) {
            return bad(format!("{} pixels are not rows of {width}", pixels.len()));
        }
        if !(pixel_scale > 0.0 && pixel_scale.is_finite()) {
            return bad(format!("the pixel scale must be positive, not {pixel_scale} arcsec"));
        }
        if pixels.iter().any(|p| !p.is_finite()) {
            return bad("some pixels are not finite".to_owned());
        }
        let sum: f64 = pixels.iter().map(|&p| f64::from(p)).sum();
        if sum <= 0.0 {
            return bad(format!("the pixels sum to {sum}, not to a positive flux"));
        }
        let pixels: Vec<f64> = pixels.iter().map(|&p| f64::from(p) / sum).collect();
        let centre = centroid(&pixels, width);
        Ok(Psf::Image(PsfImage { pixels, width, pixel_scale, centre }))
    }

    /// The transfer function p̂(f) = ∫ p(x) exp(−2πi f·x) d²x for all frequencies (fx, fy) of two
    /// axes, in cycles per arcsec: `fx.len()` columns of `fy.len()` values. p̂(0) = 1.
    pub fn transfer(&self, fx: &[f64], fy: &[f64]) -> Vec<Complex64> {
        match self {
            Psf::Moffat { fwhm, beta } => {
                let alpha = moffat_alpha(*fwhm, *beta);
                radial(fx, fy, |f| moffat_transfer(TAU * f * alpha, beta - 1.0))
            }
            Psf::Gaussian { fwhm } => {
                // exp(−2π² σ² f²), σ = fwhm / (2 √(2 ln 2)).
                let scale = PI * PI * fwhm * fwhm / (4.0 * LN_2);
                radial(fx, fy, |f| (-scale * f * f).exp())
            }
            Psf::Image(image) => image.transfer(fx, fy),
        }
    }

    /// The PSF as an image of `size`² pixels of `scale` arcsec, centred on the pixel of 0-based
    /// index `size / 2` on both axes: its density at the pixels' centres times a pixel's area, so
    /// that the sum is one but for the light outside.
    pub fn image(&self, size: usize, scale: f64) -> Vec<f64> {
        let axis: Vec<f64> = (0..size).map(|i| (i as f64 - (size / 2) as f64) * scale).collect();
        match self {
            Psf::Image(image) => image.resampled(&axis, scale),
            _ => {
                let area = scale * scale;
                axis.iter()
                    .flat_map(|y| axis.iter().map(move |x| (x, y)))
                    .map(|(x, y)| self.density(x.hypot(*y)).unwrap_or(0.0) * area)
                    .collect()
            }
        }
    }

    /// Surface density at distance `r` (arcsec) from the centre, per arcsec²; `None` for an image.
    pub fn density(&self, r: f64) -> Option<f64> {
        match self {
            Psf::Moffat { fwhm, beta } => {
                let alpha = moffat_alpha(*fwhm, *beta);
                let x = r / alpha;
                Some((beta - 1.0) / (PI * alpha * alpha) * (1.0 + x * x).powf(-beta))
            }
            Psf::Gaussian { fwhm } => {
                let k = 4.0 * LN_2 / (fwhm * fwhm);
                Some(k / PI * (-k * r * r).exp())
            }
            Psf::Image(_) => None,
        }
    }
}

fn moffat_alpha(fwhm: f64, beta: f64) -> f64 {
    0.5 * fwhm / ((LN_2 / beta).exp_m1()).sqrt()
}

/// The Moffat transfer function at u = 2π f α: 2 (u/2)^ν K_ν(u) / Γ(ν), ν = β − 1 (Hankel transform
/// of (1 + r²)^(−β), Gradshteyn & Ryzhik 6.565.4), with K_ν(u) = ∫₀^∞ exp(−u cosh t) cosh(νt) dt by the
/// trapezoid rule, which converges geometrically for this integrand.
fn moffat_transfer(u: f64, nu: f64) -> f64 {
    if u < 1e-6 {
        return 1.0;
    }
    let step = 0.1;
    let scale = std::f64::consts::LN_2 + nu * (0.5 * u).ln() - ln_gamma(nu);
    let term = |t: f64| {
        let common = scale - u * t.cosh();
        0.5 * ((common + nu * t).exp() + (common - nu * t).exp())
    };
    let mut sum = 0.5 * term(0.0);
    let mut t = step;
    loop {
        let value = term(t);
        sum += value;
        // Past the maximum at sinh t ≈ ν/u the terms only fall.
        if value <= 1e-18 * sum && u * t.sinh() > nu {
            return sum * step;
        }
        t += step;
    }
}

/// A circular transfer function on all pairs of frequencies; equal radii are computed once.
fn radial(fx: &[f64], fy: &[f64], transfer: impl Fn(f64) -> f64) -> Vec<Complex64> {
    let mut known = std::collections::HashMap::new();
    let mut out = Vec::with_capacity(fx.len() * fy.len());
    for x in fx {
        for y in fy {
            let (low, high) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
            let value =
                *known.entry((low.to_bits(), high.to_bits())).or_insert_with(|| transfer(low.hypot(high)));
            out.push(Complex64::new(value, 0.0));
        }
    }
    out
}

/// Standard deviation of the window in which a PSF's centroid is taken, pixels.
const WINDOW: f64 = 2.5;

/// See [`Psf::from_image`].
fn centroid(pixels: &[f64], width: usize) -> (f64, f64) {
    let brightest = (0..pixels.len()).max_by(|&a, &b| pixels[a].total_cmp(&pixels[b])).unwrap_or(0);
    let (mut x, mut y) = ((brightest % width) as f64, (brightest / width) as f64);
    for _ in 0..30 {
        let (mut sx, mut sy, mut sum) = (0.0, 0.0, 0.0);
        for (i, &p) in pixels.iter().enumerate() {
            let (dx, dy) = ((i % width) as f64 - x, (i / width) as f64 - y);
            let weight = p * (-0.5 * (dx * dx + dy * dy) / (WINDOW * WINDOW)).exp();
            sx += weight * dx;
            sy += weight * dy;
            sum += weight;
        }
        if sum <= 0.0 {
            break;
        }
        // A window as wide as the core halves each step; doubling it restores the pace.
        x += 2.0 * sx / sum;
        y += 2.0 * sy / sum;
    }
    (x, y)
}

impl PsfImage {
    /// The image's own pixel scale, arcsec.
    pub fn pixel_scale(&self) -> f64 {
        self.pixel_scale
    }

    /// The image's centroid, 0-based pixels (x, y).
    pub fn centre(&self) -> (f64, f64) {
        self.centre
    }

    /// The discrete transform of the pixels at any frequency, zero beyond their Nyquist frequency; at it, where the
    /// positive and the negative one stand for the same samples, half each.
    fn transfer(&self, fx: &[f64], fy: &[f64]) -> Vec<Complex64> {
        let height = self.pixels.len() / self.width;
        let wave = |f: f64, n: usize, centre: f64| -> Vec<Complex64> {
            (0..n).map(|i| Complex64::cis(-TAU * f * self.pixel_scale * (i as f64 - centre))).collect()
        };
        let band = |f: f64| match f.abs() * self.pixel_scale - 0.5 {
            beyond if beyond > 1e-9 => 0.0,
            below if below < -1e-9 => 1.0,
            _ => 0.5,
        };
        let waves_y: Vec<_> = fy.iter().map(|&f| wave(f, height, self.centre.1)).collect();
        let mut out = Vec::with_capacity(fx.len() * fy.len());
        for &f in fx {
            let along_x = wave(f, self.width, self.centre.0);
            let rows: Vec<Complex64> = self
                .pixels
                .chunks_exact(self.width)
                .map(|row| row.iter().zip(&along_x).map(|(&p, w)| w * p).sum())
                .collect();
            for (g, along_y) in fy.iter().zip(&waves_y) {
                let weight = band(f) * band(*g);
                out.push(if weight > 0.0 {
                    rows.iter().zip(along_y).map(|(r, w)| r * w).sum::<Complex64>() * weight
                } else {
                    Complex64::ZERO
                });
            }
        }
        out
    }

    /// Band-limited (sinc) interpolation at the points of `axis` × `axis`, arcsec from the centre,
    /// times the area ratio of pixels of `scale`.
    fn resampled(&self, axis: &[f64], scale: f64) -> Vec<f64> {
        let height = self.pixels.len() / self.width;
        let sinc = |x: f64| if x.abs() < 1e-12 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let weights = |n: usize, centre: f64| -> Vec<Vec<f64>> {
            axis.iter()
                .map(|a| (0..n).map(|i| sinc(a / self.pixel_scale + centre - i as f64)).collect())
                .collect()
        };
        let (along_x, along_y) = (weights(self.width, self.centre.0), weights(height, self.centre.1));
        let rows: Vec<Vec<f64>> = self
            .pixels
            .chunks_exact(self.width)
            .map(|row| along_x.iter().map(|w| w.iter().zip(row).map(|(a, b)| a * b).sum()).collect())
            .collect();
        let area = (scale / self.pixel_scale).powi(2);
        along_y
            .iter()
            .flat_map(|w| {
                let rows = &rows;
                (0..axis.len()).map(move |x| area * w.iter().zip(rows).map(|(a, r)| a * r[x]).sum::<f64>())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ∫ p(r) J₀(2πfr) 2πr dr in r = α sinh v, J₀ as its own integral over the angle.
    fn by_sum(psf: &Psf, f: f64) -> f64 {
        let (step, angles) = (0.0005, 400);
        let mut sum = 0.0;
        for i in 0..12_000 {
            let v = (f64::from(i) + 0.5) * step;
            let r = 0.1 * v.sinh();
            if r > 6.0 {
                break;
            }
            let j0: f64 = (0..angles)
                .map(|k| (TAU * f * r * (PI * (f64::from(k) + 0.5) / f64::from(angles)).cos()).cos())
                .sum::<f64>()
                / f64::from(angles);
            sum += psf.density(r).unwrap() * j0 * TAU * r * 0.1 * v.cosh() * step;
        }
        sum
    }

    #[test]
    fn transfer_functions_are_the_hankel_transform_of_the_density() {
        let psfs = [Psf::moffat(0.175, 3.6), Psf::moffat(0.2, 4.77), Psf::gaussian(0.2)];
        for psf in psfs.map(|p| p.unwrap()) {
            for f in [0.5, 2.0, 5.0, 8.3] {
                let value = psf.transfer(&[f * 0.6], &[f * 0.8])[0].re;
                assert!((value - by_sum(&psf, f)).abs() < 1e-6, "{psf:?} {f}: {value} {}", by_sum(&psf, f));
            }
            assert!((psf.transfer(&[0.0], &[0.0])[0].re - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_half_integer_moffat_has_the_elementary_transfer_function() {
        // ν = 1/2: 2 (u/2)^½ √(π/2u) e^(−u) / Γ(½) = e^(−u).
        for u in [0.01, 0.5, 3.0, 15.0] {
            assert!((moffat_transfer(u, 0.5) / (-u).exp() - 1.0).abs() < 1e-12);
        }
        // ν = 3/2: (1 + u) e^(−u).
        for u in [1e-5, 0.5, 3.0, 30.0] {
            assert!((moffat_transfer(u, 1.5) / ((1.0 + u) * (-u).exp()) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_image_has_its_fwhm_and_nearly_all_the_flux() {
        let psf = Psf::moffat(0.175, 3.0).unwrap();
        assert!((psf.density(0.0875).unwrap() / psf.density(0.0).unwrap() - 0.5).abs() < 1e-12);
        let sum: f64 = psf.image(401, 0.015).iter().sum();
        assert!((sum - 1.0).abs() < 2e-3 && sum < 1.0);
    }

    #[test]
    fn an_image_off_centre_and_unnormalised_is_the_same_psf() {
        // A Gaussian sampled finely enough to be band-limited, shifted by a fraction of a pixel.
        let (size, scale, fwhm) = (41, 0.04, 0.16);
        let model = Psf::gaussian(fwhm).unwrap();
        let pixels: Vec<f32> = (0..size * size)
            .map(|i| {
                let (x, y) = ((i % size) as f64 - 20.3, (i / size) as f64 - 19.6);
                (1.11 * scale * scale * model.density(scale * x.hypot(y)).unwrap()) as f32
            })
            .collect();
        let psf = Psf::from_image(&pixels, size, scale).unwrap();
        let f = [-6.0, -1.0, 0.0, 3.0, 7.0];
        for (a, b) in psf.transfer(&f, &f).iter().zip(model.transfer(&f, &f)) {
            assert!((a - b).norm() < 1e-4, "{a} {b}");
        }
        let (a, b) = (psf.image(25, 0.015), model.image(25, 0.015));
        let peak = b[12 * 25 + 12];
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3 * peak));
    }

    #[test]
    fn impossible_psfs_are_errors() {
        assert!(Psf::moffat(0.0, 3.0).is_err());
        assert!(Psf::moffat(0.2, 1.0).is_err());
        assert!(Psf::gaussian(f64::NAN).is_err());
        assert!(Psf::from_image(&[0.0; 9], 3, 0.06).is_err());
        assert!(Psf::from_image(&[1.0; 8], 3, 0.06).is_err());
        assert!(Psf::from_image(&[f32::NAN; 9], 3, 0.06).is_err());
    }
}
