// Weight gradient of the convolution, first pass: each block of output rows sums its own pixels,
//
//   p[block,ky,kx,c,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order: no atomics, the same bits always.
//
//   x   [N][HEIGHT][WIDTH][CI]                        as conv2d_weight_gradient_pixels.wgsl or conv2d_pixels_in_*.wgsl declares it
//   d   [N][HEIGHT][WIDTH][CO/OUTPUTS]                ∂L/∂y, as conv2d_gradients_in_*.wgsl declares it; CO a multiple of OUTPUTS
//   p   [blocks][KH][KW][CI][CO/OUTPUTS] Outputs       KH 2 to 4, KW at most 4
//
// The rows of each image go in groups of four. A block is `groups` of the N·⌈HEIGHT/4⌉ = `all` groups of
// the batch, the last one what is left.
//
// What makes it fast: 5/8 to 7/16 of the multiplications, by the KH + 3 points of conv2d_winograd.wgsl. Down a
// column, the KH weights are what in conv2d_forward_7_winograd.wgsl the outputs are, and four rows of gradients
// take the kernel's place:
//
//   p = Aᵀ Σ (Bᵀ·x) ∘ (G·d)
//
// with Aᵀ once, at the end. As by shared rows, a pixel is loaded once by a subgroup, by the lanes that
// conv2d_weight_gradient_pixels*.wgsl says, and spread by broadcasts, after Bᵀ; and of the KH + 3 rows that a group needs,
// KH − 1 are kept from the group above.
//
// The sums are where conv2d_weight_gradient_sums*.wgsl has them.
//
// Tile: an invocation keeps KH + 3 points × KW columns of 8 input × OUTPUTS output channels, and goes over strips
// of eight columns; lanes run over output channels. A workgroup is LANES lanes of one group of eight input
// channels. Dispatch: (⌈CI/8⌉, ⌈CO/OUTPUTS / LANES⌉, blocks).
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8. Reads are clamped into the image.

override LANES: u32;

// How much of a sum's terms their rounding may leave where they cancel: 32 roundings by half a unit in the last place. That is
// measured, not a bound: of sums of nothing in sparse layers one in ten thousand keeps more.
const ROUNDING = 32.0 / 16777216.0;

