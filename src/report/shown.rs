//! Stamps on a picture: enlarged or reduced by whole factors, and their values as shades.

use super::canvas::Canvas;

/// About as many pixels along a side does each stamp get.
const SIDE: usize = 256;

/// How stamps of a size are enlarged or reduced, by whole factors so that every pixel counts alike.
pub(super) struct Shown {
    size: usize,
    pub(super) larger: usize,
    pub(super) smaller: usize,
    /// Pixels along a side on the picture.
    pub(super) side: usize,
}

impl Shown {
    /// Of stamps of `size`² pixels.
    pub(super) fn of(size: usize) -> Self {
        let (larger, smaller) = ((SIDE / size).max(1), size.div_ceil(SIDE));
        Shown { size, larger, smaller, side: size / smaller * larger }
    }

    /// Draws a stamp with its lower left pixel at the lower left and its upper left corner at (x, y): the colour that
    /// `paint` makes of a value and of what is there.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        stamp: &[f32],
        (x, y): (usize, usize),
        paint: impl Fn(f32, [u8; 3]) -> [u8; 3],
    ) {
        for row in 0..self.side {
            for column in 0..self.side {
                let value = self.value(stamp, self.side - 1 - row, column);
                let there = canvas.colour(x + column, y + row);
                canvas.set(x + column, y + row, paint(value, there));
            }
        }
    }

    /// Where a place in FITS pixels of the stamp is on one whose upper left corner is at (x, y).
    pub(super) fn place(&self, (x, y): (usize, usize), (px, py): (f64, f64)) -> (f64, f64) {
        let scale = self.larger as f64 / self.smaller as f64;
        (x as f64 + scale * (px - 0.5), (y + self.side) as f64 - scale * (py - 0.5))
    }

    /// The stamp's value at a place on the picture, the mean where several pixels share it.
    pub(super) fn value(&self, stamp: &[f32], row: usize, column: usize) -> f32 {
        let (row, column) = (row / self.larger * self.smaller, column / self.larger * self.smaller);
        let pixels = (row..row + self.smaller)
            .flat_map(|r| &stamp[r * self.size + column..r * self.size + column + self.smaller]);
        pixels.sum::<f32>() / (self.smaller * self.smaller) as f32
    }
}

/// From values to shades, dark where it is bright: linear about zero, logarithmic beyond.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    softening: f32,
    low: f32,
    high: f32,
}

impl Stretch {
    /// Linear to about `softening`, black at `brightest`.
    pub(super) fn new(softening: f32, brightest: f32) -> Self {
        let stretched = |value: f32| (value / softening).asinh();
        // Noise goes below zero; a third of its width at least shall not all be white.
        Stretch { softening, low: stretched(-softening / 1.5), high: stretched(brightest.max(softening)) }
    }

    /// The shade of a value.
    pub(super) fn shade(&self, value: f32) -> [u8; 3] {
        let unit = (((value / self.softening).asinh() - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        [(255.0 * (1.0 - unit)).round() as u8; 3]
    }
}

/// The brightest of pixels, of those that are numbers; positive.
pub(super) fn brightest(pixels: impl IntoIterator<Item = f32>) -> f32 {
    pixels.into_iter().fold(f32::MIN_POSITIVE, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pixel_is_at_the_lower_left_and_bright_is_dark() {
        let mut stamp = vec![0.0; 11 * 11];
        stamp[0] = 10.0;
        stamp[10] = -1.0;
        let shown = Shown::of(11);
        assert_eq!((shown.larger, shown.smaller, shown.side), (23, 1, 253));
        let mut canvas = Canvas::new(300, 290);
        let stretch = Stretch::new(0.01, brightest(stamp.iter().copied()));
        shown.draw(&mut canvas, &stamp, (20, 30), |value, _| stretch.shade(value));
        let at = |x: usize, y: usize| canvas.colour(20 + x, 30 + y)[0];
        assert_eq!((at(0, 252), at(22, 230)), (0, 0));
        let sky = at(23, 252);
        assert!((100..255).contains(&sky) && at(22, 229) == sky, "{sky}");
        assert_eq!(at(252, 252), 255);
        // The middle of the first pixel.
        assert_eq!(shown.place((20, 30), (1.0, 1.0)), (20.0 + 11.5, 30.0 + 253.0 - 11.5));
    }

    #[test]
    fn large_stamps_are_averaged_to_fit() {
        let shown = Shown::of(1000);
        assert_eq!((shown.larger, shown.smaller, shown.side), (1, 4, 250));
        let mut stamp = vec![0.0; 1000 * 1000];
        stamp[3 * 1000 + 6] = 16.0;
        assert_eq!((shown.value(&stamp, 0, 1), shown.value(&stamp, 0, 0)), (1.0, 0.0));
        assert_eq!((Shown::of(256).side, Shown::of(257).side, Shown::of(128).side), (256, 128, 256));
    }
}
