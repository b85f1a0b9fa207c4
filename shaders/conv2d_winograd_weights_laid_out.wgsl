// The weights of Winograd's forward kernel as conv2d_lay_out.wgsl lays them out, from a uniform buffer. llvmpipe of Mesa 22 takes
// the numbers of a storage buffer one by one, each in a round of a loop with branches; those of a uniform buffer, eight lanes' at
// once, in a dozen cycles. TOGETHER is 2; after words.wgsl.
//
//   w      [KH][KW][CI/2][LANES] of two words: two outputs of a channel, and the same two of the next one
//
// A uniform buffer holds 64 KiB, which is often less than the weights of a layer: a slab of them is bound, those of LANES
// lanes, and there is a dispatch for each slab.

struct Immediates { first: u32 } // lanes before the slab's own
var<immediate> given: Immediates;

@group(0) @binding(1) var<uniform> w: array<vec2<u64>, 4096>;

// The group of outputs of a lane.
fn outputs_of(group: u32, local: u32) -> u32 { return given.first + local; }

// Column kx of the kernel for channel c and the next one.
fn columns(kx: u32, c: u32, o: u32, local: u32) -> Columns {
  let first = (kx * (CI / 2u) + c / 2u) * LANES + local;
  let next = KW * (CI / 2u) * LANES;
  let w0 = w[first];
  let w1 = w[first + next];
  var w2: vec2<u64>;
  var w3: vec2<u64>;
  if KH > 2u { w2 = w[first + 2u * next]; }
  if KH > 3u { w3 = w[first + 3u * next]; }
  return Columns(Column(loaded(w0.x), loaded(w1.x), loaded(w2.x), loaded(w3.x)),
                 Column(loaded(w0.y), loaded(w1.y), loaded(w2.y), loaded(w3.y)));
}
