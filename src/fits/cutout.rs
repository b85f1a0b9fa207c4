//! A part of an image as a file of its own, for other programs.

use super::header::Cards;
use super::image::Image;
use super::raw::FitsFile;
use super::writer::renamed;
use crate::Result;
use crate::files::Pending;
use std::path::Path;

/// The cards that say where an image lies on the sky, but for the reference pixel.
const PLACE: [&str; 22] = [
    "CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2", "CRVAL1", "CRVAL2", "CDELT1", "CDELT2", "CROTA1", "CROTA2",
    "CD1_1", "CD1_2", "CD2_1", "CD2_2", "PC1_1", "PC1_2", "PC2_1", "PC2_2", "LONPOLE", "LATPOLE", "RADESYS",
    "EQUINOX",
];

/// Pixels to be written as an image, and what its header is to say.
#[derive(Clone, Debug)]
pub struct Cutout<'a> {
    /// Row-major, y up.
    pub pixels: &'a [f32],
    /// Columns.
    pub width: usize,
    /// Keywords, their values and what they mean.
    pub numbers: &'a [(&'a str, f64, &'a str)],
    /// The image that it is a part of, and the FITS pixel of that which is its first; its place on the sky is written.
    pub part_of: Option<(&'a Image, (i64, i64))>,
}

impl Cutout<'_> {
    /// Writes the pixels as the primary image of a file, which appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) and [`Error::Fits`](crate::Error::Fits) where it cannot be written, or the image's header no longer read.
    pub fn write(&self, path: &Path) -> Result<()> {
        let pending = Pending::new(path)?;
        let write = || -> Result<()> {
            let mut file = FitsFile::create(&pending.path())?;
            file.add_image(&[self.width, self.pixels.len() / self.width.max(1)])?;
            for (key, value, meaning) in self.numbers {
                file.set_f64(key, *value, meaning)?;
            }
            if let Some((image, corner)) = self.part_of
                && image.header.wcs.is_some()
            {
                write_place(&mut file, image, corner)?;
            }
            file.write_pixels(0, self.pixels)?;
            file.close()
        };
        write().map_err(|e| renamed(e, path))?;
        pending.finish()
    }
}

/// Copies the image's place on the sky, its reference pixel counted from `corner`.
fn write_place(file: &mut FitsFile, image: &Image, corner: (i64, i64)) -> Result<()> {
    let mut source = FitsFile::open(&image.path)?;
    source.go_to(image.hdu)?;
    let cards = source.cards()?;
    let parsed = Cards::parse(&cards);
    for card in &cards {
        if card.get(..8).is_some_and(|key| PLACE.contains(&key.trim_end())) {
            file.add_card(card)?;
        }
    }
    for (key, first) in [("CRPIX1", corner.0), ("CRPIX2", corner.1)] {
        if let Some(reference) = parsed.number(key) {
            file.set_f64(key, reference - (first - 1) as f64, "reference pixel")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::image::first_image;
    use super::super::testing::{Hdu, write};
    use super::*;

    #[test]
    fn a_part_lies_where_it_lay_on_the_sky() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mosaic.fits");
        let mut hdu = Hdu::floats(&[9, 7], &(0..63).map(|i| i as f32).collect::<Vec<_>>());
        for card in [
            "CTYPE1  = 'RA---TAN'",
            "CTYPE2  = 'DEC--TAN'",
            "CRVAL1  = 34.5",
            "CRVAL2  = -5.25",
            "CRPIX1  = 4.5",
            "CRPIX2  = 3.0",
            "CD1_1   = -1.6E-5",
            "CD1_2   = 2.0E-6",
            "CD2_1   = 1.0E-6",
            "CD2_2   = 1.7E-5",
        ] {
            hdu = hdu.card(card);
        }
        write(&path, &[Hdu::empty(), hdu]);
        let image = first_image(&path).unwrap();
        let part = folder.path().join("part.fits");
        let cutout = Cutout {
            pixels: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            width: 3,
            numbers: &[("EXPTIME", 1.0, "[s]")],
            part_of: Some((&image, (5, 3))),
        };
        cutout.write(&part).unwrap();
        let back = first_image(&part).unwrap();
        assert_eq!((back.width, back.height, back.header.exposure), (3, 2, Some(1.0)));
        assert_eq!(back.pixels, cutout.pixels);
        let place = |image: &Image, x, y| image.header.wcs.as_ref().map(|wcs| wcs.sky(x, y)).unwrap();
        assert_eq!(place(&image, 6.0, 4.5), place(&back, 2.0, 2.5));
        let alone = Cutout { part_of: None, ..cutout };
        alone.write(&part).unwrap();
        assert!(first_image(&part).unwrap().header.wcs.is_none());
        let error = alone.write(&folder.path().join("no/part.fits")).unwrap_err().to_string();
        assert!(error.contains("no/part.fits: cannot write"), "{error}");
    }
}
