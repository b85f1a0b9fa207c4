//! The catalogue of what was measured: a FITS table, or CSV or ECSV by the file's ending.

use super::flags::Flags;
use super::header::Cards;
use super::raw::{Column, FitsFile};
use super::writer::renamed;
use crate::files::{self, Pending};
use crate::{Error, Result};
use std::fmt::Write;
use std::path::Path;

/// One measured galaxy. What was not measured is NaN, and left empty in text files.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name (`ID`).
    pub id: String,
    /// The file it is from (`FILE`).
    pub file: String,
    /// Right ascension, degrees (`RA`).
    pub ra: f64,
    /// Declination, degrees (`DEC`).
    pub dec: f64,
    /// Centre, FITS pixels of the image (`X`).
    pub x: f64,
    /// Centre, FITS pixels of the image (`Y`).
    pub y: f64,
    /// Total AB magnitude (`MAG`).
    pub mag: f64,
    /// Half-light radius along the major axis, pixels (`RE_MAJ`).
    pub re_maj: f64,
    /// Circularised half-light radius, pixels (`RE_CIRC`).
    pub re_circ: f64,
    /// Half-light radius along the major axis, arcsec (`RE_ARCSEC`).
    pub re_arcsec: f64,
    /// Sérsic index (`N`).
    pub n: f64,
    /// Axis ratio b/a (`Q`).
    pub q: f64,
    /// Signal-to-noise ratio (`SNR`).
    pub snr: f64,
    /// What to be wary of (`FLAGS`).
    pub flags: Flags,
}

impl Default for Row {
    fn default() -> Self {
        let nan = f64::NAN;
        Row {
            id: String::new(),
            file: String::new(),
            ra: nan,
            dec: nan,
            x: nan,
            y: nan,
            mag: nan,
            re_maj: nan,
            re_circ: nan,
            re_arcsec: nan,
            n: nan,
            q: nan,
            snr: nan,
            flags: Flags::default(),
        }
    }
}

/// Rows and where they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// The galaxies.
    pub rows: Vec<Row>,
    /// Keys and values: program, version, models, adapter … Written as HISTORY in FITS and as `meta` in
    /// ECSV; plain CSV has no place for it.
    pub provenance: Vec<(String, String)>,
}

/// The name of the table in a FITS file.
const TABLE: &str = "CATALOGUE";

/// A column of numbers: name, unit, decimals in text files, value.
struct Number(&'static str, &'static str, usize, fn(&Row) -> f64);

const NUMBERS: [Number; 11] = [
    Number("RA", "deg", 7, |r| r.ra),
    Number("DEC", "deg", 7, |r| r.dec),
    Number("X", "pixel", 3, |r| r.x),
    Number("Y", "pixel", 3, |r| r.y),
    Number("MAG", "mag", 4, |r| r.mag),
    Number("RE_MAJ", "pixel", 4, |r| r.re_maj),
    Number("RE_CIRC", "pixel", 4, |r| r.re_circ),
    Number("RE_ARCSEC", "arcsec", 5, |r| r.re_arcsec),
    Number("N", "", 4, |r| r.n),
    Number("Q", "", 4, |r| r.q),
    Number("SNR", "", 2, |r| r.snr),
];

