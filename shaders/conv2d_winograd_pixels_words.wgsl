// The pixels of Winograd's forward kernel, those of two channels as a word. CI is even, TOGETHER 2. After words.wgsl; Source,
// Row and Channels are the kernel's.
//
//   x      [N][HEIGHT][WIDTH][CI/2] words

@group(0) @binding(0) var<storage, read> x: array<u64>;

override STEP: u32 = CI / 2u; // from a pixel to the next

fn pixel(at: u32, inside: bool) -> vec2f {
  return select(vec2f(), loaded(x[at]), inside);
}

fn load(s: Source, c: Channels) -> Row {
  let a = pixel(s.at.x + c.first / 2u, s.inside.x);
  let b = pixel(s.at.y + c.first / 2u, s.inside.y);
  return Row(a.x, b.x, a.y, b.y);
}

fn load_far(s: Source, c: Channels) -> Row {
  return Row(pixel(s.at.z + c.first / 2u, s.inside.z), 0.0, 0.0);
}
fn spread_next(near: f32, far: Row) -> Pixels {
  return spread(near, far.y);
}
