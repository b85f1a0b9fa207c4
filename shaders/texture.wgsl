// Numbers from a texture, two a texel, in rows of 8,192: where a tensor is copied to one. llvmpipe of Mesa 22 takes the numbers of a
// storage buffer one by one, each in a round of a loop with branches; a texture's, for eight lanes at once.

fn texel(t: texture_2d<f32>, at: u32) -> vec2f {
  return textureLoad(t, vec2u(at % 8192u, at / 8192u), 0).xy;
}
