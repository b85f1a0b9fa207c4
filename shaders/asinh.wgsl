// asinh is odd, and asinh(t) = ln(1 + t + t²/(1 + √(1 + t²))) for t ≥ 0, which keeps all digits of a
// small t, where the built-in function of some drivers loses them. From 10⁴ on asinh(t) = ln(2t) in
// f32, and t² cannot overflow. A part of other kernels, after ln_1p.wgsl.
fn inverse_sinh(v: f32) -> f32 {
  const LARGE = 1e4;
  let t = abs(v);
  let m = min(t, LARGE);
  let size = ln_1p(select(m + m * m / (1.0 + sqrt(fma(m, m, 1.0))), fma(2.0, t, -1.0), t > LARGE));
  return select(size, -size, v < 0.0);
}
