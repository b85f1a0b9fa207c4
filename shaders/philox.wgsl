// Philox 4×32 with ten rounds (Salmon et al. 2011): the same bits as `rng.rs`, where the words of
// counter and key are explained. A part of other kernels, without state and without bindings.

// The upper word of a·b, from products of 16-bit halves, none of which overflows.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xFFFFu; let a1 = a >> 16u;
  let b0 = b & 0xFFFFu; let b1 = b >> 16u;
  let first = a1 * b0 + ((a0 * b0) >> 16u);
  let second = a0 * b1 + (first & 0xFFFFu);
  return a1 * b1 + (first >> 16u) + (second >> 16u);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  const MULTIPLIER_0 = 0xD2511F53u;
  const MULTIPLIER_1 = 0xCD9E8D57u;
  const WEYL = vec2u(0x9E3779B9u, 0xBB67AE85u);
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    c = vec4u(
      multiply_high(c.z, MULTIPLIER_1) ^ c.y ^ k.x, c.z * MULTIPLIER_1,
      multiply_high(c.x, MULTIPLIER_0) ^ c.w ^ k.y, c.x * MULTIPLIER_0);
    k += WEYL;
  }
  return c;
}

// Uniform in [0, 1) from the upper 24 bits of each word: exact in f32.
fn unit(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8u)) * (1.0 / 16777216.0);
}
