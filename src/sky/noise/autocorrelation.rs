//! From a few correlation coefficients to the kernel that gives white noise just these.
//!
//! Noise is white noise convolved with a kernel whose transform is the square root of the power spectrum (Wiener &
//! Khinchin), so any spectrum that is nowhere negative will do. Of all those that have the wanted coefficients the
//! one that differs least from white noise is taken, by relative entropy; it has the form
//!
//! P(f) = exp Σ λᵢ cos(2π fx dxᵢ) cos(2π fy dyᵢ)
//!
//! over the given separations (dxᵢ, dyᵢ), the lags that are not given are what it makes of them, and it cannot be
//! negative. The λᵢ minimise the convex ⟨P⟩ − Σ λᵢ ρᵢ, found by Newton's method; where they run away, no noise has
//! these coefficients. The root of P is as smooth as P, so the kernel falls off fast, and it is nearly a product of
//! functions of x and y: few products make it, which are far fewer multiplications than the kernel itself.

use super::filter::{Filter, RADII};
use crate::sky::survey::NoiseCorrelation;
use crate::{Error, Result};
use std::f64::consts::TAU;

/// Frequencies along each axis.
const N: usize = 48;
/// By how much the kernel's coefficients may differ from the wanted ones.
const TOLERANCE: f64 = 5e-4;
/// Coefficients: the variance, which is one, and those of [`NoiseCorrelation`].
const LAGS: [(usize, usize); 8] = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (3, 0), (0, 3)];

impl NoiseCorrelation {
    /// What drizzling left in CANDELS-Wide-like F160W mosaics at 0.06″ per pixel, measured on real ones.
    pub const DRIZZLED: NoiseCorrelation =
        NoiseCorrelation { x1: 0.49, y1: 0.55, diagonal: 0.28, lag2: 0.1, lag3: 0.03 };

    fn coefficients(&self) -> [f64; 8] {
        [1.0, self.x1, self.y1, self.diagonal, self.lag2, self.lag2, self.lag3, self.lag3]
    }
}

/// A kernel with Σ K² = 1 as a sum of products aᵣ(|x|) bᵣ(|y|).
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    /// aᵣ and bᵣ, from the middle to the radius.
    factors: Vec<[Vec<f64>; 2]>,
    radius: usize,
}

impl Kernel {
    /// The kernel of fewest factors that gives white noise the wanted coefficients, each within 0.0005.
    ///
    /// # Errors
    /// [`Error::Usage`] where no noise has them, naming the nearest that some noise has; or none whose correlation
    /// ends within a few pixels.
    pub(super) fn new(wanted: &NoiseCorrelation) -> Result<Self> {
        let lambda = spectrum(wanted)?;
        for radius in RADII {
            let whole = Quadrant::new(&lambda, radius);
            for rank in 1..=radius {
                let kernel = whole.factored(rank);
                let error = |(&(dx, dy), wanted): (&(usize, usize), f64)| {
                    (kernel.autocorrelation(dx, dy) - wanted).abs()
                };
                if LAGS.iter().zip(wanted.coefficients()).map(error).fold(0.0, f64::max) <= TOLERANCE {
                    return Ok(kernel);
                }
            }
        }
        Err(Error::Usage(format!(
            "noise autocorrelation: only noise that is correlated over more than {} pixels has x1 = {}, y1 = {}, \
             diagonal = {}, lag2 = {}, lag3 = {}; give values that fall off smoothly and are nearer to zero",
            2 * RADII[RADII.len() - 1],
            wanted.x1,
            wanted.y1,
            wanted.diagonal,
            wanted.lag2,
            wanted.lag3
        )))
    }

    /// The convolution with it.
    pub(super) fn filter(&self) -> Filter {
        Filter::new(&self.factors, self.radius)
    }

    /// Σ K.
    pub(super) fn sum(&self) -> f64 {
        self.factors.iter().map(|[a, b]| whole_sum(a) * whole_sum(b)).sum()
    }

    /// The correlation coefficient that it gives pixels (dx, dy) apart, exactly: Σ K(x, y) K(x + dx, y + dy).
    pub(super) fn autocorrelation(&self, dx: usize, dy: usize) -> f64 {
        let pairs = self.factors.iter().flat_map(|p| self.factors.iter().map(move |q| (p, q)));
        pairs.map(|([a, b], [c, d])| overlap(a, c, dx) * overlap(b, d, dy)).sum()
    }
}

