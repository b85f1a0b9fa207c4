//! HST/WFC3-IR in F160W, drizzled to 0.06″: an effective PSF from physics.
//!
//! The transfer function is a product of what happens to the light in turn:
//!
//! ```text
//! T(f) = Σ_λ w(λ) A(λf) W(λf)  ·  sinc(p fx) sinc(p fy)  ·  C(f)  ·  B(f)  ·  sinc(d fx) sinc(d fy) sinc(o fx) sinc(o fy)
//!        optics                   detector pixel            cross-talk  blur   drizzle
//! ```
//!
//! A is the aperture's overlap with itself (`pupil.rs`) at the filter's wavelengths. W = exp(−(2πε/λ)² (1 − exp(−(λf/cD)²)))
//! is the mean effect of a random wavefront error of rms ε that is alike over a part c of the diameter D (O'Neill
//! 1963, "Introduction to Statistical Optics", ch. 6). p is the detector's pixel, d the drop that drizzling makes
//! of it and o the pixel it drops it on.
//!
//! What T describes is infinite: the diffraction wings hold 1.7% of the light beyond the taper. The PSF is the function with
//! the transfer function T, tapered to nothing by that radius and scaled to a total of 1, taken at the product's own
//! pixels: the telescope passes nothing beyond D/λ = 8.3 cycles per arcsec, their Nyquist frequency, so the samples
//! are all there is to know.
//!
//! The mosaic's pixels are aligned with the detector's, and the vanes, hence the four spikes, lie along the
//! diagonals, as they do on the detector. A mosaic with north up may have them at any angle.

use super::even::EvenSamples;
use super::image::sinc;
use super::pupil::Overlap;
use rustfft::num_complex::Complex64;
use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};
use std::sync::{Arc, LazyLock};

/// Diameter of the primary mirror, m (WFC3 Instrument Handbook, §2.1).
const APERTURE: f64 = 2.4;
/// Radius of the central obscuration over the aperture's; the mirror's own 0.33 and the cold mask in front of the
/// detector. Fitted.
const OBSCURATION: f64 = 0.39;
/// Width of a vane over the aperture's radius, cold mask included. Fitted.
const VANE: f64 = 0.08;
/// Rms error of the wavefront, m. Fitted; it moves light from the core to some 1″.
const WAVEFRONT: f64 = 40e-9;
/// The part of the diameter over which that error is alike.
const CORRELATION: f64 = 0.1;
/// Side of a detector pixel, arcsec: 0.135″ × 0.121″ on the sky, taken as a square (Handbook, §2.2).
const PIXEL: f64 = 0.128;
/// Part of a pixel's signal that each of its four neighbours sees (Hilbert & McCullough 2011, WFC3 ISR 2011-10).
const NEIGHBOUR: f64 = 0.015;
/// Standard deviation of what else blurs: pointing, registration of exposures, charge diffusion; arcsec. Fitted.
const BLUR: f64 = 0.021;
/// Side of a drop over that of a detector pixel (Koekemoer et al. 2011, ApJS 197, 36: CANDELS).
const PIXFRAC: f64 = 0.8;
/// Side of a pixel of the product, arcsec.
pub(super) const OUTPUT: f64 = 0.06;
/// The filter: mean total throughput in bins of `BIN` from `FIRST` on, m (STScI's table of the
/// throughput of WFC3/IR F160W). A source of equally many photons at all of them is assumed.
const FIRST: f64 = 1.39e-6;
const BIN: f64 = 0.02e-6;
const THROUGHPUT: [f64; 16] = [
    0.057, 0.480, 0.543, 0.547, 0.546, 0.531, 0.545, 0.521, 0.522, 0.523, 0.514, 0.495, 0.480, 0.470, 0.444,
    0.179,
];

/// Where the taper begins and where nothing is left, arcsec.
const TAPER: (f64, f64) = (4.0, 5.0);
/// Side of the periodic box in which samples are computed, arcsec; the wings that reach over from its neighbours lie
/// three times as far out as the taper.
const BOX: f64 = 24.0;
const RADIANS_PER_ARCSEC: f64 = PI / 648_000.0;

/// The effective PSF of HST/WFC3-IR F160W mosaics at 0.06″. Made once a process, in some hundredths of a second.
#[derive(Clone, Debug, PartialEq)]
pub struct Wfc3F160w(Arc<EvenSamples>);

impl Wfc3F160w {
    pub(super) fn new() -> Self {
        static MADE: LazyLock<Arc<EvenSamples>> =
            LazyLock::new(|| Arc::new(Model::new().samples(OUTPUT).normalised()));
        Wfc3F160w(MADE.clone())
    }

    /// Where the PSF ends, arcsec.
    pub(super) fn support(&self) -> f64 {
        TAPER.1
    }

