//! A whole measurement: part by part, kept as it goes, one catalogue at the end.

use super::journal::{Done, Journal};
use super::{Measurer, Object, Objects, Shard};
use crate::fits::{Catalogue, CatalogueSize, CatalogueWriter, Row};
use crate::legato::{Ahead, ModelFit};
use crate::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// Objects of a part: so many are lost when a run is killed, and so many stamps are in memory.
pub const PART: u64 = 1024;
/// The key of a catalogue's header that says which share of the objects it has.
pub(super) const SHARE: &str = "SHARE";

/// What a run tells while it works.
pub enum Progress<'a> {
    /// So many objects were done by an earlier start of the same run.
    Resumed(u64),
    /// So many more are done.
    Measured(u64),
    /// The model of one of those that are being done; told in their order, before their number is.
    Modelled {
        /// The galaxy.
        object: &'a Object,
        /// What was measured.
        row: &'a Row,
        /// It beside the pixels.
        model: &'a ModelFit,
    },
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Summary {
    /// Rows of the catalogue.
    pub rows: u64,
    /// The first of them.
    pub first: Vec<Row>,
    /// What could not be read, in words.
    pub failures: Vec<String>,
}

/// Measures a share of `objects` into the catalogue `output`. Each part of them is kept on disk when it is done, in a
/// folder `OUTPUT.parts` that goes when the catalogue stands; the same call after a kill goes on with it. A row depends
/// on nothing but its object, so that the catalogue is the same byte for byte however often it was begun, and those of
/// all shares joined are that of a single run. The first `shown` rows are given back.
///
/// # Errors
/// The device fails, a file cannot be written, or the folder of parts is another run's. Nothing is written where there
/// is nothing that could be measured; see [`Summary::rows`].
pub fn measure_into(
    output: &Path,
    objects: &mut dyn Objects,
    measurer: &Measurer,
    shard: Shard,
    shown: usize,
    mut hear: impl FnMut(Progress),
) -> Result<Summary> {
    let range = shard.range(objects.total());
    let provenance = provenance(objects, measurer, shard)?;
    let identity: Vec<String> = provenance.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    let mut summary = Summary {
        failures: objects.unreadable().iter().map(Error::to_string).collect(),
        ..Summary::default()
    };
    let mut size = CatalogueSize::default();
    let parts = parts(&range);
    // A run of one part has nothing to keep but its end.
    let journal = if parts.len() > 1 { Some(Journal::open(output, &identity.concat())?) } else { None };
    let mut only = Done::default();
    let is_done = |number: u64| journal.as_ref().is_some_and(|journal| journal.has(number));
    let missing: Vec<_> = (0..).zip(&parts).filter(|&(n, _)| !is_done(n)).map(|(_, p)| p.clone()).collect();
    reading_ahead(objects, &missing, |next| {
        for (number, part) in (0..).zip(&parts) {
            let done = match &journal {
                Some(journal) if journal.has(number) => {
                    hear(Progress::Resumed(part.end - part.start));
                    journal.read(number)?
                }
                _ => {
                    let done = measure_part(next()?, measurer, &mut hear)?;
                    if let Some(journal) = &journal {
                        journal.keep(number, &done)?;
                    }
                    done
                }
            };
            size.add(&done.rows);
            let room = shown.saturating_sub(summary.first.len());
            summary.first.extend(done.rows.iter().take(room).cloned());
            summary.failures.extend(done.failures.iter().cloned());
            if journal.is_none() {
                only = done;
            }
        }
        Ok(())
    })?;
    summary.rows = size.rows as u64;
    if size.rows > 0 || shard.is_partial() {
        let mut writer = CatalogueWriter::create(output, &size, &provenance)?;
        match &journal {
            None => writer.append(&only.rows)?,
            Some(journal) => {
                (0..parts.len() as u64).try_for_each(|number| writer.append(&journal.read(number)?.rows))?;
            }
        }
        writer.finish()?;
    }
    journal.map_or(Ok(()), Journal::remove)?;
    Ok(summary)
}

/// Measures all `objects` into memory, as [`measure_into`] does into a file.
///
/// # Errors
/// The device fails.
pub fn measure_all(
    objects: &mut dyn Objects,
    measurer: &Measurer,
    mut hear: impl FnMut(Progress),
) -> Result<(Catalogue, Vec<String>)> {
    let mut failures: Vec<String> = objects.unreadable().iter().map(Error::to_string).collect();
    let mut catalogue =
        Catalogue { rows: Vec::new(), provenance: provenance(objects, measurer, Shard::WHOLE)? };
    let parts = parts(&(0..objects.total()));
    reading_ahead(objects, &parts, |next| {
        for _ in &parts {
            let done = measure_part(next()?, measurer, &mut hear)?;
            catalogue.rows.extend(done.rows);
            failures.extend(done.failures);
        }
        Ok(())
    })?;
    Ok((catalogue, failures))
}

fn parts(range: &Range<u64>) -> Vec<Range<u64>> {
    range.clone().step_by(PART as usize).map(|start| start..range.end.min(start + PART)).collect()
}

/// The objects of a part, in order, each read or the error of reading it.
type Part = Vec<Result<Object>>;

/// Does `work`, which takes one of `parts` after another; the next one is read meanwhile.
fn reading_ahead(
    objects: &mut dyn Objects,
    parts: &[Range<u64>],
    work: impl FnOnce(&mut dyn FnMut() -> Result<Part>) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let mut parts = parts.iter();
        // Without room: the thread that reads waits with one part until it is taken.
        let mut ahead = Ahead::within(scope, 0, move || parts.next().map(|part| objects.read(part.clone())));
        let none = || Error::Usage("no more objects could be read".into());
        work(&mut || ahead.wait()?.ok_or_else(none))
    })
}

fn measure_part(part: Part, measurer: &Measurer, hear: &mut impl FnMut(Progress)) -> Result<Done> {
    let mut done = Done::default();
    let mut found: Vec<Object> = Vec::new();
    for object in part {
        match object {
            Ok(object) => found.push(object),
            Err(error) => {
                done.failures.push(error.to_string());
                hear(Progress::Measured(1));
            }
        }
    }
    done.rows = measurer.measure(&found, hear)?;
    Ok(done)
}

/// What a catalogue's header says of how it came about.
fn provenance(objects: &dyn Objects, measurer: &Measurer, shard: Shard) -> Result<Vec<(String, String)>> {
    let mut entries = measurer.describe();
    entries.extend(objects.describe()?);
    if shard.is_partial() {
        let total = objects.total();
        let range = shard.range(total);
        entries.push((SHARE.into(), format!("{shard}, objects {} to {} of {total}", range.start, range.end)));
    }
    Ok(entries)
}
