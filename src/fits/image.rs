//! The images in a FITS file, one after another, as measuring wants them.

use super::block_headers::is_model;
use super::calibration::{Origin, direct_zero_point};
use super::header::{Cards, Header};
use super::raw::FitsFile;
use crate::files::split_selection;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// An image to measure.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The file it is from.
    pub path: PathBuf,
    /// Its HDU, 0 being the primary.
    pub hdu: usize,
    /// Its plane, counting from 0, where the HDU is a cube.
    pub plane: Option<usize>,
    /// The file's name without its endings, with `[hdu]` or `[hdu,plane]` (1-based) where it holds more than one.
    pub name: String,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row-major, the first row being FITS row 1 (y up); blank and other non-finite pixels are NaN.
    pub pixels: Vec<f32>,
    /// What the header says.
    pub header: Header,
}

/// One HDU that holds images.
pub(super) struct Entry {
    pub(super) hdu: usize,
    axes: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) planes: usize,
    /// Rows of a compressed image's tiles; 1 for others.
    pub(super) tile_rows: usize,
    pub(super) header: Header,
}

impl Entry {
    /// The lengths of its axes, those of length one included.
    pub(super) fn shape(&self) -> Vec<usize> {
        let mut shape = vec![1; self.axes];
        shape[..2].copy_from_slice(&[self.width, self.height]);
        if self.axes > 2 {
            shape[2] = self.planes;
        }
        shape
    }
}

/// The images of a file, read one at a time.
pub struct ImageSource {
    file: FitsFile,
    entries: Vec<Entry>,
    stem: String,
    total: usize,
    /// The next image: entry and plane.
    next: (usize, usize),
}

/// Opens the images in a file: every image HDU is one, a cube is one per plane. Of a GALFIT output block
/// (data, model, residual) only the data count. `path` may select an HDU by its number or name, as in
/// `mosaic.fits[2]` or `mosaic.fits[SCI]`; compressed files (`.gz`, `.fz`) are read as they are.
///
/// # Errors
/// [`Error::Io`] where there is no such file; [`Error::Fits`] for what is not FITS, has no image, or not the
/// HDU asked for.
pub fn open_images(path: impl AsRef<Path>) -> Result<ImageSource> {
    let (file, entries) = find(path.as_ref())?;
    let (stem, total) = (stem(file.path()), entries.iter().map(|e| e.planes).sum());
    Ok(ImageSource { file, entries, stem, total, next: (0, 0) })
}

/// A file and those of its HDUs, one at least, that [`open_images`] reads.
pub(super) fn find(path: &Path) -> Result<(FitsFile, Vec<Entry>)> {
    let (path, selection) = split_selection(path);
    let mut file = FitsFile::open(&path)?;
    let entries = match selection {
        Some(wanted) => vec![selected(&mut file, &wanted)?],
        None => all(&mut file)?,
    };
    if entries.is_empty() {
        return Err(Error::fits(&path, "no image in this file: every HDU is empty or a table"));
    }
    Ok((file, entries))
}

/// The first image of a file, opened as [`open_images`] does.
///
/// # Errors
/// As [`open_images`].
pub(super) fn first_image(path: &Path) -> Result<Image> {
    // A file without images was not opened.
    open_images(path)?.next().unwrap_or_else(|| Err(Error::fits(path, "no image in this file")))
}

impl ImageSource {
    /// All images in the file, read or not.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What the headers of its images say, one for each HDU.
    pub fn headers(&self) -> impl Iterator<Item = &Header> {
        self.entries.iter().map(|entry| &entry.header)
    }

