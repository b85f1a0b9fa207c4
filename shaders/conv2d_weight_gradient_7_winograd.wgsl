// Weight gradient of the convolution, first pass: each block of output rows sums its own pixels,
//
//   p[block,ky,kx,c,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order: no atomics, the same bits always.
//
//   x   [N][HEIGHT][WIDTH][CI]
//   d   [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs         ∂L/∂y; CO a multiple of OUTPUTS
//   p   [blocks][KH][KW][CI][CO/OUTPUTS] Outputs       KH 3 or 4, KW at most 4
//
// The rows of each image go in groups of M = 7 − KH. A block is `groups` of the N·⌈HEIGHT/M⌉ = `all` groups of
// the batch, the last one what is left.
//
// What makes it fast: half the multiplications, by the six points of conv2d_winograd.wgsl. Down a
// column, the KH weights are what there the outputs are, and M rows of gradients take the kernel's place:
//
//   p = Aᵀ Σ (Bᵀ·x) ∘ (G·d)
//
// with Aᵀ once, at the end. As by shared rows, a pixel is loaded once by a subgroup, a channel a lane, and
// spread by broadcasts, after Bᵀ; and of the six rows that a group needs, KH − 1 are kept from the group above.
//
// Tile: an invocation keeps six points × KW columns of 8 input × OUTPUTS output channels, and goes over strips
// of eight columns; lanes run over output channels. A workgroup is LANES lanes of one group of eight input
// channels. Dispatch: (⌈CI/8⌉, ⌈CO/OUTPUTS / LANES⌉, blocks).
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8. Reads are clamped into the image.

override CI: u32;
override LANES: u32;
override M: u32 = 7u - KH;

// Of a sum's terms, how much of them their rounding may leave where they cancel: 32 units in the last place.
const ROUNDING = 1.0 / 524288.0;

