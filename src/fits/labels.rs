//! What others have measured of galaxies: catalogues of labels, or of another program's fits.

use super::foreign::Foreign;
use crate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What a catalogue says of one galaxy; none where it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Label {
    /// Its name; empty in a catalogue without names.
    pub id: String,
    /// Total AB magnitude.
    pub mag: Option<f64>,
    /// Half-light radius along the major axis, pixels.
    pub re_maj: Option<f64>,
    /// Sérsic index.
    pub n: Option<f64>,
    /// Axis ratio b/a.
    pub q: Option<f64>,
    /// The catalogue's own flag, as it stands there.
    pub flag: Option<i64>,
    /// Whether that flag says that the fit failed: a 2 or more in a column `f`, as van der Wel et al. (2012) have it.
    pub bad: bool,
}

/// A catalogue of labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// Where it was read.
    pub path: PathBuf,
    /// The galaxies, in the catalogue's order.
    pub rows: Vec<Label>,
    /// Whether they have names; else their order must be that of the images.
    pub named: bool,
    /// Which column the radius is from, and in which unit; none where there is no radius.
    pub radius: Option<String>,
}

/// Columns are taken by these names, in whatever case, the first that is there.
pub(super) const ID: [&str; 4] = ["ID", "NUMBER", "SEQ", "IDENT"];
const MAGNITUDE: &str = "MAG";
/// Along the major axis; the last is circularised.
const RADIUS: [&str; 4] = ["RE_MAJ", "RE_ARCSEC", "RE", "RE_CIRC"];
const SERSIC_INDEX: &str = "N";
const AXIS_RATIO: &str = "Q";
const FLAG: [&str; 3] = ["FLAGS", "FLAG", "F"];
/// A catalogue of van der Wel et al. (2012) has these besides; its `re` is in arcsec.
const VAN_DER_WEL: [&str; 4] = ["DRE", "DN", "DQ", "F"];

/// Stand for what was not measured.
const SENTINELS: [f64; 3] = [-99.0, -999.0, -9999.0];
/// A magnitude of this or more stands for none too.
const FAINTEST: f64 = 90.0;
/// In a column `f`: the fit failed (2) or was not tried (3).
const FAILED: i64 = 2;

impl Labels {
    /// Reads a catalogue: a FITS table (`CATALOGUE`, else the first), ECSV, CSV, or columns of words.
    ///
    /// | | columns, in whatever case | |
    /// |---|---|---|
    /// | name | `ID` `NUMBER` `SEQ` `IDENT` | none: the order counts |
    /// | magnitude | `MAG` | AB, total |
    /// | radius along the major axis | `RE_MAJ` | pixels |
    /// | | `RE_ARCSEC` | arcsec |
    /// | | `RE` | arcsec in a catalogue of van der Wel et al. (2012); else its unit must be stated |
    /// | circularised radius | `RE_CIRC` | pixels; divided by √`Q` |
    /// | Sérsic index | `N` | |
    /// | axis ratio b/a | `Q` | |
    /// | flag | `FLAGS` `FLAG` `F` | |
    ///
    /// A unit that the file states for a radius (`TUNIT`, ECSV) goes before the one that its name implies. Empty
    /// fields, NaN, −99, −999, −9999, magnitudes of 90 or more, and radii, indices and ratios of 0 or less are
    /// taken for not measured. `pixel_scale` is that of the images, arcsec, for radii in arcsec; NaN where unknown.
    ///
    /// # Errors
    /// Those of the file; [`Error::Fits`] and [`Error::Catalogue`] where no column is known, a unit is missing or
    /// unknown, or a value cannot be, with its row and column.
    pub fn read(path: impl AsRef<Path>, pixel_scale: f64) -> Result<Self> {
        let mut table = Foreign::open(path.as_ref())?;
        let id = table.find(&ID)?;
        let columns = [&[MAGNITUDE][..], &RADIUS, &[SERSIC_INDEX], &[AXIS_RATIO]];
        let found = columns.map(|names| table.find(names));
        let [magnitude, radius, index, ratio] = transpose(found)?;
        if [magnitude, radius, index, ratio].iter().all(Option::is_none) {
            let message = format!(
                "has no column of labels, MAG, RE_MAJ, RE_ARCSEC, RE_CIRC, N or Q, but {}: rename those that are such",
                some(table.names())
            );
            return Err(table.error(message));
        }
        let unit = radius.map(|column| radius_unit(&table, column, pixel_scale)).transpose()?;
        let flag = table.find(&FLAG)?;
        let failed = flag.is_some_and(|column| table.names()[column].eq_ignore_ascii_case("F"));

        let mut rows = vec![Label::default(); table.rows()];
        if let Some(column) = id {
            rows.iter_mut().zip(table.texts(column)?).for_each(|(row, id)| row.id = id);
        }
        let mut fill = |table: &mut Foreign, column: Option<usize>, set: fn(&mut Label, f64)| -> Result<()> {
            let Some(column) = column else { return Ok(()) };
            for (row, value) in rows.iter_mut().zip(table.numbers(column)?) {
                if value.is_finite() && !SENTINELS.contains(&value) {
                    set(row, value);
                }
            }
            Ok(())
        };
        fill(&mut table, magnitude, |row, v| row.mag = Some(v).filter(|v| *v < FAINTEST))?;
        fill(&mut table, radius, |row, v| row.re_maj = positive(v))?;
        fill(&mut table, index, |row, v| row.n = positive(v))?;
        fill(&mut table, ratio, |row, v| row.q = positive(v))?;
        fill(&mut table, flag, |row, v| row.flag = Some(v as i64))?;
        for (number, row) in rows.iter_mut().enumerate() {
            if let Some(q) = row.q.filter(|q| *q > 1.0) {
                let what =
                    format!("{}, column Q: {q} is above 1, but an axis ratio is b/a", table.place(number));
                return Err(table.error(what));
            }
            row.bad = failed && row.flag.is_some_and(|flag| flag >= FAILED);
            row.re_maj = unit.as_ref().and_then(|unit| unit.along_the_major_axis(row));
        }
        let (path, named) = (table.path().to_owned(), id.is_some());
        Ok(Labels { path, rows, named, radius: unit.map(|unit| unit.origin) })
    }