    fn read(&mut self, entry: usize, plane: usize) -> Result<Image> {
        let Entry { hdu, axes, width, height, planes, ref header, .. } = self.entries[entry];
        let header = header.clone();
        self.file.go_to(hdu)?;
        self.file.check_whole(&self.entries[entry].shape())?;
        let mut pixels = Vec::new();
        let size = width * height;
        if pixels.try_reserve_exact(size).is_err() {
            return Err(self.file.error(format!("no memory for an image of {width}×{height} pixels")));
        }
        pixels.resize(size, 0.0);
        self.file.read_pixels(axes, plane, &mut pixels)?;
        for pixel in pixels.iter_mut().filter(|p| !p.is_finite()) {
            *pixel = f32::NAN;
        }
        let name = match (self.total, planes) {
            (1, _) => self.stem.clone(),
            (_, 1) => format!("{}[{hdu}]", self.stem),
            _ => format!("{}[{hdu},{}]", self.stem, plane + 1),
        };
        let plane = (planes > 1).then_some(plane);
        Ok(Image { path: self.file.path().to_owned(), hdu, plane, name, width, height, pixels, header })
    }
}

impl Iterator for ImageSource {
    type Item = Result<Image>;

    fn next(&mut self) -> Option<Self::Item> {
        let (entry, plane) = self.next;
        let planes = self.entries.get(entry)?.planes;
        self.next = if plane + 1 < planes { (entry, plane + 1) } else { (entry + 1, 0) };
        Some(self.read(entry, plane))
    }

    /// As of any iterator, but those that are passed over are not read.
    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        let mut left = n;
        loop {
            let (entry, plane) = self.next;
            let there = self.entries.get(entry)?.planes - plane;
            if left < there {
                self.next.1 += left;
                return self.next();
            }
            left -= there;
            self.next = (entry + 1, 0);
        }
    }
}

/// The file's name without `.fits`, `.fit`, `.fts` and the compressions' endings.
pub(super) fn stem(path: &Path) -> String {
    let mut name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    for ending in [".gz", ".fz", ".fits", ".fit", ".fts"] {
        let short = name.len().saturating_sub(ending.len());
        if short > 0 && name.is_char_boundary(short) && name[short..].eq_ignore_ascii_case(ending) {
            name.truncate(short);
        }
    }
    name
}

/// The current HDU as an entry; `None` where it is a table or holds no pixels.
fn entry(file: &mut FitsFile, hdu: usize) -> Result<Option<(Entry, Cards)>> {
    if !file.go_to(hdu)? {
        return Ok(None);
    }
    let shape = file.image_shape()?;
    let cards = Cards::parse(&file.cards()?);
    let Some((&[width, height], deeper)) = shape.split_first_chunk::<2>() else {
        return Ok(None);
    };
    // Trailing axes of length one, as radio images have them, mean nothing.
    let planes = deeper.first().copied().unwrap_or(1);
    if width == 0 || height == 0 || planes == 0 || deeper.iter().skip(1).any(|&n| n != 1) {
        return Ok(None);
    }
    let cards = match hdu {
        0 => cards,
        _ => cards.inherit(&empty_primary(file, hdu)?),
    };
    let header = Header::from_cards(&cards);
    let tile_rows = cards.number("ZTILE2").map_or(1, |rows| rows as usize);
    Ok(Some((Entry { hdu, axes: shape.len(), width, height, planes, tile_rows, header }, cards)))
}

/// The cards of the primary HDU where it has no data; none where it has. The current HDU stays `hdu`.
fn empty_primary(file: &mut FitsFile, hdu: usize) -> Result<Cards> {
    file.go_to(0)?;
    let empty = file.image_shape()?.is_empty();
    let cards = if empty { Cards::parse(&file.cards()?) } else { Cards::default() };
    file.go_to(hdu)?;
    Ok(cards)
}

