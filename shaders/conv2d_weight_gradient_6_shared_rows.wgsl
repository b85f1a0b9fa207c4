// Weight gradient of the convolution, first pass: each block of output rows sums its own pixels,
//
//   p[block,ky,kx,c,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order, in one pass or two: no atomics, the same bits always.
//
//   x   [N][HEIGHT][WIDTH][CI]                         as conv2d_weight_gradient_pixels.wgsl declares it
//   d   [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs         ∂L/∂y; CO a multiple of OUTPUTS
//   p   [blocks][KH][KW][CI][CO/OUTPUTS] Outputs       KH and KW at most 4
//
// A block is `rows` of the N·HEIGHT = `all` rows of the batch, the last one what is left.
//
// Tile: an invocation keeps all KH·KW taps of 8 input × OUTPUTS output channels; lanes run over
// output channels. A workgroup is LANES lanes of one group of eight input channels.
// Dispatch: (⌈CI/8⌉, ⌈CO/OUTPUTS / LANES⌉, blocks).
//
// What makes it fast: it walks down strips of eight columns, and keeps the KH − 1 rows of pixels that
// the next row of outputs needs again. A pixel is loaded once by a subgroup, a channel a lane, and
// spread by broadcasts: 64·KH·KW·OUTPUTS multiply-adds for 7 + KW pixel loads and eight loads of
// OUTPUTS gradients.
//
// Contract: subgroups of at least 8 lanes; LANES a multiple of 8. Reads are clamped into the image.

override LANES: u32;

struct Immediates { rows: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(1) var<storage, read> d: array<Outputs>;
@group(0) @binding(2) var<storage, read_write> p: array<Outputs>;

fn gradient(line: u32, j: u32, o: u32) -> Outputs {
  let at = (line * WIDTH + min(j, WIDTH - 1u)) * (CO / OUTPUTS) + o;
  return select(Outputs(), d[at], WIDTH % 8u == 0u || j < WIDTH);
}
fn gradients(line: u32, j: u32, o: u32) -> Gradients {
  return Gradients(
    Matrix(gradient(line, j, o), gradient(line, j + 1u, o), gradient(line, j + 2u, o), gradient(line, j + 3u, o)),
    Matrix(gradient(line, j + 4u, o), gradient(line, j + 5u, o), gradient(line, j + 6u, o), gradient(line, j + 7u, o)));
}

// The rows of pixels under a row of outputs, the last one in r3, as Kernel has its rows: as they are loaded, and a channel's.
struct Rows { r0: Row, r1: Row, r2: Row, r3: Row }
struct Spread { r0: Pixels, r1: Pixels, r2: Pixels, r3: Pixels }

fn add(sum: Kernel, r: Spread, g: Gradients) -> Kernel {
  var s = sum;
  s.r3 = add_row(sum.r3, r.r3, g);
  if KH > 1u { s.r2 = add_row(sum.r2, r.r2, g); }
  if KH > 2u { s.r1 = add_row(sum.r1, r.r1, g); }
  if KH > 3u { s.r0 = add_row(sum.r0, r.r0, g); }
  return s;
}

fn store(block: u32, c: u32, o: u32, sum: Kernel) {
  if c >= CI { return; }
  store_row(block, KH - 1u, c, o, sum.r3);
  if KH > 1u { store_row(block, KH - 2u, c, o, sum.r2); }
  if KH > 2u { store_row(block, KH - 3u, c, o, sum.r1); }
  if KH > 3u { store_row(block, KH - 4u, c, o, sum.r0); }
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let first = group.z * given.rows;
  let count = min(first + given.rows, given.all) - first;
  let channels = group.x * 8u;
  let mine = part(channels, lane);
  let outputs = group.y * LANES + local;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let strips = (WIDTH + 7u) / 8u;
  var k0: Kernel; var k1: Kernel; var k2: Kernel; var k3: Kernel;
  var k4: Kernel; var k5: Kernel; var k6: Kernel; var k7: Kernel;
  var rows: Rows;
  for (var step = 0u; step < strips * count; step++) {
    let line = first + step % count;
    let image = line / HEIGHT;
    let j = step / count * 8u;
    // The last of the rows that these outputs need, and its first column.
    let row = i32(line % HEIGHT + KH - 1u) - i32(PAD_TOP);
    let column = i32(j) - i32(PAD_LEFT);
    if line % HEIGHT == 0u || line == first {
      if KH > 1u { rows.r2 = row_of(image, row - 1, column, mine); }
      if KH > 2u { rows.r1 = row_of(image, row - 2, column, mine); }
      if KH > 3u { rows.r0 = row_of(image, row - 3, column, mine); }
    } else {
      rows = Rows(rows.r1, rows.r2, rows.r3, Row());
    }
    rows.r3 = row_of(image, row, column, mine);
    let g = gradients(line, j, o);
    k0 = add(k0, Spread(spread_0(rows.r0), spread_0(rows.r1), spread_0(rows.r2), spread_0(rows.r3)), g);
    k1 = add(k1, Spread(spread_1(rows.r0), spread_1(rows.r1), spread_1(rows.r2), spread_1(rows.r3)), g);
    k2 = add(k2, Spread(spread_2(rows.r0), spread_2(rows.r1), spread_2(rows.r2), spread_2(rows.r3)), g);
    k3 = add(k3, Spread(spread_3(rows.r0), spread_3(rows.r1), spread_3(rows.r2), spread_3(rows.r3)), g);
    k4 = add(k4, Spread(spread_4(rows.r0), spread_4(rows.r1), spread_4(rows.r2), spread_4(rows.r3)), g);
    k5 = add(k5, Spread(spread_5(rows.r0), spread_5(rows.r1), spread_5(rows.r2), spread_5(rows.r3)), g);
    k6 = add(k6, Spread(spread_6(rows.r0), spread_6(rows.r1), spread_6(rows.r2), spread_6(rows.r3)), g);
    k7 = add(k7, Spread(spread_7(rows.r0), spread_7(rows.r1), spread_7(rows.r2), spread_7(rows.r3)), g);
  }
  if outputs >= CO / OUTPUTS { return; }
  store(group.z, channels, o, k0);
  store(group.z, channels + 1u, o, k1);
  store(group.z, channels + 2u, o, k2);
  store(group.z, channels + 3u, o, k3);
  store(group.z, channels + 4u, o, k4);
  store(group.z, channels + 5u, o, k5);
  store(group.z, channels + 6u, o, k6);
  store(group.z, channels + 7u, o, k7);
}
