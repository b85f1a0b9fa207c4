// The terms of a mean absolute error, z = |p − t|, and the way back, z = sign(p − t)·g/n.
//
//   p, t, z   any shape, flat, the same number of elements
//   g         one number (not read forward; any tensor will do there)
//   factor    1/n, an immediate
//   BACKWARD  0: the terms, 1: the gradient with respect to p, which is 0 where p = t
//
// One invocation an element; dispatch: linear_grid(n, 256).

override BACKWARD: u32;

struct Immediates { factor: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> p: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> z: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * (groups.x * 256u) + id.x;
  if i >= arrayLength(&z) { return; }
  let difference = p[i] - t[i];
  if BACKWARD == 1u {
    z[i] = sign(difference) * (g[0] * given.factor);
  } else {
    z[i] = abs(difference);
  }
}
