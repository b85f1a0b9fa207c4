// What the weight gradients of shared rows have in common: rows of pixels, a channel a lane, which eight input channels share
// by broadcasts; the gradients of eight outputs; and what the two give to a row of the kernel.

// The gradients of eight outputs of a row, a column each.
struct Gradients { near: Matrix, far: Matrix }

fn pixel(image: u32, i: i32, j: i32, c: u32) -> f32 {
  return select(0.0, x[place(image, i, j) * CI + c], inside(i, j));
}
// The pixels of a row in the lane's channel.
fn row_of(image: u32, i: i32, j: i32, c: u32) -> Pixels {
  var r: Pixels;
  r.a = vec4f(pixel(image, i, j, c), pixel(image, i, j + 1, c), pixel(image, i, j + 2, c), pixel(image, i, j + 3, c));
  r.b = vec4f(pixel(image, i, j + 4, c), pixel(image, i, j + 5, c), pixel(image, i, j + 6, c), pixel(image, i, j + 7, c));
  if KW > 1u { r.c.x = pixel(image, i, j + 8, c); }
  if KW > 2u { r.c.y = pixel(image, i, j + 9, c); }
  if KW > 3u { r.c.z = pixel(image, i, j + 10, c); }
  return r;
}

// One channel's pixels in every lane.
fn spread_0(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 0u), subgroupBroadcast(r.b, 0u), subgroupBroadcast(r.c, 0u)); }
fn spread_1(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 1u), subgroupBroadcast(r.b, 1u), subgroupBroadcast(r.c, 1u)); }
fn spread_2(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 2u), subgroupBroadcast(r.b, 2u), subgroupBroadcast(r.c, 2u)); }
fn spread_3(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 3u), subgroupBroadcast(r.b, 3u), subgroupBroadcast(r.c, 3u)); }
fn spread_4(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 4u), subgroupBroadcast(r.b, 4u), subgroupBroadcast(r.c, 4u)); }
fn spread_5(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 5u), subgroupBroadcast(r.b, 5u), subgroupBroadcast(r.c, 5u)); }
fn spread_6(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 6u), subgroupBroadcast(r.b, 6u), subgroupBroadcast(r.c, 6u)); }
fn spread_7(r: Pixels) -> Pixels { return Pixels(subgroupBroadcast(r.a, 7u), subgroupBroadcast(r.b, 7u), subgroupBroadcast(r.c, 7u)); }

// A row of pixels and the gradients of eight outputs on a row of the kernel.
fn add_row(sum: Taps, p: Pixels, g: Gradients) -> Taps {
  var s = sum;
  s.k0 = multiply_add(g.far, p.b, multiply_add(g.near, p.a, sum.k0));
  if KW > 1u { s.k1 = multiply_add(g.far, right_1(p), multiply_add(g.near, left_1(p), sum.k1)); }
  if KW > 2u { s.k2 = multiply_add(g.far, right_2(p), multiply_add(g.near, left_2(p), sum.k2)); }
  if KW > 3u { s.k3 = multiply_add(g.far, right_3(p), multiply_add(g.near, left_3(p), sum.k3)); }
  return s;
}

// A row of the kernel of one input channel, in its place.
fn store_row(block: u32, ky: u32, c: u32, o: u32, sum: Taps) {
  let at = (block * KH + ky) * KW * CI * (CO / OUTPUTS) + c * (CO / OUTPUTS) + o;
  let next = CI * (CO / OUTPUTS);
  p[at] = sum.k0;
  if KW > 1u { p[at + next] = sum.k1; }
  if KW > 2u { p[at + 2u * next] = sum.k2; }
  if KW > 3u { p[at + 3u * next] = sum.k3; }
}
