//! The device layer: adapter choice ([`adapter`]), the device and its command recording
//! ([`device`]), buffers and textures and their reuse ([`pool`], [`texture`]), kernels compiled once ([`kernel`]) and, on a
//! processor, by several cores (`precompile`), which of several kernels for the same work runs
//! ([`choice`], [`tuning`]), and what a run costs ([`profile`]).

pub mod adapter;
pub mod choice;
pub mod device;
pub mod kernel;
pub mod pool;
mod precompile;
pub mod profile;
pub mod texture;
pub mod tuning;
mod tuning_file;

pub use adapter::{AdapterReport, list_adapters};
pub use choice::{Choice, Pass, Rung, Tile, Weights};
pub use device::{Gpu, GpuOptions, Readback};
pub use kernel::Source;
pub use profile::{Profile, Profiling};
pub use tuning::Tuning;
