// What Winograd's kernels have in common: the points at which they know their polynomials, and sums of columns.
//
// Four outputs of a column and the KH rows of a kernel make a polynomial of KH + 3 coefficients, which is known by its
// values at as many points:
//
//   KH = 2   0, ±A, ±B
//   KH = 3   0, ±A, ±B, ∞
//   KH = 4   ±C, ±A, ±B, ∞
//
// m is zero at the finite ones, and μ(p) = (p² − A²)(p² − B²) is what it has in any case: m = p·μ, for KH = 4
// (p² − C²)·μ. Bᵀ holds m divided by p − point, and for ∞ all of it; G and Aᵀ hold the points' powers, and one of them 1/m′.
//
// The points are short binary fractions, whose powers are exact, on both sides of the 1 that 0 and ∞ count with: cubes are
// 0.05, 0.42 and 3.4, where the usual ±1 and ±2 have 1 and 8.

const A = 0.75;
const B = 1.5;
const C = 0.375;
// μ(p) = p⁴ − SUM·p² + PRODUCT.
const SUM = A * A + B * B;
const PRODUCT = A * A * B * B;

// 1/m′ at A, at B and at the point 0 or C. At −A, −B and −C it is SIGN times as much.
override OF_A: f32 = select(0.5 / (A * A * (A * A - B * B)), 0.5 / (A * (A * A - B * B) * (A * A - C * C)), KH > 3u);
override OF_B: f32 = select(0.5 / (B * B * (B * B - A * A)), 0.5 / (B * (B * B - A * A) * (B * B - C * C)), KH > 3u);
override OF_C: f32 = select(1.0 / PRODUCT, 0.5 / (C * (C * C - A * A) * (C * C - B * B)), KH > 3u);
override SIGN: f32 = select(1.0, -1.0, KH > 3u);

// a + s·b, fused: a product and a sum apart may be fused or not by what comes after them, and give other bits.
fn plus_columns(a: Matrix, s: f32, b: Matrix) -> Matrix {
  let t = Outputs(s);
  return Matrix(fma(t, b[0], a[0]), fma(t, b[1], a[1]), fma(t, b[2], a[2]), fma(t, b[3], a[3]));
}
