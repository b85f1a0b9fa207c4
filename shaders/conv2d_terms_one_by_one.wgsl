// As conv2d_terms_of_channels.wgsl for any number of channels, and slower: four loads for four terms.
//
//   x   [N][HEIGHT][WIDTH][CI]

override CI: u32;
override TERMS: u32 = KH * KW * CI;

@group(0) @binding(0) var<storage, read> x: array<f32>;

fn term(p: u32, t: u32) -> f32 {
  let tap = t / CI;
  let i = i32(p / WIDTH % HEIGHT + tap / KW) - i32(PAD_TOP);
  let j = i32(p % WIDTH + tap % KW) - i32(PAD_LEFT);
  return select(0.0, x[place(p / (WIDTH * HEIGHT), i, j) * CI + t % CI], t < TERMS && inside(i, j));
}

// Terms 4·q … 4·q+3 of pixel p of the batch, zero on the border and beyond the last term.
fn four_terms(p: u32, q: u32) -> vec4f {
  return vec4f(term(p, 4u * q), term(p, 4u * q + 1u), term(p, 4u * q + 2u), term(p, 4u * q + 3u));
}
