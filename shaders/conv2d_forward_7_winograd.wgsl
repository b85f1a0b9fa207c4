// Convolution, stride 1, `same` border of zeros, optional bias and ReLU:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx,c} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · w[ky,kx,c,o] )
//
//   x      [N][HEIGHT][WIDTH][CI]
//   w      [KH][KW][CI][CO/OUTPUTS] Outputs    CO a multiple of OUTPUTS; KH 2 to 4, KW at most 4
//   y      [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs
//   bias   [CO/OUTPUTS] Outputs
//
// With w flipped and transposed and the padding's sides swapped it is the input gradient.
//
// What makes it fast: fewer multiplications (Winograd 1980; Lavin & Gray 2016). Along a column, M = 4 outputs,
// 3 where KH = 4, are a product of polynomials read off its values at the six points of
// conv2d_winograd.wgsl:
//
//   y = Aᵀ[ (G·w) ∘ (Bᵀ·x) ]        six products in place of M·KH = 12
//
// For KH = 2 the degree is one less, and the first five points are enough: five products in place of eight.
// Bᵀ combines six rows of pixels and is the same for every KH; it is applied before the rows are spread,
// when a register holds eight different pixels. G is applied to the weights as they are loaded. Aᵀ comes
// once, after the sum over all channels and kernel columns. Across, a row is handled as by shared rows.
//
// Tile: an invocation computes 2·M rows × 8 columns × OUTPUTS channels; lanes run over channels. A workgroup
// is LANES lanes of one tile. Dispatch: (⌈WIDTH/8⌉·⌈HEIGHT/2M⌉, ⌈CO/OUTPUTS / LANES⌉, N).
//
// TOGETHER, 1 or 2, is how many channels a round of the loop takes: two halve the traffic of sums that do
// not fit the registers, but for a kernel of sixteen taps make a text that compiles for seconds.
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8; CI a multiple of TOGETHER. Reads are clamped into the
// image.

override CI: u32;
override LANES: u32;
override M: u32 = min(7u - KH, 4u);

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<Outputs>;
@group(0) @binding(2) var<storage, read> bias: array<Outputs>;
@group(0) @binding(3) var<storage, read_write> y: array<Outputs>;

// A row of eleven pixels of a channel and of the next: a lane holds its near pixel of the one in x, of the next in y, and
// the far one in z.
alias Row = vec3f;
// What belongs to the six points.
struct SixRows { t0: Row, t1: Row, t2: Row, t3: Row, t4: Row, t5: Row }
struct SixWeights { t0: Outputs, t1: Outputs, t2: Outputs, t3: Outputs, t4: Outputs, t5: Outputs }
struct SixTaps { t0: Taps, t1: Taps, t2: Taps, t3: Taps, t4: Taps, t5: Taps }
struct SixStrips { t0: Strip, t1: Strip, t2: Strip, t3: Strip, t4: Strip, t5: Strip }

// Where a row's pixels of the first channel are, and which of them lie on the image: the same for all
// channels, so that it is found once.
struct Source { at: vec2u, inside: vec2<bool> }
fn source(image: u32, i: i32, j: Columns) -> Source {
  return Source(vec2u(place(image, i, j.near), place(image, i, j.far)) * CI,
                vec2<bool>(inside(i, j.near), inside(i, j.far)));
}
fn load(s: Source, c: Channels) -> Row {
  var r = Row(x[s.at.x + c.first], 0.0, x[s.at.y + c.of_lane]);
  if TOGETHER > 1u { r.y = x[s.at.x + c.next]; }
  return select(Row(), r, s.inside.xxy);
}

// The rows of the upper tile's six points from the first on, of the lower one's from row M on.
struct Sources { s0: Source, s1: Source, s2: Source, s3: Source, s4: Source, s5: Source, s6: Source, s7: Source,
                 s8: Source, s9: Source }
struct Tiles { upper: SixRows, lower: SixRows }

