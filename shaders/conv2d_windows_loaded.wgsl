// For kernels of one input channel without subgroups: for each of four neighbouring pixels, a column,
// its value and those of the three to its right, out of seven loads. Expects x: array<f32>.

fn pixel(image: u32, i: i32, j: i32) -> f32 {
  return select(0.0, x[place(image, i, j)], inside(i, j));
}

fn windows(image: u32, i: i32, j: i32) -> mat4x4f {
  let a = vec4f(pixel(image, i, j), pixel(image, i, j + 1), pixel(image, i, j + 2), pixel(image, i, j + 3));
  let b = vec3f(pixel(image, i, j + 4), pixel(image, i, j + 5), pixel(image, i, j + 6));
  return mat4x4f(a, vec4f(a.yzw, b.x), vec4f(a.zw, b.xy), vec4f(a.w, b));
}