    pub(super) fn transfer(&self, fx: &[f64], fy: &[f64]) -> Vec<Complex64> {
        self.0.transfer(fx, fy).into_iter().map(Complex64::from).collect()
    }

    pub(super) fn resampled(&self, axis: &[f64], scale: f64) -> Vec<f64> {
        self.0.resampled(axis, axis, scale)
    }
}

/// The physics, ready to be evaluated.
struct Model {
    overlap: Overlap,
}

impl Model {
    fn new() -> Self {
        Model { overlap: Overlap::new(OBSCURATION, VANE) }
    }

    /// The optics alone, cycles per arcsec.
    fn optics(&self, fx: f64, fy: f64) -> f64 {
        // The vanes' own axes.
        let (u, v) = (FRAC_1_SQRT_2 * (fx + fy), FRAC_1_SQRT_2 * (fy - fx));
        let f2 = fx * fx + fy * fy;
        let mut sum = 0.0;
        for (bin, weight) in THROUGHPUT.iter().enumerate() {
            let wavelength = FIRST + BIN * bin as f64;
            // The shift of the aperture against itself, in diameters per cycle per arcsec.
            let shift = wavelength / (RADIANS_PER_ARCSEC * APERTURE);
            let overlap = self.overlap.at(2.0 * shift * u, 2.0 * shift * v);
            if overlap == 0.0 {
                continue;
            }
            let unlike = -(-f2 * (shift / CORRELATION).powi(2)).exp_m1();
            sum += weight * overlap * (-(TAU * WAVEFRONT / wavelength).powi(2) * unlike).exp();
        }
        sum / THROUGHPUT.iter().sum::<f64>()
    }

    /// T, cycles per arcsec.
    fn transfer(&self, fx: f64, fy: f64) -> f64 {
        let optics = self.optics(fx, fy);
        if optics == 0.0 {
            return 0.0;
        }
        let square = |side: f64| sinc(side * fx) * sinc(side * fy);
        let cross_talk = 1.0 - 2.0 * NEIGHBOUR * (2.0 - (TAU * PIXEL * fx).cos() - (TAU * PIXEL * fy).cos());
        let blur = (-2.0 * (PI * BLUR).powi(2) * (fx * fx + fy * fy)).exp();
        let drizzle = square(PIXFRAC * PIXEL) * square(OUTPUT);
        optics * square(PIXEL) * cross_talk * blur * drizzle
    }

    /// The PSF, tapered, in steps of `step` arcsec; its total is what the taper leaves of the light.
    fn samples(&self, step: f64) -> EvenSamples {
        let (df, half) = (1.0 / BOX, (0.5 * BOX / OUTPUT).ceil() as usize);
        let mut transfer = vec![0.0; half * half];
        for kx in 0..half {
            for ky in 0..=kx {
                let value = self.transfer(df * kx as f64, df * ky as f64);
                (transfer[kx * half + ky], transfer[ky * half + kx]) = (value, value);
            }
        }
        let side = (TAPER.1 / step).ceil() as usize;
        let axis: Vec<f64> = (0..side).map(|i| step * i as f64).collect();
        let mut values = EvenSamples::new(df, half, transfer).transfer(&axis, &axis);
        for (k, value) in values.iter_mut().enumerate() {
            *value *= (step * df).powi(2) * taper(axis[k / side].hypot(axis[k % side]));
        }
        EvenSamples::new(step, side, values)
    }
}

