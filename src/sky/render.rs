//! Galaxies and stars ⊗ PSF, taken at the centres of a stamp's pixels.
//!
//! A galaxy's cusp is transformed exactly and the rest of its light is sampled (see `core.rs`) on a plane wider than
//! the stamp (see `grid.rs`); the spectrum of both is multiplied by the PSF's transfer function and transformed back.
//! A PSF that ends below the stamp's own Nyquist frequency, as the one of HST's aperture does on 0.06″ pixels, needs
//! no finer samples than the stamp's; others get as many as it takes.
//!
//! The plane is periodic. Its margin holds the light beyond the stamp that the PSF scatters into it, and is chosen
//! for each scene so that what the plane does not hold, or holds in the wrong place, matters nowhere.

use super::averaged::PixelConvention;
use super::core::Split;
use super::fourier::fast_length;
use super::grid::{Grid, Hankels, NEGLIGIBLE, Workspace};
use super::psf::Psf;
use super::sersic::Sersic;
use crate::{Error, Result};
use std::cell::RefCell;
use std::sync::OnceLock;

/// Pixels around the stamp, at least, in the planes to choose from.
const MARGINS: [usize; 5] = [32, 64, 128, 256, 512];
/// Light in the wrong place may be this fraction of the brightest pixel.
const TOLERANCE: f64 = 3e-5;
/// Of the light that a PSF with wings ∝ r⁻³ scatters beyond a radius, what goes beyond a straight line at that
/// distance: 1/π.
const BEYOND_A_LINE: f64 = std::f64::consts::FRAC_1_PI;
/// Samples per pixel along an axis, at most.
const FINEST: usize = 8;

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

/// Draws galaxies and stars on square stamps of one size, pixel scale and effective PSF. Shared between threads.
pub struct Renderer {
    size: usize,
    pixel_scale: f64,
    psf: Psf,
    convention: PixelConvention,
    oversampling: usize,
    /// The PSF's value at its centre, per pixel.
    psf_peak: f64,
    /// The fraction of the PSF's light beyond each of `MARGINS`.
    scattered: [f64; MARGINS.len()],
    grids: [OnceLock<Grid>; MARGINS.len()],
    hankels: Hankels,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

impl Renderer {
    /// A renderer of stamps of `size`² pixels of `pixel_scale` arcsec, convolved with the effective PSF `psf`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a size outside 8..=4096 or a pixel scale that is not positive.
    pub fn new(size: usize, pixel_scale: f64, psf: &Psf) -> Result<Self> {
        Renderer::with_pixels(size, pixel_scale, psf, PixelConvention::EffectivePsf)
    }

    /// As [`Renderer::new`], in either pixel convention.
    ///
    /// # Errors
    /// As [`Renderer::new`].
    pub fn with_pixels(
        size: usize,
        pixel_scale: f64,
        psf: &Psf,
        convention: PixelConvention,
    ) -> Result<Self> {
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
        let oversampling =
            (1..FINEST).find(|&o| passes(0.5 * o as f64) < 10.0 * NEGLIGIBLE).unwrap_or(FINEST);
        let within = psf.light_within(&MARGINS.map(|margin| margin as f64 * pixel_scale));
        let scattered = std::array::from_fn(|i| (1.0 - within.get(i).unwrap_or(&1.0)).max(0.0));
        Ok(Renderer {
            size,
            pixel_scale,
            psf: psf.clone(),
            convention,
            oversampling,
            psf_peak: psf.image(1, pixel_scale).first().copied().unwrap_or(0.0),
            scattered,
            grids: [const { OnceLock::new() }; MARGINS.len()],
            hankels: Hankels::new(),
        })
    }

    /// Pixels along a side of a stamp.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The light of all `sources` on a stamp, row-major, y up (the first row is FITS row 1), in the unit of their
    /// flux per pixel.
    pub fn scene(&self, sources: &[Source]) -> Vec<f64> {
        let mut stamp = vec![0.0; self.size * self.size];
        let grid = self.grid(sources);
        let place = |source: &Source| {
            // Pixels from the first sample, which is the first padded pixel's centre.
            (source.x - 1.0 + grid.margin as f64, source.y - 1.0 + grid.margin as f64)
        };
        // What the plane cannot hold would come back in on its other side.
        let held = |(x, y): (f64, f64)| {
            let end = grid.padded() as f64;
            (0.0..end).contains(&x) && (0.0..end).contains(&y)
        };
        let averaged = self.convention == PixelConvention::PixelAveraged;
        WORKSPACE.with_borrow_mut(|work| {
            grid.begin(work);
            for source in sources {
                match &source.light {
                    Light::Galaxy(galaxy) if averaged => grid.add_averages(galaxy, place(source), work),
                    Light::Galaxy(galaxy) => {
                        grid.add_rest(&Split::new(galaxy, grid.step()), place(source), work);
                    }
                    Light::Star(_) => {}
                }
            }
            grid.transform(work);
            for source in sources.iter().filter(|source| held(place(source))) {
                match &source.light {
                    Light::Galaxy(_) if averaged => {}
                    Light::Galaxy(galaxy) => {
                        grid.add_core(&Split::new(galaxy, grid.step()), place(source), &self.hankels, work);
                    }
                    Light::Star(flux) => grid.add_point(*flux, place(source), work),
                }
            }
            grid.finish(work, &mut stamp);
        });
        stamp
    }

