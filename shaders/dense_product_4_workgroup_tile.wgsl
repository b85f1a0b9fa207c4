// A product of two matrices with the sum cut into chunks, rung 4: tiles in workgroup memory. Equation
// and layouts: those of dense_blocks.wgsl.
//
// Tile: a workgroup makes ROWS × COLUMNS outputs (multiples of 8) of one chunk, an invocation 8 × 8 of
// them: rows `down` + {0…7}·ROWS/8 and the vec4s `across` + {0, 1}·COLUMNS/8 of columns, so that
// neighbours read neighbouring words. The sum goes on eight terms at a time.
// Dispatch: (⌈columns/COLUMNS⌉, ⌈rows/ROWS⌉, chunks).
//
// What it adds to rung 3: what one invocation loads, all others of its workgroup use. A number of A is
// loaded from global memory once for COLUMNS columns and one of B once for ROWS rows; the tile of
// registers is fed from workgroup memory, which on a GPU is some ten times as fast.

override ROWS: u32;
override COLUMNS: u32;
override INVOCATIONS: u32 = ROWS * COLUMNS / 64u;

var<workgroup> some_a: array<vec4f, 2u * ROWS>;          // [four terms][row]
var<workgroup> some_b: array<vec4f, 2u * COLUMNS>;       // [term][four columns]

struct Eight { low: mat4x4f, high: mat4x4f }             // eight rows, a column each

fn rows(at: u32) -> mat4x4f {
  let next = ROWS / 8u;
  return mat4x4f(some_a[at], some_a[at + next], some_a[at + 2u * next], some_a[at + 3u * next]);
}
fn terms(at: u32) -> mat4x4f {
  let next = COLUMNS / 4u;
  return mat4x4f(some_b[at], some_b[at + next], some_b[at + 2u * next], some_b[at + 3u * next]);
}

// Eight rows of an invocation × four of its columns.
fn four_terms_more(sum: Eight, at: u32, w: mat4x4f) -> Eight {
  return Eight(multiply_add_4(w, rows(at), sum.low), multiply_add_4(w, rows(at + ROWS / 2u), sum.high));
}

fn store_four(chunk: u32, m: u32, n: u32, sums: mat4x4f) {
  let next = ROWS / 8u;
  store_row(chunk, m, n, sums[0]);
  store_row(chunk, m + next, n, sums[1]);
  store_row(chunk, m + 2u * next, n, sums[2]);
  store_row(chunk, m + 3u * next, n, sums[3]);
}
fn store_eight(chunk: u32, m: u32, n: u32, sums: Eight) {
  store_four(chunk, m, n, sums.low);
  store_four(chunk, m + ROWS / 2u, n, sums.high);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  let across = local % (COLUMNS / 8u);
  let down = local / (COLUMNS / 8u);
  let end = min((group.z + 1u) * given.chunk, given.terms);
  var near: Eight; var far: Eight;                       // four columns each
  for (var term = group.z * given.chunk; term < end; term += 8u) {
    workgroupBarrier();                                  // all have used what is there
    for (var i = local; i < ROWS / 2u; i += INVOCATIONS) {
      let half = i / (ROWS / 4u);
      let row = i % (ROWS / 4u);
      let block = block_of_a(group.y * (ROWS / 4u) + row, term / 4u + half, end);
      let to = half * ROWS + 4u * row;
      some_a[to] = block[0]; some_a[to + 1u] = block[1]; some_a[to + 2u] = block[2]; some_a[to + 3u] = block[3];
    }
    for (var i = local; i < COLUMNS / 2u; i += INVOCATIONS) {
      let half = i / (COLUMNS / 4u);
      let column = i % (COLUMNS / 4u);
      let block = block_of_b(term / 4u + half, group.x * (COLUMNS / 4u) + column);
      let to = half * COLUMNS + column;
      let next = COLUMNS / 4u;
      some_b[to] = block[0]; some_b[to + next] = block[1]; some_b[to + 2u * next] = block[2]; some_b[to + 3u * next] = block[3];
    }
    workgroupBarrier();                                  // all of it is there
    for (var half = 0u; half < 2u; half++) {
      let w = half * COLUMNS + across;
      near = four_terms_more(near, half * ROWS + down, terms(w));
      far = four_terms_more(far, half * ROWS + down, terms(w + COLUMNS / 8u));
    }
  }
  let m = group.y * ROWS + down;
  let n = group.x * (COLUMNS / 4u) + across;
  store_eight(group.z, m, n, near);
  store_eight(group.z, m, n + COLUMNS / 8u, far);
}
