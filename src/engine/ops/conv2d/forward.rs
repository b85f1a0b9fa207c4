//! The way forward and the gradient of the input: one convolution, rung by rung.

use super::kernels::{
    FLIP, FORWARD_BROADCAST, FORWARD_BROADCAST_ONE, FORWARD_NAIVE, FORWARD_REGISTERS, FORWARD_REGISTERS_ONE,
    FORWARD_SHARED_ROWS, FORWARD_VECTORS, FORWARD_WINOGRAD, FORWARD_WORKGROUP,
};
use super::sizes::{MOST_TAPS_SHARED, MOST_TAPS_WINOGRAD, SHARED_ROWS_TILE, Sizes, Tiling};
use super::{Geometry, choice, refused};
use crate::Result;
use crate::engine::gpu::{Choice, Pass, Rung, Source, Tile, device::linear_grid};
use crate::engine::{Gpu, Tensor};

/// What the forward kernel does to a finished sum; the numbers are the shaders'.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Epilogue {
    /// Nothing.
    None = 0,
    /// Adds the bias.
    Bias = 1,
    /// Adds the bias, then takes the positive part.
    BiasRelu = 2,
    /// Takes the largest of each 2×2 cell, then as [`Epilogue::BiasRelu`]; a last odd row or column is dropped.
    PoolBiasRelu = 3,
}

/// y = f(conv(x, w) + b). With [`Epilogue::None`] the bias is not read; with [`Epilogue::PoolBiasRelu`] y has half the
/// rows and columns.
///
/// # Errors
/// Tensors that are not of this geometry.
pub fn forward(
    gpu: &Gpu,
    geometry: &Geometry,
    x: &Tensor,
    w: &Tensor,
    b: &Tensor,
    epilogue: Epilogue,
) -> Result<Tensor> {
    forward_by(gpu, choice(gpu, Pass::Forward, geometry), geometry, [x, w, b], epilogue)
}

/// As [`forward`], on a rung of the ladder, with the tensors x, w and b.
///
/// # Errors
/// As [`forward`], or the rung does not take this geometry here: see [`super::fits`].
pub fn forward_by(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    [x, w, b]: [&Tensor; 3],
    epilogue: Epilogue,
) -> Result<Tensor> {
    geometry.expect("conv2d", &[(x, &geometry.input_shape()), (w, &geometry.weights_shape())])?;
    if epilogue != Epilogue::None {
        geometry.expect("conv2d", &[(b, &[geometry.out_channels])])?;
    }
    convolve(gpu, choice.into(), geometry.batch, &Sizes::of(geometry), [x, w, b], epilogue)
}

/// ∂L/∂x from g = ∂L/∂y: the forward kernel on the flipped weights.
///
/// # Errors
/// Tensors that are not of this geometry.
pub fn input_gradient(gpu: &Gpu, geometry: &Geometry, w: &Tensor, g: &Tensor) -> Result<Tensor> {
    input_gradient_by(gpu, choice(gpu, Pass::InputGradient, geometry), geometry, w, g)
}

/// As [`input_gradient`], on a rung of the ladder.
///
/// # Errors
/// As [`input_gradient`], or the rung does not take this geometry here: see [`super::fits`].
pub fn input_gradient_by(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    w: &Tensor,
    g: &Tensor,
) -> Result<Tensor> {
    geometry
        .expect("conv2d input gradient", &[(w, &geometry.weights_shape()), (g, &geometry.output_shape())])?;
    let back = Sizes::of(geometry).back();
    let [kh, kw, ci, co] = geometry.weights_shape();
    let flipped = gpu.tensor(&[kh, kw, co, ci])?;
    let words = [kh * kw, ci, co].map(|n| n as u32);
    gpu.launch(&FLIP, &[], &[w, &flipped], &words, linear_grid(w.len(), 64))?;
    convolve(gpu, choice.into(), geometry.batch, &back, [g, &flipped, &flipped], Epilogue::None)
}

fn convolve(
    gpu: &Gpu,
    choice: Choice,
    batch: usize,
    sizes: &Sizes,
    [x, w, b]: [&Tensor; 3],
    epilogue: Epilogue,
) -> Result<Tensor> {
    if !sizes.forward_fits(choice.rung, gpu.subgroup_sizes()) {
        return Err(refused("conv2d", choice.rung, sizes));
    }
    let pooled = epilogue == Epilogue::PoolBiasRelu;
    if pooled && !choice.rung.pools() {
        return Err(refused("conv2d with pooling", choice.rung, sizes));
    }
    let [height, width, co] = [sizes.height, sizes.width, sizes.co].map(|n| n as usize);
    let cell = if pooled { 2 } else { 1 };
    let y = gpu.tensor(&[batch, height / cell, width / cell, co])?;
    let sums = batch * height * width * co;
    let Launch { source, mut constants, grid } = launch(gpu, choice, batch, sizes, sums);
    constants.push(("EPILOGUE", epilogue as u32));
    gpu.launch(source, &constants, &[x, w, b, &y], &[], grid)?;
    gpu.states_flops(2 * sums * (sizes.kh * sizes.kw * sizes.ci) as usize);
    Ok(y)
}

