//! Where the galaxies to be measured come from.

use crate::fits::{Row, Stamp, Wcs};
use crate::{Error, Result};
use std::ops::Range;

/// A galaxy to be measured.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its number among all that are to be measured, from 0, the same in whatever part of them it is measured.
    pub index: u64,
    /// What is known of it: its name, where it is.
    pub row: Row,
    /// Its pixels in the networks' flux unit and pixel scale.
    pub stamp: Stamp,
    /// Arcseconds a pixel of the image; NaN where it is not known.
    pub pixel_scale: f64,
    /// Where the image's pixels lie on the sky, as far as it is known.
    pub wcs: Option<Wcs>,
}

/// Galaxies that can be had a few at a time.
pub trait Objects: Send {
    /// How many there are.
    fn total(&self) -> u64;

    /// Those of `range`, in their order. One that cannot be read costs only itself: its error stands in its place.
    ///
    /// # Errors
    /// What ends the whole run.
    fn read(&mut self, range: Range<u64>) -> Result<Vec<Result<Object>>>;

    /// What they are, for a catalogue's header and to tell two runs apart: keys and values.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn describe(&self) -> Result<Vec<(String, String)>>;

    /// Files that hold none of them, because they cannot be opened.
    fn unreadable(&mut self) -> Vec<Error> {
        Vec::new()
    }
}
