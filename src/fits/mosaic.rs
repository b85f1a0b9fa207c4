//! An image of any size, read by windows: only the rows that are asked for are in memory, and few of them.

use super::header::Header;
use super::image::{Entry, find, stem};
use super::raw::FitsFile;
use crate::{Error, Result};
use std::path::Path;

/// Bytes of pixels that are read at once, about.
const BAND: usize = 1 << 20;
/// Bytes of pixels that are kept, at most, of one mosaic.
const KEPT: usize = 48 << 20;

/// An image that need not fit into memory. Windows are cut out of bands of whole rows, the last used of which are kept
/// (48 MiB, or a single band where that is larger): objects in the order of their y cost one pass over the file, and
/// objects in any order no more memory.
///
/// ```no_run
/// # fn main() -> legato::Result<()> {
/// let mut mosaic = legato::fits::Mosaic::open("field_drz.fits[SCI]")?;
/// let (x, y) = (1204.3, 877.0); // FITS pixels: the first pixel's centre is (1, 1)
/// let stamp = mosaic.window(x as i64 - 64, y as i64 - 64, 128, 128)?;
/// # Ok(()) }
/// ```
pub struct Mosaic {
    file: FitsFile,
    entry: Entry,
    name: String,
    /// Rows a band.
    rows: usize,
    /// Bands that are kept, by their number; the last used last.
    bands: Vec<(usize, Vec<f32>)>,
    limit: usize,
}

impl Mosaic {
    /// Opens the one image of a file (`.fits`, `.fits.gz`, `.fits.fz`, any pixel type): that of the HDU which `path`
    /// selects, as in `mosaic.fits[SCI]` or `mosaic.fits[2]`; else the only one; else the one called `SCI`. A file of
    /// gzip is unpacked in memory, or where that would be more than 256 MiB into a temporary file.
    ///
    /// # Errors
    /// As [`open_images`](super::open_images); [`Error::Fits`] for several images, a cube, or a file that is shorter than
    /// its header says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let (mut file, mut entries) = find(path.as_ref())?;
        let named = |e: &Entry| e.header.extension.as_deref().is_some_and(|n| n.eq_ignore_ascii_case("SCI"));
        if entries.len() > 1
            && let Some(science) = entries.iter().position(named)
        {
            entries = vec![entries.swap_remove(science)];
        }
        let (total, entry) = (entries.len(), entries.swap_remove(0));
        if total > 1 {
            let select = format!("{}[{}]", file.path().display(), entry.hdu);
            let message = format!("has {total} images and a mosaic is one: select it, as in {select}");
            return Err(Error::fits(file.path(), message));
        }
        if entry.planes > 1 {
            let message = format!("is a cube of {} images; a mosaic is one image", entry.planes);
            return Err(Error::fits_hdu(file.path(), entry.hdu, message));
        }
        file.go_to(entry.hdu)?;
        file.check_whole(&entry.shape())?;
        let row = 4 * entry.width;
        // A band of compressed tiles is one or more whole rows of them, so that no tile is unpacked twice for it.
        let tile = entry.tile_rows.max(1);
        let rows = (BAND / row).max(1).next_multiple_of(tile).min(entry.height);
        let limit = (KEPT / (row * rows)).max(1);
        let name = stem(file.path());
        Ok(Mosaic { file, entry, name, rows, bands: Vec::new(), limit })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The HDU, 0 being the primary.
    pub fn hdu(&self) -> usize {
        self.entry.hdu
    }

