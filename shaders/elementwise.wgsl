// z = a + b, z = a·b or z = s·a, element by element.
//
//   a, b, z   any shape, flat, the same number of elements
//   s         an immediate
//   OPERATION 0: a + b;  1: a·b;  2: s·a (b is not used and may be a itself)
//
// One invocation an element, after numbers_one.wgsl, or two, after numbers_two.wgsl.
// Dispatch: linear_grid(n / NUMBERS, 256).

override OPERATION: u32;

struct Immediates { s: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> a: array<Stored>;
@group(0) @binding(1) var<storage, read> b: array<Stored>;
@group(0) @binding(2) var<storage, read_write> z: array<Stored>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = g.y * (groups.x * 256u) + g.x;
  if i >= arrayLength(&z) { return; }
  switch OPERATION {
    case 0u: { z[i] = stored(loaded(a[i]) + loaded(b[i])); }
    case 1u: { z[i] = stored(loaded(a[i]) * loaded(b[i])); }
    default: { z[i] = stored(given.s * loaded(a[i])); }
  }
}
