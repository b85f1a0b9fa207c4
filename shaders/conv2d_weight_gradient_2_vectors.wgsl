// Weight gradient of the convolution, rung 2: numbers four at a time. First pass, each block of output
// rows sums its own pixels,
//
//   p[block,ky,kx,c,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order.
//
//   x   [N][HEIGHT][WIDTH][CI/4] vec4           CI a multiple of 4
//   d   [N][HEIGHT][WIDTH][CO/4] vec4           ∂L/∂y; CO a multiple of 4
//   p   [blocks][KH][KW][CI][CO/4] vec4         KH and KW any
//
// A block is `rows` of the N·HEIGHT = `all` rows of the batch, the last one what is left.
//
// Tile: one tap of 4 input × 4 output channels of one block an invocation.
// Dispatch: linear_grid(blocks·KH·KW·CI/4·CO/4, 64).
//
// What it adds to rung 1: a load brings four channels, and each of the four of x meets each of the
// four of d: 16 multiply-adds on 2 loads in place of 1.

override CI: u32;

struct Immediates { rows: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  if at >= arrayLength(&p) / 4u { return; }
  let o = at % (CO / 4u);
  let row_of_p = at / (CO / 4u);               // [block][ky][kx][CI/4]
  let c = row_of_p % (CI / 4u);
  let tap = row_of_p / (CI / 4u);
  let kx = tap % KW;
  let ky = tap / KW % KH;
  let first = tap / (KW * KH) * given.rows;
  let last = min(first + given.rows, given.all);
  var sum = mat4x4f();                         // a column an input channel
  for (var line = first; line < last; line++) {
    let row = i32(line % HEIGHT + ky) - i32(PAD_TOP);
    if row < 0 || row >= i32(HEIGHT) { continue; }
    for (var j = 0u; j < WIDTH; j++) {
      let column = i32(j + kx) - i32(PAD_LEFT);
      if column < 0 || column >= i32(WIDTH) { continue; }
      let pixel = x[place(line / HEIGHT, row, column) * (CI / 4u) + c];
      sum = outer_product(d[(line * WIDTH + j) * (CO / 4u) + o], pixel, sum);
    }
  }
  let next = CO / 4u;
  let to = row_of_p * 4u * next + o;
  p[to] = sum[0]; p[to + next] = sum[1]; p[to + 2u * next] = sum[2]; p[to + 3u * next] = sum[3];
}
