//! Tables of truth: the columns of [`Truth`], read from a FITS table or a CSV file.

use super::raw::FitsFile;
use crate::sky::Truth;
use crate::{Error, Result};
use std::path::Path;

/// One column of a truth table.
pub(super) struct TruthColumn {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) get: fn(&Truth) -> f64,
    set: fn(&mut Truth, f64),
}

/// The columns of a `TRUTH` table, in order; the first, `ID`, is an integer.
pub(super) const TRUTH_COLUMNS: [TruthColumn; 9] = [
    TruthColumn { name: "ID", unit: "", get: |t| t.id as f64, set: |t, v| t.id = v as i64 },
    TruthColumn { name: "MAG", unit: "mag", get: |t| t.mag, set: |t, v| t.mag = v },
    TruthColumn { name: "RE_MAJ", unit: "pixel", get: |t| t.re_maj, set: |t, v| t.re_maj = v },
    TruthColumn { name: "RE_CIRC", unit: "pixel", get: |t| t.re_circ, set: |t, v| t.re_circ = v },
    TruthColumn { name: "N", unit: "", get: |t| t.n, set: |t, v| t.n = v },
    TruthColumn { name: "Q", unit: "", get: |t| t.q, set: |t, v| t.q = v },
    TruthColumn { name: "PA", unit: "deg", get: |t| t.pa, set: |t, v| t.pa = v },
    TruthColumn { name: "X", unit: "pixel", get: |t| t.x, set: |t, v| t.x = v },
    TruthColumn { name: "Y", unit: "pixel", get: |t| t.y, set: |t, v| t.y = v },
];

const UNKNOWN: Truth = Truth {
    id: 0,
    mag: f64::NAN,
    re_maj: f64::NAN,
    re_circ: f64::NAN,
    n: f64::NAN,
    q: f64::NAN,
    pa: f64::NAN,
    x: f64::NAN,
    y: f64::NAN,
};

/// Whether the current HDU, a table, is a table of truth: by its name.
pub(super) fn is_truth(file: &mut FitsFile) -> Result<bool> {
    let cards = super::header::Cards::parse(&file.cards()?);
    Ok(cards.text("EXTNAME").is_some_and(|name| name.eq_ignore_ascii_case("TRUTH")))
}

/// All rows of the current HDU's table; every column must be there.
pub(super) fn read_truth_table(file: &mut FitsFile) -> Result<Vec<Truth>> {
    let rows = file.rows()?;
    let mut truths = Vec::new();
    for column in &TRUTH_COLUMNS {
        let Some(number) = file.column(column.name) else {
            let names: Vec<&str> = TRUTH_COLUMNS.iter().map(|c| c.name).collect();
            return Err(file.error(format!(
                "the table has no column {}; a table of truth has {}",
                column.name,
                names.join(" ")
            )));
        };
        if column.name == "ID" {
            truths = file.read_i64(number, rows)?.into_iter().map(|id| Truth { id, ..UNKNOWN }).collect();
        } else {
            for (truth, value) in truths.iter_mut().zip(file.read_f64(number, rows)?) {
                (column.set)(truth, value);
            }
        }
    }
    Ok(truths)
}

/// Reads a catalogue of truth: the columns of a `TRUTH` table from a CSV file (`.csv`, with a header
/// line; columns that are absent, but for `ID`, are NaN, and `RE_CIRC` follows from `RE_MAJ` and `Q`) or from the
/// first table of a FITS file that has them all.
///
/// # Errors
/// [`Error::Io`] where there is no such file, [`Error::Fits`] and [`Error::Catalogue`] for what cannot be
/// read, with the line or the column.
pub fn read_truth(path: impl AsRef<Path>) -> Result<Vec<Truth>> {
    let path = path.as_ref();
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
        return read_truth_csv(path);
    }
    let mut file = FitsFile::open(path)?;
    for hdu in 0..file.hdu_count()? {
        if !file.go_to(hdu)? {
            return read_truth_table(&mut file);
        }
    }
    Err(Error::fits(path, "no table in this file; a table of truth was expected"))
}

/// As [`read_truth`], for a cube of `stamps` stamps.
///
/// # Errors
/// As [`read_truth`]; [`Error::Catalogue`] where the catalogue has another number of rows.
pub fn read_truth_for(path: impl AsRef<Path>, stamps: usize) -> Result<Vec<Truth>> {
    let path = path.as_ref();
    let truths = read_truth(path)?;
    if truths.len() != stamps {
        return Err(catalogue(
            path,
            format!("{} rows for {stamps} stamps; they must be as many", truths.len()),
        ));
    }
    Ok(truths)
}

fn catalogue(path: &Path, message: String) -> Error {
    Error::Catalogue { path: path.to_owned(), message }
}

fn read_truth_csv(path: &Path) -> Result<Vec<Truth>> {
    let text = std::fs::File::open(path).map_err(|e| Error::io(path, "read", e))?;
    let broken = |e: csv::Error| catalogue(path, e.to_string());
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text);
    let names = reader.headers().map_err(broken)?.clone();
    let columns: Vec<(usize, &TruthColumn)> = TRUTH_COLUMNS
        .iter()
        .filter_map(|c| Some((names.iter().position(|n| n.eq_ignore_ascii_case(c.name))?, c)))
        .collect();
    if !columns.iter().any(|(_, c)| c.name == "ID") {
        return Err(catalogue(path, "the first line names no column ID".to_owned()));
    }
    let mut truths = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let mut truth = UNKNOWN;
        for &(i, column) in &columns {
            let field = record.get(i).unwrap_or("");
            let value = match field {
                "" => f64::NAN,
                _ => field.parse().map_err(|_| {
                    let line = record.position().map_or(0, csv::Position::line);
                    catalogue(path, format!("line {line}, column {}: '{field}' is not a number", column.name))
                })?,
            };
            (column.set)(&mut truth, value);
        }
        if truth.re_circ.is_nan() {
            truth.re_circ = truth.re_maj * truth.q.sqrt();
        }
        truths.push(truth);
    }
    Ok(truths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Result<Vec<Truth>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.csv");
        std::fs::write(&path, text).unwrap();
        read_truth_for(&path, 2)
    }

    #[test]
    fn a_csv_gives_what_it_has_and_the_circularised_radius() {
        let truths = csv("# made by hand\nid, Q, RE_MAJ, OTHER\n7, 0.25, 4, a\n8, , 3.5, b\n").unwrap();
        assert_eq!((truths[0].id, truths[0].re_maj, truths[0].re_circ), (7, 4.0, 2.0));
        assert!(truths[0].mag.is_nan() && truths[1].q.is_nan() && truths[1].re_circ.is_nan());
    }

    #[test]
    fn a_bad_csv_names_the_line_and_the_column() {
        let message = |text: &str| csv(text).unwrap_err().to_string();
        assert!(message("ID,MAG\n1,20\n2,bright\n").contains("line 3, column MAG: 'bright' is not a number"));
        assert!(message("MAG\n20\n21\n").contains("no column ID"));
        assert!(message("ID,MAG\n1,20\n").contains("1 rows for 2 stamps"));
        assert!(message("ID,MAG\n1\n").contains("truth.csv: "));
    }
}
