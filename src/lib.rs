//! legato measures galaxies: networks that read a 128×128 stamp of a galaxy and return its
//! magnitude, effective radius, Sérsic index and axis ratio, trained on galaxies the program
//! simulates itself, on a small deep-learning engine of hand-written WGSL compute kernels.

#![warn(missing_docs)]

pub mod cli;
pub mod detect;
pub mod engine;
pub mod error;
pub mod files;
pub mod fits;
pub mod galfit;
pub mod legato;
pub mod report;
pub mod rng;
pub mod sky;

pub use error::{Error, Result};

/// The examples of the book compile.
#[cfg(doctest)]
#[doc = include_str!("../docs/src/engine.md")]
#[doc = include_str!("../docs/src/labels.md")]
struct Book;
