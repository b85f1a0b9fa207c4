//! What part of an image a stamp shows, and what is wrong with it there.

use super::super::flags::Flags;
use super::super::layers::Window;

/// Bad pixels as near the centre as this set [`Flags::CENTRE_BAD`], pixels of the stamp.
const CENTRE_RADIUS: f64 = 3.0;

/// What part of an image is needed for a stamp.
pub(super) struct Frame {
    pub(super) centre: (f64, f64),
    /// Pixels of the image along one of the stamp; `None` where they are not resampled.
    pub(super) ratio: Option<f64>,
    pub(super) unknown_scale: bool,
    /// FITS pixel of the image that is the first on the stamp.
    pub(super) first: (i64, i64),
    /// Pixels of the image along the stamp's side.
    pub(super) shown: usize,
    /// FITS pixel of the image that is the first of those needed, and how many along a side.
    pub(super) corner: (i64, i64),
    pub(super) side: usize,
}

impl Frame {
    /// What can be said before anything is filled, and how many of the pixels shown are good.
    pub(super) fn flags(&self, window: &Window, saturation: f64) -> (Flags, usize) {
        let mut flags = Flags::default();
        let (first, last) = (self.first, self.shown as i64 - 1);
        let (width, height) = (window.image.0 as i64, window.image.1 as i64);
        let end = (first.0 + last, first.1 + last);
        flags.set(Flags::PADDED, first.0 < 1 || first.1 < 1 || end.0 > width || end.1 > height);
        flags.set(Flags::CUT, first.0 > 1 || first.1 > 1 || end.0 < width || end.1 < height);
        let on = |place: f64, length: i64| (0.5..=length as f64 + 0.5).contains(&place);
        let (x, y) = self.centre;
        flags.set(Flags::OFF_IMAGE, !(on(x, width) && on(y, height)));
        flags.set(Flags::PIXEL_SCALE, self.unknown_scale);
        flags.set(Flags::RESAMPLED, self.ratio.is_some());
        let near = CENTRE_RADIUS * self.ratio.unwrap_or(1.0);
        let mut good = 0;
        for (i, &pixel) in window.pixels.iter().enumerate().filter(|(i, _)| window.is_inside(*i)) {
            let (px, py) = window.place(i);
            if px < first.0 || py < first.1 || px > end.0 || py > end.1 {
                continue;
            }
            if pixel.is_nan() {
                flags |= Flags::BAD_PIXELS;
                flags.set(Flags::CENTRE_BAD, (px as f64 - x).hypot(py as f64 - y) <= near);
            } else {
                good += 1;
                flags.set(Flags::SATURATED, f64::from(pixel) >= saturation);
            }
        }
        (flags, good)
    }
}
