//! The images that a measurement is of.

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Files as they are, folders as the FITS files in them.
pub fn expand(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in arguments {
        if !path.exists() && path.to_string_lossy().contains(['*', '?']) {
            return Err(Error::Usage(format!("no file matches {}", path.display())));
        }
        if !path.is_dir() {
            paths.push(path.clone());
            continue;
        }
        let failed = |e| Error::io(path, "list", e);
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.is_file() && is_fits(&file) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(Error::Usage(format!("{}: no FITS file in this folder", path.display())));
        }
        inside.sort();
        paths.extend(inside);
    }
    Ok(paths)
}

fn is_fits(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    [".fits", ".fit", ".fits.gz", ".fits.fz"].iter().any(|ending| name.ends_with(ending))
}
