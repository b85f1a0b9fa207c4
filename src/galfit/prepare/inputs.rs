//! The files of a preparation: images, and what comes along with them.

use crate::fits::{Dataset, Image, ImageSource, open_images};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// How many images there are in these files.
///
/// # Errors
/// As [`open_images`], of the first that cannot be opened.
pub fn count(paths: &[PathBuf]) -> Result<usize> {
    paths.iter().map(|path| open_images(path).map(|images| images.total())).sum()
}

/// A file of images, and what it says of them as a data set.
pub(super) struct Input {
    pub(super) images: ImageSource,
    pub(super) ids: Option<Vec<i64>>,
    pub(super) sigma: Option<f64>,
    pub(super) exposure: Option<f64>,
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let images = open_images(path)?;
        let set = Dataset::open(path).ok().filter(|set| set.truth().is_some() && set.len() == images.total());
        let known = |value: f64| Some(value).filter(|v| v.is_finite() && *v > 0.0);
        Ok(Input {
            ids: set.as_ref().and_then(|set| Some(set.truth()?.iter().map(|truth| truth.id).collect())),
            sigma: set.as_ref().and_then(|set| known(set.meta().sigma)),
            exposure: set.as_ref().and_then(|set| known(set.meta().exposure)),
            images,
        })
    }
}

/// Images that come along with the images to be fitted, one each.
pub(super) struct Companions {
    option: &'static str,
    sources: Vec<ImageSource>,
}

impl Companions {
    pub(super) fn open(paths: &[PathBuf], option: &'static str, total: usize) -> Result<Self> {
        let mut sources = paths.iter().map(open_images).collect::<Result<Vec<_>>>()?;
        let found: usize = sources.iter().map(ImageSource::total).sum();
        if !paths.is_empty() && found != total {
            return Err(Error::Usage(format!(
                "{option} gives {found} images for {total}: one for each is needed"
            )));
        }
        // Taken from the end.
        sources.reverse();
        Ok(Companions { option, sources })
    }

    /// The next one, where there are any.
    pub(super) fn next(&mut self) -> Result<Option<(&'static str, Image)>> {
        while let Some(source) = self.sources.last_mut() {
            match source.next() {
                Some(image) => return Ok(Some((self.option, image?))),
                None => drop(self.sources.pop()),
            }
        }
        Ok(None)
    }
}
