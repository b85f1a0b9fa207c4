//! The one error of the crate. Every message names what was at fault (file, HDU, row, shape or
//! operation) and says what to do about it.

use std::path::{Path, PathBuf};

/// Shorthand for results with the crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, grouped by the room it comes from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody asked to stop; what was done is saved, and they know.
    #[error("interrupted")]
    Interrupted,
    // ── the device ────────────────────────────────────────────────────────────────────────────
    /// No adapter at all, or none that matches what was asked for.
    #[error("no GPU adapter {wanted}: {found}")]
    NoAdapter {
        /// What was asked for, as a phrase that follows "no GPU adapter".
        wanted: String,
        /// What is there instead, or how to get a driver.
        found: String,
    },
    /// The adapter exists but cannot do what the kernels need.
    #[error("adapter '{adapter}' cannot be used: {message}")]
    Device {
        /// The adapter's name.
        adapter: String,
        /// What it lacks or what it answered.
        message: String,
    },
    /// The device ran out of memory, or a tensor is larger than a binding may be.
    #[error("out of device memory: {message}; try a smaller --batch, or another --device")]
    OutOfMemory {
        /// What did not fit.
        message: String,
    },
    /// The device stopped answering.
    #[error(
        "the GPU device was lost: {message}; run again, with a smaller --batch if it happens again (a training run \
         goes on from its last epoch with --resume)"
    )]
    DeviceLost {
        /// The driver's reason.
        message: String,
    },
    /// A kernel did not compile or its pipeline could not be made.
    #[error(
        "kernel '{kernel}' could not be built for this device: {message}; please report this with the \
         output of `legato devices`"
    )]
    Kernel {
        /// The kernel's name, as in `shaders/`.
        kernel: String,
        /// The compiler's message.
        message: String,
    },
    /// The device reported an error while it worked.
    #[error("the GPU reported an error: {message}")]
    Gpu {
        /// The driver's or the validation layer's message.
        message: String,
    },

    // ── the engine ────────────────────────────────────────────────────────────────────────────
    /// Shapes that do not fit an operation.
    #[error("{operation}: {message}")]
    Shape {
        /// The operation's name.
        operation: &'static str,
        /// The shapes at fault and what was expected.
        message: String,
    },
    /// A network description that makes no sense.
    #[error("network '{network}', layer {layer}: {message}")]
    Network {
        /// The network's name.
        network: String,
        /// 1-based layer number.
        layer: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The loss or the weights are no longer finite.
    #[error(
        "training diverged at step {step}: the loss is {loss}; lower --learning-rate, or look for bad pixels"
    )]
    Diverged {
        /// The step at which it was seen.
        step: u64,
        /// The loss there.
        loss: f64,
    },

    // ── files ─────────────────────────────────────────────────────────────────────────────────
    /// The file system refused.
    #[error("{path}: cannot {action}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: "read", "write", …
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A FITS file that cannot be read or does not hold what is needed.
    #[error("{path}{}: {message}", .hdu.as_ref().map(|h| format!("[{h}]")).unwrap_or_default())]
    Fits {
        /// The file.
        path: PathBuf,
        /// HDU number (0 is the primary) or name, where one is at fault.
        hdu: Option<String>,
        /// What is wrong and what was expected.
        message: String,
    },
    /// A weights file or checkpoint that cannot be used.
    #[error("{path}: {message}")]
    Weights {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what was expected.
        message: String,
    },
    /// A TOML file (survey, network, recipe) with a mistake in it.
    #[error("{path}: {message}")]
    Config {
        /// The file.
        path: PathBuf,
        /// The mistake, with its line where it is known.
        message: String,
    },
    /// A catalogue that cannot be read or written.
    #[error("{path}: {message}")]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },

    /// Some of the inputs could not be used; each has been reported on its own.
    #[error("{0}")]
    Incomplete(String),

    // ── the user ──────────────────────────────────────────────────────────────────────────────
    /// Arguments that parse but make no sense together.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// There is no driver for any adapter.
    pub fn no_driver() -> Self {
        Error::NoAdapter {
            wanted: "found".into(),
            found: "there is no Vulkan, Metal or DX12 driver here; on Debian or Ubuntu a software one comes with \
                    `apt-get install libvulkan1 mesa-vulkan-drivers` (scripts/setup.sh does that)"
                .into(),
        }
    }

    /// An [`Error::Io`] from a path, the action that failed and the system's answer.
    pub fn io(path: impl AsRef<Path>, action: &'static str, source: std::io::Error) -> Self {
        Error::Io { path: path.as_ref().to_owned(), action, source }
    }

    /// An [`Error::Fits`] about a whole file.
    pub fn fits(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Error::Fits { path: path.as_ref().to_owned(), hdu: None, message: message.into() }
    }

    /// An [`Error::Fits`] about one HDU of a file.
    pub fn fits_hdu(path: impl AsRef<Path>, hdu: impl ToString, message: impl Into<String>) -> Self {
        Error::Fits { path: path.as_ref().to_owned(), hdu: Some(hdu.to_string()), message: message.into() }
    }

    /// An [`Error::Weights`] about a weights file or checkpoint.
    pub fn weights(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Error::Weights { path: path.as_ref().to_owned(), message: message.into() }
    }

    /// An [`Error::Shape`] of an operation.
    pub fn shape(operation: &'static str, message: impl Into<String>) -> Self {
        Error::Shape { operation, message: message.into() }
    }
}
