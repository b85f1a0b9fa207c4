// Convolution of any shape, stride 1, `same` border of zeros, optional bias and ReLU:
//
//   y[n,i,j,o] = f( bias[o] + Σ_{ky,kx,c} x[n, i+ky−PAD_TOP, j+kx−PAD_LEFT, c] · w[ky,kx,c,o] )
//
//   x      [N][HEIGHT][WIDTH][CI]
//   w      [KH][KW][CI][CO]
//   y      [N][HEIGHT][WIDTH][CO]
//   bias   [CO]
//   EPILOGUE 0: neither bias nor ReLU; 1: bias; 2: bias and ReLU
//
// One output an invocation, channels fastest: the kernel for what the tiled one does not take, and
// the one to read first. Dispatch: linear_grid(N·HEIGHT·WIDTH·CO, 64).

override HEIGHT: u32;
override WIDTH: u32;
override CI: u32;
override CO: u32;
override KH: u32;
override KW: u32;
override PAD_TOP: u32;
override PAD_LEFT: u32;
override EPILOGUE: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  if at >= arrayLength(&y) { return; }
  let o = at % CO;
  let j = at / CO % WIDTH;
  let i = at / (CO * WIDTH) % HEIGHT;
  let image = at / (CO * WIDTH * HEIGHT);
  var sum = 0.0;
  for (var ky = 0u; ky < KH; ky++) {
    let row = i32(i + ky) - i32(PAD_TOP);
    if row < 0 || row >= i32(HEIGHT) { continue; }
    for (var kx = 0u; kx < KW; kx++) {
      let column = i32(j + kx) - i32(PAD_LEFT);
      if column < 0 || column >= i32(WIDTH) { continue; }
      let pixel = ((image * HEIGHT + u32(row)) * WIDTH + u32(column)) * CI;
      let weight = (ky * KW + kx) * CI * CO + o;
      for (var c = 0u; c < CI; c++) { sum = fma(x[pixel + c], w[weight + c * CO], sum); }
    }
  }
  if EPILOGUE > 0u { sum += bias[o]; }
  if EPILOGUE > 1u && sum <= 0.0 { sum = 0.0; }        // a NaN passes, so that it shows
  y[at] = sum;
}
