//! An image of any size as a network's square stamp: cut around the object, resampled or padded, without bad
//! pixels, and with flags for what was done.

use super::background::{Background, background, median};
use super::fill::{REACH, blank_areas, fill};
use super::flags::Flags;
use super::header::Header;
use super::image::Image;
use super::layers::{Layers, Window};
use super::resample::{Resampler, reach};
use crate::Result;
use frame::Frame;

mod frame;

/// Below this signal-to-noise ratio [`Flags::LOW_SNR`] is set.
pub const LOW_SNR: f64 = 5.0;
/// Pixel scales as close as this, relative to each other, are the same.
pub const SAME_SCALE: f64 = 0.01;
/// The brightest peak is looked for within this part of the image's smaller side from its centre.
const SEARCH: f64 = 0.15;
/// Images whose pixels are smaller or larger than the stamp's by more than this are not resampled.
const EXTREME: f64 = 16.0;

/// A stamp ready for a network.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// `size`² pixels, row-major, y up, in the image's unit; all finite.
    pub pixels: Vec<f32>,
    /// Standard deviation of the noise of each, where the image has a map of it.
    pub rms: Option<Vec<f32>>,
    /// Which pixels hold no data, but what was filled in.
    pub filled: Vec<bool>,
    /// What was done to it.
    pub flags: Flags,
    /// The object's centre as it was given or found, FITS pixels of the image.
    pub x: f64,
    /// As `x`.
    pub y: f64,
    /// That centre in FITS pixels of the stamp.
    pub centre: (f64, f64),
    /// Pixels of the image along one of the stamp: 1 unless it was resampled.
    pub ratio: f64,
    /// FITS pixel of the image (x, y) that is the stamp's first, or in which the first one's centre lies; below 1 where
    /// it is padded.
    pub corner: (i64, i64),
    /// The sky: level and noise of a pixel of the stamp.
    pub sky: Background,
    /// The greatest signal-to-noise ratio of the light within a circle around the centre, over its radius:
    /// Σ (p − sky) / (σ √N). NaN where the noise is not known.
    pub snr: f64,
}

impl Stamp {
    /// FITS pixels of the image of a place in FITS pixels of the stamp.
    pub fn to_image(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x + (x - self.centre.0) * self.ratio, self.y + (y - self.centre.1) * self.ratio)
    }
}

/// How stamps are cut.
///
/// What lies beyond the image is white noise of the sky's σ around zero, or zero where the border is no sky
/// ([`Flags::SKY_LEVEL`]). Bad pixels (blank, not finite, masked or of
/// no weight) get the median of the good ones within 2, else 5 pixels, else noise. A stamp without one good pixel, or
/// around a position beyond the image, is zero and has [`Flags::NO_DATA`].
///
/// Where the image's pixels are of another size than the stamp's, the stamp is resampled with flux conserved and the
/// object's centre in its middle, and has [`Flags::RESAMPLED`]. Neither size is known or they differ by more than a factor
/// of 16: it is cut as it is and has [`Flags::PIXEL_SCALE`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cutter {
    /// Pixels along a side of the stamps.
    pub size: usize,
    /// Pixel scale of the stamps, arcsec: the networks'. `None` leaves that of the images, whatever it is.
    pub pixel_scale: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'.
    pub image_scale: Option<f64>,
    /// Pixels at or above this, in the image's unit, are saturated, in place of the header's `SATURATE`.
    pub saturation: Option<f64>,
    /// Seed of the noise that stands where there are no data.
    pub seed: u64,
}

/// The stamp of `size`² pixels of an image, in the image's own pixels, as [`Cutter::from_image`] makes it.
pub fn cut(image: &Image, size: usize, centre: Option<(f64, f64)>) -> Stamp {
    Cutter::new(size).from_image(image, centre, 0)
}

impl Cutter {
    /// Stamps of `size`² pixels, in the images' own pixels.
    pub fn new(size: usize) -> Self {
        Cutter { size, pixel_scale: None, image_scale: None, saturation: None, seed: 0 }
    }

