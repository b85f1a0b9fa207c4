//! Textures that hold what a tensor does, for kernels that load faster from them. A dropped one goes back to the pool, as a
//! buffer does.

use super::pool::Pool;
use crate::{Error, Result};
use std::cell::RefCell;
use std::rc::Rc;

/// Texels of a row, of two numbers each: `texture.wgsl` says it, too.
const ROW: usize = 8192;
/// Most rows of any texture.
const MOST_ROWS: u32 = 8192;
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rg32Float;
const BYTES: usize = 8;

/// Device memory in rows of [`ROW`] texels, given back to the pool when dropped.
pub(crate) struct Texture {
    raw: Option<Raw>,
    /// Unique among textures and pieces of memory; a key for cached bind groups.
    pub(super) id: u64,
    rows: u32,
    pool: Rc<RefCell<Pool>>,
}

pub(super) struct Raw {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
}

impl Raw {
    /// With so many rows.
    pub fn new(device: &wgpu::Device, rows: u32) -> Self {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width: ROW as u32, height: rows, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let view = texture.create_view(&Default::default());
        Raw { texture, view }
    }

    pub fn view(&self) -> &wgpu::TextureView {
        &self.view
    }
}

/// What a kernel that reads a texture declares.
pub(super) const BINDING: wgpu::BindingType = wgpu::BindingType::Texture {
    sample_type: wgpu::TextureSampleType::Float { filterable: false },
    view_dimension: wgpu::TextureViewDimension::D2,
    multisampled: false,
};

/// Rows for so many numbers, two a texel: a power of two, since llvmpipe compiles a kernel anew for textures that are none.
/// `None` where no texture holds them.
fn rows_for(elements: usize) -> Option<u32> {
    let rows = elements.div_ceil(2 * ROW).max(1).next_power_of_two();
    u32::try_from(rows).ok().filter(|&rows| rows <= MOST_ROWS && elements.is_multiple_of(2))
}

/// The bytes of a texture for so many numbers, where there is one that holds them.
pub(in crate::engine) fn bytes_for(elements: usize) -> Option<u64> {
    rows_for(elements).map(|rows| u64::from(rows) * (ROW * BYTES) as u64)
}

impl Texture {
    /// For so many numbers, from the pool or else from the driver.
    ///
    /// # Errors
    /// They are too many or not even in number, or the driver has no memory for them.
    pub(super) fn take(pool: &Rc<RefCell<Pool>>, device: &wgpu::Device, elements: usize) -> Result<Self> {
        let (Some(rows), Some(bytes)) = (rows_for(elements), bytes_for(elements)) else {
            let message = format!("no texture holds {elements} numbers");
            return Err(Error::OutOfMemory { message });
        };
        let recycled = pool.borrow_mut().textures.get_mut(&rows).and_then(Vec::pop);
        let (id, raw) = match recycled {
            Some(found) => found,
            None => {
                let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
                let raw = Raw::new(device, rows);
                if pollster::block_on(scope.pop()).is_some() {
                    let message = format!("a texture of {} MiB was refused", bytes >> 20);
                    return Err(Error::OutOfMemory { message });
                }
                (pool.borrow_mut().number(bytes), raw)
            }
        };
        Ok(Texture { raw: Some(raw), id, rows, pool: pool.clone() })
    }

    fn raw(&self) -> &Raw {
        self.raw.as_ref().expect("present until dropped")
    }

    pub(super) fn view(&self) -> &wgpu::TextureView {
        self.raw().view()
    }

    /// How to fill it from a buffer.
    pub(super) fn copy_of(&self, buffer: &wgpu::Buffer, first_byte: u64, elements: usize) -> Copy {
        debug_assert!(first_byte.is_multiple_of(BYTES as u64));
        Copy { buffer: buffer.clone(), first_byte, texels: elements / 2, texture: self.raw().texture.clone() }
    }
}

impl Drop for Texture {
    fn drop(&mut self) {
        if let Some(raw) = self.raw.take() {
            self.pool.borrow_mut().textures.entry(self.rows).or_default().push((self.id, raw));
        }
    }
}

/// Numbers that go from a buffer to a texture.
pub(super) struct Copy {
    buffer: wgpu::Buffer,
    first_byte: u64,
    texels: usize,
    texture: wgpu::Texture,
}

