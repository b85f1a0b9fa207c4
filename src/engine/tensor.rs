//! Arrays of f32 on the device.

use super::gpu::pool::Buffer;
use std::rc::Rc;

/// A dense, row-major f32 array in device memory; images are NHWC. Cloning shares the memory, and
/// no operation changes a
/// tensor in place, except that Adam's step does so with parameters and their averages: to keep a
/// snapshot of those, read them.
#[derive(Clone)]
pub struct Tensor {
    pub(super) buffer: Rc<Buffer>,
    shape: Vec<usize>,
}

impl Tensor {
    pub(super) fn new(buffer: Buffer, shape: &[usize]) -> Self {
        Tensor { buffer: Rc::new(buffer), shape: shape.to_vec() }
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no element at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same memory under another shape of as many elements.
    pub(super) fn reshaped(&self, shape: &[usize]) -> Self {
        debug_assert_eq!(self.len(), shape.iter().product::<usize>());
        Tensor { buffer: self.buffer.clone(), shape: shape.to_vec() }
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor{:?}", self.shape)
    }
}
