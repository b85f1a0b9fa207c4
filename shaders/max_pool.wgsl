// The largest of each 2×2 cell, and with RECTIFY = 1 its positive part:
//
//   y[b][r][s][c] = f( max over i, j in {0, 1} of x[b][2r + i][2s + j][c] ),  f(v) = v or max(v, 0)
//
//   x   [B][H][W][C]
//   y   [B][⌊H/2⌋][⌊W/2⌋][C]; a last odd row or column of x is not read
//
// One invocation an output; its number within a row of y, s·C + c, is that of the workgroup's x, so
// that neighbouring lanes read and write neighbouring channels and one division finds the cell.
// Dispatch: (⌈⌊W/2⌋·C / 64⌉, ⌊H/2⌋, B). Four loads an output: the kernel is bound by memory.

override RECTIFY: u32;

struct Immediates { height: u32, width: u32, channels: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let in_row = given.width * given.channels;
  let out_row = given.width / 2u * given.channels;
  if id.x >= out_row { return; }
  let column = id.x / given.channels;
  let top = (id.z * given.height + 2u * id.y) * in_row + id.x + column * given.channels;
  let bottom = top + in_row;
  let upper = max(x[top], x[top + given.channels]);
  let lower = max(x[bottom], x[bottom + given.channels]);
  let largest = max(upper, lower);
  y[(id.z * (given.height / 2u) + id.y) * out_row + id.x] = select(largest, 0.0, RECTIFY == 1u && largest <= 0.0);
}
