// Tensors in fours of neighbouring numbers, as Philox gives random ones: number by number. fours_two.wgsl is the other way.
//
//   x, y   any shape, flat, the same number of elements

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

// How many fours there are, of which the last may reach beyond the end.
fn fours() -> u32 { return (arrayLength(&y) + 3u) / 4u; }

// A four of x; beyond the end, anything.
fn four_of(block: u32) -> vec4f {
  let i = 4u * block;
  let last = arrayLength(&x) - 1u;
  return vec4f(x[i], x[min(i + 1u, last)], x[min(i + 2u, last)], x[min(i + 3u, last)]);
}

fn put(i: u32, number: f32) {
  if i < arrayLength(&y) { y[i] = number; }
}
fn put_four(block: u32, four: vec4f) {
  let i = 4u * block;
  put(i, four.x);
  put(i + 1u, four.y);
  put(i + 2u, four.z);
  put(i + 3u, four.w);
}