/// A kernel, its constants but for the epilogue, and its workgroups.
struct Launch {
    source: &'static Source,
    constants: Vec<(&'static str, u32)>,
    grid: [u32; 3],
}

/// The launch of a rung that fits; `elements` are the sums to make.
fn launch(gpu: &Gpu, Choice { rung, tile }: Choice, batch: usize, sizes: &Sizes, elements: usize) -> Launch {
    let constants = sizes.constants();
    let (one_channel, channels) = (sizes.ci == 1, sizes.co as usize);
    match rung {
        Rung::Naive => Launch { source: &FORWARD_NAIVE, constants, grid: linear_grid(elements, 64) },
        Rung::Vectors => Launch { source: &FORWARD_VECTORS, constants, grid: linear_grid(elements / 4, 64) },
        Rung::RegisterTile => {
            let tiling = Tiling::of_registers(gpu.is_software(), channels);
            let kernels = if one_channel { &FORWARD_REGISTERS_ONE } else { &FORWARD_REGISTERS };
            tiled(&kernels[tiling.which], &tiling, batch, sizes)
        }
        Rung::WorkgroupTile => {
            let pixels = elements / channels;
            let tile = tile.unwrap_or_else(|| Tile::for_product(pixels, channels));
            let source = &FORWARD_WORKGROUP[usize::from(!sizes.ci.is_multiple_of(4))];
            let constants = [constants, vec![("ROWS", tile.rows), ("COLUMNS", tile.columns)]].concat();
            let [along, across] = tile.grid(pixels, channels);
            let [x, z, _] = linear_grid(along, 1);
            Launch { source, constants, grid: [x, across as u32, z] }
        }
        Rung::Broadcast => {
            let kernels = if one_channel { &FORWARD_BROADCAST_ONE } else { &FORWARD_BROADCAST };
            // It fits, so there is a tiling; without subgroups the kernel could not be built.
            let tiling = Tiling::of_subgroups(gpu.subgroup_sizes(), channels)
                .unwrap_or_else(|| Tiling::of_registers(true, channels));
            tiled(&kernels[tiling.which], &tiling, batch, sizes)
        }
        Rung::SharedRows => {
            by_shared_rows(&FORWARD_SHARED_ROWS, SHARED_ROWS_TILE, MOST_TAPS_SHARED, batch, sizes)
        }
        Rung::Winograd => {
            let rows = 2 * sizes.rows_together();
            by_shared_rows(&FORWARD_WINOGRAD, rows, MOST_TAPS_WINOGRAD, batch, sizes)
        }
    }
}

/// The launch of a kernel that makes tiles of so many rows of eight pixels for two output channels, from two channels at
/// a time where a kernel has at most `most_taps`.
fn by_shared_rows(source: &'static Source, rows: u32, most_taps: u32, batch: usize, sizes: &Sizes) -> Launch {
    let tiling = Tiling::of_shared_rows(sizes.co as usize);
    let together = ("TOGETHER", sizes.channels_together(most_taps));
    let constants = [sizes.constants(), vec![("LANES", tiling.lanes as u32), together]].concat();
    let tiles = sizes.width.div_ceil(SHARED_ROWS_TILE) * sizes.height.div_ceil(rows);
    Launch { source, constants, grid: [tiles, tiling.groups(sizes.co as usize) as u32, batch as u32] }
}

/// The launch of a kernel that makes tiles of 8×4 pixels.
fn tiled(source: &'static Source, tiling: &Tiling, batch: usize, sizes: &Sizes) -> Launch {
    let constants = if sizes.ci == 1 { sizes.constants_of_one_channel() } else { sizes.constants() };
    let constants = [constants, vec![("LANES", tiling.lanes as u32), ("TILES", tiling.rows as u32)]].concat();
    let tiles = sizes.width.div_ceil(8) * sizes.height.div_ceil(4);
    let groups = tiling.groups(sizes.co as usize) as u32;
    Launch { source, constants, grid: [tiles.div_ceil(tiling.rows as u32), groups, batch as u32] }
}
