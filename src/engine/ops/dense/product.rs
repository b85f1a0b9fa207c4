//! The three products of a dense layer, rung by rung.

use super::Geometry;
use crate::engine::gpu::{Choice, Pass, Rung, Source, Tile, device::linear_grid};
use crate::engine::tape::Home;
use crate::engine::{Gpu, Tensor};
use crate::{Error, Result};

macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!("../../../../shaders/", $name, ".wgsl"))
    };
}
/// A kernel's name and its parts in their order.
macro_rules! kernel {
    ($name:literal, $($part:literal),*) => {
        Source { name: $name, parts: &[$(shader!($part)),*], in_bounds: true }
    };
}

static NAIVE: Source = kernel!("dense_product_1_naive", "dense_product_1_naive");
static VECTORS: Source = kernel!("dense_product_2_vectors", "dense_blocks", "dense_product_2_vectors");
static REGISTERS: Source =
    kernel!("dense_product_3_register_tile", "dense_product_3_register_tile", "dense_product_by_lanes");
static WORKGROUP: Source =
    kernel!("dense_product_4_workgroup_tile", "dense_blocks", "dense_product_4_workgroup_tile");
static BROADCAST: Source =
    kernel!("dense_product_5_broadcast", "dense_product_5_broadcast", "dense_product_by_lanes");
static FINISH: Source = kernel!("dense_finish", "dense_finish");

pub(in crate::engine::ops) const KERNELS: &[&Source] =
    &[&NAIVE, &VECTORS, &REGISTERS, &WORKGROUP, &BROADCAST, &FINISH];

/// Lanes that share their loads: what the broadcast kernel assumes of a subgroup.
const SHARED_LANES: u32 = 8;
/// Columns of a workgroup's tile in the kernels by lanes.
const TILE_COLUMNS: usize = 128;
/// Most terms of a chunk of a sum, unless so many chunks would be more than fill a device.
const SHORTEST_CHUNK: usize = 256;
/// Workgroups that are enough to fill a device.
const ENOUGH_GROUPS: usize = 512;

/// Whether a rung has a kernel for the three products of a dense layer, on a device whose smallest and largest subgroups
/// are `subgroups` (`None`: it has none).
///
/// | rung | inputs and outputs | subgroups |
/// |---|---|---|
/// | naive, register tile | any | – |
/// | vectors, workgroup tile | multiples of 4: a layer with a single output has neither rung | – |
/// | broadcast | any | of at least 8 lanes |
pub fn fits(rung: Rung, geometry: &Geometry, subgroups: Option<(u32, u32)>) -> bool {
    match rung {
        Rung::Naive | Rung::RegisterTile => true,
        Rung::Vectors | Rung::WorkgroupTile => {
            geometry.inputs.is_multiple_of(4) && geometry.outputs.is_multiple_of(4)
        }
        // A product of matrices has no rows of pixels.
        Rung::SharedRows | Rung::Winograd => false,
        Rung::Broadcast => subgroups.is_some_and(|(least, _)| least >= SHARED_LANES),
    }
}

/// Rows, columns and terms of a product, and how its two matrices lie in memory: in lines along the terms, or along the
/// rows of the first and the columns of the second.
#[derive(Clone, Copy)]
struct Product {
    rows: usize,
    columns: usize,
    terms: usize,
    a_along_terms: bool,
    b_along_terms: bool,
}

impl Product {
    fn of(pass: Pass, &Geometry { batch, inputs, outputs }: &Geometry) -> Self {
        let (rows, columns, terms) = match pass {
            Pass::Forward => (batch, outputs, inputs),
            Pass::InputGradient => (batch, inputs, outputs),
            Pass::WeightGradient => (inputs, outputs, batch),
        };
        let (a_along_terms, b_along_terms) = (pass != Pass::WeightGradient, pass == Pass::InputGradient);
        Product { rows, columns, terms, a_along_terms, b_along_terms }
    }

    /// Numbers from one line of the first matrix to the next, and of the second.
    fn lines(&self) -> [usize; 2] {
        let a = if self.a_along_terms { self.terms } else { self.rows };
        let b = if self.b_along_terms { self.terms } else { self.columns };
        [a, b]
    }

    /// Numbers from a row of the first matrix to the next, from a term to the next; the same of the second from a term
    /// to the next, from a column to the next.
    fn strides(&self) -> [usize; 4] {
        let [a, b] = self.lines();
        let [a_row, a_step] = if self.a_along_terms { [a, 1] } else { [1, a] };
        let [b_step, b_column] = if self.b_along_terms { [1, b] } else { [b, 1] };
        [a_row, a_step, b_step, b_column]
    }

    /// How many chunks the terms are cut into: more where there are few tiles.
    fn chunks(&self) -> usize {
        let tiles = self.columns.div_ceil(TILE_COLUMNS) * self.rows.div_ceil(rows_of_a_tile(self.rows));
        self.terms.div_ceil(SHORTEST_CHUNK).min(ENOUGH_GROUPS.div_ceil(tiles.max(1))).max(1)
    }

