//! Galaxy ⊗ effective PSF, taken at the centres of a stamp's pixels.
//!
//! An effective PSF holds the pixel's response already, so nothing is averaged over a pixel here;
//! GALFIT averages the profile over the pixel as well. The galaxy's cusp is transformed exactly and
//! the rest of its light is sampled (see `core.rs`) on a grid finer than the pixels and wider than the
//! stamp by `MARGIN` on every side; the spectrum of both is multiplied by the PSF's transfer function,
//! folded to the pixels' frequencies, and transformed back.
//!
//! The margin holds the light beyond the stamp that the PSF scatters into it; being periodic, the
//! grid also lets light at its far edge wrap around, but over no less than the margin, beyond which
//! the PSF holds about a hundredth of a faint galaxy's outskirts.

use super::bessel::J0Table;
use super::core::{Split, phases};
use super::fourier::{Plans, fast_length};
use super::psf::Psf;
use super::sersic::Sersic;
use crate::{Error, Result};
use rustfft::num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Pixels around the stamp.
const MARGIN: usize = 32;
/// The grid is made fine enough for the transfer function to have fallen to this at its Nyquist
/// frequency, up to `FINEST` samples per pixel along each axis.
const NEGLIGIBLE: f64 = 1e-5;
const FINEST: usize = 8;

/// What the pixels do to a galaxy that the PSF has not done already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelConvention {
    /// Nothing: a PSF measured on images holds the pixel's response. A stamp's value is the galaxy convolved
    /// with the PSF, at the pixel's centre (GalSim's `no_pixel`).
    #[default]
    EffectivePsf,
    /// The convolved galaxy is averaged over each pixel as well, as GALFIT does, which counts the pixel twice
    /// where the PSF is an effective one.
    PixelAveraged,
}

/// One source of light on or near a stamp. `x`, `y` are its centre in FITS pixels: 1.0 is the centre of the
/// stamp's first pixel; it may lie outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    /// What shines.
    pub light: Light,
    /// Centre, FITS pixels.
    pub x: f64,
    /// Centre, FITS pixels.
    pub y: f64,
}

/// What shines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Light {
    /// A galaxy, or a component of one.
    Galaxy(Sersic),
    /// A point of this flux, in the image's unit.
    Star(f64),
}

/// Draws galaxies on square stamps of one size, pixel scale and PSF. Shared between threads.
pub struct Renderer {
    size: usize,
    /// Pixels along a side of the padded stamp.
    padded: usize,
    margin: usize,
    /// Samples per pixel along each axis.
    oversampling: usize,
    plans: Plans,
    bessel: J0Table,
    /// PSF transfer function over padded², on the half spectrum of the fine grid.
    transfer: Vec<Complex64>,
    /// Wave numbers of the two axes, radians per pixel.
    kx: Vec<f64>,
    ky: Vec<f64>,
    /// The largest wave number at which the PSF lets anything through, radians per pixel.
    reach: f64,
}

