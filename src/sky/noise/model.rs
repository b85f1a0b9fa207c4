//! What noise a survey's stamps have, and adding it.

use super::autocorrelation::Kernel;
use super::blank::{Cutouts, SkyImage};
use super::filter::Filter;
use super::normal::normal_pair;
use super::poisson::{LANES, MANY, expanded, inverted};
use crate::rng::{Stream, fill};
use crate::sky::draws::{Purpose, first_block};
use crate::sky::survey::NoiseCorrelation;
use crate::{Error, Result};
use rayon::prelude::*;

/// The noise of a survey's images, as it is described.
#[derive(Clone, Debug)]
pub enum NoiseModel {
    /// No noise at all, not even that of the source's photons.
    None,
    /// Independent in every pixel: Gaussian of the sky, Poisson of the source.
    White {
        /// Standard deviation of the sky's noise in a pixel, e/s; zero leaves the source's.
        sigma: f64,
    },
    /// Correlated between pixels, as drizzling leaves it, the sky's and the source's alike.
    Correlated {
        /// Standard deviation of the sky's noise in a pixel as measured on the image, e/s.
        sigma: f64,
        /// Correlation coefficients between pixels.
        autocorrelation: NoiseCorrelation,
    },
    /// The sky's noise cut out of an image of blank sky at random places.
    Image {
        /// The image, e/s.
        image: SkyImage,
        /// How the source's photon noise is correlated; independent in every pixel where absent.
        autocorrelation: Option<NoiseCorrelation>,
    },
}

/// The noise of a survey, ready to be added to noiseless stamps. Shared between threads.
///
/// The source's photons are counted over the exposure, and the counts' deviations from their mean are correlated by
/// the kernel that correlates the sky, but scaled to Σ K = 1 rather than Σ K² = 1: drizzling spreads electrons over
/// pixels and makes none. So the light within an aperture much larger than the kernel, F, has the variance
/// F / exposure, as photons must; a single pixel's variance is smaller than that by Σ ρ, the sum of the
/// autocorrelation (5.7 for the drizzled default). Where noise is white the two are the same.
#[derive(Clone, Debug)]
pub struct Noise {
    size: usize,
    sigma: f64,
    exposure: f64,
    filter: Option<Filter>,
    /// What a photon's deviation is multiplied by before it is filtered.
    spread: f64,
    cutouts: Option<Cutouts>,
}

/// What a photon's deviation is multiplied by before a kernel filters it. Noise that is weaker over large areas than
/// white noise is none that photons leave; theirs then has the right variance in a pixel.
fn spread(kernel: &Kernel) -> f64 {
    1.0 / kernel.sum().max(1.0)
}

/// Blocks of random words of which [`LANES`] numbers are made.
const BLOCKS_PER_CHUNK: u64 = LANES as u64 / 4;

impl Noise {
    /// Noise for stamps of `size`² pixels, with the photon noise of an exposure of `exposure` seconds (of none where
    /// that is infinite).
    ///
    /// # Errors
    /// [`Error::Usage`] for no pixels, a negative or not finite sigma, an exposure that is not positive, an autocorrelation that
    /// no noise can have, and an image of blank sky that has no place for a stamp.
    pub fn new(model: &NoiseModel, exposure: f64, size: usize) -> Result<Self> {
        if size == 0 {
            return Err(Error::Usage("noise: a stamp needs pixels".to_owned()));
        }
        if exposure.is_nan() || exposure <= 0.0 {
            return Err(Error::Usage(format!("noise: the exposure must be positive, not {exposure} s")));
        }
        let mut noise = Noise { size, sigma: 0.0, exposure, filter: None, spread: 1.0, cutouts: None };
        let autocorrelation = match model {
            NoiseModel::None => {
                noise.exposure = f64::INFINITY;
                None
            }
            NoiseModel::White { sigma } => {
                noise.sigma = *sigma;
                None
            }
            NoiseModel::Correlated { sigma, autocorrelation } => {
                noise.sigma = *sigma;
                Some(autocorrelation)
            }
            NoiseModel::Image { image, autocorrelation } => {
                noise.cutouts = Some(image.cutouts(size)?);
                autocorrelation.as_ref()
            }
        };
        if !(noise.sigma.is_finite() && noise.sigma >= 0.0) {
            return Err(Error::Usage(format!(
                "noise: sigma = {} must not be negative (e/s per pixel)",
                noise.sigma
            )));
        }
        if let Some(wanted) = autocorrelation {
            let kernel = Kernel::new(wanted)?;
            noise.spread = spread(&kernel);
            noise.filter = Some(kernel.filter());
        }
        Ok(noise)
    }

