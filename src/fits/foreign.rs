//! Tables that other programs have made, as columns with names and units: FITS, ECSV, CSV, or words in columns under
//! a line that begins with # and names them.

use super::columns::{catalogue, open_table};
use super::header::Cards;
use super::raw::FitsFile;
use crate::{Error, Result, files};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A table and its columns' names.
pub(super) struct Foreign {
    path: PathBuf,
    names: Vec<String>,
    /// As many; empty where none is stated.
    units: Vec<String>,
    source: Source,
}

enum Source {
    Fits {
        file: FitsFile,
        rows: usize,
    },
    /// Each row's line in the file, counted from 1, and its fields, as many as names.
    Text(Vec<(u64, Vec<String>)>),
}

impl Foreign {
    /// Opens a table: what begins as FITS files do, or is named like one, as FITS (its HDU `CATALOGUE`, else its first
    /// table); other files as text.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Fits`] or [`Error::Catalogue`] with what cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if is_fits(path) {
            let mut file = open_table(path, "CATALOGUE")?;
            let (cards, rows) = (Cards::parse(&file.cards()?), file.rows()?);
            let count = cards.number("TFIELDS").unwrap_or(0.0) as usize;
            let texts = |key: &str| -> Vec<String> {
                let text = |i| cards.text(&format!("{key}{i}")).unwrap_or("").trim().to_owned();
                (1..=count.min(999)).map(text).collect()
            };
            let (names, units) = (texts("TTYPE"), texts("TUNIT"));
            return Ok(Foreign { path: path.to_owned(), names, units, source: Source::Fits { file, rows } });
        }
        let Some(mut text) = Delimited::open(path)? else {
            let text = String::from_utf8(files::read(path)?)
                .map_err(|_| catalogue(path, "is neither a FITS file nor a table of text".into()))?;
            return words(path, &text);
        };
        let mut rows = Vec::new();
        for record in text.reader.records() {
            let record = record.map_err(|e| catalogue(path, e.to_string()))?;
            rows.push((line(&record), record.iter().map(str::to_owned).collect()));
        }
        let Delimited { names, units, .. } = text;
        Ok(Foreign { path: path.to_owned(), names, units, source: Source::Text(rows) })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All columns' names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn unit(&self, column: usize) -> &str {
        &self.units[column]
    }

    pub(super) fn rows(&self) -> usize {
        match &self.source {
            Source::Fits { rows, .. } => *rows,
            Source::Text(rows) => rows.len(),
        }
    }

    /// Where a row, counted from 0, stands: as a person finds it.
    pub(super) fn place(&self, row: usize) -> String {
        match &self.source {
            Source::Text(rows) => format!("line {}", rows.get(row).map_or(0, |(line, _)| *line)),
            Source::Fits { .. } => format!("row {}", row + 1),
        }
    }

    /// An error about this table, with its HDU where it has one.
    pub(super) fn error(&self, message: String) -> Error {
        match &self.source {
            Source::Fits { file, .. } => file.error(message),
            Source::Text(_) => catalogue(&self.path, message),
        }
    }

    /// The column that has the first of these names that any has, in whatever case.
    ///
    /// # Errors
    /// Two columns that differ in their names' case alone.
    pub(super) fn find(&self, names: &[&str]) -> Result<Option<usize>> {
        find(&self.names, names).map_err(|message| self.error(message))
    }

    /// A column of numbers; NaN for what is empty.
    ///
    /// # Errors
    /// The row and the column of what is none.
    pub(super) fn numbers(&mut self, column: usize) -> Result<Vec<f64>> {
        self.check(column)?;
        self.numbers_in(column, 0..self.rows())
    }

    /// A column of names; whole numbers are written as such.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn texts(&mut self, column: usize) -> Result<Vec<String>> {
        self.check(column)?;
        self.texts_in(column, 0..self.rows())
    }

    /// Whether a column of a FITS table is one of texts; those of other tables may hold anything.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn is_text(&mut self, column: usize) -> Result<bool> {
        match &mut self.source {
            Source::Fits { file, .. } => file.is_text(column),
            Source::Text(_) => Ok(false),
        }
    }

    /// Refuses a table that is cut short before its last row.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn check(&mut self, column: usize) -> Result<()> {
        match &mut self.source {
            Source::Fits { file, rows } => match file.is_text(column)? {
                true => Ok(()),
                false => file.check_last_row(column, *rows),
            },
            Source::Text(_) => Ok(()),
        }
    }

    /// As [`Foreign::numbers`], of some rows of a table that was checked.
    ///
    /// # Errors
    /// As [`Foreign::numbers`].
    pub(super) fn numbers_in(&mut self, column: usize, rows: Range<usize>) -> Result<Vec<f64>> {
        let name = &self.names[column];
        match &mut self.source {
            Source::Fits { file, .. } => {
                if file.is_text(column)? {
                    return Err(file.error(format!("column {name} holds texts, not numbers")));
                }
                file.read_f64_in(column, rows)
            }
            Source::Text(all) => {
                let number = |(line, fields): &(u64, Vec<String>)| {
                    let field = fields.get(column).map_or("", String::as_str);
                    number(field).map_err(|why| {
                        catalogue(&self.path, format!("line {line}, column {name}: '{field}' {why}"))
                    })
                };
                all[rows].iter().map(number).collect()
            }
        }
    }

    /// As [`Foreign::texts`], of some rows of a table that was checked.
    ///
    /// # Errors
    /// As [`Foreign::texts`].
    pub(super) fn texts_in(&mut self, column: usize, rows: Range<usize>) -> Result<Vec<String>> {
        match &mut self.source {
            Source::Fits { file, .. } => {
                if file.is_text(column)? {
                    return file.read_text_in(column, rows);
                }
                if file.is_integer(column)? {
                    return Ok(file.read_i64_in(column, rows)?.iter().map(i64::to_string).collect());
                }
                Ok(file.read_f64_in(column, rows)?.iter().map(f64::to_string).collect())
            }
            Source::Text(all) => Ok(all[rows]
                .iter()
                .map(|(_, fields)| fields.get(column).cloned().unwrap_or_default())
                .collect()),
        }
    }
}

