//! Device buffers and their reuse, and that of textures. A dropped `Buffer` goes back to its pool, and the next tensor
//! of the same size class takes it, so that a training step after the first allocates nothing.
//!
//! Reuse is safe without waiting: dispatches run in the order they were recorded, so whoever takes
//! a buffer over writes it after its former owner's last reader.

use super::texture;
use crate::{Error, Result};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Free buffers by size class, free textures, and counts of what was taken from the driver.
#[derive(Default)]
pub(super) struct Pool {
    free: HashMap<u64, Vec<(u64, wgpu::Buffer)>>,
    /// Free textures by their rows.
    pub(super) textures: HashMap<u32, Vec<(u64, texture::Raw)>>,
    next_id: u64,
    bytes: u64,
}

impl Pool {
    /// Buffers taken from the driver so far; unchanged while the pool serves every request.
    pub fn allocations(&self) -> u64 {
        self.next_id
    }

    /// Lets go of every free buffer and texture; the driver has them back once nothing else refers to them.
    pub fn release_free(&mut self) {
        self.free.clear();
        self.textures.clear();
    }

    /// The number of a piece of memory that is taken from the driver.
    pub(super) fn number(&mut self, bytes: u64) -> u64 {
        self.next_id += 1;
        self.bytes += bytes;
        self.next_id
    }

    /// Bytes taken from the driver so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A piece of device memory, given back to the pool when dropped.
pub(crate) struct Buffer {
    raw: Option<wgpu::Buffer>,
    /// Unique for each piece of memory; a key for cached bind groups.
    pub(super) id: u64,
    class: u64,
    pool: Rc<RefCell<Pool>>,
}

impl Buffer {
    pub(super) fn raw(&self) -> &wgpu::Buffer {
        self.raw.as_ref().expect("present until dropped")
    }

    /// Its size, which may be more than was asked for.
    pub(in crate::engine) fn bytes(&self) -> u64 {
        self.class
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(raw) = self.raw.take() {
            self.pool.borrow_mut().free.entry(self.class).or_default().push((self.id, raw));
        }
    }
}

/// Rounds up to one of four steps between powers of two, so that tensors of nearly equal size
/// share buffers and at most a fifth of one is left unused (a quarter of what was asked for).
pub(in crate::engine) fn size_class(bytes: u64) -> u64 {
    let bytes = bytes.max(256);
    let step = (bytes.next_power_of_two() / 8).max(64);
    bytes.div_ceil(step) * step
}

/// A buffer of at least `bytes`, from the pool or else from the driver. Its contents are whatever
/// its last owner left.
pub(super) fn take(pool: &Rc<RefCell<Pool>>, device: &wgpu::Device, bytes: u64) -> Result<Buffer> {
    let class = size_class(bytes).min(device.limits().max_buffer_size);
    let limits = device.limits();
    if bytes > limits.max_storage_buffer_binding_size || bytes > class {
        return Err(Error::OutOfMemory {
            message: format!(
                "a tensor of {} MiB exceeds this device's limit of {} MiB",
                bytes >> 20,
                limits.max_storage_buffer_binding_size.min(class) >> 20
            ),
        });
    }
    let recycled = pool.borrow_mut().free.get_mut(&class).and_then(Vec::pop);
    let (id, raw) = match recycled {
        Some(found) => found,
        None => {
            let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
            let raw = device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: class,
                usage: wgpu::BufferUsages::STORAGE
                    | wgpu::BufferUsages::UNIFORM
                    | wgpu::BufferUsages::COPY_SRC
                    | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let mut inner = pool.borrow_mut();
            if pollster::block_on(scope.pop()).is_some() {
                return Err(Error::OutOfMemory {
                    message: format!(
                        "{} MiB were taken so far and {} MiB more were refused",
                        inner.bytes >> 20,
                        class >> 20
                    ),
                });
            }
            (inner.number(class), raw)
        }
    };
    Ok(Buffer { raw: Some(raw), id, class, pool: pool.clone() })
}

#[cfg(test)]
mod tests {
    use super::size_class;

    #[test]
    fn a_size_class_wastes_at_most_a_quarter() {
        for bytes in [1, 255, 256, 257, 1000, 4096, 4097, 67_108_864, 67_108_865] {
            let class = size_class(bytes);
            assert!(class >= bytes && class.is_multiple_of(64));
            assert!(bytes < 256 || class - bytes <= bytes / 4, "{bytes} -> {class}");
        }
    }
}
