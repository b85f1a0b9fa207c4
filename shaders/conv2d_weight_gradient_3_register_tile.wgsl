// Weight gradient of the convolution, rung 3: a tile of weights in registers. First pass, each block of
// output rows sums its own pixels,
//
//   p[block,ky,kx,c,o] = Σ_{(n,i,j) in block} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · d[n,i,j,o]
//
// and sum_rows.wgsl adds the blocks in their order.
//
//   x   [N][HEIGHT][WIDTH][CI/4] vec4                  CI a multiple of 4
//   d   [N][HEIGHT][WIDTH][CO/OUTPUTS] Outputs         ∂L/∂y; CO a multiple of OUTPUTS
//   p   [blocks][KH][KW][CI][CO/OUTPUTS] Outputs       KH any, KW at most 4
//
// A block is `rows` of the N·HEIGHT = `all` rows of the batch, the last one what is left.
//
// Tile: an invocation keeps one kernel row, KW taps, of 4 input × OUTPUTS output channels; lanes run
// over output channels. Dispatch: (KH·CI/4, ⌈CO/OUTPUTS / LANES⌉, blocks).
//
// What it adds to rung 2: the gradients of a strip of eight pixels serve all KW taps and the eleven
// pixels under them as well: 8·4·OUTPUTS·KW multiply-adds on 19 loads. The pixels' addresses are the
// same for all lanes, so that a compiler may load them once. It needs no subgroups.

override CI: u32;
override LANES: u32;

struct Immediates { rows: u32, all: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<Outputs>;
@group(0) @binding(2) var<storage, read_write> p: array<Outputs>;

fn pixel(image: u32, i: i32, j: i32, c: u32) -> vec4f {
  return select(vec4f(), x[place(image, i, j) * (CI / 4u) + c], inside(i, j));
}

fn gradient(row: u32, j: u32, o: u32) -> Outputs {
  let at = (row * WIDTH + min(j, WIDTH - 1u)) * (CO / OUTPUTS) + o;
  return select(Outputs(), d[at], WIDTH % 8u == 0u || j < WIDTH);
}
fn gradients(row: u32, j: u32, o: u32) -> Matrix {
  return Matrix(gradient(row, j, o), gradient(row, j + 1u, o), gradient(row, j + 2u, o), gradient(row, j + 3u, o));
}

fn store(at: u32, sum: Matrix) {
  let next = CO / OUTPUTS;
  p[at] = sum[0]; p[at + next] = sum[1]; p[at + 2u * next] = sum[2]; p[at + 3u * next] = sum[3];
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
  let first = group.z * given.rows;
  let last = min(first + given.rows, given.all);
  let c = group.x % (CI / 4u);
  let ky = group.x / (CI / 4u);
  let outputs = group.y * LANES + local;
  let o = min(outputs, CO / OUTPUTS - 1u);
  let strips = (WIDTH + 7u) / 8u;
  var k0: Matrix; var k1: Matrix; var k2: Matrix; var k3: Matrix;      // taps; a column an input channel
  for (var strip = first * strips; strip < last * strips; strip++) {
    let line = strip / strips;
    let image = line / HEIGHT;
    let j = strip % strips * 8u;
    let near = gradients(line, j, o);
    let far = gradients(line, j + 4u, o);
    let i = i32(line % HEIGHT + ky) - i32(PAD_TOP);
    let q = i32(j) - i32(PAD_LEFT);
    let x0 = pixel(image, i, q, c); let x1 = pixel(image, i, q + 1, c); let x2 = pixel(image, i, q + 2, c);
    let x3 = pixel(image, i, q + 3, c); let x4 = pixel(image, i, q + 4, c); let x5 = pixel(image, i, q + 5, c);
    let x6 = pixel(image, i, q + 6, c); let x7 = pixel(image, i, q + 7, c); let x8 = pixel(image, i, q + 8, c);
    let x9 = pixel(image, i, q + 9, c); let x10 = pixel(image, i, q + 10, c);
    k0 = multiply_add_4(near, transpose(mat4x4f(x0, x1, x2, x3)), k0);
    k0 = multiply_add_4(far, transpose(mat4x4f(x4, x5, x6, x7)), k0);
    if KW > 1u {
      k1 = multiply_add_4(near, transpose(mat4x4f(x1, x2, x3, x4)), k1);
      k1 = multiply_add_4(far, transpose(mat4x4f(x5, x6, x7, x8)), k1);
    }
    if KW > 2u {
      k2 = multiply_add_4(near, transpose(mat4x4f(x2, x3, x4, x5)), k2);
      k2 = multiply_add_4(far, transpose(mat4x4f(x6, x7, x8, x9)), k2);
    }
    if KW > 3u {
      k3 = multiply_add_4(near, transpose(mat4x4f(x3, x4, x5, x6)), k3);
      k3 = multiply_add_4(far, transpose(mat4x4f(x7, x8, x9, x10)), k3);
    }
  }
  if outputs >= CO / OUTPUTS { return; }
  let next = CI * (CO / OUTPUTS);
  let at = ((group.z * KH + ky) * KW * CI + c * 4u) * (CO / OUTPUTS) + o;
  store(at, k0);
  if KW > 1u { store(at + next, k1); }
  if KW > 2u { store(at + 2u * next, k2); }
  if KW > 3u { store(at + 3u * next, k3); }
}
