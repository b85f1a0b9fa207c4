// The idea of the broadcast kernels: a row of the image is loaded once by a whole subgroup, a pixel a
// lane, and spread with subgroupBroadcast. That is one load where each lane would otherwise make eight.

override LANES: u32;

// Lane l holds pixel l of a row (four channels of it): four neighbouring pixels, a column each,
// from pixel 0, 1, 2 or 3 on.
fn window_0(row: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(row, 0u), subgroupBroadcast(row, 1u), subgroupBroadcast(row, 2u), subgroupBroadcast(row, 3u));
}
fn window_1(row: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(row, 1u), subgroupBroadcast(row, 2u), subgroupBroadcast(row, 3u), subgroupBroadcast(row, 4u));
}
fn window_2(row: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(row, 2u), subgroupBroadcast(row, 3u), subgroupBroadcast(row, 4u), subgroupBroadcast(row, 5u));
}
fn window_3(row: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(row, 3u), subgroupBroadcast(row, 4u), subgroupBroadcast(row, 5u), subgroupBroadcast(row, 6u));
}

// One channel: lane l holds pixel l of a row. For each of four pixels, a column, its value and
// those of the three to its right.
fn windows(row: f32) -> mat4x4f {
  let a = vec4f(subgroupBroadcast(row, 0u), subgroupBroadcast(row, 1u), subgroupBroadcast(row, 2u), subgroupBroadcast(row, 3u));
  let b = vec3f(subgroupBroadcast(row, 4u), subgroupBroadcast(row, 5u), subgroupBroadcast(row, 6u));
  return mat4x4f(a, vec4f(a.yzw, b.x), vec4f(a.zw, b.xy), vec4f(a.w, b));
}