    /// The row of each galaxy in `ids`: by name, where the catalogue has names (blanks around them and zeros before a
    /// number do not count), else in order, one row each.
    ///
    /// # Errors
    /// [`Error::Catalogue`]: two rows of one name; or without names, another number of rows.
    pub fn match_ids(&self, ids: &[String]) -> Result<Vec<Option<usize>>> {
        let refuse = |message| Err(Error::Catalogue { path: self.path.clone(), message });
        if !self.named {
            return match self.rows.len() == ids.len() {
                true => Ok((0..ids.len()).map(Some).collect()),
                false => refuse(format!(
                    "has {} rows for {} images and no column ID to match them by: give it one, or a row for each \
                     image in their order",
                    self.rows.len(),
                    ids.len()
                )),
            };
        }
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (row, label) in self.rows.iter().enumerate() {
            if let Some(first) = places.insert(key(&label.id), row) {
                return refuse(format!(
                    "rows {} and {} both have the ID '{}': leave one of them out",
                    first + 1,
                    row + 1,
                    label.id
                ));
            }
        }
        Ok(ids.iter().map(|id| places.get(key(id)).copied()).collect())
    }
}

/// A name as it is compared.
fn key(id: &str) -> &str {
    let id = id.trim();
    let digits = id.bytes().all(|b| b.is_ascii_digit());
    let short = id.trim_start_matches('0');
    if digits && !short.is_empty() { short } else { id }
}

fn positive(value: f64) -> Option<f64> {
    Some(value).filter(|v| *v > 0.0)
}

fn transpose<const N: usize>(found: [Result<Option<usize>>; N]) -> Result<[Option<usize>; N]> {
    let mut columns = [None; N];
    for (column, found) in columns.iter_mut().zip(found) {
        *column = found?;
    }
    Ok(columns)
}

/// The first of many names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let more = if names.len() > SHOWN { " …" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(" "))
}

/// How a radius is read.
struct RadiusColumn {
    /// Pixels a unit.
    factor: f64,
    circularised: bool,
    origin: String,
}

impl RadiusColumn {
    fn along_the_major_axis(&self, row: &Label) -> Option<f64> {
        let root = if self.circularised { row.q?.sqrt() } else { 1.0 };
        Some(row.re_maj? * self.factor / root)
    }
}

fn radius_unit(table: &Foreign, column: usize, pixel_scale: f64) -> Result<RadiusColumn> {
    /// Arcsec a unit; none for pixels.
    const UNITS: [(&[&str], Option<f64>); 4] = [
        (&["pix", "pixel", "pixels"], None),
        (&["arcsec", "arcsecs", "arcsecond", "arcseconds", "\""], Some(1.0)),
        (&["mas"], Some(1e-3)),
        (&["deg", "degree", "degrees"], Some(3600.0)),
    ];
    let (name, stated) = (&table.names()[column], table.unit(column).trim());
    let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
    let has = |wanted: &&str| matches!(table.find(&[wanted]), Ok(Some(_)));
    let known = UNITS.iter().find(|(names, _)| names.iter().any(|unit| unit.eq_ignore_ascii_case(stated)));
    let arcsec = match known {
        Some((_, None)) if is("RE_ARCSEC") => {
            return Err(table.error(format!("column {name} is said to be in pixels: rename it to RE_MAJ")));
        }
        Some((_, arcsec)) => *arcsec,
        None if !stated.is_empty() => {
            let message = format!("column {name} is in '{stated}': give it in pixels or arcsec");
            return Err(table.error(message));
        }
        None if is("RE_ARCSEC") || is("RE") && VAN_DER_WEL.iter().all(has) => Some(1.0),
        None if is("RE_MAJ") || is("RE_CIRC") => None,
        None => {
            let message = format!(
                "does not say in which unit the column {name} is: name it RE_ARCSEC for arcsec or RE_MAJ for pixels, \
                 both along the major axis"
            );
            return Err(table.error(message));
        }
    };
    if arcsec.is_some() && !(pixel_scale > 0.0 && pixel_scale.is_finite()) {
        let message =
            format!("column {name} is in arcsec and the images' pixel scale is not known: state it");
        return Err(table.error(message));
    }
    let circularised = is("RE_CIRC");
    if circularised && table.find(&[AXIS_RATIO])?.is_none() {
        let message = format!(
            "column {name} is circularised and there is no column Q to find the major axis by: add it"
        );
        return Err(table.error(message));
    }
    let unit = if arcsec.is_some() { "arcsec" } else { "pixels" };
    let circularly = if circularised { ", circularised" } else { "" };
    let factor = arcsec.map_or(1.0, |arcsec| arcsec / pixel_scale);
    Ok(RadiusColumn { factor, circularised, origin: format!("{name} in {unit}{circularly}") })
}

#[cfg(test)]
mod tests;
