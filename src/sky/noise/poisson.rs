//! Poisson counts of many pixels at once: by inversion of the distribution where few are expected, by expansion of
//! its quantile function about the normal one's where many are.

/// From this mean on counts are drawn by [`expanded`].
pub(super) const MANY: f32 = 10.0;
/// Adding this and taking it away again rounds a number below 2²² to a whole one.
const ROUND: f32 = 12_582_912.0;
/// Words below this are drawn in double precision.
const RARE: u32 = 1 << 15;
const UNIT: f32 = 1.0 / 2_147_483_648.0;
/// Counts drawn at a time.
pub(super) const LANES: usize = 64;

/// Counts with means below [`MANY`], less their means, one random word each: the count is the number of k ≥ 0 for
/// which P(N > k) > u, with u = (⌊word / 2⌋ + ½) / 2³¹. The probabilities are off by 3·10⁻⁷ at most, and where u is so
/// small that this would matter, by 10⁻¹³.
#[inline(always)]
pub(super) fn inverted(means: &[f32; LANES], words: &[u32; LANES], deviations: &mut [f32; LANES]) {
    const SIDE: usize = 32;
    for start in (0..LANES).step_by(SIDE) {
        let (mut mean, mut term, mut above, mut count) = ([0.0; SIDE], [0.0; SIDE], [0.0; SIDE], [0.0; SIDE]);
        let mut rare = false;
        for i in 0..SIDE {
            let word = words[start + i];
            rare |= word < RARE;
            mean[i] = means[start + i];
            // P(N = k) and P(N > k) − u, from k = 0 on.
            term[i] = exp_minus(mean[i]);
            above[i] = 1.0 - term[i] - ((word >> 1) as i32 as f32 + 0.5) * UNIT;
        }
        // u > 7·10⁻⁶ and means below 10 end this before k = 30.
        for k in 1..40 {
            let mut more = 0;
            for i in 0..SIDE {
                let one: f32 = if above[i] > 0.0 { 1.0 } else { 0.0 };
                count[i] += one;
                more |= one.to_bits();
            }
            if more == 0 {
                break;
            }
            let inverse = 1.0 / k as f32;
            for i in 0..SIDE {
                term[i] *= mean[i] * inverse;
                above[i] -= term[i];
            }
        }
        for i in 0..SIDE {
            deviations[start + i] = count[i] - mean[i];
        }
        if rare {
            for i in (start..start + SIDE).filter(|&i| words[i] < RARE) {
                deviations[i] = inverted_finely(means[i], words[i]) - means[i];
            }
        }
    }
}

/// One count as [`inverted`] draws it, in double precision.
#[cold]
fn inverted_finely(mean: f32, word: u32) -> f32 {
    let mean = f64::from(mean);
    // exp(−λ) as the sixteenth power of Taylor's series: the same bits everywhere, unlike a system's exp.
    let series = (1..16).rev().fold(1.0, |sum, k| 1.0 - sum * mean / 16.0 / f64::from(k));
    let mut term = (0..4).fold(series, |power, _| power * power);
    let mut above = 1.0 - term - (f64::from(word >> 1) + 0.5) * f64::from(UNIT);
    let mut count = 0.0;
    while above > 0.0 && count < 100.0 {
        count += 1.0;
        term *= mean / count;
        above -= term;
    }
    count as f32
}

/// exp(−x) for 0 ≤ x ≤ 10, to a relative 2·10⁻⁷ and exactly 1 for 0: 2ⁿ exp(r) with |r| ≤ ln 2 / 2, of which Taylor's
/// series has seven terms.
#[inline(always)]
fn exp_minus(x: f32) -> f32 {
    // ln 2 in two parts, the first of so few bits that n times it is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let shifted = x * -std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (-x - n * LN_2[0]) - n * LN_2[1];
    let mut series = 1.0 + r * (1.0 / 6.0);
    for k in (1..6).rev() {
        series = 1.0 + series * r * (1.0 / k as f32);
    }
    series * f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23)
}

