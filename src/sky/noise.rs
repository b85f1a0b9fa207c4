//! The noise of a stamp: that of the sky and the detector, Gaussian and the same in every pixel, and
//! that of the source's own photons; optionally correlated between pixels as drizzling leaves it.

use super::survey::NoiseCorrelation;
use rand::Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

/// Above this many expected electrons a pixel's count is drawn from the Gaussian of the same mean
/// and variance: the Poisson distribution's skewness, 1/√λ, is then below 3%.
const MANY_ELECTRONS: f64 = 1000.0;
/// Half the side of the kernel that correlates noise, pixels. Autocorrelations reach 3 pixels; the
/// kernel, being their "square root", has a small tail beyond.
const KERNEL_RADIUS: usize = 5;

/// The noise of a survey, ready to be added to noiseless stamps.
#[derive(Clone, Debug)]
pub struct Noise {
    sigma: f64,
    exposure: f64,
    /// Square kernel of side 2·KERNEL_RADIUS + 1 with Σ k² = 1, or none for white noise.
    kernel: Option<Vec<f64>>,
}

impl Noise {
    /// Sky noise of standard deviation `sigma` (e/s per pixel, as measured on the image, so after any
    /// correlation) and photon noise of an exposure of `exposure` seconds.
    pub fn new(sigma: f64, exposure: f64, correlation: Option<&NoiseCorrelation>) -> Self {
        Noise { sigma, exposure, kernel: correlation.map(kernel) }
    }

    /// Adds noise to a noiseless stamp of `width` columns, in e/s. `sky` and `photons` are two
    /// independent sequences, so that how many numbers a pixel's Poisson draw takes does not move
    /// the sky noise of the next.
    pub fn add(&self, stamp: &mut [f64], width: usize, sky: &mut impl Rng, photons: &mut impl Rng) {
        if width == 0 || stamp.is_empty() {
            return;
        }
        match &self.kernel {
            None => {
                for pixel in stamp {
                    let deviation: f64 = StandardNormal.sample(sky);
                    *pixel += self.photon_deviation(*pixel, photons) + self.sigma * deviation;
                }
            }
            Some(kernel) => {
                // White noise on a frame wider by the kernel, so that the stamp's edges are like
                // its middle; the photons beyond the stamp are those of its edge pixels.
                let (height, radius) = (stamp.len() / width, KERNEL_RADIUS);
                let (wide, high) = (width + 2 * radius, height + 2 * radius);
                let mut white = vec![0.0; wide * high];
                for (i, value) in white.iter_mut().enumerate() {
                    let x = (i % wide).saturating_sub(radius).min(width - 1);
                    let y = (i / wide).saturating_sub(radius).min(height - 1);
                    let deviation: f64 = StandardNormal.sample(sky);
                    *value = self.photon_deviation(stamp[y * width + x], photons) + self.sigma * deviation;
                }
                let side = 2 * radius + 1;
                for (i, pixel) in stamp.iter_mut().enumerate() {
                    let corner = (i / width) * wide + i % width;
                    *pixel += kernel
                        .chunks_exact(side)
                        .enumerate()
                        .map(|(row, k)| {
                            let from = corner + row * wide;
                            k.iter().zip(&white[from..from + side]).map(|(a, b)| a * b).sum::<f64>()
                        })
                        .sum::<f64>();
                }
            }
        }
    }

    /// One draw of the source's electrons minus their mean, in e/s.
    fn photon_deviation(&self, rate: f64, numbers: &mut impl Rng) -> f64 {
        let mean = rate * self.exposure;
        if mean <= 0.0 {
            return 0.0;
        }
        let deviation = if mean > MANY_ELECTRONS {
            let unit: f64 = StandardNormal.sample(numbers);
            unit * mean.sqrt()
        } else {
            // A mean in (0, 1000] always makes a distribution; zero noise is what a mean too small
            // for it would give.
            Poisson::new(mean).map_or(0.0, |counts| counts.sample(numbers) - mean)
        };
        deviation / self.exposure
    }
}

