// Philox on given counters and keys, for the tests that compare it with rng.rs and with the
// published answers. After philox.wgsl.
//
//   counters, words   [n] × 4 words
//   keys              [n] × 2 words
//
// One invocation a block; dispatch: linear_grid(n, 64).

@group(0) @binding(0) var<storage, read> counters: array<vec4u>;
@group(0) @binding(1) var<storage, read> keys: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * (groups.x * 64u) + id.x;
  if i >= arrayLength(&words) { return; }
  words[i] = philox(counters[i], keys[i]);
}
