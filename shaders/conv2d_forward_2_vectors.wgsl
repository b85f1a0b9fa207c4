// Convolution, rung 2: numbers four at a time. Stride 1, `same` border of zeros, optional bias, ReLU:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx,c} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · w[ky,kx,c,o] )
//
//   x      [N][HEIGHT][WIDTH][CI/4] vec4    CI a multiple of 4
//   w      [KH][KW][CI][CO/4] vec4          CO a multiple of 4; KH and KW any
//   y      [N][HEIGHT][WIDTH][CO/4] vec4
//   bias   [CO/4] vec4
//
// Tile: one pixel × 4 channels an invocation, channels fastest.
// Dispatch: linear_grid(N·HEIGHT·WIDTH·CO/4, 64).
//
// What it adds to rung 1: with the channels last, the four channels of a pixel lie together and come
// in one load of 16 bytes, which serves four outputs; so do four weights. 16 multiply-adds on 5 loads
// in place of 1 on 2.

override CI: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

fn weights(at: u32) -> mat4x4f {
  let next = CO / 4u;
  return mat4x4f(w[at], w[at + next], w[at + 2u * next], w[at + 3u * next]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  if at >= arrayLength(&y) { return; }
  let o = at % (CO / 4u);
  let j = at / (CO / 4u) % WIDTH;
  let i = at / (CO / 4u * WIDTH) % HEIGHT;
  let image = at / (CO / 4u * WIDTH * HEIGHT);
  var sum = vec4f();
  for (var ky = 0u; ky < KH; ky++) {
    let row = i32(i + ky) - i32(PAD_TOP);
    if row < 0 || row >= i32(HEIGHT) { continue; }
    for (var kx = 0u; kx < KW; kx++) {
      let column = i32(j + kx) - i32(PAD_LEFT);
      if column < 0 || column >= i32(WIDTH) { continue; }
      let pixel = place(image, row, column) * (CI / 4u);
      let weight = (ky * KW + kx) * CI * (CO / 4u) + o;
      for (var c = 0u; c < CI / 4u; c++) {
        sum = multiply_add(weights(weight + c * CO), x[pixel + c], sum);
      }
    }
  }
  y[at] = finished(sum, bias_of(o));
}
