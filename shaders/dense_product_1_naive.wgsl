// A product of two matrices with the sum cut into chunks, rung 1:
//
//   c[s][m][n] = Σ_{k in chunk s} a[m·a_row + k·a_step] · b[k·b_step + n·b_column]
//
//   a, b   two matrices of any strides, so that one kernel makes all three products of a dense layer
//   c      [chunks][rows][columns]; a chunk is `chunk` terms of the `terms`, the last one the rest
//
// One output of one chunk an invocation, columns fastest: the one to read first, and the slowest, since
// every multiply-add needs two loads. Dispatch: linear_grid(chunks·rows·columns, 64).

struct Immediates {
  rows: u32, columns: u32, terms: u32, chunk: u32,
  a_row: u32, a_step: u32, b_step: u32, b_column: u32,
}
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  if at >= arrayLength(&c) { return; }
  let n = at % given.columns;
  let m = at / given.columns % given.rows;
  let first = at / (given.columns * given.rows) * given.chunk;
  let end = min(first + given.chunk, given.terms);
  var sum = 0.0;
  for (var k = first; k < end; k++) {
    sum = fma(a[m * given.a_row + k * given.a_step], b[k * given.b_step + n * given.b_column], sum);
  }
  c[at] = sum;
}
