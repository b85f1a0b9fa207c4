// A kernel turned round, with its channels exchanged: what the input gradient convolves with.
//
//   v[ky,kx,o,c] = w[KH−1−ky, KW−1−kx, c, o]
//
//   w   [taps][CI][CO],  taps = KH·KW
//   v   [taps][CO][CI]
//
// Turning both axes of the taps round reverses their flat order. One invocation a weight, written
// in order; dispatch: linear_grid(taps·CI·CO, 64).

struct Immediates { taps: u32, ci: u32, co: u32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = g.y * (groups.x * 64u) + g.x;
  if at >= arrayLength(&v) { return; }
  let c = at % given.ci;
  let o = at / given.ci % given.co;
  let tap = at / (given.ci * given.co);
  v[at] = w[((given.taps - 1u - tap) * given.ci + c) * given.co + o];
}
