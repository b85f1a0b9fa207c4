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
//! y > 0 and 0 elsewhere in place of g. [`conv2d_relu_max_pool`] is for inference alone.

mod forward;
mod kernels;
mod reference;
mod sizes;
mod weight_gradient;

#[cfg(test)]
mod tests;

pub use forward::{Epilogue, forward, forward_by, input_gradient, input_gradient_by};
pub(super) use kernels::KERNELS;
pub use reference::{conv2d_backward_reference, conv2d_reference};
pub use sizes::fits;
pub(in crate::engine) use weight_gradient::weight_gradient_blocks;
pub use weight_gradient::{weight_gradient, weight_gradient_by};

use super::{reduce, relu};
use crate::engine::gpu::{Choice, Pass, Rung, Weights};
use crate::engine::{Gpu, Tape, Tensor, Var};
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
    let geometry = Geometry::of("conv2d", x.shape(), w.shape(), b.shape())?;
    let y = forward(tape.gpu(), &geometry, x.value(), w.value(), b.value(), Epilogue::Bias)?;
    let backward = Backward::new(tape.gpu(), geometry, [x, w, b]);
    Ok(tape.push(y, &[x, w, b], move |g| backward.run(g)))
}

/// max(0, [`conv2d`]) in one kernel.
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d_bias_relu(tape: &Tape, x: &Var, w: &Var, b: &Var) -> Result<Var> {
    let geometry = Geometry::of("conv2d_bias_relu", x.shape(), w.shape(), b.shape())?;
    let y = forward(tape.gpu(), &geometry, x.value(), w.value(), b.value(), Epilogue::BiasRelu)?;
    let backward = Backward::new(tape.gpu(), geometry, [x, w, b]);
    let active = y.clone();
    Ok(tape.push(y, &[x, w, b], move |g| {
        let masked = relu::mask(&backward.gpu, g, &active)?;
        drop(active);
        backward.run(&masked)
    }))
}

/// The largest of each 2×2 cell of [`conv2d_bias_relu`] in one kernel, which writes a quarter of the numbers, and those
/// alone: \[N\]\[H\]\[W\]\[CI\] → \[N\]\[⌊H/2⌋\]\[⌊W/2⌋\]\[CO\]. The same bits as [`conv2d()`] and
/// [`relu_max_pool`](super::max_pool::relu_max_pool) one after the other. The way back needs what the pooling was of, so it
/// is for inference: none where a gradient is wanted, or where the rung that is chosen for this layer does not pool.
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d_relu_max_pool(tape: &Tape, x: &Var, w: &Var, b: &Var) -> Result<Option<Var>> {
    let geometry = Geometry::of("conv2d_relu_max_pool", x.shape(), w.shape(), b.shape())?;
    if [x, w, b].iter().any(|var| var.needs_gradient()) || !pools(tape.gpu(), &geometry) {
        return Ok(None);
    }
    let y = forward(tape.gpu(), &geometry, x.value(), w.value(), b.value(), Epilogue::PoolBiasRelu)?;
    Ok(Some(tape.constant(&y)))
}

/// Whether the kernel that runs forward can pool what it makes.
pub(in crate::engine) fn pools(gpu: &Gpu, geometry: &Geometry) -> bool {
    geometry.height.min(geometry.width) > 1 && choice(gpu, Pass::Forward, geometry).rung.pools()
}

/// What the way back needs.
struct Backward {
    gpu: Gpu,
    geometry: Geometry,
    x: Tensor,
    w: Tensor,
    /// Which of input, weights and bias need a gradient.
    needed: [bool; 3],
}

impl Backward {
    fn new(gpu: &Gpu, geometry: Geometry, [x, w, b]: [&Var; 3]) -> Self {
        Backward {
            gpu: gpu.clone(),
            geometry,
            x: x.value().clone(),
            w: w.value().clone(),
            needed: [x, w, b].map(Var::needs_gradient),
        }
    }

    fn run(self, g: &Tensor) -> Result<Vec<Option<Tensor>>> {
        let Backward { gpu, geometry, x, w, needed } = self;
        let pixels = geometry.batch * geometry.height * geometry.width;
        let dw = needed[1].then(|| weight_gradient(&gpu, &geometry, &x, g)).transpose()?;
        let db = needed[2].then(|| reduce::sum_rows(&gpu, g, pixels, 1.0)).transpose()?;
        let dx = needed[0].then(|| input_gradient(&gpu, &geometry, &w, g)).transpose()?;
        Ok(vec![dx, dw, db])
    }
}
