//! Locations from a catalogue of positions.

use super::field::{Location, Locations};
use crate::fits::{Mosaic, Place, PositionColumns, Positions};
use crate::{Error, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The rows of a catalogue of positions, as locations on a mosaic.
pub struct Catalogued {
    path: PathBuf,
    columns: PositionColumns,
    wcs: Option<crate::fits::Wcs>,
    total: u64,
    told: String,
    /// Rows from `next` on.
    positions: Positions,
    next: u64,
}

impl Catalogued {
    /// The catalogue at `path`, of galaxies on `mosaic`. Columns that are not named are guessed.
    ///
    /// # Errors
    /// As [`Positions::open`]; [`Error::Fits`] for positions on the sky where the mosaic has no projection.
    pub fn open(path: &Path, columns: &PositionColumns, mosaic: &Mosaic) -> Result<Self> {
        let wcs = mosaic.header().wcs.clone();
        let positions = Positions::open(path, columns, wcs.is_some())?;
        if positions.is_sky() && wcs.is_none() {
            let message = format!(
                "has no projection that is known, so that the places of {} ({}) cannot be found on it: give X and Y",
                path.display(),
                positions.columns()
            );
            return Err(Error::fits_hdu(mosaic.path(), mosaic.hdu(), message));
        }
        let (total, told) = (positions.total() as u64, positions.columns());
        Ok(Catalogued {
            path: path.to_owned(),
            columns: columns.clone(),
            wcs,
            total,
            told,
            positions,
            next: 0,
        })
    }

    /// Which columns are read, to be printed.
    pub fn columns(&self) -> &str {
        &self.told
    }

    fn locate(&self, id: String, place: Place) -> Location {
        let nan = f64::NAN;
        match place {
            Place::Pixel(x, y) => Location { id, x, y, ra: nan, dec: nan },
            Place::Sky(ra, dec) => {
                let (x, y) = self.wcs.as_ref().and_then(|wcs| wcs.pixel(ra, dec)).unwrap_or((nan, nan));
                Location { id, x, y, ra, dec }
            }
        }
    }
}

impl Locations for Catalogued {
    fn total(&self) -> u64 {
        self.total
    }

    fn read(&mut self, range: Range<u64>) -> Result<Vec<Location>> {
        if range.start != self.next {
            let positions = Positions::open(&self.path, &self.columns, self.wcs.is_some())?;
            self.positions = positions.rows(range.start as usize..self.total as usize)?;
        }
        self.next = range.end;
        let count = (range.end - range.start) as usize;
        let rows = self.positions.by_ref().take(count).collect::<Result<Vec<_>>>()?;
        Ok(rows.into_iter().map(|row| self.locate(row.id, row.place)).collect())
    }
}
