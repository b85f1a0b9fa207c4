//! Columns of a table that someone else has made, FITS or CSV: found by their names in whatever case and order.

use super::raw::FitsFile;
use crate::{Error, Result};
use std::path::Path;

/// Whether a file is taken for CSV: by its name.
pub(super) fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"))
}

/// Opens a FITS file at its table called `name`, else at its first one.
///
/// # Errors
/// As [`FitsFile::open`]; [`Error::Fits`] for a file without a table.
pub(super) fn open_table(path: &Path, name: &str) -> Result<FitsFile> {
    let mut file = FitsFile::open(path)?;
    let mut first = None;
    for hdu in 0..file.hdu_count()? {
        if file.go_to(hdu)? {
            continue;
        }
        if file.is_named(name)? {
            return Ok(file);
        }
        first = first.or(Some(hdu));
    }
    match first {
        Some(hdu) => file.go_to(hdu).map(|_| file),
        None => Err(Error::fits(path, "no table in this file; one was expected")),
    }
}

/// Goes through the fields of a CSV file, whose first line names its columns and whose lines that begin with # are
/// skipped. Every field of a column in `names` is given to `take` with its row and the index of its name; `None` says
/// that it is not what the column holds. Returns which columns there are and the number of rows.
///
/// # Errors
/// [`Error::Io`] where there is no such file, [`Error::Catalogue`] with the line and the column of a field at fault.
pub(super) fn read_csv(
    path: &Path,
    names: &[&str],
    mut take: impl FnMut(usize, usize, &str) -> Option<()>,
) -> Result<(Vec<bool>, usize)> {
    let text = std::fs::File::open(path).map_err(|e| Error::io(path, "read", e))?;
    let broken = |e: csv::Error| catalogue(path, e.to_string());
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text);
    let header = reader.headers().map_err(broken)?.clone();
    let places: Vec<Option<usize>> =
        names.iter().map(|name| header.iter().position(|h| h.eq_ignore_ascii_case(name))).collect();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(broken)?;
        for (name, place) in places.iter().enumerate() {
            let Some(field) = place.map(|place| record.get(place).unwrap_or("")) else { continue };
            if take(rows, name, field).is_none() {
                let line = record.position().map_or(0, csv::Position::line);
                let what = format!("line {line}, column {}: '{field}' is not a number", names[name]);
                return Err(catalogue(path, what));
            }
        }
        rows += 1;
    }
    Ok((places.iter().map(Option::is_some).collect(), rows))
}

/// A number of a CSV file; NaN for an empty field.
pub(super) fn number(field: &str) -> Option<f64> {
    if field.is_empty() { Some(f64::NAN) } else { field.parse().ok() }
}

/// Columns of numbers, one after another in the order of `names`, from a CSV file or the first table of a FITS file.
///
/// # Errors
/// As [`open_table`] and [`read_csv`]; [`Error::Fits`] and [`Error::Catalogue`] for a column that is not there.
pub(super) fn read_columns(path: &Path, names: &[&str]) -> Result<Vec<Vec<f64>>> {
    if is_csv(path) {
        let mut columns = vec![Vec::new(); names.len()];
        let (there, _) = read_csv(path, names, |_, name, field| {
            columns[name].push(number(field)?);
            Some(())
        })?;
        return match there.iter().position(|there| !there) {
            None => Ok(columns),
            Some(absent) => Err(catalogue(path, format!("the first line names no column {}", names[absent]))),
        };
    }
    let mut file = open_table(path, "")?;
    let rows = file.rows()?;
    let mut column = |name: &&str| match file.column(name) {
        Some(number) => file.read_f64(number, rows),
        None => Err(file.error(format!("the table has no column {name}"))),
    };
    names.iter().map(&mut column).collect()
}

pub(super) fn catalogue(path: &Path, message: String) -> Error {
    Error::Catalogue { path: path.to_owned(), message }
}
