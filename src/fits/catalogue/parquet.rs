//! A catalogue as Parquet. What was not measured is null. Units, descriptions and provenance stand in the file's
//! metadata as astropy's tables have them.

use super::super::columns::catalogue;
use super::super::flags::Flags;
use super::columns::{FILE, FLAGS, ID, NUMBERS};
use super::{Provenance, Row, text};
use crate::{Error, Result};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The key under which astropy looks for what Parquet itself cannot say.
const ASTROPY: &str = "table_meta_yaml";
/// The key of our provenance, as JSON.
const PROVENANCE: &str = "legato";

fn schema() -> std::result::Result<TypePtr, ParquetError> {
    let column = Type::primitive_type_builder;
    let text = |name| {
        let column = column(name, Physical::BYTE_ARRAY).with_repetition(Repetition::REQUIRED);
        column.with_logical_type(Some(LogicalType::String)).build()
    };
    let mut fields = vec![text(ID.0)?, text(FILE.0)?];
    for number in &NUMBERS {
        fields.push(column(number.name, Physical::DOUBLE).with_repetition(Repetition::OPTIONAL).build()?);
    }
    fields.push(column(FLAGS.0, Physical::INT32).with_repetition(Repetition::REQUIRED).build()?);
    let fields = fields.into_iter().map(Arc::new).collect();
    Ok(Arc::new(Type::group_type_builder("catalogue").with_fields(fields).build()?))
}

/// Rows of a group. Groups are cut here, so that a file does not depend on how its rows came.
const GROUP: usize = 8192;

pub(super) struct Writer {
    file: SerializedFileWriter<File>,
    path: PathBuf,
    /// Rows that do not fill a group yet.
    waiting: Vec<Row>,
}

