//! Files of images with a galaxy each: stamps, cubes of them, GALFIT's blocks.

use super::{Object, Objects, Preparation};
use crate::fits::{ImageSource, ZeroPoint, open_images};
use crate::{Error, Result, files};
use std::ops::Range;
use std::path::PathBuf;

/// How many files are told one by one in a catalogue's header.
const TOLD: usize = 4;

/// Files of images, counted.
pub struct ImageFiles {
    /// Those that can be opened, and the number of each one's first image.
    files: Vec<(PathBuf, u64)>,
    total: u64,
    unreadable: Vec<Error>,
    calibrations: Vec<ZeroPoint>,
}

impl ImageFiles {
    /// These files, in order. `zero_point` is given in place of their headers'.
    pub fn open(paths: &[PathBuf], zero_point: Option<f64>) -> Self {
        let (files, unreadable, calibrations) = (Vec::new(), Vec::new(), Vec::new());
        let mut found = ImageFiles { files, total: 0, unreadable, calibrations };
        for path in paths {
            match open_images(path) {
                Ok(images) => {
                    found.files.push((path.clone(), found.total));
                    found.total += images.total() as u64;
                    for header in images.headers() {
                        let calibration = header.calibrate(zero_point);
                        if !found.calibrations.contains(&calibration) {
                            found.calibrations.push(calibration);
                        }
                    }
                }
                Err(error) => found.unreadable.push(error),
            }
        }
        found
    }

    /// Images in all of them.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The zero points of their images, each once, in the order in which they come.
    pub fn calibrations(&self) -> &[ZeroPoint] {
        &self.calibrations
    }

    /// Why files cannot be opened.
    pub fn unreadable(&self) -> &[Error] {
        &self.unreadable
    }
}

/// Every image of some files as a galaxy.
pub struct StampFiles {
    images: ImageFiles,
    preparation: Preparation,
    /// The file that is open, and the number of its next image.
    open: Option<(usize, ImageSource, u64)>,
}

impl StampFiles {
    /// The images of these files, made ready for networks.
    pub fn new(images: ImageFiles, preparation: Preparation) -> Self {
        StampFiles { images, preparation, open: None }
    }

    fn object(&mut self, index: u64) -> Result<Object> {
        // The last file that begins at this image or before.
        let files = &self.images.files;
        let place = files.partition_point(|(_, first)| *first <= index) - 1;
        let (path, first) = &files[place];
        let (mut source, next) = match self.open.take() {
            Some((file, source, next)) if file == place && next <= index => (source, next),
            _ => (open_images(path)?, *first),
        };
        let image = source.nth((index - next) as usize);
        self.open = Some((place, source, index + 1));
        let image = image.ok_or_else(|| Error::fits(path, "has fewer images than it had a moment ago"))??;
        Ok(self.preparation.image(&image, index))
    }
}

impl Objects for StampFiles {
    fn total(&self) -> u64 {
        self.images.total
    }

    fn read(&mut self, range: Range<u64>) -> Result<Vec<Result<Object>>> {
        Ok(range.map(|index| self.object(index)).collect())
    }

    fn describe(&self) -> Result<Vec<(String, String)>> {
        let mut entries = self.preparation.describe();
        let paths = || self.images.files.iter().map(|(path, _)| path);
        if self.images.files.len() <= TOLD {
            for path in paths() {
                entries.push(("INPUT".to_owned(), files::Checksum::of(path)?.to_string()));
            }
        } else {
            let sum = files::Checksum::of_all(paths())?;
            entries.push(("INPUT".to_owned(), format!("{} files, {sum}", self.images.files.len())));
        }
        Ok(entries)
    }

    fn unreadable(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.images.unreadable)
    }
}