/// A table of text with a delimiter, whose rows are read one after another: CSV, TSV or ECSV.
pub(super) struct Delimited {
    pub(super) names: Vec<String>,
    /// As many; empty where none is stated.
    pub(super) units: Vec<String>,
    pub(super) reader: csv::Reader<File>,
}

impl Delimited {
    /// `None` for a file that is none by its first line or its name.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Catalogue`] with what cannot be read.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        let failed = |e| Error::io(path, "read", e);
        let file = File::open(path).map_err(failed)?;
        let mut header = String::new();
        // What is no text has no such header.
        for line in BufReader::new(&file).lines().map_while(|l| l.ok().filter(|l| l.starts_with('#'))) {
            header += &line;
            header.push('\n');
        }
        let (delimiter, units) = match () {
            () if header.starts_with("# %ECSV") => (ecsv_delimiter(&header), ecsv_units(&header)),
            () if has_ending(path, &["csv", "ecsv"]) => (b',', Vec::new()),
            () if has_ending(path, &["tsv"]) => (b'\t', Vec::new()),
            () => return Ok(None),
        };
        let file = File::open(path).map_err(failed)?;
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .delimiter(delimiter)
            .from_reader(file);
        let names: Vec<String> =
            reader.headers().map_err(|e| catalogue(path, e.to_string()))?.iter().map(str::to_owned).collect();
        let unit = |name: &String| units.iter().find(|(of, _)| of == name).map(|(_, unit)| unit.clone());
        let units = names.iter().map(|name| unit(name).unwrap_or_default()).collect();
        Ok(Some(Delimited { names, units, reader }))
    }
}

/// The line of a file that a record of it begins in, counted from 1.
pub(super) fn line(record: &csv::StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

/// The first column that has one of these names, in whatever case, the first name that any has.
///
/// # Errors
/// The message, where two columns differ in their names' case alone.
pub(super) fn find(columns: &[String], names: &[&str]) -> std::result::Result<Option<usize>, String> {
    for wanted in names {
        let mut found = (0..columns.len()).filter(|&i| columns[i].eq_ignore_ascii_case(wanted));
        if let (Some(first), second) = (found.next(), found.next()) {
            return match second {
                None => Ok(Some(first)),
                Some(second) => Err(format!(
                    "has a column {} and a column {}: rename one of them",
                    columns[first], columns[second]
                )),
            };
        }
    }
    Ok(None)
}

/// A number; NaN for what programs write where there is none.
///
/// # Errors
/// What is wrong with it, to follow the field.
pub(super) fn number(field: &str) -> std::result::Result<f64, &'static str> {
    let none = ["", "--", "null", "none", "n/a", "..."];
    if none.iter().any(|word| field.eq_ignore_ascii_case(word)) {
        return Ok(f64::NAN);
    }
    field.parse().map_err(|_| if is_sexagesimal(field) { SEXAGESIMAL } else { "is not a number" })
}

