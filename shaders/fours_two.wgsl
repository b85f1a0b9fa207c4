// Tensors in fours of neighbouring numbers, as Philox gives random ones: two words each, which words.wgsl loads and stores.
//
//   x, y   any shape, flat, the same even number of elements

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>;

// How many fours there are, of which the last may reach beyond the end.
fn fours() -> u32 { return (arrayLength(&y) + 1u) / 2u; }

// A four of x; beyond the end, anything.
fn four_of(block: u32) -> vec4f {
  let i = 2u * block;
  return vec4f(loaded(x[i]), loaded(x[min(i + 1u, arrayLength(&x) - 1u)]));
}
fn put_four(block: u32, four: vec4f) {
  let i = 2u * block;
  y[i] = stored(four.xy);
  if i + 1u < arrayLength(&y) { y[i + 1u] = stored(four.zw); }
}
