//! A small deep-learning engine on hand-written WGSL compute kernels. It knows nothing of
//! galaxies: any small convolutional network can be built, trained and stored with it.
//!
//! | module | what lives there |
//! |---|---|
//! | [`gpu`] | the device: adapters, buffers and their reuse, kernels, recording |
//! | [`tensor`] | arrays of f32 on the device |
//! | `pack` | tensors side by side in one piece of memory |
//! | [`ops`] | the operations, one file each: forward, backward, f64 reference |
//! | [`tape`] | reverse-mode differentiation |
//! | [`nn`] | networks as data, initialisation, weights on disk |
//! | [`ladder`] | how fast the rungs of the kernels are on a device, and which is best there |

pub mod gpu;
pub mod ladder;
pub mod nn;
pub mod ops;
mod pack;
pub mod tape;
pub mod tensor;

pub use gpu::{Gpu, GpuOptions};
pub use tape::{Masks, Tape, Var};
pub use tensor::Tensor;
