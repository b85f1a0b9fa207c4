// Weight gradient of a convolution of any shape, first pass: each block of output rows sums its
// own pixels,
//
//   p[block,ky,kx,c,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order.
//
//   x   [N][HEIGHT][WIDTH][CI]
//   d   [N][HEIGHT][WIDTH][CO]            ∂L/∂y
//   p   [blocks][KH][KW][CI][CO]
//
// A block is `rows` of the N·HEIGHT = `all` rows of the batch, the last one what is left. One weight
// of one block an invocation; dispatch: linear_grid(blocks·KH·KW·CI·CO, 64).

override HEIGHT: u32;
override WIDTH: u32;
override CI: u32;
override CO: u32;
override KH: u32;
override KW: u32;
override PAD_TOP: u32;
override PAD_LEFT: u32;

struct Immediates { rows: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> d: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  if at >= arrayLength(&p) { return; }
  let o = at % CO;
  let c = at / CO % CI;
  let kx = at / (CO * CI) % KW;
  let ky = at / (CO * CI * KW) % KH;
  let block = at / (CO * CI * KW * KH);
  let first = block * given.rows;
  let last = min(first + given.rows, given.all);
  var sum = 0.0;
  for (var line = first; line < last; line++) {
    let image = line / HEIGHT;
    let row = i32(line % HEIGHT + ky) - i32(PAD_TOP);
    if row < 0 || row >= i32(HEIGHT) { continue; }
    for (var j = 0u; j < WIDTH; j++) {
      let column = i32(j + kx) - i32(PAD_LEFT);
      if column < 0 || column >= i32(WIDTH) { continue; }
      let pixel = (image * HEIGHT + u32(row)) * WIDTH + u32(column);
      sum = fma(x[pixel * CI + c], d[(line * WIDTH + j) * CO + o], sum);
    }
  }
  p[at] = sum;
}
