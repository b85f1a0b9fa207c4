//! From a survey, a seed and an index to a stamp and what is on it: a pure function, so that any part
//! of a data set can be made again, anywhere, in any order, by any number of threads.

use super::noise::Noise;
use super::parts::{CatalogueGalaxy, SurveyParts};
use super::render::{Light, Renderer, Source};
use super::sersic::Sersic;
use super::survey::{Distribution, NoiseModel, Survey};
use super::truth::Truth;
use crate::rng::{Philox, Stream};
use crate::{Error, Result};
use rand::RngExt;
use rayon::prelude::*;

/// Makes the stamps of a survey. Shared between threads.
pub struct Simulator {
    survey: Survey,
    seed: u64,
    /// One a PSF.
    renderers: Vec<Renderer>,
    noise: Option<Noise>,
    /// Rows of the catalogue within the survey's ranges.
    galaxies: Vec<CatalogueGalaxy>,
    rejected: usize,
}

/// Sub-streams of [`Stream::Simulation`]: what is drawn. One never moves another's numbers.
const PARAMETERS: u32 = 0;
const SKY: u32 = 1;
const PHOTONS: u32 = 2;
const PSF: u32 = 3;
const ROW: u32 = 4;
/// Blocks of four random words set aside for a stamp: enough for three words in every pixel of the
/// largest stamp with its margins.
const BLOCKS_PER_STAMP: u64 = 1 << 24;

impl Simulator {
    /// A simulator of a survey that names no files, from a seed.
    ///
    /// # Errors
    /// [`Error::Usage`] where it names one: read them with `fits::survey_parts` and use
    /// [`Simulator::with_parts`]. Also as [`Renderer::new`].
    pub fn new(survey: Survey, seed: u64) -> Result<Self> {
        let parts = SurveyParts::without_files(&survey)?;
        Simulator::with_parts(survey, &parts, seed)
    }

