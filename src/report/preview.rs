//! The contact sheet: a grid of stamps with what is on each.

use super::canvas::{Canvas, Pen, SIGNATURE};
use crate::fits::DatasetMeta;
use crate::sky::Truth;
use crate::{Error, Result, files};
use std::io::Read;
use std::path::Path;

/// About as many pixels along a side does each stamp get on the sheet.
const SIDE: usize = 256;
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
        let (shown, captions) = (Shown::of(self.size), self.truths.iter().map(caption));
        let captions: Vec<Vec<String>> = captions.collect();
        let lines = captions.iter().map(Vec::len).max().unwrap_or(0);
        let (across, down) = (shown.side + GAP, shown.side + 8 + lines * LINE + GAP);
        let mut canvas = Canvas::new(GAP + columns.max(3) * across, GAP + HEAD + rows * down);
        let mut text =
            vec![(TITLE, (GAP, GAP), self.title.clone()), (SUBTITLE, (GAP, GAP + 40), self.subtitle())];
        let area = self.size * self.size;
        for (i, (stamp, caption)) in self.pixels.chunks_exact(area).zip(captions).enumerate() {
            let (x, y) = (GAP + i % columns * across, GAP + HEAD + i / columns * down);
            shown.draw(&mut canvas, stamp, self.softening(stamp), (x, y));
            for (number, line) in caption.into_iter().enumerate() {
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
        if sigma > 0.0 { 3.0 * sigma } else { 1e-3 * brightest(stamp) }
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

/// How stamps of a size are enlarged or reduced, by whole factors so that every pixel counts alike.
struct Shown {
    size: usize,
    larger: usize,
    smaller: usize,
    side: usize,
}

impl Shown {
    fn of(size: usize) -> Self {
        let (larger, smaller) = ((SIDE / size).max(1), size.div_ceil(SIDE));
        Shown { size, larger, smaller, side: size / smaller * larger }
    }

    /// Draws a stamp, dark where it is bright, with its lower left pixel at the lower left.
    fn draw(&self, canvas: &mut Canvas, stamp: &[f32], softening: f32, (x, y): (usize, usize)) {
        let stretch = |value: f32| (value / softening).asinh();
        // Noise goes below zero; a third of its width at least shall not all be white.
        let (low, high) = (stretch(-softening / 1.5), stretch(brightest(stamp).max(softening)));
        for row in 0..self.side {
            for column in 0..self.side {
                let value = self.value(stamp, self.side - 1 - row, column);
                let unit = ((stretch(value) - low) / (high - low)).clamp(0.0, 1.0);
                canvas.set(x + column, y + row, (255.0 * (1.0 - unit)).round() as u8);
            }
        }
    }

    /// The stamp's value at a place on the sheet, the mean where several pixels share it.
    fn value(&self, stamp: &[f32], row: usize, column: usize) -> f32 {
        let (row, column) = (row / self.larger * self.smaller, column / self.larger * self.smaller);
        let pixels = (row..row + self.smaller)
            .flat_map(|r| &stamp[r * self.size + column..r * self.size + column + self.smaller]);
        pixels.sum::<f32>() / (self.smaller * self.smaller) as f32
    }
}

fn brightest(stamp: &[f32]) -> f32 {
    stamp.iter().copied().fold(f32::MIN_POSITIVE, f32::max)
}

/// What is written under a stamp.
fn caption(truth: &Truth) -> Vec<String> {
    vec![
        format!("mag {:.2}   Rₑ {:.1} px", truth.mag, truth.re_maj),
        format!("n {:.2}   q {:.2}   #{}", truth.n, truth.q, truth.id),
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
