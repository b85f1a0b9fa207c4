//! From a survey, a seed and an index to a stamp and what is on it: a pure function, so that any part
//! of a data set can be made again, anywhere, in any order, by any number of threads.

use super::draws::Draws;
use super::noise::{Noise, NoiseModel};
use super::parts::SurveyParts;
use super::psf::Psf;
use super::render::{Light, Renderer, Source};
use super::scene::{self, Scenes, Targets};
use super::sersic::Sersic;
use super::survey::{Survey, SurveyNoise};
use super::truth::Truth;
use crate::{Error, Result};
use rayon::prelude::*;

/// Makes the stamps of a survey. Shared between threads.
pub struct Simulator {
    survey: Survey,
    seed: u64,
    scenes: Scenes,
    psfs: Vec<Psf>,
    /// One a PSF.
    renderers: Vec<Renderer>,
    /// None where it is left out.
    noise: Option<Noise>,
}

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
        if parts.psfs.len() != survey.psf.len() {
            return Err(Error::Usage(format!(
                "survey '{}': {} PSFs were read, it has {}",
                survey.name,
                parts.psfs.len(),
                survey.psf.len()
            )));
        }
        let scenes = Scenes::new(&survey, Targets::new(&survey, parts)?);
        let renderer =
            |psf| Renderer::with_pixels(survey.stamp_size, survey.pixel_scale, psf, survey.pixel_convention);
        let renderers = parts.psfs.iter().map(renderer).collect::<Result<_>>()?;
        let noise = Noise::new(&noise_model(&survey, parts)?, survey.exposure, survey.stamp_size)?;
        Ok(Simulator { survey, seed, scenes, psfs: parts.psfs.clone(), renderers, noise: Some(noise) })
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
        let targets = &self.scenes.targets;
        self.survey.galaxies.catalogue.as_ref().map(|_| (targets.rows.len(), targets.rejected))
    }

    fn draws(&self, index: u64) -> Draws {
        Draws { seed: self.seed, index }
    }

    /// What is on stamp `index`. The galaxy's centre is that of the stamp, FITS pixel (size + 1)/2 (64.5 of 128),
    /// plus an offset drawn evenly from ± `centre_offset` on each axis.
    pub fn truth(&self, index: u64) -> Truth {
        self.scenes.draw(&self.survey, self.draws(index)).truth
    }

    /// The sources on and near stamp `index`, the galaxy's components first, and what is on it.
    ///
    /// # Errors
    /// As [`Sersic::new`]; a survey that passed its checks gives none.
    pub fn scene(&self, index: u64) -> Result<(Vec<Source>, Truth)> {
        let scene = self.scenes.draw(&self.survey, self.draws(index));
        Ok((scene.sources(self.survey.zero_point)?, scene.truth))
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

    /// The renderer with the PSF that `truth` names, else with that of stamp `index`.
    fn renderer(&self, truth: &Truth, index: u64) -> Result<&Renderer> {
        let psf = truth.psf.unwrap_or_else(|| scene::psf(&self.survey, self.draws(index)));
        self.renderers.get(psf as usize).ok_or_else(|| {
            Error::Usage(format!(
                "the galaxy of ID {}: PSF = {psf}, but survey '{}' has {}, counted from 0",
                truth.id,
                self.survey.name,
                self.renderers.len()
            ))
        })
    }

    fn render(&self, sources: &[Source], truth: &Truth, index: u64) -> Result<Vec<f64>> {
        Ok(self.renderer(truth, index)?.scene(sources))
    }

    /// Adds the noise of stamp `index` and writes the stamp to `out`.
    fn finish(&self, mut pixels: Vec<f64>, index: u64, out: &mut [f32]) {
        if let Some(noise) = &self.noise {
            noise.add(&mut pixels, self.seed, index);
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

    /// Stamp `index` as [`Simulator::stamp`] makes it, and its light without noise, e/s.
    pub(super) fn stamp_and_light(&self, index: u64) -> Result<(Vec<f32>, Vec<f64>)> {
        let (sources, truth) = self.scene(index)?;
        let light = self.render(&sources, &truth, index)?;
        let mut pixels = vec![0.0; self.pixels()];
        self.finish(light.clone(), index, &mut pixels);
        Ok((pixels, light))
    }

    /// The noise of stamp `index` without any galaxy, and no light, as [`Simulator::stamp_and_light`] has them.
    pub(super) fn blank(&self, index: u64) -> (Vec<f32>, Vec<f64>) {
        let (mut pixels, light) = (vec![0.0; self.pixels()], vec![0.0; self.pixels()]);
        self.finish(light.clone(), index, &mut pixels);
        (pixels, light)
    }

    /// The standard deviation of the noise of a pixel with as much light in it, both e/s.
    pub fn rms(&self, light: f64) -> f64 {
        self.noise.as_ref().map_or(0.0, |noise| noise.rms(light))
    }

    /// The noise, none where it is left out.
    pub(super) fn noise(&self) -> Option<&Noise> {
        self.noise.as_ref()
    }

    /// The PSFs, in the survey's order.
    pub(super) fn psfs(&self) -> &[Psf] {
        &self.psfs
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

/// The survey's noise, with its image where it has one.
fn noise_model(survey: &Survey, parts: &SurveyParts) -> Result<NoiseModel> {
    Ok(match &survey.noise {
        SurveyNoise::None => NoiseModel::None,
        SurveyNoise::White { sigma } => NoiseModel::White { sigma: *sigma },
        SurveyNoise::Correlated { sigma, autocorrelation } => {
            NoiseModel::Correlated { sigma: *sigma, autocorrelation: *autocorrelation }
        }
        SurveyNoise::Image { autocorrelation, .. } => match &parts.sky {
            Some(image) => NoiseModel::Image { image: image.clone(), autocorrelation: *autocorrelation },
            None => {
                let what = format!("survey '{}': its image of blank sky was not read", survey.name);
                return Err(Error::Usage(what));
            }
        },
    })
}

#[cfg(test)]
mod tests;
