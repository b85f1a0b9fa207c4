//! The two transforms a rendering needs: a real square image to half of its spectrum, and half of
//! a spectrum back to some rows of a real image. Two real rows share one complex transform, and rows go
//! to columns `BLOCK` at a time, so that memory is touched by the cache line.

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Pairs of rows that are transposed together: 8 complex numbers a column.
const BLOCK: usize = 4;

/// Plans for real N×N images going in and M×M images coming out; shared between threads.
pub(super) struct Plans {
    n: usize,
    m: usize,
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
}

/// Memory for the transforms, kept from one to the next.
#[derive(Default)]
pub(super) struct Scratch {
    lines: Vec<Complex64>,
    fft: Vec<Complex64>,
}

impl Scratch {
    fn fit(&mut self, line: usize, fft: usize) {
        if self.lines.len() < BLOCK * line {
            self.lines.resize(BLOCK * line, Complex64::ZERO);
        }
        if self.fft.len() < fft {
            self.fft.resize(fft, Complex64::ZERO);
        }
    }
}

impl Plans {
    /// Plans for `n`×`n` in and `m`×`m` out; both even.
    pub(super) fn new(n: usize, m: usize) -> Self {
        let mut planner = FftPlanner::new();
        Plans { n, m, forward: planner.plan_fft_forward(n), inverse: planner.plan_fft_inverse(m) }
    }

    /// F(kx, ky) = Σ f(x, y) exp(−2πi (kx x + ky y)/N) for kx in 0..=N/2 and all ky, written as
    /// (N/2 + 1) columns of N values. `image` is row-major, y slow.
    pub(super) fn spectrum(&self, image: &[f64], columns: &mut Vec<Complex64>, scratch: &mut Scratch) {
        let n = self.n;
        let half = n / 2 + 1;
        columns.resize(half * n, Complex64::ZERO);
        scratch.fit(n, self.forward.get_inplace_scratch_len());
        let Scratch { lines, fft } = scratch;
        for (block, rows) in image.chunks(2 * BLOCK * n).enumerate() {
            let lines = &mut lines[..rows.len() / 2];
            for (line, pair) in lines.chunks_exact_mut(n).zip(rows.chunks_exact(2 * n)) {
                let (first, second) = pair.split_at(n);
                for ((z, &a), &b) in line.iter_mut().zip(first).zip(second) {
                    *z = Complex64::new(a, b);
                }
                self.forward.process_with_scratch(line, fft);
            }
            for kx in 0..half {
                let out = &mut columns[kx * n + 2 * BLOCK * block..];
                for (two, line) in out.chunks_exact_mut(2).zip(lines.chunks_exact(n)) {
                    // The spectrum of a + ib separates by symmetry: A = (Z(k) + Z*(−k))/2, and so on.
                    let (z, w) = (line[kx], line[if kx == 0 { 0 } else { n - kx }].conj());
                    two[0] = (z + w) * 0.5;
                    two[1] = Complex64::new(0.5 * (z.im - w.im), 0.5 * (w.re - z.re));
                }
            }
        }
        for column in columns.chunks_exact_mut(n) {
            self.forward.process_with_scratch(column, fft);
        }
    }

    /// The rows `from..` of f(x, y) = Σ F(kx, ky) exp(2πi (kx x + ky y)/M), unnormalised, from the columns kx in
    /// 0..=M/2 of a Hermitian spectrum, which is destroyed; each row's values `from..`, as many as rows fill `image`,
    /// a square.
    pub(super) fn window(
        &self,
        columns: &mut [Complex64],
        from: usize,
        size: usize,
        image: &mut [f64],
        scratch: &mut Scratch,
    ) {
        let m = self.m;
        let half = m / 2 + 1;
        scratch.fit(m, self.inverse.get_inplace_scratch_len());
        let Scratch { lines, fft } = scratch;
        for column in columns.chunks_exact_mut(m) {
            self.inverse.process_with_scratch(column, fft);
        }
        for (block, rows) in image.chunks_mut(2 * BLOCK * size).enumerate() {
            let y = from + 2 * BLOCK * block;
            let count = rows.len() / size;
            let lines = &mut lines[..count.div_ceil(2) * m];
            for kx in 0..half {
                let values = &columns[kx * m + y..kx * m + y + count];
                let own = kx == 0 || kx == m / 2;
                for (line, two) in lines.chunks_exact_mut(m).zip(values.chunks(2)) {
                    let (mut a, mut b) = (two[0], two.get(1).copied().unwrap_or_default());
                    if own {
                        (a.im, b.im) = (0.0, 0.0);
                    }
                    line[kx] = Complex64::new(a.re - b.im, a.im + b.re);
                    if !own {
                        line[m - kx] = Complex64::new(a.re + b.im, b.re - a.im);
                    }
                }
            }
            for (line, pair) in lines.chunks_exact_mut(m).zip(rows.chunks_mut(2 * size)) {
                self.inverse.process_with_scratch(line, fft);
                let values = &line[from..from + size];
                let (first, second) = pair.split_at_mut(size);
                for (out, z) in first.iter_mut().zip(values) {
                    *out = z.re;
                }
                for (out, z) in second.iter_mut().zip(values) {
                    *out = z.im;
                }
            }
        }
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
        for n in [2, 6, 30] {
            let plans = Plans::new(n, n);
            let image: Vec<f64> = (0..n * n).map(|i| ((i * 37) % 101) as f64 - 50.0).collect();
            let (mut spectrum, mut scratch) = (Vec::new(), Scratch::default());
            for (from, size) in [(0, n), (1, 1), (n / 3, n / 2)] {
                plans.spectrum(&image, &mut spectrum, &mut scratch);
                let mut back = vec![0.0; size * size];
                plans.window(&mut spectrum, from, size, &mut back, &mut scratch);
                for (i, value) in back.iter().enumerate() {
                    let expected = image[(from + i / size) * n + from + i % size] * (n * n) as f64;
                    assert!((value - expected).abs() < 1e-9, "{n} {from} {size}: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn the_spectrum_is_the_defining_sum() {
        let n = 10;
        let image: Vec<f64> = (0..n * n).map(|i| ((i * 7) % 11) as f64).collect();
        let mut spectrum = Vec::new();
        Plans::new(n, n).spectrum(&image, &mut spectrum, &mut Scratch::default());
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