    /// Standard deviation of the sky's noise in a pixel, e/s.
    pub fn sigma(&self) -> f64 {
        self.cutouts.as_ref().map_or(self.sigma, Cutouts::sigma)
    }

    /// How many pixels beyond an image its noise depends on.
    pub(in crate::sky) fn margin(&self) -> usize {
        self.filter.as_ref().map_or(0, Filter::margin)
    }

    /// The standard deviation of the noise of a pixel with as much light in it, both e/s.
    pub(in crate::sky) fn rms(&self, light: f64) -> f64 {
        (self.sigma().powi(2) + light.max(0.0) * self.spread * self.spread / self.exposure).sqrt()
    }

    /// Adds noise to rows of a mosaic that is `width` pixels wide, `first` being the first of them, counted from 0: a pure
    /// function of the seed and the pixels' places, whichever rows are asked for together. `light` is the noiseless image
    /// with [`Noise::margin`] rows and columns more on every side. Noise cut out of an image is none of it.
    pub(in crate::sky) fn add_to_rows(
        &self,
        light: &[f64],
        pixels: &mut [f64],
        width: usize,
        first: usize,
        seed: u64,
    ) {
        let margin = self.margin();
        let wide = width + 2 * margin;
        let mut white = vec![0.0; light.len()];
        white.par_chunks_exact_mut(wide).zip(light.par_chunks_exact(wide)).enumerate().for_each(
            |(row, (out, light))| {
                let block = first_block((first + row) as u64);
                let mut noise = vec![0.0; wide.next_multiple_of(LANES)];
                if self.sigma > 0.0 {
                    add_normals(&mut noise, self.sigma as f32, seed, block);
                }
                if self.exposure.is_finite() {
                    let mut means = vec![0.0; noise.len()];
                    for (mean, &rate) in means.iter_mut().zip(light) {
                        *mean = expected(rate, self.exposure);
                    }
                    add_deviations(&mut noise, &means, (self.spread / self.exposure) as f32, seed, block);
                }
                out.copy_from_slice(&noise[..wide]);
            },
        );
        match &self.filter {
            Some(filter) => filter.add(&white, pixels, width),
            None => pixels.iter_mut().zip(&white).for_each(|(pixel, &noise)| *pixel += f64::from(noise)),
        }
    }

    /// Variance of a pixel, (e/s)², for each e/s of light in it, which its photons give it in an exposure of `exposure`
    /// seconds: less where noise is correlated, as said above.
    ///
    /// # Errors
    /// [`Error::Usage`] for an autocorrelation that no noise can have.
    pub fn variance_per_light(autocorrelation: Option<&NoiseCorrelation>, exposure: f64) -> Result<f64> {
        let kernel = autocorrelation.map(Kernel::new).transpose()?;
        Ok(kernel.map_or(1.0, |kernel| spread(&kernel)).powi(2) / exposure)
    }

