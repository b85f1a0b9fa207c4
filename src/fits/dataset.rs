//! Data sets: a cube of stamps and the truth about each, in one FITS file; written by `writer.rs`.
//!
//! HDU 0 is a cube of N×H×W float32 pixels (`BUNIT`, `MAGZERO`, `PIXSCALE`, `SIGMA`, `EXPTIME`, `SEED`, `VERSION`,
//! `SURVEY`), HDU `TRUTH` a binary table of N rows: the columns of `table.rs`.

use super::calibration::direct_zero_point;
use super::header::Cards;
use super::raw::FitsFile;
use super::table;
use crate::sky::{Survey, Truth};
use crate::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// What a data set says about all its stamps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatasetMeta {
    /// The survey's name (`SURVEY`).
    pub survey: String,
    /// Unit of the pixels (`BUNIT`).
    pub unit: String,
    /// AB magnitude of one unit (`MAGZERO`); NaN where unknown.
    pub zero_point: f64,
    /// Pixel scale, arcsec (`PIXSCALE`); NaN where unknown.
    pub pixel_scale: f64,
    /// Standard deviation of the sky's noise per pixel, in the pixels' unit (`SIGMA`); NaN where unknown.
    pub sigma: f64,
    /// Exposure time, s (`EXPTIME`); NaN where unknown.
    pub exposure: f64,
    /// Seed of the simulation (`SEED`), if it is one.
    pub seed: Option<u64>,
    /// Version of the program that made it (`VERSION`).
    pub version: String,
}