    /// The file's name without its endings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.entry.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.entry.height
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.entry.header
    }

    /// `width`×`height` pixels, row-major, y up, of which the first is the FITS pixel (`x0`, `y0`): (1, 1) is the
    /// image's first. NaN for blank and other non-finite pixels, and for those beyond the image.
    ///
    /// # Errors
    /// [`Error::Fits`] for rows that cannot be read.
    pub fn window(&mut self, x0: i64, y0: i64, width: usize, height: usize) -> Result<Vec<f32>> {
        let mut pixels = vec![f32::NAN; width * height];
        // Which of the window's columns, and the image's 0-based ones, there are.
        let Some((columns, from)) = overlap(x0, width, self.entry.width) else { return Ok(pixels) };
        let Some((rows, first)) = overlap(y0, height, self.entry.height) else { return Ok(pixels) };
        for (i, row) in rows.enumerate() {
            let line = self.row(first + i)?;
            let part = &line[from..from + columns.len()];
            pixels[row * width..][columns.clone()].copy_from_slice(part);
        }
        pixels.iter_mut().filter(|p| !p.is_finite()).for_each(|p| *p = f32::NAN);
        Ok(pixels)
    }

    /// A row of pixels, counted from 0.
    fn row(&mut self, row: usize) -> Result<&[f32]> {
        let (number, width) = (row / self.rows, self.entry.width);
        match self.bands.iter().rposition(|(band, _)| *band == number) {
            Some(place) => {
                let band = self.bands.remove(place);
                self.bands.push(band);
            }
            None => {
                // The band that was not used for longest makes room.
                let mut band =
                    if self.bands.len() < self.limit { Vec::new() } else { self.bands.remove(0).1 };
                let first = number * self.rows;
                let rows = self.rows.min(self.entry.height - first);
                band.resize(rows * width, 0.0);
                self.file.read_rows(first, &mut band)?;
                self.bands.push((number, band));
            }
        }
        let start = (row % self.rows) * width;
        Ok(self.bands.last().map_or(&[], |(_, band)| &band[start..start + width]))
    }

    /// Opens a map that belongs to this mosaic.
    ///
    /// # Errors
    /// As [`Mosaic::open`]; [`Error::Fits`] for a map of another size.
    pub(super) fn companion(&self, path: &Path, what: &str) -> Result<Mosaic> {
        let map = Mosaic::open(path)?;
        let (ours, theirs) = ((self.width(), self.height()), (map.width(), map.height()));
        if ours != theirs {
            let message = format!(
                "the {what} has {}×{} pixels, but the image {} has {}×{}: both must be of one size",
                theirs.0,
                theirs.1,
                self.path().display(),
                ours.0,
                ours.1
            );
            return Err(Error::fits_hdu(map.path(), map.hdu(), message));
        }
        Ok(map)
    }
}

/// Of `count` FITS pixels from `start` on, along an axis of `length`: which there are, and the first one's 0-based
/// number on the image.
pub(super) fn overlap(start: i64, count: usize, length: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let start = i128::from(start) - 1;
    let from = (-start).max(0);
    let to = (length as i128 - start).min(count as i128);
    (from < to).then(|| (from as usize..to as usize, (start + from) as usize))
}

#[cfg(test)]
mod tests {
    use super::super::image::first_image;
    use super::super::testing::{Hdu, write};
    use super::*;

    fn message(path: &Path) -> String {
        Mosaic::open(path).err().unwrap().to_string()
    }