impl Copy {
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        let whole = self.texels / ROW;
        self.rows(encoder, 0, whole, ROW);
        self.rows(encoder, whole, 1, self.texels % ROW);
    }

    /// Copies so many rows from the `first` on, of so many texels.
    fn rows(&self, encoder: &mut wgpu::CommandEncoder, first: usize, count: usize, texels: usize) {
        if count == 0 || texels == 0 {
            return;
        }
        let bytes = ROW * BYTES;
        let layout = wgpu::TexelCopyBufferLayout {
            offset: self.first_byte + (first * bytes) as u64,
            bytes_per_row: Some(bytes as u32),
            rows_per_image: None,
        };
        let to = wgpu::TexelCopyTextureInfo {
            texture: &self.texture,
            mip_level: 0,
            origin: wgpu::Origin3d { x: 0, y: first as u32, z: 0 },
            aspect: wgpu::TextureAspect::All,
        };
        let size = wgpu::Extent3d { width: texels as u32, height: count as u32, depth_or_array_layers: 1 };
        let from = wgpu::TexelCopyBufferInfo { buffer: &self.buffer, layout };
        encoder.copy_buffer_to_texture(from, to, size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::GpuOptions;
    use crate::engine::gpu::Source;
    use crate::engine::ops::check;

    /// y takes its numbers from a texture, a texel an invocation.
    static FROM_TEXTURE: Source = Source::new(
        "from_texture",
        &[
            include_str!("../../../shaders/texture.wgsl"),
            "@group(0) @binding(0) var x: texture_2d<f32>;
             @group(0) @binding(1) var<storage, read_write> y: array<vec2f>;
             @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
               if id.x < arrayLength(&y) { y[id.x] = texel(x, id.x); }
             }",
        ],
    );

    #[test]
    fn a_texture_has_rows_by_powers_of_two_and_numbers_by_pairs() {
        let rows = [2, 2 * ROW, 2 * ROW + 2, 6 * ROW, 6 * ROW + 2].map(rows_for);
        assert_eq!(rows, [1, 1, 2, 4, 4].map(Some));
        assert_eq!(rows_for(3), None);
        assert_eq!(rows_for(2 * ROW * MOST_ROWS as usize), Some(MOST_ROWS));
        assert_eq!(rows_for(2 * ROW * MOST_ROWS as usize + 2), None);
        assert_eq!(bytes_for(2 * ROW + 2), Some(2 * 65_536));
    }

    #[test]
    fn a_tensor_comes_whole_through_a_texture_that_others_had_before() {
        check::on_every_gpu(|gpu| {
            // One texel, a part of a row, rows that are full, and rows with a part.
            for (sub, length) in (0..).zip([2, 1000, 2 * ROW, 4 * ROW, 4 * ROW + 6, 1002]) {
                let numbers = check::random(&[length], sub, 1.0);
                let x = gpu.in_texture(&gpu.upload(&[length], &numbers)?)?;
                let y = gpu.tensor(&[length])?;
                let groups = [(length / 2).div_ceil(64) as u32, 1, 1];
                gpu.launch(&FROM_TEXTURE, &[], &[&x, &y], &[], groups)?;
                // Two in flight, one after another from the same texture.
                let other: Vec<f32> = numbers.iter().map(|n| -n).collect();
                drop(x);
                let x = gpu.in_texture(&gpu.upload(&[length], &other)?)?;
                let z = gpu.tensor(&[length])?;
                gpu.launch(&FROM_TEXTURE, &[], &[&x, &z], &[], groups)?;
                assert_eq!(gpu.read(&y)?, numbers, "{length} numbers");
                assert_eq!(gpu.read(&z)?, other, "{length} other numbers");
            }
            Ok(())
        });
    }

    #[test]
    fn textures_are_used_again() {
        let gpu = check::open(GpuOptions::default());
        let x = gpu.upload(&[2000], &[1.0; 2000]).expect("memory");
        let y = gpu.tensor(&[2000]).expect("memory");
        let step = || {
            let x = gpu.in_texture(&x).expect("a texture");
            gpu.launch(&FROM_TEXTURE, &[], &[&x, &y], &[], [16, 1, 1]).expect("it runs");
        };
        step();
        let before = gpu.allocations();
        (0..5).for_each(|_| step());
        gpu.wait().expect("it ran");
        assert_eq!(gpu.allocations(), before);
    }

    #[test]
    fn what_no_texture_holds_and_a_tensor_in_none_are_errors_that_say_so() {
        check::on_every_gpu(|gpu| {
            let Err(odd) = gpu.in_texture(&gpu.tensor(&[3])?) else { panic!("three are no pairs") };
            assert!(odd.to_string().contains("no texture holds 3 numbers"), "{odd}");
            let (x, y) = (gpu.tensor(&[4])?, gpu.tensor(&[4])?);
            let none = gpu.launch(&FROM_TEXTURE, &[], &[&x, &y], &[], [1, 1, 1]).expect_err("no texture");
            assert_eq!(none.to_string(), "from_texture: binding 0 is a texture, the tensor in none");
            Ok(())
        });
    }
}
