// Philox 4×32 with ten rounds (Salmon et al. 2011): the same bits as `rng.rs`, where the words of
// counter and key are explained. A part of other kernels, without state and without bindings, after product_halves.wgsl or
// product_long.wgsl.

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  const MULTIPLIER_0 = 0xD2511F53u;
  const MULTIPLIER_1 = 0xCD9E8D57u;
  const WEYL = vec2u(0x9E3779B9u, 0xBB67AE85u);
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let p = product(c.z, MULTIPLIER_1);
    let q = product(c.x, MULTIPLIER_0);
    c = vec4u(p.x ^ c.y ^ k.x, p.y, q.x ^ c.w ^ k.y, q.y);
    k += WEYL;
  }
  return c;
}

// Uniform in [0, 1) from the upper 24 bits of each word: exact in f32.
fn unit(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8u)) * (1.0 / 16777216.0);
}
