//! The catalogue of what was measured: a FITS table, CSV, ECSV or Parquet by the file's ending.
//!
//! | file | idea |
//! |---|---|
//! | `row.rs` | one measured galaxy |
//! | `columns.rs` | the columns and what they hold |
//! | `writer.rs` | a catalogue written a few rows at a time |
//! | `reader.rs` | and read so |
//! | `fits_table.rs` | as a FITS table |
//! | `text.rs` | as CSV and ECSV |
//! | `parquet.rs` | as Parquet |

mod columns;
mod fits_table;
mod parquet;
mod reader;
mod row;
mod text;
mod writer;

pub use reader::CatalogueReader;
pub use row::Row;
pub use writer::{CatalogueSize, CatalogueWriter};

use super::header::Cards;
use super::raw::FitsFile;
use crate::{Error, Result, files};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Rows and where they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// The galaxies.
    pub rows: Vec<Row>,
    /// Keys and values: program, version, models, adapter … Written as HISTORY in FITS, as `meta` in ECSV and in
    /// Parquet's metadata; plain CSV has no place for it.
    pub provenance: Provenance,
}

/// Keys and values that tell where a catalogue comes from.
pub type Provenance = Vec<(String, String)>;

/// The name of the table in a FITS file.
const TABLE: &str = "CATALOGUE";

/// A catalogue's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Fits,
    Csv,
    Ecsv,
    Parquet,
}

impl Form {
    /// By the file's ending; what ends in nothing known is FITS.
    fn of(path: &Path) -> Form {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv") => Form::Csv,
            Some("ecsv") => Form::Ecsv,
            Some("parquet" | "pq") => Form::Parquet,
            _ => Form::Fits,
        }
    }
}

impl Catalogue {
    /// Writes the catalogue: `.csv` as text with a header line, `.ecsv` as the same with units, descriptions and
    /// provenance, `.parquet` as Parquet, anything else as a FITS file with a binary table `CATALOGUE`. The file appears
    /// whole or not at all.
    ///
    /// # Errors
    /// As [`CatalogueWriter::create`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let size = CatalogueSize::of(&self.rows);
        let mut writer = CatalogueWriter::create(path.as_ref(), &size, &self.provenance)?;
        writer.append(&self.rows)?;
        writer.finish()
    }

    /// Reads a whole catalogue that was written by [`Catalogue::write`]; text files have fewer digits than what was
    /// measured.
    ///
    /// # Errors
    /// As [`CatalogueReader::open`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let mut reader = CatalogueReader::open(path.as_ref())?;
        let mut rows = Vec::new();
        while let Some(chunk) = reader.next_chunk()? {
            rows.extend(chunk);
        }
        Ok(Catalogue { rows, provenance: reader.provenance().clone() })
    }

    /// Checks that a catalogue can be written at `path`, before work whose result would be lost, and that it would
    /// replace nothing but an earlier catalogue.
    ///
    /// # Errors
    /// As [`files::check_writable`]; [`Error::Catalogue`] for a file of another kind, and for a compressed one.
    pub fn check_output(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let refuse = |message: &str| Err(Error::Catalogue { path: path.to_owned(), message: message.into() });
        if path
            .extension()
            .is_some_and(|e| ["gz", "fz", "bz2", "zip"].iter().any(|z| e.eq_ignore_ascii_case(z)))
        {
            return refuse(
                "catalogues are not written compressed: give a name that ends in .fits, .ecsv, .csv or .parquet",
            );
        }
        files::check_writable(path)?;
        if std::fs::metadata(path).map_or(0, |m| m.len()) == 0 || is_catalogue(path) {
            return Ok(());
        }
        refuse("is there already and no catalogue of legato's: it is not replaced; give another name")
    }
}

