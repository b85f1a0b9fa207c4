//! Writing a data set, in the format of `dataset.rs`.

use super::dataset::DatasetMeta;
use super::raw::{Column, FitsFile};
use super::table::TRUTH_COLUMNS;
use crate::files::Pending;
use crate::sky::Truth;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Writes a data set in chunks; the file appears when it is finished, and not at all otherwise.
pub struct DatasetWriter {
    // Closed before the temporary folder goes.
    file: FitsFile,
    pending: Pending,
    path: PathBuf,
    stamp: usize,
    promised: usize,
    truths: Vec<Truth>,
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
        let bytes =
            [n, height, width, 4].iter().try_fold(1i64, |b, &k| b.checked_mul(i64::try_from(k).ok()?));
        let mut truths = Vec::new();
        if bytes.is_none() || truths.try_reserve_exact(n).is_err() {
            return Err(Error::Usage(format!(
                "{n} stamps of {height}×{width} pixels are more than a file or the memory holds: make several sets"
            )));
        }
        let pending = Pending::new(path)?;
        let named = |e| renamed(e, path);
        let mut file = FitsFile::create(&pending.path()).map_err(named)?;
        file.add_image(&[width, height, n]).map_err(named)?;
        meta.write(&mut file).map_err(named)?;
        Ok(DatasetWriter { file, pending, path: path.to_owned(), stamp: height * width, promised: n, truths })
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
        let done = self.truths.len();
        if done + truths.len() > self.promised {
            return Err(Error::Usage(format!(
                "the data set was started for {} stamps; {} are too many",
                self.promised,
                done + truths.len()
            )));
        }
        if !truths.is_empty() {
            self.file.write_pixels(done, pixels).map_err(|e| renamed(e, &self.path))?;
            self.truths.extend_from_slice(truths);
        }
        Ok(())
    }

    /// Writes the table and puts the file in its place.
    ///
    /// # Errors
    /// [`Error::Usage`] where stamps are missing; [`Error::Fits`] or [`Error::Io`] where the last of it
    /// cannot be written.
    pub fn finish(self) -> Result<()> {
        let DatasetWriter { mut file, pending, path, promised, truths, .. } = self;
        if truths.len() != promised {
            return Err(Error::Usage(format!(
                "the data set was started for {promised} stamps and has {}",
                truths.len()
            )));
        }
        let columns: Vec<Column> = TRUTH_COLUMNS
            .iter()
            .map(|c| Column { name: c.name, form: if c.name == "ID" { "1K" } else { "1D" }, unit: c.unit })
            .collect();
        let written = file.add_table("TRUTH", &columns, truths.len()).and_then(|()| {
            file.write_i64(0, &truths.iter().map(|t| t.id).collect::<Vec<_>>())?;
            for (i, column) in TRUTH_COLUMNS.iter().enumerate().skip(1) {
                file.write_f64(i, &truths.iter().map(column.get).collect::<Vec<_>>())?;
            }
            Ok(())
        });
        written.and_then(|()| file.close()).map_err(|e| renamed(e, &path))?;
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
