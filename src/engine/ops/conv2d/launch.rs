//! Which kernel a convolution runs, and its launch.

use super::Geometry;
use crate::Result;
use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::ops::reduce;
use crate::engine::{Gpu, Tensor};

macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!("../../../../shaders/", $name, ".wgsl"))
    };
}

const BY_2: &str = shader!("conv2d_outputs_by_2");
const BY_4: &str = shader!("conv2d_outputs_by_4");
const TILE: &str = shader!("conv2d_tile");
const STORE: &str = shader!("conv2d_forward_store");
const FORWARD: &str = shader!("conv2d_forward_tiled");
const FORWARD_ONE: &str = shader!("conv2d_forward_one_channel");
const WEIGHTS: &str = shader!("conv2d_weight_gradient_tiled");
const WEIGHTS_ONE: &str = shader!("conv2d_weight_gradient_one_channel");

/// A kernel for two and for four output channels an invocation.
type ByWidth = [Source; 2];

static FORWARD_TILED: ByWidth = [
    Source { name: "conv2d_forward_tiled", parts: &[BY_2, TILE, STORE, FORWARD], in_bounds: true },
    Source { name: "conv2d_forward_tiled", parts: &[BY_4, TILE, STORE, FORWARD], in_bounds: true },
];
static FORWARD_ONE_CHANNEL: ByWidth = [
    Source { name: "conv2d_forward_one_channel", parts: &[BY_2, TILE, STORE, FORWARD_ONE], in_bounds: true },
    Source { name: "conv2d_forward_one_channel", parts: &[BY_4, TILE, STORE, FORWARD_ONE], in_bounds: true },
];
static WEIGHT_GRADIENT_TILED: ByWidth = [
    Source { name: "conv2d_weight_gradient_tiled", parts: &[BY_2, TILE, WEIGHTS], in_bounds: true },
    Source { name: "conv2d_weight_gradient_tiled", parts: &[BY_4, TILE, WEIGHTS], in_bounds: true },
];
static WEIGHT_GRADIENT_ONE_CHANNEL: ByWidth = [
    Source { name: "conv2d_weight_gradient_one_channel", parts: &[BY_2, TILE, WEIGHTS_ONE], in_bounds: true },
    Source { name: "conv2d_weight_gradient_one_channel", parts: &[BY_4, TILE, WEIGHTS_ONE], in_bounds: true },
];
static FORWARD_PLAIN: Source =
    Source { name: "conv2d_forward_plain", parts: &[shader!("conv2d_forward_plain")], in_bounds: true };
static WEIGHT_GRADIENT_PLAIN: Source = Source {
    name: "conv2d_weight_gradient_plain",
    parts: &[shader!("conv2d_weight_gradient_plain")],
    in_bounds: true,
};
static FLIP: Source = Source { name: "conv2d_flip", parts: &[shader!("conv2d_flip")], in_bounds: true };

pub(in crate::engine::ops) const KERNELS: &[&Source] = &[
    &FORWARD_TILED[0],
    &FORWARD_TILED[1],
    &FORWARD_ONE_CHANNEL[0],
    &FORWARD_ONE_CHANNEL[1],
    &FORWARD_PLAIN,
    &WEIGHT_GRADIENT_TILED[0],
    &WEIGHT_GRADIENT_TILED[1],
    &WEIGHT_GRADIENT_ONE_CHANNEL[0],
    &WEIGHT_GRADIENT_ONE_CHANNEL[1],
    &WEIGHT_GRADIENT_PLAIN,
    &FLIP,
];

/// Lanes that share the loads of a row: what the tiled kernels assume of a subgroup.
const SHARED_LANES: usize = 8;
/// Widest kernel whose windows the tiled kernels hold in registers.
const WIDEST_TILED: usize = 4;
/// Lanes × tiles of a workgroup.
const WORKGROUP: usize = 64;
/// Workgroups of a weight gradient that are enough to fill a GPU.
const ENOUGH_GROUPS: usize = 1024;
/// The same for a processor's cores; more would only add to the second pass.
const ENOUGH_GROUPS_SOFTWARE: usize = 64;

/// What the forward kernel does to a finished sum; the numbers are the shaders'.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Epilogue {
    /// Nothing.
    None = 0,
    /// Adds the bias.
    Bias = 1,
    /// Adds the bias, then takes the positive part.
    BiasRelu = 2,
}

/// How the tiled kernels divide the output channels among lanes.
pub(super) struct Tiling {
    /// Index into a [`ByWidth`].
    which: usize,
    /// Output channels of an invocation.
    outputs: usize,
    pub(super) lanes: usize,
    /// Rows of lanes in a workgroup.
    pub(super) rows: usize,
}

