//! The device layer: adapter choice ([`adapter`]), the device and its command recording
//! ([`device`]), buffers and their reuse ([`pool`]), kernels compiled once ([`kernel`]), what a run costs ([`profile`]).

pub mod adapter;
pub mod device;
pub mod kernel;
pub mod pool;
pub mod profile;

pub use adapter::{AdapterReport, list_adapters};
pub use device::{Gpu, GpuOptions, Readback};
pub use kernel::Source;
pub use profile::{Profile, Profiling};
