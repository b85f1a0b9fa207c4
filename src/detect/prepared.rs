//! Pixels without sky, smoothed, beside their noise.

use super::background::Background;
use super::settings::{Kernel, Settings};
use super::window::{Tile, Window};
use crate::Result;
use rayon::prelude::*;

/// A window's pixels as detection wants them, row-major.
pub(super) struct Prepared {
    /// Above the sky; zero where there are no data.
    pub(super) pixels: Vec<f32>,
    /// Standard deviation of their noise; infinite where there are no data.
    pub(super) rms: Vec<f32>,
}

impl Prepared {
    /// Reads a window and takes the sky off.
    ///
    /// # Errors
    /// Those of `read`, and [`crate::Error::Shape`] where it gives arrays of another size.
    pub(super) fn read(
        window: Window,
        read: &mut impl FnMut(Window) -> Result<Tile>,
        background: &Background,
        settings: &Settings,
    ) -> Result<Self> {
        let tile = read(window)?;
        tile.check(window)?;
        let mut pixels = tile.pixels.clone();
        let mut rms = match &tile.rms {
            Some(rms) => rms.clone(),
            None => vec![0.0; pixels.len()],
        };
        let rows = pixels.par_chunks_mut(window.width).zip(rms.par_chunks_mut(window.width)).enumerate();
        rows.for_each(|(row, (pixels, noises))| {
            let y = window.y + row;
            if tile.rms.is_none() {
                for (noise, rms) in noises.iter_mut().zip(background.rms_row(window.x, y, window.width)) {
                    *noise = rms;
                }
            }
            if settings.subtract {
                for (pixel, level) in pixels.iter_mut().zip(background.level_row(window.x, y, window.width)) {
                    *pixel -= level;
                }
            }
            for (i, (pixel, noise)) in pixels.iter_mut().zip(noises).enumerate() {
                let good = tile.good(row * window.width + i, settings.blank_zeros);
                if !(good && pixel.is_finite() && *noise > 0.0) {
                    (*pixel, *noise) = (0.0, f32::INFINITY);
                }
            }
        });
        Ok(Prepared { pixels, rms })
    }
}

/// Rows `rows` of an image of `width` columns, smoothed; beyond the image lies the sky.
pub(super) fn smooth(
    pixels: &[f32],
    width: usize,
    rows: std::ops::Range<usize>,
    kernel: &Kernel,
) -> Vec<f32> {
    let height = pixels.len() / width;
    let (first, half_width, half_height) = (rows.start, kernel.width() / 2, kernel.height() / 2);
    let mut out = vec![0.0f32; rows.len() * width];
    out.par_chunks_mut(width).enumerate().for_each(|(row, out)| {
        for (j, weights) in kernel.weights().chunks(kernel.width()).enumerate() {
            let Some(y) = (first + row + j).checked_sub(half_height).filter(|&y| y < height) else {
                continue;
            };
            let line = &pixels[y * width..][..width];
            for (i, &weight) in weights.iter().enumerate() {
                // out[x] takes line[x + i − half_width].
                let (to, from) = (half_width.saturating_sub(i), i.saturating_sub(half_width));
                for (out, pixel) in out.iter_mut().skip(to).zip(line.iter().skip(from)) {
                    *out += weight * pixel;
                }
            }
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_is_the_sum_of_its_definition() {
        let (width, height) = (7, 5);
        let pixels: Vec<f32> = (0..35).map(|i| ((i * 37) % 11) as f32).collect();
        let weights: Vec<f64> = (1..=15).map(f64::from).collect();
        let kernel = Kernel::new(5, &weights).unwrap();
        let smoothed = smooth(&pixels, width, 1..4, &kernel);
        for (k, &value) in smoothed.iter().enumerate() {
            let (x, y) = ((k % width) as i64, (k / width + 1) as i64);
            let mut expected = 0.0;
            for (w, weight) in weights.iter().enumerate() {
                let (u, v) = (x + (w % 5) as i64 - 2, y + (w / 5) as i64 - 1);
                if (0..width as i64).contains(&u) && (0..height).contains(&v) {
                    expected += weight / 120.0 * f64::from(pixels[(v * width as i64 + u) as usize]);
                }
            }
            assert!((f64::from(value) - expected).abs() < 1e-5);
        }
    }
}
