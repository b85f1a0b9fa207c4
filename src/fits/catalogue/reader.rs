//! A catalogue of ours read a few rows at a time.

use super::{Form, Provenance, Row, fits_table, parquet, text};
use crate::Result;
use std::path::Path;

/// Rows that are read at a time, of forms that leave the choice.
const CHUNK: usize = 4096;

/// A catalogue that [`super::CatalogueWriter`] wrote, in whichever form its ending says.
pub struct CatalogueReader(Table);

enum Table {
    Fits(fits_table::Reader),
    Text(text::Reader),
    Parquet(parquet::Reader),
}

impl CatalogueReader {
    /// Opens a catalogue.
    ///
    /// # Errors
    /// It cannot be read, or is no catalogue of ours.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(CatalogueReader(match Form::of(path) {
            Form::Fits => Table::Fits(fits_table::Reader::open(path)?),
            Form::Csv | Form::Ecsv => Table::Text(text::Reader::open(path)?),
            Form::Parquet => Table::Parquet(parquet::Reader::open(path)?),
        }))
    }

    /// Where it comes from; nothing of a plain CSV file.
    pub fn provenance(&self) -> &Provenance {
        match &self.0 {
            Table::Fits(table) => &table.provenance,
            Table::Text(table) => &table.provenance,
            Table::Parquet(table) => &table.provenance,
        }
    }

    /// The next rows; none after the last.
    ///
    /// # Errors
    /// A damaged file.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<Row>>> {
        match &mut self.0 {
            Table::Fits(table) => table.next_chunk(CHUNK),
            Table::Text(table) => table.next_chunk(CHUNK),
            Table::Parquet(table) => table.next_chunk(),
        }
    }
}
