// Pixels by two channels, from a texture. conv2d_pixels_in_buffer.wgsl is the other way. After texture.wgsl.

@group(0) @binding(0) var x: texture_2d<f32>;

fn word_of_x(at: u32) -> vec2f { return texel(x, at); }