impl Renderer {
    /// A renderer of stamps of `size`² pixels of `pixel_scale` arcsec, convolved with `psf`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a size outside 8..=4096 or a pixel scale that is not positive.
    pub fn new(size: usize, pixel_scale: f64, psf: &Psf) -> Result<Self> {
        if !(8..=4096).contains(&size) {
            return Err(Error::Usage(format!("a stamp must have 8 to 4096 pixels a side, not {size}")));
        }
        if !(pixel_scale > 0.0 && pixel_scale.is_finite()) {
            return Err(Error::Usage(format!("the pixel scale must be positive, not {pixel_scale} arcsec")));
        }
        let passes = |per_pixel: f64| {
            let f = [per_pixel / pixel_scale];
            let along_x = psf.transfer(&f, &[0.0])[0].norm();
            let along_y = psf.transfer(&[0.0], &f)[0].norm();
            along_x.max(along_y)
        };
        let oversampling = (2..FINEST).find(|&o| passes(0.5 * o as f64) < NEGLIGIBLE).unwrap_or(FINEST);
        let padded = fast_length(size + 2 * MARGIN);
        let n = padded * oversampling;
        let signed = |k: usize| if k > n / 2 { k as f64 - n as f64 } else { k as f64 };
        let fx: Vec<f64> = (0..=n / 2).map(|k| k as f64 / padded as f64).collect();
        let fy: Vec<f64> = (0..n).map(|k| signed(k) / padded as f64).collect();
        let per_arcsec = |f: &[f64]| f.iter().map(|f| f / pixel_scale).collect::<Vec<f64>>();
        let mut transfer = psf.transfer(&per_arcsec(&fx), &per_arcsec(&fy));
        let area = (padded * padded) as f64;
        let mut reach = 0.0f64;
        for (column, x) in transfer.chunks_exact_mut(n).zip(&fx) {
            for (value, y) in column.iter_mut().zip(&fy) {
                if value.norm() < 0.1 * NEGLIGIBLE {
                    *value = Complex64::ZERO;
                } else {
                    reach = reach.max(x.hypot(*y));
                }
                *value /= area;
            }
        }
        let radians = |f: Vec<f64>| f.into_iter().map(|f| TAU * f).collect();
        Ok(Renderer {
            size,
            padded,
            margin: (padded - size) / 2,
            oversampling,
            plans: Plans::new(n, padded),
            bessel: J0Table::new(),
            transfer,
            kx: radians(fx),
            ky: radians(fy),
            reach: TAU * reach,
        })
    }

    /// Pixels along a side of a stamp.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The light of all `sources` on a stamp, row-major, y up, flux per pixel.
    pub fn scene(&self, sources: &[Source]) -> Vec<f64> {
        let mut stamp = vec![0.0; self.size * self.size];
        for source in sources {
            let galaxy = match source.light {
                Light::Galaxy(galaxy) => galaxy,
                // A stand-in until the renderer draws points itself.
                Light::Star(flux) => match Sersic::new(flux, 0.01, 0.5, 1.0, 0.0) {
                    Ok(point) => point,
                    Err(_) => continue,
                },
            };
            for (sum, value) in stamp.iter_mut().zip(self.render(&galaxy, source.x, source.y)) {
                *sum += value;
            }
        }
        stamp
    }

    /// The galaxy on a stamp, row-major, y up (the first row is FITS row 1), in the unit of its flux per
    /// pixel. `x`, `y` are the galaxy's centre in FITS pixels: 1.0 is the centre of the first pixel.
    pub fn render(&self, galaxy: &Sersic, x: f64, y: f64) -> Vec<f64> {
        let n = self.padded * self.oversampling;
        let step = 1.0 / self.oversampling as f64;
        // The galaxy's centre from the first sample, which is the first padded pixel's centre.
        let (x, y) = (x - 1.0 + self.margin as f64, y - 1.0 + self.margin as f64);
        let split = Split::new(galaxy, step);
        let mut light = vec![0.0; n * n];
        split.rest(n, step, -x, -y, &mut light);
        let mut spectrum = self.plans.spectrum(&light);
        let core = split.core(self.reach, &self.bessel);
        let (along_x, along_y) = (phases(&self.kx, x), phases(&self.ky, y));
        let area = step * step;
        for (i, (values, transfer)) in
            spectrum.chunks_exact_mut(n).zip(self.transfer.chunks_exact(n)).enumerate()
        {
            for (j, (value, transfer)) in values.iter_mut().zip(transfer).enumerate() {
                if *transfer == Complex64::ZERO {
                    *value = Complex64::ZERO;
                    continue;
                }
                let core = core.at(self.kx[i], self.ky[j]);
                *value = (*value * area + along_x[i] * along_y[j] * core) * transfer;
            }
        }
        let mut folded = self.fold(&spectrum);
        let rows = self.plans.rows(&mut folded, self.margin, self.size);
        rows.chunks_exact(self.padded)
            .flat_map(|row| &row[self.margin..self.margin + self.size])
            .copied()
            .collect()
    }

