//! From a survey, a seed and an index to a stamp and what is on it: a pure function, so that any part
//! of a data set can be made again, anywhere, in any order, by any number of threads.

use super::noise::{Noise, NoiseModel};
use super::psf::Psf;
use super::render::Renderer;
use super::sersic::Sersic;
use super::survey::Survey;
use crate::rng::{Philox, Stream};
use crate::{Error, Result};
use rand::RngExt;
use rayon::prelude::*;

/// What is on a simulated stamp; the columns of a data set's `TRUTH` table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Which stamp (`ID`).
    pub id: i64,
    /// Total AB magnitude (`MAG`).
    pub mag: f64,
    /// Half-light radius along the major axis, pixels (`RE_MAJ`).
    pub re_maj: f64,
    /// Circularised half-light radius RE_MAJ √Q, pixels (`RE_CIRC`).
    pub re_circ: f64,
    /// Sérsic index (`N`).
    pub n: f64,
    /// Axis ratio b/a (`Q`).
    pub q: f64,
    /// Position angle from +y, counter-clockwise, degrees in [-90, 90) (`PA`).
    pub pa: f64,
    /// Centre, FITS pixels: 1.0 is the centre of the first (`X`).
    pub x: f64,
    /// Centre, FITS pixels (`Y`).
    pub y: f64,
}

/// Makes the stamps of a survey. Shared between threads.
pub struct Simulator {
    survey: Survey,
    seed: u64,
    renderer: Renderer,
    noise: Option<Noise>,
}

/// Sub-stream of [`Stream::Simulation`] of the galaxies' parameters; noise draws from 1, 2 and 3.
const PARAMETERS: u32 = 0;
/// Blocks of four random words set aside for a stamp: enough for three words in every pixel of the
/// largest stamp with its margins.
const BLOCKS_PER_STAMP: u64 = 1 << 24;

impl Simulator {
    /// A simulator of `survey`'s stamps from a seed.
    ///
    /// # Errors
    /// [`Error::Usage`] where the survey's PSF is a FITS image: read it with `fits::survey_psf` and
    /// use [`Simulator::with_psf`]. Also as [`Renderer::new`].
    pub fn new(survey: Survey, seed: u64) -> Result<Self> {
        match survey.model_psf()? {
            Some(psf) => Simulator::with_psf(survey, &psf, seed),
            None => Err(Error::Usage(format!(
                "survey '{}' has its PSF in a FITS file, which must be read first",
                survey.name
            ))),
        }
    }

    /// As [`Simulator::new`], with a PSF that is already at hand.
    ///
    /// # Errors
    /// As [`Renderer::new`].
    pub fn with_psf(survey: Survey, psf: &Psf, seed: u64) -> Result<Self> {
        let renderer = Renderer::new(survey.stamp_size, survey.pixel_scale, psf)?;
        let sigma = survey.noise_sigma;
        let model = match survey.noise_correlation {
            None => NoiseModel::White { sigma },
            Some(autocorrelation) => NoiseModel::Correlated { sigma, autocorrelation },
        };
        let noise = Noise::new(&model, survey.exposure, survey.stamp_size)?;
        Ok(Simulator { survey, seed, renderer, noise: Some(noise) })
    }

    /// The same simulator, whose stamps hold no noise.
    #[must_use]
    pub fn without_noise(self) -> Self {
        Simulator { noise: None, ..self }
    }

    /// The survey that is simulated.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The parameters of galaxy `index`. Its centre is that of the stamp, FITS pixel
    /// (size + 1)/2 (64.5 of 128), plus an offset drawn evenly from ± `centre_offset` on each axis.
    pub fn truth(&self, index: u64) -> Truth {
        // Three blocks hold twelve words; seven parameters take two words each at most.
        let mut numbers =
            Philox::new(self.seed, Stream::Simulation, PARAMETERS, index.wrapping_mul(BLOCKS_PER_STAMP));
        let mut draw = || numbers.random::<f64>();
        let galaxies = &self.survey.galaxies;
        let mag = galaxies.magnitude.at(draw());
        let re_maj = galaxies.radius.at(draw());
        let n = galaxies.sersic_index.at(draw());
        let q = galaxies.axis_ratio.at(draw());
        let pa = -90.0 + 180.0 * draw();
        let centre = 0.5 * (self.survey.stamp_size as f64 + 1.0);
        let offset = galaxies.centre_offset;
        let x = centre + offset * (2.0 * draw() - 1.0);
        let y = centre + offset * (2.0 * draw() - 1.0);
        Truth { id: index as i64, mag, re_maj, re_circ: re_maj * q.sqrt(), n, q, pa, x, y }
    }

    /// Stamp `index` without noise: `stamp_size`² pixels in e/s, row-major, y up.
    ///
    /// # Errors
    /// As [`Sersic::new`]; a survey that passed its checks gives none.
    pub fn noiseless(&self, truth: &Truth) -> Result<Vec<f64>> {
        let galaxy = Sersic::from_magnitude(
            truth.mag,
            self.survey.zero_point,
            truth.re_maj,
            truth.n,
            truth.q,
            truth.pa,
        )?;
        Ok(self.renderer.render(&galaxy, truth.x, truth.y))
    }

    /// Stamp `index` (`stamp_size`² pixels in e/s, row-major, y up) and what is on it.
    ///
    /// # Errors
    /// As [`Simulator::noiseless`].
    pub fn stamp(&self, index: u64) -> Result<(Vec<f32>, Truth)> {
        let truth = self.truth(index);
        Ok((self.stamp_of(&truth, index)?, truth))
    }

