//! The sky of an image, from its border: level and noise, robust against what shines there.

/// The sky's level and noise, in the image's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Background {
    /// Median of the border; NaN where it has no good pixel.
    pub level: f64,
    /// Standard deviation of a pixel, from the median absolute deviation; NaN as `level`.
    pub sigma: f64,
    /// Pixels that were left to estimate them.
    pub pixels: usize,
}

/// σ of a Gaussian over its median absolute deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// Estimates the sky from the outermost tenth of the rows and columns (2 pixels at least) of an image of
/// `width` columns: the median and 1.4826 times the median absolute deviation of the finite pixels, after
/// five rounds of clipping at 3 σ. Pixels of exactly zero, as mosaics have them where there are no data, count only
/// where there are no others.
pub fn background(pixels: &[f32], width: usize) -> Background {
    let none = Background { level: f64::NAN, sigma: f64::NAN, pixels: 0 };
    if width == 0 {
        return none;
    }
    let height = pixels.len() / width;
    let frame = |n: usize| (n / 10).max(2);
    let (fx, fy) = (frame(width), frame(height));
    let border = |i: usize| {
        let (x, y) = (i % width, i / width);
        x < fx || y < fy || x + fx >= width || y + fy >= height
    };
    let mut values: Vec<f64> = pixels
        .iter()
        .enumerate()
        .filter(|&(i, p)| p.is_finite() && border(i))
        .map(|(_, &p)| f64::from(p))
        .collect();
    if values.iter().any(|&v| v != 0.0) {
        values.retain(|&v| v != 0.0);
    }
    let mut result = none;
    for _ in 0..5 {
        let Some(level) = median(&mut values) else { return result };
        let mut deviations: Vec<f64> = values.iter().map(|v| (v - level).abs()).collect();
        let sigma = MAD_TO_SIGMA * median(&mut deviations).unwrap_or(0.0);
        result = Background { level, sigma, pixels: values.len() };
        values.retain(|v| (v - level).abs() <= 3.0 * sigma);
    }
    result
}

/// The median, of the lower middle where there are two; reorders the values.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = (values.len() - 1) / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Philox, Stream};
    use rand_distr::{Distribution, Normal};

    #[test]
    fn the_sky_is_found_under_a_source_and_bad_pixels() {
        let width = 101;
        let normal = Normal::new(0.5, 0.01).unwrap();
        let mut numbers = Philox::new(1, Stream::Test, 0, 0);
        let mut pixels: Vec<f32> = (0..width * 97).map(|_| normal.sample(&mut numbers) as f32).collect();
        for i in 0..300 {
            pixels[i * 7] = if i % 3 == 0 { f32::NAN } else { 4.0 };
        }
        let found = background(&pixels, width);
        // About 3,500 border pixels: standard errors of 0.0002 each.
        assert!((found.level - 0.5).abs() < 0.001, "{found:?}");
        assert!((found.sigma - 0.01).abs() < 0.001, "{found:?}");
    }

    #[test]
    fn an_image_without_good_pixels_has_no_sky() {
        assert!(background(&[f32::NAN; 12], 4).level.is_nan());
        assert!(background(&[], 0).level.is_nan());
        assert_eq!(background(&[0.0; 12], 4).sigma, 0.0);
    }
}