    /// The stamp of an image, around `centre` (FITS pixels) or, where none is given: the stamp as it is where the image
    /// has that very size; else around the brightest 3×3 pixels within 15% of the image's smaller side from its middle,
    /// if they stand out by 3 σ, else around its middle. The sky is that of the image's border. `index` tells apart the
    /// noise of two objects.
    pub fn from_image(&self, image: &Image, centre: Option<(f64, f64)>, index: u64) -> Stamp {
        let sky = background(&image.pixels, image.width);
        let middle = (0.5 * (image.width as f64 + 1.0), 0.5 * (image.height as f64 + 1.0));
        let fits_exactly = (image.width, image.height) == (self.size, self.size);
        let centre = match centre {
            Some((x, y)) if x.is_finite() && y.is_finite() => (x, y),
            _ if fits_exactly => middle,
            _ => peak(image, middle, sky).unwrap_or(middle),
        };
        let frame = self.frame(&image.header, centre);
        let window = Window::of(image, frame.corner, frame.side);
        self.finish(&frame, window, &image.header, Some(sky), index)
    }

    /// The stamp of an object of a mosaic, around its `centre` in FITS pixels. The sky is that of the border of what is
    /// cut out; its σ is the median of the map of the noise where there is one. `index` is the object's number, the same
    /// in whatever part of a catalogue and order it is measured.
    ///
    /// # Errors
    /// As [`Mosaic::window`](super::Mosaic::window). A position beyond the image is none: the stamp is flagged.
    pub fn from_mosaic(&self, layers: &mut Layers, centre: (f64, f64), index: u64) -> Result<Stamp> {
        let header = layers.image().header().clone();
        let frame = self.frame(&header, centre);
        let window = layers.window(frame.corner.0, frame.corner.1, frame.side, frame.side)?;
        Ok(self.finish(&frame, window, &header, None, index))
    }

    /// Where an image is to be cut for a stamp around `centre`.
    fn frame(&self, header: &Header, centre: (f64, f64)) -> Frame {
        let scale = self.image_scale.or(header.pixel_scale);
        let ratio = self.pixel_scale.zip(scale).map(|(stamps, images)| stamps / images);
        let same = ratio.is_some_and(|ratio| (ratio - 1.0).abs() <= SAME_SCALE);
        let other = ratio.filter(|ratio| !same && (1.0 / EXTREME..=EXTREME).contains(ratio));
        let half = 0.5 * (self.size as f64 + 1.0);
        // Far outside there are no pixels, and what is no number is there too.
        let far = |v: f64| if v.is_finite() { v.clamp(-1e12, 1e12) } else { 1e12 };
        let (x, y) = (far(centre.0), far(centre.1));
        let (first, shown, margin) = match other {
            // The first pixel such that the object is within half a pixel of the stamp's centre.
            None => ((1 + (x - half).round() as i64, 1 + (y - half).round() as i64), self.size, REACH),
            Some(ratio) => {
                let radius = ratio * (half - 1.0);
                let first = ((x - radius).round() as i64, (y - radius).round() as i64);
                (first, (2.0 * radius).ceil() as usize + 1, REACH + reach(ratio))
            }
        };
        let corner = (first.0 - margin, first.1 - margin);
        let unknown_scale = self.pixel_scale.is_some() && !same && other.is_none();
        let side = shown + 2 * margin as usize;
        Frame { centre, ratio: other, unknown_scale, first, shown, corner, side }
    }

    /// Fills, resamples and flags what was cut out.
    fn finish(
        &self,
        frame: &Frame,
        mut window: Window,
        header: &Header,
        sky: Option<Background>,
        index: u64,
    ) -> Stamp {
        let size = self.size;
        blank_areas(&mut window.pixels, window.width);
        let mut sky = sky.unwrap_or_else(|| background(&window.pixels, window.width));
        if let Some(sigma) = window.rms.as_deref().and_then(typical) {
            sky.sigma = sigma;
        }
        let saturation = self.saturation.or(header.saturation).unwrap_or(f64::INFINITY);
        let (flags, good) = frame.flags(&window, saturation);
        let middle = 0.5 * (size as f64 + 1.0);
        let (x, y) = frame.centre;
        let mut stamp = Stamp {
            pixels: vec![0.0; size * size],
            rms: None,
            filled: vec![true; size * size],
            flags,
            x,
            y,
            centre: (middle, middle),
            ratio: frame.ratio.unwrap_or(1.0),
            corner: frame.first,
            sky,
            snr: f64::NAN,
        };
        if frame.ratio.is_none() {
            stamp.centre = (x - frame.first.0 as f64 + 1.0, y - frame.first.1 as f64 + 1.0);
        }
        stamp.flags.set(Flags::SKY_LEVEL, sky.level.abs() > sky.sigma && sky.sigma > 0.0);
        if good == 0 || stamp.flags.contains(Flags::OFF_IMAGE) {
            stamp.flags |= Flags::NO_DATA;
            return stamp;
        }
        let filled = fill(&mut window, sky, self.seed, index);
        match frame.ratio {
            None => crop(&mut stamp, &window, &filled, size),
            Some(ratio) => {
                let first = (x - ratio * (middle - 1.0), y - ratio * (middle - 1.0));
                let resampler = Resampler::new(&window, first, ratio, size);
                stamp.pixels = resampler.pixels(&window.pixels);
                stamp.rms = window.rms.as_deref().map(|rms| resampler.rms(rms));
                stamp.filled = resampler.touched(&filled);
                stamp.sky = background(&stamp.pixels, size);
                if let Some(sigma) = stamp.rms.as_deref().and_then(typical) {
                    stamp.sky.sigma = sigma;
                }
            }
        }
        let place = (stamp.centre.0 - 1.0, stamp.centre.1 - 1.0);
        stamp.snr = signal_to_noise(&stamp.pixels, size, place, stamp.sky);
        stamp.flags.set(Flags::LOW_SNR, stamp.snr < LOW_SNR);
        stamp
    }
}

