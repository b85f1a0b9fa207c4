//! Moving a stamp by a part of a pixel, in Fourier space.
//!
//! Interpolation between pixels averages them and so smooths the noise, by other amounts at other fractions of a pixel:
//! a network would see images of lower noise than it learned from. A shift by d multiplies the transform F(k) by
//! exp(−2πi k d/N) of modulus 1: every frequency keeps its power, noise stays what it was, and so does an image sampled
//! at the Nyquist rate, which drizzled F160W images are (λ/D = 0.137″ at 0.06″ a pixel). What leaves at one edge
//! comes in at the other.

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Plans for stamps of one size; shared between threads.
pub(super) struct Shifter {
    size: usize,
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
}

impl Shifter {
    /// For stamps of `size`² pixels.
    pub(super) fn new(size: usize) -> Self {
        let mut planner = FftPlanner::new();
        Shifter { size, forward: planner.plan_fft_forward(size), inverse: planner.plan_fft_inverse(size) }
    }

    /// Moves a stamp's light by (`x`, `y`) pixels towards larger columns and rows.
    pub(super) fn shift(&self, stamp: &mut [f64], x: f64, y: f64) {
        let size = self.size;
        self.along_rows(stamp, x);
        let mut turned: Vec<f64> = (0..size * size).map(|i| stamp[i % size * size + i / size]).collect();
        self.along_rows(&mut turned, y);
        for (i, pixel) in stamp.iter_mut().enumerate() {
            *pixel = turned[i % size * size + i / size];
        }
    }

    /// Moves every row by `shift` pixels. A shift is a real filter, so two rows share one complex transform.
    fn along_rows(&self, stamp: &mut [f64], shift: f64) {
        let size = self.size;
        let factors: Vec<Complex64> = (0..size).map(|k| self.factor(k, shift)).collect();
        let mut line = vec![Complex64::ZERO; size];
        for rows in stamp.chunks_mut(2 * size) {
            let (first, second) = rows.split_at_mut(size);
            for (i, z) in line.iter_mut().enumerate() {
                *z = Complex64::new(first[i], second.get(i).copied().unwrap_or(0.0));
            }
            self.forward.process(&mut line);
            line.iter_mut().zip(&factors).for_each(|(z, factor)| *z *= factor);
            self.inverse.process(&mut line);
            first.iter_mut().zip(&line).for_each(|(pixel, z)| *pixel = z.re);
            second.iter_mut().zip(&line).for_each(|(pixel, z)| *pixel = z.im);
        }
    }

    /// What frequency `k` of a row is multiplied by, the inverse transform's 1/N included.
    fn factor(&self, k: usize, shift: f64) -> Complex64 {
        let n = self.size as f64;
        let frequency = if 2 * k > self.size { k as f64 - n } else { k as f64 };
        let angle = -TAU * frequency * shift / n;
        // The Nyquist frequency stands for both of its signs, which only its real part serves.
        if 2 * k == self.size {
            Complex64::from(angle.cos() / n)
        } else {
            Complex64::from_polar(1.0 / n, angle)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Philox, Stream, unit_f32};
    use rand::Rng;

    fn gaussian(size: usize, x: f64, y: f64) -> Vec<f64> {
        let centre = (size - 1) as f64 / 2.0;
        let squared = |at: usize, shift: f64| (at as f64 - centre - shift).powi(2);
        (0..size * size).map(|i| (-(squared(i % size, x) + squared(i / size, y)) / 8.0).exp()).collect()
    }

    #[test]
    fn a_smooth_image_is_moved_to_where_it_is_drawn_anew() {
        for size in [31, 32] {
            let mut stamp = gaussian(size, 0.0, 0.0);
            Shifter::new(size).shift(&mut stamp, 0.37, -1.21);
            for (found, wanted) in stamp.iter().zip(gaussian(size, 0.37, -1.21)) {
                assert!((found - wanted).abs() < 1e-7, "{found} for {wanted}");
            }
        }
    }

    #[test]
    fn whole_pixels_move_values_around_the_edges() {
        let size = 9;
        let before: Vec<f64> = (0..size * size).map(|i| (i * i % 17) as f64).collect();
        let mut stamp = before.clone();
        Shifter::new(size).shift(&mut stamp, 2.0, -3.0);
        for (i, pixel) in stamp.iter().enumerate() {
            let (row, column) = ((i / size + 3) % size, (i % size + size - 2) % size);
            assert!((pixel - before[row * size + column]).abs() < 1e-9);
        }
    }

    #[test]
    fn noise_keeps_its_power() {
        let size = 33;
        let mut words = Philox::new(1, Stream::Test, 0, 0);
        let mut stamp: Vec<f64> =
            (0..size * size).map(|_| f64::from(unit_f32(words.next_u32())) - 0.5).collect();
        let power = |stamp: &[f64]| stamp.iter().map(|p| p * p).sum::<f64>();
        let before = power(&stamp);
        Shifter::new(size).shift(&mut stamp, 0.5, 0.31);
        assert!((power(&stamp) / before - 1.0).abs() < 1e-10);
    }
}
