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