    /// Adds the noise of stamp `index` of a seed to a noiseless stamp of `size`² pixels in e/s: a pure function of
    /// the three, the same on every processor.
    ///
    /// # Panics
    /// For a stamp of another size.
    pub fn add(&self, stamp: &mut [f64], seed: u64, index: u64) {
        assert_eq!(stamp.len(), self.size * self.size, "noise for stamps of {} pixels a side", self.size);
        let block = first_block(index);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            unsafe { self.add_with_avx2(stamp, seed, block) };
            return;
        }
        self.add_here(stamp, seed, block);
    }

    /// [`Noise::add_here`] compiled for AVX2: the same operations, number by number (Rust never contracts a product
    /// and a sum to one), and so the same noise, but eight at a time.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn add_with_avx2(&self, stamp: &mut [f64], seed: u64, block: u64) {
        self.add_here(stamp, seed, block);
    }

    /// As [`Noise::add`], for whatever processor the program is built.
    #[cfg(test)]
    pub(super) fn add_narrow(&self, stamp: &mut [f64], seed: u64, index: u64) {
        self.add_here(stamp, seed, first_block(index));
    }

    #[inline(always)]
    fn add_here(&self, stamp: &mut [f64], seed: u64, block: u64) {
        // White noise on a frame wider than the stamp by the kernel, so that the stamp's edges are like its middle.
        let margin = self.filter.as_ref().map_or(0, Filter::margin);
        let side = self.size + 2 * margin;
        if self.sigma > 0.0 || self.exposure.is_finite() {
            let mut white = vec![0.0; (side * side).next_multiple_of(LANES)];
            if self.sigma > 0.0 {
                add_normals(&mut white, self.sigma as f32, seed, block);
            }
            if self.exposure.is_finite() {
                self.add_photons(&mut white, stamp, margin, seed, block);
            }
            match &self.filter {
                Some(filter) => filter.add(&white[..side * side], stamp, self.size),
                None => stamp.iter_mut().zip(&white).for_each(|(pixel, &noise)| *pixel += f64::from(noise)),
            }
        }
        if let Some(cutouts) = &self.cutouts {
            cutouts.add(stamp, seed, block);
        }
    }

    /// Adds the deviations of the source's electrons from their mean, in e/s. The photons beyond the stamp are those
    /// of its edge.
    #[inline(always)]
    fn add_photons(&self, white: &mut [f32], stamp: &[f64], margin: usize, seed: u64, block: u64) {
        let side = self.size + 2 * margin;
        let inside = |i: usize| i.saturating_sub(margin).min(self.size - 1);
        let mut means = vec![0.0; white.len()];
        for (y, row) in means.chunks_exact_mut(side).take(side).enumerate() {
            let rates = &stamp[inside(y) * self.size..][..self.size];
            let mean = |rate: f64| expected(rate, self.exposure);
            let (left, rest) = row.split_at_mut(margin);
            let (middle, right) = rest.split_at_mut(self.size);
            left.fill(mean(rates[0]));
            right.fill(mean(rates[self.size - 1]));
            for (value, &rate) in middle.iter_mut().zip(rates) {
                *value = mean(rate);
            }
        }
        add_deviations(white, &means, (self.spread / self.exposure) as f32, seed, block);
    }
}

/// Adds the deviations of Poisson counts from their `means`, times `scale`.
#[inline(always)]
fn add_deviations(white: &mut [f32], means: &[f32], scale: f32, seed: u64, block: u64) {
    let chunks = means.as_chunks::<LANES>().0.iter().zip(white.as_chunks_mut::<LANES>().0);
    for (number, (means, white)) in chunks.enumerate() {
        let block = block.wrapping_add(number as u64 * BLOCKS_PER_CHUNK);
        let (mut any, mut many, mut few) = (false, false, false);
        for &mean in means {
            any |= mean > 0.0;
            many |= mean >= MANY;
            few |= mean < MANY;
        }
        if any && few {
            let (mut words, mut deviations) = ([0; LANES], [0.0; LANES]);
            fill(seed, Stream::Simulation, Purpose::FewPhotons as u32, block, &mut words);
            let mut small = *means;
            small.iter_mut().for_each(|mean| *mean = if *mean < MANY { *mean } else { 0.0 });
            inverted(&small, &words, &mut deviations);
            white.iter_mut().zip(&deviations).for_each(|(white, deviation)| *white += scale * deviation);
        }
        if many {
            let mut z = [0.0; LANES];
            normals(&mut z, seed, Purpose::ManyPhotons, block);
            for i in 0..LANES {
                let deviation = expanded(means[i], z[i]);
                white[i] += scale * if means[i] >= MANY { deviation } else { 0.0 };
            }
        }
    }
}

/// How many electrons are expected of a rate, e/s; zero of what is no number, too.
#[inline(always)]
fn expected(rate: f64, exposure: f64) -> f32 {
    let mean = (rate * exposure) as f32;
    if mean > 0.0 && mean < 1e30 { mean } else { 0.0 }
}

/// Adds normal deviates of standard deviation `sigma`, one a pixel.
#[inline(always)]
fn add_normals(white: &mut [f32], sigma: f32, seed: u64, block: u64) {
    for (number, out) in white.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut z = [0.0; LANES];
        normals(&mut z, seed, Purpose::Sky, block.wrapping_add(number as u64 * BLOCKS_PER_CHUNK));
        for i in 0..LANES {
            out[i] += sigma * z[i];
        }
    }
}

/// As many standard normal deviates as words, from `block` on: of word i and the one half of them later.
#[inline(always)]
fn normals(z: &mut [f32; LANES], seed: u64, purpose: Purpose, block: u64) {
    let mut words = [0; LANES];
    fill(seed, Stream::Simulation, purpose as u32, block, &mut words);
    for i in 0..LANES / 2 {
        (z[i], z[i + LANES / 2]) = normal_pair(words[i], words[i + LANES / 2]);
    }
}