struct Immediates { groups: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(2) var<storage, read_write> p: array<Outputs>;

// What belongs to the points; c is the point 0 where KH < 4, and what KH has no point for is not used.
struct RowsAt { a: Row, minus_a: Row, b: Row, minus_b: Row, c: Row, minus_c: Row, infinity: Row }
struct GradientsAt { a: Gradients, minus_a: Gradients, b: Gradients, minus_b: Gradients, c: Gradients, minus_c: Gradients,
                     infinity: Gradients }
struct TapsAt { a: Taps, minus_a: Taps, b: Taps, minus_b: Taps, c: Taps, minus_c: Taps, infinity: Taps }

fn gradient(image: u32, i: u32, j: u32, o: u32) -> Outputs {
  let at = ((image * HEIGHT + min(i, HEIGHT - 1u)) * WIDTH + min(j, WIDTH - 1u)) * (CO / OUTPUTS) + o;
  return select(Outputs(), outputs_of_d(at), i < HEIGHT && j < WIDTH);
}
fn gradients(image: u32, i: u32, j: u32, o: u32) -> Gradients {
  return Gradients(
    Matrix(gradient(image, i, j, o), gradient(image, i, j + 1u, o), gradient(image, i, j + 2u, o), gradient(image, i, j + 3u, o)),
    Matrix(gradient(image, i, j + 4u, o), gradient(image, i, j + 5u, o), gradient(image, i, j + 6u, o), gradient(image, i, j + 7u, o)));
}
// a + s·b.
fn plus_gradients(a: Gradients, s: f32, b: Gradients) -> Gradients {
  return Gradients(plus_columns(a.near, s, b.near), plus_columns(a.far, s, b.far));
}
// G on the four rows from row i on.
fn all_gradients(image: u32, i: u32, j: u32, o: u32) -> GradientsAt {
  let g0 = gradients(image, i, j, o);
  let g1 = gradients(image, i + 1u, j, o);
  let g2 = gradients(image, i + 2u, j, o);
  let g3 = gradients(image, i + 3u, j, o);
  let even = plus_gradients(g0, A * A, g2);
  let odd = plus_gradients(g1, A * A, g3);
  let even_b = plus_gradients(g0, B * B, g2);
  let odd_b = plus_gradients(g1, B * B, g3);
  var c = g0;
  var minus_c: Gradients;
  if KH > 3u {
    let even_c = plus_gradients(g0, C * C, g2);
    let odd_c = plus_gradients(g1, C * C, g3);
    c = plus_gradients(even_c, C, odd_c);
    minus_c = plus_gradients(even_c, -C, odd_c);
  }
  return GradientsAt(plus_gradients(even, A, odd), plus_gradients(even, -A, odd),
                     plus_gradients(even_b, B, odd_b), plus_gradients(even_b, -B, odd_b), c, minus_c, g3);
}

// The rows of pixels under a group of outputs, r5 where KH > 2, r6 where KH = 4.
struct Rows { r0: Row, r1: Row, r2: Row, r3: Row, r4: Row, r5: Row, r6: Row }
// From row i on, of which the group above has loaded KH − 1 before, unless this is the first of its image or block.
fn rows(above: Rows, anew: bool, image: u32, i: i32, j: i32, mine: Part) -> Rows {
  var r: Rows;
  r.r0 = above.r4;
  if KH > 2u { r.r1 = above.r5; }
  if KH > 3u { r.r2 = above.r6; }
  if anew {
    r.r0 = row_of(image, i, j, mine);
    if KH > 2u { r.r1 = row_of(image, i + 1, j, mine); }
    if KH > 3u { r.r2 = row_of(image, i + 2, j, mine); }
  }
  if KH < 3u { r.r1 = row_of(image, i + 1, j, mine); }
  if KH < 4u { r.r2 = row_of(image, i + 2, j, mine); }
  r.r3 = row_of(image, i + 3, j, mine);
  r.r4 = row_of(image, i + 4, j, mine);
  if KH > 2u { r.r5 = row_of(image, i + 5, j, mine); }
  if KH > 3u { r.r6 = row_of(image, i + 6, j, mine); }
  return r;
}

// a + s·b.
fn plus(a: Row, s: f32, b: Row) -> Row {
  return Row(fma(vec4f(s), b.a, a.a), fma(vec4f(s), b.b, a.b), fma(vec4f(s), b.c, a.c));
}
// μ on every other of five rows.
fn of_mu(r0: Row, r2: Row, r4: Row) -> Row {
  return plus(plus(r4, -SUM, r2), PRODUCT, r0);
}
// Bᵀ; what m has beside μ comes first, p or p² − C².
fn transformed(r: Rows) -> RowsAt {
  var p0 = r.r1;
  var p1 = r.r2;
  var p2 = r.r3;
  var p3 = r.r4;
  var c = of_mu(r.r0, r.r2, r.r4);
  var minus_c: Row;
  var infinity = of_mu(r.r1, r.r3, r.r5);
  if KH > 3u {
    p0 = plus(r.r2, -C * C, r.r0);
    p1 = plus(r.r3, -C * C, r.r1);
    p2 = plus(r.r4, -C * C, r.r2);
    p3 = plus(r.r5, -C * C, r.r3);
    let even = c;
    let odd = infinity;
    c = plus(odd, C, even);
    minus_c = plus(odd, -C, even);
    infinity = of_mu(p0, p2, plus(r.r6, -C * C, r.r4));
  }
  let even = plus(p2, -B * B, p0);
  let odd = plus(p3, -B * B, p1);
  let even_b = plus(p2, -A * A, p0);
  let odd_b = plus(p3, -A * A, p1);
  return RowsAt(plus(odd, A, even), plus(odd, -A, even), plus(odd_b, B, even_b), plus(odd_b, -B, even_b), c, minus_c, infinity);
}

// What points add to a row of weights, and how large the terms of that are.
struct Terms { sum: Taps, size: Taps }
// a + s·b, and |a| + |b|.
fn sum_of(a: Taps, s: f32, b: Taps) -> Taps {
  let t = Outputs(s);
  return Taps(fma(t, b.k0, a.k0), fma(t, b.k1, a.k1), fma(t, b.k2, a.k2), fma(t, b.k3, a.k3));
}
fn size_of(a: Taps, b: Taps) -> Taps {
  return Taps(abs(a.k0) + abs(b.k0), abs(a.k1) + abs(b.k1), abs(a.k2) + abs(b.k2), abs(a.k3) + abs(b.k3));
}
// t + s·u, and the sizes likewise.
fn plus_terms(t: Terms, s: f32, u: Terms) -> Terms {
  return Terms(sum_of(t.sum, s, u.sum), sum_of(t.size, abs(s), u.size));
}
// Where no product meets a tap its terms cancel but for their rounding. Adam divides a gradient by its own size and would make
// a whole step of that, so a sum that is smaller is 0, as the direct one. A NaN is not smaller: it passes.
fn settled(t: Terms) -> Taps {
  return Taps(select(t.sum.k0, Outputs(), abs(t.sum.k0) < ROUNDING * t.size.k0),
              select(t.sum.k1, Outputs(), abs(t.sum.k1) < ROUNDING * t.size.k1),
              select(t.sum.k2, Outputs(), abs(t.sum.k2) < ROUNDING * t.size.k2),
              select(t.sum.k3, Outputs(), abs(t.sum.k3) < ROUNDING * t.size.k3));
}
// Aᵀ on an input channel: row e has the e-th powers of the points over m′; the point 0 counts in the first row alone, ∞ in the last.
fn store(block: u32, c: u32, o: u32, s: TapsAt) {
  if c >= CI { return; }
  let nothing = Terms();
  let infinity = Terms(s.infinity, size_of(s.infinity, Taps()));
  let size = size_of(s.a, s.minus_a);
  let even = Terms(sum_of(s.a, SIGN, s.minus_a), size);
  let odd = Terms(sum_of(s.a, -SIGN, s.minus_a), size);
  let size_b = size_of(s.b, s.minus_b);
  let even_b = Terms(sum_of(s.b, SIGN, s.minus_b), size_b);
  let odd_b = Terms(sum_of(s.b, -SIGN, s.minus_b), size_b);
  let size_c = size_of(s.c, s.minus_c);
  let even_c = Terms(sum_of(s.c, SIGN, s.minus_c), size_c);
  let row_0 = plus_terms(plus_terms(plus_terms(nothing, OF_A, even), OF_B, even_b), OF_C, even_c);
  let row_1 = plus_terms(plus_terms(nothing, OF_A * A, odd), OF_B * B, odd_b);
  let row_2 = plus_terms(plus_terms(nothing, OF_A * A * A, even), OF_B * B * B, even_b);
  store_row(block, 0u, c, o, settled(row_0));
  if KH < 4u {
    store_row(block, 1u, c, o, settled(row_1));
    if KH > 2u { store_row(block, 2u, c, o, settled(plus_terms(row_2, 1.0, infinity))); }
    return;
  }
  let odd_c = Terms(sum_of(s.c, -SIGN, s.minus_c), size_c);
  let row_3 = plus_terms(plus_terms(infinity, OF_A * A * A * A, odd), OF_B * B * B * B, odd_b);
  store_row(block, 1u, c, o, settled(plus_terms(row_1, OF_C * C, odd_c)));
  store_row(block, 2u, c, o, settled(plus_terms(row_2, OF_C * C * C, even_c)));
  store_row(block, 3u, c, o, settled(plus_terms(row_3, OF_C * C * C * C, odd_c)));
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let first = group.z * given.groups;
  let count = min(first + given.groups, given.all) - first;
  let channels = group.x * 8u;
  let mine = part(channels, lane);
  let outputs = group.y * LANES + local;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let strips = (WIDTH + 7u) / 8u;
  let down = (HEIGHT + 3u) / 4u;
  var pixels: Rows;
  for (var step = 0u; step < strips * count; step++) {
    let line = first + step % count;
    let image = line / down;
    let i = line % down * 4u;
    let j = step / count * 8u;
    pixels = rows(pixels, i == 0u || line == first, image, i32(i) - i32(PAD_TOP), i32(j) - i32(PAD_LEFT), mine);
    add_all(transformed(pixels), all_gradients(image, i, j, o));
  }
  if outputs < CO / OUTPUTS { store_all(group.z, channels, o); }
}
