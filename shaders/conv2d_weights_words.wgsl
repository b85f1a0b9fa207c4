// Weights of two output channels as a word of 64 bits, the first channel in the low half, for conv2d_outputs_by_2.wgsl. llvmpipe
// gathers each number of each lane by itself, whatever lies beside it; a word brings two for the price of one. The device must
// have integers of 64 bits; the way for others is conv2d_weights_plain.wgsl.

alias Weights = u64;

fn weights_of(loaded: Weights) -> vec2f {
  return bitcast<vec2f>(vec2u(u32(loaded), u32(loaded >> 32u)));
}
