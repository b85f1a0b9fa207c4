//! From output blocks to a catalogue.

use super::component::Component;
use super::constraints::{self, Limit};
use super::log::{self, Entry};
use super::model::Fit;
use super::verdict::trouble;
use super::workspace::{self, Object, RunRecord, Workspace};
use crate::fits::{Flags, Header, Row};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// What was read of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its row of the catalogue.
    pub row: Row,
    /// Why the row is no measurement; none where it is one.
    pub trouble: Option<String>,
    /// GALFIT's components.
    pub components: Vec<Component>,
    /// The number of the component that was taken for the galaxy.
    pub galaxy: Option<usize>,
}

/// Of a companion with at least this part of the galaxy's flux the row is flagged.
const NEIGHBOUR: f64 = 0.1;

impl Answer {
    /// Of an object that there is nothing to be read of.
    fn none(row: Row, why: impl Into<String>) -> Self {
        let mut row = row;
        row.flags |= Flags::BAD_FIT;
        Answer { row, trouble: Some(why.into()), components: Vec::new(), galaxy: None }
    }

    /// Of a fit. `row` is what is known beforehand; `corner` the FITS pixel of the catalogue's image which is the first of
    /// GALFIT's; `data` what the header of the block's data says.
    fn of(
        mut row: Row,
        fit: Fit,
        data: Option<&Header>,
        corner: [i64; 2],
        limits: &[Limit],
        first: Option<f64>,
    ) -> Self {
        let Some((galaxy, shape)) = fit.galaxy().and_then(|galaxy| Some((galaxy.clone(), galaxy.shape?)))
        else {
            let mut answer = Answer::none(row, "none of the components is a galaxy");
            answer.components = fit.components;
            return answer;
        };
        let both = |error: f64| if error >= 0.0 && error.is_finite() { [error; 2] } else { [f64::NAN; 2] };
        row.x = galaxy.x.value + (corner[0] - 1) as f64;
        row.y = galaxy.y.value + (corner[1] - 1) as f64;
        (row.mag, row.mag_err) = (galaxy.mag.value, both(galaxy.mag.error));
        (row.re_maj, row.re_maj_err) = (shape.re_maj.value, both(shape.re_maj.error));
        (row.n, row.n_err) = (shape.n.value, both(shape.n.error));
        (row.q, row.q_err) = (shape.q.value, both(shape.q.error));
        row.pa = shape.pa.value;
        row.re_circ = row.re_maj * row.q.clamp(0.0, f64::INFINITY).sqrt();
        // Arcsec a pixel, until now.
        row.re_arcsec *= row.re_maj;
        row.chi2 = fit.chi2;
        // The data in a block are the region that was fitted, with a header of their own.
        let [left, _, bottom, _] = fit.region.unwrap_or([1.0; 4]);
        if let Some(wcs) = data.and_then(|data| data.wcs.as_ref()) {
            (row.ra, row.dec) = wcs.sky(galaxy.x.value - left + 1.0, galaxy.y.value - bottom + 1.0);
        }
        if let Some((ratio, distance)) = fit.neighbour(&galaxy) {
            (row.neighbour_ratio, row.neighbour_distance) = (ratio, distance);
            row.flags.set(Flags::NEIGHBOUR, ratio >= NEIGHBOUR);
        }
        let trouble = trouble(&fit, &galaxy, limits, first);
        row.flags.set(Flags::BAD_FIT, trouble.is_some());
        Answer { row, trouble, components: fit.components, galaxy: Some(galaxy.number) }
    }

    /// How many other components with a magnitude the model has.
    pub fn others(&self) -> usize {
        self.components.len() - usize::from(self.galaxy.is_some())
    }
}

/// Reads a folder of fits: an answer an object, in order, of those too that GALFIT gave none of.
///
/// # Errors
/// Those of the folder and its files, but for blocks that cannot be read.
pub fn read_workspace(workspace: &Workspace, mut progress: impl FnMut()) -> Result<Vec<Answer>> {
    let limits_file = workspace.folder().join(workspace::CONSTRAINTS);
    let limits = if limits_file.exists() { constraints::read(&limits_file)? } else { Vec::new() };
    let read = |place: PathBuf| {
        progress();
        read_object(&place, &limits)
    };
    workspace.objects()?.into_iter().map(read).collect()
}

