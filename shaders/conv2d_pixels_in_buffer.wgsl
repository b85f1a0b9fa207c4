// Pixels as words of two channels, from a storage buffer. conv2d_pixels_in_texture.wgsl is the other way. After words.wgsl.

@group(0) @binding(0) var<storage, read> x: array<u64>;

fn word_of_x(at: u32) -> vec2f { return loaded(x[at]); }
