// The gradients of a lane's outputs, from a storage buffer. conv2d_gradients_in_texture.wgsl is the other way.

@group(0) @binding(1) var<storage, read> d: array<Stored>;

fn outputs_of_d(at: u32) -> Outputs { return loaded(d[at]); }