/// From 1 to 0 as half a wave of the cosine.
fn taper(r: f64) -> f64 {
    let part = ((r - TAPER.0) / (TAPER.1 - TAPER.0)).clamp(0.0, 1.0);
    0.5 * (1.0 + (PI * part).cos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::Psf;

    #[test]
    fn nothing_passes_beyond_the_nyquist_frequency_of_its_pixels() {
        // On samples twice as close, where frequencies up to twice as high could show.
        let fine = Model::new().samples(0.5 * OUTPUT).normalised();
        let nyquist = 0.5 / OUTPUT;
        let all: Vec<f64> = (0..333).map(|k| 0.05 * f64::from(k)).collect();
        let beyond: Vec<f64> = all.iter().copied().filter(|&f| f >= nyquist).collect();
        assert_eq!(beyond.len(), 166);
        let worst = fine.transfer(&beyond, &all).iter().fold(0.0f64, |a, b| a.max(b.abs()));
        println!("at most {worst:.1e} beyond the Nyquist frequency");
        assert!(worst < 1e-7, "{worst}");
        // So the samples that ship have the same transform.
        let shipped = Psf::wfc3_f160w().transfer(&all, &all[..7]);
        let differ = fine.transfer(&all, &all[..7]).into_iter().zip(&shipped).map(|(a, b)| (a - b.re).abs());
        assert!(differ.fold(0.0, f64::max) < 1e-6);
    }

    #[test]
    fn the_taper_takes_little_light() {
        let kept = Model::new().samples(OUTPUT).total();
        println!("the taper takes {:.4} of the light", 1.0 - kept);
        assert!((0.98..0.99).contains(&kept), "{kept}");
    }

    #[test]
    fn without_optics_the_transfer_function_is_that_of_squares_and_a_gaussian() {
        // The ratio to the optics alone, along an axis and off it, against the squares' and the kernels' own sums.
        let model = Model::new();
        for (fx, fy) in [(0.0, 0.0), (2.0, 0.0), (3.1, -1.7)] {
            let mut sum = 0.0;
            let n = 40;
            let offsets = |side: f64| (0..n).map(move |i| side * ((f64::from(i) + 0.5) / f64::from(n) - 0.5));
            for f in [fx, fy] {
                let square =
                    |side: f64| offsets(side).map(|x| (TAU * f * x).cos()).sum::<f64>() / f64::from(n);
                let along = square(0.128) * square(0.8 * 0.128) * square(0.06);
                sum += (along * (-2.0 * (PI * BLUR * f).powi(2)).exp()).ln();
            }
            let neighbours: f64 = [(0.128, 0.0), (-0.128, 0.0), (0.0, 0.128), (0.0, -0.128)]
                .iter()
                .map(|(x, y)| NEIGHBOUR * ((TAU * (fx * x + fy * y)).cos() - 1.0))
                .sum();
            let expected = model.optics(fx, fy) * (1.0 + neighbours) * sum.exp();
            assert!((model.transfer(fx, fy) - expected).abs() < 1e-4, "{fx} {fy}");
        }
        assert_eq!(model.transfer(0.0, 0.0), 1.0);
    }

    #[test]
    fn it_ends_at_its_support_and_its_spikes_lie_on_the_diagonals() {
        let psf = Psf::wfc3_f160w();
        let size = 241;
        let image = psf.image(size, 0.05);
        let at = |x: usize, y: usize| image[y * size + x];
        let sum: f64 = image.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        for y in 0..size {
            for x in 0..size {
                let r = 0.05 * (x as f64 - 120.0).hypot(y as f64 - 120.0);
                let (a, peak) = (at(x, y), at(120, 120));
                assert!(a <= peak && (r < psf.support() || a.abs() < 1e-7 * peak), "{x} {y}: {a}");
                assert!((a - at(y, x)).abs() < 1e-12 && (a - at(240 - x, y)).abs() < 1e-12);
            }
        }
        // 3″ from the centre, along a diagonal and along an axis.
        assert!(at(162, 162) > 3.0 * at(180, 120), "{} {}", at(162, 162), at(180, 120));
    }

    /// Prints how long it takes; run with `--ignored --nocapture`.
    #[test]
    #[ignore = "a measurement, not a check"]
    fn speed_on_one_thread() {
        let start = std::time::Instant::now();
        let samples = Model::new().samples(OUTPUT).normalised();
        println!("made in {:.1} ms", 1e3 * start.elapsed().as_secs_f64());
        let f: Vec<f64> = (0..384).map(|k| (f64::from(k) - 192.0) / (192.0 * OUTPUT)).collect();
        let start = std::time::Instant::now();
        let transfer = samples.transfer(&f[..193], &f);
        println!("{} frequencies in {:.1} ms", transfer.len(), 1e3 * start.elapsed().as_secs_f64());
    }

    #[test]
    fn its_image_is_the_inverse_transform_of_its_transfer_function() {
        // A Fourier series of a period that holds all of it.
        let psf = Psf::wfc3_f160w();
        let period = 10.5;
        let last = (0.5 / OUTPUT * period) as i32;
        let f: Vec<f64> = (-last..=last).map(|k| f64::from(k) / period).collect();
        let transfer = psf.transfer(&f, &f);
        let (size, scale) = (15, 0.013);
        let image = psf.image(size, scale);
        for (column, row) in [(7, 7), (9, 2), (0, 14)] {
            let (x, y) = (scale * (column as f64 - 7.0), scale * (row as f64 - 7.0));
            let waves =
                f.iter().flat_map(|fx| f.iter().map(move |fy| Complex64::cis(TAU * (fx * x + fy * y))));
            let sum: Complex64 = transfer.iter().zip(waves).map(|(t, w)| t * w).sum();
            let expected = sum.re * (scale / period).powi(2);
            let value = image[row * size + column];
            assert!((value / expected - 1.0).abs() < 1e-6, "{column} {row}: {value} {expected}");
        }
    }
}
