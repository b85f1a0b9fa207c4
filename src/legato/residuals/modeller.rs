//! From measured shapes to models: each galaxy of a stamp rendered with its measured radius, index and axis ratio, at
//! the position angle, centre, flux and sky level that suit its pixels best.

use super::mask::Pixels;
use super::search::{Place, Search, State, Weighted};
use super::start;
use crate::fits::{background, survey_psfs};
use crate::legato::Provenance;
use crate::sky::{
    AXIS_RATIO_LIMITS, INDEX_LIMITS, Noise, PixelConvention, Psf, Renderer, Sersic, Survey, magnitude_of,
};
use crate::{Error, Result};
use rayon::prelude::*;

/// Fewest pixels in the ellipse in which χ² is counted.
const FEWEST: usize = 12;
/// Free parameters of a model: flux, sky, centre and position angle.
const FREE: usize = 5;
/// The ellipse reaches as many half-light radii, with as many widths of the PSF (FWHM) added in quadrature.
const EXTENT: (f64, f64) = (2.0, 2.0);
/// Rounds of finding others' light and settling beside it.
const ROUNDS: usize = 2;
/// The mean of |z| of a normal deviate is √(2/π).
const MEAN_DEVIATION: f64 = 0.797_884_560_802_865_4;
/// A galaxy fills its stamp where the stamp's area is less than this many squares of its half-light radius: an eighth of
/// the side.
const FILLS: f64 = 64.0;
/// FWHM of a Gaussian over its standard deviation.
const FWHM: f64 = 2.354_820_045_030_949_3;

/// The noise of a stamp's pixels, in the unit of its pixels.
#[derive(Clone, Copy, Debug)]
pub enum PixelNoise<'a> {
    /// The standard deviation of the sky in every pixel, as the stamp's border has it; the photons of the galaxy are
    /// added as the survey's exposure has them. The border of a galaxy that fills its stamp is no sky: then the noise is
    /// the survey's, if that is less.
    Sky(f64),
    /// The standard deviation of each pixel, all sources included; a pixel where it is not positive is bad.
    Map(&'a [f32]),
}

/// A galaxy's stamp.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Pixels in the networks' flux unit, row-major, y up; what is not finite or exactly zero is bad.
    pub pixels: &'a [f32],
    /// Their noise.
    pub noise: PixelNoise<'a>,
    /// True for pixels to leave out: bad, masked or beyond the image.
    pub bad: Option<&'a [bool]>,
    /// The galaxy's centre to a pixel or two, FITS pixels of the stamp: 1.0 is the centre of its first pixel.
    pub x: f64,
    /// As `x`.
    pub y: f64,
}

/// The shape of a galaxy as the networks measured it.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Half-light radius along the major axis, pixels.
    pub re_maj: f64,
    /// Sérsic index.
    pub n: f64,
    /// Axis ratio b/a.
    pub q: f64,
}

/// A galaxy's model beside its pixels. Errors are standard deviations for noise that is independent in every pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFit {
    /// Position angle of the major axis from +y, counter-clockwise, degrees in [−90, 90). Of a round galaxy it means
    /// nothing.
    pub pa: f64,
    /// Of `pa`, degrees; infinite where any angle does as well.
    pub pa_err: f64,
    /// Centre, FITS pixels of the stamp.
    pub x: f64,
    /// Of `x`.
    pub x_err: f64,
    /// As `x`.
    pub y: f64,
    /// Of `y`.
    pub y_err: f64,
    /// Total flux to infinity, in the pixels' unit; may be negative where there is no galaxy.
    pub flux: f64,
    /// Of `flux`.
    pub flux_err: f64,
    /// Total AB magnitude; NaN for a flux that is not positive.
    pub mag: f64,
    /// Level of the sky, in the pixels' unit.
    pub sky: f64,
    /// Of `sky`.
    pub sky_err: f64,
    /// χ² per degree of freedom within the ellipse of twice the half-light radius (with twice the PSF's FWHM added in
    /// quadrature), others' light and bad pixels left out. Where noise is correlated between pixels the free parameters
    /// follow more of it, and a small galaxy's χ² is a little below one.
    pub chi2: f64,
    /// Degrees of freedom of `chi2`.
    pub freedom: usize,
    /// The residual flux fraction of Hoyos et al. (2011, MNRAS 411, 2439) in that ellipse: (Σ |residual| − 0.8 Σ σ) / Σ
    /// model, what noise does not explain of the residual as a part of the galaxy's light. Unlike χ² it does not grow
    /// with the signal-to-noise ratio. NaN for a flux that is not positive.
    pub residual_fraction: f64,
    /// Standard deviation of `residual_fraction` under noise that is independent in every pixel.
    pub residual_fraction_err: f64,
    /// The part of the ellipse that was left out.
    pub left_out: f64,
    /// Galaxy and sky, row-major, y up, in the pixels' unit; residuals are pixels minus this.
    pub model: Vec<f32>,
    /// True for pixels that were left out, bad or with others' light.
    pub excluded: Vec<bool>,
    /// The standard deviation of each pixel's noise, the galaxy's photons included; not positive for bad pixels.
    pub sigma: Vec<f32>,
}

