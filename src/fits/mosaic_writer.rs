//! Writing a simulated mosaic, band by band of rows.

use super::dataset::DatasetMeta;
use super::header::Cards;
use super::raw::FitsFile;
use super::wcs::Wcs;
use super::writer::renamed;
use crate::files::{self, Pending};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The keyword by which a mosaic of ours, or its map of the noise, is known again.
const KEY: &str = "LAYOUT";

/// Writes a mosaic: one image in the primary HDU, float32, with `BUNIT`, `MAGZERO`, `PIXSCALE`, a TAN WCS and where it
/// comes from. The file appears when it is finished, and not at all otherwise.
pub struct MosaicWriter {
    // Closed before the temporary folder goes.
    file: FitsFile,
    pending: Pending,
    path: PathBuf,
    width: usize,
    height: usize,
    done: usize,
}

impl MosaicWriter {
    /// Starts a mosaic of `width`×`height` pixels at `path`; an earlier file there is replaced when this one is finished.
    /// `layout` says in a word what it is (`LAYOUT`).
    ///
    /// # Errors
    /// [`Error::Usage`] for no pixels; [`Error::Io`] and [`Error::Fits`] where `path` cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        meta: &DatasetMeta,
        wcs: &Wcs,
        (width, height): (usize, usize),
        layout: &str,
    ) -> Result<Self> {
        let path = path.as_ref().to_owned();
        if width == 0 || height == 0 {
            return Err(Error::Usage(format!("a mosaic of {width}×{height} pixels is none")));
        }
        let pending = Pending::new(&path)?;
        let created = || {
            let mut file = FitsFile::create(&pending.path())?;
            file.add_image(&[width, height])?;
            meta.write(&mut file)?;
            file.set_text(KEY, layout, "where the galaxies are, or what this is")?;
            wcs.write(&mut file)?;
            Ok(file)
        };
        let file = created().map_err(|e| renamed(e, &path))?;
        Ok(MosaicWriter { file, pending, path, width, height, done: 0 })
    }

    /// Adds rows, from the lowest on.
    ///
    /// # Errors
    /// [`Error::Usage`] for pixels that are no whole number of rows or more than there is room for; [`Error::Fits`] where
    /// they cannot be written.
    pub fn append(&mut self, pixels: &[f32]) -> Result<()> {
        let end = self.done + pixels.len() / self.width;
        if !pixels.len().is_multiple_of(self.width) || end > self.height {
            return Err(Error::Usage(format!(
                "{} pixels behind {} rows do not fit into a mosaic of {}×{}",
                pixels.len(),
                self.done,
                self.width,
                self.height
            )));
        }
        if !pixels.is_empty() {
            self.file.write_rows(self.done, pixels).map_err(|e| renamed(e, &self.path))?;
        }
        self.done = end;
        Ok(())
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`Error::Usage`] where rows are missing; [`Error::Fits`] or [`Error::Io`] where the last of it cannot be written.
    pub fn finish(self) -> Result<()> {
        let MosaicWriter { file, pending, path, height, done, .. } = self;
        if done != height {
            return Err(Error::Usage(format!("the mosaic was started for {height} rows and has {done}")));
        }
        file.close().map_err(|e| renamed(e, &path))?;
        pending.finish()
    }

    /// Checks that a mosaic can be written at `path`, and that it would replace nothing but an earlier one.
    ///
    /// # Errors
    /// As [`files::check_writable`]; [`Error::Fits`] for a file of another kind.
    pub fn check_output(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        files::check_writable(path)?;
        let ours = || {
            let mut file = FitsFile::open(path)?;
            Ok::<bool, Error>(Cards::parse(&file.cards()?).has(KEY))
        };
        if std::fs::metadata(path).map_or(0, |m| m.len()) == 0 || ours().unwrap_or(false) {
            return Ok(());
        }
        Err(Error::fits(
            path,
            "is there already and no simulated mosaic: it is not replaced; give another name",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::open_images;
    use super::super::testing::{Hdu, write};
    use super::*;
    use crate::sky::Survey;

    fn meta() -> DatasetMeta {
        DatasetMeta::simulated(&Survey::builtin("candels-f160w").unwrap(), 7)
    }

    #[test]
    fn bands_make_one_image_with_its_calibration_and_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mosaic.fits");
        let wcs = Wcs::upright((150.1, 2.2), (2.0, 3.0), 0.06);
        let mut writer = MosaicWriter::create(&path, &meta(), &wcs, (3, 5), "grid").unwrap();
        let pixels: Vec<f32> = (0..15).map(|i| i as f32).collect();
        writer.append(&pixels[..6]).unwrap();
        assert!(writer.append(&pixels[..4]).is_err() && writer.append(&pixels[..12]).is_err());
        writer.append(&[]).unwrap();
        writer.append(&pixels[6..]).unwrap();
        assert!(!path.exists());
        writer.finish().unwrap();
        let image = open_images(&path).unwrap().next().unwrap().unwrap();
        assert_eq!((image.width, image.height, &image.pixels), (3, 5, &pixels));
        let header = &image.header;
        assert_eq!((header.zero_point, header.pixel_scale), (Some(25.9463), Some(0.06)));
        assert_eq!(header.unit.as_deref(), Some("ELECTRONS/S"));
        let (ra, dec) = header.wcs.as_ref().unwrap().sky(2.0, 3.0);
        assert!((ra - 150.1).abs() < 1e-11 && (dec - 2.2).abs() < 1e-11);
    }

    #[test]
    fn an_unfinished_mosaic_leaves_nothing_and_only_mosaics_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mosaic.fits");
        let wcs = Wcs::upright((150.1, 2.2), (2.0, 3.0), 0.06);
        let create = || MosaicWriter::create(&path, &meta(), &wcs, (3, 2), "grid").unwrap();
        let mut writer = create();
        writer.append(&[0.0; 3]).unwrap();
        assert!(writer.finish().unwrap_err().to_string().contains("started for 2 rows and has 1"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        MosaicWriter::check_output(&path).unwrap();
        let mut writer = create();
        writer.append(&[0.0; 6]).unwrap();
        writer.finish().unwrap();
        MosaicWriter::check_output(&path).unwrap();
        write(&path, &[Hdu::floats(&[2, 1], &[1.0, 2.0])]);
        let error = MosaicWriter::check_output(&path).unwrap_err().to_string();
        assert!(error.contains("mosaic.fits: is there already and no simulated mosaic"), "{error}");
    }
}
