// A product of two matrices with the sum cut into chunks, rungs 3 and 5: a tile of outputs in the
// registers of a lane. The rungs differ in `eight`, how a lane comes by its terms of a.
//
//   c[s][m][n] = Σ_{k in chunk s} a[m·a_row + k·a_step] · b[k·b_step + n·b_column]
//
//   a, b   two matrices of any strides, so that one kernel makes all three products of a dense layer
//   c      [chunks][rows][columns]; a chunk is `chunk` terms of the `terms`, the last one the rest
//
// A workgroup of 32 lanes makes a tile of ROWS × 128 (ROWS: 8, 16 or 32): a lane has the columns
// lane + {0, 32, 64, 96} of every row. Dispatch: (⌈columns/128⌉, ⌈rows/ROWS⌉, chunks).
//
// Loads are what costs, so a lane keeps ROWS × 4 sums in registers and each load feeds many of them:
// for eight terms and 32 rows it makes 1,024 multiply-adds on 32 numbers of b and 256 of a (rung 3);
// where its seven neighbours load the others and `eight` hands them round, on 32 of a (rung 5). Indices beyond an edge are clamped to it; their results are not stored, and terms beyond
// the end of a chunk have a = 0.

override ROWS: u32;
const LANES = 32u;
const TILE = 128u;

struct Immediates {
  rows: u32, columns: u32, terms: u32, chunk: u32,
  a_row: u32, a_step: u32, b_step: u32, b_column: u32,
}
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

struct Columns { column: vec4u, end: u32 }             // offsets of a lane's columns of b; a chunk's end
struct Terms { low: mat4x4f, high: mat4x4f }           // eight terms, a column each

fn term_of_a(row: u32, k: u32, end: u32) -> f32 {
  return select(0.0, a[min(row, given.rows - 1u) * given.a_row + min(k, end - 1u) * given.a_step], k < end);
}

fn term_of_b(k: u32, at: Columns) -> vec4f {
  let i = min(k, at.end - 1u) * given.b_step + at.column;
  return vec4f(b[i.x], b[i.y], b[i.z], b[i.w]);
}

fn eight_of_b(k: u32, at: Columns) -> Terms {
  return Terms(
    mat4x4f(term_of_b(k, at), term_of_b(k + 1u, at), term_of_b(k + 2u, at), term_of_b(k + 3u, at)),
    mat4x4f(term_of_b(k + 4u, at), term_of_b(k + 5u, at), term_of_b(k + 6u, at), term_of_b(k + 7u, at)));
}

// sum + w·x, fused.
fn mad(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(w[3], vec4f(x.w), fma(w[2], vec4f(x.z), fma(w[1], vec4f(x.y), fma(w[0], vec4f(x.x), sum))));
}

fn one_row(sum: vec4f, row: u32, k: u32, end: u32, lane: u32, w: Terms) -> vec4f {
  let x = eight(row, k, end, lane);
  return mad(w.high, x[1], mad(w.low, x[0], sum));
}

// Eight terms more for four rows, a column of `sum` each.
fn four_rows(sum: mat4x4f, row: u32, k: u32, end: u32, lane: u32, w: Terms) -> mat4x4f {
  return mat4x4f(
    one_row(sum[0], row, k, end, lane, w), one_row(sum[1], row + 1u, k, end, lane, w),
    one_row(sum[2], row + 2u, k, end, lane, w), one_row(sum[3], row + 3u, k, end, lane, w));
}

fn store_row(sum: vec4f, split: u32, row: u32, column: u32) {
  if row >= given.rows { return; }
  let at = (split * given.rows + row) * given.columns + column;
  if column < given.columns { c[at] = sum.x; }
  if column + LANES < given.columns { c[at + LANES] = sum.y; }
  if column + 2u * LANES < given.columns { c[at + 2u * LANES] = sum.z; }
  if column + 3u * LANES < given.columns { c[at + 3u * LANES] = sum.w; }
}

fn store(sum: mat4x4f, split: u32, row: u32, column: u32) {
  store_row(sum[0], split, row, column); store_row(sum[1], split, row + 1u, column);
  store_row(sum[2], split, row + 2u, column); store_row(sum[3], split, row + 3u, column);
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
  let row = group.y * ROWS;
  let column = group.x * TILE + lane;
  let end = min((group.z + 1u) * given.chunk, given.terms);
  let columns = min(column + vec4u(0u, LANES, 2u * LANES, 3u * LANES), vec4u(given.columns - 1u));
  let at = Columns(columns * given.b_column, end);
  var s0 = mat4x4f(); var s1 = mat4x4f(); var s2 = mat4x4f(); var s3 = mat4x4f();
  var s4 = mat4x4f(); var s5 = mat4x4f(); var s6 = mat4x4f(); var s7 = mat4x4f();
  for (var k = group.z * given.chunk; k < end; k += 8u) {
    let w = eight_of_b(k, at);
    s0 = four_rows(s0, row, k, end, lane, w);
    s1 = four_rows(s1, row + 4u, k, end, lane, w);
    if ROWS > 8u {
      s2 = four_rows(s2, row + 8u, k, end, lane, w);
      s3 = four_rows(s3, row + 12u, k, end, lane, w);
    }
    if ROWS > 16u {
      s4 = four_rows(s4, row + 16u, k, end, lane, w);
      s5 = four_rows(s5, row + 20u, k, end, lane, w);
      s6 = four_rows(s6, row + 24u, k, end, lane, w);
      s7 = four_rows(s7, row + 28u, k, end, lane, w);
    }
  }
  store(s0, group.z, row, column);
  store(s1, group.z, row + 4u, column);
  if ROWS > 8u {
    store(s2, group.z, row + 8u, column);
    store(s3, group.z, row + 12u, column);
  }
  if ROWS > 16u {
    store(s4, group.z, row + 16u, column);
    store(s5, group.z, row + 20u, column);
    store(s6, group.z, row + 24u, column);
    store(s7, group.z, row + 28u, column);
  }
}
