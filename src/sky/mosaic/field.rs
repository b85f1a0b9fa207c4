//! A field of galaxies at random places. Each brings the scene of its stamp, companions and all, on a box that is as
//! large as its light, and the noise covers the whole mosaic without a seam.

use super::super::draws::{Draws, Purpose};
use super::super::noise::Noise;
use super::super::psf::Psf;
use super::super::render::{Light, Renderer};
use super::super::simulate::Simulator;
use super::super::truth::Truth;
use super::Band;
use crate::{Error, Result};
use rand::Rng;
use rayon::prelude::*;

/// Sides of boxes in stamps.
const BOXES: [usize; 4] = [2, 4, 8, 16];
/// The largest box, pixels.
const LARGEST: usize = 4096;
/// Light is followed to this part of the sky's noise in a pixel.
const FAINTEST: f64 = 0.02;

pub(super) struct Field {
    side: usize,
    noise: Option<Noise>,
    /// Those of every PSF.
    boxes: Vec<Vec<Boxes>>,
    /// One a galaxy.
    frames: Vec<Frame>,
}

/// What renders boxes of one size.
struct Boxes {
    renderer: Renderer,
    /// The part of a PSF's light that goes beyond half of it.
    beyond: f64,
}

/// Where a galaxy's box is.
#[derive(Clone, Copy)]
struct Frame {
    /// The first pixel, counted from 0; may lie outside the mosaic.
    corner: (i64, i64),
    /// Pixels along a side.
    size: usize,
}

/// A galaxy's scene, rendered.
struct Lit {
    index: u64,
    frame: Frame,
    light: Vec<f32>,
}

/// Scenes that reach into the bands to come.
#[derive(Default)]
pub(super) struct Waiting(Vec<Lit>);

impl Field {
    pub(super) fn new(simulator: &Simulator, number: u64, side: usize) -> Result<Self> {
        let survey = simulator.survey();
        if survey.noise.image().is_some() {
            return Err(Error::Usage(format!(
                "survey '{}' has its noise from an image, which does not cover a field: use the grid",
                survey.name
            )));
        }
        let sizes = BOXES.map(|stamps| stamps * survey.stamp_size);
        let boxes = |psf: &Psf| {
            let sized = |&size: &usize| {
                let (scale, convention) = (survey.pixel_scale, survey.pixel_convention);
                let within = psf.light_within(&[0.5 * size as f64 * scale]);
                let beyond = within.first().map_or(0.0, |within| (1.0 - within).max(0.0));
                Ok(Boxes { renderer: Renderer::with_pixels(size, scale, psf, convention)?, beyond })
            };
            sizes.iter().filter(|&&size| size <= LARGEST).map(sized).collect::<Result<Vec<_>>>()
        };
        let boxes = simulator.psfs().iter().map(boxes).collect::<Result<_>>()?;
        let noise = simulator.noise().cloned();
        let mut field = Field { side, noise, boxes, frames: Vec::new() };
        field.frames =
            (0..number).into_par_iter().map(|i| field.frame(simulator, i)).collect::<Result<_>>()?;
        Ok(field)
    }

    /// Galaxy `index`, its centre anywhere that has a whole stamp around it.
    pub(super) fn truth(&self, simulator: &Simulator, index: u64) -> Truth {
        let truth = simulator.truth(index);
        let mut numbers = Draws { seed: simulator.seed(), index }.of(Purpose::Place);
        let size = simulator.survey().stamp_size as f64;
        let mut place = || {
            // 32 bits are a thousandth of a pixel of the widest mosaic.
            let unit = (f64::from(numbers.next_u32()) + 0.5) / 4_294_967_296.0;
            0.5 + 0.5 * size + unit * (self.side as f64 - size)
        };
        let (x, y) = (place(), place());
        Truth { x, y, ..truth }
    }

