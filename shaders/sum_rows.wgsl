// Sums over blocks of rows:  out[block][c] = Σ_{r in block} in[r][c].
//
//   input     [rows][columns]
//   output    [blocks][columns],  blocks = ⌈rows / per_block⌉
//
// Used twice it sums all rows in a fixed order, without atomics: first into blocks, then over
// those. An invocation owns one column of one block, after numbers_one.wgsl, or two, after numbers_two.wgsl;
// neighbouring invocations read neighbouring columns. It adds eight rows in a tree, so that their loads wait for
// nothing, and these sums in their order. Dispatch: linear_grid(blocks·columns / NUMBERS, 64).

// The `columns` here are the header's over NUMBERS.
struct Immediates { rows: u32, columns: u32, per_block: u32, factor: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> input: array<Stored>;
@group(0) @binding(1) var<storage, read_write> output: array<Stored>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = g.y * (groups.x * 64u) + g.x;
  if i >= arrayLength(&output) { return; }
  let block = i / given.columns;
  let column = i - block * given.columns;
  let first = block * given.per_block;
  let end = min(first + given.per_block, given.rows);
  var total = Numbers();
  var row = first;
  for (; row + 8u <= end; row += 8u) {
    let at = row * given.columns + column;
    let next = at + 4u * given.columns;
    let first_and_fifth = loaded(input[at]) + loaded(input[next]);
    let second_and_sixth = loaded(input[at + given.columns]) + loaded(input[next + given.columns]);
    let third_and_seventh = loaded(input[at + 2u * given.columns]) + loaded(input[next + 2u * given.columns]);
    let fourth_and_eighth = loaded(input[at + 3u * given.columns]) + loaded(input[next + 3u * given.columns]);
    total += (first_and_fifth + second_and_sixth) + (third_and_seventh + fourth_and_eighth);
  }
  for (; row < end; row++) { total += loaded(input[row * given.columns + column]); }
  output[i] = stored(total * given.factor);
}
