//! The contact sheet: a grid of stamps with what is on each.

use super::canvas::{Canvas, Pen, SIGNATURE};
use super::shown::{Shown, Stretch, brightest};
use crate::fits::DatasetMeta;
use crate::sky::Truth;
use crate::{Error, Result, files};
use std::io::Read;
use std::path::Path;

/// White between stamps and around the sheet.
const GAP: usize = 20;
const TITLE: Pen = Pen { size: 30.0, bold: true, grey: 0 };
const SUBTITLE: Pen = Pen { size: 18.0, bold: false, grey: 90 };
const CAPTION: Pen = Pen { size: 18.0, bold: false, grey: 0 };
/// From one line of a caption to the next.
const LINE: usize = 22;
const HEAD: usize = 72;

/// A contact sheet in the making: takes stamps until it is full.
pub struct ContactSheet {
    title: String,
    meta: DatasetMeta,
    /// Pixels along a side of a stamp.
    size: usize,
    pixels: Vec<f32>,
    truths: Vec<Truth>,
}

impl ContactSheet {
    /// Stamps in a row.
    pub const COLUMNS: usize = 6;
    /// Most stamps.
    pub const STAMPS: usize = 30;

    /// A sheet of stamps of `size`×`size` pixels.
    pub fn new(title: impl Into<String>, meta: &DatasetMeta, size: usize) -> Self {
        ContactSheet { title: title.into(), meta: meta.clone(), size, pixels: Vec::new(), truths: Vec::new() }
    }

    /// Adds as many of these stamps (row-major, y up, one after another) as there is room for.
    pub fn add(&mut self, pixels: &[f32], truths: &[Truth]) {
        let taken = truths.len().min(Self::STAMPS - self.truths.len());
        self.truths.extend_from_slice(&truths[..taken]);
        self.pixels.extend_from_slice(&pixels[..taken * self.size * self.size]);
    }

    /// Stamps on it so far.
    pub fn len(&self) -> usize {
        self.truths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.truths.is_empty()
    }

    /// Draws the sheet into a PNG at `path`, over an earlier one.
    ///
    /// # Errors
    /// [`Error::Usage`] for a sheet without stamps, [`Error::Io`] where it cannot be drawn or written.
    pub fn save(&self, path: &Path) -> Result<()> {
        if self.truths.is_empty() {
            return Err(Error::Usage("a contact sheet needs at least one stamp".into()));
        }
        let columns = self.truths.len().min(Self::COLUMNS);
        let rows = self.truths.len().div_ceil(columns);
        let crowded = self.truths.iter().any(|truth| truth.companions.is_some_and(|n| n > 0));
        let (shown, lines) = (Shown::of(self.size), if crowded { 3 } else { 2 });
        let (across, down) = (shown.side + GAP, shown.side + 8 + lines * LINE + GAP);
        let mut canvas = Canvas::new(GAP + columns.max(3) * across, GAP + HEAD + rows * down);
        let mut text =
            vec![(TITLE, (GAP, GAP), self.title.clone()), (SUBTITLE, (GAP, GAP + 40), self.subtitle())];
        let area = self.size * self.size;
        for (i, (stamp, truth)) in self.pixels.chunks_exact(area).zip(&self.truths).enumerate() {
            let (x, y) = (GAP + i % columns * across, GAP + HEAD + i / columns * down);
            let stretch = Stretch::new(self.softening(stamp), brightest(stamp.iter().copied()));
            shown.draw(&mut canvas, stamp, (x, y), |value, _| stretch.shade(value));
            for (number, line) in caption(truth).into_iter().take(lines).enumerate() {
                text.push((CAPTION, (x, y + shown.side + 8 + number * LINE), line));
            }
        }
        canvas.write(&text).map_err(|e| Error::io(path, "draw", e))?;
        canvas.save(path)
    }

    /// Where the stretch turns from linear to logarithmic: three times the sky's noise, as in the networks; without
    /// noise, a thousandth of the brightest pixel.
    fn softening(&self, stamp: &[f32]) -> f32 {
        let sigma = self.meta.sigma as f32;
        if sigma > 0.0 { 3.0 * sigma } else { 1e-3 * brightest(stamp.iter().copied()) }
    }

    fn subtitle(&self) -> String {
        let (size, scale) = (self.size, self.meta.pixel_scale);
        let from = if self.meta.sigma > 0.0 { "asinh(x / 3σ) up to" } else { "asinh(1000 x / peak) up to" };
        let extent = if scale.is_finite() {
            format!(" of {scale}″ = {:.1}″", size as f64 * scale)
        } else {
            String::new()
        };
        format!("{size}×{size} pixels{extent} a stamp, {from} its brightest pixel")
    }
}

/// What is written under a stamp; the last line where any on the sheet has companions.
fn caption(truth: &Truth) -> [String; 3] {
    let companions = match (truth.companions, truth.companion_ratio, truth.companion_distance) {
        (Some(n), Some(ratio), Some(distance)) => format!("{n} comp., {ratio:.2}× at {distance:.0} px"),
        (Some(0), ..) => "no companion".to_owned(),
        _ => String::new(),
    };
    [
        format!("mag {:.2}   Rₑ {:.1} px", truth.mag, truth.re_maj),
        format!("n {:.2}   q {:.2}   #{}", truth.n, truth.q, truth.id),
        companions,
    ]
}

