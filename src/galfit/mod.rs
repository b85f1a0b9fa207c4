//! GALFIT (Peng et al. 2002, 2010): its input written, the program run, its answers read.
//!
//! | file | idea |
//! |---|---|
//! | `initial.rs` | where a fit starts: what is detected |
//! | `constraints.rs` | the limits of its parameters |
//! | `feedme.rs` | its input file |
//! | `noise.rs` | the noise of each pixel |
//! | `workspace.rs` | the folder that holds a set of fits |
//! | `prepare.rs` | from images to such a folder |
//! | `process.rs` | one run of a program that may hang or crash |
//! | `run.rs` | GALFIT over all of a folder |
//! | `value.rs` | a parameter as GALFIT writes it |
//! | `component.rs` | a component in the terms of the Sérsic profile |
//! | `model.rs` | the header of a fitted model |
//! | `log.rs` | fit.log |
//! | `verdict.rs` | whether a fit is a measurement |
//! | `read.rs` | from output blocks to a catalogue |
//! | `testing.rs` | output blocks, for the tests |

mod component;
pub mod constraints;
mod feedme;
mod initial;
mod log;
mod model;
mod noise;
mod prepare;
mod process;
mod read;
mod run;
#[cfg(test)]
mod testing;
mod value;
mod verdict;
mod workspace;

pub use component::{Component, Shape};
pub use constraints::Limit;
pub use feedme::{Feedme, Sky};
pub use initial::{Initial, Patch};
pub use model::Fit;
pub use noise::Noise;
pub use prepare::{Preparation, Prepared, count, prepare};
pub use read::{Answer, read_block, read_log, read_workspace};
pub use run::{Ran, RunOptions, find_binary, run};
pub use value::{Standing, Value};
pub use workspace::{Object, RunRecord, Workspace};