impl ModelFit {
    /// The part of the galaxy's light that the model does not explain, as far as it is beyond what noise makes of it two
    /// times in a hundred; 0 where noise alone explains it, NaN for a flux that is not positive.
    pub fn unexplained(&self) -> f64 {
        // Not `max`, which would make 0 of NaN.
        (self.residual_fraction - 2.0 * self.residual_fraction_err).clamp(0.0, f64::INFINITY)
    }
}

/// Models galaxies on square stamps of one size, pixel scale and PSF. Shared between threads; what it finds of a galaxy
/// depends on no other.
pub struct Modeller {
    renderer: Renderer,
    zero_point: f64,
    /// Variance of a pixel for each unit of light in it.
    photons: f64,
    /// Standard deviation of the survey's sky in a pixel.
    usual_sigma: f64,
    /// Full width at half maximum of the PSF, pixels.
    fwhm: f64,
    /// What PSF it is, for people.
    psf: String,
}

impl Modeller {
    /// For stamps of `size`² pixels as a survey has them, of its first PSF or another.
    ///
    /// # Errors
    /// As [`survey_psfs`] and [`Renderer::new`].
    pub fn of_survey(survey: &Survey, size: usize, psf: Option<&Psf>) -> Result<Self> {
        let (psf, whose) = match psf {
            Some(given) => (given.clone(), "given".to_owned()),
            None => {
                let first = survey_psfs(survey)?.into_iter().next();
                let none = || Error::Usage(format!("survey '{}' has no PSF", survey.name));
                (first.ok_or_else(none)?, format!("of survey {}", survey.name))
            }
        };
        let photons = Noise::variance_per_light(survey.noise.autocorrelation(), survey.exposure)?;
        let renderer = Renderer::with_pixels(size, survey.pixel_scale, &psf, survey.pixel_convention)?;
        let noise = (survey.noise.sigma(), photons);
        Ok(Modeller::new(renderer, &psf, &whose, survey.pixel_scale, survey.zero_point, noise))
    }

    /// Whether the PSF of the survey that networks learned from is known: whether that is part of the program.
    pub fn knows_psf(networks: &Provenance) -> bool {
        Survey::builtin_names().contains(&networks.survey.as_str())
    }

    /// For stamps of `size`² pixels as networks take them: with the PSF, the pixel convention and the exposure of the
    /// survey that they learned from, or with another PSF. Networks of a survey that is not part of the program need
    /// the PSF; then no photon noise of the galaxy is reckoned with.
    ///
    /// # Errors
    /// [`Error::Usage`] where the PSF is not known; as [`Modeller::of_survey`].
    pub fn of_networks(networks: &Provenance, size: usize, psf: Option<&Psf>) -> Result<Self> {
        match (Modeller::knows_psf(networks), psf) {
            (true, _) => Modeller::of_survey(&Survey::builtin(&networks.survey)?, size, psf),
            (false, Some(psf)) => {
                let convention = PixelConvention::EffectivePsf;
                let renderer = Renderer::with_pixels(size, networks.pixel_scale, psf, convention)?;
                let (scale, zero_point) = (networks.pixel_scale, networks.zero_point);
                Ok(Modeller::new(renderer, psf, "given", scale, zero_point, (networks.sigma, 0.0)))
            }
            (false, None) => Err(Error::Usage(format!(
                "the networks learned from survey '{}', which is not in the program, so that its PSF is not known: \
                 give it with --psf (there are {})",
                networks.survey,
                Survey::builtin_names().join(", ")
            ))),
        }
    }

    /// Of the noise, the sky's standard deviation and the variance for a unit of light.
    fn new(
        renderer: Renderer,
        psf: &Psf,
        whose: &str,
        scale: f64,
        zero_point: f64,
        (usual_sigma, photons): (f64, f64),
    ) -> Self {
        let psf_named = format!("{psf} ({whose})");
        Modeller { renderer, zero_point, photons, usual_sigma, fwhm: psf.fwhm() / scale, psf: psf_named }
    }

    /// The PSF in words.
    pub fn psf(&self) -> &str {
        &self.psf
    }

