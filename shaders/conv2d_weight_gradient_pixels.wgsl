// Rows of pixels for the weight gradients of shared rows, number by number, a channel a lane.
// conv2d_weight_gradient_pixels_words.wgsl is the other way.
//
//   x      [N][HEIGHT][WIDTH][CI]

override CI: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;

// Pixels 0 to 3 of a row, 4 to 7 and 8 to 10, in the lane's channel.
struct Row { a: vec4f, b: vec4f, c: vec4f }

// What a lane loads of eight channels from `first` on.
struct Part { channel: u32 }
fn part(first: u32, lane: u32) -> Part {
  return Part(min(first + min(lane, 7u), CI - 1u));
}

fn pixel(image: u32, i: i32, j: i32, mine: Part) -> f32 {
  return select(0.0, x[place(image, i, j) * CI + mine.channel], inside(i, j));
}
fn row_of(image: u32, i: i32, j: i32, mine: Part) -> Row {
  var r: Row;
  r.a = vec4f(pixel(image, i, j, mine), pixel(image, i, j + 1, mine), pixel(image, i, j + 2, mine), pixel(image, i, j + 3, mine));
  r.b = vec4f(pixel(image, i, j + 4, mine), pixel(image, i, j + 5, mine), pixel(image, i, j + 6, mine), pixel(image, i, j + 7, mine));
  if KW > 1u { r.c.x = pixel(image, i, j + 8, mine); }
  if KW > 2u { r.c.y = pixel(image, i, j + 9, mine); }
  if KW > 3u { r.c.z = pixel(image, i, j + 10, mine); }
  return r;
}

// One channel's pixels in every lane.
fn spread_0(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 0u), subgroupBroadcast(r.b, 0u), subgroupBroadcast(r.c.xyz, 0u)); }
fn spread_1(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 1u), subgroupBroadcast(r.b, 1u), subgroupBroadcast(r.c.xyz, 1u)); }
fn spread_2(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 2u), subgroupBroadcast(r.b, 2u), subgroupBroadcast(r.c.xyz, 2u)); }
fn spread_3(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 3u), subgroupBroadcast(r.b, 3u), subgroupBroadcast(r.c.xyz, 3u)); }
fn spread_4(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 4u), subgroupBroadcast(r.b, 4u), subgroupBroadcast(r.c.xyz, 4u)); }
fn spread_5(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 5u), subgroupBroadcast(r.b, 5u), subgroupBroadcast(r.c.xyz, 5u)); }
fn spread_6(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 6u), subgroupBroadcast(r.b, 6u), subgroupBroadcast(r.c.xyz, 6u)); }
fn spread_7(r: Row) -> Pixels { return Pixels(subgroupBroadcast(r.a, 7u), subgroupBroadcast(r.b, 7u), subgroupBroadcast(r.c.xyz, 7u)); }
