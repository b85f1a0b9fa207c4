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
mod tests {
    use super::super::check;
    use super::*;

    const PAPER: Augmentation =
        Augmentation { max_shift: 6.4, whole_pixels: false, flips: true, zoom: [0.7, 1.3] };

    fn one(gpu: &Gpu, height: usize, width: usize, stamp: &[f32], placement: Placement) -> Result<Vec<f32>> {
        gpu.read(&augment(gpu, &gpu.upload(&[1, height, width, 1], stamp)?, &[placement])?)
    }

    #[test]
    fn stamps_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for [batch, height, width] in [[1, 1, 1], [1, 5, 3], [7, 13, 17], [3, 31, 65], [2, 64, 48]] {
                let stamps = check::random(&[batch, height, width, 1], 1, 1.0);
                let placements: Vec<_> = (0..batch as u64).map(|i| PAPER.draw(5, i)).collect();
                let tensor = gpu.upload(&[batch, height, width, 1], &stamps)?;
                let got = gpu.read(&augment(gpu, &tensor, &placements)?)?;
                let reference = stamps
                    .chunks(height * width)
                    .zip(&placements)
                    .flat_map(|(stamp, p)| augment_reference(&check::f64s(stamp), height, width, p));
                check::close("augment", &got, reference);
            }
            Ok(())
        });
    }

    #[test]
    fn nothing_switched_on_makes_an_exact_copy() {
        let placement = Augmentation::default().draw(1, 2);
        assert_eq!(placement, Placement::default());
        check::on_every_gpu(|gpu| {
            let stamp = check::random(&[128 * 127], 1, 1.0);
            assert_eq!(one(gpu, 128, 127, &stamp, placement)?, stamp);
            Ok(())
        });
    }

    #[test]
    fn a_shift_by_whole_pixels_moves_values_unchanged() {
        check::on_every_gpu(|gpu| {
            let (height, width) = (128, 77);
            let stamp = check::random(&[height * width], 1, 1.0);
            let placement = Placement { shift_x: 3.0, shift_y: -2.0, ..Default::default() };
            let got = one(gpu, height, width, &stamp, placement)?;
            for row in 0..height {
                for column in 0..width {
                    let inside = column >= 3 && row + 2 < height;
                    let want = if inside { stamp[(row + 2) * width + column - 3] } else { 0.0 };
                    assert_eq!(got[row * width + column], want, "row {row}, column {column}");
                }
            }
            Ok(())
        });
    }

    #[test]
    fn flips_come_before_the_shift_and_mirror_about_the_centre() {
        check::on_every_gpu(|gpu| {
            let (height, width) = (6, 9);
            let mut stamp = vec![0.0; height * width];
            stamp[width + 2] = 1.0; // row 1, column 2
            let found = |placement| -> Result<(usize, usize)> {
                let got = one(gpu, height, width, &stamp, placement)?;
                let at = got.iter().position(|&v| v == 1.0).expect("the pixel is still there");
                Ok((at / width, at % width))
            };
            let flip_x = Placement { flip_x: true, ..Default::default() };
            assert_eq!(found(flip_x)?, (1, 6));
            assert_eq!(found(Placement { flip_y: true, ..Default::default() })?, (4, 2));
            assert_eq!(found(Placement { shift_x: 2.0, shift_y: 1.0, ..flip_x })?, (2, 8));
            Ok(())
        });
    }

    #[test]
    fn a_zoom_widens_a_galaxy_keeps_its_flux_and_then_shifts_it() {
        check::on_every_gpu(|gpu| {
            let (n, sigma, zoom) = (65, 5.0_f32, 1.3);
            let squared = |i: usize| (i as f32 - 32.0).powi(2);
            let blob: Vec<f32> = (0..n * n)
                .map(|i| (-(squared(i / n) + squared(i % n)) / (2.0 * sigma * sigma)).exp())
                .collect();
            let moments = |image: &[f32]| {
                let mut sums = [0.0_f64; 3];
                for (i, &v) in image.iter().enumerate() {
                    let x = (i % n) as f64 - 32.0;
                    sums =
                        [sums[0] + f64::from(v), sums[1] + f64::from(v) * x, sums[2] + f64::from(v) * x * x];
                }
                let mean = sums[1] / sums[0];
                (sums[0], mean, (sums[2] / sums[0] - mean * mean).sqrt())
            };
            let (flux, _, width) = moments(&blob);
            let got = one(gpu, n, n, &blob, Placement { zoom, shift_x: 1.5, ..Default::default() })?;
            let (zoomed_flux, mean, zoomed_width) = moments(&got);
            assert!((zoomed_flux / flux - 1.0).abs() < 0.01, "flux {flux} became {zoomed_flux}");
            assert!((mean - 1.5).abs() < 0.01, "the shift became {mean}");
            // Bilinear interpolation itself widens the blob a little.
            let widened = zoomed_width / width;
            assert!((widened / f64::from(zoom) - 1.0).abs() < 0.01, "wider by {widened}");
            Ok(())
        });
    }

    #[test]
    fn draws_stay_within_the_recipe_and_fill_it() {
        let draws: Vec<Placement> = (0..4000).map(|i| PAPER.draw(3, i)).collect();
        let within = |low: f32, high: f32, value: fn(&Placement) -> f32| {
            let least = draws.iter().map(value).fold(f32::MAX, f32::min);
            let most = draws.iter().map(value).fold(f32::MIN, f32::max);
            assert!(low <= least && most <= high, "{least} to {most} leaves {low} to {high}");
            assert!(most - least > 0.99 * (high - low), "{least} to {most} does not fill {low} to {high}");
        };
        within(-6.4, 6.4, |p| p.shift_x);
        within(-6.4, 6.4, |p| p.shift_y);
        within(0.7, 1.3, |p| p.zoom);
        // Each of the four combinations of flips a quarter of the time, within five standard errors.
        for (x, y) in [(false, false), (false, true), (true, false), (true, true)] {
            let count = draws.iter().filter(|p| (p.flip_x, p.flip_y) == (x, y)).count() as f64;
            assert!((count - 1000.0).abs() < 5.0 * 750.0_f64.sqrt(), "{count} of 4000 flips {x} {y}");
        }
        assert_eq!(draws[7], PAPER.draw(3, 7));
        assert_ne!(draws[7], PAPER.draw(4, 7));
        assert_eq!(Augmentation { whole_pixels: true, ..PAPER }.draw(3, 7).shift_x, draws[7].shift_x.round());
    }

    #[test]
    fn stamps_and_placements_that_do_not_fit_are_errors() {
        check::on_every_gpu(|gpu| {
            let stamps = gpu.upload(&[1, 2, 2, 1], &[0.0; 4])?;
            let message = |placements: &[Placement], stamps: &Tensor| {
                augment(gpu, stamps, placements).expect_err("does not fit").to_string()
            };
            assert_eq!(message(&[], &stamps), "augment: 0 placements for stamps of shape [1, 2, 2, 1]");
            assert_eq!(
                message(&[Placement::default()], &gpu.upload(&[1, 2, 2], &[0.0; 4])?),
                "augment: the stamps have shape [1, 2, 2], not [B, H, W, 1]"
            );
            let no_zoom = Placement { zoom: 0.0, ..Default::default() };
            assert!(message(&[no_zoom], &stamps).starts_with("augment: placement 0 cannot be carried out"));
            Ok(())
        });
    }
}
