// Convolution, rung 7: half the multiplications, by Winograd's way. Stride 1, `same` border of zeros, optional bias and ReLU:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx,c} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · w[ky,kx,c,o] )
//
//   x      [N][HEIGHT][WIDTH][CI]              as conv2d_winograd_pixels.wgsl or conv2d_pixels_in_*.wgsl declares it
//   w      [KH][KW][CI][CO]                    as conv2d_winograd_weights*.wgsl declares it; CO a multiple of OUTPUTS; KH 2 to 4,
//                                              KW at most 4
//   y      [N][HEIGHT][WIDTH][CO/OUTPUTS] Stored
//   bias   [CO/OUTPUTS] Stored
//
// With w flipped and transposed and the padding's sides swapped it is the input gradient.
//
// What it adds to rung 6: fewer multiplications (Winograd 1980; Lavin & Gray 2016). Four outputs of a column are read off
// the values of a polynomial at the KH + 3 points of conv2d_winograd.wgsl:
//
//   y = Aᵀ[ (G·w) ∘ (Bᵀ·x) ]        KH + 3 products in place of 4·KH
//
// Bᵀ combines KH + 3 rows of pixels; it is applied before the rows are spread, when a register holds eight different
// pixels. G is applied to the weights as they are loaded. Aᵀ comes once, after the sum over all channels and kernel
// columns. The last KW − 1 pixels of the rows go another way: a lane has those of a row, so that KW − 1 loads bring them all in
// place of KH + 3, and Bᵀ comes after they are spread.
//
// Tile: an invocation computes 4 rows × two times 8 columns × OUTPUTS channels; lanes run over channels. A workgroup
// is LANES lanes of one tile. Dispatch: (⌈WIDTH/16⌉·⌈HEIGHT/4⌉, ⌈CO/OUTPUTS / LANES⌉, N), or 1 in the middle and as often as
// weights laid out have slabs. A tile is wide and not high, since the rows of an image are often a multiple of 4 KiB apart:
// then all that lie above each other compete for the same few places of a processor's nearest cache, eight or twelve, and
// more rows at once would drive each other out.
//
// The sums are where conv2d_winograd_sums*.wgsl has them, and the end, with Aᵀ, is there, too.
//
// TOGETHER, 1 or 2, is how many channels a round of the loop takes: two halve the traffic of sums that do
// not fit the registers.
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8; CI a multiple of TOGETHER. Reads are clamped into the
// image.

override CI: u32;
override LANES: u32;

@group(0) @binding(2) var<storage, read> bias: array<Stored>;
@group(0) @binding(3) var<storage, read_write> y: array<Stored>;

// Near, the first sixteen pixels of a row: a lane l holds pixels l and 8 + l of a channel in x and y, those of the next channel
// in z and w. Far, the last three: pixels 16 to 18 of one channel in x, y and z, the same in every lane.
alias Row = vec4f;
// What belongs to the points; c is the point 0 where KH < 4, and what KH has no point for is not used.
struct RowsAt { a: Row, minus_a: Row, b: Row, minus_b: Row, c: Row, minus_c: Row, infinity: Row }
struct LoadedAt { near: RowsAt, far: RowsAt, far_next: RowsAt }
// The weights of a kernel's column, its first row in w0, for the outputs of a lane: of a channel and, where channels go by two, of
// the next one.
struct Column { w0: Outputs, w1: Outputs, w2: Outputs, w3: Outputs }
struct Columns { c: Column, next: Column }
struct WeightsAt { a: Outputs, minus_a: Outputs, b: Outputs, minus_b: Outputs, c: Outputs, minus_c: Outputs, infinity: Outputs }
struct TapsAt { a: Taps, minus_a: Taps, b: Taps, minus_b: Taps, c: Taps, minus_c: Taps, infinity: Taps }

