// y = b·asinh(a·x), and the way back, z = g·a·b/√(1 + (a·x)²). After ln_1p.wgsl and asinh.wgsl.
//
//   x, g, z   any shape, flat, the same number of elements; forward, g is not read: any tensor will do
//   BACKWARD  0: z = y, 1: the gradient
//
// One invocation an element; dispatch: linear_grid(n, 256).

override BACKWARD: u32;

struct Immediates { a: f32, b: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * (groups.x * 256u) + id.x;
  if i >= arrayLength(&z) { return; }
  let t = given.a * x[i];
  if BACKWARD == 1u {
    z[i] = g[i] * (given.a * given.b) / sqrt(fma(t, t, 1.0));
  } else {
    z[i] = given.b * inverse_sinh(t);
  }
}
