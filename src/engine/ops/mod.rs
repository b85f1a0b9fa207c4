//! The operations. A file is one operation, from top to bottom: what it computes and its gradient,
//! the launches, the f64 reference, the tests. Its kernels stand under the same name in `shaders/`.

pub mod arithmetic;
pub mod augment;
pub mod dense;
pub mod draw;
pub mod dropout;
pub mod flatten;
pub mod mae;
pub mod max_pool;
pub mod noise;
pub mod reduce;
pub mod relu;
pub mod stretch;

#[cfg(test)]
pub(crate) mod check;

use super::gpu::Source;
use crate::{Error, Result};

/// Every kernel of the engine, for translation tests and documentation.
pub fn kernels() -> Vec<&'static Source> {
    [
        arithmetic::KERNELS,
        reduce::KERNELS,
        relu::KERNELS,
        max_pool::KERNELS,
        mae::KERNELS,
        dense::KERNELS,
        dropout::KERNELS,
        noise::KERNELS,
        stretch::KERNELS,
        augment::KERNELS,
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
