// Aᵀ of conv2d_winograd.wgsl: four outputs of a column from its sums at the points. Sums, of as many columns as are made
// together, are those of conv2d_winograd_sums*.wgsl, and so is plus(a, s, b) = a + s·b.

struct SumsAt { a: Sums, minus_a: Sums, b: Sums, minus_b: Sums, c: Sums, minus_c: Sums, infinity: Sums }

// The point 0 counts in the first row alone, ∞ in the last. KH = 2 has no ∞, and A²·odd is written odd + (A² − 1)·odd, so
// that its last row, too, begins with a bare number.
struct Four { r0: Sums, r1: Sums, r2: Sums, r3: Sums }
fn finish(s: SumsAt) -> Four {
  let even = plus(s.a, SIGN, s.minus_a);
  let odd = plus(s.a, -SIGN, s.minus_a);
  let even_b = plus(s.b, SIGN, s.minus_b);
  let odd_b = plus(s.b, -SIGN, s.minus_b);
  let even_c = plus(s.c, SIGN, s.minus_c);
  let r0 = plus(plus(even_c, 1.0 / (B * B), even_b), 1.0 / A, even);
  let r1 = plus(odd, 1.0 / B, odd_b);
  let r2 = plus(even_b, A, even);
  if KH < 3u { return Four(r0, r1, r2, plus(plus(odd, B, odd_b), A * A - 1.0, odd)); }
  let r3 = plus(plus(s.infinity, B, odd_b), A * A, odd);
  if KH < 4u { return Four(r0, r1, r2, r3); }
  let odd_c = plus(s.c, -SIGN, s.minus_c);
  return Four(r0, plus(r1, C, odd_c), plus(r2, C * C, even_c), plus(r3, C * C * C, odd_c));
}
