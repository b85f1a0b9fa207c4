// A kernel turned round, with its channels exchanged, times a factor: what the input gradient convolves with.
//
//   v[ky,kx,o,c] = f · w[KH−1−ky, KW−1−kx, c, o]
//
//   w   [taps][CI][CO],  taps = KH·KW
//   v   [taps][CO][CI]
//
// Turning both axes of the taps round reverses their flat order. One invocation a weight, eight by eight of a tap a
// workgroup, so that the writes of neighbours are neighbours and nobody divides. Dispatch: (⌈CI/8⌉, ⌈CO/8⌉, taps).

struct Immediates { ci: u32, co: u32, factor: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = id.x;
  let o = id.y;
  if c >= given.ci || o >= given.co { return; }
  let turned = groups.z - 1u - id.z;
  v[(id.z * given.co + o) * given.ci + c] = given.factor * w[(turned * given.ci + c) * given.co + o];
}