impl Writer {
    pub(super) fn create(path: &Path, provenance: &Provenance) -> Result<Self> {
        let failed = |e: ParquetError| catalogue(path, e.to_string());
        let ours = serde_json::to_string(provenance).map_err(|e| catalogue(path, e.to_string()))?;
        let metadata = [(ASTROPY, text::header(provenance)), (PROVENANCE, ours)];
        let metadata = metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("legato {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(metadata.into()))
            .build();
        let file = File::create(path).map_err(|e| Error::io(path, "write", e))?;
        let file = SerializedFileWriter::new(file, schema().map_err(failed)?, Arc::new(properties));
        Ok(Writer { file: file.map_err(failed)?, path: path.to_owned(), waiting: Vec::new() })
    }

    pub(super) fn append(&mut self, rows: &[Row]) -> Result<()> {
        for row in rows {
            self.waiting.push(row.clone());
            if self.waiting.len() == GROUP {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        write_group(&mut self.file, &rows).map_err(|e| catalogue(&self.path, e.to_string()))
    }

    pub(super) fn finish(mut self) -> Result<()> {
        if !self.waiting.is_empty() {
            self.write_group()?;
        }
        self.file.close().map(|_| ()).map_err(|e| catalogue(&self.path, e.to_string()))
    }
}

fn write_group(file: &mut SerializedFileWriter<File>, rows: &[Row]) -> std::result::Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    let texts = |get: fn(&Row) -> &String| -> Vec<ByteArray> {
        rows.iter().map(|r| get(r).as_str().into()).collect()
    };
    add::<ByteArrayType>(&mut group, &texts(|r| &r.id), None)?;
    add::<ByteArrayType>(&mut group, &texts(|r| &r.file), None)?;
    for number in &NUMBERS {
        let values: Vec<f64> = rows.iter().map(number.get).collect();
        let there: Vec<i16> = values.iter().map(|v| i16::from(!v.is_nan())).collect();
        let values: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
        add::<DoubleType>(&mut group, &values, Some(&there))?;
    }
    // A bit pattern, as in FITS.
    let flags: Vec<i32> = rows.iter().map(|r| r.flags.0 as i32).collect();
    add::<Int32Type>(&mut group, &flags, None)?;
    group.close().map(|_| ())
}

/// Writes the group's next column; `there` is 1 for each row that has a value, all having one where it is not given.
fn add<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    there: Option<&[i16]>,
) -> std::result::Result<(), ParquetError> {
    let missing = || ParquetError::General("fewer columns than the schema has".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, there, None)?;
    column.close()
}

/// Whether a file is a catalogue of ours.
pub(super) fn is_catalogue(path: &Path) -> bool {
    File::open(path)
        .ok()
        .and_then(|file| SerializedFileReader::new(file).ok())
        .is_some_and(|file| metadata(&file, PROVENANCE).is_some())
}

fn metadata(file: &SerializedFileReader<File>, key: &str) -> Option<String> {
    let entries = file.metadata().file_metadata().key_value_metadata()?;
    entries.iter().find(|entry| entry.key == key)?.value.clone()
}

pub(super) struct Reader {
    file: SerializedFileReader<File>,
    path: PathBuf,
    group: usize,
    pub(super) provenance: Provenance,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, "read", e))?;
        let file = SerializedFileReader::new(file)
            .map_err(|e| catalogue(path, format!("not a readable Parquet file: {e}")))?;
        let no_ours = || catalogue(path, "is no catalogue of legato's".to_owned());
        let provenance = metadata(&file, PROVENANCE).ok_or_else(no_ours)?;
        let provenance = serde_json::from_str(&provenance).map_err(|_| no_ours())?;
        let columns = file.metadata().file_metadata().schema_descr().num_columns();
        if columns != NUMBERS.len() + 3 {
            return Err(catalogue(path, "has other columns: it is of another version of legato".to_owned()));
        }
        Ok(Reader { file, path: path.to_owned(), group: 0, provenance })
    }

    /// The next row group.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Vec<Row>>> {
        if self.group == self.file.num_row_groups() {
            return Ok(None);
        }
        self.group += 1;
        self.read(self.group - 1).map(Some).map_err(|e| catalogue(&self.path, e.to_string()))
    }

    fn read(&self, number: usize) -> std::result::Result<Vec<Row>, ParquetError> {
        let group = self.file.get_row_group(number)?;
        let mut rows = vec![Row::default(); group.metadata().num_rows().max(0) as usize];
        let count = rows.len();
        let text = |column| -> std::result::Result<Vec<String>, ParquetError> {
            let values = column_of::<ByteArrayType>(group.as_ref(), column, count)?.0;
            values.iter().map(|v| v.as_utf8().map(str::to_owned)).collect()
        };
        rows.iter_mut().zip(text(0)?).for_each(|(row, id)| row.id = id);
        rows.iter_mut().zip(text(1)?).for_each(|(row, file)| row.file = file);
        for (i, number) in NUMBERS.iter().enumerate() {
            let (values, there) = column_of::<DoubleType>(group.as_ref(), i + 2, count)?;
            let mut values = values.into_iter();
            for (row, _) in rows.iter_mut().zip(there).filter(|(_, there)| *there == 1) {
                (number.set)(row, values.next().unwrap_or(f64::NAN));
            }
        }
        let (flags, _) = column_of::<Int32Type>(group.as_ref(), NUMBERS.len() + 2, count)?;
        rows.iter_mut().zip(flags).for_each(|(row, bits)| row.flags = Flags(bits as u32));
        Ok(rows)
    }
}

/// The values of a column, and for each row whether it has one (of a column that may lack some).
fn column_of<T: DataType>(
    group: &dyn RowGroupReader,
    column: usize,
    rows: usize,
) -> std::result::Result<(Vec<T::T>, Vec<i16>), ParquetError> {
    let (mut values, mut there) = (Vec::new(), Vec::new());
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column)?);
    reader.read_records(rows, Some(&mut there), None, &mut values)?;
    Ok((values, there))
}
