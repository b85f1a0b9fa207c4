// Sums over blocks of rows:  out[block][c] = Σ_{r in block} in[r][c].
//
//   input     [rows][columns]
//   output    [blocks][columns],  blocks = ⌈rows / per_block⌉
//
// Used twice it sums all rows in a fixed order, without atomics: first into blocks, then over
// those. An invocation owns one column of one block; neighbouring invocations read neighbouring columns.
// It adds eight rows in a tree, so that their loads wait for nothing, and these sums in their order.
// Dispatch: linear_grid(blocks·columns, 64).

struct Immediates { rows: u32, columns: u32, per_block: u32, factor: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = g.y * (groups.x * 64u) + g.x;
  if i >= arrayLength(&output) { return; }
  let block = i / given.columns;
  let column = i - block * given.columns;
  let first = block * given.per_block;
  let end = min(first + given.per_block, given.rows);
  var total = 0.0;
  var row = first;
  for (; row + 8u <= end; row += 8u) {
    let at = row * given.columns + column;
    let a = vec4f(input[at], input[at + given.columns], input[at + 2u * given.columns], input[at + 3u * given.columns]);
    let next = at + 4u * given.columns;
    let b = vec4f(input[next], input[next + given.columns], input[next + 2u * given.columns], input[next + 3u * given.columns]);
    let four = a + b;
    total += (four.x + four.y) + (four.z + four.w);
  }
  for (; row < end; row++) { total += input[row * given.columns + column]; }
  output[i] = total * given.factor;
}
