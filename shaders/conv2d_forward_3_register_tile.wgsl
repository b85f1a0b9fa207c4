// Convolution, rung 3: a tile of outputs in registers. Stride 1, `same` border of zeros, optional bias
// and ReLU:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx,c} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · w[ky,kx,c,o] )
//
//   x      [N][HEIGHT][WIDTH][CI/4] vec4       CI a multiple of 4
//   w      [KH][KW][CI][CO/OUTPUTS] Outputs    CO a multiple of OUTPUTS; KH and KW any
//   y      [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs
//   bias   [CO/OUTPUTS] Outputs
//
// Tile: an invocation computes 8×4 pixels × OUTPUTS channels; lanes run over channels, so weights and
// results are contiguous across them. A workgroup is LANES lanes × TILES tiles.
// Dispatch: (⌈⌈WIDTH/8⌉·⌈HEIGHT/4⌉ / TILES⌉, ⌈CO/OUTPUTS / LANES⌉, N).
//
// What it adds to rung 2: 4 loads of weights serve 32 pixels and 32 loads of pixels all OUTPUTS
// channels: 14 multiply-adds a load in place of 3. All lanes of a tile read the same pixels; with one
// tile a workgroup the address does not depend on the lane, and compilers that see it load once for
// all. It needs no subgroups.

override CI: u32;
override LANES: u32;
override TILES: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<Outputs>;
@group(0) @binding(2) var<storage, read> bias: array<Outputs>;
@group(0) @binding(3) var<storage, read_write> y: array<Outputs>;

fn pixel(image: u32, i: i32, j: i32, c: u32) -> vec4f {
  return select(vec4f(), x[place(image, i, j) * (CI / 4u) + c], inside(i, j));
}
fn pixels(image: u32, i: i32, j: i32, c: u32) -> mat4x4f {
  return mat4x4f(pixel(image, i, j, c), pixel(image, i, j + 1, c), pixel(image, i, j + 2, c), pixel(image, i, j + 3, c));
}
fn weights(at: u32) -> Matrix {
  let next = CO / OUTPUTS;
  return Matrix(w[at], w[at + next], w[at + 2u * next], w[at + 3u * next]);
}

// Four channels of one tap on eight pixels of a row.
fn tap(sum: Strip, k: Matrix, image: u32, i: i32, j: i32, c: u32) -> Strip {
  return Strip(multiply_add_4(k, pixels(image, i, j, c), sum.left),
               multiply_add_4(k, pixels(image, i, j + 4, c), sum.right));
}

@compute @workgroup_size(LANES * TILES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  let across = (WIDTH + 7u) / 8u;
  let tile = group.x * TILES + select(local / LANES, 0u, TILES == 1u);
  let i = tile / across * 4u;
  let j = tile % across * 8u;
  let image = group.z;
  let outputs = group.y * LANES + local % LANES;
  let o = min(outputs, CO / OUTPUTS - 1u);
  var y0: Strip; var y1: Strip; var y2: Strip; var y3: Strip;
  for (var step = 0u; step < CI / 4u * KH * KW; step++) {
    let kx = step % KW;
    let ky = step / KW % KH;
    let c = step / (KW * KH);
    let row = i32(i + ky) - i32(PAD_TOP);
    let column = i32(j + kx) - i32(PAD_LEFT);
    let k = weights(((ky * KW + kx) * CI + c * 4u) * (CO / OUTPUTS) + o);
    y0 = tap(y0, k, image, row, column, c);
    y1 = tap(y1, k, image, row + 1, column, c);
    y2 = tap(y2, k, image, row + 2, column, c);
    y3 = tap(y3, k, image, row + 3, column, c);
  }
  let b = bias_of(o);
  // The last workgroup may have more tiles than are left.
  if i < HEIGHT && outputs < CO / OUTPUTS {
    store(image, i, j, outputs, y0, y1, b);
    store(image, i + 2u, j, outputs, y2, y3, b);
  }
}
