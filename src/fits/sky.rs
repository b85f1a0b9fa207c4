//! Images of blank sky, to take noise from.

use super::image::first_image;
use crate::sky::SkyImage;
use crate::{Error, Result};
use std::path::Path;

/// Reads an image of blank sky, in the unit of the stamps that get its noise (e/s), from the first image of a file or
/// the HDU that the path selects, as in `sky.fits[SCI]`. Blank and other non-finite pixels are bad.
///
/// # Errors
/// As [`open_images`](super::open_images); [`Error::Fits`] for an image that [`SkyImage::new`] refuses.
pub fn read_sky(path: impl AsRef<Path>) -> Result<SkyImage> {
    let image = first_image(path.as_ref())?;
    let (width, hdu) = (image.width, image.hdu);
    SkyImage::new(image.pixels, width).map_err(|e| Error::fits_hdu(&image.path, hdu, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Hdu, write};
    use super::*;
    use crate::rng::{Philox, Stream};
    use crate::sky::{Noise, NoiseModel};
    use rand::Rng;

    #[test]
    fn an_image_of_blank_sky_is_read_and_its_noise_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sky.fits");
        let mut numbers = Philox::new(1, Stream::Test, 0, 0);
        let mut pixels: Vec<f32> = (0..53 * 41).map(|_| numbers.next_u32() as f32 / 4e9 + 10.0).collect();
        pixels[30 * 53 + 26] = f32::NAN;
        write(&path, &[Hdu::empty(), Hdu::floats(&[53, 41], &pixels)]);
        let image = read_sky(&path).unwrap();
        assert_eq!((image.width(), image.height()), (53, 41));
        // Even between 10 and 11.07: σ is that over √12.
        assert!((image.sigma() - 1.0737 / 12f64.sqrt()).abs() < 0.02);
        let noise =
            Noise::new(&NoiseModel::Image { image, autocorrelation: None }, f64::INFINITY, 19).unwrap();
        for index in 0..300 {
            let mut stamp = vec![0.0; 19 * 19];
            noise.add(&mut stamp, 2, index);
            assert!(stamp.iter().all(|p| p.abs() < 1.1) && stamp.iter().any(|p| *p > 0.3));
        }
    }

    #[test]
    fn files_without_blank_sky_are_errors_that_name_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flat.fits");
        let message = |path: &Path| read_sky(path).unwrap_err().to_string();
        assert!(message(&path).contains("flat.fits"));
        write(&path, &[Hdu::empty()]);
        assert!(message(&path).contains("flat.fits: no image"));
        write(&path, &[Hdu::empty(), Hdu::floats(&[4, 3], &[1.5; 12])]);
        assert!(message(&path).contains("flat.fits[1]: image of blank sky: all its pixels are 1.5"));
    }
}
