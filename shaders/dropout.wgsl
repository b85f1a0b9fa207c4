// y = x·m/(1 − p) with a mask m of independent zeros (probability p) and ones. After fours_one.wgsl or fours_two.wgsl, which
// declare x and y, and philox.wgsl.
//
//   x, y   any shape, flat, the same number of elements; backward, x is the gradient of the output
//
// The mask is not stored: it is a pure function of the element's number and of the immediates, so
// the way back draws it again. One invocation four elements, the words of one Philox block with
// counter (block, step, layer, stream); m = 1 where unit(word) ≥ p.
// Dispatch: linear_grid(⌈n/4⌉, 64).

struct Immediates {
  key_low: u32, key_high: u32, step: u32, layer: u32, stream: u32,
  probability: f32, scale: f32,                        // p and 1/(1 − p)
}
var<immediate> given: Immediates;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let block = id.y * (groups.x * 64u) + id.x;
  if block >= fours() { return; }
  let counter = vec4u(block, given.step, given.layer, given.stream);
  let random = unit(philox(counter, vec2u(given.key_low, given.key_high)));
  put_four(block, select(vec4f(), given.scale * four_of(block), random >= vec4f(given.probability)));
}
