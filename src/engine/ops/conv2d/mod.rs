//! Convolution with stride 1 and a `same` border of zeros, with bias, and fused with ReLU.
//!
//! y\[n,i,j,o\] = b\[o\] + Σ_{ky,kx,c} x\[n, i+ky−p, j+kx−q, c\] · w\[ky,kx,c,o\]
//!
//! with p = ⌊(KH−1)/2⌋ and q = ⌊(KW−1)/2⌋: an even kernel pads one more at the bottom and the
//! right, as Keras and PyTorch do. With g = ∂L/∂y,
//!
//! * ∂L/∂x is the convolution of g with w turned round, its channels exchanged and its padding's
//!   sides swapped (p′ = KH−1−p);
//! * ∂L/∂w\[ky,kx,c,o\] = Σ_{n,i,j} x\[n, i+ky−p, j+kx−q, c\] · g\[n,i,j,o\];
//! * ∂L/∂b\[o\] = Σ_{n,i,j} g\[n,i,j,o\].
//!
//! The fused operation [`conv2d_bias_relu`] is y = max(0, conv2d(x)); it goes back with g where
//! y > 0 and 0 elsewhere in place of g. [`conv2d_relu_max_pool`] pools that, too.

mod forward;
mod kernels;
mod reference;
mod sizes;
mod weight_gradient;

#[cfg(test)]
mod tests;

pub use forward::{Epilogue, forward, forward_by, forward_with_places_by, input_gradient, input_gradient_by};
pub(in crate::engine) use forward::{pixels_in_texture, weights_in_slabs, words_of_places};
pub(super) use kernels::KERNELS;
pub use reference::{conv2d_backward_reference, conv2d_reference};
pub use sizes::fits;
use weight_gradient::weight_gradient_at;
pub use weight_gradient::{weight_gradient, weight_gradient_by};
pub(in crate::engine) use weight_gradient::{weight_gradient_blocks, weight_gradient_textures};

use super::{max_pool, reduce};
use crate::engine::gpu::{Choice, Pass, Rung, Weights};
use crate::engine::tape::Home;
use crate::engine::{Gpu, Masks, Tape, Tensor, Var};
use crate::{Error, Result};

/// The sizes of a convolution; input and output have the same height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub batch: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Channels in.
    pub in_channels: usize,
    /// Channels out.
    pub out_channels: usize,
    /// Rows of the kernel.
    pub kernel_height: usize,
    /// Columns of the kernel.
    pub kernel_width: usize,
}

impl Geometry {
    /// That of a layer of `filters` square kernels on images of \[height, width, channels\].
    pub(in crate::engine) fn of_layer(
        batch: usize,
        [height, width, in_channels]: [usize; 3],
        kernel: usize,
        filters: usize,
    ) -> Self {
        let (out_channels, kernel_height, kernel_width) = (filters, kernel, kernel);
        Geometry { batch, height, width, in_channels, out_channels, kernel_height, kernel_width }
    }

    /// Rows of zeros above the image; one more lies below it where the kernel is even.
    pub fn pad_top(&self) -> usize {
        (self.kernel_height - 1) / 2
    }

    /// Columns of zeros left of the image; one more lies right of it where the kernel is even.
    pub fn pad_left(&self) -> usize {
        (self.kernel_width - 1) / 2
    }

    /// Multiply-adds of the forward pass, counting the border as if it were image.
    pub fn macs(&self) -> u64 {
        [
            self.batch,
            self.height,
            self.width,
            self.in_channels,
            self.out_channels,
            self.kernel_height,
            self.kernel_width,
        ]
        .iter()
        .map(|&n| n as u64)
        .product()
    }

    /// Its weights, by which a tuned kernel is looked up.
    pub fn weights(&self) -> Weights {
        let Geometry { kernel_height, kernel_width, in_channels, out_channels, .. } = *self;
        Weights::Conv2d { kernel: [kernel_height, kernel_width], channels: [in_channels, out_channels] }
    }

    fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.in_channels]
    }

    fn output_shape(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.out_channels]
    }

    fn weights_shape(&self) -> [usize; 4] {
        [self.kernel_height, self.kernel_width, self.in_channels, self.out_channels]
    }

    /// Refuses tensors of other shapes than this geometry's, and a geometry with nothing in it.
    fn expect(&self, operation: &'static str, tensors: &[(&Tensor, &[usize])]) -> Result<()> {
        if self.macs() == 0 {
            return Err(Error::shape(operation, format!("{self:?} has a size of 0")));
        }
        match tensors.iter().find(|(tensor, shape)| tensor.shape() != *shape) {
            Some((t, shape)) => {
                Err(Error::shape(operation, format!("shape {:?} where {shape:?} is due", t.shape())))
            }
            None => Ok(()),
        }
    }

    /// The geometry of an input of shape \[N\]\[H\]\[W\]\[CI\] under weights \[KH\]\[KW\]\[CI\]\[CO\].
    fn of(operation: &'static str, x: &[usize], w: &[usize], b: &[usize]) -> Result<Geometry> {
        let misfit = |what: &str| {
            Err(Error::shape(
                operation,
                format!("input {x:?}, weights {w:?} and bias {b:?} do not fit: {what}"),
            ))
        };
        let (&[batch, height, width, in_channels], &[kernel_height, kernel_width, from, out_channels]) =
            (x, w)
        else {
            return misfit(
                "the input must be [images, height, width, channels], the weights [rows, columns, channels in, out]",
            );
        };
        if from != in_channels {
            return misfit(&format!("the weights take {from} channels, the input has {in_channels}"));
        }
        if b != [out_channels] {
            return misfit(&format!("the bias must have one number for each of {out_channels} channels"));
        }
        if x.iter().chain(w).any(|&n| n == 0) {
            return misfit("every size must be at least 1");
        }
        Ok(Geometry { batch, height, width, in_channels, out_channels, kernel_height, kernel_width })
    }
}

/// The kernel that runs a pass of a convolution on this device.
pub fn choice(gpu: &Gpu, pass: Pass, geometry: &Geometry) -> Choice {
    let pixels = geometry.batch * geometry.height * geometry.width;
    let subgroups = gpu.subgroup_sizes();
    gpu.tuning().choose(pass, &geometry.weights(), pixels, |rung| fits(rung, pass, geometry, subgroups))
}

/// A rung that has no kernel for these sizes.
fn refused(operation: &'static str, rung: Rung, sizes: &sizes::Sizes) -> Error {
    let sizes::Sizes { ci, co, kh, kw, .. } = sizes;
    let what = format!("the {rung} rung has no kernel for {kh}×{kw} {ci}→{co} on this device");
    Error::shape(operation, what)
}

/// Convolution plus bias: x \[N\]\[H\]\[W\]\[CI\], w \[KH\]\[KW\]\[CI\]\[CO\], b \[CO\] →
/// \[N\]\[H\]\[W\]\[CO\].
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d(tape: &Tape, x: &Var, w: &Var, b: &Var) -> Result<Var> {
    layer(tape, "conv2d", [x, w, b], Epilogue::Bias)
}

/// max(0, [`conv2d`]) in one kernel.
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d_bias_relu(tape: &Tape, x: &Var, w: &Var, b: &Var) -> Result<Var> {
    layer(tape, "conv2d_bias_relu", [x, w, b], Epilogue::BiasRelu)
}

fn layer(tape: &Tape, operation: &'static str, [x, w, b]: [&Var; 3], epilogue: Epilogue) -> Result<Var> {
    let geometry = Geometry::of(operation, x.shape(), w.shape(), b.shape())?;
    let y = forward(tape.gpu(), &geometry, x.value(), w.value(), b.value(), epilogue)?;
    let backward = Backward::new(tape.gpu(), geometry, [x, w, b]);
    let masks = backward.masks(epilogue == Epilogue::BiasRelu);
    Ok(tape.push_with(masks, y, &[x, w, b], move |g| backward.run(g)))
}

/// The largest of each 2×2 cell of [`conv2d_bias_relu`] in one kernel, which writes a quarter of the numbers, and those
/// alone: \[N\]\[H\]\[W\]\[CI\] → \[N\]\[⌊H/2⌋\]\[⌊W/2⌋\]\[CO\]. The same bits as [`conv2d()`] and
/// [`relu_max_pool`](super::max_pool::relu_max_pool) one after the other. Where a gradient is wanted it writes down, in a
/// byte each, which element of a cell was the largest, for that is all that the way back needs to know. None where the
/// rung that is chosen for this layer does not pool.
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d_relu_max_pool(tape: &Tape, x: &Var, w: &Var, b: &Var) -> Result<Option<Var>> {
    let geometry = Geometry::of("conv2d_relu_max_pool", x.shape(), w.shape(), b.shape())?;
    let (gpu, tensors) = (tape.gpu(), [x.value(), w.value(), b.value()]);
    let Some(choice) = pooling_choice(gpu, &geometry) else { return Ok(None) };
    if ![x, w, b].iter().any(|var| var.needs_gradient()) {
        let y = forward_by(gpu, choice, &geometry, tensors, Epilogue::PoolBiasRelu)?;
        return Ok(Some(tape.constant(&y)));
    }
    let (y, places) = forward_with_places_by(gpu, choice, &geometry, tensors)?;
    let backward = Backward::new(gpu, geometry, [x, w, b]);
    Ok(Some(tape.push_with(backward.masks(true), y, &[x, w, b], move |g| backward.run_pooled(g, places))))
}

