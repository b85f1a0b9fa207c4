//! Tables of truth: the columns of [`Truth`], read from a FITS table or a CSV file, and written with places on the sky.

use super::columns::{catalogue, is_csv, number, open_table, read_csv};
use super::raw::{Column, FitsFile};
use super::wcs::Wcs;
use super::writer::renamed;
use crate::files::Pending;
use crate::sky::Truth;
use crate::{Error, Result};
use std::path::Path;

/// One column of a truth table.
pub(super) struct TruthColumn {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) get: fn(&Truth) -> f64,
    set: fn(&mut Truth, f64),
    needed: bool,
}

/// A column that a table of truth must have.
const fn needed(
    name: &'static str,
    unit: &'static str,
    get: fn(&Truth) -> f64,
    set: fn(&mut Truth, f64),
) -> TruthColumn {
    TruthColumn { name, unit, get, set, needed: true }
}

/// A column that it may lack.
const fn optional(
    name: &'static str,
    unit: &'static str,
    get: fn(&Truth) -> f64,
    set: fn(&mut Truth, f64),
) -> TruthColumn {
    TruthColumn { name, unit, get, set, needed: false }
}

/// The columns of a `TRUTH` table, in order; the first, `ID`, is an integer.
pub(super) const TRUTH_COLUMNS: [TruthColumn; 15] = [
    optional("ID", "", |t| t.id as f64, |t, v| t.id = v as i64),
    needed("MAG", "mag", |t| t.mag, |t, v| t.mag = v),
    needed("RE_MAJ", "pixel", |t| t.re_maj, |t, v| t.re_maj = v),
    optional("RE_CIRC", "pixel", |t| t.re_circ, |t, v| t.re_circ = v),
    needed("N", "", |t| t.n, |t, v| t.n = v),
    needed("Q", "", |t| t.q, |t, v| t.q = v),
    needed("PA", "deg", |t| t.pa, |t, v| t.pa = v),
    needed("X", "pixel", |t| t.x, |t, v| t.x = v),
    needed("Y", "pixel", |t| t.y, |t, v| t.y = v),
    optional("PSF", "", |t| from_count(t.psf), |t, v| t.psf = count(v)),
    optional("LOPSIDED", "", |t| or_nan(t.lopsided), |t, v| t.lopsided = known(v)),
    optional("SECOND", "", |t| or_nan(t.second), |t, v| t.second = known(v)),
    optional("N_COMP", "", |t| from_count(t.companions), |t, v| t.companions = count(v)),
    optional("COMP_RATIO", "", |t| or_nan(t.companion_ratio), |t, v| t.companion_ratio = known(v)),
    optional("COMP_DIST", "pixel", |t| or_nan(t.companion_distance), |t, v| t.companion_distance = known(v)),
];