/// Sum of a symmetric sequence given from its middle.
fn whole_sum(half: &[f64]) -> f64 {
    2.0 * half.iter().sum::<f64>() - half[0]
}

/// Σ a(|i|) b(|i + shift|) of two symmetric sequences given from their middles.
fn overlap(a: &[f64], b: &[f64], shift: usize) -> f64 {
    let (radius, shift) = (a.len() as isize - 1, shift as isize);
    (-radius..=radius)
        .filter_map(|i| b.get((i + shift).unsigned_abs()).map(|b| a[i.unsigned_abs()] * b))
        .sum()
}

/// cos(2π k d / N), the transform's even part.
fn cosine(k: usize, d: usize) -> f64 {
    (TAU * ((k * d) % N) as f64 / N as f64).cos()
}

/// The logarithm of the power at frequency (kx, ky) / N, and the cosines that make it.
fn log_power(lambda: &[f64; 8], kx: usize, ky: usize) -> (f64, [f64; 8]) {
    let terms = LAGS.map(|(dx, dy)| cosine(kx, dx) * cosine(ky, dy));
    (lambda.iter().zip(terms).map(|(l, t)| l * t).sum(), terms)
}

/// The λ of the power spectrum with the wanted coefficients.
fn spectrum(wanted: &NoiseCorrelation) -> Result<[f64; 8]> {
    // λ pulled towards zero by this much has a minimum for all coefficients, impossible ones as well: the nearest
    // that are possible, nearly.
    const PULL: f64 = 1e-7;
    let rho = wanted.coefficients();
    let frequencies = || (0..=N / 2).flat_map(|ky| (0..=N / 2).map(move |kx| (kx, ky)));
    // Frequencies of a quadrant and how often each stands in the plane, as a part of all.
    let weight = |k: usize| if k == 0 || k == N / 2 { 1.0 } else { 2.0 } / N as f64;
    let objective = |lambda: &[f64; 8]| -> f64 {
        let power: f64 =
            frequencies().map(|(kx, ky)| weight(kx) * weight(ky) * log_power(lambda, kx, ky).0.exp()).sum();
        power + (0..8).map(|i| lambda[i] * (0.5 * PULL * lambda[i] - rho[i])).sum::<f64>()
    };
    let (mut lambda, mut found) = ([0.0; 8], [0.0; 8]);
    for _ in 0..200 {
        let (mut gradient, mut hessian) = ([0.0; 8], [[0.0; 8]; 8]);
        for (kx, ky) in frequencies() {
            let (logarithm, terms) = log_power(&lambda, kx, ky);
            let power = weight(kx) * weight(ky) * logarithm.exp();
            for i in 0..8 {
                gradient[i] += power * terms[i];
                (0..8).for_each(|j| hessian[i][j] += power * terms[i] * terms[j]);
            }
        }
        found = gradient;
        for i in 0..8 {
            gradient[i] += PULL * lambda[i] - rho[i];
            hessian[i][i] += PULL;
        }
        let step = solve(hessian, gradient);
        let slope: f64 = (0..8).map(|i| step[i] * gradient[i]).sum();
        if slope < 1e-20 {
            break;
        }
        // Newton's step, shortened until the objective falls.
        let before = objective(&lambda);
        let moved = |length: f64| std::array::from_fn(|i| lambda[i] - length * step[i]);
        let length = (0..40)
            .map(|k| 0.5f64.powi(k))
            .find(|&length| objective(&moved(length)) <= before - 1e-4 * length * slope);
        let Some(length) = length else { break };
        lambda = moved(length);
    }
    let nearest = found.map(|value| value / found[0]);
    let worst = (0..8).map(|i| (nearest[i] - rho[i]).abs()).fold(0.0, f64::max);
    // A λ that is not a number fails this, too.
    if worst <= TOLERANCE {
        return Ok(lambda);
    }
    Err(Error::Usage(format!(
        "noise autocorrelation: no noise has x1 = {}, y1 = {}, diagonal = {}, lag2 = {}, lag3 = {}: its power would be \
         negative at some frequency. The nearest to it that noise can have is x1 = {:.3}, y1 = {:.3}, diagonal = {:.3}, \
         lag2 = {:.3} in x and {:.3} in y, lag3 = {:.3} in x and {:.3} in y",
        wanted.x1,
        wanted.y1,
        wanted.diagonal,
        wanted.lag2,
        wanted.lag3,
        nearest[1],
        nearest[2],
        nearest[3],
        nearest[4],
        nearest[5],
        nearest[6],
        nearest[7]
    )))
}

