//! Effective point spread functions: what one photon-emitting point leaves on the pixels, the
//! pixel's own response included. All are normalised to a total flux of one.
//!
//! | file | idea |
//! |---|---|
//! | `moffat.rs` | Moffat's profile and its transform |
//! | `image.rs` | a measured PSF |
//! | `wfc3.rs` | HST/WFC3-IR F160W from physics |
//! | `pupil.rs` | a telescope's aperture and its overlap with itself |
//! | `even.rs` | a band-limited function from samples of one quadrant |
//! | `without_pixel.rs` | what is left of a PSF without the pixel's response |
//! | `measure.rs` | width and encircled light of any PSF |

mod even;
mod image;
mod measure;
mod moffat;
mod pupil;
mod wfc3;
mod without_pixel;

pub use image::PsfImage;
pub use wfc3::Wfc3F160w;

use crate::{Error, Result};
use rustfft::num_complex::Complex64;
use std::f64::consts::{LN_2, PI};
use std::fmt;

/// The light that may lie beyond [`Psf::support`].
const REST: f64 = 1e-4;
/// The farthest that wings without an end are followed, arcsec.
const FARTHEST: f64 = 30.0;

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
    /// HST/WFC3-IR F160W drizzled to 0.06″.
    Wfc3F160w(Wfc3F160w),
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
    /// [`Error::Usage`] for an image that is not a whole number of rows, has more than 10,000 pixels a side or some
    /// that are not finite, whose sum is not positive, or whose centroid lies outside.
    pub fn from_image(pixels: &[f32], width: usize, pixel_scale: f64) -> Result<Self> {
        PsfImage::new(pixels, width, pixel_scale).map(Psf::Image)
    }

    /// The effective PSF of HST/WFC3-IR F160W mosaics drizzled to 0.06″, computed from the telescope's optics, the
    /// detector and the drizzling (see the method's chapter of the book). It ends at 5″, has no transfer beyond the
    /// Nyquist frequency of 0.06″ pixels, and its diffraction spikes lie along the diagonals.
    pub fn wfc3_f160w() -> Self {
        Psf::Wfc3F160w(Wfc3F160w::new())
    }

    /// The transfer function p̂(f) = ∫ p(x) exp(−2πi f·x) d²x for all frequencies (fx, fy) of two
    /// axes, in cycles per arcsec: `fx.len()` columns of `fy.len()` values. p̂(0) = 1.
    pub fn transfer(&self, fx: &[f64], fy: &[f64]) -> Vec<Complex64> {
        match self {
            Psf::Moffat { fwhm, beta } => radial(fx, fy, |f| moffat::transfer(*fwhm, *beta, f)),
            Psf::Gaussian { fwhm } => {
                // exp(−2π² σ² f²), σ = fwhm / (2 √(2 ln 2)).
                let scale = PI * PI * fwhm * fwhm / (4.0 * LN_2);
                radial(fx, fy, |f| (-scale * f * f).exp())
            }
            Psf::Image(image) => image.transfer(fx, fy),
            Psf::Wfc3F160w(model) => model.transfer(fx, fy),
        }
    }

    /// The PSF as an image of `size`² pixels of `scale` arcsec, centred on the pixel of 0-based
    /// index `size / 2` on both axes: its density at the pixels' centres times a pixel's area, so
    /// that the sum is one but for the light outside.
    pub fn image(&self, size: usize, scale: f64) -> Vec<f64> {
        let axis: Vec<f64> = (0..size).map(|i| (i as f64 - (size / 2) as f64) * scale).collect();
        match self {
            Psf::Image(image) => image.resampled(&axis, scale),
            Psf::Wfc3F160w(model) => model.resampled(&axis, scale),
            Psf::Moffat { .. } | Psf::Gaussian { .. } => {
                let area = scale * scale;
                axis.iter()
                    .flat_map(|y| axis.iter().map(move |x| (x, y)))
                    .map(|(x, y)| self.density(x.hypot(*y)).unwrap_or(0.0) * area)
                    .collect()
            }
        }
    }

    /// Surface density at distance `r` (arcsec) from the centre, per arcsec²; `None` for what is not circular.
    pub fn density(&self, r: f64) -> Option<f64> {
        match self {
            Psf::Moffat { fwhm, beta } => Some(moffat::density(*fwhm, *beta, r)),
            Psf::Gaussian { fwhm } => {
                let k = 4.0 * LN_2 / (fwhm * fwhm);
                Some(k / PI * (-k * r * r).exp())
            }
            Psf::Image(_) | Psf::Wfc3F160w(_) => None,
        }
    }

    /// A radius, arcsec, beyond which less than 1e-4 of the light lies; 30″ at most where the wings have no end, and an
    /// image's farthest corner.
    pub fn support(&self) -> f64 {
        match self {
            Psf::Moffat { fwhm, beta } => moffat::radius_of_all_but(*fwhm, *beta, REST).min(FARTHEST),
            Psf::Gaussian { fwhm } => fwhm * (-REST.ln() / (4.0 * LN_2)).sqrt(),
            Psf::Image(image) => image.support(),
            Psf::Wfc3F160w(model) => model.support(),
        }
    }
}