// Where a lane's pixels are, as indices of x for the first channel, and which of them lie on the image: the same for all
// channels, so that it is found once. Near there are two of each row; far a lane has a row, lane l row l, and its three pixels.
struct Near { at: vec2u, inside: vec2<bool> }
struct Far { at: vec3u, inside: vec3<bool> }
struct Sources { s0: Near, s1: Near, s2: Near, s3: Near, s4: Near, s5: Near, s6: Near, far: Far }
fn near(image: u32, i: i32, j: vec2i) -> Near {
  return Near(vec2u(place(image, i, j.x), place(image, i, j.y)) * STEP, vec2<bool>(inside(i, j.x), inside(i, j.y)));
}
fn far(image: u32, i: i32, j: vec3i) -> Far {
  return Far(vec3u(place(image, i, j.x), place(image, i, j.y), place(image, i, j.z)) * STEP,
             vec3<bool>(inside(i, j.x), inside(i, j.y), inside(i, j.z)));
}
fn load(s: Near, c: u32) -> Row {
  let p = pixel(s.at.x, s.inside.x, c);
  let q = pixel(s.at.y, s.inside.y, c);
  return Row(p.x, q.x, p.y, q.y);
}

// μ on every other of five rows.
fn of_mu(r0: Row, r2: Row, r4: Row) -> Row {
  return fma(Row(PRODUCT), r0, fma(Row(-SUM), r2, r4));
}
// Bᵀ on KH + 3 rows; what m has beside μ comes first, p or p² − C².
fn transformed(r0: Row, r1: Row, r2: Row, r3: Row, r4: Row, r5: Row, r6: Row) -> RowsAt {
  var p0 = r1;
  var p1 = r2;
  var p2 = r3;
  var p3 = r4;
  var c = of_mu(r0, r2, r4);
  var minus_c: Row;
  var infinity = of_mu(r1, r3, r5);
  if KH > 3u {
    p0 = fma(Row(-C * C), r0, r2);
    p1 = fma(Row(-C * C), r1, r3);
    p2 = fma(Row(-C * C), r2, r4);
    p3 = fma(Row(-C * C), r3, r5);
    let even = c;
    let odd = infinity;
    c = fma(Row(C), even, odd);
    minus_c = fma(Row(-C), even, odd);
    infinity = of_mu(p0, p2, fma(Row(-C * C), r4, r6));
  }
  let even = fma(Row(-B * B), p0, p2);
  let odd = fma(Row(-B * B), p1, p3);
  let even_b = fma(Row(-A * A), p0, p2);
  let odd_b = fma(Row(-A * A), p1, p3);
  return RowsAt(fma(Row(A), even, odd), fma(Row(-A), even, odd), fma(Row(B), even_b, odd_b), fma(Row(-B), even_b, odd_b),
                c, minus_c, infinity);
}
// The last pixels of all rows, which lie in lanes.
fn spread_rows(p: vec3f) -> RowsAt {
  let r = Row(p, 0.0);
  var r5: Row; var r6: Row;
  if KH > 2u { r5 = subgroupBroadcast(r, 5u); }
  if KH > 3u { r6 = subgroupBroadcast(r, 6u); }
  return transformed(subgroupBroadcast(r, 0u), subgroupBroadcast(r, 1u), subgroupBroadcast(r, 2u), subgroupBroadcast(r, 3u),
                     subgroupBroadcast(r, 4u), r5, r6);
}
fn rows(s: Sources, c: u32) -> LoadedAt {
  var r5: Row; var r6: Row;
  if KH > 2u { r5 = load(s.s5, c); }
  if KH > 3u { r6 = load(s.s6, c); }
  var p: vec2f; var q: vec2f; var r: vec2f;
  if KW > 1u { p = pixel(s.far.at.x, s.far.inside.x, c); }
  if KW > 2u { q = pixel(s.far.at.y, s.far.inside.y, c); }
  if KW > 3u { r = pixel(s.far.at.z, s.far.inside.z, c); }
  return LoadedAt(transformed(load(s.s0, c), load(s.s1, c), load(s.s2, c), load(s.s3, c), load(s.s4, c), r5, r6),
                  spread_rows(vec3f(p.x, q.x, r.x)), spread_rows(vec3f(p.y, q.y, r.y)));
}

