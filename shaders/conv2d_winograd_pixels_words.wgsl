// The pixels of Winograd's forward kernel, those of two channels as a word. CI is even, TOGETHER 2. After words.wgsl.
//
//   x      [N][HEIGHT][WIDTH][CI/2] words

@group(0) @binding(0) var<storage, read> x: array<u64>;

override STEP: u32 = CI / 2u; // from a pixel to the next

// A pixel of channel c and of the next one.
fn pixel(at: u32, inside: bool, c: u32) -> vec2f {
  return select(vec2f(), loaded(x[at + c / 2u]), inside);
}
