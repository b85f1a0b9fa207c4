// Weight gradient of the first layer (one input channel), rung 3: a tile of weights in registers. First
// pass, each block of output rows sums its own pixels,
//
//   p[block,ky,kx,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order.
//
//   x   [N][HEIGHT][WIDTH] f32
//   d   [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs       ∂L/∂y; CO a multiple of OUTPUTS
//   p   [blocks][KH][KW][CO/OUTPUTS] Outputs         KH and KW at most 4
//
// A block is `rows` of the N·HEIGHT = `all` rows of the batch, the last one what is left.
//
// Tile: an invocation keeps all KH·KW taps of OUTPUTS channels, a matrix a kernel row, and walks its
// rows four pixels at a time; lanes run over channels. Dispatch: (⌈CO/OUTPUTS / LANES⌉, 1, blocks).
//
// What it adds to rung 1: four gradients and 7·KH pixels serve 4·KH·KW·OUTPUTS multiply-adds, and the
// pixels' addresses are the same for all lanes. It needs no subgroups.

override LANES: u32;

struct Immediates { rows: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> d: array<Outputs>;
@group(0) @binding(2) var<storage, read_write> p: array<Outputs>;

fn gradient(row: u32, j: u32, o: u32) -> Outputs {
  let at = (row * WIDTH + min(j, WIDTH - 1u)) * (CO / OUTPUTS) + o;
  return select(Outputs(), d[at], WIDTH % 4u == 0u || j < WIDTH);
}

fn store(at: u32, sum: Matrix) {
  let next = CO / OUTPUTS;
  p[at] = sum[0];
  if KW > 1u { p[at + next] = sum[1]; }
  if KW > 2u { p[at + 2u * next] = sum[2]; }
  if KW > 3u { p[at + 3u * next] = sum[3]; }
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  let first = group.z * given.rows;
  let last = min(first + given.rows, given.all);
  let outputs = group.x * LANES + local;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let strips = (WIDTH + 3u) / 4u;
  var t0: Matrix; var t1: Matrix; var t2: Matrix; var t3: Matrix;      // kernel rows; a column a tap
  for (var strip = first * strips; strip < last * strips; strip++) {
    let line = strip / strips;
    let image = line / HEIGHT;
    let j = strip % strips * 4u;
    let g = Matrix(gradient(line, j, o), gradient(line, j + 1u, o), gradient(line, j + 2u, o), gradient(line, j + 3u, o));
    let i = i32(line % HEIGHT) - i32(PAD_TOP);
    let q = i32(j) - i32(PAD_LEFT);
    t0 = multiply_add_4(g, windows(image, i, q), t0);
    if KH > 1u { t1 = multiply_add_4(g, windows(image, i + 1, q), t1); }
    if KH > 2u { t2 = multiply_add_4(g, windows(image, i + 2, q), t2); }
    if KH > 3u { t3 = multiply_add_4(g, windows(image, i + 3, q), t3); }
  }
  if outputs >= CO / OUTPUTS { return; }
  let next = KW * (CO / OUTPUTS);
  let at = group.z * KH * next + o;
  store(at, t0);
  if KH > 1u { store(at + next, t1); }
  if KH > 2u { store(at + 2u * next, t2); }
  if KH > 3u { store(at + 3u * next, t3); }
}