/// The solution of a symmetric positive definite system, by Cholesky's factorisation.
fn solve(mut a: [[f64; 8]; 8], mut b: [f64; 8]) -> [f64; 8] {
    for i in 0..8 {
        for j in 0..=i {
            let sum = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { sum.max(f64::MIN_POSITIVE).sqrt() } else { sum / a[j][j] };
        }
    }
    for i in 0..8 {
        b[i] = (b[i] - (0..i).map(|k| a[i][k] * b[k]).sum::<f64>()) / a[i][i];
    }
    for i in (0..8).rev() {
        b[i] = (b[i] - (i + 1..8).map(|k| a[k][i] * b[k]).sum::<f64>()) / a[i][i];
    }
    b
}

/// A kernel K(|x|, |y|) for |x|, |y| ≤ radius: rows of `side` = radius + 1 values.
struct Quadrant {
    values: Vec<f64>,
    side: usize,
}

impl Quadrant {
    /// The inverse transform of the power's square root.
    fn new(lambda: &[f64; 8], radius: usize) -> Self {
        let side = radius + 1;
        let mut values = vec![0.0; side * side];
        for (ky, kx) in (0..N).flat_map(|ky| (0..N).map(move |kx| (ky, kx))) {
            let amplitude = (0.5 * log_power(lambda, kx, ky).0).exp() / (N * N) as f64;
            for (i, value) in values.iter_mut().enumerate() {
                *value += amplitude * cosine(kx, i % side) * cosine(ky, i / side);
            }
        }
        Quadrant { values, side }
    }