fn or_nan(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

fn known(value: f64) -> Option<f64> {
    Some(value).filter(|v| !v.is_nan())
}

fn from_count(value: Option<u32>) -> f64 {
    value.map_or(f64::NAN, f64::from)
}

fn count(value: f64) -> Option<u32> {
    Some(value as u32).filter(|v| f64::from(*v) == value)
}

/// Whether the current HDU, a table, is a table of truth: by its name.
pub(super) fn is_truth(file: &mut FitsFile) -> Result<bool> {
    file.is_named("TRUTH")
}

/// All rows of the current HDU's table, whatever the order and the number type of its columns. `ID` is the row counted
/// from 0 and `RE_CIRC` follows from `RE_MAJ` and `Q` where they are not there; what the scene held is not known then.
pub(super) fn read_truth_table(file: &mut FitsFile) -> Result<Vec<Truth>> {
    let rows = file.rows()?;
    let places: Vec<Option<usize>> = TRUTH_COLUMNS.iter().map(|c| file.column(c.name)).collect();
    let lacking = TRUTH_COLUMNS.iter().zip(&places).find(|(column, place)| column.needed && place.is_none());
    if let Some((column, _)) = lacking {
        let names: Vec<&str> = TRUTH_COLUMNS.iter().filter(|c| c.needed).map(|c| c.name).collect();
        return Err(file.error(format!(
            "the table has no column {}; a table of truth has {}",
            column.name,
            names.join(" ")
        )));
    }
    let mut truths = Vec::new();
    for (column, place) in TRUTH_COLUMNS.iter().zip(places) {
        match place {
            Some(place) if column.name == "ID" => {
                let ids = file.read_i64(place, rows)?;
                truths = ids.into_iter().map(|id| Truth { id, ..Truth::default() }).collect();
            }
            Some(place) => {
                let values = file.read_f64(place, rows)?;
                if truths.is_empty() {
                    truths = (0..rows as i64).map(|id| Truth { id, ..Truth::default() }).collect();
                }
                for (truth, value) in truths.iter_mut().zip(values) {
                    (column.set)(truth, value);
                }
            }
            None => (),
        }
    }
    truths.iter_mut().for_each(derive);
    Ok(truths)
}

/// Fills in what follows from the rest.
fn derive(truth: &mut Truth) {
    if truth.re_circ.is_nan() {
        truth.re_circ = truth.re_maj * truth.q.sqrt();
    }
}

/// Reads a catalogue of truth: the columns of a `TRUTH` table, in any order and case, from a CSV file (`.csv`, with a
/// header line) or from a FITS file, whose HDU `TRUTH` is taken or else its first table. A FITS table must have `MAG
/// RE_MAJ N Q PA X Y`; in a CSV file columns that are absent are NaN. `ID` defaults to the row, counted from 0, and
/// `RE_CIRC` follows from `RE_MAJ` and `Q`.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) where there is no such file, [`Error::Fits`](crate::Error::Fits) and
/// [`Error::Catalogue`](crate::Error::Catalogue) for what cannot be read, with the line or the column.
pub fn read_truth(path: impl AsRef<Path>) -> Result<Vec<Truth>> {
    let path = path.as_ref();
    if is_csv(path) { read_truth_csv(path) } else { read_truth_table(&mut open_table(path, "TRUTH")?) }
}

/// As [`read_truth`], for a cube of `stamps` stamps.
///
/// # Errors
/// As [`read_truth`]; [`Error::Catalogue`](crate::Error::Catalogue) where the catalogue has another number of rows.
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

/// Writes a catalogue of galaxies on one image, whose centres are FITS pixels of it: `ID RA DEC` (degrees, by the image's
/// WCS) and the other columns of a `TRUTH` table. CSV where the path ends so, else a FITS file with the table `TRUTH`. The
/// file appears whole or not at all; an earlier one is replaced.
///
/// # Errors
/// [`Error::Io`], [`Error::Fits`] or [`Error::Catalogue`] where it cannot be written.
pub fn write_truth(path: impl AsRef<Path>, truths: &[Truth], wcs: &Wcs) -> Result<()> {
    let path = path.as_ref();
    let sky: Vec<(f64, f64)> = truths.iter().map(|t| wcs.sky(t.x, t.y)).collect();
    let pending = Pending::new(path)?;
    if is_csv(path) {
        let text = truth_csv(truths, &sky).map_err(|e| catalogue(path, e.to_string()))?;
        std::fs::write(pending.path(), text).map_err(|e| Error::io(path, "write", e))?;
    } else {
        write_truth_table(&pending.path(), truths, &sky).map_err(|e| renamed(e, path))?;
    }
    pending.finish()
}

fn write_truth_table(path: &Path, truths: &[Truth], sky: &[(f64, f64)]) -> Result<()> {
    let form = |name| if name == "ID" { "1K" } else { "1D" };
    let truth = TRUTH_COLUMNS.iter().map(|c| Column { name: c.name, form: form(c.name), unit: c.unit });
    let place = ["RA", "DEC"].map(|name| Column { name, form: "1D", unit: "deg" });
    let mut columns: Vec<Column> = truth.collect();
    columns.splice(1..1, place);
    let mut file = FitsFile::create(path)?;
    file.add_image(&[])?;
    file.add_table("TRUTH", &columns, truths.len())?;
    file.write_i64(0, 0, &truths.iter().map(|t| t.id).collect::<Vec<_>>())?;
    file.write_f64(1, 0, &sky.iter().map(|place| place.0).collect::<Vec<_>>())?;
    file.write_f64(2, 0, &sky.iter().map(|place| place.1).collect::<Vec<_>>())?;
    for (i, column) in TRUTH_COLUMNS.iter().enumerate().skip(1) {
        file.write_f64(i + 2, 0, &truths.iter().map(column.get).collect::<Vec<_>>())?;
    }
    file.close()
}

/// Every digit of every number; empty where there is none.
fn truth_csv(truths: &[Truth], sky: &[(f64, f64)]) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let (_, others) = TRUTH_COLUMNS.split_at(1);
    writer.write_record(["ID", "RA", "DEC"].into_iter().chain(others.iter().map(|c| c.name)))?;
    let number = |value: f64| if value.is_nan() { String::new() } else { value.to_string() };
    for (truth, place) in truths.iter().zip(sky) {
        let first = [truth.id.to_string(), number(place.0), number(place.1)];
        writer.write_record(first.into_iter().chain(others.iter().map(|c| number((c.get)(truth)))))?;
    }
    Ok(writer.into_inner().map_err(|e| e.into_error())?)
}