fn all(file: &mut FitsFile) -> Result<Vec<Entry>> {
    let mut found: Vec<(Entry, Cards)> = Vec::new();
    for hdu in 0..file.hdu_count()? {
        found.extend(entry(file, hdu)?);
    }
    // GALFIT's block: a model that names its first component, between data and residual of its size.
    let model = found.windows(3).position(|w| {
        let same = |e: &Entry| (e.width, e.height) == (w[1].0.width, w[1].0.height);
        is_model(&w[1].1) && same(&w[0].0) && same(&w[2].0)
    });
    if let Some(data) = model {
        let told = direct_zero_point(&found[data + 1].1);
        let (mut entry, cards) = found.swap_remove(data);
        // GALFIT divides the image by its EXPTIME, 1 s where there is none, whatever the unit.
        let seconds = cards.number("EXPTIME").filter(|&t| t > 0.0).unwrap_or(1.0);
        let zero_point = told.map(|zero_point| zero_point + 2.5 * seconds.log10());
        // The zero point GALFIT was told is better than one from the instrument's PHOTFLAM.
        if direct_zero_point(&cards).is_none() && zero_point.is_some() {
            entry.header.zero_point = zero_point;
            entry.header.origin = Origin::elsewhere("the model of the GALFIT block and EXPTIME");
        }
        return Ok(vec![entry]);
    }
    Ok(found.into_iter().map(|(entry, _)| entry).collect())
}

