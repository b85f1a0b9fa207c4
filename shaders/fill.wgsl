// z[i] = s[0]·factor for every i: one number spread over a tensor, the way back through a sum.
//
// One invocation an element; dispatch: linear_grid(n, 256).

struct Immediates { factor: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> s: array<f32>;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = g.y * (groups.x * 256u) + g.x;
  if i >= arrayLength(&z) { return; }
  z[i] = s[0] * given.factor;
}
