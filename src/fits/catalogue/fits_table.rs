//! A catalogue as a FITS binary table, with `TUNITn` and, as `TCOMMn`, descriptions.

use super::super::flags::Flags;
use super::super::header::Cards;
use super::super::raw::{Column, FitsFile};
use super::columns::{FILE, FLAGS, ID, NUMBERS};
use super::{CatalogueSize, Provenance, Row, TABLE};
use crate::Result;
use std::path::Path;

/// The table's columns: `ID`, `FILE`, the numbers, `FLAGS`.
const FIRST_NUMBER: usize = 2;

pub(super) struct Writer(FitsFile);

impl Writer {
    pub(super) fn create(path: &Path, size: &CatalogueSize, provenance: &Provenance) -> Result<Self> {
        let text = |width: usize| format!("{}A", width.max(1));
        let (id, file) = (text(size.id), text(size.file));
        let mut columns =
            vec![Column { name: ID.0, form: &id, unit: "" }, Column { name: FILE.0, form: &file, unit: "" }];
        columns.extend(NUMBERS.iter().map(|n| Column { name: n.name, form: "1D", unit: n.unit }));
        columns.push(Column { name: FLAGS.0, form: "1J", unit: "" });
        let numbers = NUMBERS.iter().map(|n| n.description);
        let descriptions: Vec<&str> = [ID.1, FILE.1].into_iter().chain(numbers).chain([FLAGS.1]).collect();
        let mut table = FitsFile::create(path)?;
        table.add_image(&[])?;
        table.add_table(TABLE, &columns, size.rows)?;
        for (i, description) in descriptions.iter().enumerate() {
            table.set_text(&format!("TCOMM{}", i + 1), description, "")?;
        }
        for (key, value) in provenance {
            table.add_history(&format!("{key}: {value}"))?;
        }
        Ok(Writer(table))
    }

    pub(super) fn append(&mut self, first: usize, rows: &[Row]) -> Result<()> {
        self.0.write_text(0, first, rows.iter().map(|r| &r.id))?;
        self.0.write_text(1, first, rows.iter().map(|r| &r.file))?;
        for (i, number) in NUMBERS.iter().enumerate() {
            let values: Vec<f64> = rows.iter().map(number.get).collect();
            self.0.write_f64(FIRST_NUMBER + i, first, &values)?;
        }
        let flags: Vec<i64> = rows.iter().map(|r| i64::from(r.flags.0)).collect();
        self.0.write_i64(FIRST_NUMBER + NUMBERS.len(), first, &flags)
    }

    pub(super) fn finish(self) -> Result<()> {
        self.0.close()
    }
}

pub(super) struct Reader {
    file: FitsFile,
    rows: usize,
    next: usize,
    pub(super) provenance: Provenance,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut file = super::super::columns::open_table(path, TABLE)?;
        if Cards::parse(&file.cards()?).text("EXTNAME") != Some(TABLE) {
            return Err(file.error("this table is no catalogue of legato's"));
        }
        let entry = |text: String| match text.split_once(": ") {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => (text, String::new()),
        };
        let provenance = file.history()?.into_iter().map(entry).collect();
        let rows = file.rows()?;
        Ok(Reader { file, rows, next: 0, provenance })
    }

    pub(super) fn next_chunk(&mut self, most: usize) -> Result<Option<Vec<Row>>> {
        let range = self.next..self.rows.min(self.next + most);
        if range.is_empty() {
            return Ok(None);
        }
        self.next = range.end;
        let mut place = |name: &str| match self.file.column(name) {
            Some(column) => Ok(column),
            None => {
                Err(self.file.error(format!("the catalogue has no column {name}: is it of another version?")))
            }
        };
        let (id, from, flags) = (place(ID.0)?, place(FILE.0)?, place(FLAGS.0)?);
        let numbers = NUMBERS.iter().map(|n| place(n.name)).collect::<Result<Vec<_>>>()?;
        let file = &mut self.file;
        let texts =
            file.read_text_in(id, range.clone())?.into_iter().zip(file.read_text_in(from, range.clone())?);
        let mut rows: Vec<Row> = texts.map(|(id, file)| Row { id, file, ..Row::default() }).collect();
        for (number, column) in NUMBERS.iter().zip(numbers) {
            let values = file.read_f64_in(column, range.clone())?;
            rows.iter_mut().zip(values).for_each(|(row, value)| (number.set)(row, value));
        }
        let values = file.read_i64_in(flags, range)?;
        rows.iter_mut().zip(values).for_each(|(row, value)| row.flags = Flags(value as u32));
        Ok(Some(rows))
    }
}
