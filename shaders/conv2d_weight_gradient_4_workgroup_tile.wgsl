// Weight gradient of the convolution, rung 4: a product of matrices through workgroup memory. First
// pass, each block of output rows sums its own pixels,
//
//   P[block,t,o] = Σ_{p in block} X[p,t] · d[p,o]
//
// and sum_rows.wgsl adds the blocks in their order. p counts the pixels of the whole batch and t the
// weights (ky,kx,c) of an output channel; X[p,t] = x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] is never
// stored: `four_terms` gathers it.
//
//   x   [N][HEIGHT][WIDTH][CI]                  as conv2d_terms_*.wgsl declares it
//   d   [N·HEIGHT·WIDTH][CO/4] vec4             ∂L/∂y; CO a multiple of 4
//   P   [blocks][KH·KW·CI][CO/4] vec4           KH and KW any
//
// A block is `rows` of the N·HEIGHT = `all` rows of the batch, the last one what is left.
//
// Tile: a workgroup makes ROWS weights × COLUMNS output channels (multiples of 8), an invocation 8 × 8
// of them: of the vec4s of weights `down` + {0, 1}·ROWS/8, of those of channels `across` +
// {0, 1}·COLUMNS/8. The sum goes on eight pixels at a time.
// Dispatch: (⌈KH·KW·CI / ROWS⌉, ⌈CO / COLUMNS⌉, blocks).
//
// What it adds to rung 3: what one invocation loads, all others of its workgroup use: a number of X
// serves COLUMNS channels, a number of d ROWS weights.

override ROWS: u32;
override COLUMNS: u32;
override INVOCATIONS: u32 = ROWS * COLUMNS / 64u;

struct Immediates { rows: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;

var<workgroup> some_terms: array<vec4f, 2u * ROWS>;            // [pixel][four weights]
var<workgroup> some_gradients: array<vec4f, 2u * COLUMNS>;     // [pixel][four channels]

fn gradient(pixel: u32, end: u32, o: u32) -> vec4f {
  return select(vec4f(), d[min(pixel, end - 1u) * (CO / 4u) + min(o, CO / 4u - 1u)], pixel < end);
}

fn store_one(block: u32, t: u32, o: u32, sum: vec4f) {
  if t < TERMS { p[(block * TERMS + t) * (CO / 4u) + o] = sum; }
}
fn store_four(block: u32, t: u32, o: u32, sum: mat4x4f) {
  if o >= CO / 4u { return; }
  store_one(block, t, o, sum[0]);
  store_one(block, t + 1u, o, sum[1]);
  store_one(block, t + 2u, o, sum[2]);
  store_one(block, t + 3u, o, sum[3]);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  let block = group.z;
  let end = min((block + 1u) * given.rows, given.all) * WIDTH;
  let first_weight = group.x * (ROWS / 4u);
  let first_output = group.y * (COLUMNS / 4u);
  let across = local % (COLUMNS / 8u);
  let down = local / (COLUMNS / 8u);
  var s00: mat4x4f; var s01: mat4x4f; var s10: mat4x4f; var s11: mat4x4f;     // a column a weight
  for (var pixel = block * given.rows * WIDTH; pixel < end; pixel += 8u) {
    workgroupBarrier();                                  // all have used what is there
    for (var i = local; i < 2u * ROWS; i += INVOCATIONS) {
      some_terms[i] = four_terms(min(pixel + i / (ROWS / 4u), end - 1u), first_weight + i % (ROWS / 4u));
    }
    for (var i = local; i < 2u * COLUMNS; i += INVOCATIONS) {
      some_gradients[i] = gradient(pixel + i / (COLUMNS / 4u), end, first_output + i % (COLUMNS / 4u));
    }
    workgroupBarrier();                                  // all of it is there
    for (var i = 0u; i < 8u; i++) {
      let x0 = some_terms[i * (ROWS / 4u) + down];
      let x1 = some_terms[i * (ROWS / 4u) + down + ROWS / 8u];
      let d0 = some_gradients[i * (COLUMNS / 4u) + across];
      let d1 = some_gradients[i * (COLUMNS / 4u) + across + COLUMNS / 8u];
      s00 = outer_product(d0, x0, s00); s01 = outer_product(d1, x0, s01);
      s10 = outer_product(d0, x1, s10); s11 = outer_product(d1, x1, s11);
    }
  }
  let t = (first_weight + down) * 4u;
  let o = first_output + across;
  store_four(block, t, o, s00);
  store_four(block, t, o + COLUMNS / 8u, s01);
  store_four(block, t + ROWS / 2u, o, s10);
  store_four(block, t + ROWS / 2u, o + COLUMNS / 8u, s11);
}
