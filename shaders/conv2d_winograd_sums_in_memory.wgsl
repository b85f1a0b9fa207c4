// The sums of Winograd's forward kernel as arrays in memory. conv2d_winograd_sums.wgsl is the other way. Before
// conv2d_winograd_in_memory.wgsl.

// Two columns.
struct Two { left: Outputs, right: Outputs }
alias Sums = Two;
alias AtPoint = array<Two, 8>; // of the sixteen columns

// A round's operands at a point for eight columns from a pair on: a channel's taps, those of the next channel, and a strip of pixels
// of both.
fn add_strip(s: ptr<private, AtPoint>, pair: u32, k: Taps, l: Taps, p: Pixels, q: Pixels) {
  (*s)[pair].left = taps((*s)[pair].left, k, l, p.a, q.a);
  (*s)[pair].right = taps((*s)[pair].right, k, l, left_1(p), left_1(q));
  (*s)[pair + 1u].left = taps((*s)[pair + 1u].left, k, l, left_2(p), left_2(q));
  (*s)[pair + 1u].right = taps((*s)[pair + 1u].right, k, l, left_3(p), left_3(q));
  (*s)[pair + 2u].left = taps((*s)[pair + 2u].left, k, l, p.b, q.b);
  (*s)[pair + 2u].right = taps((*s)[pair + 2u].right, k, l, right_1(p), right_1(q));
  (*s)[pair + 3u].left = taps((*s)[pair + 3u].left, k, l, right_2(p), right_2(q));
  (*s)[pair + 3u].right = taps((*s)[pair + 3u].right, k, l, right_3(p), right_3(q));
}
fn add_tile(s: ptr<private, AtPoint>, k: Taps, l: Taps, r: Row, f: Row, g: Row) {
  add_strip(s, 0u, k, l, spread(r.x, r.y), spread(r.z, r.w));
  add_strip(s, 4u, k, l, spread_before(r.y, f.xyz), spread_before(r.w, g.xyz));
}
fn add(k: TapsAt, l: TapsAt, rows: LoadedAt) {
  let r = rows.near;
  let f = rows.far;
  let g = rows.far_next;
  if KH > 2u { add_tile(&at_infinity, k.infinity, l.infinity, r.infinity, f.infinity, g.infinity); }
  if KH > 3u { add_tile(&at_minus_c, k.minus_c, l.minus_c, r.minus_c, f.minus_c, g.minus_c); }
  add_tile(&at_c, k.c, l.c, r.c, f.c, g.c);
  add_tile(&at_a, k.a, l.a, r.a, f.a, g.a);
  add_tile(&at_minus_a, k.minus_a, l.minus_a, r.minus_a, f.minus_a, g.minus_a);
  add_tile(&at_b, k.b, l.b, r.b, f.b, g.b);
  add_tile(&at_minus_b, k.minus_b, l.minus_b, r.minus_b, f.minus_b, g.minus_b);
}

// a + s·b, fused: a product and a sum apart may be fused or not by what comes after them, and give other bits.
fn plus(a: Two, s: f32, b: Two) -> Two {
  return Two(fma(Outputs(s), b.left, a.left), fma(Outputs(s), b.right, a.right));
}

// Rows i and i + 1, of columns j and j + 1.
fn store_two(image: u32, i: u32, j: u32, group: u32, upper: Two, lower: Two, b: Outputs) {
  store_cell(image, i, j, group, Matrix(upper.left, upper.right, lower.left, lower.right), b);
}

// The rows from i on and the columns from j on of a group of outputs. Counted from 0 the loop would be unrolled, and all numbers
// known.
fn store_tile(image: u32, i: u32, j: u32, group: u32, b: Outputs) {
  for (var column = j; column < min(j + 16u, WIDTH); column += 2u) {
    let n = (column - j) / 2u;
    let four = finish(SumsAt(at_a[n], at_minus_a[n], at_b[n], at_minus_b[n], at_c[n], at_minus_c[n], at_infinity[n]));
    store_two(image, i, column, group, four.r0, four.r1, b);
    store_two(image, i + 2u, column, group, four.r2, four.r3, b);
  }
}
