//! A mosaic with the maps that belong to it: its noise and what is bad.

use super::image::Image;
use super::mosaic::{Mosaic, overlap};
use crate::Result;
use std::path::Path;

/// A mosaic with, where there are such, a map of its noise and a mask.
///
/// ```no_run
/// # fn main() -> legato::Result<()> {
/// use legato::fits::{Cutter, Layers, Mosaic};
/// let mut field = Layers::new(Mosaic::open("drz.fits[SCI]")?).with_rms("rms.fits")?.with_mask("bad.fits")?;
/// let cutter = Cutter { pixel_scale: Some(0.06), ..Cutter::new(128) };
/// let stamp = cutter.from_mosaic(&mut field, (1204.3, 877.0), 0)?;
/// # Ok(()) }
/// ```
pub struct Layers {
    image: Mosaic,
    noise: Option<(NoiseMap, Mosaic)>,
    mask: Option<Mosaic>,
}

/// What a map of noise holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum NoiseMap {
    /// Standard deviations.
    Rms,
    /// Inverse variances.
    Weight,
}

/// A part of an image, and where it lies there.
#[derive(Clone, Debug)]
pub struct Window {
    /// FITS pixel of the image that is the window's first; it may lie beyond the image.
    pub corner: (i64, i64),
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Columns and rows of the whole image.
    pub image: (usize, usize),
    /// Row-major, y up, in the image's unit; NaN for what is bad, masked or beyond the image.
    pub pixels: Vec<f32>,
    /// Standard deviation of each pixel's noise in the image's unit, where it is known; NaN as `pixels`.
    pub rms: Option<Vec<f32>>,
}

impl Window {
    /// `side`² pixels of an image from the FITS pixel `corner` on.
    pub(super) fn of(image: &Image, corner: (i64, i64), side: usize) -> Self {
        let mut pixels = vec![f32::NAN; side * side];
        let (columns, rows) = (overlap(corner.0, side, image.width), overlap(corner.1, side, image.height));
        if let (Some((columns, from)), Some((rows, first))) = (columns, rows) {
            for (i, row) in rows.enumerate() {
                let part = &image.pixels[(first + i) * image.width + from..][..columns.len()];
                pixels[row * side..][columns.clone()].copy_from_slice(part);
            }
        }
        pixels.iter_mut().filter(|p| !p.is_finite()).for_each(|p| *p = f32::NAN);
        Window { corner, width: side, height: side, image: (image.width, image.height), pixels, rms: None }
    }

    /// The FITS pixel of the image that a pixel of the window, counted from 0, is.
    pub fn place(&self, index: usize) -> (i64, i64) {
        (self.corner.0 + (index % self.width) as i64, self.corner.1 + (index / self.width) as i64)
    }

    /// Whether a pixel of the window lies on the image.
    pub fn is_inside(&self, index: usize) -> bool {
        let (x, y) = self.place(index);
        x >= 1 && y >= 1 && x <= self.image.0 as i64 && y <= self.image.1 as i64
    }
}

impl Layers {
    /// A mosaic without maps.
    pub fn new(image: Mosaic) -> Self {
        Layers { image, noise: None, mask: None }
    }

    /// Adds a map of standard deviations in the mosaic's unit. Pixels where it is not positive are bad.
    ///
    /// # Errors
    /// As [`Mosaic::open`]; [`Error::Fits`](crate::Error::Fits) with both sizes where the map's is another.
    pub fn with_rms(mut self, path: impl AsRef<Path>) -> Result<Self> {
        self.noise = Some((NoiseMap::Rms, self.image.companion(path.as_ref(), "rms map")?));
        Ok(self)
    }

    /// Adds a map of inverse variances, 1/σ², in place of one of standard deviations. Pixels of no weight are bad.
    ///
    /// # Errors
    /// As [`Layers::with_rms`].
    pub fn with_weight(mut self, path: impl AsRef<Path>) -> Result<Self> {
        self.noise = Some((NoiseMap::Weight, self.image.companion(path.as_ref(), "weight map")?));
        Ok(self)
    }

    /// Adds a mask. Pixels where it is not zero are bad.
    ///
    /// # Errors
    /// As [`Layers::with_rms`].
    pub fn with_mask(mut self, path: impl AsRef<Path>) -> Result<Self> {
        self.mask = Some(self.image.companion(path.as_ref(), "mask")?);
        Ok(self)
    }

    /// The mosaic.
    pub fn image(&self) -> &Mosaic {
        &self.image
    }

    /// A part of all layers; arguments as of [`Mosaic::window`].
    ///
    /// # Errors
    /// As [`Mosaic::window`].
    pub fn window(&mut self, x0: i64, y0: i64, width: usize, height: usize) -> Result<Window> {
        let mut pixels = self.image.window(x0, y0, width, height)?;
        let mut rms = None;
        if let Some((kind, map)) = &mut self.noise {
            let mut sigmas = map.window(x0, y0, width, height)?;
            for sigma in &mut sigmas {
                if *kind == NoiseMap::Weight {
                    *sigma = 1.0 / sigma.sqrt();
                }
                if !(sigma.is_finite() && *sigma > 0.0) {
                    *sigma = f32::NAN;
                }
            }
            rms = Some(sigmas);
        }
        if let Some(mask) = &mut self.mask {
            let mask = mask.window(x0, y0, width, height)?;
            // A blank pixel of a mask is not one that says that all is well.
            pixels.iter_mut().zip(mask).filter(|(_, m)| *m != 0.0).for_each(|(p, _)| *p = f32::NAN);
        }
        if let Some(rms) = &mut rms {
            for (pixel, sigma) in pixels.iter_mut().zip(rms) {
                if pixel.is_nan() || sigma.is_nan() {
                    (*pixel, *sigma) = (f32::NAN, f32::NAN);
                }
            }
        }
        let image = (self.image.width(), self.image.height());
        Ok(Window { corner: (x0, y0), width, height, image, pixels, rms })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Hdu, write};
    use super::*;

    #[test]
    fn masked_pixels_and_those_without_noise_or_weight_are_bad_in_every_layer() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&path("image.fits"), &[Hdu::floats(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN])]);
        write(&path("mask.fits"), &[Hdu::shorts(&[3, 2], &[0, 7, 0, 0, 0, 0])]);
        write(&path("rms.fits"), &[Hdu::floats(&[3, 2], &[0.5, 0.5, 0.0, 0.25, -1.0, 0.5])]);
        write(&path("weight.fits"), &[Hdu::floats(&[3, 2], &[4.0, 4.0, 0.0, 16.0, -1.0, 4.0])]);
        let open = || Layers::new(Mosaic::open(path("image.fits")).unwrap());
        let known = [0.5, f32::NAN, f32::NAN, 0.25, f32::NAN, f32::NAN];
        for layers in [open().with_rms(path("rms.fits")), open().with_weight(path("weight.fits"))] {
            let mut layers = layers.unwrap().with_mask(path("mask.fits")).unwrap();
            let window = layers.window(1, 1, 3, 2).unwrap();
            let rms = window.rms.unwrap();
            for i in 0..6 {
                assert_eq!(rms[i].to_bits(), known[i].to_bits(), "{i}");
                assert_eq!(window.pixels[i].is_nan(), known[i].is_nan(), "{i}");
            }
        }
        let window = open().window(0, 1, 2, 1).unwrap();
        assert!(window.rms.is_none() && !window.is_inside(0) && window.is_inside(1));
        assert_eq!((window.place(1), window.pixels[1]), ((1, 1), 1.0));
        assert!(open().with_mask(path("rms.fits[9]")).is_err());
    }
}
