//! A catalogue as CSV, and as astropy's Enhanced CSV, version 1.0: the same with a header that has units,
//! descriptions and provenance.

use super::super::columns::{catalogue, number};
use super::super::ecsv;
use super::super::flags::Flags;
use super::columns::{FILE, FLAGS, ID, NUMBERS};
use super::{Provenance, Row};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

pub(super) struct Writer {
    text: csv::Writer<BufWriter<File>>,
    path: PathBuf,
}

impl Writer {
    /// With an ECSV header where there is provenance to tell.
    pub(super) fn create(path: &Path, provenance: Option<&Provenance>) -> Result<Self> {
        let failed = |e| Error::io(path, "write", e);
        let mut file = BufWriter::new(File::create(path).map_err(failed)?);
        if let Some(provenance) = provenance {
            file.write_all(ecsv::comments(&header(provenance)).as_bytes()).map_err(failed)?;
        }
        let mut writer = Writer { text: csv::Writer::from_writer(file), path: path.to_owned() };
        let names = NUMBERS.iter().map(|n| n.name);
        writer.record([ID.0, FILE.0].into_iter().chain(names).chain([FLAGS.0]))?;
        Ok(writer)
    }

    fn record(&mut self, fields: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<()> {
        self.text.write_record(fields).map_err(|e| catalogue(&self.path, e.to_string()))
    }

    pub(super) fn append(&mut self, rows: &[Row]) -> Result<()> {
        for row in rows {
            let numbers = NUMBERS.iter().map(|n| {
                let value = (n.get)(row);
                if value.is_finite() { format!("{value:.*}", n.decimals) } else { String::new() }
            });
            let texts = [row.id.clone(), row.file.clone()];
            self.record(texts.into_iter().chain(numbers).chain([row.flags.0.to_string()]))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.text.flush().map_err(|e| Error::io(&self.path, "write", e))
    }
}

/// The columns and the provenance as the YAML that ECSV has in its header, and astropy in a Parquet file's metadata.
pub(super) fn header(provenance: &Provenance) -> String {
    let texts = [ID, FILE].map(|(name, description)| [name, "string", "", description]);
    let numbers = NUMBERS.iter().map(|n| [n.name, "float64", n.unit, n.description]);
    ecsv::header(texts.into_iter().chain(numbers).chain([[FLAGS.0, "int32", "", FLAGS.1]]), provenance)
}

pub(super) struct Reader {
    path: PathBuf,
    records: csv::StringRecordsIntoIter<BufReader<File>>,
    /// Where each column stands: `ID`, `FILE`, the numbers, `FLAGS`.
    places: Vec<usize>,
    pub(super) provenance: Provenance,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let open = || File::open(path).map(BufReader::new).map_err(|e| Error::io(path, "read", e));
        let mut provenance = Vec::new();
        for line in open()?.lines() {
            let line = line.map_err(|e| Error::io(path, "read", e))?;
            let Some(line) = line.strip_prefix('#') else { break };
            let entry = line.trim_start().strip_prefix('\'').and_then(|line| line.strip_suffix('\''));
            if let Some((key, value)) = entry.and_then(|entry| entry.split_once("': '")) {
                provenance.push((key.replace("''", "'"), value.replace("''", "'")));
            }
        }
        let mut text = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(open()?);
        let names = text.headers().map_err(|e| catalogue(path, e.to_string()))?.clone();
        let numbers = NUMBERS.iter().map(|n| n.name);
        let wanted = [ID.0, FILE.0].into_iter().chain(numbers).chain([FLAGS.0]);
        let place = |name: &str| {
            names.iter().position(|n| n == name).ok_or_else(|| {
                let message =
                    format!("has no column {name}: it is no catalogue of legato's, or of another version");
                catalogue(path, message)
            })
        };
        let places = wanted.map(place).collect::<Result<Vec<_>>>()?;
        Ok(Reader { path: path.to_owned(), records: text.into_records(), places, provenance })
    }

    pub(super) fn next_chunk(&mut self, most: usize) -> Result<Option<Vec<Row>>> {
        let mut rows = Vec::new();
        for record in self.records.by_ref().take(most) {
            let record = record.map_err(|e| catalogue(&self.path, e.to_string()))?;
            let field = |column: usize| record.get(self.places[column]).unwrap_or("");
            let wrong = |column: usize| {
                let (line, text) = (record.position().map_or(0, csv::Position::line), field(column));
                let name = if column == NUMBERS.len() + 2 { FLAGS.0 } else { NUMBERS[column - 2].name };
                catalogue(&self.path, format!("line {line}, column {name}: '{text}' is not a number"))
            };
            let mut row = Row { id: field(0).to_owned(), file: field(1).to_owned(), ..Row::default() };
            for (i, column) in NUMBERS.iter().enumerate() {
                (column.set)(&mut row, number(field(i + 2)).ok_or_else(|| wrong(i + 2))?);
            }
            let flags = NUMBERS.len() + 2;
            row.flags = Flags(field(flags).parse().map_err(|_| wrong(flags))?);
            rows.push(row);
        }
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }
}