    /// A stamp of the galaxy that `truth` describes, alone, with the noise of stamp `index`: `stamp_size`² pixels
    /// in e/s, row-major, y up.
    ///
    /// # Errors
    /// As [`Simulator::noiseless`].
    pub fn stamp_of(&self, truth: &Truth, index: u64) -> Result<Vec<f32>> {
        let mut pixels = self.noiseless(truth)?;
        if let Some(noise) = &self.noise {
            noise.add(&mut pixels, self.seed, index);
        }
        Ok(pixels.into_iter().map(|p| p as f32).collect())
    }

    /// The stamps of a range of indices, one after another, and what is on them; made in parallel,
    /// the same whatever the number of threads.
    ///
    /// # Errors
    /// As [`Simulator::noiseless`].
    pub fn batch(&self, range: std::ops::Range<u64>) -> Result<(Vec<f32>, Vec<Truth>)> {
        let parts: Vec<(Vec<f32>, Truth)> =
            range.into_par_iter().map(|index| self.stamp(index)).collect::<Result<_>>()?;
        let mut pixels = Vec::with_capacity(parts.len() * self.survey.stamp_size.pow(2));
        let mut truths = Vec::with_capacity(parts.len());
        for (stamp, truth) in parts {
            pixels.extend_from_slice(&stamp);
            truths.push(truth);
        }
        Ok((pixels, truths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulator(seed: u64) -> Simulator {
        Simulator::new(Survey::builtin("candels-f160w").unwrap(), seed).unwrap()
    }

    #[test]
    fn a_batch_is_the_same_on_any_number_of_threads() {
        let simulator = simulator(5);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| simulator.batch(3..12).unwrap())
        };
        let (one, three) = (on(1), on(3));
        assert_eq!(one, three);
        let (stamp, truth) = simulator.stamp(7).unwrap();
        assert_eq!(one.0[4 * 128 * 128..5 * 128 * 128], stamp);
        assert_eq!(one.1[4], truth);
        assert_eq!(truth.id, 7);
    }

    #[test]
    fn seeds_and_indices_make_different_stamps() {
        let (a, b) = (simulator(1), simulator(2));
        assert_ne!(a.stamp(0).unwrap().0, b.stamp(0).unwrap().0);
        assert_ne!(a.stamp(0).unwrap().0, a.stamp(1).unwrap().0);
    }

    #[test]
    fn parameters_fill_their_ranges() {
        let simulator = simulator(9);
        let truths: Vec<Truth> = (0..4000).map(|i| simulator.truth(i)).collect();
        for (value, min, max) in [
            ((|t: &Truth| t.mag) as fn(&Truth) -> f64, 16.0, 23.0),
            (|t| t.re_maj, 1.5, 31.6),
            (|t| t.n, 0.3, 6.2),
            (|t| t.q, 0.2, 0.8),
            (|t| t.pa, -90.0, 90.0),
            (|t| t.x, 64.0, 65.0),
            (|t| t.y, 64.0, 65.0),
        ] {
            let unit: Vec<f64> = truths.iter().map(|t| (value(t) - min) / (max - min)).collect();
            assert!(unit.iter().all(|u| (0.0..1.0).contains(u)));
            let mean = unit.iter().sum::<f64>() / 4000.0;
            // Five standard errors of a uniform mean: 5/√(12·4000).
            assert!((mean - 0.5).abs() < 0.0229, "{min}..{max}: {mean}");
            assert!(unit.iter().any(|u| *u < 0.01) && unit.iter().any(|u| *u > 0.99));
        }
        assert!(truths.iter().all(|t| (t.re_circ - (t.re_maj * t.re_maj * t.q).sqrt()).abs() < 1e-12));
    }

    #[test]
    fn the_stamp_holds_the_galaxys_light_at_its_centre() {
        let simulator = simulator(4);
        let truth = Truth {
            id: 0,
            mag: 20.0,
            re_maj: 4.0,
            re_circ: 4.0 * 0.5f64.sqrt(),
            n: 1.0,
            q: 0.5,
            pa: 30.0,
            x: 64.7,
            y: 64.2,
        };
        let pixels = simulator.noiseless(&truth).unwrap();
        let flux: f64 = pixels.iter().sum();
        let moment = |f: fn(usize) -> usize| {
            pixels.iter().enumerate().map(|(i, p)| (f(i) as f64 + 1.0) * p).sum::<f64>() / flux
        };
        // What the PSF's wings carry beyond the stamp's edge, 3.8″ away, is (1 + 925)^−0.85 = 0.3%.
        let expected = 10f64.powf(0.4 * (25.9463 - 20.0));
        assert!((0.994..1.0).contains(&(flux / expected)), "{}", flux / expected);
        assert!((moment(|i| i % 128) - 64.7).abs() < 0.01 && (moment(|i| i / 128) - 64.2).abs() < 0.01);
    }

    /// Prints the speed; run with `--ignored --nocapture`.
    #[test]
    #[ignore = "a measurement, not a check"]
    fn speed_on_one_thread() {
        let simulator = simulator(1);
        for (name, noisy) in [("noiseless", false), ("with noise", true)] {
            let start = std::time::Instant::now();
            for index in 0..200 {
                if noisy {
                    simulator.stamp(index).unwrap();
                } else {
                    simulator.noiseless(&simulator.truth(index)).unwrap();
                }
            }
            println!("{name}: {:.0} stamps/s", 200.0 / start.elapsed().as_secs_f64());
        }
    }
}
