//! Standard normal deviates by the transformation of Box and Muller (1958), two from two random words.
//!
//! Of the first word the upper 31 bits give u in (0, 1) and the radius √(−2 ln u), at most 6.66, the lowest bit a
//! sign; the second gives x in [−1, 1). The deviates are radius · (± cos(πx/2), sin(πx/2)): half a turn from x,
//! the other half from the sign. Logarithm, sine and cosine are polynomials of our own fitting (minimax, by weighted
//! least squares), so that a word gives the same deviate on every machine and the compiler makes vectors of it. They
//! are off by 2·10⁻⁷, 6·10⁻⁷ and 5·10⁻⁸.

/// ln(1 + r) / r over √½ ≤ 1 + r ≤ √2, the constant first.
const LOGARITHM: [f32; 7] =
    [1.000_003_2, -0.500_019_67, 0.333_032_94, -0.248_813_17, 0.206_047_22, -0.189_022_05, 0.118_275_89];
/// sin(πx/2) / x in powers of x².
const SINE: [f32; 4] = [1.570_791, -0.645_892_86, 0.079_434_33, -0.004_333_082_6];
/// cos(πx/2) in powers of x².
const COSINE: [f32; 5] = [0.999_999_94, -1.233_698_2, 0.253_650_75, -0.020_810_625, 0.000_858_188_8];

/// Two independent standard normal deviates from two random words.
#[inline(always)]
pub(super) fn normal_pair(a: u32, b: u32) -> (f32, f32) {
    // Conversions from signed words are single instructions; u is exact where it is small, so that the tails are.
    let u = ((a >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    let radius = (-2.0 * ln(u)).sqrt();
    let x = b as i32 as f32 * (1.0 / 2_147_483_648.0);
    let sine = x * polynomial(&SINE, x * x);
    let cosine = f32::from_bits(polynomial(&COSINE, x * x).to_bits() ^ (a << 31));
    (radius * cosine, radius * sine)
}

/// The natural logarithm of a number in [2⁻¹²⁶, 1]; never above zero.
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = 2^e (1 + r) with 1 + r between √½ and √2, whose bits as an integer are these.
    const SQRT_HALF: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let e = bits.wrapping_sub(SQRT_HALF) >> 23;
    let r = f32::from_bits(bits.wrapping_sub(e << 23) as u32) - 1.0;
    e as f32 * std::f32::consts::LN_2 + r * polynomial(&LOGARITHM, r)
}

/// Σ cₖ xᵏ by Horner's scheme.
#[inline(always)]
fn polynomial<const N: usize>(c: &[f32; N], x: f32) -> f32 {
    c[..N - 1].iter().rev().fold(c[N - 1], |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, fill};
    use statrs::function::erf::erfc;
    use std::f64::consts::{PI, SQRT_2};

    fn deviates(n: usize, seed: u64) -> Vec<f64> {
        let mut words = vec![0; n];
        fill(seed, Stream::Test, 0, 0, &mut words);
        words
            .as_chunks()
            .0
            .iter()
            .flat_map(|&[a, b]| <[f32; 2]>::from(normal_pair(a, b)))
            .map(f64::from)
            .collect()
    }

    #[test]
    fn deviates_are_those_of_box_and_muller_in_double_precision() {
        let mut words = vec![0; 200_000];
        fill(1, Stream::Test, 1, 0, &mut words);
        words.extend([
            0,
            1,
            2,
            3,
            5,
            1 << 31,
            (1 << 31) - 1,
            u32::MAX,
            u32::MAX - 1,
            1 << 30,
            3 << 30,
            0xb504_f333,
        ]);
        for pair in words.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let radius = (-2.0 * ((f64::from(a >> 1) + 0.5) / 2f64.powi(31)).ln()).sqrt();
            let angle = 0.5 * PI * f64::from(b as i32) / 2f64.powi(31);
            let sign = if a & 1 == 0 { 1.0 } else { -1.0 };
            let (x, y) = normal_pair(a, b);
            // The radius loses bits only where u is near one and the radius near zero.
            let error = 2e-6 * radius + 1e-6 + 1.2e-7 / radius.max(3e-4);
            assert!((f64::from(x) - sign * radius * angle.cos()).abs() < error, "{a:x} {b:x}: {x}");
            assert!((f64::from(y) - radius * angle.sin()).abs() < error, "{a:x} {b:x}: {y}");
        }
    }

    #[test]
    fn moments_and_tails_are_the_normal_distributions() {
        const N: usize = 16_000_000;
        let n = N as f64;
        let (mut sums, mut beyond) = ([0.0; 4], [0usize; 2]);
        for z in deviates(N, 2) {
            let zz = z * z;
            for (sum, power) in sums.iter_mut().zip([z, zz, zz * z, zz * zz]) {
                *sum += power / n;
            }
            beyond[0] += usize::from(zz > 9.0);
            beyond[1] += usize::from(zz > 16.0);
        }
        // ⟨zᵏ⟩ and four standard errors √((⟨z²ᵏ⟩ − ⟨zᵏ⟩²) / n): the variances of z … z⁴ are 1, 2, 15, 96.
        for ((sum, expected), variance) in
            sums.into_iter().zip([0.0, 1.0, 0.0, 3.0]).zip([1.0f64, 2.0, 15.0, 96.0])
        {
            assert!((sum - expected).abs() < 4.0 * (variance / n).sqrt(), "{sum}, not {expected}");
        }
        // 43,197 and 1,014 are expected beyond 3 σ and 4 σ.
        for (count, sigmas) in beyond.into_iter().zip([3.0, 4.0]) {
            let expected = n * erfc(sigmas / SQRT_2);
            assert!(
                (count as f64 - expected).abs() < 4.0 * expected.sqrt(),
                "{count} beyond {sigmas}, not {expected}"
            );
        }
    }

    #[test]
    fn the_distribution_is_normal_by_kolmogorov_and_smirnov() {
        let mut z = deviates(1_000_000, 3);
        z.sort_unstable_by(f64::total_cmp);
        let n = z.len() as f64;
        let distance = z.iter().enumerate().map(|(i, z)| {
            let p = 0.5 * erfc(-z / SQRT_2);
            (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
        });
        // One set in a thousand has D √n above 1.95.
        assert!(distance.fold(0.0, f64::max) * n.sqrt() < 1.95);
    }

    #[test]
    fn neighbours_and_seeds_are_independent() {
        const N: usize = 1_000_000;
        let (z, other) = (deviates(N, 4), deviates(N, 5));
        let correlation =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / a.len() as f64;
        let squares: Vec<f64> = z.iter().map(|z| (z * z - 1.0) / SQRT_2).collect();
        let error = 4.0 / (N as f64).sqrt();
        for shift in [1, 2, 3, 4, 64] {
            assert!(correlation(&z[shift..], &z[..N - shift]).abs() < error, "{shift}");
            assert!(correlation(&squares[shift..], &squares[..N - shift]).abs() < error, "squares, {shift}");
        }
        assert!(correlation(&z, &other).abs() < error);
    }
}