fn selected(file: &mut FitsFile, wanted: &str) -> Result<Entry> {
    let count = file.hdu_count()?;
    let path = file.path().to_owned();
    let missing = |what: String| Error::fits_hdu(&path, wanted, what);
    let hdu = match wanted.parse::<usize>() {
        Ok(number) if number < count => number,
        Ok(_) => return Err(missing(format!("there is no such HDU; the file has 0 to {}", count - 1))),
        Err(_) => {
            let mut match_ = None;
            let mut names = Vec::new();
            for hdu in 0..count {
                file.go_to(hdu)?;
                if let Some(name) = Cards::parse(&file.cards()?).text("EXTNAME") {
                    if name.eq_ignore_ascii_case(wanted) {
                        match_ = Some(hdu);
                        break;
                    }
                    names.push(name.to_owned());
                }
            }
            match_.ok_or_else(|| {
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                missing(format!("no HDU of this name; the file's names: {names}"))
            })?
        }
    };
    match entry(file, hdu)? {
        Some((entry, _)) => Ok(entry),
        None => Err(missing("this HDU holds no image".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Hdu, write};
    use super::*;

    fn read(path: &Path) -> Vec<Image> {
        open_images(path).unwrap().map(|i| i.unwrap()).collect()
    }

    fn message(path: &Path) -> String {
        match open_images(path).and_then(|images| images.collect::<Result<Vec<_>>>()) {
            Ok(_) => panic!("{} was read", path.display()),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn a_plain_image_is_read_with_its_first_row_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("NGC 1 [draft].fits");
        let hdu = Hdu::floats(&[3, 2], &[1.0, 2.0, 3.0, 4.0, f32::NAN, f32::INFINITY]);
        write(&path, &[hdu.card("MAGZPT  =                 25.0").card("no equals").card("")]);
        let images = read(&path);
        assert_eq!(images.len(), 1);
        let image = &images[0];
        assert_eq!((image.width, image.height, image.plane), (3, 2, None));
        assert_eq!(image.pixels[..4], [1.0, 2.0, 3.0, 4.0]);
        assert!(image.pixels[4].is_nan() && image.pixels[5].is_nan());
        assert_eq!((image.name.as_str(), image.header.zero_point), ("NGC 1 [draft]", Some(25.0)));
    }

    #[test]
    fn integers_are_scaled_and_their_blanks_are_nan() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counts.fits");
        let hdu = Hdu::shorts(&[2, 2], &[0, 10, -32768, 4]);
        let hdu = hdu.card("BSCALE  =                  0.5").card("BZERO   =                100.0");
        write(&path, &[hdu.card("BLANK   =               -32768")]);
        let pixels = &read(&path)[0].pixels;
        assert_eq!((pixels[0], pixels[1], pixels[3]), (100.0, 105.0, 102.0));
        assert!(pixels[2].is_nan());
    }

    #[test]
    fn a_cube_is_an_image_per_plane_and_tables_and_empty_hdus_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("many.fits");
        let cube: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let second = Hdu::floats(&[2, 1, 1, 1], &[5.0, 6.0]).card("EXTNAME = 'SCI'");
        write(&path, &[Hdu::empty(), Hdu::floats(&[2, 3, 2], &cube), second]);
        let images = read(&path);
        assert_eq!(images.len(), 3);
        assert_eq!(images[1].pixels, [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        assert_eq!((images[1].plane, images[1].name.as_str()), (Some(1), "many[1,2]"));
        assert_eq!(images[2].name, "many[2]");
        let nth = |n| open_images(&path).unwrap().nth(n).map(|image| image.unwrap().name);
        assert_eq!(
            (0..4).map(nth).collect::<Vec<_>>(),
            images.iter().map(|i| Some(i.name.clone())).chain([None]).collect::<Vec<_>>()
        );
        for extension in ["2", "SCI", "sci"] {
            let one = folder.path().join(format!("many.fits[{extension}]"));
            assert_eq!(read(&one)[0].pixels, [5.0, 6.0]);
        }
        let absent = message(&folder.path().join("many.fits[7]"));
        assert!(absent.contains("many.fits[7]: there is no such HDU; the file has 0 to 2"), "{absent}");
        let absent = message(&folder.path().join("many.fits[RMS]"));
        assert!(absent.contains("[RMS]") && absent.contains("SCI"), "{absent}");
        let absent = message(&folder.path().join("many.fits[0]"));
        assert!(absent.contains("holds no image"), "{absent}");
    }

    #[test]
    fn of_a_galfit_block_only_the_data_count_with_the_models_zero_point() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block.fits");
        let image = |value| Hdu::floats(&[2, 2], &[value; 4]);
        let model =
            image(2.0).card("COMP_1  = 'sersic'").card("LOGFILE = 'galfit.01'").card("MAGZPT  = 25.9463");
        write(&path, &[Hdu::empty(), image(1.0), model.clone(), image(3.0)]);
        let images = read(&path);
        assert_eq!(images.len(), 1);
        assert_eq!((images[0].hdu, images[0].pixels[0]), (1, 1.0));
        assert_eq!(images[0].header.zero_point, Some(25.9463));
        // GALFIT's zero point is of the image divided by its exposure.
        let exposed = image(1.0).card("EXPTIME = 100.0");
        write(&path, &[Hdu::empty(), exposed, model.clone(), image(3.0)]);
        assert!((read(&path)[0].header.zero_point.unwrap() - 30.9463).abs() < 1e-9);
        // A model alone is an image like any other.
        write(&path, &[model]);
        assert_eq!(read(&path)[0].pixels[0], 2.0);
    }

    #[test]
    fn bad_files_are_errors_that_name_the_file_and_the_hdu() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(message(&path("absent.fits")).contains("absent.fits: cannot read"));
        assert!(message(folder.path()).contains("folder"));
        std::fs::write(path("empty.fits"), "").unwrap();
        assert!(message(&path("empty.fits")).contains("the file is empty"));
        std::fs::write(path("text.fits"), "Hello, this is no FITS file. ".repeat(300)).unwrap();
        let text = message(&path("text.fits"));
        assert!(text.contains("text.fits: not a readable FITS file"), "{text}");
        write(&path("nothing.fits"), &[Hdu::empty()]);
        assert!(message(&path("nothing.fits")).contains("no image in this file"));
        let pixels = vec![1.0; 200 * 200];
        write(&path("cut.fits"), &[Hdu::empty(), Hdu::floats(&[200, 200], &pixels)]);
        let bytes = std::fs::read(path("cut.fits")).unwrap();
        std::fs::write(path("cut.fits"), &bytes[..60_000]).unwrap();
        let cut = message(&path("cut.fits"));
        assert!(cut.contains("cut.fits[1]: cannot read the pixels (is the file truncated?)"), "{cut}");
    }

    #[test]
    fn a_header_that_promises_the_impossible_is_an_error_not_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("liar.fits");
        for shape in [&[3_000_000_000, 3_000_000_000][..], &[2, 2, 4_000_000_000_000], &[1 << 40, 1]] {
            write(&path, &[Hdu::floats(shape, &[1.0; 4])]);
            assert!(message(&path).contains("liar.fits"), "{shape:?}");
            assert!(super::super::Dataset::open(&path).is_err(), "{shape:?}");
        }
    }
}
