// The upper and the lower word of a·b, the upper one from products of 16-bit halves, none of which overflows.
// product_long.wgsl is the other way.
fn product(a: u32, b: u32) -> vec2u {
  let a0 = a & 0xFFFFu; let a1 = a >> 16u;
  let b0 = b & 0xFFFFu; let b1 = b >> 16u;
  let first = a1 * b0 + ((a0 * b0) >> 16u);
  let second = a0 * b1 + (first & 0xFFFFu);
  return vec2u(a1 * b1 + (first >> 16u) + (second >> 16u), a * b);
}
