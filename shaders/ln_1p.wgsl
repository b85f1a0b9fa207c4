// The natural logarithm of 1 + v for v > −1, to a few units in the last place everywhere: WGSL's own
// log() may be off by 2⁻²¹ near 1, which is all of the result for a small v. A part of other kernels.
//
// 1 + v = 2ᵉ·(1 + f) with 1 + f in [√½, √2) — for a small v, e = 0 and f = v itself, without rounding
// 1 + v — and ln(1 + f) = 2·artanh(s) = 2(s + s³/3 + s⁵/5 + s⁷/7 + s⁹/9), s = f/(2 + f), |s| < 0.172.

fn ln_1p(v: f32) -> f32 {
  const LN_2 = 0.6931471805599453;
  const ONE = 0x3F800000u;                             // the bits of 1 and of √½
  const SQRT_HALF = 0x3F3504F3u;
  let bits = bitcast<u32>(1.0 + v) + (ONE - SQRT_HALF);
  let small = v > -0.25 && v < 0.4;
  let e = select(f32(i32(bits >> 23u) - 127), 0.0, small);
  let f = select(bitcast<f32>((bits & 0x007FFFFFu) + SQRT_HALF) - 1.0, v, small);
  let s = f / (2.0 + f);
  let z = s * s;
  let series = fma(fma(fma(fma(z, 1.0 / 9.0, 1.0 / 7.0), z, 1.0 / 5.0), z, 1.0 / 3.0), z, 1.0);
  return fma(e, LN_2, 2.0 * s * series);
}
