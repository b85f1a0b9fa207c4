//! A band-limited function that is even in x and in y and zero from some radius on, given by samples of one quadrant.

use super::image::sinc;
use std::f64::consts::TAU;

/// Samples p(i·step, j·step), i, j = 0..side, times a sample's area; symmetric in i and j.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EvenSamples {
    step: f64,
    side: usize,
    values: Vec<f64>,
}

impl EvenSamples {
    /// Of the quadrant's `side`² samples.
    pub(super) fn new(step: f64, side: usize, values: Vec<f64>) -> Self {
        EvenSamples { step, side, values }
    }

    /// The sum over all quadrants.
    pub(super) fn total(&self) -> f64 {
        let values = self.values.iter().enumerate();
        values.map(|(k, p)| twice(k / self.side) * twice(k % self.side) * p).sum()
    }

    /// Scaled to a total of 1.
    pub(super) fn normalised(mut self) -> Self {
        let total = self.total();
        self.values.iter_mut().for_each(|p| *p /= total);
        self
    }

    /// The Fourier transform Σ p cos(2π fx x) cos(2π fy y), `fx.len()` columns of `fy.len()` values; 0 beyond the
    /// samples' Nyquist frequency.
    pub(super) fn transfer(&self, fx: &[f64], fy: &[f64]) -> Vec<f64> {
        let wave = |f: f64, i: usize| {
            if f.abs() * self.step < 0.5 { (TAU * f * self.step * i as f64).cos() } else { 0.0 }
        };
        self.form(fx, fy, wave)
    }

    /// The function at the points `ys` × `xs`, `ys.len()` rows of `xs.len()` values, times the area of a pixel of
    /// side `scale`: the inverse transform of [`EvenSamples::transfer`].
    pub(super) fn resampled(&self, xs: &[f64], ys: &[f64], scale: f64) -> Vec<f64> {
        let area = scale / self.step;
        let weight = |x: f64, i: usize| {
            let (x, i) = (x / self.step, i as f64);
            // `form` counts the samples beside the axes twice.
            0.5 * area * (sinc(x - i) + sinc(x + i))
        };
        self.form(ys, xs, weight)
    }

    /// Σ_ij p_ij w(a, i) w(b, j), over the samples of all quadrants, for all a and b, b running fastest.
    fn form(&self, first: &[f64], second: &[f64], w: impl Fn(f64, usize) -> f64) -> Vec<f64> {
        // Sums run over the outer index so that the inner loops are over neighbours in memory.
        let columns: Vec<Vec<f64>> =
            (0..self.side).map(|j| second.iter().map(|&b| twice(j) * w(b, j)).collect()).collect();
        let mut out = vec![0.0; first.len() * second.len()];
        let mut row = vec![0.0; self.side];
        for (&a, out) in first.iter().zip(out.chunks_exact_mut(second.len().max(1))) {
            row.fill(0.0);
            for (i, samples) in self.values.chunks_exact(self.side).enumerate() {
                add_scaled(&mut row, twice(i) * w(a, i), samples);
            }
            for (&sum, column) in row.iter().zip(&columns) {
                add_scaled(out, sum, column);
            }
        }
        out
    }
}

/// Adds `factor` times each of `values` to the sums beside them.
pub(super) fn add_scaled(sum: &mut [f64], factor: f64, values: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

/// On how many sides of an axis the `i`-th sample from it lies.
fn twice(i: usize) -> f64 {
    if i == 0 { 1.0 } else { 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Gaussian, narrow enough in both spaces for 1e-12.
    fn gaussian() -> EvenSamples {
        let (step, side) = (0.05, 30);
        let values = (0..side * side)
            .map(|k| {
                (-0.5 * ((k / side * (k / side) + k % side * (k % side)) as f64) * step * step / 0.02).exp()
            })
            .collect();
        EvenSamples::new(step, side, values).normalised()
    }

    #[test]
    fn transform_and_interpolation_are_those_of_the_function() {
        let samples = gaussian();
        let (f, x) = ([-3.1, 0.0, 1.7, 10.0], [-0.222, 0.0, 0.31, 0.4]);
        let transfer = samples.transfer(&f, &f[1..]);
        for (i, fx) in f.iter().enumerate() {
            for (j, fy) in f[1..].iter().enumerate() {
                let inside = fx.abs() < 10.0 && fy.abs() < 10.0;
                let exact =
                    (-0.5 * TAU * TAU * 0.02 * (fx * fx + fy * fy)).exp() * f64::from(u8::from(inside));
                assert!((transfer[3 * i + j] - exact).abs() < 1e-9, "{fx} {fy}");
            }
        }
        let values = samples.resampled(&x, &x[..3], 0.01);
        for (j, y) in x[..3].iter().enumerate() {
            for (i, x) in x.iter().enumerate() {
                let exact = 1e-4 / (TAU * 0.02) * (-0.5 * (x * x + y * y) / 0.02).exp();
                assert!((values[4 * j + i] - exact).abs() < 1e-9, "{x} {y}");
            }
        }
    }
}
