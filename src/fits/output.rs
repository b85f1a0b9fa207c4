//! Files that appear whole or not at all: written in a temporary folder beside the target, then
//! renamed into place.

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// A file being written. Dropped unfinished, it leaves nothing.
pub(super) struct Pending {
    folder: tempfile::TempDir,
    target: PathBuf,
}

impl Pending {
    /// Prepares to write `target`, whose folder must exist and allow it.
    pub(super) fn new(target: &Path) -> Result<Self> {
        if target.is_dir() {
            let is_folder = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(Error::io(target, "write", is_folder));
        }
        if target.file_name().is_none() {
            return Err(Error::Usage(format!("'{}' is not the name of a file", target.display())));
        }
        let beside = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = tempfile::Builder::new()
            .prefix(".legato-")
            .tempdir_in(beside)
            .map_err(|e| Error::io(target, "write", e.kind().into()))?;
        Ok(Pending { folder, target: target.to_owned() })
    }

    /// Where to write meanwhile.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("unfinished")
    }

    /// Puts the finished file in its place, over an earlier one.
    pub(super) fn finish(self) -> Result<()> {
        std::fs::rename(self.path(), &self.target).map_err(|e| Error::io(&self.target, "write", e))
    }
}

/// Checks that a file can be written at `path`, before work whose result would be lost.
///
/// # Errors
/// [`Error::Io`] with the path and the system's reason.
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    Pending::new(path.as_ref()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.fits");
        let pending = Pending::new(&target).unwrap();
        std::fs::write(pending.path(), "half").unwrap();
        drop(pending);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let pending = Pending::new(&target).unwrap();
        std::fs::write(pending.path(), "whole").unwrap();
        pending.finish().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read_to_string(target).unwrap(), "whole");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_known_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_writable(folder.path().join("new.fits")).is_ok());
        assert!(check_writable(folder.path()).is_err());
        let error = check_writable(folder.path().join("absent/new.fits")).unwrap_err().to_string();
        assert!(error.contains("absent/new.fits: cannot write"), "{error}");
    }
}