    /// The best approximation by `rank` products (the first terms of the singular value decomposition of the whole
    /// kernel), scaled to Σ K² = 1.
    fn factored(&self, rank: usize) -> Kernel {
        let side = self.side;
        // A whole kernel holds every value off its middle row or column twice: with these weights the quadrant has
        // the whole's singular values.
        let root = |i: usize| if i == 0 { 1.0 } else { std::f64::consts::SQRT_2 };
        let mut rest: Vec<f64> =
            self.values.iter().enumerate().map(|(i, v)| v * root(i % side) * root(i / side)).collect();
        let mut factors = Vec::new();
        for _ in 0..rank {
            // Power iteration to the largest singular value and its vectors.
            let mut row = vec![1.0; side];
            let mut column = vec![0.0; side];
            for _ in 0..200 {
                for (y, value) in column.iter_mut().enumerate() {
                    *value = (0..side).map(|x| rest[y * side + x] * row[x]).sum();
                }
                let norm = column.iter().map(|v| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
                column.iter_mut().for_each(|v| *v /= norm);
                for (x, value) in row.iter_mut().enumerate() {
                    *value = (0..side).map(|y| rest[y * side + x] * column[y]).sum();
                }
            }
            for (i, value) in rest.iter_mut().enumerate() {
                *value -= row[i % side] * column[i / side];
            }
            let half = |v: &[f64]| v.iter().enumerate().map(|(i, v)| v / root(i)).collect::<Vec<_>>();
            factors.push([half(&row), half(&column)]);
        }
        let mut kernel = Kernel { factors, radius: side - 1 };
        let norm = kernel.autocorrelation(0, 0).sqrt();
        kernel.factors.iter_mut().for_each(|[row, _]| row.iter_mut().for_each(|v| *v /= norm));
        kernel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Correlation coefficients of the kernel, from its pixels one by one.
    fn direct(kernel: &Kernel, dx: usize, dy: usize) -> f64 {
        let r = kernel.radius as isize;
        let at = |x: isize, y: isize| -> f64 {
            let (x, y) = (x.unsigned_abs(), y.unsigned_abs());
            if x.max(y) > kernel.radius { 0.0 } else { kernel.factors.iter().map(|[a, b]| a[x] * b[y]).sum() }
        };
        let plane = || (-r..=r).flat_map(|y| (-r..=r).map(move |x| (x, y)));
        let shifted: f64 = plane().map(|(x, y)| at(x, y) * at(x + dx as isize, y + dy as isize)).sum();
        shifted / plane().map(|(x, y)| at(x, y) * at(x, y)).sum::<f64>()
    }

    #[test]
    fn the_kernel_has_the_wanted_autocorrelation() {
        let c = |x1, y1, diagonal, lag2, lag3| NoiseCorrelation { x1, y1, diagonal, lag2, lag3 };
        for (wanted, products) in [
            (NoiseCorrelation::DRIZZLED, 2),
            (c(0.0, 0.0, 0.0, 0.0, 0.0), 1),
            (c(0.3, 0.2, 0.06, 0.0, 0.0), 2),
            (c(-0.2, 0.1, -0.05, 0.05, 0.0), 3),
            (c(0.2, 0.2, 0.15, 0.0, 0.0), 3),
            (c(0.6, 0.6, 0.4, 0.2, 0.05), 3),
        ] {
            let kernel = Kernel::new(&wanted).unwrap();
            assert!(kernel.factors.len() <= products, "{wanted:?}: {} products", kernel.factors.len());
            assert!((kernel.autocorrelation(0, 0) - 1.0).abs() < 1e-12);
            for ((dx, dy), expected) in LAGS.into_iter().zip(wanted.coefficients()) {
                let found = direct(&kernel, dx, dy);
                assert!((found - expected).abs() < 5e-4, "{wanted:?} at ({dx}, {dy}): {found}");
                assert!((kernel.autocorrelation(dx, dy) - found).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_drizzled_kernel_is_small_and_accurate() {
        let kernel = Kernel::new(&NoiseCorrelation::DRIZZLED).unwrap();
        assert_eq!((kernel.radius, kernel.factors.len()), (4, 2));
        for ((dx, dy), expected) in LAGS.into_iter().zip(NoiseCorrelation::DRIZZLED.coefficients()) {
            assert!((direct(&kernel, dx, dy) - expected).abs() < 2e-5, "({dx}, {dy})");
        }
        // The lags that are not given fall off, too: about the product of those along the axes, then to nothing.
        assert!((direct(&kernel, 2, 1) - 0.06).abs() < 0.01 && (direct(&kernel, 1, 2) - 0.06).abs() < 0.01);
        assert!(direct(&kernel, 4, 4).abs() < 0.002 && direct(&kernel, 5, 0).abs() < 0.01);
        // Σ ρ over all lags is the power at zero frequency, (Σ K)².
        let all: f64 = (0..=8)
            .flat_map(|dy| (0..=8).map(move |dx| (dx, dy)))
            .map(|(dx, dy)| {
                direct(&kernel, dx, dy) * [1.0, 2.0][usize::from(dx > 0)] * [1.0, 2.0][usize::from(dy > 0)]
            })
            .sum();
        assert!((all - kernel.sum().powi(2)).abs() < 1e-9, "{all}");
    }

    #[test]
    fn impossible_autocorrelations_are_errors_that_name_the_nearest_possible() {
        let c = |x1, y1, diagonal, lag2, lag3| NoiseCorrelation { x1, y1, diagonal, lag2, lag3 };
        for (wanted, word) in [
            // What is so alike its neighbours cannot differ from their neighbours.
            (c(0.9, 0.1, 0.1, 0.0, 0.0), "nearest"),
            (c(0.6, 0.6, -0.5, 0.0, 0.0), "nearest"),
            (c(0.999, 0.999, 0.999, -0.999, 0.999), "nearest"),
            (c(f64::NAN, 0.1, 0.1, 0.0, 0.0), "NaN"),
            // Possible, but long.
            (c(0.97, 0.97, 0.94, 0.9, 0.8), "over more than 16 pixels"),
            (c(0.0, 0.0, 0.0, 0.0, 0.99), "over more than 16 pixels"),
        ] {
            let message = Kernel::new(&wanted).unwrap_err().to_string();
            assert!(message.contains("autocorrelation") && message.contains(word), "{message}");
        }
    }
}