/// The kernel that runs forward, where it can pool what it makes.
fn pooling_choice(gpu: &Gpu, geometry: &Geometry) -> Option<Choice> {
    let choice = choice(gpu, Pass::Forward, geometry);
    (geometry.height.min(geometry.width) > 1 && choice.rung.makes_cells()).then_some(choice)
}

/// Whether the kernel that runs forward can pool what it makes.
pub(in crate::engine) fn pools(gpu: &Gpu, geometry: &Geometry) -> bool {
    pooling_choice(gpu, geometry).is_some()
}

/// Whether a kernel for the gradient of the input can mask it.
pub(in crate::engine) fn masks(of_input: Choice) -> bool {
    of_input.rung.makes_cells()
}

/// What the way back needs.
struct Backward {
    gpu: Gpu,
    geometry: Geometry,
    x: Tensor,
    w: Tensor,
    /// The kernel that makes the gradient of the input, where one is wanted.
    of_input: Option<Choice>,
    /// What the gradient of the input is multiplied by, where that kernel masks it by the input.
    masks_input: Option<f32>,
    /// Where the gradients of the weights and the bias belong, if they need one.
    homes: [Option<Home>; 2],
}

impl Backward {
    fn new(gpu: &Gpu, geometry: Geometry, [x, w, b]: [&Var; 3]) -> Self {
        let of_input = x.needs_gradient().then(|| choice(gpu, Pass::InputGradient, &geometry));
        Backward {
            gpu: gpu.clone(),
            geometry,
            x: x.value().clone(),
            w: w.value().clone(),
            of_input,
            masks_input: x.rectified().filter(|_| of_input.is_some_and(masks)),
            homes: [w, b].map(Var::home),
        }
    }

    /// Of an operation that ends in a rectifier or does not.
    fn masks(&self, rectifies: bool) -> Masks {
        Masks { of_output: rectifies.then_some(1.0), of_input: self.masks_input.is_some() }
    }

    fn run(self, g: &Tensor) -> Result<Vec<Option<Tensor>>> {
        let [n, h, w, _] = self.geometry.output_shape();
        self.gradients(g, (g, n * h * w))
    }

    /// From the gradient of what was pooled. That of the bias is the sum over the pooled, a quarter of the numbers: the
    /// others are zeros.
    fn run_pooled(self, g: &Tensor, places: Tensor) -> Result<Vec<Option<Tensor>>> {
        let shape = self.geometry.output_shape();
        let cells = shape[0] * (shape[1] / 2) * (shape[2] / 2);
        let spread = max_pool::backward_by_places(&self.gpu, [g, &places], shape)?;
        drop(places);
        self.gradients(&spread, (g, cells))
    }

    /// From the gradient of the sums, and a tensor of so many rows that add up to the gradient of the bias.
    fn gradients(self, g: &Tensor, (rows, count): (&Tensor, usize)) -> Result<Vec<Option<Tensor>>> {
        let Backward { gpu, geometry, x, w, of_input, masks_input, homes: [of_weights, of_bias] } = self;
        let dw = of_weights.map(|home| {
            let by = choice(&gpu, Pass::WeightGradient, &geometry);
            weight_gradient_at(&gpu, by, &geometry, [&x, g], &home)
        });
        let dw = dw.transpose()?;
        let db = of_bias.map(|home| reduce::sum_rows_at(&gpu, rows, count, &home)).transpose()?;
        let rectified = masks_input.map(|factor| (&x, factor));
        let dx = of_input
            .map(|choice| input_gradient_by(&gpu, choice, &geometry, [&w, g], rectified))
            .transpose()?;
        Ok(vec![dx, dw, db])
    }
}
