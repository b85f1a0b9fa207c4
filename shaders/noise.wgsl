// y = x + σ·N(0, 1), independent for each element. After philox.wgsl and ln_1p.wgsl.
//
//   x, y   any shape, flat, the same number of elements
//
// One invocation four elements, from the words a, b, c, d of one Philox block with counter (block,
// step, layer, stream), by Box and Muller: √(−2 ln(1 − u(a)))·(cos, sin)(2π·u(b)) for the first two
// and from c and d for the others. The angle is taken as 2π·(u − ½), whose cosine and sine have the
// other sign, since WGSL promises their accuracy only within ±π.
// Dispatch: linear_grid(⌈n/4⌉, 64).

struct Immediates {
  key_low: u32, key_high: u32, step: u32, layer: u32, stream: u32,
  sigma: f32,
}
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn normal_pair(a: f32, b: f32) -> vec2f {
  const TAU = 6.283185307179586;
  let radius = sqrt(-2.0 * ln_1p(-a));
  let angle = TAU * (b - 0.5);
  return -radius * vec2f(cos(angle), sin(angle));
}

fn put(i: u32, normal: f32) {
  if i >= arrayLength(&y) { return; }
  y[i] = fma(given.sigma, normal, x[i]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let block = id.y * (groups.x * 64u) + id.x;
  if block > (arrayLength(&y) - 1u) / 4u { return; }
  let counter = vec4u(block, given.step, given.layer, given.stream);
  let random = unit(philox(counter, vec2u(given.key_low, given.key_high)));
  let first = normal_pair(random.x, random.y);
  let second = normal_pair(random.z, random.w);
  let i = 4u * block;
  put(i, first.x);
  put(i + 1u, first.y);
  put(i + 2u, second.x);
  put(i + 3u, second.y);
}
