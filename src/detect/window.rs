//! Parts of an image, and who reads them.

use crate::{Error, Result};

/// A rectangle of pixels, counted from 0 at the image's first pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first column.
    pub x: usize,
    /// Its first row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Window {
    /// Pixels in it.
    pub fn area(&self) -> usize {
        self.width * self.height
    }

    /// The rows from `first` to before `end`, and up to `margin` more on either side, of an image of this size.
    pub(super) fn band(size: (usize, usize), first: usize, end: usize, margin: usize) -> Self {
        let (y, end) = (first.saturating_sub(margin), (end + margin).min(size.1));
        Window { x: 0, y, width: size.0, height: end - y }
    }

    /// The smallest window that holds both.
    pub(super) fn with(self, other: Window) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let top = (self.y + self.height).max(other.y + other.height);
        Window { x, y, width: right - x, height: top - y }
    }
}

/// What a [`Window`] of an image holds; each array is row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tile {
    /// The image. What is not finite is without data.
    pub pixels: Vec<f32>,
    /// Standard deviation of each pixel's noise, in the image's unit; zero, negative or not finite is without data. All
    /// windows of an image have it, or none.
    pub rms: Option<Vec<f32>>,
    /// True where a pixel is not to be used.
    pub mask: Option<Vec<bool>>,
}

impl Tile {
    /// # Errors
    /// [`Error::Shape`] where an array has not the window's size.
    pub(super) fn check(&self, window: Window) -> Result<()> {
        let arrays = [
            ("pixels", Some(self.pixels.len())),
            ("rms values", self.rms.as_ref().map(Vec::len)),
            ("mask values", self.mask.as_ref().map(Vec::len)),
        ];
        for (name, length) in arrays {
            if let Some(length) = length.filter(|&length| length != window.area()) {
                return Err(Error::shape(
                    "detect",
                    format!("{length} {name} for a window of {}×{}", window.width, window.height),
                ));
            }
        }
        Ok(())
    }

    /// Cuts a window out of whole arrays of `width` columns.
    pub(super) fn cut(
        window: Window,
        width: usize,
        pixels: &[f32],
        rms: Option<&[f32]>,
        mask: Option<&[bool]>,
    ) -> Self {
        fn part<T: Copy>(whole: &[T], width: usize, window: Window) -> Vec<T> {
            let rows = window.y..window.y + window.height;
            rows.flat_map(|y| &whole[y * width + window.x..][..window.width]).copied().collect()
        }
        Tile {
            pixels: part(pixels, width, window),
            rms: rms.map(|rms| part(rms, width, window)),
            mask: mask.map(|mask| part(mask, width, window)),
        }
    }

    /// Whether this pixel of the tile has data: finite, not masked, with a usable noise, and not an exact zero where those
    /// count as blank.
    pub(super) fn good(&self, i: usize, blank_zeros: bool) -> bool {
        let pixel = self.pixels[i];
        pixel.is_finite()
            && !(blank_zeros && pixel == 0.0)
            && self.mask.as_ref().is_none_or(|mask| !mask[i])
            && self.rms.as_ref().is_none_or(|rms| rms[i] > 0.0 && rms[i].is_finite())
    }
}