    /// a·b into c, which is \[chunks\]\[rows\]\[columns\], whatever it is called: each the sum over one part of the terms.
    fn run(&self, gpu: &Gpu, choice: Choice, [a, b, c]: [&Tensor; 3], chunks: usize) -> Result<()> {
        let &Product { rows, columns, terms, a_along_terms, b_along_terms } = self;
        // A whole number of the kernels' steps of eight terms; the last chunks may then be empty.
        let chunk = terms.div_ceil(chunks).next_multiple_of(8);
        let sizes = [rows, columns, terms, chunk];
        let launch = |source, constants: &[(&'static str, u32)], more: &[usize], grid: [u32; 3]| {
            let words: Vec<u32> = sizes.iter().chain(more).map(|&n| n as u32).collect();
            gpu.launch(source, constants, &[a, b, c], &words, grid)
        };
        let along =
            [("A_ALONG_TERMS", u32::from(a_along_terms)), ("B_ALONG_TERMS", u32::from(b_along_terms))];
        let vectors = self.lines().map(|line| line / 4);
        match choice.rung {
            Rung::Naive => launch(&NAIVE, &[], &self.strides(), linear_grid(c.len(), 64))?,
            Rung::Vectors => {
                let blocks = chunks * rows.div_ceil(4) * columns / 4;
                launch(&VECTORS, &along, &vectors, linear_grid(blocks, 64))?;
            }
            Rung::WorkgroupTile => {
                let tile = choice.tile.unwrap_or_else(|| Tile::for_product(rows, columns));
                let constants = [along, [("ROWS", tile.rows), ("COLUMNS", tile.columns)]].concat();
                let [down, across] = tile.grid(rows, columns);
                launch(&WORKGROUP, &constants, &vectors, [across as u32, down as u32, chunks as u32])?;
            }
            Rung::RegisterTile | Rung::Broadcast | Rung::SharedRows | Rung::Winograd => {
                let source = if choice.rung == Rung::Broadcast { &BROADCAST } else { &REGISTERS };
                let tile = rows_of_a_tile(rows);
                let grid = [columns.div_ceil(TILE_COLUMNS), rows.div_ceil(tile), chunks].map(|n| n as u32);
                launch(source, &[("ROWS", tile as u32)], &self.strides(), grid)?;
            }
        }
        gpu.states_flops(2 * rows * columns * terms);
        Ok(())
    }
}

/// Rows of a workgroup's tile in the kernels by lanes.
fn rows_of_a_tile(rows: usize) -> usize {
    [8, 16].into_iter().find(|&tile| rows <= tile).unwrap_or(32)
}

/// Chunks of the forward product of \[rows, terms\] and \[terms, columns\], which are in memory together.
pub(in crate::engine) fn forward_chunks(rows: usize, columns: usize, terms: usize) -> usize {
    Product::of(Pass::Forward, &Geometry { batch: rows, inputs: terms, outputs: columns }).chunks()
}

/// Refuses tensors of other shapes than the geometry's, and a rung that does not take it.
fn check(
    operation: &'static str,
    gpu: &Gpu,
    rung: Rung,
    geometry: &Geometry,
    tensors: &[(&Tensor, &[usize])],
) -> Result<()> {
    if geometry.macs() == 0 {
        return Err(Error::shape(operation, format!("{geometry:?} has a size of 0")));
    }
    if let Some((t, shape)) = tensors.iter().find(|(tensor, shape)| tensor.shape() != *shape) {
        return Err(Error::shape(operation, format!("shape {:?} where {shape:?} is due", t.shape())));
    }
    if !fits(rung, geometry, gpu.subgroup_sizes()) {
        let Geometry { inputs, outputs, .. } = geometry;
        let what = format!("the {rung} rung has no kernel for {inputs}→{outputs} on this device");
        return Err(Error::shape(operation, what));
    }
    Ok(())
}

/// f(x·W + b), with the tensors x, W and b, on a rung of the ladder; f is the rectifier with `relu`.
///
/// # Errors
/// Tensors that are not of this geometry, or a rung that does not take it here: see [`fits`].
pub fn forward_by(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    [x, w, b]: [&Tensor; 3],
    relu: bool,
) -> Result<Tensor> {
    let choice = choice.into();
    let &Geometry { batch, inputs, outputs } = geometry;
    let tensors = [(x, &[batch, inputs][..]), (w, &[inputs, outputs]), (b, &[outputs])];
    check("dense", gpu, choice.rung, geometry, &tensors)?;
    let product = Product::of(Pass::Forward, geometry);
    let chunks = product.chunks();
    let partial = gpu.tensor(&[chunks, batch, outputs])?;
    product.run(gpu, choice, [x, w, &partial], chunks)?;
    let y = gpu.tensor(&[batch, outputs])?;
    let words = [chunks as u32, outputs as u32, u32::from(relu)];
    gpu.launch(&FINISH, &[], &[&partial, b, &y], &words, linear_grid(y.len(), 64))?;
    Ok(y)
}

/// g·Wᵀ on a rung of the ladder.
///
/// # Errors
/// As [`forward_by`].
pub fn input_gradient_by(
    gpu: &Gpu,
    choice: impl Into<Choice>,
    geometry: &Geometry,
    w: &Tensor,
    g: &Tensor,
) -> Result<Tensor> {
    let choice = choice.into();
    let &Geometry { batch, inputs, outputs } = geometry;
    let tensors = [(w, &[inputs, outputs][..]), (g, &[batch, outputs])];
    check("dense input gradient", gpu, choice.rung, geometry, &tensors)?;
    let product = Product::of(Pass::InputGradient, geometry);
    let dx = gpu.tensor(&[batch, inputs])?;
    product.run(gpu, choice, [g, w, &dx], 1)?;
    Ok(dx)
}

/// xᵀ·g on a rung of the ladder.
///
/// # Errors
/// As [`forward_by`].
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
    let choice = choice.into();
    let &Geometry { batch, inputs, outputs } = geometry;
    let tensors = [(x, &[batch, inputs][..]), (g, &[batch, outputs])];
    check("dense weight gradient", gpu, choice.rung, geometry, &tensors)?;
    let product = Product::of(Pass::WeightGradient, geometry);
    let dw = home.claim(gpu, &[inputs, outputs])?;
    product.run(gpu, choice, [x, g, &dw], 1)?;
    Ok(dw)
}