/// Refuses a place that cannot be written or that holds something other than a picture.
///
/// # Errors
/// [`Error::Io`] with what is there.
pub fn check_picture(path: &Path) -> Result<()> {
    files::check_writable(path)?;
    let mut start = [0; SIGNATURE.len()];
    let there = std::fs::File::open(path).and_then(|mut f| f.read(&mut start));
    if matches!(there, Ok(read) if read > 0 && start != SIGNATURE) {
        let why = "it is there already and no PNG picture: give another name";
        return Err(Error::io(path, "replace", std::io::Error::other(why)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::Survey;

    fn truth(id: i64) -> Truth {
        Truth { id, mag: 20.5, re_maj: 4.0, re_circ: 2.0, n: 2.5, q: 0.25, ..Truth::default() }
    }

    fn sheet(size: usize, stamps: usize, pixels: &[f32]) -> ContactSheet {
        let meta = DatasetMeta::simulated(&Survey::builtin("candels-f160w").unwrap(), 1);
        let mut sheet = ContactSheet::new("a survey, seed 1", &meta, size);
        let truths: Vec<Truth> = (0..stamps as i64).map(truth).collect();
        sheet.add(&pixels.repeat(stamps), &truths);
        sheet
    }

    /// Width, height and grey values of what is drawn.
    fn drawn(sheet: &ContactSheet) -> (usize, usize, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        sheet.save(&path).unwrap();
        let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut grey = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut grey).unwrap();
        assert_eq!(info.color_type, png::ColorType::Grayscale);
        (info.width as usize, info.height as usize, grey)
    }

    #[test]
    fn a_sheet_has_room_for_its_stamps_and_words_under_each() {
        let stamp: Vec<f32> = (0..256).map(|i| i as f32 * 1e-3).collect();
        for (stamps, columns, rows) in [(1, 1, 1), (7, 6, 2), (30, 6, 5), (33, 6, 5)] {
            let sheet = sheet(16, stamps, &stamp);
            assert_eq!(sheet.len(), stamps.min(30));
            let (width, height, grey) = drawn(&sheet);
            let (across, down) = (256 + GAP, 256 + 8 + 2 * LINE + GAP);
            assert_eq!((width, height), (GAP + columns.max(3) * across, GAP + HEAD + rows * down));
            let ink = |x: usize, y: usize, w: usize, h: usize| {
                (y..y + h).any(|y| grey[y * width + x..y * width + x + w].iter().any(|&g| g < 100))
            };
            assert!(ink(GAP, GAP, 100, 40) && ink(GAP, GAP + 40, 100, 30));
            for stamp in 0..columns.min(stamps) {
                let (x, y) = (GAP + stamp * across, GAP + HEAD + 256 + 8);
                assert!(ink(x, y, 100, LINE) && ink(x, y + LINE, 100, LINE));
                assert!(!ink(x + 256, GAP + HEAD, GAP, down), "words run into the next stamp");
            }
        }
    }

    #[test]
    fn companions_are_told_where_a_stamp_has_any() {
        let alone = Truth { companions: Some(0), companion_ratio: Some(0.0), ..truth(1) };
        let crowded = Truth {
            companions: Some(12),
            companion_ratio: Some(0.345),
            companion_distance: Some(24.4),
            ..truth(2)
        };
        assert_eq!(caption(&alone)[2], "no companion");
        assert_eq!(caption(&crowded)[2], "12 comp., 0.34× at 24 px");
        let height = |truths: [Truth; 2]| {
            let mut sheet = ContactSheet::new("", &DatasetMeta::default(), 16);
            sheet.add(&[1.0; 512], &truths);
            drawn(&sheet).1
        };
        assert_eq!(height([alone, crowded]), height([alone, alone]) + LINE);
        assert_eq!(height([alone, alone]), height([truth(1), truth(2)]));
    }

    #[test]
    fn a_blank_stamp_and_one_of_nothing_but_noise_are_drawn() {
        for stamp in [vec![0.0; 256], vec![-1.0; 256]] {
            let mut sheet = sheet(16, 2, &stamp);
            drawn(&sheet);
            sheet.meta.sigma = 0.0;
            drawn(&sheet);
        }
    }

    #[test]
    fn only_pictures_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        assert!(check_picture(&path).is_ok());
        std::fs::write(&path, "notes").unwrap();
        let message = check_picture(&path).unwrap_err().to_string();
        assert!(message.contains("sheet.png: cannot replace: it is there already and no PNG"), "{message}");
        std::fs::write(&path, "").unwrap();
        assert!(check_picture(&path).is_ok());
        sheet(16, 1, &[0.0; 256]).save(&path).unwrap();
        assert!(check_picture(&path).is_ok());
        assert!(ContactSheet::new("", &DatasetMeta::default(), 16).save(&path).is_err());
    }
}
