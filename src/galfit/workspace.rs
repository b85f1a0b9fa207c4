//! The folder that holds a set of fits: one folder an object in it, each with all that GALFIT needs but for the PSF and
//! the limits, which they share.
//!
//! ```text
//! prepared.toml      how it was made
//! psf.fits
//! constraints.txt
//! objects/000001/    object.toml  galfit.feedme  image.fits  sigma.fits  mask.fits
//!                    once GALFIT ran: run.toml  block.fits  fit.log  galfit.01
//! ```

use super::initial::Initial;
use crate::{Error, Result, files};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};

/// The name of GALFIT's input file in an object's folder, and of the other files there.
pub const FEEDME: &str = "galfit.feedme";
pub(super) const BLOCK: &str = "block.fits";
pub(super) const LOG: &str = "fit.log";
pub(super) const IMAGE: &str = "image.fits";
pub(super) const SIGMA: &str = "sigma.fits";
pub(super) const MASK: &str = "mask.fits";
const OBJECT: &str = "object.toml";
const RUN: &str = "run.toml";
pub(super) const PSF: &str = "psf.fits";
pub(super) const CONSTRAINTS: &str = "constraints.txt";
const PREPARED: &str = "prepared.toml";
const OBJECTS: &str = "objects";

/// One object to be fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Its name.
    pub id: String,
    /// The file it is from.
    pub file: String,
    /// FITS pixel of that image which is the stamp's first.
    pub corner: [i64; 2],
    /// AB magnitude of one unit of the stamp.
    pub zero_point: f64,
    /// Pixel scale, arcsec; NaN where unknown.
    pub pixel_scale: f64,
    /// Signal-to-noise ratio; NaN where unknown.
    pub snr: f64,
    /// The catalogue's flags of the stamp.
    pub flags: u32,
    /// First values, in pixels of the stamp.
    pub initial: Initial,
}

/// How GALFIT's run over one object ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Whether there is a block to be read.
    pub done: bool,
    /// Why there is none, or what else was odd; empty where all went well.
    pub reason: String,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// A folder of fits.
#[derive(Clone, Debug)]
pub struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// Makes the folder, or takes up one that was made the same way: `how` is written into it.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be made; [`Error::Config`] where it was made another way.
    pub(super) fn create(folder: &Path, how: &str) -> Result<Self> {
        let path = folder.join(PREPARED);
        files::make_folder(&folder.join(OBJECTS))?;
        if path.exists() {
            if files::read(&path)? != how.as_bytes() {
                let message = "this folder was prepared with other options, which are here: give another folder, or the \
                               same options to go on";
                return Err(Error::Config { path, message: message.into() });
            }
        } else {
            files::replace(&path, how.as_bytes())?;
        }
        files::remove_left_behind(&folder.join(OBJECTS));
        Ok(Workspace { folder: folder.to_owned() })
    }

    /// Opens a folder of fits.
    ///
    /// # Errors
    /// [`Error::Usage`] for any other folder.
    pub fn open(folder: &Path) -> Result<Self> {
        if !folder.join(PREPARED).is_file() {
            return Err(Error::Usage(format!(
                "{} is no folder of fits: make one with `legato galfit prepare`",
                folder.display()
            )));
        }
        Ok(Workspace { folder: folder.to_owned() })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the objects' folders.
    pub(super) fn objects_folder(&self) -> PathBuf {
        self.folder.join(OBJECTS)
    }

    /// The folder of an object, by its number from 1.
    pub(super) fn place(&self, number: usize) -> PathBuf {
        self.folder.join(OBJECTS).join(format!("{number:06}"))
    }

    /// The folders of all objects that are prepared, in order.
    ///
    /// # Errors
    /// [`Error::Io`] where they cannot be listed, [`Error::Usage`] where there is none.
    pub fn objects(&self) -> Result<Vec<PathBuf>> {
        let folder = self.objects_folder();
        let failed = |e| Error::io(&folder, "list", e);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && path.join(OBJECT).is_file() {
                found.push(path);
            }
        }
        if found.is_empty() {
            let why = format!("{}: no object was prepared in this folder", self.folder.display());
            return Err(Error::Usage(why));
        }
        found.sort();
        Ok(found)
    }
}

fn write<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = toml::to_string(value)
        .map_err(|e| Error::Config { path: path.to_owned(), message: e.to_string() })?;
    files::replace(path, text.as_bytes())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = String::from_utf8_lossy(&files::read(path)?).into_owned();
    toml::from_str(&text).map_err(|e| Error::Config { path: path.to_owned(), message: e.to_string() })
}

impl Object {
    /// Writes it into its folder.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        write(&folder.join(OBJECT), self)
    }

    /// Reads what an object's folder says of it.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Config`] for a folder without, or with a broken one.
    pub fn read(folder: &Path) -> Result<Self> {
        read(&folder.join(OBJECT))
    }
}

impl RunRecord {
    /// Writes it into an object's folder, as the last thing of a run.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        write(&folder.join(RUN), self)
    }

    /// How the run over an object ended; none where it has not yet.
    ///
    /// # Errors
    /// [`Error::Config`] for a broken file.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(RUN);
        if path.exists() { read(&path).map(Some) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_made_another_way_is_not_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("fits");
        Workspace::create(&place, "size = 128\n").unwrap();
        Workspace::create(&place, "size = 128\n").unwrap();
        let error = Workspace::create(&place, "size = 64\n").unwrap_err().to_string();
        assert!(error.contains("prepared.toml: this folder was prepared with other options"), "{error}");
        let error = Workspace::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is no folder of fits: make one with `legato galfit prepare`"), "{error}");
        let error = Workspace::open(&place).unwrap().objects().unwrap_err().to_string();
        assert!(error.contains("no object was prepared"), "{error}");
    }

    #[test]
    fn what_is_not_known_survives_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let initial = Initial { x: 1.0, y: 2.0, mag: 20.0, re_maj: 3.0, n: 2.5, q: 0.5, pa: -10.0 };
        let object = Object {
            id: "a \"b\"".into(),
            file: "c d.fits".into(),
            corner: [-3, 7],
            zero_point: 25.9,
            pixel_scale: f64::NAN,
            snr: 12.0,
            flags: 5,
            initial,
        };
        object.write(folder.path()).unwrap();
        let back = Object::read(folder.path()).unwrap();
        assert!(back.pixel_scale.is_nan());
        assert_eq!(Object { pixel_scale: 1.0, ..back }, Object { pixel_scale: 1.0, ..object });
        assert_eq!(RunRecord::read(folder.path()).unwrap(), None);
    }
}
