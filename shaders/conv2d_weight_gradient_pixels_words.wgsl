// Rows of pixels for the weight gradients of shared rows, two channels as a word: four lanes have the eight channels of a
// pixel, and four those of the pixel beside it. CI is even. After conv2d_pixels_in_*.wgsl.
//
//   x      [N][HEIGHT][WIDTH][CI/2] words

override CI: u32;

// Of pixels 0 to 7 of a row, two a number, the lane's first channel and its second one; and both of pixels 8 to 11: the first
// twice, then the second.
struct Row { a: vec4f, b: vec4f, c: vec4f }

// What a lane loads of eight channels from `first` on: the word of a pixel, and which of two pixels.
struct Part { word: u32, further: i32 }
fn part(first: u32, lane: u32) -> Part {
  return Part(min(first / 2u + lane % 4u, CI / 2u - 1u), i32(lane % 8u / 4u));
}

// Of pixel j, or of the next one.
fn pixel(image: u32, i: i32, j: i32, mine: Part) -> vec2f {
  let column = j + mine.further;
  return select(vec2f(), word_of_x(place(image, i, column) * (CI / 2u) + mine.word), inside(i, column));
}
fn row_of(image: u32, i: i32, j: i32, mine: Part) -> Row {
  let p0 = pixel(image, i, j, mine);
  let p2 = pixel(image, i, j + 2, mine);
  let p4 = pixel(image, i, j + 4, mine);
  let p6 = pixel(image, i, j + 6, mine);
  var p8: vec2f; var p10: vec2f;
  if KW > 1u { p8 = pixel(image, i, j + 8, mine); }
  if KW > 3u { p10 = pixel(image, i, j + 10, mine); }
  return Row(vec4f(p0.x, p2.x, p4.x, p6.x), vec4f(p0.y, p2.y, p4.y, p6.y), vec4f(p8.x, p10.x, p8.y, p10.y));
}

// One channel's pixels in every lane, from those of even columns and of odd ones.
fn zipped(even: vec4f, odd: vec4f, last_even: vec2f, last_odd: vec2f) -> Pixels {
  return Pixels(vec4f(even.x, odd.x, even.y, odd.y), vec4f(even.z, odd.z, even.w, odd.w),
                vec3f(last_even.x, last_odd.x, last_even.y));
}
fn spread_0(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.a, 0u), subgroupBroadcast(r.a, 4u), subgroupBroadcast(r.c.xy, 0u), subgroupBroadcast(r.c.xy, 4u));
}
fn spread_1(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.b, 0u), subgroupBroadcast(r.b, 4u), subgroupBroadcast(r.c.zw, 0u), subgroupBroadcast(r.c.zw, 4u));
}
fn spread_2(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.a, 1u), subgroupBroadcast(r.a, 5u), subgroupBroadcast(r.c.xy, 1u), subgroupBroadcast(r.c.xy, 5u));
}
fn spread_3(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.b, 1u), subgroupBroadcast(r.b, 5u), subgroupBroadcast(r.c.zw, 1u), subgroupBroadcast(r.c.zw, 5u));
}
fn spread_4(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.a, 2u), subgroupBroadcast(r.a, 6u), subgroupBroadcast(r.c.xy, 2u), subgroupBroadcast(r.c.xy, 6u));
}
fn spread_5(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.b, 2u), subgroupBroadcast(r.b, 6u), subgroupBroadcast(r.c.zw, 2u), subgroupBroadcast(r.c.zw, 6u));
}
fn spread_6(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.a, 3u), subgroupBroadcast(r.a, 7u), subgroupBroadcast(r.c.xy, 3u), subgroupBroadcast(r.c.xy, 7u));
}
fn spread_7(r: Row) -> Pixels {
  return zipped(subgroupBroadcast(r.b, 3u), subgroupBroadcast(r.b, 7u), subgroupBroadcast(r.c.zw, 3u), subgroupBroadcast(r.c.zw, 7u));
}