    /// A simulator of a survey with the contents of its files, from a seed.
    ///
    /// # Errors
    /// [`Error::Usage`] for parts that are another survey's or a catalogue without a galaxy in the survey's
    /// ranges. Also as [`Renderer::new`].
    pub fn with_parts(survey: Survey, parts: &SurveyParts, seed: u64) -> Result<Self> {
        let wrong = |what: String| Err(Error::Usage(format!("survey '{}': {what}", survey.name)));
        if parts.psfs.len() != survey.psf.len() {
            return wrong(format!("{} PSFs were read, it has {}", parts.psfs.len(), survey.psf.len()));
        }
        let galaxies = parts.possible_galaxies(&survey.galaxies);
        if survey.galaxies.catalogue.is_some() && galaxies.is_empty() {
            return wrong(format!(
                "not one of the {} galaxies of its catalogue lies within the ranges of [galaxies]",
                parts.galaxies.len()
            ));
        }
        let renderer = |psf| Renderer::new(survey.stamp_size, survey.pixel_scale, psf);
        let renderers = parts.psfs.iter().map(renderer).collect::<Result<_>>()?;
        let noise = match &survey.noise {
            NoiseModel::None => None,
            NoiseModel::White { sigma } | NoiseModel::Image { sigma, .. } => {
                Some(Noise::new(*sigma, survey.exposure, None))
            }
            NoiseModel::Correlated { sigma, autocorrelation } => {
                Some(Noise::new(*sigma, survey.exposure, Some(autocorrelation)))
            }
        };
        let rejected = parts.galaxies.len() - galaxies.len();
        Ok(Simulator { survey, seed, renderers, noise, galaxies, rejected })
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

    /// Galaxies of the survey's catalogue that are drawn from, and those that are not, being outside the survey's
    /// ranges; `None` without a catalogue.
    pub fn catalogue(&self) -> Option<(usize, usize)> {
        self.survey.galaxies.catalogue.as_ref().map(|_| (self.galaxies.len(), self.rejected))
    }

    /// The random numbers of stamp `index` for one purpose.
    fn numbers(&self, purpose: u32, index: u64) -> Philox {
        Philox::new(self.seed, Stream::Simulation, purpose, index.wrapping_mul(BLOCKS_PER_STAMP))
    }

    /// What is on stamp `index`. The galaxy's centre is that of the stamp, FITS pixel (size + 1)/2 (64.5 of 128),
    /// plus an offset drawn evenly from ± `centre_offset` on each axis.
    pub fn truth(&self, index: u64) -> Truth {
        let mut numbers = self.numbers(PARAMETERS, index);
        let mut draw = || numbers.random::<f64>();
        let galaxies = &self.survey.galaxies;
        let row = self.row(index);
        // A number is drawn for each, used or not, so that no parameter depends on how another is drawn.
        let [mag, re_maj, n, q] = std::array::from_fn(|i| {
            let (range, u) = (galaxies.ranges()[i], draw());
            if range.distribution == Distribution::Catalogue { row[i] } else { range.at(u) }
        });
        let pa = -90.0 + 180.0 * draw();
        let centre = 0.5 * (self.survey.stamp_size as f64 + 1.0);
        let offset = galaxies.centre_offset;
        let x = centre + offset * (2.0 * draw() - 1.0);
        let y = centre + offset * (2.0 * draw() - 1.0);
        Truth {
            id: index as i64,
            mag,
            re_maj,
            re_circ: re_maj * q.sqrt(),
            n,
            q,
            pa,
            x,
            y,
            psf: Some(self.psf(index)),
            companions: Some(0),
            companion_ratio: Some(0.0),
            companion_distance: None,
        }
    }

    /// A row of the catalogue; of NaN without one.
    fn row(&self, index: u64) -> CatalogueGalaxy {
        let u = self.numbers(ROW, index).random::<f64>();
        self.galaxies.get((u * self.galaxies.len() as f64) as usize).copied().unwrap_or([f64::NAN; 4])
    }

    /// Which PSF stamp `index` has.
    fn psf(&self, index: u64) -> u32 {
        let total: f64 = self.survey.psf.iter().map(|psf| psf.weight).sum();
        let mut u = self.numbers(PSF, index).random::<f64>() * total;
        let drawn = self.survey.psf.iter().position(|psf| {
            u -= psf.weight;
            u < 0.0
        });
        // Past the last by rounding alone.
        drawn.unwrap_or(self.survey.psf.len() - 1) as u32
    }

    /// The sources on and near stamp `index`, and what is on it.
    ///
    /// # Errors
    /// As [`Sersic::new`]; a survey that passed its checks gives none.
    pub fn scene(&self, index: u64) -> Result<(Vec<Source>, Truth)> {
        let truth = self.truth(index);
        Ok((vec![self.galaxy(&truth)?], truth))
    }

    /// The galaxy that `truth` describes.
    fn galaxy(&self, truth: &Truth) -> Result<Source> {
        let Truth { id, mag, re_maj, n, q, pa, x, y, .. } = *truth;
        let wrong = |what: String| Error::Usage(format!("the galaxy of ID {id}: {what}"));
        let size = self.survey.stamp_size as f64;
        let near = -size..2.0 * size;
        if !(near.contains(&x) && near.contains(&y)) {
            return Err(wrong(format!("a centre at X = {x}, Y = {y} is not on or near the stamp")));
        }
        let galaxy = Sersic::from_magnitude(mag, self.survey.zero_point, re_maj, n, q, pa);
        Ok(Source { light: Light::Galaxy(galaxy.map_err(|e| wrong(e.to_string()))?), x, y })
    }

    /// The galaxy that `truth` describes, alone and without noise, with the PSF that it names, else with that of stamp
    /// `ID`: `stamp_size`² pixels in e/s, row-major, y up.
    ///
    /// # Errors
    /// [`Error::Usage`] with the ID for values that no galaxy has, a centre far outside the stamp or a PSF that the
    /// survey has not.
    pub fn noiseless(&self, truth: &Truth) -> Result<Vec<f64>> {
        self.render(&[self.galaxy(truth)?], truth, truth.id as u64)
    }

    fn render(&self, sources: &[Source], truth: &Truth, index: u64) -> Result<Vec<f64>> {
        let psf = truth.psf.unwrap_or_else(|| self.psf(index));
        match self.renderers.get(psf as usize) {
            Some(renderer) => Ok(renderer.scene(sources)),
            None => Err(Error::Usage(format!(
                "the galaxy of ID {}: PSF = {psf}, but survey '{}' has {}, counted from 0",
                truth.id,
                self.survey.name,
                self.renderers.len()
            ))),
        }
    }

    /// Adds the noise of stamp `index` and writes the stamp to `out`.
    fn finish(&self, mut pixels: Vec<f64>, index: u64, out: &mut [f32]) {
        if let Some(noise) = &self.noise {
            let (mut sky, mut photons) = (self.numbers(SKY, index), self.numbers(PHOTONS, index));
            noise.add(&mut pixels, self.survey.stamp_size, &mut sky, &mut photons);
        }
        for (out, pixel) in out.iter_mut().zip(pixels) {
            *out = pixel as f32;
        }
    }

    fn stamp_into(&self, index: u64, out: &mut [f32]) -> Result<Truth> {
        let (sources, truth) = self.scene(index)?;
        self.finish(self.render(&sources, &truth, index)?, index, out);
        Ok(truth)
    }

    fn pixels(&self) -> usize {
        self.survey.stamp_size * self.survey.stamp_size
    }

    /// Stamp `index` (`stamp_size`² pixels in e/s, row-major, y up) and what is on it.
    ///
    /// # Errors
    /// As [`Simulator::scene`].
    pub fn stamp(&self, index: u64) -> Result<(Vec<f32>, Truth)> {
        let mut pixels = vec![0.0; self.pixels()];
        let truth = self.stamp_into(index, &mut pixels)?;
        Ok((pixels, truth))
    }

    /// A stamp of the galaxy that `truth` describes, alone, with the noise of stamp `index` and, where `truth` names
    /// none, its PSF: `stamp_size`² pixels in e/s, row-major, y up.
    ///
    /// # Errors
    /// As [`Simulator::noiseless`].
    pub fn stamp_of(&self, truth: &Truth, index: u64) -> Result<Vec<f32>> {
        let mut pixels = vec![0.0; self.pixels()];
        self.finish(self.render(&[self.galaxy(truth)?], truth, index)?, index, &mut pixels);
        Ok(pixels)
    }

    /// The stamps of a range of indices, one after another, and what is on them; made in parallel,
    /// the same whatever the number of threads.
    ///
    /// # Errors
    /// As [`Simulator::scene`].
    pub fn batch(&self, range: std::ops::Range<u64>) -> Result<(Vec<f32>, Vec<Truth>)> {
        let stamps = range.end.saturating_sub(range.start) as usize;
        let mut pixels = vec![0.0; stamps * self.pixels()];
        let truths = pixels
            .par_chunks_exact_mut(self.pixels())
            .enumerate()
            .map(|(i, out)| self.stamp_into(range.start + i as u64, out))
            .collect::<Result<_>>()?;
        Ok((pixels, truths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::{GalaxyCatalogue, Psf, PsfModel, RadiusUnit, SurveyPsf};

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
        let truth =
            Truth { mag: 20.0, re_maj: 4.0, n: 1.0, q: 0.5, pa: 30.0, x: 64.7, y: 64.2, ..Truth::default() };
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

    /// The builtin survey with two PSFs, the first drawn three times as often.
    fn two_psfs() -> Survey {
        let mut survey = Survey::builtin("candels-f160w").unwrap();
        let psf = |fwhm, weight| SurveyPsf { model: PsfModel::Gaussian { fwhm }, weight };
        survey.psf = vec![psf(0.15, 3.0), psf(0.3, 1.0)];
        survey
    }

    #[test]
    fn psfs_are_drawn_by_their_weights_and_used() {
        let simulator = Simulator::new(two_psfs(), 3).unwrap().without_noise();
        let truths: Vec<Truth> = (0..4000).map(|i| simulator.truth(i)).collect();
        let first = truths.iter().filter(|t| t.psf == Some(0)).count() as f64 / 4000.0;
        // Five standard errors of a proportion.
        assert!((first - 0.75).abs() < 5.0 * (0.75f64 * 0.25 / 4000.0).sqrt(), "{first}");
        let truth = Truth { mag: 20.0, re_maj: 2.0, n: 1.0, q: 0.5, pa: 0.0, x: 64.0, y: 64.0, ..truths[0] };
        let peak = |psf| {
            let stamp = simulator.noiseless(&Truth { psf: Some(psf), ..truth }).unwrap();
            stamp.into_iter().fold(0.0, f64::max)
        };
        assert!(peak(0) > 1.2 * peak(1));
        let unnamed = |id| simulator.noiseless(&Truth { id, psf: None, ..truth }).unwrap();
        for drawn in &truths[..8] {
            let peak_of_its_own = peak(drawn.psf.unwrap());
            assert_eq!(unnamed(drawn.id).into_iter().fold(0.0, f64::max), peak_of_its_own);
        }
        let error = simulator.noiseless(&Truth { id: 7, psf: Some(2), ..truth }).unwrap_err().to_string();
        assert!(error.contains("ID 7: PSF = 2, but survey 'candels-f160w' has 2"), "{error}");
    }

    #[test]
    fn how_one_thing_is_drawn_does_not_move_another() {
        let plain = simulator(8);
        let mut survey = two_psfs();
        survey.galaxies.magnitude.distribution = Distribution::LogUniform;
        let changed = Simulator::new(survey, 8).unwrap();
        for index in 0..20 {
            let (a, b) = (plain.truth(index), changed.truth(index));
            assert_ne!(a.mag, b.mag);
            assert_eq!(Truth { mag: a.mag, psf: a.psf, ..b }, a);
        }
    }

    #[test]
    fn galaxies_of_a_catalogue_are_whole_rows_within_the_ranges() {
        let mut survey = Survey::builtin("candels-f160w").unwrap();
        for range in
            [&mut survey.galaxies.magnitude, &mut survey.galaxies.radius, &mut survey.galaxies.axis_ratio]
        {
            range.distribution = Distribution::Catalogue;
        }
        survey.galaxies.catalogue = Some(GalaxyCatalogue {
            path: "galaxies.csv".into(),
            magnitude: "MAG".into(),
            radius: "RE_MAJ".into(),
            radius_unit: RadiusUnit::Pixels,
            sersic_index: "N".into(),
            axis_ratio: "Q".into(),
        });
        assert!(Simulator::new(survey.clone(), 1).is_err());
        let unknown = f64::NAN;
        let rows = [
            [17.0, 20.0, unknown, 0.7],
            [22.0, 2.0, unknown, 0.3],
            // Too faint, too large, without an axis ratio.
            [25.0, 2.0, unknown, 0.3],
            [20.0, 40.0, unknown, 0.3],
            [20.0, 4.0, unknown, unknown],
        ];
        let mut parts = SurveyParts { psfs: vec![Psf::gaussian(0.2).unwrap()], galaxies: rows.to_vec() };
        let simulator = Simulator::with_parts(survey.clone(), &parts, 1).unwrap();
        assert_eq!(simulator.catalogue(), Some((2, 3)));
        let truths: Vec<Truth> = (0..1000).map(|i| simulator.truth(i)).collect();
        let bright = truths.iter().filter(|t| [t.mag, t.re_maj, t.q] == [17.0, 20.0, 0.7]).count();
        let faint = truths.iter().filter(|t| [t.mag, t.re_maj, t.q] == [22.0, 2.0, 0.3]).count();
        assert_eq!(bright + faint, 1000);
        // Five standard errors of one half.
        assert!((bright as f64 / 1000.0 - 0.5).abs() < 5.0 * (0.25f64 / 1000.0).sqrt());
        assert!(
            truths.iter().all(|t| survey.galaxies.sersic_index.contains(t.n)) && truths[0].n != truths[1].n
        );
        parts.galaxies = rows[2..].to_vec();
        let error = Simulator::with_parts(survey, &parts, 1).err().unwrap().to_string();
        assert!(error.contains("not one of the 3 galaxies of its catalogue"), "{error}");
    }

    #[test]
    fn rows_that_no_galaxy_has_are_errors_with_their_identifier() {
        let simulator = simulator(1);
        let good = simulator.truth(0);
        assert!(simulator.stamp_of(&good, 0).is_ok());
        for bad in [
            Truth { mag: f64::NAN, ..good },
            Truth { re_maj: -1.0, ..good },
            Truth { n: 50.0, ..good },
            Truth { q: 0.0, ..good },
            Truth { pa: f64::INFINITY, ..good },
            Truth { x: f64::NAN, ..good },
            Truth { y: 1e9, ..good },
        ] {
            let error = simulator.stamp_of(&Truth { id: 33, ..bad }, 0).unwrap_err().to_string();
            assert!(error.contains("the galaxy of ID 33: "), "{error}");
        }
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
