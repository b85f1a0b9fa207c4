// The pixels of Winograd's forward kernel, number by number. conv2d_winograd_pixels_words.wgsl is the other way. Source, Row
// and Channels are the kernel's.
//
//   x      [N][HEIGHT][WIDTH][CI]

@group(0) @binding(0) var<storage, read> x: array<f32>;

override STEP: u32 = CI;      // from a pixel to the next

fn load(s: Source, c: Channels) -> Row {
  var r = Row(x[s.at.x + c.first], x[s.at.y + c.first], 0.0, 0.0);
  if TOGETHER > 1u { r = Row(r.xy, x[s.at.x + c.next], x[s.at.y + c.next]); }
  return select(Row(), r, s.inside.xyxy);
}

// The last three of both channels share a load: lanes 0 to 2 have the one's, lanes 4 to 6 the next one's.
fn load_far(s: Source, c: Channels) -> Row {
  return Row(select(0.0, x[s.at.z + c.of_lane], s.inside.z), 0.0, 0.0, 0.0);
}
fn spread_next(near: f32, far: Row) -> Pixels {
  return spread_high(near, far.x);
}
