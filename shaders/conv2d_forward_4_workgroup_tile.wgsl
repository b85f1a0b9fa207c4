// Convolution, rung 4: a product of matrices through workgroup memory. Stride 1, `same` border of
// zeros, optional bias and ReLU:
//
//   y[p,o] = f( bias[o] + Σ_t X[p,t] · w[t,o] )
//
// where p counts the pixels of the whole batch and t the terms (ky,kx,c) of a pixel's sum, and
// X[p,t] = x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] is never stored: `four_terms` gathers it.
//
//   x      [N][HEIGHT][WIDTH][CI]            as conv2d_terms_*.wgsl declares it
//   w      [KH·KW·CI][CO/4] vec4             CO a multiple of 4; KH and KW any
//   y      [N·HEIGHT·WIDTH][CO/4] vec4       pooled [N·⌊HEIGHT/2⌋·⌊WIDTH/2⌋][CO/4]
//   bias   [CO/4] vec4
//
// Tile: a workgroup makes ROWS pixels × COLUMNS channels (multiples of 8), an invocation 8 × 8 of
// them: pixels `down` + {0…7}·ROWS/8 and the vec4s `across` + {0, 1}·COLUMNS/8 of channels, so that
// neighbours read neighbouring words. Where the outputs are pooled, the rows of the product are counted by cells, so that
// the first four of an invocation are a cell and the last four another. The sum goes on eight terms at a time.
// Dispatch: linear_grid(⌈N·HEIGHT·WIDTH / ROWS⌉, 1), pooled ⌈4·N·⌊HEIGHT/2⌋·⌊WIDTH/2⌋ / ROWS⌉, its y as z; y: ⌈CO / COLUMNS⌉.
//
// What it adds to rung 3: what one invocation loads, all others of its workgroup use. A number of X is
// loaded from global memory once for COLUMNS channels and a weight once for ROWS pixels; the tile of
// registers is fed from workgroup memory, which on a GPU is some ten times as fast.

override ROWS: u32;
override COLUMNS: u32;
override INVOCATIONS: u32 = ROWS * COLUMNS / 64u;

@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

var<workgroup> some_terms: array<vec4f, 2u * ROWS>;          // [four terms][pixel]
var<workgroup> some_weights: array<vec4f, 2u * COLUMNS>;     // [term][four channels]

fn weight(term: u32, o: u32) -> vec4f {
  let at = min(term, TERMS - 1u) * (CO / 4u) + min(o, CO / 4u - 1u);
  return select(vec4f(), w[at], term < TERMS);
}

fn pixels(at: u32) -> mat4x4f {
  let next = ROWS / 8u;
  return mat4x4f(some_terms[at], some_terms[at + next], some_terms[at + 2u * next], some_terms[at + 3u * next]);
}
fn weights(at: u32) -> mat4x4f {
  let next = COLUMNS / 4u;
  return mat4x4f(some_weights[at], some_weights[at + next], some_weights[at + 2u * next], some_weights[at + 3u * next]);
}

// Eight pixels of an invocation × four of its channels.
fn four_terms_more(sum: Strip, at: u32, k: mat4x4f) -> Strip {
  return Strip(multiply_add_4(k, pixels(at), sum.left), multiply_add_4(k, pixels(at + ROWS / 2u), sum.right));
}

// The pixel of a row of the product, counted from `first`, the first one of this workgroup, a multiple of 8; beyond the `last` row of y
// that of the last one.
fn pixel_of(first: u32, row: u32, last: u32) -> u32 {
  if EPILOGUE != 3u { return min(first + row, last); }
  let nth = row / (ROWS / 8u);
  let cell = min(first / 4u + nth / 4u * (ROWS / 8u) + row % (ROWS / 8u), last);
  // What is pooled has two of each at least; but a compiler divides constants of images, too, that are not.
  let across = max(WIDTH / 2u, 1u);
  let down = max(HEIGHT / 2u, 1u);
  let i = cell / across % down * 2u + nth % 4u / 2u;
  let j = cell % across * 2u + nth % 2u;
  return (cell / (across * down) * HEIGHT + i) * WIDTH + j;
}

fn store_one(pixel: u32, last: u32, o: u32, sum: vec4f, b: vec4f) {
  if pixel <= last { put(pixel * (CO / 4u) + o, sum, b); }
}
fn store_four(pixel: u32, last: u32, o: u32, sums: mat4x4f, b: vec4f) {
  let next = ROWS / 8u;
  store_one(pixel, last, o, sums[0], b);
  store_one(pixel + next, last, o, sums[1], b);
  store_one(pixel + 2u * next, last, o, sums[2], b);
  store_one(pixel + 3u * next, last, o, sums[3], b);
}
fn store_eight(first: u32, down: u32, last: u32, o: u32, sums: Strip) {
  if o >= CO / 4u { return; }
  let b = bias_of(o);
  if EPILOGUE != 3u {
    store_four(first + down, last, o, sums.left, b);
    store_four(first + down + ROWS / 2u, last, o, sums.right, b);
    return;
  }
  let cell = first / 4u + down;
  let other = cell + ROWS / 8u;
  if cell <= last { put_cell(cell * (CO / 4u) + o, sums.left, b); }
  if other <= last { put_cell(other * (CO / 4u) + o, sums.right, b); }
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(num_workgroups) groups: vec3u) {
  let first = (group.z * groups.x + group.x) * ROWS;
  let first_output = group.y * (COLUMNS / 4u);
  let across = local % (COLUMNS / 8u);
  let down = local / (COLUMNS / 8u);
  let last = arrayLength(&y) / (CO / 4u) - 1u;
  var near: Strip; var far: Strip;                       // four channels each, of eight pixels
  for (var term = 0u; term < TERMS; term += 8u) {
    workgroupBarrier();                                  // all have used what is there
    for (var i = local; i < 2u * ROWS; i += INVOCATIONS) {
      some_terms[i] = four_terms(pixel_of(first, i % ROWS, last), term / 4u + i / ROWS);
    }
    for (var i = local; i < 2u * COLUMNS; i += INVOCATIONS) {
      some_weights[i] = weight(term + i / (COLUMNS / 4u), first_output + i % (COLUMNS / 4u));
    }
    workgroupBarrier();                                  // all of it is there
    for (var half = 0u; half < 2u; half++) {
      let k = half * COLUMNS + across;
      near = four_terms_more(near, half * ROWS + down, weights(k));
      far = four_terms_more(far, half * ROWS + down, weights(k + COLUMNS / 8u));
    }
  }
  store_eight(first, down, last, first_output + across, near);
  store_eight(first, down, last, first_output + across + COLUMNS / 8u, far);
}
