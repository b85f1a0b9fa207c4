// Weights for conv2d_winograd_weights_laid_out.wgsl, times a factor:
//
//   v[slab, tap, pair, lane] = f · ( w[tap,c,o], w[tap,c,o+1], w[tap,c+1,o], w[tap,c+1,o+1] )
//
// with c = 2·pair and o = 2·(slab·lanes + lane); 0 where a layer has no output o. For the input gradient the kernel is turned
// round and its channels are exchanged, as conv2d_flip.wgsl does: the taps come in reverse order, and the steps are exchanged.
//
//   w   [taps][channels in and out], the number of a channel and an output being c·of_channel + o·of_output
//   v   [slabs][4096], of which the first taps·pairs·lanes are written
//
// One invocation a vector. Dispatch: (slabs·lanes/8, pairs, taps).

struct Immediates { outputs: u32, of_channel: u32, of_output: u32, lanes: u32, turned: u32, factor: f32 }
var<immediate> given: Immediates;

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> v: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let o = 2u * id.x;
  let tap = select(id.z, groups.z - 1u - id.z, given.turned > 0u);
  var four = vec4f();
  if o < given.outputs {
    let at = tap * 2u * groups.y * given.outputs + 2u * id.y * given.of_channel + o * given.of_output;
    let next = at + given.of_channel;
    four = given.factor * vec4f(w[at], w[at + given.of_output], w[next], w[next + given.of_output]);
  }
  let in_slab = (id.z * groups.y + id.y) * given.lanes + id.x % given.lanes;
  v[id.x / given.lanes * 4096u + in_slab] = four;
}