    /// AB zero point of the stamps' flux unit.
    pub fn zero_point(&self) -> f64 {
        self.zero_point
    }

    /// The models of many galaxies, in order, made in parallel.
    pub fn fit_all(&self, galaxies: &[(Observed, Shape)]) -> Vec<Option<ModelFit>> {
        galaxies.par_iter().map(|(observed, shape)| self.fit(observed, shape)).collect()
    }

    /// The model of a galaxy. None where there is nothing to model: too few good pixels about the centre, pixels or
    /// noise of another size than the renderer's, noise that is not positive, or a shape that is not finite. A shape
    /// that no galaxy has is brought to the nearest that one has.
    pub fn fit(&self, observed: &Observed, shape: &Shape) -> Option<ModelFit> {
        let size = self.renderer.size();
        let count = size * size;
        let galaxy = galaxy(shape)?;
        let fills = self.usual_sigma > 0.0 && FILLS * galaxy.re_maj.powi(2) > count as f64;
        let noise = match observed.noise {
            PixelNoise::Sky(sigma) if fills => PixelNoise::Sky(sigma.min(self.usual_sigma)),
            noise => noise,
        };
        let sky_sigma = sigmas(&Observed { noise, ..*observed }, count)?;
        if !(observed.x.is_finite() && observed.y.is_finite()) {
            return None;
        }
        let pixels: Vec<f64> = observed
            .pixels
            .iter()
            .zip(&sky_sigma)
            .map(|(&p, &sigma)| if sigma > 0.0 { f64::from(p) } else { 0.0 })
            .collect();
        // Bad pixels must not tell the sky either.
        let seen: Vec<f32> = observed
            .pixels
            .iter()
            .zip(&sky_sigma)
            .map(|(&p, &sigma)| if sigma > 0.0 { p } else { f32::NAN })
            .collect();
        let level = Some(background(&seen, size).level).filter(|level| level.is_finite()).unwrap_or(0.0);
        let photons = if matches!(observed.noise, PixelNoise::Sky(_)) { self.photons } else { 0.0 };

        let given = (observed.x, observed.y);
        let search = Search { renderer: &self.renderer, galaxy, given };
        let blurred = Blurred::new(&galaxy, self.fwhm);
        let mut excluded = vec![false; count];
        let mut sigma = sky_sigma.clone();
        let mut light: Vec<f64> = pixels.iter().map(|p| p - level).collect();
        let mut weights = weights(&sigma, &excluded);

        let about = start::centre(&light, &weights, size, given, blurred.minor.min(4.0));
        excluded = Pixels { size, light: &light, sigma: &sigma }.unlike_opposite(about);
        weights = self::weights(&sigma, &excluded);
        let (x, y) = start::centre(&light, &weights, size, given, blurred.minor.min(4.0));
        let pa = start::position_angle(&light, &weights, size, (x, y), blurred.weight);
        let mut state = search.turned(Place { pa, x, y }, &Weighted { pixels: &pixels, weights: &weights });
        for _ in 0..ROUNDS {
            let model: Vec<f64> = state.image.iter().map(|m| state.flux.max(0.0) * m).collect();
            for ((sigma, &sky), &model) in sigma.iter_mut().zip(&sky_sigma).zip(&model) {
                *sigma = if sky > 0.0 { (sky * sky + photons * model.max(0.0)).sqrt() } else { 0.0 };
            }
            light = pixels.iter().map(|p| p - state.sky).collect();
            excluded = Pixels { size, light: &light, sigma: &sigma }.unlike_ellipse(
                &state.place,
                blurred.q,
                &excluded,
                &model,
            );
            weights = self::weights(&sigma, &excluded);
            let data = Weighted { pixels: &pixels, weights: &weights };
            state = search.settled(state.solved(&data), &data);
        }
        let data = Weighted { pixels: &pixels, weights: &weights };
        self.judged(&search, &state, &data, &blurred, sigma)
    }