/// What to say of hours, minutes and seconds.
pub(super) const SEXAGESIMAL: &str = "is sexagesimal: convert it to degrees, which are expected";

/// Three numbers parted by colons, blanks or letters, as in 10:00:28.6 and +02d12m21s.
fn is_sexagesimal(field: &str) -> bool {
    let parts: Vec<&str> = field.split([':', ' ', 'h', 'd', 'm', 's', '°', '′', '″', '\'', '"']).collect();
    let numbers = parts.iter().filter(|part| part.parse::<f64>().is_ok()).count();
    let all = parts.iter().all(|part| part.is_empty() || part.parse::<f64>().is_ok());
    all && (2..=3).contains(&numbers)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|e| endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)))
}

/// By its first bytes, those of a compressed file included; else by its name.
pub(super) fn is_fits(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; 6];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    let begins = read.is_ok() && (start.starts_with(b"SIMPLE") || start.starts_with(&[0x1f, 0x8b]));
    begins || has_ending(path, &["fits", "fit", "fts", "fz"])
}

/// The lines of an ECSV's header, without their number signs.
fn ecsv_header(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim)
}

/// A space, unless the header says that it is a comma.
fn ecsv_delimiter(text: &str) -> u8 {
    let stated = ecsv_header(text).find_map(|line| line.strip_prefix("delimiter:"));
    if stated.is_some_and(|delimiter| delimiter.contains(',')) { b',' } else { b' ' }
}

/// The columns' names and units out of an ECSV's header, which is YAML, be it in braces or line by line.
fn ecsv_units(text: &str) -> Vec<(String, String)> {
    let mut units: Vec<(String, String)> = Vec::new();
    let mut name = None;
    for line in ecsv_header(text).take_while(|line| !line.starts_with("meta:")) {
        for part in line.split(['{', '}', ',']) {
            let part = part.trim_start_matches('-').trim();
            let Some((key, value)) = part.split_once(':') else { continue };
            let value = value.trim().trim_matches(['\'', '"']).to_owned();
            match (key.trim(), &name) {
                ("name", _) => name = Some(value),
                ("unit", Some(name)) => units.push((name.clone(), value)),
                _ => (),
            }
        }
    }
    units
}

/// Columns parted by blanks. Their names stand in the last comment with as many words as a row, or one by one in
/// comments like `# 3 MAG total magnitude [mag]`, or in the first line that is no comment.
fn words(path: &Path, text: &str) -> Result<Foreign> {
    let (mut comments, mut rows) = (Vec::new(), Vec::new());
    for (line, content) in text.lines().enumerate() {
        match content.trim_start().strip_prefix('#') {
            Some(comment) if rows.is_empty() => comments.push(comment.trim()),
            Some(_) => (),
            None if content.trim().is_empty() => (),
            None => rows.push((line as u64 + 1, content.split_whitespace().map(str::to_owned).collect())),
        }
    }
    let split = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    let count = rows.first().map_or(0, |(_, fields): &(u64, Vec<String>)| fields.len());
    let mut units = vec![String::new(); count];
    let (mut numbered, mut in_one) = (vec![String::new(); count], None);
    for comment in comments {
        let fields = split(comment);
        let number = fields.first().and_then(|word| word.parse::<usize>().ok());
        if let (Some(number @ 1..), Some(name)) = (number, fields.get(1))
            && number <= count
        {
            numbered[number - 1].clone_from(name);
            let unit = comment.strip_suffix(']').and_then(|c| c.rsplit_once('['));
            units[number - 1] = unit.map_or_else(String::new, |(_, unit)| unit.to_owned());
        } else if fields.len() == count {
            in_one = Some(fields);
        }
    }
    let names = match in_one {
        _ if numbered.first().is_some_and(|name| !name.is_empty()) => numbered,
        Some(names) => names,
        None if rows.is_empty() => Vec::new(),
        None => rows.remove(0).1,
    };
    if let Some((line, fields)) = rows.iter().find(|(_, fields)| fields.len() != names.len()) {
        let message =
            format!("line {line} has {} words, but there are {} columns", fields.len(), names.len());
        return Err(catalogue(path, message));
    }
    Ok(Foreign { path: path.to_owned(), names, units, source: Source::Text(rows) })
}

#[cfg(test)]
mod tests;
