//! Catalogues of positions: where on a mosaic to measure. They are read as they are measured, so that a million rows need
//! no more memory than a thousand.

use super::columns::catalogue;
use super::foreign::{Delimited, Foreign, SEXAGESIMAL, find, is_fits, line, number};
use super::labels::ID;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Rows of a FITS table that are read at once.
const CHUNK: usize = 4096;

/// Columns are taken by these names, in whatever case, the first pair that is there. Degrees.
const SKY: [[&str; 2]; 12] = [
    ["RA", "DEC"],
    ["ALPHA_J2000", "DELTA_J2000"],
    ["ALPHAWIN_J2000", "DELTAWIN_J2000"],
    ["RAJ2000", "DEJ2000"],
    ["RAJ2000", "DECJ2000"],
    ["_RAJ2000", "_DEJ2000"],
    ["RA_J2000", "DEC_J2000"],
    ["RA_ICRS", "DE_ICRS"],
    ["RA_DEG", "DEC_DEG"],
    ["RADEG", "DEDEG"],
    ["RADEG", "DECDEG"],
    ["ALPHA_SKY", "DELTA_SKY"],
];
/// FITS pixels: those of programs that count from 0 are not among them.
const PIXELS: [[&str; 2]; 5] =
    [["X", "Y"], ["X_IMAGE", "Y_IMAGE"], ["XWIN_IMAGE", "YWIN_IMAGE"], ["XCEN", "YCEN"], ["X_CEN", "Y_CEN"]];
const NAMES: [&str; 4] = ["OBJID", "OBJECT_ID", "SOURCE_ID", "NAME"];

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// Right ascension and declination, degrees; NaN where the row has none.
    Sky(f64, f64),
    /// FITS pixels: the first pixel's centre is (1, 1); NaN where the row has none.
    Pixel(f64, f64),
}

/// A row of a catalogue of positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The row, counted from 0.
    pub row: usize,
    /// The object's name; the row counted from 1 where the catalogue has no names.
    pub id: String,
    /// Where it is.
    pub place: Place,
}

/// Names of columns, in place of guessed ones: `ra=…,dec=…` or `x=…,y=…`, and `id=…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionColumns {
    /// Right ascension, degrees.
    pub ra: Option<String>,
    /// Declination, degrees.
    pub dec: Option<String>,
    /// Column, FITS pixels.
    pub x: Option<String>,
    /// Row, FITS pixels.
    pub y: Option<String>,
    /// The object's name.
    pub id: Option<String>,
}

impl FromStr for PositionColumns {
    type Err = Error;

    /// From a text like `ra=ALPHA,dec=DELTA,id=NUMBER`.
    fn from_str(text: &str) -> Result<Self> {
        let mut columns = PositionColumns::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let refuse = || {
                let message = format!("'{part}' names no column: write ra=…,dec=… or x=…,y=…, and id=…");
                Err(Error::Usage(message))
            };
            let Some((what, name)) = part.split_once('=') else { return refuse() };
            let place = match what.trim().to_ascii_lowercase().as_str() {
                "ra" => &mut columns.ra,
                "dec" => &mut columns.dec,
                "x" => &mut columns.x,
                "y" => &mut columns.y,
                "id" => &mut columns.id,
                _ => return refuse(),
            };
            *place = Some(name.trim().to_owned());
        }
        Ok(columns)
    }
}

/// A catalogue of positions, read row by row as an iterator, in order. A row whose position is empty has NaN for it; an
/// error ends the rows.
///
/// ```no_run
/// # fn main() -> legato::Result<()> {
/// use legato::fits::{Place, PositionColumns, Positions};
/// let positions = Positions::open("objects.fits", &PositionColumns::default(), true)?;
/// println!("{} objects, {}", positions.total(), positions.columns());
/// for position in positions.rows(0..1000)? {
///     let position = position?;
///     if let Place::Sky(ra, dec) = position.place {
///         println!("{} at {ra} {dec}", position.id);
///     }
/// }
/// # Ok(()) }
/// ```
pub struct Positions {
    path: PathBuf,
    source: Source,
    columns: Chosen,
    names: Vec<String>,
    count: usize,
    /// Rows that are still to be given.
    next: Range<usize>,
}

enum Source {
    Table { table: Foreign, ahead: VecDeque<Position> },
    Text(csv::StringRecordsIntoIter<std::fs::File>),
}

/// Which columns are read.
#[derive(Clone, Copy)]
struct Chosen {
    place: [usize; 2],
    sky: bool,
    id: Option<usize>,
}

