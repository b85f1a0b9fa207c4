//! Arrays of f32 on the device.

use super::gpu::pool::Buffer;
use super::gpu::texture::Texture;
use crate::{Error, Result};
use std::rc::Rc;

/// A dense, row-major f32 array in device memory; images are NHWC. Cloning shares the memory, and no operation changes a
/// tensor in place, except that Adam's step does so with parameters and their averages, and that each way back writes the
/// gradients of parameters to the same places: to keep a snapshot of those, read them.
#[derive(Clone)]
pub struct Tensor {
    pub(super) buffer: Rc<Buffer>,
    /// Elements of the buffer before the first.
    start: usize,
    shape: Vec<usize>,
    /// Where it is, besides, for kernels that read it from a texture.
    texture: Option<Rc<Texture>>,
}

impl Tensor {
    pub(super) fn new(buffer: Buffer, shape: &[usize]) -> Self {
        Tensor { buffer: Rc::new(buffer), start: 0, shape: shape.to_vec(), texture: None }
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
        Tensor { shape: shape.to_vec(), ..self.clone() }
    }

    /// As many elements from its `start`-th on as fill a shape, in the same memory: see [`pack`](super::pack) for where
    /// that may be.
    pub(super) fn part(&self, start: usize, shape: &[usize]) -> Self {
        let (buffer, start) = (self.buffer.clone(), self.start + start);
        let part = Tensor { buffer, start, shape: shape.to_vec(), texture: None };
        debug_assert!((part.start + part.len()) as u64 * 4 <= part.buffer.bytes());
        part
    }

    /// The elements of its memory before its own.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// The same tensor, which is in a texture, too.
    pub(super) fn with(self, texture: Texture) -> Self {
        Tensor { texture: Some(Rc::new(texture)), ..self }
    }

    /// The texture that it is in, too.
    pub(super) fn texture(&self) -> Option<&Texture> {
        self.texture.as_deref()
    }

    /// Whether both lie in the same memory.
    pub(super) fn shares_memory(&self, other: &Tensor) -> bool {
        Rc::ptr_eq(&self.buffer, &other.buffer)
    }
}

/// Refuses so many values for a shape that they do not fill.
pub(super) fn filled(shape: &[usize], values: usize) -> Result<()> {
    if shape.iter().product::<usize>() != values {
        let message = format!("{values} values do not fill a tensor of shape {shape:?}");
        return Err(Error::shape("upload", message));
    }
    Ok(())
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor{:?}", self.shape)
    }
}