fn read_truth_csv(path: &Path) -> Result<Vec<Truth>> {
    let names = TRUTH_COLUMNS.map(|c| c.name);
    let mut truths: Vec<Truth> = Vec::new();
    let (there, _) = read_csv(path, &names, |row, column, field| {
        if truths.len() == row {
            truths.push(Truth { id: row as i64, ..Truth::default() });
        }
        // Identifiers may have more digits than a float holds.
        match (names[column], field.parse()) {
            ("ID", Ok(id)) => truths[row].id = id,
            _ => (TRUTH_COLUMNS[column].set)(&mut truths[row], number(field)?),
        }
        Some(())
    })?;
    if !there.contains(&true) {
        let what = format!("the first line names no column of a table of truth: {}", names.join(" "));
        return Err(catalogue(path, what));
    }
    truths.iter_mut().for_each(derive);
    Ok(truths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_lies_where_the_image_says() {
        let folder = tempfile::tempdir().unwrap();
        let wcs = Wcs::upright((150.1, 2.2), (500.5, 500.5), 0.06);
        let galaxy = |id: i64| Truth {
            id,
            mag: 20.123456789,
            re_maj: 4.0,
            re_circ: 2.0,
            n: 0.1 + 0.2,
            q: 0.25,
            pa: -30.0,
            x: 100.0 + id as f64 / 3.0,
            y: 900.25,
            companions: Some(2),
            ..Truth::default()
        };
        let truths = [galaxy(0), galaxy(7)];
        for name in ["truth.fits", "truth.csv"] {
            let path = folder.path().join(name);
            write_truth(&path, &[], &wcs).unwrap();
            write_truth(&path, &truths, &wcs).unwrap();
            assert_eq!(read_truth(&path).unwrap(), truths, "{name}");
            let places = super::super::columns::read_columns(&path, &["RA", "DEC"]).unwrap();
            for (i, truth) in truths.iter().enumerate() {
                assert_eq!((places[0][i], places[1][i]), wcs.sky(truth.x, truth.y));
            }
        }
    }

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
    fn rows_without_an_identifier_are_counted_and_long_ones_keep_their_digits() {
        let truths = csv("MAG, n_comp\n20, 3\n21,\n").unwrap();
        assert_eq!(
            truths.iter().map(|t| (t.id, t.companions)).collect::<Vec<_>>(),
            [(0, Some(3)), (1, None)]
        );
        let id = i64::MAX - 1;
        assert_eq!(csv(&format!("MAG,ID\n20,{id}\n21,5\n")).unwrap()[0].id, id);
    }

    #[test]
    fn a_fits_table_made_elsewhere_is_read_whatever_its_order_case_and_number_types() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.fits");
        let mut file = FitsFile::create(&path).unwrap();
        file.add_image(&[]).unwrap();
        let columns = ["y", "x", "Comp_Ratio", "pa", "q", "n", "re_maj", "mag"];
        let columns = columns.map(|name| Column { name, form: "1E", unit: "" });
        file.add_table("GALAXIES", &columns, 2).unwrap();
        for (i, value) in [64.5, 63.25, f64::NAN, -30.0, 0.25, 1.5, 8.0, 20.5].into_iter().enumerate() {
            file.write_f64(i, 0, &[value, value]).unwrap();
        }
        file.close().unwrap();
        let truths = read_truth(&path).unwrap();
        let expected = Truth {
            id: 1,
            mag: 20.5,
            re_maj: 8.0,
            re_circ: 4.0,
            n: 1.5,
            q: 0.25,
            pa: -30.0,
            x: 63.25,
            y: 64.5,
            ..Truth::default()
        };
        assert_eq!((truths.len(), truths[0].id, truths[1]), (2, 0, expected));
    }

    #[test]
    fn a_bad_csv_names_the_line_and_the_column() {
        let message = |text: &str| csv(text).unwrap_err().to_string();
        assert!(message("ID,MAG\n1,20\n2,bright\n").contains("line 3, column MAG: 'bright' is not a number"));
        assert!(message("ID,MAG\nfirst,20\n").contains("line 2, column ID: 'first' is not a number"));
        assert!(message("IDENT,M\n1,20\n").contains("no column of a table of truth: ID MAG"));
        assert!(message("ID,MAG\n1,20\n").contains("1 rows for 2 stamps"));
        assert!(message("ID,MAG\n1\n").contains("truth.csv: "));
    }
}