impl Catalogue {
    /// Writes the catalogue: `.csv` as text with a header line, `.ecsv` as the same with units and
    /// provenance, anything else as a FITS file with a binary table `CATALOGUE`. The file appears
    /// whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Fits`] or [`Error::Catalogue`] where it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let pending = Pending::new(path)?;
        let temporary = pending.path();
        match ending.as_deref() {
            Some(text @ ("csv" | "ecsv")) => {
                let head = if text == "ecsv" { self.ecsv_head() } else { String::new() };
                let body =
                    self.csv().map_err(|message| Error::Catalogue { path: path.to_owned(), message })?;
                std::fs::write(temporary, head + &body).map_err(|e| Error::io(path, "write", e))?;
            }
            _ => self.write_fits(&temporary).map_err(|e| renamed(e, path))?,
        }
        pending.finish()
    }

    /// Checks that a catalogue can be written at `path`, before work whose result would be lost, and that it would
    /// replace nothing but an earlier catalogue.
    ///
    /// # Errors
    /// As [`files::check_writable`]; [`Error::Catalogue`] for a file of another kind.
    pub fn check_output(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        files::check_writable(path)?;
        if std::fs::metadata(path).map_or(0, |m| m.len()) == 0 || is_catalogue(path) {
            return Ok(());
        }
        let message =
            "is there already and no catalogue of legato's: it is not replaced; give another name".into();
        Err(Error::Catalogue { path: path.to_owned(), message })
    }

    fn write_fits(&self, path: &Path) -> Result<()> {
        let widest = |text: fn(&Row) -> &str| {
            let width = self.rows.iter().map(|r| text(r).len()).max().unwrap_or(1).max(1);
            format!("{width}A")
        };
        let (id_form, file_form) = (widest(|r| &r.id), widest(|r| &r.file));
        let mut columns = vec![
            Column { name: "ID", form: &id_form, unit: "" },
            Column { name: "FILE", form: &file_form, unit: "" },
        ];
        columns.extend(NUMBERS.iter().map(|n| Column { name: n.0, form: "1D", unit: n.1 }));
        columns.push(Column { name: "FLAGS", form: "1J", unit: "" });
        let mut file = FitsFile::create(path)?;
        file.add_image(&[])?;
        file.add_table(TABLE, &columns, self.rows.len())?;
        if !self.rows.is_empty() {
            file.write_text(0, &self.rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>())?;
            file.write_text(1, &self.rows.iter().map(|r| r.file.clone()).collect::<Vec<_>>())?;
            for (i, number) in NUMBERS.iter().enumerate() {
                file.write_f64(i + 2, 0, &self.rows.iter().map(number.3).collect::<Vec<_>>())?;
            }
            let flags: Vec<i64> = self.rows.iter().map(|r| i64::from(r.flags.0)).collect();
            file.write_i64(NUMBERS.len() + 2, 0, &flags)?;
        }
        for (key, value) in &self.provenance {
            file.add_history(&format!("{key}: {value}"))?;
        }
        file.close()
    }

    fn csv(&self) -> std::result::Result<String, String> {
        let broken = |e: csv::Error| e.to_string();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let names = NUMBERS.iter().map(|n| n.0);
        writer.write_record(["ID", "FILE"].into_iter().chain(names).chain(["FLAGS"])).map_err(broken)?;
        for row in &self.rows {
            let mut record = vec![row.id.clone(), row.file.clone()];
            record.extend(NUMBERS.iter().map(|n| {
                let value = (n.3)(row);
                if value.is_finite() { format!("{value:.*}", n.2) } else { String::new() }
            }));
            record.push(row.flags.0.to_string());
            writer.write_record(&record).map_err(broken)?;
        }
        let bytes = writer.into_inner().map_err(|e| e.to_string())?;
        String::from_utf8(bytes).map_err(|e| e.to_string())
    }

    /// The header of astropy's Enhanced CSV, version 1.0.
    fn ecsv_head(&self) -> String {
        let mut head = String::from("# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n");
        let mut column = |name: &str, kind: &str, unit: &str| {
            let unit = match unit {
                "" => String::new(),
                "pixel" => ", unit: pix".to_owned(),
                unit => format!(", unit: {unit}"),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(head, "# - {{name: {name}{unit}, datatype: {kind}}}");
        };
        column("ID", "string", "");
        column("FILE", "string", "");
        for number in &NUMBERS {
            // A bare N would be YAML 1.1's "no".
            let name = if number.0 == "N" { "'N'" } else { number.0 };
            let name = if name == "Y" { "'Y'" } else { name };
            column(name, "float64", number.1);
        }
        column("FLAGS", "int32", "");
        if !self.provenance.is_empty() {
            head.push_str("# meta:\n");
            let quoted = |text: &str| text.replace(['\n', '\r'], " ").replace('\'', "''");
            for (key, value) in &self.provenance {
                let _ = writeln!(head, "#   '{}': '{}'", quoted(key), quoted(value));
            }
        }
        head
    }
}

