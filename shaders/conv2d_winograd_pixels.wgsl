// The pixels of Winograd's forward kernel, number by number. conv2d_winograd_pixels_words.wgsl is the other way.
//
//   x      [N][HEIGHT][WIDTH][CI]

@group(0) @binding(0) var<storage, read> x: array<f32>;

override STEP: u32 = CI;      // from a pixel to the next

// A pixel of channel c and, where channels go by two, of the next one.
fn pixel(at: u32, inside: bool, c: u32) -> vec2f {
  var p = vec2f(x[at + c], 0.0);
  if TOGETHER > 1u { p.y = x[at + c + 1u]; }
  return select(vec2f(), p, inside);
}
