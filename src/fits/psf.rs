//! Point spread functions from FITS images.

use super::image::open_images;
use crate::sky::Psf;
use crate::{Error, Result};
use std::path::Path;

/// Reads an effective PSF from the first image of a file at `pixel_scale` arcsec per pixel; normalised and
/// recentred as [`Psf::from_image`] does.
///
/// # Errors
/// As [`open_images`]; [`Error::Fits`] for an image that is no PSF.
pub fn read_psf(path: impl AsRef<Path>, pixel_scale: f64) -> Result<Psf> {
    let path = path.as_ref();
    let image = match open_images(path)?.next() {
        Some(image) => image?,
        None => return Err(Error::fits(path, "no image in this file; a PSF was expected")),
    };
    Psf::from_image(&image.pixels, image.width, pixel_scale)
        .map_err(|e| Error::fits_hdu(&image.path, image.hdu, e.to_string()))
}
