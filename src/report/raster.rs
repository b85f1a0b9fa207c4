//! A sketch as PNG: drawn four times as large, then halved, which smooths every edge.

use super::canvas::{encode, failed, font, register_fonts};
use super::sketch::{Anchor, DASH, Mark, Place, Sketch};
use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::prelude::{Color, RGBAColor, TextStyle};
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::io;

/// Pixels of the picture along a CSS pixel.
const SHARPNESS: usize = 2;
/// Pixels drawn along one of the picture.
const SAMPLES: usize = 2;
/// Pixels drawn along a CSS pixel.
const SCALE: f64 = (SHARPNESS * SAMPLES) as f64;

/// The drawing as the bytes of a PNG.
pub(super) fn png(sketch: &Sketch) -> io::Result<Vec<u8>> {
    register_fonts()?;
    let pixels = |length: f64| SHARPNESS * length.ceil() as usize;
    let (width, height) = (pixels(sketch.width), pixels(sketch.height));
    let drawn = (width * SAMPLES, height * SAMPLES);
    let mut rgb = vec![255; 3 * drawn.0 * drawn.1];
    let mut board = Board(BitMapBackend::with_buffer(&mut rgb, (drawn.0 as u32, drawn.1 as u32)));
    sketch.marks.iter().try_for_each(|mark| board.draw(mark))?;
    board.0.present().map_err(failed)?;
    drop(board);
    encode(&halved(&rgb, drawn.0, (width, height)), (width, height), png::ColorType::Rgb)
}

/// The mean of each square of samples.
fn halved(rgb: &[u8], row: usize, (width, height): (usize, usize)) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let sample = |dy: usize, dx: usize| {
                    u32::from(rgb[3 * ((SAMPLES * y + dy) * row + SAMPLES * x + dx) + channel])
                };
                let sum: u32 = (0..SAMPLES * SAMPLES).map(|i| sample(i / SAMPLES, i % SAMPLES)).sum();
                let n = (SAMPLES * SAMPLES) as u32;
                out.push(((sum + n / 2) / n) as u8);
            }
        }
    }
    out
}

/// The enlarged picture.
struct Board<'a>(BitMapBackend<'a>);

impl Board<'_> {
    fn draw(&mut self, mark: &Mark) -> io::Result<()> {
        match mark {
            Mark::Line { through, ink, width, dashed } => {
                let colour = colour(ink.rgb(), 1.0);
                let pieces = if *dashed { dashes(through) } else { vec![through.clone()] };
                pieces.iter().try_for_each(|piece| self.stroke(piece, *width, colour, !dashed))
            }
            Mark::Area { corners, ink, opacity } => self.fill(corners, colour(ink.rgb(), *opacity)),
            Mark::Discs { centres, radius, ink, opacity } => {
                let colour = colour(ink.rgb(), *opacity);
                centres.iter().try_for_each(|&centre| self.disc(centre, *radius, colour))
            }
            Mark::Words { at, text, size, bold, ink, anchor, upright } => {
                let ink = colour(ink.rgb(), 1.0);
                let h = match anchor {
                    Anchor::Start => HPos::Left,
                    Anchor::Middle => HPos::Center,
                    Anchor::End => HPos::Right,
                };
                let (font, to_baseline) = font(SCALE * size, *bold);
                let style = TextStyle::from(font).color(&ink).pos(Pos::new(h, VPos::Top));
                let (x, y) = (SCALE * at.0, SCALE * at.1);
                let (style, corner) = match upright {
                    true => (style.transform(FontTransform::Rotate270), (x - to_baseline, y)),
                    false => (style, (x, y - to_baseline)),
                };
                self.0.draw_text(text, &style, pixel(corner)).map_err(failed)
            }
        }
    }

    /// A line as a row of quadrilaterals, its corners rounded with discs.
    fn stroke(&mut self, through: &[Place], width: f64, colour: RGBAColor, round: bool) -> io::Result<()> {
        for pair in through.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = (x1 - x0).hypot(y1 - y0);
            if length > 0.0 {
                let (nx, ny) = (0.5 * width * (y1 - y0) / length, 0.5 * width * (x0 - x1) / length);
                let quad = [(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)];
                self.fill(&quad, colour)?;
            }
        }
        let inner = through.get(1..through.len().saturating_sub(1)).unwrap_or(&[]);
        if round { inner.iter().try_for_each(|&at| self.disc(at, 0.5 * width, colour)) } else { Ok(()) }
    }

    fn fill(&mut self, corners: &[Place], colour: RGBAColor) -> io::Result<()> {
        let corners = corners.iter().map(|&(x, y)| pixel((SCALE * x, SCALE * y)));
        self.0.fill_polygon(corners, &colour).map_err(failed)
    }

    fn disc(&mut self, (x, y): Place, radius: f64, colour: RGBAColor) -> io::Result<()> {
        let radius = (SCALE * radius).round() as u32;
        self.0.draw_circle(pixel((SCALE * x, SCALE * y)), radius, &colour.filled(), true).map_err(failed)
    }
}

fn colour((r, g, b): (u8, u8, u8), opacity: f64) -> RGBAColor {
    RGBAColor(r, g, b, opacity)
}

fn pixel((x, y): Place) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// Cuts a line into its dashes.
fn dashes(through: &[Place]) -> Vec<Vec<Place>> {
    let (mut pieces, mut piece, mut on, mut left) = (Vec::new(), Vec::new(), true, DASH.0);
    for pair in through.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let at = |done: f64| (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
        let mut done = 0.0;
        while done < length {
            let step = left.min(length - done);
            if on {
                piece.push(at(done));
                piece.push(at(done + step));
            }
            (done, left) = (done + step, left - step);
            if left <= 0.0 {
                if on {
                    pieces.push(std::mem::take(&mut piece));
                }
                (on, left) = (!on, if on { DASH.1 } else { DASH.0 });
            }
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_round_corners() {
        let pieces = dashes(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (4.0, 4.0), (4.0, 6.0)]);
        assert_eq!(pieces.len(), 2, "{pieces:?}");
        assert_eq!(pieces[0], [(0.0, 0.0), (4.0, 0.0), (4.0, 0.0), (4.0, 1.0)]);
        assert_eq!((pieces[1][0], *pieces[1].last().unwrap()), ((4.0, 4.5), (4.0, 6.0)));
    }

    #[test]
    fn the_mean_of_four_samples_makes_a_pixel() {
        let rgb: Vec<u8> = [0, 255, 255, 255, 10, 10, 10, 11].iter().flat_map(|&g| [g, g, g]).collect();
        // Two rows of four samples: one row of two pixels.
        assert_eq!(halved(&rgb, 4, (2, 1)), [69, 69, 69, 133, 133, 133]);
    }
}
