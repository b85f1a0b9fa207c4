//! A catalogue written a few rows at a time.

use super::super::writer::renamed;
use super::{Form, Provenance, Row, fits_table, parquet, text};
use crate::files::Pending;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// What of a catalogue must be known before its first row is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CatalogueSize {
    /// Its rows.
    pub rows: usize,
    /// Bytes of the longest `ID`.
    pub id: usize,
    /// Bytes of the longest `FILE`.
    pub file: usize,
}

impl CatalogueSize {
    /// Of a catalogue that is in memory.
    pub fn of(rows: &[Row]) -> Self {
        let mut size = CatalogueSize::default();
        size.add(rows);
        size
    }

    /// Counts more rows.
    pub fn add(&mut self, rows: &[Row]) {
        self.rows += rows.len();
        for row in rows {
            // As many characters as bytes, since FITS takes ASCII alone.
            self.id = self.id.max(row.id.chars().count());
            self.file = self.file.max(row.file.chars().count());
        }
    }
}

/// A catalogue in the making. It appears when it is finished, and not at all otherwise; nothing of it stays in memory.
pub struct CatalogueWriter {
    // Closed before the temporary folder goes.
    table: Table,
    pending: Pending,
    path: PathBuf,
    promised: usize,
    done: usize,
}

enum Table {
    Fits(fits_table::Writer),
    Text(Box<text::Writer>),
    Parquet(Box<parquet::Writer>),
}

impl CatalogueWriter {
    /// Begins a catalogue at `path`, in the form that its ending says; see [`super::Catalogue::write`].
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Fits`] or [`Error::Catalogue`] where it cannot be written.
    pub fn create(path: &Path, size: &CatalogueSize, provenance: &Provenance) -> Result<Self> {
        let pending = Pending::new(path)?;
        let temporary = pending.path();
        let table = match Form::of(path) {
            Form::Fits => fits_table::Writer::create(&temporary, size, provenance).map(Table::Fits),
            Form::Csv => text::Writer::create(&temporary, None).map(|writer| Table::Text(Box::new(writer))),
            Form::Ecsv => {
                text::Writer::create(&temporary, Some(provenance)).map(|writer| Table::Text(Box::new(writer)))
            }
            Form::Parquet => {
                parquet::Writer::create(&temporary, provenance).map(|writer| Table::Parquet(Box::new(writer)))
            }
        };
        let table = table.map_err(|e| told_of(e, path))?;
        Ok(CatalogueWriter { table, pending, path: path.to_owned(), promised: size.rows, done: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// More rows than promised, or a disk that does not take them.
    pub fn append(&mut self, rows: &[Row]) -> Result<()> {
        let first = self.done;
        self.done += rows.len();
        if self.done > self.promised {
            return Err(self.miscounted());
        }
        if rows.is_empty() {
            return Ok(());
        }
        let written = match &mut self.table {
            Table::Fits(table) => table.append(first, rows),
            Table::Text(table) => table.append(rows),
            Table::Parquet(table) => table.append(rows),
        };
        written.map_err(|e| told_of(e, &self.path))
    }

    /// Puts the finished catalogue in its place.
    ///
    /// # Errors
    /// Fewer rows than promised, or a disk that does not take it.
    pub fn finish(self) -> Result<()> {
        if self.done != self.promised {
            return Err(self.miscounted());
        }
        let CatalogueWriter { table, pending, path, .. } = self;
        let closed = match table {
            Table::Fits(table) => table.finish(),
            Table::Text(table) => table.finish(),
            Table::Parquet(table) => table.finish(),
        };
        closed.map_err(|e| told_of(e, &path))?;
        pending.finish()
    }

    fn miscounted(&self) -> Error {
        let message = format!("was begun for {} rows and has {}", self.promised, self.done);
        Error::Catalogue { path: self.path.clone(), message }
    }
}

/// An error about the temporary file told as one about the file that the user asked for.
fn told_of(error: Error, target: &Path) -> Error {
    match error {
        Error::Io { action, source, .. } => Error::io(target, action, source),
        Error::Catalogue { message, .. } => Error::Catalogue { path: target.to_owned(), message },
        other => renamed(other, target),
    }
}