/// What kind of PSF it is, in words that also fit into a FITS header.
impl fmt::Display for Psf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Psf::Moffat { fwhm, beta } => write!(f, "Moffat, FWHM {fwhm} arcsec, beta {beta}"),
            Psf::Gaussian { fwhm } => write!(f, "Gaussian, FWHM {fwhm} arcsec"),
            Psf::Image(image) => write!(f, "image of {} arcsec pixels", image.pixel_scale()),
            Psf::Wfc3F160w(_) => write!(f, "HST/WFC3-IR F160W, 0.06 arcsec"),
        }
    }
}

/// Fails unless a length is positive and finite; `what` names it.
fn check(what: &str, arcsec: f64) -> Result<()> {
    if arcsec > 0.0 && arcsec.is_finite() {
        Ok(())
    } else {
        Err(Error::Usage(format!("{what} must be positive, not {arcsec} arcsec")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

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

    /// A Gaussian of this FWHM as an image off its middle, of pixels of `scale` arcsec.
    fn sampled(fwhm: f64, size: usize, scale: f64) -> Psf {
        let model = Psf::gaussian(fwhm).unwrap();
        let pixels: Vec<f32> = (0..size * size)
            .map(|i| {
                let middle = (size / 2) as f64;
                let (x, y) = ((i % size) as f64 - middle - 0.31, (i / size) as f64 - middle + 0.24);
                model.density(scale * x.hypot(y)).unwrap() as f32
            })
            .collect();
        Psf::from_image(&pixels, size, scale).unwrap()
    }

    #[test]
    fn a_finely_sampled_image_is_centred_as_well_as_a_coarse_one() {
        for scale in [0.06, 0.015, 0.005] {
            let size = 2 * (0.3 / scale) as usize + 1;
            let Psf::Image(image) = sampled(0.18, size, scale) else { panic!("no image") };
            let (x, y) = image.centre();
            let middle = (size / 2) as f64;
            let off = (x - middle - 0.31).hypot(y - middle + 0.24);
            assert!(off * scale < 1e-5, "{scale}: {off} pixels");
        }
    }

    #[test]
    fn widths_and_light_within_circles_are_the_same_of_a_model_and_its_image() {
        let radii = [0.0, 0.03, 0.1, 0.2, 0.31];
        let (model, image) = (Psf::gaussian(0.18).unwrap(), sampled(0.18, 21, 0.05));
        assert!((model.fwhm() - image.fwhm()).abs() < 1e-4, "{}", image.fwhm());
        for (a, b) in model.light_within(&radii).iter().zip(image.light_within(&radii)) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn all_but_a_ten_thousandth_of_the_light_lies_within_the_support() {
        let psfs = [
            Psf::gaussian(0.18).unwrap(),
            Psf::moffat(0.18, 4.77).unwrap(),
            sampled(0.18, 21, 0.05),
            Psf::wfc3_f160w(),
        ];
        for psf in psfs {
            let light = psf.light_within(&[psf.support()])[0];
            assert!(light > 1.0 - 1.0001e-4 && light < 1.0 + 1e-5, "{psf}: {light}");
        }
        assert!((sampled(0.18, 21, 0.05).support() - 0.05 * 10.81f64.hypot(10.74)).abs() < 1e-3);
        assert_eq!(Psf::moffat(0.18, 1.3).unwrap().support(), 30.0);
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
