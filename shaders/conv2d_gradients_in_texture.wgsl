// The gradients of a lane's two outputs, from a texture. conv2d_gradients_in_buffer.wgsl is the other way. After texture.wgsl.

@group(0) @binding(1) var d: texture_2d<f32>;

fn outputs_of_d(at: u32) -> Outputs { return texel(d, at); }