struct Immediates { groups: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> d: array<Outputs>;
@group(0) @binding(2) var<storage, read_write> p: array<Outputs>;

// A row of the kernel for eight input channels.
struct Channels { c0: Taps, c1: Taps, c2: Taps, c3: Taps, c4: Taps, c5: Taps, c6: Taps, c7: Taps }

// What belongs to the six points.
struct SixPixels { t0: Pixels, t1: Pixels, t2: Pixels, t3: Pixels, t4: Pixels, t5: Pixels }
struct SixGradients { t0: Gradients, t1: Gradients, t2: Gradients, t3: Gradients, t4: Gradients, t5: Gradients }
struct SixTaps { t0: Taps, t1: Taps, t2: Taps, t3: Taps, t4: Taps, t5: Taps }

fn gradient(image: u32, i: u32, j: u32, o: u32) -> Outputs {
  let at = ((image * HEIGHT + min(i, HEIGHT - 1u)) * WIDTH + min(j, WIDTH - 1u)) * (CO / OUTPUTS) + o;
  return select(Outputs(), d[at], i < HEIGHT && j < WIDTH);
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
// G on the M rows from row i on.
fn all_gradients(image: u32, i: u32, j: u32, o: u32) -> SixGradients {
  let g0 = gradients(image, i, j, o);
  let g1 = gradients(image, i + 1u, j, o);
  let g2 = gradients(image, i + 2u, j, o);
  let even = plus_gradients(g0, A * A, g2);
  let even_2 = plus_gradients(g0, B * B, g2);
  var last = g2;
  var odd = g1;
  var odd_2 = g1;
  if M > 3u {
    last = gradients(image, i + 3u, j, o);
    odd = plus_gradients(g1, A * A, last);
    odd_2 = plus_gradients(g1, B * B, last);
  }
  return SixGradients(g0, plus_gradients(even, A, odd), plus_gradients(even, -A, odd),
                      plus_gradients(even_2, B, odd_2), plus_gradients(even_2, -B, odd_2), last);
}

// a + s·b.
fn plus(a: Pixels, s: f32, b: Pixels) -> Pixels {
  return Pixels(fma(vec4f(s), b.a, a.a), fma(vec4f(s), b.b, a.b), fma(vec3f(s), b.c, a.c));
}
// The six rows of pixels under a group of outputs.
struct SixRows { r0: Pixels, r1: Pixels, r2: Pixels, r3: Pixels, r4: Pixels, r5: Pixels }
// From row i on, of which the group above has loaded KH − 1 before, unless this is the first of its image or block.
fn rows(above: SixRows, anew: bool, image: u32, i: i32, j: i32, c: u32) -> SixRows {
  var r = SixRows(above.r3, above.r4, above.r5, Pixels(), Pixels(), Pixels());
  if M > 3u {
    r = SixRows(above.r4, above.r5, row_of(image, i + 2, j, c), Pixels(), Pixels(), Pixels());
  }
  if anew {
    r.r0 = row_of(image, i, j, c);
    r.r1 = row_of(image, i + 1, j, c);
    if M == 3u { r.r2 = row_of(image, i + 2, j, c); }
  }
  r.r3 = row_of(image, i + 3, j, c);
  r.r4 = row_of(image, i + 4, j, c);
  r.r5 = row_of(image, i + 5, j, c);
  return r;
}
// Bᵀ on them.
fn transformed(r: SixRows) -> SixPixels {
  let even = plus(r.r4, -B * B, r.r2);
  let odd = plus(r.r3, -B * B, r.r1);
  let even_2 = plus(r.r4, -A * A, r.r2);
  let odd_2 = plus(r.r3, -A * A, r.r1);
  return SixPixels(plus(plus(r.r4, -SUM, r.r2), PRODUCT, r.r0), plus(even, A, odd), plus(even, -A, odd),
                   plus(even_2, B, odd_2), plus(even_2, -B, odd_2), plus(plus(r.r5, -SUM, r.r3), PRODUCT, r.r1));
}

fn add(s: Channels, r: Pixels, g: Gradients) -> Channels {
  return Channels(add_row(s.c0, spread_0(r), g), add_row(s.c1, spread_1(r), g), add_row(s.c2, spread_2(r), g),
                  add_row(s.c3, spread_3(r), g), add_row(s.c4, spread_4(r), g), add_row(s.c5, spread_5(r), g),
                  add_row(s.c6, spread_6(r), g), add_row(s.c7, spread_7(r), g));
}

// a + s·b, and |a| + |b|.
fn sum_of(a: Taps, s: f32, b: Taps) -> Taps {
  let t = Outputs(s);
  return Taps(fma(t, b.k0, a.k0), fma(t, b.k1, a.k1), fma(t, b.k2, a.k2), fma(t, b.k3, a.k3));
}
fn size_of(a: Taps, b: Taps) -> Taps {
  return Taps(abs(a.k0) + abs(b.k0), abs(a.k1) + abs(b.k1), abs(a.k2) + abs(b.k2), abs(a.k3) + abs(b.k3));
}
// Where no product meets a tap its terms cancel but for their rounding. Adam divides a gradient by its own size and would make
// a whole step of that, so a sum that is no larger is 0, as the direct one.
fn settled(sum: Taps, size: Taps) -> Taps {
  return Taps(select(Outputs(), sum.k0, abs(sum.k0) > ROUNDING * size.k0), select(Outputs(), sum.k1, abs(sum.k1) > ROUNDING * size.k1),
              select(Outputs(), sum.k2, abs(sum.k2) > ROUNDING * size.k2), select(Outputs(), sum.k3, abs(sum.k3) > ROUNDING * size.k3));
}
// A row of Aᵀ: s·a + t·b + r·c.
fn row_sum(s: f32, a: Taps, t: f32, b: Taps, r: f32, c: Taps) -> Taps {
  return sum_of(sum_of(sum_of(Taps(), s, a), t, b), r, c);
}
// Aᵀ on an input channel: row e has the e-th powers of the points over m′, and ∞ counts in the last row alone.
fn store(block: u32, c: u32, o: u32, s: SixTaps) {
  if c >= CI { return; }
  let even = sum_of(s.t1, 1.0, s.t2);
  let odd = sum_of(s.t1, -1.0, s.t2);
  let even_2 = sum_of(s.t3, 1.0, s.t4);
  let odd_2 = sum_of(s.t3, -1.0, s.t4);
  // The sizes of what the pairs of points and the two others add.
  let size = size_of(s.t1, s.t2);
  let size_2 = size_of(s.t3, s.t4);
  let at_0 = size_of(s.t0, Taps());
  let at_infinity = size_of(s.t5, Taps());
  const A1 = abs(OF_A) * A; const A2 = A1 * A; const A3 = A2 * A;
  const B1 = OF_B * B; const B2 = B1 * B; const B3 = B2 * B;
  let last = f32(KH == 3u);
  store_row(block, 0u, c, o, settled(row_sum(OF_0, s.t0, OF_A, even, OF_B, even_2),
                                     row_sum(OF_0, at_0, -OF_A, size, OF_B, size_2)));
  store_row(block, 1u, c, o, settled(row_sum(0.0, s.t0, -A1, odd, B1, odd_2), row_sum(0.0, at_0, A1, size, B1, size_2)));
  store_row(block, 2u, c, o, settled(row_sum(last, s.t5, -A2, even, B2, even_2), row_sum(last, at_infinity, A2, size, B2, size_2)));
  if KH > 3u {
    store_row(block, 3u, c, o, settled(row_sum(1.0, s.t5, -A3, odd, B3, odd_2), row_sum(1.0, at_infinity, A3, size, B3, size_2)));
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let first = group.z * given.groups;
  let count = min(first + given.groups, given.all) - first;
  let channels = group.x * 8u;
  let c = min(channels + min(lane, 7u), CI - 1u);
  let outputs = group.y * LANES + local;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let strips = (WIDTH + 7u) / 8u;
  let down = (HEIGHT + M - 1u) / M;
  var pixels: SixRows;
  var s0: Channels; var s1: Channels; var s2: Channels; var s3: Channels; var s4: Channels; var s5: Channels;
  for (var step = 0u; step < strips * count; step++) {
    let line = first + step % count;
    let image = line / down;
    let i = line % down * M;
    let j = step / count * 8u;
    pixels = rows(pixels, i == 0u || line == first, image, i32(i) - i32(PAD_TOP), i32(j) - i32(PAD_LEFT), c);
    let r = transformed(pixels);
    let g = all_gradients(image, i, j, o);
    s0 = add(s0, r.t0, g.t0);
    s1 = add(s1, r.t1, g.t1);
    s2 = add(s2, r.t2, g.t2);
    s3 = add(s3, r.t3, g.t3);
    s4 = add(s4, r.t4, g.t4);
    s5 = add(s5, r.t5, g.t5);
  }
  if outputs >= CO / OUTPUTS { return; }
  store(group.z, channels, o, SixTaps(s0.c0, s1.c0, s2.c0, s3.c0, s4.c0, s5.c0));
  store(group.z, channels + 1u, o, SixTaps(s0.c1, s1.c1, s2.c1, s3.c1, s4.c1, s5.c1));
  store(group.z, channels + 2u, o, SixTaps(s0.c2, s1.c2, s2.c2, s3.c2, s4.c2, s5.c2));
  store(group.z, channels + 3u, o, SixTaps(s0.c3, s1.c3, s2.c3, s3.c3, s4.c3, s5.c3));
  store(group.z, channels + 4u, o, SixTaps(s0.c4, s1.c4, s2.c4, s3.c4, s4.c4, s5.c4));
  store(group.z, channels + 5u, o, SixTaps(s0.c5, s1.c5, s2.c5, s3.c5, s4.c5, s5.c5));
  store(group.z, channels + 6u, o, SixTaps(s0.c6, s1.c6, s2.c6, s3.c6, s4.c6, s5.c6));
  store(group.z, channels + 7u, o, SixTaps(s0.c7, s1.c7, s2.c7, s3.c7, s4.c7, s5.c7));
}
