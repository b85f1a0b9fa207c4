//! Large files of gzip, which CFITSIO would unpack into memory, unpacked into a temporary file instead.

use crate::files::Scratch;
use crate::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Files that are no larger unpacked are left to CFITSIO, bytes.
const IN_MEMORY: u64 = 256 << 20;
/// What every file of gzip begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a file of gzip of more than 256 MiB into the system's folder for temporary files (`TMPDIR`). Returns the
/// temporary folder, which goes with the value, and the file in it; nothing for any other file.
///
/// # Errors
/// [`Error::Io`] where there is no room for it; [`Error::Fits`] for a file that is cut short or damaged.
pub(super) fn unpack(path: &Path) -> Result<Option<(Scratch, PathBuf)>> {
    unpack_beyond(path, IN_MEMORY)
}

fn unpack_beyond(path: &Path, limit: u64) -> Result<Option<(Scratch, PathBuf)>> {
    let failed = |e| Error::io(path, "read", e);
    let mut file = File::open(path).map_err(failed)?;
    if unpacked_length(&mut file).map_err(failed)?.is_none_or(|length| length <= limit) {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let parent = std::env::temp_dir();
    let full = |e| Error::io(&parent, "unpack a large file (set TMPDIR to a folder with room)", e);
    let folder = Scratch::new(&parent).map_err(full)?;
    let target = folder.path().join("unpacked.fits");
    let mut out = File::create(&target).map_err(full)?;
    let (mut stream, mut buffer) = (MultiGzDecoder::new(BufReader::new(file)), vec![0; 1 << 16]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => std::io::Write::write_all(&mut out, &buffer[..count]).map_err(full)?,
            Err(error) => return Err(Error::fits(path, format!("cannot be unpacked: {error}"))),
        }
    }
    Ok(Some((folder, target)))
}

/// About how long the contents of a file of gzip are: what its last four bytes say, modulo 2³², and no less than the
/// file itself. `None` for other files.
fn unpacked_length(file: &mut File) -> std::io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    let (mut first, mut last) = ([0; 2], [0; 4]);
    // A pipe has no length and cannot be gone back in.
    if length < 18 {
        return Ok(None);
    }
    file.read_exact(&mut first)?;
    if first != MAGIC {
        return Ok(None);
    }
    file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut last)?;
    Ok(Some(length.max(u32::from_le_bytes(last).into())))
}

#[cfg(test)]
mod tests {
    use super::super::image::first_image;
    use super::super::testing::{Hdu, write};
    use super::*;
    use std::io::Write;

    fn compress(path: &Path, bytes: &[u8]) {
        let mut stream =
            flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
        stream.write_all(bytes).unwrap();
        stream.finish().unwrap();
    }

    #[test]
    fn a_large_file_of_gzip_is_unpacked_beside_memory_and_the_copy_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, packed) = (folder.path().join("a.fits"), folder.path().join("a.fits.gz"));
        write(&plain, &[Hdu::floats(&[40, 30], &[2.5; 1200])]);
        let bytes = std::fs::read(&plain).unwrap();
        compress(&packed, &bytes);
        assert!(unpack_beyond(&packed, bytes.len() as u64).unwrap().is_none());
        assert!(unpack_beyond(&plain, 0).unwrap().is_none());
        let (scratch, file) = unpack_beyond(&packed, bytes.len() as u64 - 1).unwrap().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
        drop(scratch);
        assert!(!file.exists());
        // Small enough for memory: CFITSIO reads it itself.
        assert_eq!(first_image(&packed).unwrap().pixels[7], 2.5);
    }

    #[test]
    fn a_file_of_gzip_that_is_cut_short_names_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.fits.gz");
        compress(&path, &(0..60_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = unpack_beyond(&path, 0).err().unwrap().to_string();
        assert!(error.contains("cut.fits.gz: cannot be unpacked"), "{error}");
    }
}