/// A kernel whose autocorrelation is the wanted one: the inverse transform of the square root of the
/// autocorrelation's transform (Wiener & Khinchin), where that is positive; cut to the radius and
/// scaled to Σ k² = 1.
fn kernel(correlation: &NoiseCorrelation) -> Vec<f64> {
    const N: usize = 32;
    let at = |dx: usize, dy: usize| match (dx, dy) {
        (0, 0) => 1.0,
        (1, 0) => correlation.x1,
        (0, 1) => correlation.y1,
        (1, 1) => correlation.diagonal,
        (2, 0) | (0, 2) => correlation.lag2,
        // What the survey does not give is what a separable correlation would have.
        (2, 1) => correlation.lag2 * correlation.y1,
        (1, 2) => correlation.lag2 * correlation.x1,
        (2, 2) => correlation.lag2 * correlation.lag2,
        (3, 0) | (0, 3) => correlation.lag3,
        (3, 1) => correlation.lag3 * correlation.y1,
        (1, 3) => correlation.lag3 * correlation.x1,
        _ => 0.0,
    };
    let lag = |i: usize| i.min(N - i);
    let mut plane: Vec<Complex64> =
        (0..N * N).map(|i| Complex64::new(at(lag(i % N), lag(i / N)), 0.0)).collect();
    let mut planner = FftPlanner::new();
    let fft = planner.plan_fft_forward(N);
    // The plane is even, so forward and inverse transforms are the same up to scale.
    let transform = |plane: &mut Vec<Complex64>| {
        for _ in 0..2 {
            plane.chunks_exact_mut(N).for_each(|row| fft.process(row));
            *plane = (0..N * N).map(|i| plane[(i % N) * N + i / N]).collect();
        }
    };
    transform(&mut plane);
    for value in &mut plane {
        *value = Complex64::new(value.re.max(0.0).sqrt(), 0.0);
    }
    transform(&mut plane);
    let side = 2 * KERNEL_RADIUS + 1;
    let kernel: Vec<f64> = (0..side * side)
        .map(|i| {
            let wrap = |k: usize| (k + N - KERNEL_RADIUS) % N;
            plane[wrap(i / side) * N + wrap(i % side)].re
        })
        .collect();
    let norm = kernel.iter().map(|k| k * k).sum::<f64>().sqrt();
    kernel.into_iter().map(|k| k / norm).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Philox, Stream};

    fn numbers(sub: u32) -> Philox {
        Philox::new(11, Stream::Test, sub, 0)
    }

    fn variance(values: &[f64], mean: f64) -> f64 {
        values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64
    }

    #[test]
    fn white_noise_has_its_sigma_and_no_correlation() {
        let width = 500;
        let mut stamp = vec![0.0; width * width];
        Noise::new(0.0032, 3200.0, None).add(&mut stamp, width, &mut numbers(0), &mut numbers(1));
        let n = stamp.len() as f64;
        // Five standard errors.
        assert!((variance(&stamp, 0.0).sqrt() / 0.0032 - 1.0).abs() < 5.0 / (2.0 * n).sqrt());
        let lag: f64 = stamp.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / n / 0.0032f64.powi(2);
        assert!(lag.abs() < 5.0 / n.sqrt());
    }

    #[test]
    fn photon_noise_has_the_variance_of_the_counts() {
        // Few, some and many electrons: the three ways of drawing.
        for (sub, rate) in [(2, 0.001), (3, 0.1), (4, 2.0)] {
            let mut stamp = vec![rate; 250_000];
            Noise::new(0.0, 3200.0, None).add(&mut stamp, 500, &mut numbers(0), &mut numbers(sub));
            let expected = rate / 3200.0;
            // Var of a sample variance of Poisson counts: (μ₄ − σ⁴)/n, μ₄ = λ + 3λ², so 2λ² + λ.
            let lambda = rate * 3200.0;
            let error = ((2.0 + 1.0 / lambda) / 250_000.0).sqrt();
            assert!((variance(&stamp, rate) / expected - 1.0).abs() < 5.0 * error, "{rate}");
            let mean = stamp.iter().sum::<f64>() / 250_000.0;
            assert!((mean - rate).abs() < 5.0 * (expected / 250_000.0).sqrt());
        }
    }

    #[test]
    fn correlated_noise_has_the_wanted_autocorrelation() {
        let wanted = NoiseCorrelation { x1: 0.49, y1: 0.55, diagonal: 0.28, lag2: 0.1, lag3: 0.03 };
        let width = 700;
        let mut stamp = vec![0.0; width * width];
        Noise::new(2.0, 1.0, Some(&wanted)).add(&mut stamp, width, &mut numbers(5), &mut numbers(6));
        let correlation = |dx: usize, dy: usize| {
            let mut sum = 0.0;
            for y in 0..width - dy {
                for x in 0..width - dx {
                    sum += stamp[y * width + x] * stamp[(y + dy) * width + x + dx];
                }
            }
            sum / ((width - dx) * (width - dy)) as f64 / 4.0
        };
        for (dx, dy, expected) in
            [(0, 0, 1.0), (1, 0, 0.49), (0, 1, 0.55), (1, 1, 0.28), (2, 0, 0.1), (0, 2, 0.1), (3, 0, 0.03)]
        {
            // Statistical error of about 0.004 and the clipping of negative power.
            let found = correlation(dx, dy);
            assert!((found - expected).abs() < 0.03, "({dx}, {dy}): {found}, wanted {expected}");
        }
    }
}
