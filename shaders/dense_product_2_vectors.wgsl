// A product of two matrices with the sum cut into chunks, rung 2: numbers four at a time. Equation and
// layouts: those of dense_blocks.wgsl.
//
// Tile: 4×4 outputs of one chunk an invocation, columns fastest.
// Dispatch: linear_grid(chunks·⌈rows/4⌉·columns/4, 64).
//
// What it adds to rung 1: a load brings four numbers. Four of them from each matrix make a block of 4×4
// outputs over four terms: 64 multiply-adds on 8 loads.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  let n = at % (given.columns / 4u);
  let m = at / (given.columns / 4u) % ((given.rows + 3u) / 4u);
  let chunk = at / (given.columns / 4u * ((given.rows + 3u) / 4u));
  if chunk * given.rows * (given.columns / 4u) >= arrayLength(&c) { return; }
  let end = min((chunk + 1u) * given.chunk, given.terms);
  var sum = mat4x4f();                                       // a column a row
  for (var k = chunk * given.chunk; k < end; k += 4u) {
    sum = multiply_add_4(block_of_b(k / 4u, n), block_of_a(m, k / 4u, end), sum);
  }
  store_row(chunk, 4u * m, n, sum[0]);
  store_row(chunk, 4u * m + 1u, n, sum[1]);
  store_row(chunk, 4u * m + 2u, n, sum[2]);
  store_row(chunk, 4u * m + 3u, n, sum[3]);
}
