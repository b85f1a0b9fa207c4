//! The way forward and the gradient of the input: one convolution, rung by rung.

use super::kernels::{
    ByWidth, FLIP, FORWARD_BROADCAST, FORWARD_BROADCAST_ONE, FORWARD_NAIVE, FORWARD_REGISTERS,
    FORWARD_REGISTERS_ONE, FORWARD_SHARED_ROWS, FORWARD_VECTORS, FORWARD_WINOGRAD, FORWARD_WINOGRAD_LAID_OUT,
    FORWARD_WORKGROUP, LAY_OUT,
};
use super::sizes::{SHARED_LANES, SHARED_ROWS_TILE, SLAB, Sizes, Slabs, Tiling, WINOGRAD_TILE};
use super::{Geometry, choice, refused};
use crate::engine::gpu::{Choice, Pass, Rung, Source, Tile, device::linear_grid};
use crate::engine::{Gpu, Tensor};
use crate::{Error, Result};

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
    /// Puts 0 where another tensor of the output's shape, in the bias's stead, is not positive.
    Mask = 4,
}

/// The weights that a convolution multiplies with.
#[derive(Clone, Copy)]
enum Filter<'a> {
    /// Those of a layer.
    Own(&'a Tensor),
    /// Those of a layer turned round, with its channels exchanged, times a factor: the gradient of its input is a convolution
    /// with them.
    Turned(&'a Tensor, f32),
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
    expect_shapes(geometry, [x, w, b], epilogue)?;
    convolve(gpu, choice.into(), geometry.batch, &Sizes::of(geometry), (x, Filter::Own(w), b), epilogue)
}

/// As [`forward_by`] with [`Epilogue::PoolBiasRelu`], and where in its cell the largest was: a byte for each output, 0 to 3
/// in row order, in words \[N\]\[⌊H/2⌋\]\[⌊W/2⌋\]\[CO/k\] of the k channels that the kernel makes together. Where two are
/// equal it is the first.
///
/// # Errors
/// As [`forward_by`].
pub fn forward_with_places_by(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    [x, w, b]: [&Tensor; 3],
) -> Result<(Tensor, Tensor)> {
    expect_shapes(geometry, [x, w, b], Epilogue::PoolBiasRelu)?;
    let (choice, sizes) = (choice.into(), Sizes::of(geometry));
    refuse(gpu, choice.rung, &sizes, Epilogue::PoolBiasRelu)?;
    let words = words_a_cell(gpu, choice.rung, geometry.out_channels);
    let places = gpu.tensor(&[geometry.batch, geometry.height / 2, geometry.width / 2, words])?;
    let end = (Epilogue::PoolBiasRelu, Some(&places));
    let y = run(gpu, choice, geometry.batch, &sizes, (x, Filter::Own(w), b), end)?;
    Ok((y, places))
}

/// The words of the places that [`forward_with_places_by`] writes down.
pub(in crate::engine) fn words_of_places(gpu: &Gpu, geometry: &Geometry) -> usize {
    let rung = choice(gpu, Pass::Forward, geometry).rung;
    let cells = geometry.batch * (geometry.height / 2) * (geometry.width / 2);
    cells * words_a_cell(gpu, rung, geometry.out_channels)
}

/// The elements of the weights that a pass lays out for uniform buffers, where its kernel has them there: of the way forward or
/// the gradient of the input.
pub(in crate::engine) fn weights_in_slabs(gpu: &Gpu, pass: Pass, geometry: &Geometry) -> Option<usize> {
    let sizes = Sizes::of(geometry);
    let sizes = if pass == Pass::Forward { sizes } else { sizes.back() };
    let slabs = (choice(gpu, pass, geometry).rung == Rung::Winograd)
        .then(|| sizes.slabs(gpu, geometry.batch))
        .flatten()?;
    Some(slabs.count * SLAB)
}

/// The elements of what a pass has in a texture, where its kernel has it there: pixels, or gradients of the way back.
pub(in crate::engine) fn pixels_in_texture(gpu: &Gpu, pass: Pass, geometry: &Geometry) -> Option<usize> {
    weights_in_slabs(gpu, pass, geometry)?;
    let back = pass == Pass::InputGradient;
    let shape = if back { geometry.output_shape() } else { geometry.input_shape() };
    Some(shape.iter().product())
}

/// The words of a cell's places: one for the channels that an invocation makes together.
fn words_a_cell(gpu: &Gpu, rung: Rung, channels: usize) -> usize {
    let together = match rung {
        Rung::WorkgroupTile => 4,
        _ => Tiling::of_rung(rung, gpu, channels).outputs,
    };
    channels / together
}

/// Refuses tensors that are not of this geometry.
fn expect_shapes(geometry: &Geometry, [x, w, b]: [&Tensor; 3], epilogue: Epilogue) -> Result<()> {
    geometry.expect("conv2d", &[(x, &geometry.input_shape()), (w, &geometry.weights_shape())])?;
    match epilogue {
        Epilogue::PoolBiasRelu if geometry.height.min(geometry.width) < 2 => {
            Err(Error::shape("conv2d with pooling", format!("{geometry:?} has no cell of 2×2 pixels")))
        }
        Epilogue::None => Ok(()),
        Epilogue::Mask => geometry.expect("conv2d", &[(b, &geometry.output_shape())]),
        _ => geometry.expect("conv2d", &[(b, &[geometry.out_channels])]),
    }
}

/// ∂L/∂x from g = ∂L/∂y: the forward kernel on the flipped weights.
///
/// # Errors
/// Tensors that are not of this geometry.
pub fn input_gradient(gpu: &Gpu, geometry: &Geometry, w: &Tensor, g: &Tensor) -> Result<Tensor> {
    input_gradient_by(gpu, choice(gpu, Pass::InputGradient, geometry), geometry, [w, g], None)
}

/// As [`input_gradient`], on a rung of the ladder, from the tensors w and g. With `rectified`, a tensor x of the input's shape
/// and a factor, it is 0 where x is not positive and multiplied by the factor elsewhere: x is then what a rectifier made, or
/// dropout of that, and this is the way back through those, too.
///
/// # Errors
/// As [`input_gradient`], or the rung does not take this geometry here: see [`super::fits`]; or it cannot mask.
pub fn input_gradient_by(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    [w, g]: [&Tensor; 2],
    rectified: Option<(&Tensor, f32)>,
) -> Result<Tensor> {
    if let Some((x, _)) = rectified {
        geometry.expect("conv2d input gradient", &[(x, &geometry.input_shape())])?;
    }
    geometry
        .expect("conv2d input gradient", &[(w, &geometry.weights_shape()), (g, &geometry.output_shape())])?;
    let back = Sizes::of(geometry).back();
    let filter = Filter::Turned(w, rectified.map_or(1.0, |(_, factor)| factor));
    // Without an epilogue nothing is read beside the sums, but something must be bound.
    let (beside, epilogue) = rectified.map_or((w, Epilogue::None), |(x, _)| (x, Epilogue::Mask));
    convolve(gpu, choice.into(), geometry.batch, &back, (g, filter, beside), epilogue)
}

fn convolve(
    gpu: &Gpu,
    choice: Choice,
    batch: usize,
    sizes: &Sizes,
    operands: (&Tensor, Filter, &Tensor),
    epilogue: Epilogue,
) -> Result<Tensor> {
    refuse(gpu, choice.rung, sizes, epilogue)?;
    run(gpu, choice, batch, sizes, operands, (epilogue, None))
}

/// Makes y, and `places` where they are wanted, from x, the weights and what the epilogue reads, on a rung that does it.
fn run(
    gpu: &Gpu,
    choice: Choice,
    batch: usize,
    sizes: &Sizes,
    (x, filter, beside): (&Tensor, Filter, &Tensor),
    (epilogue, places): (Epilogue, Option<&Tensor>),
) -> Result<Tensor> {
    let [height, width, co] = [sizes.height, sizes.width, sizes.co].map(|n| n as usize);
    let cell = if epilogue == Epilogue::PoolBiasRelu { 2 } else { 1 };
    let y = gpu.tensor(&[batch, height / cell, width / cell, co])?;
    let slabs = if choice.rung == Rung::Winograd { sizes.slabs(gpu, batch) } else { None };
    let mut x = x.clone();
    let (Launch { source, mut constants, grid }, weights) = match slabs {
        None => (
            launch(gpu, choice, batch, sizes, (epilogue, places.is_some())),
            vec![(in_order(gpu, sizes, filter)?, vec![])],
        ),
        Some(slabs) => {
            x = gpu.in_texture(&x)?;
            (launch_by_slabs(slabs, batch, sizes, places.is_some()), laid_out(gpu, sizes, slabs, filter)?)
        }
    };
    constants.push(("EPILOGUE", epilogue as u32));
    let flops = 2 * batch * height * width * co * (sizes.kh * sizes.kw * sizes.ci) as usize;
    for (w, immediates) in &weights {
        let bound: Vec<&Tensor> = [&x, w, beside, &y].into_iter().chain(places).collect();
        gpu.launch(source, &constants, &bound, immediates, grid)?;
        gpu.states_flops(flops / weights.len());
    }
    Ok(y)
}

/// Weights as most kernels read them, \[KH\]\[KW\]\[CI\]\[CO\].
fn in_order(gpu: &Gpu, sizes: &Sizes, filter: Filter) -> Result<Tensor> {
    match filter {
        Filter::Own(w) => Ok(w.clone()),
        Filter::Turned(w, factor) => {
            let [kh, kw, ci, co] = [sizes.kh, sizes.kw, sizes.ci, sizes.co];
            let flipped = gpu.tensor(&[kh, kw, ci, co].map(|n| n as usize))?;
            // The layer's channels in are the convolution's channels out.
            let groups = [co.div_ceil(8), ci.div_ceil(8), kh * kw];
            gpu.launch(&FLIP, &[], &[w, &flipped], &[co, ci, factor.to_bits()], groups)?;
            Ok(flipped)
        }
    }
}

/// Weights as `conv2d_winograd_weights_laid_out.wgsl` reads them, a tensor for each slab, and what its dispatch is given.
fn laid_out(
    gpu: &Gpu,
    sizes: &Sizes,
    Slabs { count, lanes }: Slabs,
    filter: Filter,
) -> Result<Vec<(Tensor, Vec<u32>)>> {
    let [ci, co] = [sizes.ci, sizes.co];
    let (w, of_channel, of_output, turned, factor) = match filter {
        Filter::Own(w) => (w, co, 1, 0, 1.0),
        Filter::Turned(w, factor) => (w, 1, ci, 1, factor),
    };
    let all = gpu.tensor(&[count, SLAB])?;
    let immediates = [co, of_channel, of_output, lanes as u32, turned, f32::to_bits(factor)];
    let groups = [(count * lanes / SHARED_LANES) as u32, ci / 2, sizes.kh * sizes.kw];
    gpu.launch(&LAY_OUT, &[], &[w, &all], &immediates, groups)?;
    let slab = |nth: usize| (all.part(nth * SLAB, &[SLAB]), vec![(nth * lanes) as u32]);
    Ok((0..count).map(slab).collect())
}

/// Refuses what a rung does not do.
fn refuse(gpu: &Gpu, rung: Rung, sizes: &Sizes, epilogue: Epilogue) -> Result<()> {
    if !sizes.forward_fits(rung, gpu.subgroup_sizes()) {
        return Err(refused("conv2d", rung, sizes));
    }
    match epilogue {
        Epilogue::PoolBiasRelu if !rung.makes_cells() => Err(refused("conv2d with pooling", rung, sizes)),
        Epilogue::Mask if !rung.makes_cells() => Err(refused("conv2d with a mask", rung, sizes)),
        _ => Ok(()),
    }
}

/// A kernel, its constants but for the epilogue, and its workgroups.
struct Launch {
    source: &'static Source,
    constants: Vec<(&'static str, u32)>,
    grid: [u32; 3],
}

/// The launch of a rung that fits, for an epilogue, of a kernel that writes down places or of one that does not.
fn launch(
    gpu: &Gpu,
    Choice { rung, tile }: Choice,
    batch: usize,
    sizes: &Sizes,
    (epilogue, places): (Epilogue, bool),
) -> Launch {
    let constants = sizes.constants();
    let (one_channel, channels) = (sizes.ci == 1, sizes.co as usize);
    let pixels = batch * sizes.height as usize * sizes.width as usize;
    let which = usize::from(places);
    let tiling = || Tiling::of_rung(rung, gpu, channels);
    match rung {
        Rung::Naive => Launch { source: &FORWARD_NAIVE, constants, grid: linear_grid(pixels * channels, 64) },
        Rung::Vectors => {
            Launch { source: &FORWARD_VECTORS, constants, grid: linear_grid(pixels * channels / 4, 64) }
        }
        Rung::RegisterTile => {
            let kernels = if one_channel { &FORWARD_REGISTERS_ONE } else { &FORWARD_REGISTERS };
            tiled(&kernels[which], &tiling(), batch, sizes)
        }
        Rung::WorkgroupTile => {
            let cells = batch * (sizes.height / 2) as usize * (sizes.width / 2) as usize;
            let pixels = if epilogue == Epilogue::PoolBiasRelu { 4 * cells } else { pixels };
            let tile = tile.unwrap_or_else(|| Tile::for_product(pixels, channels));
            let source = &FORWARD_WORKGROUP[which][usize::from(!sizes.ci.is_multiple_of(4))];
            let constants = [constants, vec![("ROWS", tile.rows), ("COLUMNS", tile.columns)]].concat();
            let [along, across] = tile.grid(pixels, channels);
            let [x, z, _] = linear_grid(along, 1);
            Launch { source, constants, grid: [x, across as u32, z] }
        }
        Rung::Broadcast => {
            let kernels = if one_channel { &FORWARD_BROADCAST_ONE } else { &FORWARD_BROADCAST };
            tiled(&kernels[which], &tiling(), batch, sizes)
        }
        Rung::SharedRows => {
            let together = sizes.channels_of_shared_rows();
            by_shared_rows(&FORWARD_SHARED_ROWS[which], &tiling(), together, SHARED_ROWS_TILE, batch, sizes)
        }
        Rung::Winograd => {
            let together = sizes.channels_of_winograd();
            let source = &FORWARD_WINOGRAD[sizes.winograd_form(gpu)][which];
            by_shared_rows(source, &tiling(), together, WINOGRAD_TILE, batch, sizes)
        }
    }
}

/// The launches of Winograd's kernel with weights in uniform buffers, one for each, and pixels in a texture.
fn launch_by_slabs(slabs: Slabs, batch: usize, sizes: &Sizes, places: bool) -> Launch {
    let source = &FORWARD_WINOGRAD_LAID_OUT[usize::from(places)];
    let tiling = Tiling { lanes: slabs.lanes, ..Tiling::of_shared_rows(sizes.co as usize) };
    let together = sizes.channels_of_winograd();
    let mut launch = by_shared_rows(source, &tiling, together, WINOGRAD_TILE, batch, sizes);
    launch.grid[1] = 1;
    launch
}

/// The launch of a kernel that makes tiles of so many rows and columns for two output channels, from `together` channels at
/// a time.
fn by_shared_rows(
    source: &'static Source,
    tiling: &Tiling,
    together: u32,
    [rows, columns]: [u32; 2],
    batch: usize,
    sizes: &Sizes,
) -> Launch {
    let more = vec![("LANES", tiling.lanes as u32), ("TOGETHER", together)];
    let constants = [sizes.constants(), more].concat();
    let tiles = sizes.width.div_ceil(columns) * sizes.height.div_ceil(rows);
    Launch { source, constants, grid: [tiles, tiling.groups(sizes.co as usize) as u32, batch as u32] }
}

/// The launch of a kernel that makes tiles of 8×4 pixels.
fn tiled(kernels: &'static ByWidth, tiling: &Tiling, batch: usize, sizes: &Sizes) -> Launch {
    let constants = if sizes.ci == 1 { sizes.constants_of_one_channel() } else { sizes.constants() };
    let constants = [constants, vec![("LANES", tiling.lanes as u32), ("TILES", tiling.rows as u32)]].concat();
    let tiles = sizes.width.div_ceil(8) * sizes.height.div_ceil(4);
    let groups = tiling.groups(sizes.co as usize) as u32;
    let grid = [tiles.div_ceil(tiling.rows as u32), groups, batch as u32];
    Launch { source: &kernels[tiling.which], constants, grid }
}
