//! The gradient of the weights, rung by rung: blocks of rows are summed, then the blocks.

use super::kernels::{
    WEIGHTS_BROADCAST, WEIGHTS_BROADCAST_ONE, WEIGHTS_NAIVE, WEIGHTS_REGISTERS, WEIGHTS_REGISTERS_ONE,
    WEIGHTS_SHARED_ROWS, WEIGHTS_VECTORS, WEIGHTS_WINOGRAD, WEIGHTS_WINOGRAD_TEXTURES, WEIGHTS_WORKGROUP,
};
use super::sizes::{ROWS_WINOGRAD, Sizes, Tiling};
use super::{Geometry, choice, refused};
use crate::Result;
use crate::engine::gpu::{Choice, Pass, Rung, Source, Tile, device::linear_grid};
use crate::engine::ops::reduce;
use crate::engine::tape::Home;
use crate::engine::{Gpu, Tensor};

/// Workgroups of a weight gradient that are enough to fill a GPU.
const ENOUGH_GROUPS: usize = 1024;
/// The same for a processor's cores; more would only add to the second pass.
const ENOUGH_GROUPS_SOFTWARE: usize = 64;

/// Most bytes of a block's pixels and gradients on a processor, whose second cache then keeps them for the workgroups that
/// need them again, one after another.
const BLOCK_SOFTWARE: usize = 512 << 10;

/// Input channels of an invocation of the kernel of shared rows.
const SHARED_CHANNELS: usize = 8;

/// ∂L/∂w from x and g = ∂L/∂y, in two passes: the rows of the batch are cut into blocks, as many as
/// fill the device, and the blocks' sums are added.
///
/// # Errors
/// Tensors that are not of this geometry.
pub fn weight_gradient(gpu: &Gpu, geometry: &Geometry, x: &Tensor, g: &Tensor) -> Result<Tensor> {
    weight_gradient_by(gpu, choice(gpu, Pass::WeightGradient, geometry), geometry, x, g)
}

/// As [`weight_gradient`], on a rung of the ladder.
///
/// # Errors
/// As [`weight_gradient`], or the rung does not take this geometry here: see [`super::fits`].
pub fn weight_gradient_by(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    x: &Tensor,
    g: &Tensor,
) -> Result<Tensor> {
    weight_gradient_at(gpu, choice, geometry, [x, g], &Home::default())
}

/// As [`weight_gradient_by`], where the gradient belongs.
pub(super) fn weight_gradient_at(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    [x, g]: [&Tensor; 2],
    home: &Home,
) -> Result<Tensor> {
    geometry
        .expect("conv2d weight gradient", &[(x, &geometry.input_shape()), (g, &geometry.output_shape())])?;
    let (choice, sizes) = (choice.into(), Sizes::of(geometry));
    if !sizes.weight_gradient_fits(choice.rung, gpu.subgroup_sizes()) {
        return Err(refused("conv2d weight gradient", choice.rung, &sizes));
    }
    let Blocks { rows, lines, blocks, mut source, constants, grid } = blocks(gpu, choice, geometry);
    let shape = geometry.weights_shape();
    let weights: usize = shape.iter().product();
    let dw = home.claim(gpu, &shape)?;
    let partial = gpu.tensor(&[blocks, weights])?;
    let (mut x, mut g) = (x.clone(), g.clone());
    if choice.rung == Rung::Winograd && in_textures(gpu, geometry).is_some() {
        source = &WEIGHTS_WINOGRAD_TEXTURES;
        (x, g) = (gpu.in_texture(&x)?, gpu.in_texture(&g)?);
    }
    gpu.launch(source, &constants, &[&x, &g, &partial], &[rows as u32, lines as u32], grid)?;
    gpu.states_flops(2 * weights * geometry.batch * geometry.height * geometry.width);
    reduce::sum_rows_into(gpu, &dw, &partial, blocks, 1.0)?;
    Ok(dw)
}

/// Blocks of a weight gradient, whose sums are in memory together.
pub(in crate::engine) fn weight_gradient_blocks(gpu: &Gpu, geometry: &Geometry) -> usize {
    blocks(gpu, choice(gpu, Pass::WeightGradient, geometry), geometry).blocks
}

/// The elements of the pixels and of the gradients, where Winograd's kernel has them in textures.
fn in_textures(gpu: &Gpu, geometry: &Geometry) -> Option<[usize; 2]> {
    let sizes = [geometry.input_shape(), geometry.output_shape()].map(|shape| shape.iter().product());
    let all = geometry.in_channels.is_multiple_of(2) && sizes.iter().all(|&n| gpu.reads_textures(n));
    all.then_some(sizes)
}

/// As [`weight_gradient_blocks`]: the elements of what is in textures meanwhile.
pub(in crate::engine) fn weight_gradient_textures(gpu: &Gpu, geometry: &Geometry) -> Option<[usize; 2]> {
    let rung = choice(gpu, Pass::WeightGradient, geometry).rung;
    (rung == Rung::Winograd).then(|| in_textures(gpu, geometry)).flatten()
}