    /// One galaxy on a stamp; `x`, `y` are its centre in FITS pixels. As [`Renderer::scene`].
    pub fn render(&self, galaxy: &Sersic, x: f64, y: f64) -> Vec<f64> {
        self.scene(&[Source { light: Light::Galaxy(*galaxy), x, y }])
    }

    /// The smallest plane that does for the sources.
    fn grid(&self, sources: &[Source]) -> &Grid {
        let brightest = sources.iter().map(|source| self.peak(&source.light)).fold(0.0, f64::max);
        let last = MARGINS.len() - 1;
        let level = (0..last)
            .find(|&level| {
                sources.iter().map(|s| self.misplaced(s, level)).sum::<f64>() <= TOLERANCE * brightest
            })
            .unwrap_or(last);
        self.grids[level].get_or_init(|| {
            let padded = fast_length(self.size + 2 * MARGINS[level]);
            let grid = Grid::new(self.size, padded, self.oversampling, self.pixel_scale, &self.psf);
            match self.convention {
                PixelConvention::EffectivePsf => grid,
                PixelConvention::PixelAveraged => grid.of_pixels(),
            }
        })
    }

    /// About the surface brightness of the brightest pixel.
    fn peak(&self, light: &Light) -> f64 {
        match light {
            Light::Star(flux) => flux * self.psf_peak,
            Light::Galaxy(galaxy) => {
                // Half of the light spread over the half-light ellipse.
                let area = 2.0 * std::f64::consts::PI * galaxy.q * galaxy.re_maj * galaxy.re_maj;
                galaxy.flux / (area + 1.0 / self.psf_peak)
            }
        }
    }

