// The pixels of Winograd's forward kernel, those of two channels as a word. CI is even, TOGETHER 2. After
// conv2d_pixels_in_*.wgsl.
//
//   x      [N][HEIGHT][WIDTH][CI/2] words

override STEP: u32 = CI / 2u; // from a pixel to the next

// A pixel of channel c and of the next one.
fn pixel(at: u32, inside: bool, c: u32) -> vec2f {
  return select(vec2f(), word_of_x(at + c / 2u), inside);
}