impl Positions {
    /// Opens a catalogue: a FITS table (`CATALOGUE`, else the first), ECSV, CSV or TSV, or columns of words. Columns that
    /// are not named are guessed: right ascension and declination where `sky` says that the image has a projection, else
    /// pixels.
    ///
    /// # Errors
    /// Those of the file; [`Error::Fits`] and [`Error::Catalogue`] for columns that are not there, or in another unit than
    /// degrees.
    pub fn open(path: impl AsRef<Path>, wanted: &PositionColumns, sky: bool) -> Result<Self> {
        let path = path.as_ref();
        let text = if is_fits(path) { None } else { Delimited::open(path)? };
        let (names, units, source, count) = match text {
            Some(text) => {
                let count = count_records(path)?;
                (text.names, text.units, Source::Text(text.reader.into_records()), count)
            }
            // Columns of words are read whole.
            None => {
                let table = Foreign::open(path)?;
                let units = (0..table.names().len()).map(|i| table.unit(i).to_owned()).collect();
                let (names, count) = (table.names().to_vec(), table.rows());
                (names, units, Source::Table { table, ahead: VecDeque::new() }, count)
            }
        };
        let columns = choose(&names, wanted, sky).and_then(|columns| {
            check_units(&names, &units, columns)?;
            Ok(columns)
        });
        let columns = columns.map_err(|message| match &source {
            Source::Table { table, .. } => table.error(message),
            Source::Text(_) => catalogue(path, message),
        })?;
        let mut positions =
            Positions { path: path.to_owned(), source, columns, names, count, next: 0..count };
        if let Source::Table { table, .. } = &mut positions.source {
            for column in columns.place {
                if table.is_text(column)? {
                    let name = &positions.names[column];
                    let expected = if columns.sky { "degrees" } else { "pixels" };
                    let message = format!("column {name} holds texts, not numbers: {expected} are expected");
                    return Err(table.error(message));
                }
            }
            table.check(columns.place[0])?;
        }
        Ok(positions)
    }

    /// How many rows the catalogue has.
    pub fn total(&self) -> usize {
        self.count
    }

    /// Which columns are read, as a line to print: "RA and DEC in degrees from ALPHA_J2000 and DELTA_J2000, names from
    /// NUMBER".
    pub fn columns(&self) -> String {
        let name = |column: usize| &self.names[column];
        let [one, other] = self.columns.place.map(name);
        let what = if self.columns.sky { "RA and DEC in degrees" } else { "X and Y in pixels from 1" };
        let id = self.columns.id.map_or_else(|| "the row's number".to_owned(), |id| name(id).clone());
        format!("{what} from {one} and {other}, names from {id}")
    }

    /// Whether the positions are on the sky.
    pub fn is_sky(&self) -> bool {
        self.columns.sky
    }

    /// Only these rows, counted from 0, of a catalogue that none was read of.
    ///
    /// # Errors
    /// Those of a row before them that cannot be read.
    pub fn rows(mut self, rows: Range<usize>) -> Result<Self> {
        let rows = rows.start.min(self.count)..rows.end.min(self.count);
        if let Source::Text(records) = &mut self.source {
            for record in records.take(rows.start.saturating_sub(self.next.start)) {
                record.map_err(|e| catalogue(&self.path, e.to_string()))?;
            }
        }
        self.next = rows;
        Ok(self)
    }

    /// The next row; there is one.
    fn read(&mut self) -> Result<Position> {
        let (row, columns) = (self.next.start, self.columns);
        let [one, other] = columns.place;
        match &mut self.source {
            Source::Table { table, ahead } => {
                if ahead.is_empty() {
                    let rows = row..self.next.end.min(row + CHUNK);
                    let (a, b) =
                        (table.numbers_in(one, rows.clone())?, table.numbers_in(other, rows.clone())?);
                    let ids = columns.id.map(|id| table.texts_in(id, rows.clone())).transpose()?;
                    for (i, row) in rows.enumerate() {
                        let id = ids.as_ref().and_then(|ids| ids.get(i)).cloned();
                        let place = columns.place(a[i], b[i]);
                        ahead.push_back(Position {
                            row,
                            id: id.unwrap_or_else(|| (row + 1).to_string()),
                            place,
                        });
                    }
                }
                let position = ahead.pop_front();
                let place = table.place(row);
                let position = position.ok_or_else(|| table.error(format!("{place} cannot be read")))?;
                check(position.place).map_err(|(which, what)| {
                    table.error(format!("{place}, column {}: {what}", self.names[columns.place[which]]))
                })?;
                Ok(position)
            }
            Source::Text(records) => {
                let fail = |message: String| catalogue(&self.path, message);
                let record = match records.next() {
                    Some(record) => record.map_err(|e| fail(e.to_string()))?,
                    None => return Err(fail("ends before its last row: was it changed meanwhile?".into())),
                };
                let field = |column: usize| record.get(column).unwrap_or("");
                let at = |column: usize, what: &str| {
                    fail(format!("line {}, column {}: {what}", line(&record), self.names[column]))
                };
                let value = |column: usize| {
                    number(field(column)).map_err(|why| at(column, &format!("'{}' {why}", field(column))))
                };
                let place = columns.place(value(one)?, value(other)?);
                check(place).map_err(|(which, what)| at(columns.place[which], &what))?;
                let id = columns.id.map(|id| field(id).to_owned());
                Ok(Position { row, id: id.unwrap_or_else(|| (row + 1).to_string()), place })
            }
        }
    }
}