    /// An upper estimate of the light per pixel that one of the planes puts in the wrong place.
    fn misplaced(&self, source: &Source, level: usize) -> f64 {
        let margin = MARGINS[level] as f64;
        let end = self.size as f64 + margin;
        // From the source to the plane's nearest edge; negative outside.
        let inside =
            [source.x, source.y].map(|x| (x + margin).min(end - x)).into_iter().fold(f64::MAX, f64::min);
        if inside <= 0.0 {
            return f64::INFINITY;
        }
        match &source.light {
            // The PSF's own wings come back in from beyond the edge and the margin after it.
            Light::Star(flux) => {
                let r = inside + margin;
                let last = MARGINS.len() - 1;
                let beyond = (0..last).find(|&i| MARGINS[i] as f64 > r).unwrap_or(last).saturating_sub(1);
                flux * self.scattered[beyond] / (std::f64::consts::PI * r * r)
            }
            Light::Galaxy(galaxy) => {
                let split = Split::new(galaxy, 1.0 / self.oversampling as f64);
                let wings = galaxy.intensity(inside) * self.scattered[level] * BEYOND_A_LINE;
                wings + split.core_at(inside + margin)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::averaged::add_averages;
    use super::*;
    use std::f64::consts::TAU;

    /// The convolution at one point by direct integration in the galaxy's own polar coordinates, with
    /// no grid, no transform and no edge: ∫∫ S(r) ψ(|p − y(r, θ)|) q r² d ln r dθ by the trapezoid
    /// rule, which converges geometrically for this smooth, decaying (in ln r) and periodic (in θ)
    /// integrand. `dx`, `dy` from the galaxy's centre, pixels.
    fn reference(galaxy: &Sersic, psf: &Psf, scale: f64, dx: f64, dy: f64) -> f64 {
        let (sin, cos) = galaxy.pa.to_radians().sin_cos();
        // The PSF is narrow against a distant point's polar cells: refine with the distance, in the ellipse's radii.
        let angles = 200 + (12.0 * dx.hypot(dy) / galaxy.q) as usize;
        let step = 0.02;
        let mut sum = 0.0;
        for i in -700..350 {
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

    /// The largest difference from the reference at the pixels nearest the middle and some further out, for a galaxy
    /// at (x, y) on a stamp of 64² pixels; over the peak that it has in the middle.
    fn worst(psf: &Psf, galaxy: &Sersic, x: f64, y: f64) -> f64 {
        let scale = 0.06;
        let renderer = Renderer::new(64, scale, psf).unwrap();
        let stamp = renderer.render(galaxy, x, y);
        let peak = renderer.render(galaxy, MIDDLE.0, MIDDLE.1).into_iter().fold(0.0, f64::max);
        [(60, 61), (31, 50), (0, 30), (63, 0), (31, 31), (32, 31), (32, 32), (33, 30)]
            .into_iter()
            .map(|(column, row)| {
                let (dx, dy) = (column as f64 + 1.0 - x, row as f64 + 1.0 - y);
                (stamp[row * 64 + column] - reference(galaxy, psf, scale, dx, dy)).abs() / peak
            })
            .fold(0.0, f64::max)
    }

    const MIDDLE: (f64, f64) = (32.5 + 0.31, 32.5 - 0.17);

    #[test]
    fn stamps_agree_with_direct_integration() {
        // A PSF with wide wings that needs finer samples than the pixels, and one that does not.
        for (psf, oversampling) in [(Psf::moffat(0.17, 1.85).unwrap(), 2), (Psf::gaussian(0.25).unwrap(), 1)]
        {
            assert_eq!(Renderer::new(64, 0.06, &psf).unwrap().oversampling, oversampling);
            for (re, n, q, pa) in [
                (0.3, 0.3, 0.05, 70.0),
                (0.3, 8.0, 1.0, 0.0),
                (1.5, 0.3, 0.2, 20.0),
                (1.5, 1.0, 0.8, 130.0),
                (1.5, 6.2, 0.2, 45.0),
                (1.5, 6.2, 0.8, 5.0),
                (4.0, 4.0, 0.5, -60.0),
                (10.0, 6.2, 0.05, 30.0),
                (31.6, 6.2, 0.8, 77.0),
                (31.6, 0.3, 0.2, 10.0),
                (130.0, 0.3, 0.05, -50.0),
                (130.0, 8.0, 0.6, 12.0),
            ] {
                let galaxy = Sersic::new(100.0, re, n, q, pa).unwrap();
                let error = worst(&psf, &galaxy, MIDDLE.0, MIDDLE.1);
                println!("oversampling {oversampling}, re {re} n {n} q {q}: {error:.1e}");
                assert!(error < 1e-4, "{psf:?} re {re} n {n} q {q}: {error:.2e}");
            }
        }
    }

    #[test]
    fn a_neighbour_beyond_the_stamp_reaches_in_as_direct_integration_says() {
        let psf = Psf::moffat(0.17, 1.85).unwrap();
        for (x, y, n) in [(70.3, 20.2, 1.0), (-9.8, -12.1, 4.0), (30.0, 90.7, 0.5)] {
            let galaxy = Sersic::new(100.0, 8.0, n, 0.7, 40.0).unwrap();
            let error = worst(&psf, &galaxy, x, y);
            assert!(error < 1e-4, "{x} {y}: {error:.2e}");
        }
    }

    #[test]
    fn a_scene_is_the_sum_of_its_sources_and_a_star_is_the_psf() {
        let psf = Psf::gaussian(0.25).unwrap();
        let renderer = Renderer::new(41, 0.06, &psf).unwrap();
        let galaxy =
            |re, x, y| Source { light: Light::Galaxy(Sersic::new(9.0, re, 2.0, 0.6, 20.0).unwrap()), x, y };
        let star = Source { light: Light::Star(4.0), x: 11.3, y: 30.8 };
        let sources = [galaxy(2.0, 20.0, 21.0), star, galaxy(5.0, 3.0, 44.0)];
        let together = renderer.scene(&sources);
        let apart: Vec<Vec<f64>> = sources.iter().map(|source| renderer.scene(&[*source])).collect();
        let peak = together.iter().fold(0.0f64, |a, &b| a.max(b));
        for (i, value) in together.iter().enumerate() {
            // As far as the choice of the plane, which is the scene's, may matter.
            let sum: f64 = apart.iter().map(|stamp| stamp[i]).sum();
            assert!((value - sum).abs() < 1e-4 * peak, "{i}: {value} {sum}");
            let r = ((i % 41) as f64 + 1.0 - star.x).hypot((i / 41) as f64 + 1.0 - star.y);
            let expected = 4.0 * 0.06 * 0.06 * psf.density(0.06 * r).unwrap();
            assert!((apart[1][i] - expected).abs() < 1e-5, "{i}: {} {expected}", apart[1][i]);
        }
        assert!(renderer.scene(&[]).iter().all(|value| *value == 0.0));
    }

    #[test]
    fn averaged_pixels_are_the_averages_convolved_with_the_psf_image() {
        // A PSF of a few pixels of its own, convolved by hand.
        let side = 5;
        let kernel: Vec<f32> = (0..side * side)
            .map(|i| [0.0, 1.0, 3.0, 1.0, 0.0][i % side] * [0.0, 2.0, 5.0, 2.0, 0.0][i / side])
            .collect();
        let sum: f32 = kernel.iter().sum();
        let psf = Psf::from_image(&kernel, side, 0.06).unwrap();
        let size = 24;
        let renderer = Renderer::with_pixels(size, 0.06, &psf, PixelConvention::PixelAveraged).unwrap();
        let galaxy = Sersic::new(50.0, 2.0, 3.0, 0.7, 15.0).unwrap();
        let (x, y) = (12.3, 11.8);
        let stamp = renderer.render(&galaxy, x, y);
        let peak = stamp.iter().fold(0.0f64, |a, &b| a.max(b));
        let wide = size + 4;
        let mut means = vec![0.0; wide * wide];
        add_averages(&galaxy, wide, (1.0 - x - 2.0, 1.0 - y - 2.0), &mut means);
        for (i, value) in stamp.iter().enumerate() {
            let expected: f64 = kernel
                .iter()
                .enumerate()
                .map(|(j, k)| f64::from(k / sum) * means[(i / size + j / side) * wide + i % size + j % side])
                .sum();
            assert!((value - expected).abs() < 1e-5 * peak, "{i}: {value} {expected}");
        }
    }

    /// Prints the errors of the built-in survey's galaxies on its own stamps; run with
    /// `--ignored --nocapture`.
    #[test]
    #[ignore = "a measurement, not a check"]
    fn accuracy_over_the_survey() {
        let mut survey = crate::sky::Survey::builtin("candels-f160w").unwrap();
        // A circular PSF, for the reference.
        survey.psf[0].model = crate::sky::PsfModel::Moffat { fwhm: 0.17, beta: 1.85 };
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
    fn stamps_have_the_moments_of_galaxy_and_psf() {
        // Of a Sérsic profile ⟨r²⟩ = R_e² b^(−2n) Γ(4n)/Γ(2n), half of it along either axis before the minor one
        // is squeezed; variances of galaxy and PSF add, and flux and centre stay.
        let fwhm = 0.25;
        let renderer = Renderer::new(128, 0.06, &Psf::gaussian(fwhm).unwrap()).unwrap();
        let psf = (fwhm / 0.06).powi(2) / (8.0 * std::f64::consts::LN_2);
        for (re, n, q, pa) in [
            (1.5, 0.3, 0.2, 20.0),
            (9.0, 0.3, 0.8, 70.0),
            (0.3, 1.0, 0.05, 45.0),
            (2.0, 1.0, 0.5, -30.0),
            (0.5, 2.0, 1.0, 0.0),
        ] {
            let galaxy = Sersic::new(7.0, re, n, q, pa).unwrap();
            let (x, y) = (64.9, 63.8);
            let stamp = renderer.render(&galaxy, x, y);
            let moment = |f: &dyn Fn(f64, f64) -> f64| {
                stamp
                    .iter()
                    .enumerate()
                    .map(|(i, p)| p * f((i % 128) as f64 + 1.0 - x, (i / 128) as f64 + 1.0 - y))
                    .sum::<f64>()
                    / 7.0
            };
            let ratio = (statrs::function::gamma::ln_gamma(4.0 * n)
                - statrs::function::gamma::ln_gamma(2.0 * n))
            .exp();
            let major = 0.5 * re * re * galaxy.b.powf(-2.0 * n) * ratio;
            let minor = q * q * major;
            let (sin, cos) = pa.to_radians().sin_cos();
            let size = major + psf;
            for (name, found, expected, unit) in [
                ("flux", moment(&|_, _| 1.0), 1.0, 1.0),
                ("x", moment(&|x, _| x), 0.0, size.sqrt()),
                ("y", moment(&|_, y| y), 0.0, size.sqrt()),
                ("xx", moment(&|x, _| x * x), sin * sin * major + cos * cos * minor + psf, size),
                ("yy", moment(&|_, y| y * y), cos * cos * major + sin * sin * minor + psf, size),
                ("xy", moment(&|x, y| x * y), sin * cos * (minor - major), size),
            ] {
                // Second moments weigh the faintest pixels most.
                let allowed = if name.len() == 2 { 5e-5 } else { 1e-6 };
                println!("re {re} n {n} q {q} {name}: {:.1e}", (found - expected) / unit);
                assert!(
                    (found - expected).abs() < allowed * unit,
                    "re {re} n {n} q {q} {name}: {found} {expected}"
                );
            }
        }
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
