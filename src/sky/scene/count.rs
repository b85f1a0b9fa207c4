//! How many companions there are: a Poisson number whose mean is itself gamma-distributed from field to field, which is
//! the negative binomial distribution,
//!
//! P(n) = Γ(k + n) / (Γ(k) n!) · (k/(k + m))^k (m/(k + m))^n,
//!
//! of mean m and variance m + m²/k. Two areas of one field share its richness: where n are found in the first, the
//! gamma distribution of the field's richness has the shape k + n, and the number in the second is negative binomial
//! of k' = k + n and m' = m₂ (k + n)/(k + m₁).

/// k of the negative binomial distribution of this mean that is 0 with the probability `none`: the solution of
/// (1 + m/k)^(−k) = `none`, which lies between exp(−m), for k → ∞, and 1.
pub(super) fn dispersion(mean: f64, none: f64) -> f64 {
    let (mut low, mut high) = (1e-6f64.ln(), 1e9f64.ln());
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        // Falls with k.
        let found = ln_none(mean, middle.exp());
        if found > none.ln() { low = middle } else { high = middle }
    }
    (0.5 * (low + high)).exp()
}

fn ln_none(mean: f64, k: f64) -> f64 {
    -k * (mean / k).ln_1p()
}

/// The number at `u` in [0, 1) of the cumulative distribution.
pub(super) fn count(mean: f64, k: f64, u: f64) -> u32 {
    let mut probability = ln_none(mean, k).exp();
    let mut cumulative = probability;
    let mut n = 0;
    // u < 1, but rounding may keep the sum below it: past the last term that matters there is no number.
    let last = 100.0 + 20.0 * mean * (1.0 + 1.0 / k).sqrt();
    while cumulative <= u && f64::from(n) < last {
        probability *= (k + f64::from(n)) / f64::from(n + 1) * mean / (k + mean);
        cumulative += probability;
        n += 1;
    }
    n
}

/// k and the mean in a second area, where the mean is `mean_there` on average, after `n` were found where the mean is
/// `mean`.
pub(super) fn given(n: u32, mean: f64, k: f64, mean_there: f64) -> (f64, f64) {
    let shape = k + f64::from(n);
    (shape, mean_there * shape / (k + mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dispersion_gives_the_fraction_with_none() {
        for (mean, none) in [(2.5, 0.1), (2.5, 0.5), (0.3, 0.75), (20.0, 1e-3)] {
            let k = dispersion(mean, none);
            assert!(((1.0 + mean / k).powf(-k) / none - 1.0).abs() < 1e-9, "{mean} {none}: {k}");
        }
        // A Poisson distribution is the limit.
        assert!(dispersion(2.5, (-2.5f64).exp()) > 1e6);
    }

    #[test]
    fn counts_have_the_mean_the_variance_and_the_zeros_of_the_distribution() {
        let steps = 100_000;
        for (mean, none) in [(2.5, 0.1), (2.5, (-2.5f64).exp()), (7.0, 0.01)] {
            let k = dispersion(mean, none);
            // u at the middle of equal steps integrates the distribution but for its last 1e-5.
            let counts: Vec<u32> =
                (0..steps).map(|i| count(mean, k, (f64::from(i) + 0.5) / f64::from(steps))).collect();
            let average =
                |f: &dyn Fn(f64) -> f64| counts.iter().map(|&n| f(n.into())).sum::<f64>() / f64::from(steps);
            let variance = mean + mean * mean / k;
            assert!((average(&|n| n) / mean - 1.0).abs() < 1e-3);
            assert!((average(&|n| (n - mean).powi(2)) / variance - 1.0).abs() < 1e-2);
            assert!((average(&|n| f64::from(u8::from(n == 0.0))) / none - 1.0).abs() < 1e-3);
        }
        assert!(count(2.5, 14.0, 1.0 - f64::EPSILON) < 400);
    }

    #[test]
    fn two_areas_together_are_distributed_as_one() {
        // P(n₁ + n₂) by the sum over n₁ against the distribution of the whole area, of the same k.
        let (k, first, second) = (3.7, 2.5, 1.9);
        let term = |mean: f64, k: f64, n: u32| {
            (0..n).fold(ln_none(mean, k).exp(), |p, i| {
                p * (k + f64::from(i)) / f64::from(i + 1) * mean / (k + mean)
            })
        };
        for total in 0..12 {
            let sum: f64 = (0..=total)
                .map(|n| {
                    let (shape, mean) = given(n, first, k, second);
                    term(first, k, n) * term(mean, shape, total - n)
                })
                .sum();
            assert!((sum / term(first + second, k, total) - 1.0).abs() < 1e-12, "{total}");
        }
    }
}