// Bᵀ on six rows.
fn transformed(r0: Row, r1: Row, r2: Row, r3: Row, r4: Row, r5: Row) -> SixRows {
  let even = fma(Row(-B * B), r2, r4);
  let odd = fma(Row(-B * B), r1, r3);
  let even_2 = fma(Row(-A * A), r2, r4);
  let odd_2 = fma(Row(-A * A), r1, r3);
  return SixRows(fma(Row(PRODUCT), r0, fma(Row(-SUM), r2, r4)),
                 fma(Row(A), odd, even), fma(Row(-A), odd, even), fma(Row(B), odd_2, even_2), fma(Row(-B), odd_2, even_2),
                 fma(Row(PRODUCT), r1, fma(Row(-SUM), r3, r5)));
}
fn rows(s: Sources, c: Channels) -> Tiles {
  let r3 = load(s.s3, c);
  let r4 = load(s.s4, c);
  let r5 = load(s.s5, c);
  let r6 = load(s.s6, c);
  let r7 = load(s.s7, c);
  let r8 = load(s.s8, c);
  let upper = transformed(load(s.s0, c), load(s.s1, c), load(s.s2, c), r3, r4, r5);
  if M > 3u { return Tiles(upper, transformed(r4, r5, r6, r7, r8, load(s.s9, c))); }
  return Tiles(upper, transformed(r3, r4, r5, r6, r7, r8));
}

// G on a column of the kernel. It takes 1/m′ and as much of the points' powers that row 1 of Aᵀ has 1 for ±A, row 2 for ±B:
// each row then begins with a number that is not multiplied. A compiler that moves sums about (llvmpipe of Mesa 22 does) would
// fuse a product with the bias, and a kernel that pools before it adds the bias gave other bits.
const SCALE_A = OF_A * A;
const SCALE_B = OF_B * B * B;
fn column(kx: u32, c: u32, o: u32) -> SixWeights {
  let at = (kx * CI + c) * (CO / OUTPUTS) + o;
  let next = KW * CI * (CO / OUTPUTS);
  let w0 = w[at];
  let w1 = w[at + next];
  var last: Outputs;
  if KH > 2u { last = w[at + 2u * next]; }
  let even = SCALE_A * fma(Outputs(A * A), last, w0);
  let even_2 = SCALE_B * fma(Outputs(B * B), last, w0);
  var odd = w1;
  var odd_2 = w1;
  if KH > 3u {
    last = w[at + 3u * next];
    odd = fma(Outputs(A * A), last, w1);
    odd_2 = fma(Outputs(B * B), last, w1);
  }
  return SixWeights(OF_0 * w0, fma(Outputs(SCALE_A * A), odd, even), fma(Outputs(-SCALE_A * A), odd, even),
                    fma(Outputs(SCALE_B * B), odd_2, even_2), fma(Outputs(-SCALE_B * B), odd_2, even_2), last);
}
fn kernel(c: u32, o: u32) -> SixTaps {
  let k0 = column(0u, c, o);
  var k1: SixWeights; var k2: SixWeights; var k3: SixWeights;
  if KW > 1u { k1 = column(1u, c, o); }
  if KW > 2u { k2 = column(2u, c, o); }
  if KW > 3u { k3 = column(3u, c, o); }
  return SixTaps(Taps(k0.t0, k1.t0, k2.t0, k3.t0), Taps(k0.t1, k1.t1, k2.t1, k3.t1), Taps(k0.t2, k1.t2, k2.t2, k3.t2),
                 Taps(k0.t3, k1.t3, k2.t3, k3.t3), Taps(k0.t4, k1.t4, k2.t4, k3.t4), Taps(k0.t5, k1.t5, k2.t5, k3.t5));
}

// One round's operands for a point: a channel's taps and pixels, and those of the next channel.
struct Operands { k: Taps, p: Pixels, l: Taps, q: Pixels }

