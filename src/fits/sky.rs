//! Images of blank sky, to take noise from.

use super::image::open_images;
use crate::sky::SkyImage;
use crate::{Error, Result};
use std::path::Path;

/// Reads an image of blank sky, in the unit of the stamps that get its noise (e/s), from the first image of a file or
/// the HDU that the path selects, as in `sky.fits[SCI]`. Blank and other non-finite pixels are bad.
///
/// # Errors
/// As [`open_images`]; [`Error::Fits`] for an image that [`SkyImage::new`] refuses.
pub fn read_sky(path: impl AsRef<Path>) -> Result<SkyImage> {
    let path = path.as_ref();
    let image = match open_images(path)?.next() {
        Some(image) => image?,
        None => return Err(Error::fits(path, "no image in this file; one of blank sky was expected")),
    };
    let (width, hdu) = (image.width, image.hdu);
    SkyImage::new(image.pixels, width).map_err(|e| Error::fits_hdu(&image.path, hdu, e.to_string()))
}
