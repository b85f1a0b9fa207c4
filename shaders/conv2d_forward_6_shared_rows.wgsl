// Convolution, stride 1, `same` border of zeros, optional bias and ReLU:
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
// What makes it fast: where a load costs as much as dozens of multiply-adds, as on a processor, only
// fewer loads help. One channel at a time, the whole kernel and all rows of pixels under the tile are
// loaded once: 64·KH·KW·OUTPUTS multiply-adds for 2·(7 + KH) pixel loads, which the lanes share by
// broadcasts, and KH·KW weight loads of OUTPUTS numbers. The broadcast rung loads a row anew for every
// row of the kernel, and the weights anew for every four rows of the image.
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8. Reads are clamped into the image.

override CI: u32;
override LANES: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<Outputs>;
@group(0) @binding(2) var<storage, read> bias: array<Outputs>;
@group(0) @binding(3) var<storage, read_write> y: array<Outputs>;

fn pixel(image: u32, i: i32, j: i32, c: u32) -> f32 {
  return select(0.0, x[place(image, i, j) * CI + c], inside(i, j));
}

// Lane l loads pixel l of a row, at column `near`, and pixel 8 + l, at `far`.
fn pixels(image: u32, i: i32, near: i32, far: i32, c: u32) -> Pixels {
  let p = pixel(image, i, near, c);
  let q = pixel(image, i, far, c);
  return Pixels(
    vec4f(subgroupBroadcast(p, 0u), subgroupBroadcast(p, 1u), subgroupBroadcast(p, 2u), subgroupBroadcast(p, 3u)),
    vec4f(subgroupBroadcast(p, 4u), subgroupBroadcast(p, 5u), subgroupBroadcast(p, 6u), subgroupBroadcast(p, 7u)),
    vec3f(subgroupBroadcast(q, 0u), subgroupBroadcast(q, 1u), subgroupBroadcast(q, 2u)));
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

// A row of the kernel on four pixels and the three to their right.
fn tap(sum: Outputs, k: Taps, p: vec4f) -> Outputs {
  var s = fma(k.k0, Outputs(p.x), sum);
  if KW > 1u { s = fma(k.k1, Outputs(p.y), s); }
  if KW > 2u { s = fma(k.k2, Outputs(p.z), s); }
  if KW > 3u { s = fma(k.k3, Outputs(p.w), s); }
  return s;
}
fn add_row(sum: Strip, k: Taps, p: Pixels) -> Strip {
  return Strip(
    Matrix(tap(sum.left[0], k, p.a), tap(sum.left[1], k, left_1(p)), tap(sum.left[2], k, left_2(p)), tap(sum.left[3], k, left_3(p))),
    Matrix(tap(sum.right[0], k, p.b), tap(sum.right[1], k, right_1(p)), tap(sum.right[2], k, right_2(p)), tap(sum.right[3], k, right_3(p))));
}
// The kernel on the rows that end with p3.
fn add(sum: Strip, k: Kernel, p0: Pixels, p1: Pixels, p2: Pixels, p3: Pixels) -> Strip {
  var s = add_row(sum, k.r3, p3);
  if KH > 1u { s = add_row(s, k.r2, p2); }
  if KH > 2u { s = add_row(s, k.r1, p1); }
  if KH > 3u { s = add_row(s, k.r0, p0); }
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
  let near = i32(j + min(lane, 7u)) - i32(PAD_LEFT);
  let far = i32(j + 8u + min(lane, 2u)) - i32(PAD_LEFT);
  var y0: Strip; var y1: Strip; var y2: Strip; var y3: Strip;
  var y4: Strip; var y5: Strip; var y6: Strip; var y7: Strip;
  for (var c = 0u; c < CI; c++) {
    let k = kernel(c, o);
    var p0: Pixels; var p1: Pixels; var p2: Pixels;
    if KH > 3u { p0 = pixels(image, row - 3, near, far, c); }
    if KH > 2u { p1 = pixels(image, row - 2, near, far, c); }
    if KH > 1u { p2 = pixels(image, row - 1, near, far, c); }
    let p3 = pixels(image, row, near, far, c);
    y0 = add(y0, k, p0, p1, p2, p3);
    let p4 = pixels(image, row + 1, near, far, c);
    y1 = add(y1, k, p1, p2, p3, p4);
    let p5 = pixels(image, row + 2, near, far, c);
    y2 = add(y2, k, p2, p3, p4, p5);
    let p6 = pixels(image, row + 3, near, far, c);
    y3 = add(y3, k, p3, p4, p5, p6);
    let p7 = pixels(image, row + 4, near, far, c);
    y4 = add(y4, k, p4, p5, p6, p7);
    let p8 = pixels(image, row + 5, near, far, c);
    y5 = add(y5, k, p5, p6, p7, p8);
    let p9 = pixels(image, row + 6, near, far, c);
    y6 = add(y6, k, p6, p7, p8, p9);
    let p10 = pixels(image, row + 7, near, far, c);
    y7 = add(y7, k, p7, p8, p9, p10);
  }
  let b = bias[select(o, 0u, EPILOGUE == 0u)];
  store(image, i, j, outputs, y0, y1, b);
  store(image, i + 2u, j, outputs, y2, y3, b);
  store(image, i + 4u, j, outputs, y4, y5, b);
  store(image, i + 6u, j, outputs, y6, y7, b);
}
