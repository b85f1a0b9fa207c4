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
//   y      [N·HEIGHT·WIDTH][CO/4] vec4
//   bias   [CO/4] vec4
//
// Tile: a workgroup makes ROWS pixels × COLUMNS channels (multiples of 8), an invocation 8 × 8 of
// them: pixels `down` + {0…7}·ROWS/8 and the vec4s `across` + {0, 1}·COLUMNS/8 of channels, so that
// neighbours read neighbouring words. The sum goes on eight terms at a time.
// Dispatch: linear_grid(⌈N·HEIGHT·WIDTH / ROWS⌉, 1), its y as z; y: ⌈CO / COLUMNS⌉.
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

fn store_one(pixel: u32, last: u32, o: u32, sum: vec4f, b: vec4f) {
  if pixel <= last { y[pixel * (CO / 4u) + o] = finished(sum, b); }
}
fn store_four(pixel: u32, last: u32, o: u32, sums: mat4x4f, b: vec4f) {
  let next = ROWS / 8u;
  store_one(pixel, last, o, sums[0], b);
  store_one(pixel + next, last, o, sums[1], b);
  store_one(pixel + 2u * next, last, o, sums[2], b);
  store_one(pixel + 3u * next, last, o, sums[3], b);
}
fn store_eight(pixel: u32, last: u32, o: u32, sums: Strip) {
  if o >= CO / 4u { return; }
  let b = bias_of(o);
  store_four(pixel, last, o, sums.left, b);
  store_four(pixel + ROWS / 2u, last, o, sums.right, b);
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
      some_terms[i] = four_terms(min(first + i % ROWS, last), term / 4u + i / ROWS);
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
  store_eight(first + down, last, first_output + across, near);
  store_eight(first + down, last, first_output + across + COLUMNS / 8u, far);
}
