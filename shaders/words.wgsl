// Two numbers that lie side by side in memory as a word of 64 bits, the first in the low half. llvmpipe loads and stores
// each number of each lane by itself, whatever lies beside it; a word moves two for the price of one. The device must have
// integers of 64 bits.

alias Stored = u64;

fn loaded(word: Stored) -> vec2f {
  return bitcast<vec2f>(vec2u(u32(word), u32(word >> 32u)));
}
fn stored(numbers: vec2f) -> Stored {
  let halves = bitcast<vec2u>(numbers);
  return u64(halves.x) | (u64(halves.y) << 32u);
}
