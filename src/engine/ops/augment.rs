//! Augmentation: each training stamp flipped, zoomed and shifted at random. On data only, so there
//! is no gradient.
//!
//! A stamp is first flipped about its centre, then enlarged by the zoom about its centre, then moved
//! by the shift: with p a pixel of the result as (column, row), c the stamp's centre and F = ±1 along
//! each axis,
//!
//! out(p) = in(c + F·(p − c − shift)/zoom) / zoom²
//!
//! by bilinear interpolation, with zeros outside. The division by zoom² conserves the total flux:
//! the magnitude stays as it was while radii grow by the zoom; axis ratio and Sérsic index do not
//! change. A flip along one axis mirrors the position angle.

use crate::engine::gpu::Source;
use crate::engine::{Gpu, Tensor};
use crate::rng::{self, Stream};
use crate::{Error, Result};

static AUGMENT: Source =
    Source { name: "augment", parts: &[include_str!("../../../shaders/augment.wgsl")], in_bounds: true };

pub(super) const KERNELS: &[&Source] = &[&AUGMENT];

/// What is varied, and how far. The default varies nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// Shifts along x and along y are uniform in ± this many pixels.
    pub max_shift: f32,
    /// Rounds shifts to whole pixels, which leaves noise and PSF as they are where there is no zoom.
    pub whole_pixels: bool,
    /// Mirrors along x and along y, each with probability ½.
    pub flips: bool,
    /// The zoom is uniform between these two; above 1 a galaxy becomes larger.
    pub zoom: [f32; 2],
}

impl Default for Augmentation {
    fn default() -> Self {
        Augmentation { max_shift: 0.0, whole_pixels: false, flips: false, zoom: [1.0, 1.0] }
    }
}

/// What happens to one stamp. The default is nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Towards larger columns, in pixels.
    pub shift_x: f32,
    /// Towards larger rows, in pixels.
    pub shift_y: f32,
    /// Whether columns are reversed.
    pub flip_x: bool,
    /// Whether rows are reversed.
    pub flip_y: bool,
    /// Radii of the result over radii of the input; the target of a radius follows.
    pub zoom: f32,
}

impl Default for Placement {
    fn default() -> Self {
        Placement { shift_x: 0.0, shift_y: 0.0, flip_x: false, flip_y: false, zoom: 1.0 }
    }
}

impl Augmentation {
    /// The placement number `number` of the run with this seed: a pure function of both, from the
    /// four words of one Philox block (shift x, shift y, zoom, and the flips from two bits).
    pub fn draw(&self, seed: u64, number: u64) -> Placement {
        let counter = [number as u32, (number >> 32) as u32, 0, Stream::Augmentation as u32];
        let words = rng::philox(counter, rng::key(seed));
        let shift = |word| {
            let shift = self.max_shift * (2.0 * rng::unit_f32(word) - 1.0);
            if self.whole_pixels { shift.round() } else { shift }
        };
        Placement {
            shift_x: shift(words[0]),
            shift_y: shift(words[1]),
            flip_x: self.flips && words[3] >> 31 == 1,
            flip_y: self.flips && words[3] >> 30 & 1 == 1,
            zoom: self.zoom[0] + rng::unit_f32(words[2]) * (self.zoom[1] - self.zoom[0]),
        }
    }
}

impl Placement {
    fn is_possible(&self) -> bool {
        self.shift_x.is_finite() && self.shift_y.is_finite() && self.zoom.is_finite() && self.zoom > 0.0
    }

    /// Shift and scale from a pixel of the result to the input, and the factor of its value.
    fn numbers(&self) -> [f32; 5] {
        let scale = |flip| if flip { -1.0 / self.zoom } else { 1.0 / self.zoom };
        let factor = 1.0 / (self.zoom * self.zoom);
        [self.shift_x, self.shift_y, scale(self.flip_x), scale(self.flip_y), factor]
    }
}

/// Stamps \[B, H, W, 1\], each flipped, zoomed and shifted as the placement of the same number says;
/// of the same shape. A placement that changes nothing makes an exact copy, and one with a shift by
/// whole pixels moves values without changing them.
///
/// # Errors
/// Another shape, another number of placements, or a placement that is not finite or has no zoom.
pub fn augment(gpu: &Gpu, stamps: &Tensor, placements: &[Placement]) -> Result<Tensor> {
    let &[batch, height, width, 1] = stamps.shape() else {
        let message = format!("the stamps have shape {:?}, not [B, H, W, 1]", stamps.shape());
        return Err(Error::shape("augment", message));
    };
    if placements.len() != batch {
        let message = format!("{} placements for stamps of shape {:?}", placements.len(), stamps.shape());
        return Err(Error::shape("augment", message));
    }
    if let Some((i, bad)) = placements.iter().enumerate().find(|(_, p)| !p.is_possible()) {
        return Err(Error::shape("augment", format!("placement {i} cannot be carried out: {bad:?}")));
    }
    let numbers: Vec<f32> = placements.iter().flat_map(Placement::numbers).collect();
    let numbers = gpu.upload(&[batch, 5], &numbers)?;
    let out = gpu.tensor(stamps.shape())?;
    let groups = [width.div_ceil(64) as u32, height as u32, batch as u32];
    gpu.launch(&AUGMENT, &[], &[stamps, &numbers, &out], &[height as u32, width as u32], groups)?;
    Ok(out)
}

/// The f64 reference of [`augment`] for one stamp.
pub fn augment_reference(stamp: &[f64], height: usize, width: usize, placement: &Placement) -> Vec<f64> {
    let pixel = |row: f64, column: f64| {
        let inside = row >= 0.0 && column >= 0.0 && row < height as f64 && column < width as f64;
        if inside { stamp[row as usize * width + column as usize] } else { 0.0 }
    };
    let zoom = f64::from(placement.zoom);
    let back = |at: usize, length: usize, shift: f32, flip: bool| {
        let centre = (length - 1) as f64 / 2.0;
        let away = (at as f64 - centre - f64::from(shift)) / zoom;
        centre + if flip { -away } else { away }
    };
    let mut out = Vec::with_capacity(stamp.len());
    for row in 0..height {
        for column in 0..width {
            let y = back(row, height, placement.shift_y, placement.flip_y);
            let x = back(column, width, placement.shift_x, placement.flip_x);
            let (v, u) = (y - y.floor(), x - x.floor());
            let upper = (1.0 - u) * pixel(y.floor(), x.floor()) + u * pixel(y.floor(), x.floor() + 1.0);
            let lower =
                (1.0 - u) * pixel(y.floor() + 1.0, x.floor()) + u * pixel(y.floor() + 1.0, x.floor() + 1.0);
            out.push(((1.0 - v) * upper + v * lower) / (zoom * zoom));
        }
    }
    out
}

#[cfg(test)]
mod tests;