    /// The model of a state and how well it does.
    fn judged(
        &self,
        search: &Search,
        state: &State,
        data: &Weighted,
        blurred: &Blurred,
        sigma: Vec<f64>,
    ) -> Option<ModelFit> {
        let size = self.renderer.size();
        let State { place, image, flux, sky, .. } = state;
        let (mut inside, mut counted, mut squares) = (0, 0, 0.0);
        let (mut deviations, mut noise, mut variance, mut light) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..image.len() {
            if place.radius(i, size, blurred.q) > blurred.extent {
                continue;
            }
            inside += 1;
            if data.weights[i] > 0.0 {
                let residual = data.pixels[i] - sky - flux * image[i];
                counted += 1;
                squares += residual * residual / (sigma[i] * sigma[i]);
                deviations += residual.abs();
                noise += sigma[i];
                variance += sigma[i] * sigma[i];
                light += flux * image[i];
            }
        }
        if counted < FEWEST {
            return None;
        }
        let covariance = search.covariance(state, data);
        let error = |i: usize| Some(covariance[i][i].sqrt()).filter(|e| *e > 0.0).unwrap_or(f64::INFINITY);
        let freedom = counted - FREE;
        let of_light = |part: f64| if *flux > 0.0 { part / light } else { f64::NAN };
        Some(ModelFit {
            pa: place.pa,
            pa_err: error(4).to_degrees(),
            x: place.x,
            x_err: error(2),
            y: place.y,
            y_err: error(3),
            flux: *flux,
            flux_err: error(1),
            mag: magnitude_of(*flux, self.zero_point),
            sky: *sky,
            sky_err: error(0),
            chi2: squares / freedom as f64,
            freedom,
            residual_fraction: of_light(deviations - MEAN_DEVIATION * noise),
            residual_fraction_err: of_light((1.0 - MEAN_DEVIATION.powi(2)).sqrt() * variance.sqrt()),
            left_out: 1.0 - f64::from(counted as u32) / f64::from(inside as u32),
            model: image.iter().map(|m| (flux * m + sky) as f32).collect(),
            excluded: data.weights.iter().map(|w| *w <= 0.0).collect(),
            sigma: sigma.into_iter().map(|s| s as f32).collect(),
        })
    }
}

/// How a galaxy's ellipse looks through a PSF.
struct Blurred {
    /// Axis ratio.
    q: f64,
    /// Major semi-axis of the ellipse in which χ² is counted, pixels.
    extent: f64,
    /// Standard deviation of a Gaussian of the galaxy's own width along its minor axis, pixels.
    minor: f64,
    /// And of one that weighs most of its light.
    weight: f64,
}

impl Blurred {
    fn new(galaxy: &Sersic, fwhm: f64) -> Self {
        let psf = fwhm / FWHM;
        let Sersic { re_maj, q, .. } = *galaxy;
        let (major, minor) = (re_maj.hypot(psf), (q * re_maj).hypot(psf));
        Blurred {
            q: minor / major,
            extent: (EXTENT.0 * re_maj).hypot(EXTENT.1 * fwhm),
            minor,
            weight: (re_maj * q.sqrt()).hypot(psf),
        }
    }
}

/// The galaxy of flux one that is measured or the nearest to it that a galaxy can be.
fn galaxy(shape: &Shape) -> Option<Sersic> {
    /// A smaller one is a point to any PSF, pixels.
    const SMALLEST: f64 = 0.05;
    /// A larger one is sky to any stamp, pixels.
    const LARGEST: f64 = 1e3;
    let Shape { re_maj, n, q } = *shape;
    let n = n.clamp(INDEX_LIMITS.0, INDEX_LIMITS.1);
    let q = q.clamp(AXIS_RATIO_LIMITS.0, AXIS_RATIO_LIMITS.1);
    // Clamping keeps what is no number, and `Sersic` refuses it.
    Sersic::new(1.0, re_maj.clamp(SMALLEST, LARGEST), n, q, 0.0).ok()
}

/// The noise of each pixel without the galaxy's photons; zero for bad pixels. None for arrays that are not `count` long.
fn sigmas(observed: &Observed, count: usize) -> Option<Vec<f64>> {
    let whole = observed.pixels.len() == count && observed.bad.is_none_or(|bad| bad.len() == count);
    let noise = |i: usize| match observed.noise {
        PixelNoise::Sky(sigma) => sigma,
        PixelNoise::Map(map) => f64::from(map[i]),
    };
    if !whole || matches!(observed.noise, PixelNoise::Map(map) if map.len() != count) {
        return None;
    }
    let sigma = |i: usize| {
        let good = observed.pixels[i].is_finite()
            // As images have it where there are no data, and noise does not.
            && observed.pixels[i] != 0.0
            && observed.bad.is_none_or(|bad| !bad[i])
            && noise(i) > 0.0
            && noise(i).is_finite();
        if good { noise(i) } else { 0.0 }
    };
    Some((0..count).map(sigma).collect())
}

fn weights(sigma: &[f64], excluded: &[bool]) -> Vec<f64> {
    let weight = |(&sigma, &out): (&f64, &bool)| {
        if sigma > 0.0 && !out { 1.0 / (sigma * sigma) } else { 0.0 }
    };
    sigma.iter().zip(excluded).map(weight).collect()
}
