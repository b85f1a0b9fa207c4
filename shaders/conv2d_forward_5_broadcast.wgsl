// Convolution, rung 5: a subgroup shares its loads. Stride 1, `same` border of zeros, optional bias and
// ReLU:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx,c} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · w[ky,kx,c,o] )
//
//   x      [N][HEIGHT][WIDTH][CI/4] vec4       CI a multiple of 4
//   w      [KH][KW][CI][CO/OUTPUTS] Outputs    CO a multiple of OUTPUTS; KH any, KW at most 4
//   y      [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs
//   bias   [CO/OUTPUTS] Outputs
//
// With w flipped and transposed and the padding's sides swapped it is the input gradient.
//
// Tile: an invocation computes 8×4 pixels × OUTPUTS channels; lanes run over channels, so weights
// and results are contiguous across them. A workgroup is LANES lanes × TILES tiles.
// Dispatch: (⌈⌈WIDTH/8⌉·⌈HEIGHT/4⌉ / TILES⌉, ⌈CO/OUTPUTS / LANES⌉, N).
//
// What it adds to rung 3: the pixels that all lanes need are loaded by the lanes together, each another
// one, and handed round by broadcasts: 32·OUTPUTS·4·KW multiply-adds for 8 pixel loads and 4·KW weight
// loads, all operands in registers. One loop runs over channel groups and kernel rows together, which software
// Vulkan compiles better than two nested ones.
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8, and, where TILES > 1, of the
// subgroup size, so that a subgroup never spans two tiles. Reads are clamped into the image.

override CI: u32;
override TILES: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<Outputs>;
@group(0) @binding(2) var<storage, read> bias: array<Outputs>;
@group(0) @binding(3) var<storage, read_write> y: array<Outputs>;

// Four channels of the eleven pixels that eight outputs need of one input row: pixel l in lane l,
// pixel 4 + l in the second register.
struct Pixels { near: vec4f, far: vec4f }

fn pixel(image: u32, i: i32, j: i32, c: u32) -> vec4f {
  return select(vec4f(), x[place(image, i, j) * (CI / 4u) + c], inside(i, j));
}
fn pixels(image: u32, i: i32, j: i32, c: u32) -> Pixels {
  return Pixels(pixel(image, i, j, c), pixel(image, i, j + 4, c));
}
fn weights(at: u32) -> Matrix {
  let next = CO / OUTPUTS;
  return Matrix(w[at], w[at + next], w[at + 2u * next], w[at + 3u * next]);
}

// One kernel column on one row of pixels.
fn tap_0(sum: Strip, row: Pixels, k: Matrix) -> Strip {
  return Strip(multiply_add_4(k, window_0(row.near), sum.left), multiply_add_4(k, window_0(row.far), sum.right));
}
fn tap_1(sum: Strip, row: Pixels, k: Matrix) -> Strip {
  return Strip(multiply_add_4(k, window_1(row.near), sum.left), multiply_add_4(k, window_1(row.far), sum.right));
}
fn tap_2(sum: Strip, row: Pixels, k: Matrix) -> Strip {
  return Strip(multiply_add_4(k, window_2(row.near), sum.left), multiply_add_4(k, window_2(row.far), sum.right));
}
fn tap_3(sum: Strip, row: Pixels, k: Matrix) -> Strip {
  return Strip(multiply_add_4(k, window_3(row.near), sum.left), multiply_add_4(k, window_3(row.far), sum.right));
}

@compute @workgroup_size(LANES * TILES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let across = (WIDTH + 7u) / 8u;
  let tile = group.x * TILES + local / LANES;
  let i = tile / across * 4u;
  let j = tile % across * 8u;
  let image = group.z;
  let outputs = group.y * LANES + local % LANES;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let column = i32(j + min(lane, KW + 2u)) - i32(PAD_LEFT);
  var y0: Strip; var y1: Strip; var y2: Strip; var y3: Strip;
  for (var step = 0u; step < CI / 4u * KH; step++) {
    let c = step / KH;
    let ky = step % KH;
    let row = i32(i + ky) - i32(PAD_TOP);
    let x0 = pixels(image, row, column, c);
    let x1 = pixels(image, row + 1, column, c);
    let x2 = pixels(image, row + 2, column, c);
    let x3 = pixels(image, row + 3, column, c);
    let at = (ky * KW * CI + c * 4u) * (CO / OUTPUTS) + o;
    let next = CI * (CO / OUTPUTS);
    { let k = weights(at);
      y0 = tap_0(y0, x0, k); y1 = tap_0(y1, x1, k); y2 = tap_0(y2, x2, k); y3 = tap_0(y3, x3, k); }
    if KW > 1u { let k = weights(at + next);
      y0 = tap_1(y0, x0, k); y1 = tap_1(y1, x1, k); y2 = tap_1(y2, x2, k); y3 = tap_1(y3, x3, k); }
    if KW > 2u { let k = weights(at + 2u * next);
      y0 = tap_2(y0, x0, k); y1 = tap_2(y1, x1, k); y2 = tap_2(y2, x2, k); y3 = tap_2(y3, x3, k); }
    if KW > 3u { let k = weights(at + 3u * next);
      y0 = tap_3(y0, x0, k); y1 = tap_3(y1, x1, k); y2 = tap_3(y2, x2, k); y3 = tap_3(y3, x3, k); }
  }
  let b = bias_of(o);
  // The last workgroup may have more tiles than are left.
  if i < HEIGHT && outputs < CO / OUTPUTS {
    store(image, i, j, outputs, y0, y1, b);
    store(image, i + 2u, j, outputs, y2, y3, b);
  }
}