fn read_object(place: &Path, limits: &[Limit]) -> Result<Answer> {
    let object = Object::read(place)?;
    let [x, y] = object.corner.map(|first| (first - 1) as f64);
    let row = Row {
        id: object.id,
        file: object.file,
        x: object.initial.x + x,
        y: object.initial.y + y,
        re_arcsec: object.pixel_scale,
        snr: object.snr,
        flags: Flags(object.flags),
        ..Row::default()
    };
    let unmeasured = || Row { re_arcsec: f64::NAN, ..row.clone() };
    // Run by hand, an object has no record.
    let (block, record) = (place.join(workspace::BLOCK), RunRecord::read(place)?);
    let first = Some(object.initial.mag);
    match record {
        Some(record) if !record.done => match last_of_log(place, "") {
            Some(fit) => {
                let mut answer = Answer::of(row, fit, None, object.corner, limits, first);
                let why = format!("{}; the values are those of fit.log", record.reason);
                answer.row.flags |= Flags::BAD_FIT;
                answer.trouble = Some(why);
                Ok(answer)
            }
            None => Ok(Answer::none(unmeasured(), record.reason)),
        },
        None if !block.exists() => Ok(Answer::none(unmeasured(), "GALFIT has not been run over it")),
        _ => match Fit::of_block(&block) {
            Ok((fit, block)) => Ok(Answer::of(row, fit, block.data.as_ref(), object.corner, limits, first)),
            Err(error) => Ok(Answer::none(unmeasured(), error.to_string())),
        },
    }
}

/// The last fit in the fit.log of a folder that was to write `block`, or any where that is empty.
fn last_of_log(folder: &Path, block: &str) -> Option<Fit> {
    let entries = log::read(&folder.join(workspace::LOG)).ok()?;
    entries
        .into_iter()
        .rev()
        .find(|entry| block.is_empty() || file_name(&entry.block) == block)
        .map(|e| e.fit)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Reads output blocks made elsewhere: an answer a block. Limits are looked for in the constraint file that a block
/// names, where it says and beside the block. A block that cannot be read is an error of its own.
pub fn read_block(path: &Path) -> Result<Answer> {
    let (fit, block) = Fit::of_block(path)?;
    let limits = limits_of(&fit, path);
    let row = Row {
        id: id_of(path),
        file: path.display().to_string(),
        re_arcsec: block.data.as_ref().and_then(|data| data.pixel_scale).unwrap_or(f64::NAN),
        flags: if fit.zero_point.is_finite() { Flags::default() } else { Flags::ZERO_POINT_ASSUMED },
        ..Row::default()
    };
    Ok(Answer::of(row, fit, block.data.as_ref(), [1, 1], &limits, None))
}

/// Reads a fit.log by itself: an answer for each fit in it, by the name of the block that GALFIT was to write; of several
/// for one block the last.
///
/// # Errors
/// [`Error::Catalogue`] for a file without a fit in it.
pub fn read_log(path: &Path) -> Result<Vec<Answer>> {
    let mut entries: Vec<Entry> = Vec::new();
    for entry in log::read(path)? {
        entries.retain(|earlier| earlier.block != entry.block);
        entries.push(entry);
    }
    if entries.is_empty() {
        let message = "there is no fit in it: GALFIT's fit.log was expected".to_owned();
        return Err(Error::Catalogue { path: path.to_owned(), message });
    }
    let answer = |entry: Entry| {
        let row =
            Row { id: id_of(Path::new(&entry.block)), file: path.display().to_string(), ..Row::default() };
        Answer::of(row, entry.fit, None, [1, 1], &[], None)
    };
    Ok(entries.into_iter().map(answer).collect())
}

/// A file's name without its endings.
fn id_of(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".fits").unwrap_or(name).to_owned()
}

fn limits_of(fit: &Fit, block: &Path) -> Vec<Limit> {
    let Some(told) = &fit.constraints else { return Vec::new() };
    let folder = block.parent().unwrap_or(Path::new(""));
    let beside = told.file_name().map(|name| folder.join(name));
    let places = [Some(folder.join(told)), beside];
    let found = places.into_iter().flatten().find(|path| path.is_file());
    found.and_then(|path| constraints::read(&path).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