    /// `height` rows from `first` on, counted from 0. Bands are asked for in order: `waiting` keeps the scenes that reach
    /// into later ones.
    pub(super) fn band(
        &self,
        simulator: &Simulator,
        first: usize,
        height: usize,
        waiting: &mut Waiting,
    ) -> Result<Band> {
        // The photons' noise is correlated with that of rows and columns beyond.
        let margin = self.noise.as_ref().map_or(0, Noise::margin);
        let (low, high) = (first as i64 - margin as i64, (first + height + margin) as i64);
        let wide = self.side + 2 * margin;
        // A scene comes in with the first band that it reaches, margin included.
        let before = if first == 0 { i64::MIN } else { (first + margin) as i64 };
        let arriving: Vec<u64> = (0..)
            .zip(&self.frames)
            .filter(|(_, frame)| (before..high).contains(&frame.corner.1))
            .map(|(index, _)| index)
            .collect();
        let lit: Vec<Lit> =
            arriving.into_par_iter().map(|index| self.lit(simulator, index)).collect::<Result<_>>()?;
        waiting.0.extend(lit);
        waiting.0.retain(|scene| scene.frame.corner.1 + scene.frame.size as i64 > low);
        waiting.0.sort_by_key(|scene| scene.index);

        let mut light = vec![0.0; wide * (high - low) as usize];
        light.par_chunks_exact_mut(wide).enumerate().for_each(|(row, out)| {
            let y = low + row as i64;
            for scene in &waiting.0 {
                let Frame { corner, size } = scene.frame;
                let inside = y - corner.1;
                if !(0..size as i64).contains(&inside) {
                    continue;
                }
                let from = &scene.light[inside as usize * size..][..size];
                let start = corner.0 + margin as i64;
                let skipped = (-start).max(0) as usize;
                let to = start.max(0) as usize;
                for (out, value) in out.iter_mut().skip(to).zip(from.iter().skip(skipped)) {
                    *out += f64::from(*value);
                }
            }
        });
        let rows = height.min(self.side - first);
        let inner: Vec<f64> = (0..rows)
            .flat_map(|row| light[(row + margin) * wide + margin..][..self.side].iter().copied())
            .collect();
        let rms = inner.iter().map(|&value| simulator.rms(value) as f32).collect();
        let mut pixels = inner;
        if let Some(noise) = &self.noise {
            noise.add_to_rows(&light, &mut pixels, self.side, first, simulator.seed());
        }
        Ok(Band { pixels: pixels.into_iter().map(|p| p as f32).collect(), rms })
    }

    /// The boxes of a PSF, the smallest first.
    fn boxes(&self, psf: Option<u32>) -> &[Boxes] {
        let number = psf.map_or(0, |psf| psf as usize);
        self.boxes.get(number).map_or(&[], Vec::as_slice)
    }

    /// The box that galaxy `index` needs.
    fn frame(&self, simulator: &Simulator, index: u64) -> Result<Frame> {
        let (sources, stamp) = simulator.scene(index)?;
        let faintest = FAINTEST * simulator.survey().noise.sigma();
        let enough = |sized: &&Boxes| {
            let half = 0.5 * sized.renderer.size() as f64 - 1.0;
            // The light that the PSF scatters beyond, as it is at the edge at most, about.
            let scattered = |flux: f64| flux * sized.beyond / (std::f64::consts::PI * half * half);
            sources.iter().all(|source| {
                let inside = half - (source.x - stamp.x).abs().max((source.y - stamp.y).abs());
                let light = match &source.light {
                    Light::Galaxy(galaxy) => scattered(galaxy.flux) + galaxy.intensity(inside.max(0.0)),
                    Light::Star(flux) => scattered(*flux),
                };
                inside > 0.0 && light <= faintest
            })
        };
        let boxes = self.boxes(stamp.psf);
        let too_large = || Error::Usage("stamps of more than 2048 pixels are too large for a field".into());
        let size = boxes.iter().find(enough).or(boxes.last()).ok_or_else(too_large)?.renderer.size();
        // The galaxy is near its middle.
        let corner = |at: f64| (at - 0.5 * (size as f64 + 1.0)).round() as i64;
        let truth = self.truth(simulator, index);
        Ok(Frame { corner: (corner(truth.x), corner(truth.y)), size })
    }

    /// The light of galaxy `index` and of what belongs to it.
    fn lit(&self, simulator: &Simulator, index: u64) -> Result<Lit> {
        let (mut sources, stamp) = simulator.scene(index)?;
        let (truth, frame) = (self.truth(simulator, index), self.frames[index as usize]);
        let Frame { corner, size } = frame;
        let moved = (truth.x - corner.0 as f64 - stamp.x, truth.y - corner.1 as f64 - stamp.y);
        for source in &mut sources {
            source.x += moved.0;
            source.y += moved.1;
        }
        let sized = self.boxes(stamp.psf).iter().find(|sized| sized.renderer.size() == size);
        let light = sized.map_or_else(Vec::new, |sized| sized.renderer.scene(&sources));
        Ok(Lit { index, frame, light: light.into_iter().map(|value| value as f32).collect() })
    }
}
