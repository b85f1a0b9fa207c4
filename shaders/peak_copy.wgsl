// How fast the device reads and writes memory when it does nothing else:  y[i] = x[i]
//
//   x, y   [n/4] vec4, n a multiple of 1,024
//
// An invocation copies four vec4s, neighbours a vec4 apart. Dispatch: linear_grid(n/16, 64).

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u,
        @builtin(num_workgroups) groups: vec3u) {
  let at = (group.y * groups.x + group.x) * 256u + local;
  if at + 192u >= arrayLength(&y) { return; }
  y[at] = x[at];
  y[at + 64u] = x[at + 64u];
  y[at + 128u] = x[at + 128u];
  y[at + 192u] = x[at + 192u];
}