    #[test]
    fn windows_are_the_images_pixels_wherever_they_lie_and_however_they_are_stored() {
        let folder = tempfile::tempdir().unwrap();
        let (width, height) = (97, 83);
        let numbers: Vec<i16> = (0..width * height).map(|i| ((i * 7919) % 30011) as i16 - 1).collect();
        let scaled = Hdu::shorts(&[width, height], &numbers).card("BZERO   = 100.0").card("BSCALE  = 0.5");
        let floats: Vec<f32> = numbers.iter().map(|n| f32::from(*n) * 0.5 + 100.0).collect();
        for (name, hdu) in [
            ("shorts.fits", scaled.card("BLANK   = -1")),
            ("floats.fits", Hdu::floats(&[width, height], &floats)),
        ] {
            let path = folder.path().join(name);
            write(&path, &[Hdu::empty(), hdu.card("EXTNAME = 'SCI'"), Hdu::floats(&[2, 2], &[0.0; 4])]);
            let mut mosaic = Mosaic::open(&path).unwrap();
            assert_eq!((mosaic.width(), mosaic.height(), mosaic.hdu()), (width, height, 1));
            // Bands that divide nothing, few of them kept.
            (mosaic.rows, mosaic.limit) = (7, 3);
            let whole = first_image(&folder.path().join(format!("{name}[SCI]"))).unwrap().pixels;
            for (x0, y0, w, h) in [(1, 1, 97, 83), (-4, 60, 30, 40), (90, -10, 20, 25), (40, 13, 1, 22)] {
                let window = mosaic.window(x0, y0, w, h).unwrap();
                assert_eq!(window.len(), w * h);
                for (i, found) in window.iter().enumerate() {
                    let (x, y) = (x0 + (i % w) as i64, y0 + (i / w) as i64);
                    let inside = (1..=97).contains(&x) && (1..=83).contains(&y);
                    let expected =
                        if inside { whole[(y as usize - 1) * width + x as usize - 1] } else { f32::NAN };
                    assert_eq!(found.to_bits(), expected.to_bits(), "{name} {x} {y}");
                }
                assert!(mosaic.bands.len() <= 3);
            }
            assert!(mosaic.window(i64::MIN, i64::MAX, 3, 3).unwrap().iter().all(|p| p.is_nan()));
        }
    }

    #[test]
    fn bands_are_read_once_for_objects_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("field.fits");
        write(&path, &[Hdu::floats(&[50, 60], &[1.0; 3000])]);
        let mut mosaic = Mosaic::open(&path).unwrap();
        (mosaic.rows, mosaic.limit) = (10, 2);
        mosaic.window(1, 1, 9, 15).unwrap();
        // Were a band that is kept read anew, it would be seen.
        mosaic.bands.iter_mut().for_each(|(_, band)| band.fill(2.0));
        assert!(mosaic.window(20, 3, 9, 15).unwrap().iter().all(|p| *p == 2.0));
        assert_eq!(mosaic.window(1, 21, 1, 1).unwrap(), [1.0]);
        // The first band had to go, the second not.
        assert_eq!(mosaic.window(1, 11, 1, 1).unwrap(), [2.0]);
        assert_eq!(mosaic.window(1, 10, 1, 1).unwrap(), [1.0]);
    }

    #[test]
    fn what_is_not_one_image_is_an_error_that_says_what_to_select() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.fits");
        let image = Hdu::floats(&[2, 2], &[0.0; 4]);
        write(&path, &[Hdu::empty(), image.clone(), image.clone()]);
        let error = message(&path);
        assert!(error.contains("two.fits: has 2 images and a mosaic is one"), "{error}");
        assert!(error.contains("two.fits[1]"), "{error}");
        assert!(Mosaic::open(folder.path().join("two.fits[2]")).is_ok());
        write(&path, &[Hdu::floats(&[2, 2, 3], &[0.0; 12])]);
        assert!(message(&path).contains("two.fits[0]: is a cube of 3 images"));
        write(&path, &[Hdu::floats(&[900, 900], &vec![0.0; 810_000])]);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..1_000_000]).unwrap();
        assert!(message(&path).contains("truncated"));
    }

    #[test]
    fn maps_of_another_size_are_refused_with_both_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, map) = (folder.path().join("field.fits"), folder.path().join("rms.fits"));
        write(&path, &[Hdu::floats(&[5, 4], &[0.0; 20])]);
        write(&map, &[Hdu::floats(&[4, 5], &[0.0; 20])]);
        let mosaic = Mosaic::open(&path).unwrap();
        let error = mosaic.companion(&map, "rms map").err().unwrap().to_string();
        assert!(error.contains("rms.fits[0]: the rms map has 4×5 pixels"), "{error}");
        assert!(error.contains("field.fits has 5×4"), "{error}");
    }
}
