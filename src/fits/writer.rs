//! Writing a data set, in the format of `dataset.rs`.

use super::dataset::DatasetMeta;
use super::raw::{Column, FitsFile};
use super::table::TRUTH_COLUMNS;
use crate::files::Pending;
use crate::sky::Truth;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Writes a data set in chunks; the file appears when it is finished, and not at all otherwise. Nothing of a chunk
/// stays in memory: the rows of truth gather in a file of their own, since their table stands behind the cube, and
/// are copied there at the end.
pub struct DatasetWriter {
    // Both are closed before the temporary folder goes.
    cube: FitsFile,
    rows: FitsFile,
    pending: Pending,
    path: PathBuf,
    stamp: usize,
    promised: usize,
    done: usize,
}

impl DatasetWriter {
    /// Starts a data set of `n` stamps of `height`×`width` pixels at `path`; an earlier file there is
    /// replaced when this one is finished.
    ///
    /// # Errors
    /// [`Error::Usage`] for no stamps or empty ones, [`Error::Io`] where `path` cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        meta: &DatasetMeta,
        n: usize,
        height: usize,
        width: usize,
    ) -> Result<Self> {
        let path = path.as_ref();
        if [n, height, width].contains(&0) {
            return Err(Error::Usage(format!("a data set needs stamps: {n} of {height}×{width} is none")));
        }
        // The cube's bytes; the table and both headers are smaller than a millionth of what an i64 counts.
        let bytes =
            [n, height, width, 4].iter().try_fold(1i64, |b, &k| b.checked_mul(i64::try_from(k).ok()?));
        if bytes.is_none() {
            return Err(Error::Usage(format!(
                "{n} stamps of {height}×{width} pixels are more than a file holds: make several sets"
            )));
        }
        let pending = Pending::new(path)?;
        let created = || {
            let mut cube = FitsFile::create(&pending.path())?;
            cube.add_image(&[width, height, n])?;
            meta.write(&mut cube)?;
            let mut rows = FitsFile::create(&pending.path().with_extension("truth"))?;
            let columns: Vec<Column> = TRUTH_COLUMNS
                .iter()
                .map(|c| Column {
                    name: c.name,
                    form: if c.name == "ID" { "1K" } else { "1D" },
                    unit: c.unit,
                })
                .collect();
            rows.add_table("TRUTH", &columns, n)?;
            Ok((cube, rows))
        };
        let (cube, rows) = created().map_err(|e| renamed(e, path))?;
        let (path, stamp) = (path.to_owned(), height * width);
        Ok(DatasetWriter { cube, rows, pending, path, stamp, promised: n, done: 0 })
    }

    /// Adds stamps, one after another in `pixels` (row-major, y up), and what is on each.
    ///
    /// # Errors
    /// [`Error::Usage`] where the pixels are not those of as many stamps as rows of truth, or of more
    /// than promised; [`Error::Fits`] where they cannot be written.
    pub fn append(&mut self, pixels: &[f32], truths: &[Truth]) -> Result<()> {
        if pixels.len() != truths.len() * self.stamp {
            return Err(Error::Usage(format!(
                "{} rows of truth need {} pixels, not {}",
                truths.len(),
                truths.len() * self.stamp,
                pixels.len()
            )));
        }
        let (first, end) = (self.done, self.done + truths.len());
        if end > self.promised {
            return Err(Error::Usage(format!(
                "the data set was started for {} stamps; {end} are too many",
                self.promised,
            )));
        }
        if truths.is_empty() {
            return Ok(());
        }
        let mut write = || {
            self.cube.write_pixels(first, pixels)?;
            self.rows.write_i64(0, first, &truths.iter().map(|t| t.id).collect::<Vec<_>>())?;
            for (i, column) in TRUTH_COLUMNS.iter().enumerate().skip(1) {
                self.rows.write_f64(i, first, &truths.iter().map(column.get).collect::<Vec<_>>())?;
            }
            Ok(())
        };
        write().map_err(|e| renamed(e, &self.path))?;
        self.done = end;
        Ok(())
    }

    /// Puts the table behind the cube and the file in its place.
    ///
    /// # Errors
    /// [`Error::Usage`] where stamps are missing; [`Error::Fits`] or [`Error::Io`] where the last of it
    /// cannot be written.
    pub fn finish(self) -> Result<()> {
        let DatasetWriter { mut cube, mut rows, pending, path, promised, done, .. } = self;
        if done != promised {
            return Err(Error::Usage(format!(
                "the data set was started for {promised} stamps and has {done}"
            )));
        }
        let copied = rows.append_to(&mut cube);
        drop(rows);
        copied.and_then(|()| cube.close()).map_err(|e| renamed(e, &path))?;
        pending.finish()
    }
}

/// An error about the temporary file told as one about the file that the user asked for.
pub(super) fn renamed(error: Error, target: &Path) -> Error {
    match error {
        Error::Fits { hdu, message, .. } => {
            // CFITSIO's words, but for those that are the temporary file's name.
            let words: Vec<&str> = message.split("; ").filter(|words| !words.contains("/.legato-")).collect();
            Error::Fits { path: target.to_owned(), hdu, message: words.join("; ") }
        }
        other => other,
    }
}
