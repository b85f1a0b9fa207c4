// Weight gradient of the convolution, first pass: each block of output rows sums its own pixels,
//
//   p[block,ky,kx,c,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order, in one pass or two: no atomics, the same bits always.
//
//   x   [N][HEIGHT][WIDTH][CI/4] vec4                  CI a multiple of 4
//   d   [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs         ∂L/∂y; CO a multiple of OUTPUTS
//   p   [blocks][KH][KW][CI][CO/OUTPUTS] Outputs       KH and KW at most 4
//
// A block is `rows` of the N·HEIGHT = `all` rows of the batch, the last one what is left.
//
// Tile: an invocation keeps all KH·KW taps of 4 input × OUTPUTS output channels; lanes run over
// output channels. A workgroup is LANES lanes × GROUPS groups of four input channels.
// Dispatch: (⌈CI/4 / GROUPS⌉, ⌈CO/OUTPUTS / LANES⌉, blocks).
//
// What makes it fast: the eight gradients of a strip of pixels stay in registers for every tap, so
// 8·4·OUTPUTS·KH·KW multiply-adds need 8 + 2·KH loads.
//
// Contract: as conv2d_forward_5_broadcast.wgsl, with GROUPS in place of TILES.

override CI: u32;
override GROUPS: u32;

struct Immediates { rows: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<Outputs>;
@group(0) @binding(2) var<storage, read_write> p: array<Outputs>;

// The taps of one kernel row; a column is an input channel.
struct Taps { k0: Matrix, k1: Matrix, k2: Matrix, k3: Matrix }

fn pixel(image: u32, i: i32, j: i32, c: u32) -> vec4f {
  return select(vec4f(), x[place(image, i, j) * (CI / 4u) + c], inside(i, j));
}

fn gradient(row: u32, j: u32, o: u32) -> Outputs {
  let at = (row * WIDTH + min(j, WIDTH - 1u)) * (CO / OUTPUTS) + o;
  return select(Outputs(), d[at], WIDTH % 8u == 0u || j < WIDTH);
}
fn gradients(row: u32, j: u32, o: u32) -> Matrix {
  return Matrix(gradient(row, j, o), gradient(row, j + 1u, o), gradient(row, j + 2u, o), gradient(row, j + 3u, o));
}

// Four pixels of one input row, and the gradients of four outputs, on the taps of one kernel row.
fn accumulate(taps: Taps, row: vec4f, g: Matrix) -> Taps {
  var sum = taps;
  sum.k0 = multiply_add_4(g, transpose(window_0(row)), taps.k0);
  if KW > 1u { sum.k1 = multiply_add_4(g, transpose(window_1(row)), taps.k1); }
  if KW > 2u { sum.k2 = multiply_add_4(g, transpose(window_2(row)), taps.k2); }
  if KW > 3u { sum.k3 = multiply_add_4(g, transpose(window_3(row)), taps.k3); }
  return sum;
}

fn store_tap(at: u32, sum: Matrix) {
  let next = CO / OUTPUTS;
  p[at] = sum[0]; p[at + next] = sum[1]; p[at + 2u * next] = sum[2]; p[at + 3u * next] = sum[3];
}
fn store(at: u32, sum: Taps) {
  let next = CI * (CO / OUTPUTS);
  store_tap(at, sum.k0);
  if KW > 1u { store_tap(at + next, sum.k1); }
  if KW > 2u { store_tap(at + 2u * next, sum.k2); }
  if KW > 3u { store_tap(at + 3u * next, sum.k3); }
}

@compute @workgroup_size(LANES * GROUPS)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let first = group.z * given.rows;
  let last = min(first + given.rows, given.all);
  let channels = group.x * GROUPS + local / LANES;
  let c = min(channels, CI / 4u - 1u);
  let outputs = group.y * LANES + local % LANES;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let strips = (WIDTH + 7u) / 8u;
  var t0: Taps; var t1: Taps; var t2: Taps; var t3: Taps;
  for (var strip = first * strips; strip < last * strips; strip++) {
    let line = strip / strips;
    let image = line / HEIGHT;
    let j = strip % strips * 8u;
    let near = gradients(line, j, o);
    let far = gradients(line, j + 4u, o);
    let row = i32(line % HEIGHT) - i32(PAD_TOP);
    let column = i32(j + min(lane, KW + 2u)) - i32(PAD_LEFT);
    t0 = accumulate(accumulate(t0, pixel(image, row, column, c), near), pixel(image, row, column + 4, c), far);
    if KH > 1u { t1 = accumulate(accumulate(t1, pixel(image, row + 1, column, c), near), pixel(image, row + 1, column + 4, c), far); }
    if KH > 2u { t2 = accumulate(accumulate(t2, pixel(image, row + 2, column, c), near), pixel(image, row + 2, column + 4, c), far); }
    if KH > 3u { t3 = accumulate(accumulate(t3, pixel(image, row + 3, column, c), near), pixel(image, row + 3, column + 4, c), far); }
  }
  if channels >= CI / 4u || outputs >= CO / OUTPUTS { return; }
  let next = KW * CI * (CO / OUTPUTS);
  let at = group.z * KH * next + c * 4u * (CO / OUTPUTS) + o;
  store(at, t0);
  if KH > 1u { store(at + next, t1); }
  if KH > 2u { store(at + 2u * next, t2); }
  if KH > 3u { store(at + 3u * next, t3); }
}