// G on a column of the kernel. It takes 1/m′ and as much of the points' powers that row 0 of Aᵀ has 1 for C, row 1 for A and row 2
// for B: each row then begins with a number that is not multiplied. A compiler that moves sums about (llvmpipe of Mesa 22 does)
// would fuse a product with the bias, and a kernel that pools before it adds the bias would give other bits.
override SCALE_A: f32 = OF_A * A;
override SCALE_B: f32 = OF_B * B * B;
fn at_points(w: Column) -> WeightsAt {
  let even = SCALE_A * fma(Outputs(A * A), w.w2, w.w0);
  let odd = fma(Outputs(A * A), w.w3, w.w1);
  let even_b = SCALE_B * fma(Outputs(B * B), w.w2, w.w0);
  let odd_b = fma(Outputs(B * B), w.w3, w.w1);
  var at = WeightsAt(fma(Outputs(SCALE_A * A), odd, even), fma(Outputs(-SCALE_A * A), odd, even),
                     fma(Outputs(SCALE_B * B), odd_b, even_b), fma(Outputs(-SCALE_B * B), odd_b, even_b),
                     OF_C * w.w0, Outputs(), w.w2);
  if KH > 3u {
    let even_c = OF_C * fma(Outputs(C * C), w.w2, w.w0);
    let odd_c = fma(Outputs(C * C), w.w3, w.w1);
    at.c = fma(Outputs(OF_C * C), odd_c, even_c);
    at.minus_c = fma(Outputs(-OF_C * C), odd_c, even_c);
    at.infinity = w.w3;
  }
  return at;
}
fn kernel(w0: Column, w1: Column, w2: Column, w3: Column) -> TapsAt {
  let k0 = at_points(w0);
  var k1: WeightsAt; var k2: WeightsAt; var k3: WeightsAt;
  if KW > 1u { k1 = at_points(w1); }
  if KW > 2u { k2 = at_points(w2); }
  if KW > 3u { k3 = at_points(w3); }
  return TapsAt(Taps(k0.a, k1.a, k2.a, k3.a), Taps(k0.minus_a, k1.minus_a, k2.minus_a, k3.minus_a),
                Taps(k0.b, k1.b, k2.b, k3.b), Taps(k0.minus_b, k1.minus_b, k2.minus_b, k3.minus_b),
                Taps(k0.c, k1.c, k2.c, k3.c), Taps(k0.minus_c, k1.minus_c, k2.minus_c, k3.minus_c),
                Taps(k0.infinity, k1.infinity, k2.infinity, k3.infinity));
}

fn taps(sum: Outputs, k: Taps, l: Taps, p: vec4f, q: vec4f) -> Outputs {
  let s = tap(sum, k, p);
  if TOGETHER > 1u { return tap(s, l, q); }
  return s;
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let across = (WIDTH + 15u) / 16u;
  let i = group.x / across * 4u;
  let j = group.x % across * 16u;
  let image = group.z;
  let outputs = outputs_of(group.y, local);
  let o = min(outputs, CO / OUTPUTS - 1u);
  let row = i32(i) - i32(PAD_TOP);
  let column = i32(j) - i32(PAD_LEFT);
  let mine = i32(min(lane, 7u));
  let at = column + vec2i(mine, 8 + mine);
  let sources = Sources(near(image, row, at), near(image, row + 1, at), near(image, row + 2, at), near(image, row + 3, at),
                        near(image, row + 4, at), near(image, row + 5, at), near(image, row + 6, at),
                        far(image, row + min(mine, i32(KH) + 2), column + vec3i(16, 17, 18)));
  for (var c = 0u; c < CI; c += TOGETHER) {
    let w0 = columns(0u, c, o, local);
    var w1: Columns; var w2: Columns; var w3: Columns;
    if KW > 1u { w1 = columns(1u, c, o, local); }
    if KW > 2u { w2 = columns(2u, c, o, local); }
    if KW > 3u { w3 = columns(3u, c, o, local); }
    let k = kernel(w0.c, w1.c, w2.c, w3.c);
    var l: TapsAt;
    if TOGETHER > 1u { l = kernel(w0.next, w1.next, w2.next, w3.next); }
    add(k, l, rows(sources, c));
  }
  if outputs < CO / OUTPUTS { store_tile(image, i, j, outputs, bias_of(o)); }
}
