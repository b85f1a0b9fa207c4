//! Files that appear whole or not at all: written in a temporary folder beside the target, then renamed into its place.
//! Those folders are known here, so that an interrupted process can take them away.

use crate::{Error, Result};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The temporary folders there are now.
static SCRATCH: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn scratch() -> MutexGuard<'static, Vec<PathBuf>> {
    // A list of paths is whole whatever a thread that held it did.
    SCRATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes whatever is unfinished, for a process that is about to end in the midst of it. From here on no other thread
/// can begin a temporary folder or put one into its place: it waits for the end.
pub fn remove_unfinished() {
    const TRIES: usize = 10;
    let mut folders = scratch();
    for folder in folders.drain(..) {
        // More than once, where another thread is just writing to it.
        let gone = |_: &usize| std::fs::remove_dir_all(&folder).is_ok() || !folder.exists();
        (0..TRIES).find(gone);
    }
    std::mem::forget(folders);
}

/// What the names of temporary folders begin with.
const PREFIX: &str = ".legato-";

/// Removes the temporary folders that a process which was killed has left in `folder`, where no other can be at work.
/// One that cannot be removed stays.
pub fn remove_left_behind(folder: &Path) {
    let folders = scratch();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours
            && !folders.contains(&entry.path())
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            log::info!("{} stays: {error}", entry.path().display());
        }
    }
}

/// A temporary folder, gone with the value and with an interrupted process.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Inside `parent`, so that what is made in it can be renamed to a place there.
    ///
    /// # Errors
    /// The system's, where `parent` is not a folder that can be written.
    pub fn new(parent: &Path) -> io::Result<Self> {
        let mut folders = scratch();
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        folders.push(folder.path().to_owned());
        Ok(Scratch(folder))
    }

    /// Runs what puts the finished contents into their place, as one step that an interrupt comes before or after.
    pub fn settle<R>(&self, renames: impl FnOnce() -> R) -> R {
        let _held = scratch();
        renames()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        scratch().retain(|folder| folder != self.0.path());
    }
}

/// A file being written. Dropped unfinished, it leaves nothing.
pub struct Pending {
    folder: Scratch,
    target: PathBuf,
}

impl Pending {
    /// Prepares to write `target`. Its folder must exist; what stands in its place must be an ordinary file, or a
    /// link to one, which is then followed.
    ///
    /// # Errors
    /// [`Error::Io`] with the path and the reason, [`Error::Usage`] for a name like `..`.
    pub fn new(target: &Path) -> Result<Self> {
        if target.file_name().is_none() && !target.is_dir() {
            return Err(Error::Usage(format!("'{}' is not the name of a file", target.display())));
        }
        let refused = |kind, why: String| Err(Error::io(target, "write", io::Error::new(kind, why)));
        match std::fs::metadata(target) {
            Ok(there) if there.is_dir() => {
                return refused(ErrorKind::IsADirectory, "it is a folder: give the name of a file".into());
            }
            // A device would be replaced, not written to.
            Ok(there) if !there.is_file() => {
                return refused(ErrorKind::Other, "it is not an ordinary file: give another name".into());
            }
            _ => (),
        }
        let target = if target.is_symlink() {
            std::fs::canonicalize(target).map_err(|e| Error::io(target, "follow the link", e))?
        } else {
            target.to_owned()
        };
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !parent.exists() {
            let why = format!("there is no folder {}: make it first", parent.display());
            return Err(Error::io(&target, "write", io::Error::new(ErrorKind::NotFound, why)));
        }
        // The system's words without tempfile's, which name the temporary folder.
        let folder = Scratch::new(parent).map_err(|e| Error::io(&target, "write", e.kind().into()))?;
        Ok(Pending { folder, target })
    }

    /// Where to write meanwhile.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("unfinished")
    }

    /// Puts the finished file in its place, over an earlier one, once all of it is on disk.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk or the folder does not take it.
    pub fn finish(self) -> Result<()> {
        let synced = std::fs::OpenOptions::new().write(true).open(self.path()).and_then(|f| f.sync_all());
        synced
            .and_then(|()| self.folder.settle(|| std::fs::rename(self.path(), &self.target)))
            .map_err(|e| Error::io(&self.target, "write", e))
    }
}

/// Checks that a file can be written at `path`, before work whose result would be lost.
///
/// # Errors
/// As [`Pending::new`].
pub fn check_writable(path: &Path) -> Result<()> {
    Pending::new(path).map(drop)
}