/// The tiling for a number of output channels on this device; `None` where the tiled kernels
/// cannot run: no subgroups, too narrow ones, or channels that do not divide.
fn tiling(gpu: &Gpu, out_channels: usize) -> Option<Tiling> {
    tiling_for(gpu.subgroup_sizes(), out_channels)
}

/// [`tiling`] for the smallest and largest subgroup of a device.
pub(super) fn tiling_for(subgroups: Option<(u32, u32)>, out_channels: usize) -> Option<Tiling> {
    let (least, most) = subgroups?;
    if (least as usize) < SHARED_LANES || !out_channels.is_multiple_of(2) {
        return None;
    }
    let outputs = if out_channels.is_multiple_of(4) && out_channels >= 4 * SHARED_LANES { 4 } else { 2 };
    let lanes = (out_channels / outputs).next_multiple_of(SHARED_LANES).min(WORKGROUP);
    // A subgroup must not span two rows of lanes, which work on different tiles.
    let rows = if lanes.is_multiple_of(most as usize) { (WORKGROUP / lanes).max(1) } else { 1 };
    Some(Tiling { which: outputs / 4, outputs, lanes, rows })
}

/// A convolution's sizes as the kernels' constants; the padding is that of the way forward or back.
struct Sizes {
    height: u32,
    width: u32,
    ci: u32,
    co: u32,
    kh: u32,
    kw: u32,
    pad_top: u32,
    pad_left: u32,
}

impl Sizes {
    fn of(g: &Geometry) -> Self {
        Sizes {
            height: g.height as u32,
            width: g.width as u32,
            ci: g.in_channels as u32,
            co: g.out_channels as u32,
            kh: g.kernel_height as u32,
            kw: g.kernel_width as u32,
            pad_top: g.pad_top() as u32,
            pad_left: g.pad_left() as u32,
        }
    }

    fn constants(&self) -> Vec<(&'static str, u32)> {
        let mut constants = self.constants_of_one_channel();
        constants.push(("CI", self.ci));
        constants
    }

    fn constants_of_one_channel(&self) -> Vec<(&'static str, u32)> {
        vec![
            ("HEIGHT", self.height),
            ("WIDTH", self.width),
            ("CO", self.co),
            ("KH", self.kh),
            ("KW", self.kw),
            ("PAD_TOP", self.pad_top),
            ("PAD_LEFT", self.pad_left),
        ]
    }
}

/// y = f(conv(x, w) + b). With [`Epilogue::None`] the bias is not read.
pub fn forward(
    gpu: &Gpu,
    geometry: &Geometry,
    x: &Tensor,
    w: &Tensor,
    b: &Tensor,
    epilogue: Epilogue,
) -> Result<Tensor> {
    geometry.expect("conv2d", &[(x, &geometry.input_shape()), (w, &geometry.weights_shape())])?;
    if epilogue != Epilogue::None {
        geometry.expect("conv2d", &[(b, &[geometry.out_channels])])?;
    }
    convolve(gpu, geometry.batch, &Sizes::of(geometry), x, w, b, epilogue)
}

fn convolve(
    gpu: &Gpu,
    batch: usize,
    sizes: &Sizes,
    x: &Tensor,
    w: &Tensor,
    b: &Tensor,
    epilogue: Epilogue,
) -> Result<Tensor> {
    let &Sizes { height, width, ci, co, kw, .. } = sizes;
    let y = gpu.tensor(&[batch, height as usize, width as usize, co as usize])?;
    let tensors = [x, w, b, &y];
    let tiling = tiling(gpu, co as usize).filter(|_| kw as usize <= WIDEST_TILED);
    match tiling.filter(|_| ci == 1 || ci.is_multiple_of(4)) {
        Some(Tiling { which, outputs, lanes, rows }) => {
            let (source, mut constants) = match ci {
                1 => (&FORWARD_ONE_CHANNEL[which], sizes.constants_of_one_channel()),
                _ => (&FORWARD_TILED[which], sizes.constants()),
            };
            constants.extend([
                ("EPILOGUE", epilogue as u32),
                ("LANES", lanes as u32),
                ("TILES", rows as u32),
            ]);
            let tiles = width.div_ceil(8) * height.div_ceil(4);
            let channel_groups = (co as usize / outputs).div_ceil(lanes);
            let grid = [tiles.div_ceil(rows as u32), channel_groups as u32, batch as u32];
            gpu.launch(source, &constants, &tensors, &[], grid)?;
        }
        None => {
            let mut constants = sizes.constants();
            constants.push(("EPILOGUE", epilogue as u32));
            gpu.launch(&FORWARD_PLAIN, &constants, &tensors, &[], linear_grid(y.len(), 64))?;
        }
    }
    gpu.states_flops(2 * y.len() * (sizes.kh * kw * ci) as usize);
    Ok(y)
}

