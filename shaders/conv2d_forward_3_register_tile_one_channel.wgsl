// The first layer's convolution, rung 3: one input channel, a tile of outputs in registers:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT] · w[ky,kx,o] )
//
//   x      [N][HEIGHT][WIDTH] f32
//   w      [KH][KW][CO/OUTPUTS] Outputs    CO a multiple of OUTPUTS; KH any, KW at most 4
//   y      [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs
//   bias   [CO/OUTPUTS] Outputs
//
// Tile and dispatch: those of conv2d_forward_3_register_tile.wgsl.
//
// What makes it fast: as there; the four columns of the kernel take the place of four channels, and
// the seven pixels that four neighbouring outputs need are loaded once and shifted in registers.

override LANES: u32;
override TILES: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<Outputs>;
@group(0) @binding(2) var<storage, read> bias: array<Outputs>;
@group(0) @binding(3) var<storage, read_write> y: array<Outputs>;

// The weights of kernel row ky, a column each; zero where the kernel is narrower than four.
fn weight(ky: u32, kx: u32, o: u32) -> Outputs {
  if kx >= KW { return Outputs(); }
  return w[(ky * KW + kx) * (CO / OUTPUTS) + o];
}

fn strip(sum: Strip, k: Matrix, image: u32, i: i32, j: i32) -> Strip {
  return Strip(multiply_add_4(k, windows(image, i, j), sum.left),
               multiply_add_4(k, windows(image, i, j + 4), sum.right));
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
  let column = i32(j) - i32(PAD_LEFT);
  var y0: Strip; var y1: Strip; var y2: Strip; var y3: Strip;
  for (var ky = 0u; ky < KH; ky++) {
    let k = Matrix(weight(ky, 0u, o), weight(ky, 1u, o), weight(ky, 2u, o), weight(ky, 3u, o));
    let row = i32(i + ky) - i32(PAD_TOP);
    y0 = strip(y0, k, image, row, column);
    y1 = strip(y1, k, image, row + 1, column);
    y2 = strip(y2, k, image, row + 2, column);
    y3 = strip(y3, k, image, row + 3, column);
  }
  let b = bias_of(o);
  // The last workgroup may have more tiles than are left.
  if i < HEIGHT && outputs < CO / OUTPUTS {
    store(image, i, j, outputs, y0, y1, b);
    store(image, i + 2u, j, outputs, y2, y3, b);
  }
}
