//! Galaxies at given places of a mosaic.

use super::{Object, Objects, Preparation};
use crate::Result;
use crate::files::Checksum;
use crate::fits::{Layers, Row};
use std::ops::Range;
use std::path::PathBuf;

/// Where a galaxy is on a mosaic.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// Its name.
    pub id: String,
    /// FITS pixels; NaN where the sky's coordinates cannot be turned into pixels.
    pub x: f64,
    /// As `x`.
    pub y: f64,
    /// Right ascension and declination, degrees, where it was given by them; NaN else, which is filled in.
    pub ra: f64,
    /// As `ra`.
    pub dec: f64,
}

/// Locations that can be had a few at a time.
pub trait Locations: Send {
    /// How many there are.
    fn total(&self) -> u64;

    /// Those of `range`, in their order.
    ///
    /// # Errors
    /// They cannot be read.
    fn read(&mut self, range: Range<u64>) -> Result<Vec<Location>>;
}

impl Locations for Vec<Location> {
    fn total(&self) -> u64 {
        self.len() as u64
    }

    fn read(&mut self, range: Range<u64>) -> Result<Vec<Location>> {
        Ok(self[range.start as usize..range.end as usize].to_vec())
    }
}

/// The galaxies at places of a mosaic. A few of them are cut out at a time, in the order of their rows, so that each part
/// of the mosaic is read once for them.
pub struct Field<P: Locations> {
    layers: Layers,
    places: P,
    preparation: Preparation,
    inputs: Vec<PathBuf>,
    detection: Option<String>,
}

impl<P: Locations> Field<P> {
    /// At `places` of a mosaic; `inputs` are the files that both came from, for the catalogue's header.
    pub fn new(layers: Layers, places: P, preparation: Preparation, inputs: Vec<PathBuf>) -> Self {
        Field { layers, places, preparation, inputs, detection: None }
    }

    /// With the settings by which the places were found, for the catalogue's header.
    #[must_use]
    pub fn found_by(self, detection: String) -> Self {
        Field { detection: Some(detection), ..self }
    }
}

impl<P: Locations> Objects for Field<P> {
    fn total(&self) -> u64 {
        self.places.total()
    }

    fn read(&mut self, range: Range<u64>) -> Result<Vec<Result<Object>>> {
        let first = range.start;
        let places = self.places.read(range)?;
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by(|&a, &b| places[a].y.total_cmp(&places[b].y));
        let mut objects: Vec<Option<Result<Object>>> = places.iter().map(|_| None).collect();
        for place in order {
            let Location { id, x, y, ra, dec } = places[place].clone();
            let row = Row { id, ra, dec, ..Row::default() };
            let index = first + place as u64;
            objects[place] = Some(self.preparation.mosaic(&mut self.layers, (x, y), row, index));
        }
        Ok(objects.into_iter().flatten().collect())
    }

    fn describe(&self) -> Result<Vec<(String, String)>> {
        let mut entries = self.preparation.describe();
        entries.extend(self.detection.iter().map(|how| ("DETECTION".to_owned(), how.clone())));
        for path in &self.inputs {
            entries.push(("INPUT".to_owned(), Checksum::of(path)?.to_string()));
        }
        Ok(entries)
    }
}