/// Whether a file is a catalogue that [`Catalogue::write`] wrote, in whichever form.
fn is_catalogue(path: &Path) -> bool {
    /// More than the lines before a text catalogue's first row have.
    const HEAD: u64 = 1 << 20;
    let Ok(file) = std::fs::File::open(path) else { return false };
    let mut lines = BufReader::new(file.take(HEAD)).lines().map_while(|line| line.ok());
    if lines.find(|line| !line.starts_with('#')).is_some_and(|line| line.starts_with("ID,FILE,RA,DEC,")) {
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
    parquet::is_catalogue(path) || FitsFile::open(path).and_then(|mut file| named(&mut file)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::Flags;
    use super::*;

    fn catalogue() -> Catalogue {
        let named = Row { id: "a, b".into(), file: "x.fits".into(), ..Row::default() };
        let row = Row { mag: 21.25, mag_err: [0.01, 0.02], n: 4.0, ..named };
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
        assert!(cards.contains("TCOMM7  = 'total AB magnitude'"));
    }

    #[test]
    fn text_catalogues_leave_empty_what_was_not_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        catalogue().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "ID,FILE,RA,DEC,X,Y,MAG,MAG_ERR_LO,MAG_ERR_HI,RE_MAJ,RE_MAJ_ERR_LO,RE_MAJ_ERR_HI,RE_CIRC,\
                        RE_ARCSEC,N,N_ERR_LO,N_ERR_HI,Q,Q_ERR_LO,Q_ERR_HI,PA,SNR,CHI2,OOD,NEIGH_RATIO,NEIGH_DIST,FLAGS\n\
                        \"a, b\",x.fits,,,,,21.2500,0.0100,0.0200,,,,,,4.0000,,,,,,,,,,,,0\n\
                        cé,,,,,,,,,,,,,,,,,,,,,,,,,,130\n";
        assert_eq!(text, expected);
        let path = folder.path().join("out.ecsv");
        catalogue().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# %ECSV 1.0\n# ---\n") && text.ends_with(expected));
        assert!(text.contains("- {name: RE_MAJ, unit: pix, datatype: float64, description: 'half-light"));
        assert!(text.contains("#   'program': 'it''s legato'"));
    }

    #[test]
    fn what_was_written_is_read_back_in_every_form() {
        let folder = tempfile::tempdir().unwrap();
        let long = format!("{}and {} in all", "word ".repeat(20), "x".repeat(200));
        let mut written = catalogue();
        written.provenance.push(("LONG".into(), long));
        // More than are read at a time, with the least that differs in a number.
        let row = |i: usize| Row { id: format!("{i}"), x: i as f64, q: 0.1 + 0.2, ..Row::default() };
        written.rows.extend((0..9000).map(row));
        for name in ["out.fits", "out.ecsv", "out.parquet"] {
            let path = folder.path().join(name);
            written.write(&path).unwrap();
            let read = Catalogue::read(&path).unwrap();
            assert_eq!(read.provenance, written.provenance, "{name}");
            // NaN is not itself: what is printed is compared.
            for (read, written) in read.rows.iter().zip(&written.rows).skip(2) {
                let q = if name == "out.ecsv" { 0.3 } else { written.q };
                assert_eq!(
                    (&read.id, read.x, read.q, read.flags),
                    (&written.id, written.x, q, written.flags)
                );
                assert!(read.mag.is_nan(), "{name}");
            }
            assert_eq!(read.rows.len(), written.rows.len());
            assert_eq!((read.rows[0].mag_err, read.rows[1].flags.0), ([0.01, 0.02], 130), "{name}");
            let again = folder.path().join(format!("again-{name}"));
            read.write(&again).unwrap();
            // FITS has no é.
            if name != "out.fits" {
                assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap(), "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_catalogue_of_ours_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("notes.csv"), "ID,REMARK\n1,good\n").unwrap();
        std::fs::write(path("notes.parquet"), "nothing of the kind").unwrap();
        super::super::testing::write(
            &path("image.fits"),
            &[super::super::testing::Hdu::floats(&[1], &[1.0])],
        );
        let message = |name: &str| Catalogue::read(path(name)).unwrap_err().to_string();
        assert!(message("notes.csv").contains("notes.csv: has no column FILE"));
        assert!(message("notes.parquet").contains("notes.parquet: not a readable Parquet file"));
        assert!(message("image.fits").contains("image.fits: no table in this file"));
        assert!(message("absent.csv").contains("absent.csv: cannot read"));
    }

    #[test]
    fn only_catalogues_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["out.fits", "out.csv", "out.ecsv", "out.parquet", "out"] {
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
        let error = Catalogue::check_output(folder.path().join("out.fits.gz")).unwrap_err().to_string();
        assert!(error.contains("not written compressed"), "{error}");
    }

    #[test]
    fn a_catalogue_that_cannot_be_written_says_where() {
        let error = catalogue().write("no/such/folder/out.fits").unwrap_err().to_string();
        assert!(error.contains("no/such/folder/out.fits: cannot write"), "{error}");
    }
}