impl Iterator for Positions {
    type Item = Result<Position>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next.is_empty() {
            return None;
        }
        let position = self.read();
        match position {
            Ok(_) => self.next.start += 1,
            Err(_) => self.next = 0..0,
        }
        Some(position)
    }
}

impl Chosen {
    fn place(self, one: f64, other: f64) -> Place {
        if self.sky { Place::Sky(one, other) } else { Place::Pixel(one, other) }
    }
}

/// Refuses angles that are none: which of the two, and why.
fn check(place: Place) -> std::result::Result<(), (usize, String)> {
    let Place::Sky(ra, dec) = place else { return Ok(()) };
    match (ra, dec) {
        (ra, _) if ra.abs() > 360.0 => Err((0, format!("{ra} is no right ascension in degrees"))),
        (_, dec) if dec.abs() > 90.0 => Err((1, format!("{dec} is no declination in degrees"))),
        _ => Ok(()),
    }
}

/// How many rows a delimited file has.
fn count_records(path: &Path) -> Result<usize> {
    let broken = |e: csv::Error| catalogue(path, e.to_string());
    let Some(mut text) = Delimited::open(path)? else { return Ok(0) };
    let (mut record, mut count) = (csv::StringRecord::new(), 0);
    while text.reader.read_record(&mut record).map_err(broken)? {
        count += 1;
    }
    Ok(count)
}

/// The columns to read, or what is wrong.
fn choose(names: &[String], wanted: &PositionColumns, sky: bool) -> std::result::Result<Chosen, String> {
    let known = || names.join(" ");
    let given =
        |name: &String| find(names, &[name])?.ok_or_else(|| format!("has no column {name}, but {}", known()));
    let pair = |pair: &[&str; 2]| -> std::result::Result<Option<[usize; 2]>, String> {
        let [one, other] = [find(names, &[pair[0]])?, find(names, &[pair[1]])?];
        Ok(one.zip(other).map(|(one, other)| [one, other]))
    };
    let first = |pairs: &[[&str; 2]]| pairs.iter().find_map(|p| pair(p).transpose()).transpose();
    let (place, on_sky) = match wanted {
        PositionColumns { ra: Some(ra), dec: Some(dec), x: None, y: None, .. } => {
            ([given(ra)?, given(dec)?], true)
        }
        PositionColumns { ra: None, dec: None, x: Some(x), y: Some(y), .. } => {
            ([given(x)?, given(y)?], false)
        }
        PositionColumns { ra: None, dec: None, x: None, y: None, .. } => {
            match (first(&SKY)?, first(&PIXELS)?) {
                (Some(place), _) if sky => (place, true),
                (_, Some(place)) => (place, false),
                (Some(_), None) => {
                    let message = "has positions on the sky alone, and the image's header has no projection that is known: \
                               add columns X and Y in pixels";
                    return Err(message.into());
                }
                (None, None) => {
                    let message = "has no columns RA and DEC or X and Y, nor others known for positions, but";
                    return Err(format!("{message} {}: name them, as in ra=…,dec=…", known()));
                }
            }
        }
        _ => return Err("positions are two columns, ra and dec or x and y: name both of one kind".into()),
    };
    if on_sky && !sky {
        let message =
            "is to be read for positions on the sky, but the image's header has no projection that is known";
        return Err(message.into());
    }
    let id = match &wanted.id {
        Some(name) => Some(given(name)?),
        None => find(names, &ID)?.map_or_else(|| find(names, &NAMES), |id| Ok(Some(id)))?,
    };
    Ok(Chosen { place, sky: on_sky, id })
}

/// Refuses angles in another unit than degrees.
fn check_units(names: &[String], units: &[String], columns: Chosen) -> std::result::Result<(), String> {
    const DEGREES: [&str; 5] = ["", "deg", "degree", "degrees", "°"];
    for column in columns.place.into_iter().filter(|_| columns.sky) {
        let unit = units[column].trim();
        if unit.contains(':') || unit.contains('"') {
            return Err(format!("column {} {SEXAGESIMAL}", names[column]));
        }
        if !DEGREES.iter().any(|degrees| degrees.eq_ignore_ascii_case(unit)) {
            return Err(format!("column {} is in '{unit}': convert it to degrees", names[column]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