/// Whether a file is a catalogue that [`Catalogue::write`] wrote, in whichever form.
fn is_catalogue(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let head = text.lines().find(|line| !line.starts_with('#')).unwrap_or("");
    if head.starts_with("ID,FILE,RA,DEC,") {
        return true;
    }
    let named = |file: &mut FitsFile| -> Result<bool> {
        for hdu in 1..file.hdu_count()? {
            let table = !file.go_to(hdu)?;
            if table && Cards::parse(&file.cards()?).text("EXTNAME") == Some(TABLE) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    FitsFile::open(path).and_then(|mut file| named(&mut file)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::raw::FitsFile;
    use super::*;

    fn catalogue() -> Catalogue {
        let row = Row { id: "a, b".into(), file: "x.fits".into(), mag: 21.25, n: 4.0, ..Row::default() };
        let flagged = Row { id: "cé".into(), flags: Flags::CUT | Flags::LOW_SNR, ..Row::default() };
        Catalogue { rows: vec![row, flagged], provenance: vec![("program".into(), "it's legato".into())] }
    }

    #[test]
    fn a_fits_catalogue_has_its_columns_and_units() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.fits");
        for catalogue in [catalogue(), Catalogue::default(), catalogue()] {
            catalogue.write(&path).unwrap();
            let mut file = FitsFile::open(&path).unwrap();
            assert!(!file.go_to(1).unwrap());
            assert_eq!(file.rows().unwrap(), catalogue.rows.len());
        }
        let mut file = FitsFile::open(&path).unwrap();
        file.go_to(1).unwrap();
        let column = |file: &mut FitsFile, name: &str| {
            let number = file.column(name).unwrap();
            file.read_f64(number, 2).unwrap()
        };
        let mag = column(&mut file, "MAG");
        assert!(mag[0] == 21.25 && mag[1].is_nan());
        assert_eq!(column(&mut file, "FLAGS"), [0.0, 130.0]);
        // Only ASCII, or other readers refuse the table.
        assert!(std::fs::read(&path).unwrap().windows(3).any(|w| w == b"c? "));
        let cards = file.cards().unwrap().join("\n");
        assert!(cards.contains("'arcsec") && cards.contains("HISTORY program: it's legato"));
    }

    #[test]
    fn text_catalogues_leave_empty_what_was_not_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        catalogue().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "ID,FILE,RA,DEC,X,Y,MAG,RE_MAJ,RE_CIRC,RE_ARCSEC,N,Q,SNR,FLAGS\n\
                        \"a, b\",x.fits,,,,,21.2500,,,,4.0000,,,0\ncé,,,,,,,,,,,,,130\n";
        assert_eq!(text, expected);
        let path = folder.path().join("out.ecsv");
        catalogue().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# %ECSV 1.0\n# ---\n") && text.ends_with(expected));
        assert!(text.contains("{name: RE_MAJ, unit: pix, datatype: float64}"));
        assert!(text.contains("#   'program': 'it''s legato'"));
    }

    #[test]
    fn only_catalogues_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["out.fits", "out.csv", "out.ecsv", "out"] {
            let path = folder.path().join(name);
            Catalogue::check_output(&path).unwrap();
            catalogue().write(&path).unwrap();
            Catalogue::check_output(&path).unwrap();
        }
        let image = folder.path().join("image.fits");
        super::super::testing::write(&image, &[super::super::testing::Hdu::floats(&[2, 1], &[1.0, 2.0])]);
        let notes = folder.path().join("notes.csv");
        std::fs::write(&notes, "ID,REMARK\n1,good\n").unwrap();
        for path in [image, notes] {
            let error = Catalogue::check_output(&path).unwrap_err().to_string();
            assert!(error.contains("is there already and no catalogue of legato's"), "{error}");
        }
    }

    #[test]
    fn a_catalogue_that_cannot_be_written_says_where() {
        let error = catalogue().write("no/such/folder/out.fits").unwrap_err().to_string();
        assert!(error.contains("no/such/folder/out.fits: cannot write"), "{error}");
    }
}