fn taps(sum: Outputs, a: Operands, p: vec4f, q: vec4f) -> Outputs {
  let s = tap(sum, a.k, p);
  if TOGETHER > 1u { return tap(s, a.l, q); }
  return s;
}
fn add_strip(sum: Strip, a: Operands) -> Strip {
  let p = a.p;
  let q = a.q;
  return Strip(
    Matrix(taps(sum.left[0], a, p.a, q.a), taps(sum.left[1], a, left_1(p), left_1(q)),
           taps(sum.left[2], a, left_2(p), left_2(q)), taps(sum.left[3], a, left_3(p), left_3(q))),
    Matrix(taps(sum.right[0], a, p.b, q.b), taps(sum.right[1], a, right_1(p), right_1(q)),
           taps(sum.right[2], a, right_2(p), right_2(q)), taps(sum.right[3], a, right_3(p), right_3(q))));
}
fn add(sum: SixStrips, k: SixTaps, l: SixTaps, r: SixRows) -> SixStrips {
  var t5 = sum.t5;
  if KH > 2u { t5 = add_strip(t5, Operands(k.t5, spread(r.t5.x, r.t5.z), l.t5, spread_high(r.t5.y, r.t5.z))); }
  return SixStrips(add_strip(sum.t0, Operands(k.t0, spread(r.t0.x, r.t0.z), l.t0, spread_high(r.t0.y, r.t0.z))),
                   add_strip(sum.t1, Operands(k.t1, spread(r.t1.x, r.t1.z), l.t1, spread_high(r.t1.y, r.t1.z))),
                   add_strip(sum.t2, Operands(k.t2, spread(r.t2.x, r.t2.z), l.t2, spread_high(r.t2.y, r.t2.z))),
                   add_strip(sum.t3, Operands(k.t3, spread(r.t3.x, r.t3.z), l.t3, spread_high(r.t3.y, r.t3.z))),
                   add_strip(sum.t4, Operands(k.t4, spread(r.t4.x, r.t4.z), l.t4, spread_high(r.t4.y, r.t4.z))), t5);
}

// a + s·b.
fn plus(a: Strip, s: f32, b: Strip) -> Strip {
  return Strip(plus_columns(a.left, s, b.left), plus_columns(a.right, s, b.right));
}
// Aᵀ: ∞ counts in the last of the M rows alone, and not at all where KH = 2, whose row 3 begins with a bare number all the same.
struct Rows { r0: Strip, r1: Strip, r2: Strip, r3: Strip }
fn finish(s: SixStrips) -> Rows {
  let even = plus(s.t1, 1.0, s.t2);
  let odd = plus(s.t1, -1.0, s.t2);
  let even_2 = plus(s.t3, 1.0, s.t4);
  let odd_2 = plus(s.t3, -1.0, s.t4);
  let bare = f32(KH == 2u);
  return Rows(plus(plus(s.t0, 1.0 / (B * B), even_2), 1.0 / A, even), plus(odd, 1.0 / B, odd_2),
              plus(plus(even_2, A, even), f32(M == 3u), s.t5),
              plus(plus(plus(s.t5, bare, odd), B, odd_2), A * A - bare, odd));
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let across = (WIDTH + 7u) / 8u;
  let i = group.x / across * (2u * M);
  let j = group.x % across * 8u;
  let image = group.z;
  let outputs = group.y * LANES + local;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let row = i32(i) - i32(PAD_TOP);
  let at = columns(j, lane);
  let by = further(lane);
  let sources = Sources(source(image, row, at), source(image, row + 1, at), source(image, row + 2, at),
                        source(image, row + 3, at), source(image, row + 4, at), source(image, row + 5, at),
                        source(image, row + 6, at), source(image, row + 7, at), source(image, row + 8, at),
                        source(image, row + 9, at));
  var upper: SixStrips; var lower: SixStrips;
  for (var c = 0u; c < CI; c += TOGETHER) {
    let k = kernel(c, o);
    var l: SixTaps;
    if TOGETHER > 1u { l = kernel(c + 1u, o); }
    let r = rows(sources, Channels(c, c + 1u, c + by));
    upper = add(upper, k, l, r.upper);
    lower = add(lower, k, l, r.lower);
  }
  let b = bias_of(o);
  let above = finish(upper);
  let below = finish(lower);
  store(image, i, j, outputs, above.r0, above.r1, b);
  if M > 3u {
    store(image, i + 2u, j, outputs, above.r2, above.r3, b);
    store(image, i + 4u, j, outputs, below.r0, below.r1, b);
    store(image, i + 6u, j, outputs, below.r2, below.r3, b);
  } else {
    store(image, i + 2u, j, outputs, above.r2, below.r0, b);
    store(image, i + 4u, j, outputs, below.r1, below.r2, b);
  }
}