/// ∂L/∂x from g = ∂L/∂y: the forward kernel on the flipped weights.
pub fn input_gradient(gpu: &Gpu, geometry: &Geometry, w: &Tensor, g: &Tensor) -> Result<Tensor> {
    geometry
        .expect("conv2d input gradient", &[(w, &geometry.weights_shape()), (g, &geometry.output_shape())])?;
    let Sizes { height, width, ci, co, kh, kw, pad_top, pad_left } = Sizes::of(geometry);
    let flipped = gpu.tensor(&[kh as usize, kw as usize, co as usize, ci as usize])?;
    gpu.launch(&FLIP, &[], &[w, &flipped], &[kh * kw, ci, co], linear_grid(w.len(), 64))?;
    let back = Sizes {
        height,
        width,
        ci: co,
        co: ci,
        kh,
        kw,
        pad_top: kh - 1 - pad_top,
        pad_left: kw - 1 - pad_left,
    };
    convolve(gpu, geometry.batch, &back, g, &flipped, &flipped, Epilogue::None)
}

/// How a weight gradient is cut into blocks, and the kernel that sums each.
struct Blocks {
    /// Rows of the batch in a block.
    rows: usize,
    blocks: usize,
    source: &'static Source,
    constants: Vec<(&'static str, u32)>,
    grid: [u32; 3],
}

/// Blocks of a weight gradient, whose sums are in memory together.
pub(in crate::engine) fn weight_gradient_blocks(gpu: &Gpu, geometry: &Geometry) -> usize {
    blocks(gpu, geometry).blocks
}

fn blocks(gpu: &Gpu, geometry: &Geometry) -> Blocks {
    let sizes = Sizes::of(geometry);
    let &Sizes { ci, co, kh, kw, .. } = &sizes;
    let weights: usize = geometry.weights_shape().iter().product();
    let lines = geometry.batch * geometry.height;
    // Rows of a block and number of blocks, for as many workgroups a block as there are `groups`.
    let cut = |groups: usize| {
        let enough = if gpu.is_software() { ENOUGH_GROUPS_SOFTWARE } else { ENOUGH_GROUPS };
        let rows = lines.div_ceil(enough.div_ceil(groups).min(lines));
        (rows, lines.div_ceil(rows))
    };
    let fits = kh.max(kw) as usize <= WIDEST_TILED;
    let tiling = tiling(gpu, co as usize).filter(|_| fits && (ci == 1 || ci.is_multiple_of(4)));
    match tiling {
        Some(Tiling { which, outputs, lanes, rows: lane_rows }) => {
            let output_groups = (co as usize / outputs).div_ceil(lanes);
            let input_rows = lane_rows.min((ci as usize / 4).max(1));
            let input_groups = (ci as usize / 4).div_ceil(input_rows).max(1);
            let (rows, blocks) = cut(output_groups * input_groups);
            let grid = |y: usize, z: usize| [blocks as u32, y as u32, z as u32];
            if ci == 1 {
                let constants = [sizes.constants_of_one_channel(), vec![("LANES", lanes as u32)]].concat();
                let (source, grid) = (&WEIGHT_GRADIENT_ONE_CHANNEL[which], grid(output_groups, 1));
                Blocks { rows, blocks, source, constants, grid }
            } else {
                let lanes = vec![("LANES", lanes as u32), ("GROUPS", input_rows as u32)];
                let constants = [sizes.constants(), lanes].concat();
                let (source, grid) = (&WEIGHT_GRADIENT_TILED[which], grid(input_groups, output_groups));
                Blocks { rows, blocks, source, constants, grid }
            }
        }
        None => {
            let (rows, blocks) = cut(weights.div_ceil(64));
            let (source, grid) = (&WEIGHT_GRADIENT_PLAIN, linear_grid(blocks * weights, 64));
            Blocks { rows, blocks, source, constants: sizes.constants(), grid }
        }
    }
}

/// ∂L/∂w from x and g = ∂L/∂y, in two passes: the rows of the batch are cut into blocks, as many as
/// fill the device, and the blocks' sums are added.
pub fn weight_gradient(gpu: &Gpu, geometry: &Geometry, x: &Tensor, g: &Tensor) -> Result<Tensor> {
    geometry
        .expect("conv2d weight gradient", &[(x, &geometry.input_shape()), (g, &geometry.output_shape())])?;
    let Blocks { rows, blocks, source, constants, grid } = blocks(gpu, geometry);
    let (shape, lines) = (geometry.weights_shape(), geometry.batch * geometry.height);
    let weights: usize = shape.iter().product();
    let partial = gpu.tensor(&[blocks, weights])?;
    gpu.launch(source, &constants, &[x, g, &partial], &[rows as u32, lines as u32], grid)?;
    gpu.states_flops(2 * weights * lines * geometry.width);
    Ok(reduce::sum_rows(gpu, &partial, blocks, 1.0)?.reshaped(&shape))
}