/// Writes `bytes` to `path`, replacing what was there only once all of them are on disk.
///
/// # Errors
/// As [`Pending::new`] and [`Pending::finish`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let pending = Pending::new(path)?;
    std::fs::write(pending.path(), bytes).map_err(|e| Error::io(path, "write", e))?;
    pending.finish()
}

/// Makes a folder and those above it, where they are not there yet.
///
/// # Errors
/// [`Error::Io`], also where a file stands in its place.
pub fn make_folder(path: &Path) -> Result<()> {
    let failed = |e| Error::io(path, "make this folder", e);
    if path.exists() && !path.is_dir() {
        return Err(failed(io::Error::new(
            ErrorKind::NotADirectory,
            "it is a file: give the name of a folder",
        )));
    }
    std::fs::create_dir_all(path).map_err(failed)
}

/// Reads a whole file.
///
/// # Errors
/// It is not there or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::io(path, "read", e))
}

/// What tells a file from others: its name, its length and a checksum of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    name: String,
    bytes: u64,
    sum: u32,
}

impl Checksum {
    /// Of a file, which is read through. The name may select a part of it, as in `mosaic.fits[SCI]`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let mut checksum = Self::of_all([path])?;
        checksum.name = format!("{}, ", path.display());
        Ok(checksum)
    }

    /// Of bytes in memory, without a name.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Checksum { name: String::new(), bytes: bytes.len() as u64, sum: crc32c::crc32c(bytes) }
    }

    /// Of several files one after another, without their names.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn of_all(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut checksum = Checksum { name: String::new(), bytes: 0, sum: 0 };
        let mut buffer = vec![0; 1 << 20];
        for path in paths {
            let (path, _) = split_selection(path.as_ref());
            let failed = |e| Error::io(&path, "read", e);
            let mut file = std::fs::File::open(&path).map_err(failed)?;
            loop {
                let n = file.read(&mut buffer).map_err(failed)?;
                if n == 0 {
                    break;
                }
                checksum.bytes += n as u64;
                checksum.sum = crc32c::crc32c_append(checksum.sum, &buffer[..n]);
            }
        }
        Ok(checksum)
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{} bytes, CRC-32C {:08x}", self.name, self.bytes, self.sum)
    }
}

/// `file[part]` as the file and the part, unless a file of that whole name exists.
pub fn split_selection(path: &Path) -> (PathBuf, Option<String>) {
    if !path.exists()
        && let Some(text) = path.to_str()
        && let Some((file, wanted)) = text.strip_suffix(']').and_then(|t| t.rsplit_once('['))
        && !file.is_empty()
    {
        return (PathBuf::from(file), Some(wanted.trim().to_owned()));
    }
    (path.to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_of_all_bytes_and_none_of_the_names() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        std::fs::write(&one, "1234").unwrap();
        std::fs::write(&two, "56789").unwrap();
        // The check value of CRC-32C (RFC 3720 and others) is that of these nine digits.
        let all = Checksum::of_all([&one, &two]).unwrap();
        assert_eq!(all.to_string(), "9 bytes, CRC-32C e3069283");
        let part = Checksum::of(&folder.path().join("one[SCI]")).unwrap().to_string();
        assert!(part.contains("one[SCI], 4 bytes"), "{part}");
        assert!(
            Checksum::of(&folder.path().join("three"))
                .unwrap_err()
                .to_string()
                .contains("three: cannot read")
        );
    }

    fn entries(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.fits");
        let pending = Pending::new(&target).unwrap();
        std::fs::write(pending.path(), "half").unwrap();
        drop(pending);
        assert_eq!(entries(folder.path()), 0);
        replace(&target, b"whole").unwrap();
        assert_eq!(entries(folder.path()), 1);
        assert_eq!(std::fs::read_to_string(target).unwrap(), "whole");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_known_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path| check_writable(path).unwrap_err().to_string();
        assert!(check_writable(&folder.path().join("new.fits")).is_ok());
        assert!(message(folder.path()).contains("cannot write: it is a folder"));
        let absent = message(&folder.path().join("absent/new.fits"));
        assert!(absent.contains("absent/new.fits: cannot write: there is no folder"), "{absent}");
        assert!(absent.ends_with("absent: make it first"), "{absent}");
    }

    #[cfg(unix)]
    #[test]
    fn only_ordinary_files_are_replaced_and_links_followed() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let error = replace(&socket, b"x").unwrap_err().to_string();
        assert!(error.contains("socket: cannot write: it is not an ordinary file"), "{error}");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(file).unwrap(), "new");
    }
}
