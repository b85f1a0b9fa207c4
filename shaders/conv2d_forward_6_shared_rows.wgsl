// Convolution, rung 6: a row of pixels for all rows of the kernel. Stride 1, `same` border of zeros,
// optional bias and ReLU:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx,c} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · w[ky,kx,c,o] )
//
//   x      [N][HEIGHT][WIDTH][CI]
//   w      [KH][KW][CI][CO/OUTPUTS] Outputs    CO a multiple of OUTPUTS; KH and KW at most 4
//   y      [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs
//   bias   [CO/OUTPUTS] Outputs
//
// With w flipped and transposed and the padding's sides swapped it is the input gradient.
//
// Tile: an invocation computes 8×8 pixels × OUTPUTS channels; lanes run over channels. A workgroup
// is LANES lanes of one tile. Dispatch: (⌈WIDTH/8⌉·⌈HEIGHT/8⌉, ⌈CO/OUTPUTS / LANES⌉, N).
//
// What it adds to rung 5: where a load costs as much as dozens of multiply-adds, as on a processor, only
// fewer loads help. The whole kernel of a channel and all rows of pixels under the tile are
// loaded once: 64·KH·KW·OUTPUTS multiply-adds for 2·(7 + KH) pixel loads, which the lanes share by
// broadcasts, and KH·KW weight loads of OUTPUTS numbers. The broadcast rung loads a row anew for every
// row of the kernel, and the weights anew for every four rows of the image.
//
// TOGETHER, 1 or 2, is how many channels a round of the loop takes: the sums do not fit the registers, and
// a small kernel has little to do with each before it goes back to memory.
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8; CI a multiple of TOGETHER. Reads are clamped
// into the image.

override CI: u32;
override LANES: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<Outputs>;
@group(0) @binding(2) var<storage, read> bias: array<Outputs>;
@group(0) @binding(3) var<storage, read_write> y: array<Outputs>;

// The channels that are taken together, and the one of them that a lane's far pixel is of: 0 or 1 further.
struct Channels { first: u32, next: u32, of_lane: u32 }
fn further(lane: u32) -> u32 {
  return select(0u, lane % 8u / 4u, TOGETHER > 1u);
}

// A row of pixels of a channel and of the next one.
struct Row { p: Pixels, q: Pixels }
struct Kernels { k: Kernel, l: Kernel }

// Where a lane finds its pixels of a row: lane l the near pixel l of either channel. The last three of both share a load:
// the far pixel is 8 + l of the one where l < 4, from there on 4 + l of the next.
struct Columns { near: i32, far: i32 }
fn columns(j: u32, lane: u32) -> Columns {
  return Columns(i32(j + min(lane, 7u)) - i32(PAD_LEFT), i32(j + 8u + min(lane % 4u, 2u)) - i32(PAD_LEFT));
}

fn pixel(image: u32, i: i32, j: i32, c: u32) -> f32 {
  return select(0.0, x[place(image, i, j) * CI + c], inside(i, j));
}

fn last_of_next(far: f32) -> vec3f {
  return vec3f(subgroupBroadcast(far, 4u), subgroupBroadcast(far, 5u), subgroupBroadcast(far, 6u));
}
fn load(image: u32, i: i32, j: Columns, c: Channels) -> Row {
  let far = pixel(image, i, j.far, c.of_lane);
  var r: Row;
  r.p = spread(pixel(image, i, j.near, c.first), far);
  if TOGETHER > 1u { r.q = spread_before(pixel(image, i, j.near, c.next), last_of_next(far)); }
  return r;
}

fn taps(ky: u32, c: u32, o: u32) -> Taps {
  let at = (ky * KW * CI + c) * (CO / OUTPUTS) + o;
  let next = CI * (CO / OUTPUTS);
  var k = Taps();
  k.k0 = w[at];
  if KW > 1u { k.k1 = w[at + next]; }
  if KW > 2u { k.k2 = w[at + 2u * next]; }
  if KW > 3u { k.k3 = w[at + 3u * next]; }
  return k;
}
fn kernel(c: u32, o: u32) -> Kernel {
  var k = Kernel();
  k.r3 = taps(KH - 1u, c, o);
  if KH > 1u { k.r2 = taps(KH - 2u, c, o); }
  if KH > 2u { k.r1 = taps(KH - 3u, c, o); }
  if KH > 3u { k.r0 = taps(KH - 4u, c, o); }
  return k;
}

