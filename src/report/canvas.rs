//! A picture: rectangles of pixels, text in a font that is part of the program, PNG. The font and the PNG are
//! those of all pictures.

use crate::{Error, Result, files};
use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::prelude::{FontDesc, FontFamily, FontStyle, RGBColor, TextStyle};
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::io;
use std::path::Path;
use std::sync::OnceLock;

/// The first bytes of every PNG.
pub(super) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// The family that text is drawn in.
const FAMILY: &str = "DejaVu Sans";

/// A white picture to draw on.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    /// Red, green and blue of each pixel, from the upper left on.
    rgb: Vec<u8>,
}

/// How a line of text looks.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    /// Height of the letters with room for what hangs below, pixels.
    pub(super) size: f64,
    pub(super) bold: bool,
    /// 0 is black.
    pub(super) grey: u8,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Canvas { width, height, rgb: vec![255; width * height * 3] }
    }

    /// Sets a pixel to red, green and blue; x to the right, y down.
    pub(super) fn set(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        let at = 3 * (y * self.width + x);
        self.rgb[at..at + 3].copy_from_slice(&colour);
    }

    /// A pixel's red, green and blue.
    pub(super) fn colour(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * self.width + x);
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Writes lines of text: pen, place of the upper left corner, words.
    pub(super) fn write(&mut self, lines: &[(Pen, (usize, usize), String)]) -> io::Result<()> {
        register_fonts()?;
        let mut backend = BitMapBackend::with_buffer(&mut self.rgb, (self.width as u32, self.height as u32));
        for (pen, (x, y), text) in lines {
            let style = if pen.bold { FontStyle::Bold } else { FontStyle::Normal };
            let ink = RGBColor(pen.grey, pen.grey, pen.grey);
            let font = FontDesc::new(FontFamily::Name(FAMILY), pen.size, style);
            let style = TextStyle::from(font).color(&ink).pos(Pos::new(HPos::Left, VPos::Top));
            backend.draw_text(text, &style, (*x as i32, *y as i32)).map_err(failed)?;
        }
        backend.present().map_err(failed)
    }

    /// Writes the picture as a PNG of 8 bits a channel, grey where nothing on it is coloured, whole or not at all.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let size = (self.width, self.height);
        let bytes = if self.rgb.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]) {
            let grey: Vec<u8> = self.rgb.chunks_exact(3).map(|p| p[0]).collect();
            encode(&grey, size, png::ColorType::Grayscale)
        } else {
            encode(&self.rgb, size, png::ColorType::Rgb)
        };
        files::replace(path, &bytes.map_err(|e| Error::io(path, "draw", e))?)
    }
}

/// Pixels of 8 bits a channel as the bytes of a PNG.
pub(super) fn encode(
    pixels: &[u8],
    (width, height): (usize, usize),
    colours: png::ColorType,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(colours);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// The font in which an em is `em` pixels, and how far below the upper edge of what it draws the baseline is.
pub(super) fn font(em: f64, bold: bool) -> (FontDesc<'static>, f64) {
    // What the drawing library calls the size is DejaVu's ascent and descent together; it draws the baseline half of
    // that below the upper edge.
    const ASCENT_AND_DESCENT: f64 = 1.164;
    let size = ASCENT_AND_DESCENT * em;
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    (FontDesc::new(FontFamily::Name(FAMILY), size, style), 0.5 * size)
}

/// How wide a text is in the program's font, in units of `em`.
pub(super) fn text_width(text: &str, em: f64) -> f64 {
    // Measured large, because the answer is in whole pixels.
    const MEASURED: f64 = 200.0;
    let measured = register_fonts().ok().and_then(|()| font(MEASURED, false).0.box_size(text).ok());
    em * measured.map_or(0.6 * text.chars().count() as f64, |(width, _)| f64::from(width) / MEASURED)
}

/// What kept the drawing library from its work, which is nothing that a drawing in memory meets.
pub(super) fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// Makes the program's own font known to the drawing library, once.
pub(super) fn register_fonts() -> io::Result<()> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let registered = DONE.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular()).is_ok()
            && register_font(FAMILY, FontStyle::Bold, dejavu::sans::bold()).is_ok()
    });
    if *registered { Ok(()) } else { Err(io::Error::other("the built-in font cannot be read")) }
}
