// What Winograd's kernels have in common: the points at which they know their polynomials, and sums of columns.
//
// The points are 0, ±A, ±B and ∞. Their powers are exact, and A·B is near 1, so that none of them runs away: with ±1 and ±2, the
// usual choice, errors are twice as large (docs/src/ladder.md).
//
// m(p) = p (p² − A²) (p² − B²) is zero at the five finite ones. Bᵀ holds what is left of m without one of its factors,
// Aᵀ the points' powers, over m′ there.
const A = 0.75;
const B = 1.5;
// m(p) = p⁵ − SUM·p³ + PRODUCT·p.
const SUM = A * A + B * B;
const PRODUCT = A * A * B * B;
// 1/m′ at 0, ±A and ±B.
const OF_0 = 1.0 / PRODUCT;
const OF_A = 0.5 / (A * A * (A * A - B * B));
const OF_B = 0.5 / (B * B * (B * B - A * A));

// a + s·b, fused: a product and a sum apart may be fused or not by what comes after them, and give other bits.
fn plus_columns(a: Matrix, s: f32, b: Matrix) -> Matrix {
  let t = Outputs(s);
  return Matrix(fma(t, b[0], a[0]), fma(t, b[1], a[1]), fma(t, b[2], a[2]), fma(t, b[3], a[3]));
}