impl DatasetMeta {
    /// Of a simulation of `survey` with `seed` by this version of the program.
    pub fn simulated(survey: &Survey, seed: u64) -> Self {
        DatasetMeta {
            survey: survey.name.clone(),
            unit: "ELECTRONS/S".to_owned(),
            zero_point: survey.zero_point,
            pixel_scale: survey.pixel_scale,
            sigma: survey.noise.sigma(),
            exposure: survey.exposure,
            seed: Some(seed),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn from_cards(cards: &Cards) -> Self {
        let text = |key| cards.text(key).unwrap_or("").to_owned();
        let number = |key| cards.number(key).unwrap_or(f64::NAN);
        DatasetMeta {
            survey: text("SURVEY"),
            unit: text("BUNIT"),
            zero_point: direct_zero_point(cards).unwrap_or(f64::NAN),
            pixel_scale: number("PIXSCALE"),
            sigma: number("SIGMA"),
            exposure: number("EXPTIME"),
            seed: cards.text("SEED").and_then(|s| s.parse().ok()),
            version: text("VERSION"),
        }
    }

    pub(super) fn write(&self, file: &mut FitsFile) -> Result<()> {
        file.set_text("BUNIT", &self.unit, "unit of the pixels")?;
        for (key, value, comment) in [
            ("MAGZERO", self.zero_point, "AB magnitude of one unit"),
            ("PIXSCALE", self.pixel_scale, "[arcsec] size of a pixel"),
            ("SIGMA", self.sigma, "standard deviation of the sky in a pixel"),
            ("EXPTIME", self.exposure, "[s] exposure time"),
        ] {
            if value.is_finite() {
                file.set_f64(key, value, comment)?;
            }
        }
        if let Some(seed) = self.seed {
            file.add_u64("SEED", seed, "seed of the simulation")?;
        }
        file.set_text("SURVEY", &self.survey, "survey that is simulated")?;
        file.set_text("VERSION", &self.version, "version of legato that wrote it")
    }
}

/// A data set being read: stamps on demand, the truth at once.
pub struct Dataset {
    file: FitsFile,
    meta: DatasetMeta,
    shape: [usize; 3],
    truth: Option<Vec<Truth>>,
}

impl Dataset {
    /// Opens a data set. A cube without a `TRUTH` table is one too, of stamps nothing is known about;
    /// a single image is a cube of one.
    ///
    /// # Errors
    /// [`Error::Io`] where there is no such file, [`Error::Fits`] for what is not FITS, truncated, not a
    /// cube, or empty, for a table whose length differs from the cube's and for a missing column.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let mut file = FitsFile::open(path.as_ref())?;
        let hdus = file.hdu_count()?;
        file.go_to(0)?;
        let axes = file.image_shape()?;
        let (width, height, n) = match axes[..] {
            [w, h] => (w, h, 1),
            [w, h, n] => (w, h, n),
            [] => {
                return Err(file.error("no image here; a data set is a cube of N×H×W pixels in this HDU"));
            }
            _ => {
                let shape: Vec<String> = axes.iter().rev().map(ToString::to_string).collect();
                return Err(
                    file.error(format!("a cube of N×H×W pixels was expected, not {}", shape.join("×")))
                );
            }
        };
        if n == 0 || height == 0 || width == 0 {
            return Err(file.error(format!("the cube is empty: {n} stamps of {height}×{width} pixels")));
        }
        let meta = DatasetMeta::from_cards(&Cards::parse(&file.cards()?));
        file.check_whole(&axes)?;
        let mut truth = None;
        for hdu in 1..hdus {
            if file.go_to(hdu)? || !table::is_truth(&mut file)? {
                continue;
            }
            let rows = file.rows()?;
            if rows != n {
                return Err(file.error(format!(
                    "the TRUTH table has {rows} rows and the cube {n} stamps; they must be as many"
                )));
            }
            truth = Some(table::read_truth_table(&mut file)?);
        }
        file.go_to(0)?;
        Ok(Dataset { file, meta, shape: [n, height, width], truth })
    }

    /// Stamps.
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Never: an empty cube is an error of [`Dataset::open`].
    pub fn is_empty(&self) -> bool {
        self.shape[0] == 0
    }

    /// Rows of a stamp.
    pub fn height(&self) -> usize {
        self.shape[1]
    }

    /// Columns of a stamp.
    pub fn width(&self) -> usize {
        self.shape[2]
    }

    /// What holds for all stamps.
    pub fn meta(&self) -> &DatasetMeta {
        &self.meta
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What is on every stamp, where the file says.
    pub fn truth(&self) -> Option<&[Truth]> {
        self.truth.as_deref()
    }

    /// Replaces `out` by the stamps of `range`, one after another, row-major, y up.
    ///
    /// # Errors
    /// [`Error::Usage`] for a range beyond the cube, [`Error::Fits`] where it cannot be read.
    pub fn read(&mut self, range: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        let [n, height, width] = self.shape;
        if range.start > range.end || range.end > n {
            return Err(Error::Usage(format!(
                "stamps {}..{} of {}, which has {n}",
                range.start,
                range.end,
                self.path().display()
            )));
        }
        out.clear();
        if range.is_empty() {
            return Ok(());
        }
        // The cube is as large as it says: its last pixel was read when it was opened.
        let size = range.len() * height * width;
        if out.try_reserve_exact(size).is_err() {
            return Err(self.file.error(format!("no memory for {} stamps of {height}×{width}", range.len())));
        }
        out.resize(size, 0.0);
        let axes = if n > 1 { 3 } else { 2 };
        self.file.read_pixels(axes, range.start, out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::DatasetWriter;
    use super::super::raw::Column;
    use super::super::table::TRUTH_COLUMNS;
    use super::super::testing::{Hdu, write};
    use super::*;
    use crate::sky::Simulator;

    fn truth(id: i64) -> Truth {
        let x = id as f64;
        let (companions, companion_ratio) = (Some(id as u32), Some(0.25 * x));
        let y = 1.9 + x;
        let mag = 16.0 + x;
        let shape = Truth { re_maj: 2.5, re_circ: 1.5, n: 0.3, q: 0.36, ..Truth::default() };
        Truth { id, mag, pa: -x, x: 2.1, y, psf: Some(1), companions, companion_ratio, ..shape }
    }

    fn meta() -> DatasetMeta {
        DatasetMeta::simulated(&Survey::builtin("candels-f160w").unwrap(), u64::MAX - 1)
    }

    fn written(path: &Path, n: usize) -> Vec<f32> {
        let pixels: Vec<f32> = (0..n * 6).map(|i| i as f32 * 0.5 - 3.0).collect();
        let truths: Vec<Truth> = (0..n as i64).map(truth).collect();
        let mut writer = DatasetWriter::create(path, &meta(), n, 2, 3).unwrap();
        let middle = n / 2;
        writer.append(&pixels[..middle * 6], &truths[..middle]).unwrap();
        writer.append(&pixels[middle * 6..], &truths[middle..]).unwrap();
        writer.finish().unwrap();
        pixels
    }

    fn message(path: &Path) -> String {
        match Dataset::open(path) {
            Ok(_) => panic!("{} was opened", path.display()),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        for n in [1, 5] {
            let path = folder.path().join("set[1].fits");
            let pixels = written(&path, n);
            let mut set = Dataset::open(&path).unwrap();
            assert_eq!((set.len(), set.height(), set.width()), (n, 2, 3));
            assert_eq!(set.meta(), &meta());
            assert_eq!(set.truth().unwrap(), (0..n as i64).map(truth).collect::<Vec<_>>());
            let mut out = vec![1.0; 3];
            set.read(0..n, &mut out).unwrap();
            assert_eq!(out, pixels);
            set.read(n - 1..n, &mut out).unwrap();
            assert_eq!(out, pixels[(n - 1) * 6..]);
            set.read(n..n, &mut out).unwrap();
            assert!(out.is_empty() && set.read(0..n + 1, &mut out).is_err());
            assert_eq!(super::super::read_truth_for(&path, n).unwrap().len(), n);
            assert!(super::super::read_truth_for(&path, n + 1).is_err());
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn simulated_stamps_survive_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.fits");
        let simulator = Simulator::new(Survey::builtin("candels-f160w").unwrap(), 3).unwrap();
        let (pixels, truths) = simulator.batch(0..2).unwrap();
        let mut writer = DatasetWriter::create(&path, &meta(), 2, 128, 128).unwrap();
        writer.append(&pixels, &truths).unwrap();
        writer.finish().unwrap();
        let mut set = Dataset::open(&path).unwrap();
        let mut back = Vec::new();
        set.read(0..2, &mut back).unwrap();
        assert_eq!((back, set.truth().unwrap()), (pixels, &truths[..]));
    }

    #[test]
    fn an_unfinished_set_leaves_nothing_and_an_incomplete_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.fits");
        let mut writer = DatasetWriter::create(&path, &meta(), 2, 2, 3).unwrap();
        writer.append(&[0.0; 6], &[truth(0)]).unwrap();
        assert!(writer.append(&[0.0; 5], &[truth(0)]).is_err());
        assert!(writer.append(&[0.0; 12], &[truth(0), truth(1)]).is_err());
        assert!(writer.finish().unwrap_err().to_string().contains("started for 2 stamps and has 1"));
        drop(DatasetWriter::create(&path, &meta(), 2, 2, 3).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(DatasetWriter::create(&path, &meta(), 0, 2, 3).is_err());
        let nowhere = DatasetWriter::create(folder.path().join("no/set.fits"), &meta(), 1, 2, 3);
        assert!(nowhere.err().unwrap().to_string().contains("no/set.fits: cannot write"));
    }

    #[test]
    fn a_cube_without_truth_is_a_data_set_of_unknowns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cube.fits");
        write(&path, &[Hdu::floats(&[3, 2, 4], &[1.0; 24])]);
        let set = Dataset::open(&path).unwrap();
        assert_eq!((set.len(), set.truth()), (4, None));
        assert!(set.meta().zero_point.is_nan());
    }

    #[test]
    fn bad_files_are_errors_that_say_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.fits");
        assert!(message(&path).contains("set.fits: cannot read"));
        std::fs::write(&path, [b'x'; 4000]).unwrap();
        assert!(message(&path).contains("not a readable FITS file"));
        write(&path, &[Hdu::empty()]);
        assert!(message(&path).contains("set.fits[0]: no image here; a data set is a cube"));
        write(&path, &[Hdu::floats(&[3, 2, 0], &[])]);
        assert!(message(&path).contains("[0]: the cube is empty: 0 stamps of 2×3"));
        write(&path, &[Hdu::floats(&[3, 2, 1, 2], &[0.0; 12])]);
        assert!(message(&path).contains("[0]: a cube of N×H×W pixels was expected, not 2×1×2×3"));
    }

    #[test]
    fn a_truncated_file_names_the_hdu() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.fits");
        write(&path, &[Hdu::floats(&[30, 20, 40], &[1.0; 24_000])]);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(message(&path).contains("set.fits[0]: cannot read the pixels (is the file truncated?)"));
        // Cut inside the table.
        written(&path, 400);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 2 * 2880]).unwrap();
        let error = message(&path);
        assert!(error.contains("set.fits[1]: "), "{error}");
    }

    #[test]
    fn a_table_of_another_length_or_without_a_column_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.fits");
        let with_table = |columns: &[&str], rows: usize| {
            let _ = std::fs::remove_file(&path);
            let mut file = FitsFile::create(&path).unwrap();
            file.add_image(&[3, 2, 2]).unwrap();
            file.write_pixels(0, &[0.0; 12]).unwrap();
            let columns: Vec<Column> =
                columns.iter().map(|&name| Column { name, form: "1D", unit: "" }).collect();
            file.add_table("TRUTH", &columns, rows).unwrap();
            file.close().unwrap();
            message(&path)
        };
        let all: Vec<&str> = TRUTH_COLUMNS.iter().map(|c| c.name).collect();
        let error = with_table(&all, 3);
        assert!(error.contains("set.fits[1]: the TRUTH table has 3 rows and the cube 2 stamps"), "{error}");
        let error = with_table(&all[..8], 2);
        assert!(error.contains("[1]: the table has no column Y"), "{error}");
    }
}