    /// Sampling every `oversampling`-th sample in space adds up the frequencies that are equal modulo
    /// the pixels' sampling frequency.
    fn fold(&self, spectrum: &[Complex64]) -> Vec<Complex64> {
        let (m, n) = (self.padded, self.padded * self.oversampling);
        let half = m / 2 + 1;
        let mut folded = vec![Complex64::ZERO; half * m];
        for (kx, column) in folded.chunks_exact_mut(m).enumerate() {
            for alias in (kx..n).step_by(m) {
                if alias <= n / 2 {
                    for part in spectrum[alias * n..(alias + 1) * n].chunks_exact(m) {
                        for (sum, value) in column.iter_mut().zip(part) {
                            *sum += value;
                        }
                    }
                } else {
                    // F(−kx, ky) = F*(kx, −ky).
                    let source = &spectrum[(n - alias) * n..(n - alias + 1) * n];
                    for ky in 0..n {
                        column[ky % m] += source[(n - ky) % n].conj();
                    }
                }
            }
        }
        folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// The convolution at one point by direct integration in the galaxy's own polar coordinates, with
    /// no grid, no transform and no edge: ∫∫ S(r) ψ(|p − y(r, θ)|) q r² d ln r dθ by the trapezoid
    /// rule, which converges geometrically for this smooth, decaying (in ln r) and periodic (in θ)
    /// integrand. `dx`, `dy` from the galaxy's centre, pixels.
    fn reference(galaxy: &Sersic, psf: &Psf, scale: f64, dx: f64, dy: f64) -> f64 {
        let (sin, cos) = galaxy.pa.to_radians().sin_cos();
        // The PSF is narrow against a distant point's polar cells: refine with the distance.
        let angles = 256 + (60.0 * dx.hypot(dy)) as usize;
        let step = 0.01;
        let mut sum = 0.0;
        for i in -1400..700 {
            let r = galaxy.re_maj * (f64::from(i) * step).exp();
            let light = galaxy.intensity(r) * galaxy.q * r * r;
            if light <= 0.0 {
                continue;
            }
            let ring: f64 = (0..angles)
                .map(|k| {
                    let (s, c) = (TAU * k as f64 / angles as f64).sin_cos();
                    let (major, minor) = (r * c, r * galaxy.q * s);
                    let (x, y) = (minor * cos - major * sin, minor * sin + major * cos);
                    psf.density(scale * (x - dx).hypot(y - dy)).unwrap()
                })
                .sum();
            sum += light * ring;
        }
        sum * step * TAU / angles as f64 * scale * scale
    }

    /// The largest difference from the reference over the peak, at the pixels nearest the galaxy
    /// and some further out.
    fn worst(psf: &Psf, re: f64, n: f64, q: f64, pa: f64) -> f64 {
        let scale = 0.06;
        let renderer = Renderer::new(64, scale, psf).unwrap();
        let galaxy = Sersic::new(100.0, re, n, q, pa).unwrap();
        let (x, y) = (32.5 + 0.31, 32.5 - 0.17);
        let stamp = renderer.render(&galaxy, x, y);
        let peak = stamp.iter().fold(0.0f64, |a, &b| a.max(b));
        let mut points = vec![(60, 61), (31, 50), (25, 38), (0, 63)];
        points.extend((0..9).map(|i| (31 + i % 3, 30 + i / 3)));
        points
            .into_iter()
            .map(|(column, row)| {
                let (dx, dy) = (column as f64 + 1.0 - x, row as f64 + 1.0 - y);
                (stamp[row * 64 + column] - reference(&galaxy, psf, scale, dx, dy)).abs() / peak
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn stamps_agree_with_direct_integration_to_a_thousandth_of_the_peak() {
        let psf = Psf::moffat(0.17, 1.85).unwrap();
        for (re, n, q, pa) in [
            (1.5, 0.3, 0.2, 20.0),
            (1.5, 1.0, 0.8, 130.0),
            (1.5, 6.2, 0.2, 45.0),
            (1.5, 6.2, 0.8, 5.0),
            (4.0, 4.0, 0.5, -60.0),
            (31.6, 6.2, 0.8, 77.0),
            (31.6, 0.3, 0.2, 10.0),
        ] {
            let error = worst(&psf, re, n, q, pa);
            println!("re {re} n {n} q {q}: {error:.1e}");
            assert!(error < 1e-3, "re {re} n {n} q {q}: {error:.2e}");
        }
    }

    /// Prints the errors of the built-in survey's galaxies on its own stamps; run with
    /// `--ignored --nocapture`.
    #[test]
    #[ignore = "a measurement, not a check"]
    fn accuracy_over_the_survey() {
        let survey = crate::sky::Survey::builtin("candels-f160w").unwrap();
        let psf = survey.psf[0].model.psf().unwrap().unwrap();
        let simulator = crate::sky::Simulator::new(survey.clone(), 12).unwrap();
        let mut errors: Vec<(f64, f64)> = (0..40)
            .map(|index| {
                let t = simulator.truth(index);
                let galaxy =
                    Sersic::from_magnitude(t.mag, survey.zero_point, t.re_maj, t.n, t.q, t.pa).unwrap();
                let stamp = simulator.noiseless(&t).unwrap();
                let peak = stamp.iter().fold(0.0f64, |a, &b| a.max(b));
                let points = [(63, 63), (64, 64), (65, 63), (60, 70), (80, 60), (64, 100), (0, 0), (127, 64)];
                let worst = points
                    .into_iter()
                    .map(|(column, row)| {
                        let (dx, dy) = (column as f64 + 1.0 - t.x, row as f64 + 1.0 - t.y);
                        let exact = reference(&galaxy, &psf, survey.pixel_scale, dx, dy);
                        (stamp[row * 128 + column] - exact).abs()
                    })
                    .fold(0.0, f64::max);
                (worst / peak, worst / survey.noise.sigma())
            })
            .collect();
        errors.sort_by(|a, b| a.0.total_cmp(&b.0));
        println!("of the peak: median {:.1e}, worst {:.1e}", errors[20].0, errors[39].0);
        errors.sort_by(|a, b| a.1.total_cmp(&b.1));
        println!("in sky noise: median {:.1e}, worst {:.1e}", errors[20].1, errors[39].1);
    }

    #[test]
    fn a_gaussian_galaxy_and_psf_make_a_gaussian() {
        // n = 1/2 is a Gaussian of σ = R_e/√(2 ln 2); variances add.
        let scale = 0.06;
        let fwhm_pixels = 3.1;
        let psf = Psf::gaussian(fwhm_pixels * scale).unwrap();
        let galaxy = Sersic::new(7.0, 2.3, 0.5, 1.0, 0.0).unwrap();
        let k = 2.0 * std::f64::consts::LN_2;
        let variance = 2.3f64.powi(2) / k + (0.5 * fwhm_pixels).powi(2) / k;
        let (x, y) = (20.2, 21.9);
        for (i, value) in Renderer::new(40, scale, &psf).unwrap().render(&galaxy, x, y).iter().enumerate() {
            let r2 = ((i % 40) as f64 + 1.0 - x).powi(2) + ((i / 40) as f64 + 1.0 - y).powi(2);
            let expected = 7.0 / (TAU * variance) * (-0.5 * r2 / variance).exp();
            assert!((value - expected).abs() < 2e-6, "{i}: {value} {expected}");
        }
    }

    #[test]
    fn a_measured_psf_image_gives_the_stamp_of_the_model_it_samples() {
        let model = Psf::gaussian(0.18).unwrap();
        let pixels: Vec<f32> = model.image(61, 0.04).iter().map(|&p| p as f32).collect();
        let image = Psf::from_image(&pixels, 61, 0.04).unwrap();
        let galaxy = Sersic::new(10.0, 3.0, 2.0, 0.6, 30.0).unwrap();
        let draw = |psf| Renderer::new(48, 0.06, psf).unwrap().render(&galaxy, 24.3, 24.9);
        let (a, b) = (draw(&image), draw(&model));
        let peak = b.iter().fold(0.0f64, |a, &b| a.max(b));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4 * peak));
    }

    #[test]
    fn sizes_that_cannot_be_drawn_are_errors() {
        let psf = Psf::gaussian(0.2).unwrap();
        assert!(Renderer::new(0, 0.06, &psf).is_err());
        assert!(Renderer::new(64, -0.06, &psf).is_err());
    }
}
