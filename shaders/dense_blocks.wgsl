// Two matrices in blocks of 4×4, for the kernels of a product that load four numbers at a time:
//
//   c[s][m][n] = Σ_{k in chunk s} A[m,k] · B[k,n]
//
//   a   A or its transpose: lines of vec4s along the terms (A_ALONG_TERMS = 1) or along the rows (0)
//   b   B or its transpose: lines of vec4s along the columns (B_ALONG_TERMS = 0) or along the terms (1)
//   c   [chunks][rows][columns/4] vec4; columns a multiple of 4
//
// `a_line` and `b_line` are vec4s from one line to the next. A chunk is `chunk` terms of the `terms`, a
// multiple of 8, the last one what is left. Indices beyond an edge are clamped to it; terms beyond the
// end of a chunk have A = 0.

override A_ALONG_TERMS: u32;
override B_ALONG_TERMS: u32;

struct Immediates { rows: u32, columns: u32, terms: u32, chunk: u32, a_line: u32, b_line: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

// Four terms of row m, from term 4·q on; or, along the rows, four rows from 4·q on of term m.
fn line_of_a(m: u32, q: u32, end: u32) -> vec4f {
  let line = min(m, select(given.terms, given.rows, A_ALONG_TERMS == 1u) - 1u);
  let at = min(q, given.a_line - 1u);
  return select(vec4f(), a[line * given.a_line + at], select(m, 4u * q, A_ALONG_TERMS == 1u) < end);
}
fn line_of_b(k: u32, n: u32) -> vec4f {
  let line = min(k, select(given.terms, given.columns, B_ALONG_TERMS == 1u) - 1u);
  return b[line * given.b_line + min(n, given.b_line - 1u)];
}

// Rows 4·m … 4·m+3 of A, a column each, with terms 4·k … 4·k+3.
fn block_of_a(m: u32, k: u32, end: u32) -> mat4x4f {
  let i = 4u * select(k, m, A_ALONG_TERMS == 1u);
  let q = select(m, k, A_ALONG_TERMS == 1u);
  let lines = mat4x4f(line_of_a(i, q, end), line_of_a(i + 1u, q, end), line_of_a(i + 2u, q, end), line_of_a(i + 3u, q, end));
  if A_ALONG_TERMS == 1u { return lines; }
  return transpose(lines);
}

// Terms 4·k … 4·k+3 of B, a column each, with columns 4·n … 4·n+3.
fn block_of_b(k: u32, n: u32) -> mat4x4f {
  let i = 4u * select(k, n, B_ALONG_TERMS == 1u);
  let q = select(n, k, B_ALONG_TERMS == 1u);
  let lines = mat4x4f(line_of_b(i, q), line_of_b(i + 1u, q), line_of_b(i + 2u, q), line_of_b(i + 3u, q));
  if B_ALONG_TERMS == 1u { return transpose(lines); }
  return lines;
}

// sum + Σ_k B[k]·A[m][k] for four rows m, a column each.
fn multiply_add(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(w[3], vec4f(x.w), fma(w[2], vec4f(x.z), fma(w[1], vec4f(x.y), fma(w[0], vec4f(x.x), sum))));
}
fn multiply_add_4(w: mat4x4f, x: mat4x4f, sum: mat4x4f) -> mat4x4f {
  return mat4x4f(multiply_add(w, x[0], sum[0]), multiply_add(w, x[1], sum[1]),
                 multiply_add(w, x[2], sum[2]), multiply_add(w, x[3], sum[3]));
}

fn store_row(chunk: u32, m: u32, n: u32, sum: vec4f) {
  if m < given.rows && n < given.columns / 4u { c[(chunk * given.rows + m) * (given.columns / 4u) + n] = sum; }
}
