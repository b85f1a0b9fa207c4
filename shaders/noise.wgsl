// y = f(x) + σ·N(0, 1), independent for each element; f is the identity or, with STRETCHES, the stretch b·asinh(a·x), which then
// needs no pass over memory of its own. After fours_one.wgsl or fours_two.wgsl, which declare x and y, philox.wgsl, ln_1p.wgsl
// and asinh.wgsl.
//
//   x, y   any shape, flat, the same number of elements
//
// One invocation four elements, from the words a, b, c, d of one Philox block with counter (block,
// step, layer, stream), by Box and Muller: √(−2 ln(1 − u(a)))·(cos, sin)(2π·u(b)) for the first two
// and from c and d for the others. The angle is taken as 2π·(u − ½), whose cosine and sine have the
// other sign, since WGSL promises their accuracy only within ±π.
// Dispatch: linear_grid(⌈n/4⌉, 64).

override STRETCHES: u32;

struct Immediates {
  key_low: u32, key_high: u32, step: u32, layer: u32, stream: u32,
  sigma: f32,
  a: f32, b: f32,
}
var<immediate> given: Immediates;

fn normal_pair(a: f32, b: f32) -> vec2f {
  const TAU = 6.283185307179586;
  let radius = sqrt(-2.0 * ln_1p(-a));
  let angle = TAU * (b - 0.5);
  return -radius * vec2f(cos(angle), sin(angle));
}

fn stretched(x: vec4f) -> vec4f {
  if STRETCHES == 0u { return x; }
  let t = given.a * x;
  return given.b * vec4f(inverse_sinh(t.x), inverse_sinh(t.y), inverse_sinh(t.z), inverse_sinh(t.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let block = id.y * (groups.x * 64u) + id.x;
  if block >= fours() { return; }
  let counter = vec4u(block, given.step, given.layer, given.stream);
  let random = unit(philox(counter, vec2u(given.key_low, given.key_high)));
  let normal = vec4f(normal_pair(random.x, random.y), normal_pair(random.z, random.w));
  put_four(block, fma(vec4f(given.sigma), normal, stretched(four_of(block))));
}
