// The matrix X[p,t] that makes a convolution a product of matrices, four terms t at a time: they are
// four channels of one tap, so they lie together.
//
//   x   [N][HEIGHT][WIDTH][CI/4] vec4     CI a multiple of 4

override CI: u32;
override TERMS: u32 = KH * KW * CI;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;

// Terms 4·q … 4·q+3 of pixel p of the batch, zero on the border and beyond the last term.
fn four_terms(p: u32, q: u32) -> vec4f {
  let tap = q / (CI / 4u);
  let i = i32(p / WIDTH % HEIGHT + tap / KW) - i32(PAD_TOP);
  let j = i32(p % WIDTH + tap % KW) - i32(PAD_LEFT);
  let at = place(p / (WIDTH * HEIGHT), i, j) * (CI / 4u) + q % (CI / 4u);
  return select(vec4f(), x[at], tap < KH * KW && inside(i, j));
}
