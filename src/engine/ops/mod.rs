//! The operations. A file is one operation, from top to bottom: what it computes and its gradient,
//! the launches, the f64 reference, the tests. Its kernels stand in `shaders/`, under the same name
//! or under that of the arithmetic they do (`mask`, `elementwise`, `sum_rows`).

pub mod adam;
pub mod arithmetic;
pub mod augment;
pub mod conv2d;
pub mod dense;
pub mod draw;
pub mod dropout;
pub mod flatten;
pub mod loss;
pub mod max_pool;
pub mod noise;
pub mod reduce;
pub mod relu;
pub mod stretch;

mod fours;
mod words;

#[cfg(test)]
pub(crate) mod check;

use super::gpu::Source;
use crate::{Error, Result};

/// Every kernel of the engine, for translation tests and documentation.
pub fn kernels() -> Vec<&'static Source> {
    [
        adam::KERNELS,
        arithmetic::KERNELS,
        augment::KERNELS,
        conv2d::KERNELS,
        dense::KERNELS,
        dropout::KERNELS,
        loss::KERNELS,
        max_pool::KERNELS,
        noise::KERNELS,
        reduce::KERNELS,
        relu::KERNELS,
        stretch::KERNELS,
        super::ladder::KERNELS,
    ]
    .concat()
}

/// Refuses inputs of different shapes.
fn same_shape(operation: &'static str, a: &[usize], b: &[usize]) -> Result<()> {
    if a == b {
        return Ok(());
    }
    Err(Error::shape(operation, format!("shapes {a:?} and {b:?} differ")))
}
