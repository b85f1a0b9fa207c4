//! What stands in for pixels that are not there: the median of good neighbours, else noise.

use super::background::{Background, median};
use super::layers::Window;
use crate::rng::{Philox, Stream, normal_pair};
use rand::Rng;

/// Rows and columns around a bad pixel in which good ones are looked for, at most.
pub(super) const REACH: i64 = 5;
/// Blocks of random numbers an object has to itself.
const BLOCKS: u64 = 1 << 20;

/// Gives every pixel of a window that is NaN a value: one on the image that of the median of the good pixels within 2,
/// else 5 rows and columns; one without such, and one beyond the image, white noise of the sky's σ around zero, a function
/// of `seed` and the object's `index` alone. Where the border is no sky, its level being above its noise, its σ is none of
/// the sky's either: those are zero then. Returns which pixels were filled.
pub(super) fn fill(window: &mut Window, sky: Background, seed: u64, index: u64) -> Vec<bool> {
    let filled: Vec<bool> = window.pixels.iter().map(|p| p.is_nan()).collect();
    if !filled.contains(&true) {
        return filled;
    }
    let medians: Vec<(usize, f32)> = (0..filled.len())
        .filter(|&i| filled[i] && window.is_inside(i))
        .filter_map(|i| Some((i, neighbours(window, i, 2).or_else(|| neighbours(window, i, REACH))?)))
        .collect();
    for (i, value) in medians {
        window.pixels[i] = value;
    }
    let sigma = if sky.sigma.is_finite() { sky.sigma as f32 } else { 0.0 };
    let noise_sigma = if sky.level.abs() > sky.sigma { 0.0 } else { sigma };
    let mut numbers = Philox::new(seed, Stream::Padding, 0, index.wrapping_mul(BLOCKS));
    for pair in window.pixels.chunks_mut(2) {
        // Drawn for every pixel, so that one's noise does not depend on which others are bad.
        let noise = normal_pair(numbers.next_u32(), numbers.next_u32());
        for (pixel, noise) in pair.iter_mut().zip(noise) {
            if pixel.is_nan() {
                *pixel = noise_sigma * noise;
            }
        }
    }
    if let Some(rms) = &mut window.rms {
        rms.iter_mut().filter(|s| s.is_nan()).for_each(|s| *s = sigma);
    }
    filled
}

/// Makes NaN of areas without data that an image has as zeros: of every pixel of 3×3 that all are exactly zero, which
/// noise never makes. `width` columns, row-major.
pub fn blank_areas(pixels: &mut [f32], width: usize) {
    let height = pixels.len().checked_div(width).unwrap_or(0);
    let around = |i: usize| (0..9).map(move |k| i + (k / 3) * width + k % 3);
    let corners =
        (0..height.saturating_sub(2)).flat_map(|y| (0..width.saturating_sub(2)).map(move |x| y * width + x));
    let empty: Vec<usize> = corners.filter(|&i| around(i).all(|j| pixels[j] == 0.0)).collect();
    empty.into_iter().flat_map(around).for_each(|i| pixels[i] = f32::NAN);
}

/// The median of the good pixels within `reach` rows and columns of a pixel.
fn neighbours(window: &Window, index: usize, reach: i64) -> Option<f32> {
    let (column, row) = ((index % window.width) as i64, (index / window.width) as i64);
    let mut values = Vec::new();
    for y in (row - reach).max(0)..=(row + reach).min(window.height as i64 - 1) {
        for x in (column - reach).max(0)..=(column + reach).min(window.width as i64 - 1) {
            let value = window.pixels[y as usize * window.width + x as usize];
            if value.is_finite() {
                values.push(f64::from(value));
            }
        }
    }
    median(&mut values).map(|v| v as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_zeros_have_no_data_and_a_zero_among_numbers_has() {
        // Five rows of seven: zeros in the right three columns, and one alone.
        let mut pixels: Vec<f32> = (0..35).map(|i| if i % 7 > 3 { 0.0 } else { 1.0 + i as f32 }).collect();
        pixels[8] = 0.0;
        blank_areas(&mut pixels, 7);
        for (i, pixel) in pixels.iter().enumerate() {
            assert_eq!(pixel.is_nan(), i % 7 > 3, "pixel {i}");
        }
        // Too small for 3×3 to say so.
        let mut strip = [0.0; 6];
        blank_areas(&mut strip, 3);
        assert_eq!(strip, [0.0; 6]);
        blank_areas(&mut [], 0);
    }
}
