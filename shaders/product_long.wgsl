// The upper and the lower word of a·b, for devices with integers of 64 bits.
fn product(a: u32, b: u32) -> vec2u {
  let long = u64(a) * u64(b);
  return vec2u(u32(long >> 32u), u32(long));
}
