//! The two transforms a rendering needs: a real square image to half of its spectrum, and half of
//! a spectrum back to some rows of a real image. Two real rows share one complex transform.

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Plans for real N×N images going in and M×M images coming out; shared between threads.
pub(super) struct Plans {
    n: usize,
    m: usize,
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
}

impl Plans {
    /// Plans for `n`×`n` in and `m`×`m` out; both even.
    pub(super) fn new(n: usize, m: usize) -> Self {
        let mut planner = FftPlanner::new();
        Plans { n, m, forward: planner.plan_fft_forward(n), inverse: planner.plan_fft_inverse(m) }
    }

    /// F(kx, ky) = Σ f(x, y) exp(−2πi (kx x + ky y)/N) for kx in 0..=N/2 and all ky, stored as
    /// (N/2 + 1) columns of N values. `image` is row-major, y slow.
    pub(super) fn spectrum(&self, image: &[f64]) -> Vec<Complex64> {
        let n = self.n;
        let half = n / 2 + 1;
        let mut columns = vec![Complex64::ZERO; half * n];
        let mut scratch = vec![Complex64::ZERO; self.forward.get_inplace_scratch_len()];
        let mut line = vec![Complex64::ZERO; n];
        for (pair, rows) in image.chunks_exact(2 * n).enumerate() {
            let (first, second) = rows.split_at(n);
            for ((z, &a), &b) in line.iter_mut().zip(first).zip(second) {
                *z = Complex64::new(a, b);
            }
            self.forward.process_with_scratch(&mut line, &mut scratch);
            // The spectrum of a + ib separates by symmetry: A = (Z(k) + Z*(−k))/2, and so on.
            for kx in 0..half {
                let (z, w) = (line[kx], line[(n - kx) % n].conj());
                columns[kx * n + 2 * pair] = (z + w) * 0.5;
                columns[kx * n + 2 * pair + 1] = (z - w) * Complex64::new(0.0, -0.5);
            }
        }
        for column in columns.chunks_exact_mut(n) {
            self.forward.process_with_scratch(column, &mut scratch);
        }
        columns
    }

    /// The rows `from..from + rows` of f(x, y) = Σ F(kx, ky) exp(2πi (kx x + ky y)/M), unnormalised, from
    /// the columns kx in 0..=M/2 of a Hermitian spectrum. Destroys `columns`.
    pub(super) fn rows(&self, columns: &mut [Complex64], from: usize, rows: usize) -> Vec<f64> {
        let m = self.m;
        let half = m / 2 + 1;
        let mut scratch = vec![Complex64::ZERO; self.inverse.get_inplace_scratch_len()];
        for column in columns.chunks_exact_mut(m) {
            self.inverse.process_with_scratch(column, &mut scratch);
        }
        let mut image = vec![0.0; rows * m];
        let mut line = vec![Complex64::ZERO; m];
        let i = Complex64::I;
        for (pair, out) in image.chunks_mut(2 * m).enumerate() {
            let y = from + 2 * pair;
            let two = out.len() == 2 * m;
            for kx in 0..half {
                let mut a = columns[kx * m + y];
                let mut b = if two { columns[kx * m + y + 1] } else { Complex64::ZERO };
                if kx == 0 || kx == m / 2 {
                    (a.im, b.im) = (0.0, 0.0);
                }
                line[kx] = a + i * b;
                if kx > 0 && kx < m / 2 {
                    line[m - kx] = a.conj() + i * b.conj();
                }
            }
            self.inverse.process_with_scratch(&mut line, &mut scratch);
            let (first, second) = out.split_at_mut(m);
            for (x, z) in line.iter().enumerate() {
                first[x] = z.re;
                if two {
                    second[x] = z.im;
                }
            }
        }
        image
    }
}

/// The least even number, at least `n`, whose only prime factors are 2, 3 and 5: fast to transform.
pub(super) fn fast_length(n: usize) -> usize {
    let smooth = |mut k: usize| {
        for p in [2, 3, 5] {
            while k.is_multiple_of(p) {
                k /= p;
            }
        }
        k == 1
    };
    let mut length = n.max(2).next_multiple_of(2);
    while !smooth(length) {
        length += 2;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_the_image_times_its_size() {
        let n = 30;
        let plans = Plans::new(n, n);
        let image: Vec<f64> = (0..n * n).map(|i| ((i * 37) % 101) as f64 - 50.0).collect();
        let mut spectrum = plans.spectrum(&image);
        let back = plans.rows(&mut spectrum, 0, n);
        for (a, b) in image.iter().zip(&back) {
            assert!((a * (n * n) as f64 - b).abs() < 1e-9);
        }
        let mut spectrum = plans.spectrum(&image);
        let some = plans.rows(&mut spectrum, 4, 7);
        assert!(some.iter().zip(&back[4 * n..11 * n]).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn the_spectrum_is_the_defining_sum() {
        let n = 6;
        let image: Vec<f64> = (0..n * n).map(|i| ((i * 7) % 11) as f64).collect();
        let spectrum = Plans::new(n, n).spectrum(&image);
        for kx in 0..=n / 2 {
            for ky in 0..n {
                let sum: Complex64 = (0..n * n)
                    .map(|i| {
                        let phase = (kx * (i % n) + ky * (i / n)) as f64 / n as f64;
                        Complex64::cis(-std::f64::consts::TAU * phase) * image[i]
                    })
                    .sum();
                assert!((spectrum[kx * n + ky] - sum).norm() < 1e-10);
            }
        }
    }

    #[test]
    fn fast_lengths_are_even_and_smooth() {
        assert_eq!([1, 2, 7, 192, 193, 383].map(fast_length), [2, 2, 8, 192, 200, 384]);
    }
}
