//! The file of a tuning: one for each adapter and driver, in TOML.

use super::choice::{Pass, Rung, Tile, Weights};
use super::tuning::Identity;
use crate::{Error, Result, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The fastest kernel for a pass of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The layer.
    #[serde(flatten)]
    pub weights: Weights,
    /// Forward or back.
    pub pass: Pass,
    /// Pixels or examples of the batch that it was measured with.
    pub rows: usize,
    /// The kernel.
    pub rung: Rung,
    /// Its tile, where the rung has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tile: Option<Tile>,
    /// How fast it was, in 10⁹ floating-point operations a second.
    pub gflops: f64,
}

#[derive(Serialize, Deserialize)]
struct File {
    program: String,
    adapter: String,
    backend: String,
    driver: String,
    #[serde(default)]
    kernels: Vec<Measured>,
}

/// Of a file that may be of another program's version, and then of another form.
#[derive(Deserialize)]
struct Head {
    program: String,
    adapter: String,
    backend: String,
    driver: String,
}

const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// The folder of tunings: `$LEGATO_TUNING` (empty: there is none), else `legato` in the user's folder for caches.
pub fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if std::env::var_os("LEGATO_TUNING").is_some() {
        return variable("LEGATO_TUNING");
    }
    // The XDG specification has relative paths ignored.
    let caches = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| {
        if cfg!(windows) {
            variable("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            Some(variable("HOME")?.join("Library/Caches"))
        } else {
            Some(variable("HOME")?.join(".cache"))
        }
    });
    Some(caches?.join("legato"))
}

/// The file of an adapter and driver.
pub(super) fn path(folder: &Path, identity: &Identity) -> PathBuf {
    let whole = format!("{} {} {}", identity.adapter, identity.backend, identity.driver);
    let words = whole.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.collect::<Vec<_>>().join("-").to_lowercase().chars().take(100).collect();
    // Names that differ only in what is left out here keep apart by their checksum.
    folder.join(format!("kernels-{name}-{:08x}.toml", crc32c::crc32c(whole.as_bytes())))
}

/// What a file holds; `None` where there is none, or it is of another adapter, driver or version of the program.
pub(super) fn read(file: &Path, identity: &Identity) -> Result<Option<Vec<Measured>>> {
    let damaged = |message: String| Error::Config { path: file.to_owned(), message };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(file, "read", e)),
    };
    let head: Head = toml::from_str(&text).map_err(|e| damaged(e.message().to_owned()))?;
    let Identity { adapter, backend, driver, .. } = identity;
    if head.program != PROGRAM || [&head.adapter, &head.backend, &head.driver] != [adapter, backend, driver] {
        return Ok(None);
    }
    let File { kernels, .. } = toml::from_str(&text).map_err(|e| damaged(e.message().to_owned()))?;
    match kernels.iter().find(|m| m.rows == 0 || m.tile.is_some_and(|tile| !tile.is_sound())) {
        Some(wrong) => Err(damaged(format!("no kernel has these rows or this tile: {wrong:?}"))),
        None => Ok(Some(kernels)),
    }
}

/// Writes a file over an earlier one.
pub(super) fn write(file: &Path, identity: &Identity, measured: &[Measured]) -> Result<()> {
    let Identity { adapter, backend, driver, .. } = identity.clone();
    let contents = File { program: PROGRAM.to_owned(), adapter, backend, driver, kernels: measured.to_vec() };
    let text = toml::to_string(&contents)
        .map_err(|e| Error::Config { path: file.to_owned(), message: e.to_string() })?;
    let heading = "# The fastest kernels, as `legato devices --tune` measured them; without this file they are chosen by default.\n";
    if let Some(folder) = file.parent() {
        files::make_folder(folder)?;
    }
    files::replace(file, format!("{heading}{text}").as_bytes())
}