/// How a weight gradient is cut into blocks, and the kernel that sums each.
struct Blocks {
    /// Rows of the batch in a block, or groups of them.
    rows: usize,
    /// All of them.
    lines: usize,
    blocks: usize,
    source: &'static Source,
    constants: Vec<(&'static str, u32)>,
    grid: [u32; 3],
}

/// The blocks of a rung that fits.
fn blocks(gpu: &Gpu, Choice { rung, tile }: Choice, geometry: &Geometry) -> Blocks {
    let sizes = Sizes::of(geometry);
    let [kh, kw, ci, co] = geometry.weights_shape();
    let weights = kh * kw * ci * co;
    let lines = match rung {
        Rung::Winograd => geometry.batch * geometry.height.div_ceil(ROWS_WINOGRAD),
        _ => geometry.batch * geometry.height,
    };
    // Rows of a block and number of blocks, for as many workgroups a block as there are `groups`.
    let cut = |groups: usize| {
        let blocks = if gpu.is_software() {
            let bytes = size_of::<f32>() * geometry.batch * geometry.height * geometry.width * (ci + co);
            ENOUGH_GROUPS_SOFTWARE.div_ceil(groups).max(bytes.div_ceil(BLOCK_SOFTWARE))
        } else {
            ENOUGH_GROUPS.div_ceil(groups)
        };
        let rows = lines.div_ceil(blocks.min(lines));
        (rows, lines.div_ceil(rows))
    };
    // An invocation for so many weights, whatever the order.
    let linear = |source, together: usize| {
        let (rows, blocks) = cut((weights / together).div_ceil(64));
        let grid = linear_grid(blocks * weights / together, 64);
        Blocks { rows, lines, blocks, source, constants: sizes.constants(), grid }
    };
    // Workgroups side by side along two axes of the weights; those of a block run one after another, while its pixels and
    // gradients are in the caches.
    let tiled =
        |source, x: usize, y: usize, sizes: Vec<(&'static str, u32)>, more: &[(&'static str, u32)]| {
            let (rows, blocks) = cut(x * y);
            let grid = [x as u32, y as u32, blocks as u32];
            Blocks { rows, lines, blocks, source, constants: [sizes, more.to_vec()].concat(), grid }
        };
    match rung {
        Rung::Naive => linear(&WEIGHTS_NAIVE, 1),
        Rung::Vectors => linear(&WEIGHTS_VECTORS, 16),
        Rung::RegisterTile => {
            let tiling = Tiling::of_registers(true, co);
            let lanes = [("LANES", tiling.lanes as u32)];
            let (which, outputs) = (tiling.which, tiling.groups(co));
            if ci == 1 {
                let constants = sizes.constants_of_one_channel();
                tiled(&WEIGHTS_REGISTERS_ONE[which], outputs, 1, constants, &lanes)
            } else {
                tiled(&WEIGHTS_REGISTERS[which], kh * ci / 4, outputs, sizes.constants(), &lanes)
            }
        }
        Rung::WorkgroupTile => {
            let tile = tile.unwrap_or_else(|| Tile::for_product(kh * kw * ci, co));
            let source = &WEIGHTS_WORKGROUP[usize::from(!ci.is_multiple_of(4))];
            let [down, across] = tile.grid(kh * kw * ci, co);
            let shape = [("ROWS", tile.rows), ("COLUMNS", tile.columns)];
            tiled(source, down, across, sizes.constants(), &shape)
        }
        Rung::Broadcast => {
            let tiling = Tiling::of_rung(rung, gpu, co);
            let (which, outputs) = (tiling.which, tiling.groups(co));
            let lanes = ("LANES", tiling.lanes as u32);
            if ci == 1 {
                let constants = sizes.constants_of_one_channel();
                tiled(&WEIGHTS_BROADCAST_ONE[which], outputs, 1, constants, &[lanes])
            } else {
                let rows = tiling.rows.min((ci / 4).max(1));
                let lanes = [lanes, ("GROUPS", rows as u32)];
                let inputs = (ci / 4).div_ceil(rows);
                tiled(&WEIGHTS_BROADCAST[which], inputs, outputs, sizes.constants(), &lanes)
            }
        }
        Rung::SharedRows | Rung::Winograd => {
            let source = match rung {
                Rung::Winograd => &WEIGHTS_WINOGRAD[sizes.winograd_form(gpu)],
                _ => &WEIGHTS_SHARED_ROWS,
            };
            let tiling = Tiling::of_rung(rung, gpu, co);
            let lanes = [("LANES", tiling.lanes as u32)];
            tiled(source, ci.div_ceil(SHARED_CHANNELS), tiling.groups(co), sizes.constants(), &lanes)
        }
    }
}