fn add_row(sum: Strip, k: Taps, p: Pixels) -> Strip {
  return Strip(
    Matrix(tap(sum.left[0], k, p.a), tap(sum.left[1], k, left_1(p)), tap(sum.left[2], k, left_2(p)), tap(sum.left[3], k, left_3(p))),
    Matrix(tap(sum.right[0], k, p.b), tap(sum.right[1], k, right_1(p)), tap(sum.right[2], k, right_2(p)), tap(sum.right[3], k, right_3(p))));
}
fn add_kernel(sum: Strip, k: Kernel, p0: Pixels, p1: Pixels, p2: Pixels, p3: Pixels) -> Strip {
  var s = add_row(sum, k.r3, p3);
  if KH > 1u { s = add_row(s, k.r2, p2); }
  if KH > 2u { s = add_row(s, k.r1, p1); }
  if KH > 3u { s = add_row(s, k.r0, p0); }
  return s;
}
// The kernel on the rows that end with r3.
fn add(sum: Strip, k: Kernels, r0: Row, r1: Row, r2: Row, r3: Row) -> Strip {
  let s = add_kernel(sum, k.k, r0.p, r1.p, r2.p, r3.p);
  if TOGETHER > 1u { return add_kernel(s, k.l, r0.q, r1.q, r2.q, r3.q); }
  return s;
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let across = (WIDTH + 7u) / 8u;
  let i = group.x / across * 8u;
  let j = group.x % across * 8u;
  let image = group.z;
  let outputs = group.y * LANES + local;
  let o = min(outputs, CO / OUTPUTS - 1u);
  // The last of the rows that the tile's first row of outputs needs.
  let row = i32(i + KH - 1u) - i32(PAD_TOP);
  let at = columns(j, lane);
  let by = further(lane);
  var y0: Strip; var y1: Strip; var y2: Strip; var y3: Strip;
  var y4: Strip; var y5: Strip; var y6: Strip; var y7: Strip;
  for (var channel = 0u; channel < CI; channel += TOGETHER) {
    let c = Channels(channel, channel + 1u, channel + by);
    var k: Kernels;
    k.k = kernel(c.first, o);
    if TOGETHER > 1u { k.l = kernel(c.next, o); }
    var r0: Row; var r1: Row; var r2: Row;
    if KH > 3u { r0 = load(image, row - 3, at, c); }
    if KH > 2u { r1 = load(image, row - 2, at, c); }
    if KH > 1u { r2 = load(image, row - 1, at, c); }
    let r3 = load(image, row, at, c);
    y0 = add(y0, k, r0, r1, r2, r3);
    let r4 = load(image, row + 1, at, c);
    y1 = add(y1, k, r1, r2, r3, r4);
    let r5 = load(image, row + 2, at, c);
    y2 = add(y2, k, r2, r3, r4, r5);
    let r6 = load(image, row + 3, at, c);
    y3 = add(y3, k, r3, r4, r5, r6);
    let r7 = load(image, row + 4, at, c);
    y4 = add(y4, k, r4, r5, r6, r7);
    let r8 = load(image, row + 5, at, c);
    y5 = add(y5, k, r5, r6, r7, r8);
    let r9 = load(image, row + 6, at, c);
    y6 = add(y6, k, r6, r7, r8, r9);
    let r10 = load(image, row + 7, at, c);
    y7 = add(y7, k, r7, r8, r9, r10);
  }
  let b = bias_of(o);
  if outputs < CO / OUTPUTS {
    store(image, i, j, outputs, y0, y1, b);
    store(image, i + 2u, j, outputs, y2, y3, b);
    store(image, i + 4u, j, outputs, y4, y5, b);
    store(image, i + 6u, j, outputs, y6, y7, b);
  }
}
