// Weights of two output channels as a word of 64 bits. llvmpipe gathers each number of each lane by itself, whatever lies
// beside it; a word brings two for the price of one.

alias Weights = u64;

fn weights_of(loaded: Weights) -> vec2f {
  return bitcast<vec2f>(vec2u(u32(loaded), u32(loaded >> 32u)));
}
