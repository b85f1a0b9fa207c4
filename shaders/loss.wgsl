// The terms of a mean error, and the way back.
//
//   SQUARED   0: z = |p − t|, back: z = sign(p − t)·g/n, which is 0 where p = t
//             1: z = (p − t)², back: z = 2·(p − t)·g/n
//   BACKWARD  0: the terms, 1: the gradient with respect to p
//   p, t, z   any shape, flat, the same number of elements
//   g         one number (not read forward; any tensor will do there)
//   factor    1/n, an immediate
//
// One invocation an element; dispatch: linear_grid(n, 256).

override SQUARED: u32;
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
  let error = p[i] - t[i];
  if BACKWARD == 1u {
    let slope = select(sign(error), 2.0 * error, SQUARED == 1u);
    z[i] = slope * (g[0] * given.factor);
  } else {
    z[i] = select(abs(error), error * error, SQUARED == 1u);
  }
}