/// A count of mean λ ≥ [`MANY`], less the mean, from a standard normal deviate z: ⌊Q(Φ(z))⌋ with the quantile
/// function's expansion in powers of λ^−½ (Cornish & Fisher; M. Giles 2016, "Algorithm 955: approximation of the
/// inverse Poisson cumulative distribution function"),
///
/// Q = λ + √λ z + (2 + z²)/6 − (2z + z³)/(72 √λ) + (−16 + 7z² + 3z⁴)/(810 λ).
///
/// At λ = 10 the probabilities of all counts are off by 2.7·10⁻⁴ in sum, the variance by 2.7·10⁻⁴ of itself, the
/// skewness by 1.2·10⁻⁴; at λ = 40 by 2·10⁻⁵, 2·10⁻⁵ and 7·10⁻⁶.
#[inline(always)]
pub(super) fn expanded(mean: f32, z: f32) -> f32 {
    let root = mean.sqrt();
    let inverse = 1.0 / root;
    let zz = z * z;
    let fine = (zz * (zz * 3.0 + 7.0) - 16.0) * (inverse * (1.0 / 810.0)) - z * (zz + 2.0) * (1.0 / 72.0);
    // ⌊x⌋ is x − ½, rounded. Where counts are too many to be told from real numbers, they are not rounded.
    let deviation = root * z + (zz + 2.0) * (1.0 / 6.0) + fine * inverse - 0.5;
    let fraction = mean - ((mean + ROUND) - ROUND);
    let rounded = ((fraction + deviation + ROUND) - ROUND) - fraction;
    let deviation = if mean < 4e6 { rounded } else { deviation };
    if deviation > -mean { deviation } else { -mean }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Discrete, DiscreteCDF, Poisson};

    /// Counts of one mean from words.
    fn counts(mean: f32, words: &[u32]) -> Vec<f64> {
        let mut deviations = [0.0; LANES];
        let draw = |words: &[u32; LANES]| {
            inverted(&[mean; LANES], words, &mut deviations);
            deviations.map(|d| (f64::from(d) + f64::from(mean)).round())
        };
        words.as_chunks().0.iter().flat_map(draw).collect()
    }

    /// Probabilities of 0, 1, 2 … and the distance Σ |p − exact| / 2 from the exact ones.
    fn distance(p: &[f64], mean: f32) -> f64 {
        let exact = Poisson::new(mean.into()).unwrap();
        0.5 * p.iter().enumerate().map(|(k, p)| (p - exact.pmf(k as u64)).abs()).sum::<f64>()
    }

    #[test]
    fn inverted_counts_have_the_exact_probabilities() {
        // Words evenly over their range, so that every cumulative probability comes out to one part in 2²⁰.
        let words: Vec<u32> = (0..1u32 << 20).map(|i| (i << 12) + 2048).collect();
        for mean in [1e-5, 0.003, 0.1, 0.5, 1.0, 3.0, 7.77, 9.9, 9.999] {
            let mut p = [0.0; 64];
            for count in counts(mean, &words) {
                p[count as usize] += 1.0 / words.len() as f64;
            }
            // As many steps as there are likely counts, each off by 2⁻²⁰ at most.
            assert!(distance(&p, mean) < 3e-5, "{mean}: {}", distance(&p, mean));
            let first = (p[0] - (-f64::from(mean)).exp()).abs();
            assert!(first < 1.3e-6, "{mean}: {first}");
        }
        assert!(counts(0.0, &words[..64]).iter().all(|&count| count == 0.0));
    }

    #[test]
    fn inverted_counts_are_right_in_the_tails() {
        let mut words: Vec<u32> =
            [0, 1, 2, 40, 1000, RARE - 1, RARE, RARE + 1, 3 * RARE, 100 * RARE].to_vec();
        words.extend([u32::MAX, u32::MAX - 1, u32::MAX - 1000, 1 << 31]);
        words.resize(LANES, 77);
        for mean in [1e-9, 1e-6, 0.003, 0.5, 3.0, 9.99] {
            let exact = Poisson::new(f64::from(mean as f32)).unwrap();
            for (count, &word) in counts(mean as f32, &words).into_iter().zip(&words) {
                let u = (f64::from(word >> 1) + 0.5) / 2f64.powi(31);
                let error = if word < RARE { 1e-13 } else { 3e-7 };
                // P(N > count) ≤ u < P(N > count − 1).
                assert!(exact.sf(count as u64) <= u + error, "{mean}, {word}: {count}");
                assert!(count == 0.0 || exact.sf(count as u64 - 1) > u - error, "{mean}, {word}: {count}");
            }
        }
    }

    #[test]
    fn expanded_counts_have_nearly_the_exact_probabilities() {
        // The distribution that normal deviates give, by integration over them; the errors that are allowed are
        // those of the expansion, which fall with the mean.
        for (mean, total, variance, skewness) in [
            (10.0, 1.4e-4, 2.8e-4, 1.4e-4),
            (10.1, 1.4e-4, 2.8e-4, 1.4e-4),
            (12.7, 1.0e-4, 1.9e-4, 8e-5),
            (20.5, 7e-5, 7e-5, 4e-5),
            (40.0, 7e-5, 3e-5, 3e-5),
            (300.0, 7e-5, 1e-5, 2e-5),
            (5000.3, 3e-4, 1e-5, 2e-5),
        ] {
            const STEPS: i32 = 2_000_000;
            let lambda = f64::from(mean);
            let mut p = vec![0.0; (lambda + 12.0 * lambda.sqrt()) as usize + 20];
            let step = 14.0 / f64::from(STEPS);
            for i in 0..STEPS {
                let z = -7.0 + (f64::from(i) + 0.5) * step;
                let count = (f64::from(expanded(mean, z as f32)) + lambda).round();
                p[count as usize] += (-0.5 * z * z).exp() * step / std::f64::consts::TAU.sqrt();
            }
            let moment = |about: f64, power: i32| -> f64 {
                p.iter().enumerate().map(|(k, p)| p * (k as f64 - about).powi(power)).sum()
            };
            let centre = moment(0.0, 1);
            let spread = moment(centre, 2);
            let skew = moment(centre, 3) / spread.powf(1.5);
            assert!(distance(&p, mean) < total, "{mean}: {}", distance(&p, mean));
            assert!((centre - lambda).abs() < 2e-5 * lambda.sqrt(), "{mean}: mean {centre}");
            assert!((spread / lambda - 1.0).abs() < variance, "{mean}: variance {spread}");
            assert!((skew - 1.0 / lambda.sqrt()).abs() < skewness, "{mean}: skewness {skew}");
        }
    }

    #[test]
    fn very_many_electrons_have_the_normal_distribution_of_their_variance() {
        for mean in [3.9e6, 4.1e6, 1e9, 1e20, 9e29] {
            for z in [-6.5, -1.0, 0.0, 0.3, 6.5] {
                let expected = f64::from(mean).sqrt() * f64::from(z) + f64::from((z * z + 2.0) / 6.0) - 0.5;
                let found = f64::from(expanded(mean, z));
                assert!((found - expected).abs() < 1.1 + 1e-6 * expected.abs(), "{mean}, {z}: {found}");
            }
        }
    }
}
