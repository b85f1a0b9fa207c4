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
