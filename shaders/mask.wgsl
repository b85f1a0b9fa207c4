// z = f·g where y > 0, else 0: with f = 1 the way back through a ReLU, and with g = y = x the ReLU itself; with f what
// dropout multiplied by, the way back through both.
//
//   g, y, z   any shape, flat, the same number of elements; g and y may be the same
//
// A gradient passes where y is NaN, so that a diverged network shows instead of going quiet.
// One invocation an element, after numbers_one.wgsl, or two, after numbers_two.wgsl.
// Dispatch: linear_grid(n / NUMBERS, 256).

struct Immediates { factor: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> g: array<Stored>;
@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read_write> z: array<Stored>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * (groups.x * 256u) + id.x;
  if i >= arrayLength(&z) { return; }
  z[i] = stored(select(given.factor * loaded(g[i]), Numbers(), loaded(y[i]) <= Numbers()));
}