/// Takes a stamp out of the middle of a window.
fn crop(stamp: &mut Stamp, window: &Window, filled: &[bool], size: usize) {
    fn middle<T: Copy>(values: &[T], window: &Window, size: usize) -> Vec<T> {
        let margin = (window.width - size) / 2;
        let row = |y: usize| &values[(y + margin) * window.width + margin..][..size];
        (0..size).flat_map(row).copied().collect()
    }
    stamp.pixels = middle(&window.pixels, window, size);
    stamp.filled = middle(filled, window, size);
    stamp.rms = window.rms.as_deref().map(|rms| middle(rms, window, size));
}

/// The median of what is finite.
fn typical(values: &[f32]) -> Option<f64> {
    median(&mut values.iter().filter(|v| v.is_finite()).map(|&v| f64::from(v)).collect::<Vec<_>>())
}

/// The mean of the 3×3 pixels at each place near the middle; the brightest place, FITS pixels.
fn peak(image: &Image, middle: (f64, f64), sky: Background) -> Option<(f64, f64)> {
    let radius = (SEARCH * image.width.min(image.height) as f64).max(2.0);
    let mut best: Option<(f64, f64, f64)> = None;
    for y in 1..image.height.saturating_sub(1) {
        for x in 1..image.width.saturating_sub(1) {
            let place = (x as f64 + 1.0, y as f64 + 1.0);
            if (place.0 - middle.0).hypot(place.1 - middle.1) > radius {
                continue;
            }
            let around = (0..9).map(|k| image.pixels[(y + k / 3 - 1) * image.width + x + k % 3 - 1]);
            let (sum, n) =
                around.filter(|p| p.is_finite()).fold((0.0, 0), |(sum, n), p| (sum + f64::from(p), n + 1));
            if n >= 5 && best.is_none_or(|(value, ..)| sum / f64::from(n) > value) {
                best = Some((sum / f64::from(n), place.0, place.1));
            }
        }
    }
    // The mean of nine pixels has a third of a pixel's noise.
    best.filter(|(value, ..)| value - sky.level > sky.sigma).map(|(_, x, y)| (x, y))
}

/// See [`Stamp::snr`]; `centre` in 0-based pixels.
fn signal_to_noise(pixels: &[f32], size: usize, centre: (f64, f64), sky: Background) -> f64 {
    if sky.sigma.is_nan() || sky.sigma <= 0.0 {
        return f64::NAN;
    }
    // Light and pixels in rings of one pixel, then summed outwards.
    let mut rings = vec![(0.0, 0usize); size / 2];
    for (i, &p) in pixels.iter().enumerate() {
        let r = ((i % size) as f64 - centre.0).hypot((i / size) as f64 - centre.1);
        if let Some(ring) = rings.get_mut(r as usize) {
            ring.0 += f64::from(p) - sky.level;
            ring.1 += 1;
        }
    }
    let (mut light, mut n, mut best) = (0.0, 0, f64::NEG_INFINITY);
    for (sum, count) in rings {
        light += sum;
        n += count;
        if n > 0 {
            best = best.max(light / (sky.sigma * (n as f64).sqrt()));
        }
    }
    if best.is_finite() { best } else { f64::NAN }
}

#[cfg(test)]
mod tests;
