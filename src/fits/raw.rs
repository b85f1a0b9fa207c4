//! The only place that calls CFITSIO: a handle on one file, every status turned into the crate's error
//! with the file, the HDU and CFITSIO's own words.
//!
//! HDUs count from 0, the primary, as users write them in `file.fits[1]`; pixels and rows from 0 too.

use super::unpack::unpack;
use crate::files::Scratch;
use crate::{Error, Result};
use fitsio_sys as c;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ops::Range;
use std::path::{Path, PathBuf};

const READ_ONLY: c_int = 0;
/// CFITSIO's code of a float pixel.
const TFLOAT: c_int = 42;
const FLOAT_IMAGE: c_int = -32;
const TINT: c_int = 31;
const INTEGER_IMAGE: c_int = 32;
const IMAGE_HDU: c_int = 0;
const BINARY_TABLE: c_int = 2;
/// A caller's buffer for one message or card: FLEN_ERRMSG and FLEN_CARD are both 81.
const LINE: usize = 128;

/// An open FITS file. It can move between threads (the bundled library is built reentrant), but is
/// not shared: CFITSIO keeps the current HDU in it.
pub(super) struct FitsFile {
    ptr: *mut c::fitsfile,
    path: PathBuf,
    hdu: usize,
    /// Where a large compressed file was unpacked to.
    _unpacked: Option<Scratch>,
}

// SAFETY: the library is built with --enable-reentrant, which allows a handle on any one thread at a
// time; `FitsFile` is not Sync, so no two threads use it at once.
unsafe impl Send for FitsFile {}

/// A column of a binary table to be written.
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    pub(super) form: &'a str,
    pub(super) unit: &'a str,
}

/// CFITSIO's explanation of a status: its summary and what lies on its message stack, which is
/// emptied.
fn explanation(status: c_int) -> String {
    let mut buffer = [0 as c_char; LINE];
    let mut words = Vec::new();
    // SAFETY: both calls write at most 81 characters with their terminating zero.
    unsafe {
        c::ffgerr(status, buffer.as_mut_ptr());
        words.push(CStr::from_ptr(buffer.as_ptr()).to_string_lossy().trim().to_owned());
        while c::ffgmsg(buffer.as_mut_ptr()) != 0 {
            let message = CStr::from_ptr(buffer.as_ptr()).to_string_lossy().trim().to_owned();
            if words.len() < 4 && !message.is_empty() {
                words.push(message);
            }
        }
    }
    words.join("; ")
}

fn c_path(path: &Path) -> Result<CString> {
    let text = path.to_str().ok_or_else(|| Error::fits(path, "the path is not UTF-8 text"))?;
    CString::new(text).map_err(|_| Error::fits(path, "the path holds a zero character"))
}

/// Text for a FITS file, which holds printable ASCII and nothing else; readers fail on what is not.
fn c_text(text: &str) -> CString {
    let ascii = text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' });
    CString::new(ascii.collect::<String>()).unwrap_or_default()
}

impl FitsFile {
    /// Opens a file for reading; its name is taken literally. Compressed files (`.gz`, `.fz`) too: a small one of gzip is
    /// unpacked in memory, a large one into a temporary file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|e| Error::io(path, "read", e))?;
        if metadata.is_dir() {
            return Err(Error::fits(path, "this is a folder, not a FITS file"));
        }
        if metadata.len() == 0 {
            return Err(Error::fits(path, "the file is empty"));
        }
        // What the system says (permission denied …) is clearer than what CFITSIO would.
        std::fs::File::open(path).map_err(|e| Error::io(path, "read", e))?;
        let unpacked = unpack(path)?;
        let name = c_path(unpacked.as_ref().map_or(path, |(_, file)| file))?;
        let (mut ptr, mut status) = (std::ptr::null_mut(), 0);
        // SAFETY: `name` outlives the call, and `ptr` is only used where the call succeeded.
        unsafe { c::ffdkopn(&mut ptr, name.as_ptr(), READ_ONLY, &mut status) };
        if status != 0 || ptr.is_null() {
            let why = explanation(status);
            return Err(Error::fits(path, format!("not a readable FITS file: {why}")));
        }
        Ok(FitsFile { ptr, path: path.to_owned(), hdu: 0, _unpacked: unpacked.map(|(folder, _)| folder) })
    }

    /// Creates a file; it must not exist.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let name = c_path(path)?;
        let (mut ptr, mut status) = (std::ptr::null_mut(), 0);
        // SAFETY: as in `open`.
        unsafe { c::ffdkinit(&mut ptr, name.as_ptr(), &mut status) };
        if status != 0 || ptr.is_null() {
            return Err(Error::fits(path, format!("cannot create it: {}", explanation(status))));
        }
        Ok(FitsFile { ptr, path: path.to_owned(), hdu: 0, _unpacked: None })
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// An error about the current HDU.
    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        Error::fits_hdu(&self.path, self.hdu, message)
    }

    fn check(&self, status: c_int, action: &str) -> Result<()> {
        if status == 0 { Ok(()) } else { Err(self.error(format!("{action}: {}", explanation(status)))) }
    }

    /// How many HDUs the file has.
    pub(super) fn hdu_count(&mut self) -> Result<usize> {
        let (mut count, mut status) = (0, 0);
        // SAFETY: `ptr` is open as long as `self` lives, here and below.
        unsafe { c::ffthdu(self.ptr, &mut count, &mut status) };
        self.check(status, "cannot find the file's HDUs")?;
        Ok(count.max(0) as usize)
    }

    /// Goes to an HDU; true if it is an image (compressed ones included).
    pub(super) fn go_to(&mut self, hdu: usize) -> Result<bool> {
        let (mut kind, mut status) = (0, 0);
        let number = c_int::try_from(hdu + 1).unwrap_or(c_int::MAX);
        unsafe { c::ffmahd(self.ptr, number, &mut kind, &mut status) };
        if status != 0 {
            let why = explanation(status);
            return Err(Error::fits_hdu(&self.path, hdu, format!("cannot go to this HDU: {why}")));
        }
        self.hdu = hdu;
        Ok(kind == IMAGE_HDU)
    }

    /// All cards of the current header, as they stand.
    pub(super) fn cards(&mut self) -> Result<Vec<String>> {
        let (mut count, mut room, mut status) = (0, 0, 0);
        unsafe { c::ffghsp(self.ptr, &mut count, &mut room, &mut status) };
        self.check(status, "cannot read the header")?;
        let mut buffer = [0 as c_char; LINE];
        let mut cards = Vec::with_capacity(count.max(0) as usize);
        for number in 1..=count {
            // SAFETY: a card is at most 80 characters and a zero.
            unsafe { c::ffgrec(self.ptr, number, buffer.as_mut_ptr(), &mut status) };
            if status != 0 {
                // A card with characters that FITS forbids is no reason to refuse the image.
                explanation(status);
                status = 0;
                continue;
            }
            cards.push(unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_string_lossy().into_owned());
        }
        Ok(cards)
    }

    /// The lengths of the current image's axes, fastest first; none for an HDU without data.
    pub(super) fn image_shape(&mut self) -> Result<Vec<usize>> {
        let (mut axes, mut status) = (0, 0);
        let mut lengths = [0 as c::LONGLONG; 16];
        unsafe {
            c::ffgidm(self.ptr, &mut axes, &mut status);
            c::ffgiszll(self.ptr, lengths.len() as c_int, lengths.as_mut_ptr(), &mut status);
        }
        self.check(status, "cannot read the image's dimensions")?;
        let axes = (axes.max(0) as usize).min(lengths.len());
        Ok(lengths[..axes].iter().map(|&n| n.max(0) as usize).collect())
    }

    /// Reads the last pixel of an image of this shape, which works only if the file is as long as its
    /// header says; a caller then knows that the memory it reserves will be filled.
    pub(super) fn check_whole(&mut self, shape: &[usize]) -> Result<()> {
        let mut last = [1 as c::LONGLONG; 16];
        for (position, &length) in last.iter_mut().zip(shape) {
            *position = length as c::LONGLONG;
        }
        self.read_from(&mut last, &mut [0.0])
    }

    /// Reads `out.len()` pixels of the current image as f32, from the first pixel of plane `plane` of
    /// a cube (0 for a plain image) of `axes` axes; BLANK pixels become NaN, BSCALE and BZERO are applied.
    pub(super) fn read_pixels(&mut self, axes: usize, plane: usize, out: &mut [f32]) -> Result<()> {
        let mut first = [1 as c::LONGLONG; 16];
        if axes > 2 {
            first[2] = plane as c::LONGLONG + 1;
        }
        self.read_from(&mut first, out)
    }

    /// As [`FitsFile::read_pixels`], from the first pixel of a row on, counted from 0, of an image that is no cube.
    pub(super) fn read_rows(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
        let mut first = [1 as c::LONGLONG; 16];
        first[1] = row as c::LONGLONG + 1;
        self.read_from(&mut first, out)
    }

    fn read_from(&mut self, first: &mut [c::LONGLONG; 16], out: &mut [f32]) -> Result<()> {
        let (mut blank, mut any, mut status) = (f32::NAN, 0, 0);
        // SAFETY: `out` has room for the number of elements asked for; `first` for 16 axes.
        unsafe {
            c::ffgpxvll(
                self.ptr,
                TFLOAT,
                first.as_mut_ptr(),
                out.len() as c::LONGLONG,
                (&raw mut blank).cast::<c_void>(),
                out.as_mut_ptr().cast::<c_void>(),
                &mut any,
                &mut status,
            );
        }
        self.check(status, "cannot read the pixels (is the file truncated?)")
    }

    /// Adds a float image HDU of these axes, fastest first.
    pub(super) fn add_image(&mut self, shape: &[usize]) -> Result<()> {
        let mut lengths: Vec<c::LONGLONG> = shape.iter().map(|&n| n as c::LONGLONG).collect();
        let mut status = 0;
        // SAFETY: `lengths` holds as many values as the axes it names.
        unsafe {
            c::ffcrimll(self.ptr, FLOAT_IMAGE, lengths.len() as c_int, lengths.as_mut_ptr(), &mut status);
        }
        self.check(status, "cannot add an image")?;
        self.hdu = self.hdu_count()?.saturating_sub(1);
        Ok(())
    }

    /// Writes pixels from the first pixel of row `row` on, counted from 0, of an image that is no cube.
    pub(super) fn write_rows(&mut self, row: usize, pixels: &[f32]) -> Result<()> {
        let mut first = [1 as c::LONGLONG; 16];
        first[1] = row as c::LONGLONG + 1;
        self.write_from(&mut first, pixels)
    }

    /// Adds an image HDU of 32-bit integers.
    pub(super) fn add_integers(&mut self, width: usize, height: usize) -> Result<()> {
        let (mut lengths, mut status) = ([width as c::LONGLONG, height as c::LONGLONG], 0);
        // SAFETY: as many lengths as axes.
        unsafe { c::ffcrimll(self.ptr, INTEGER_IMAGE, 2, lengths.as_mut_ptr(), &mut status) };
        self.check(status, "cannot add an image")
    }

    /// Writes integers from the first pixel of a row on, counted from 0.
    pub(super) fn write_integers(&mut self, row: usize, pixels: &[i32]) -> Result<()> {
        let (mut first, mut status) = ([1, row as c::LONGLONG + 1], 0);
        // SAFETY: CFITSIO only reads from the array, whatever its signature says; a C int has 32 bits wherever it runs.
        unsafe {
            c::ffppxll(
                self.ptr,
                TINT,
                first.as_mut_ptr(),
                pixels.len() as c::LONGLONG,
                pixels.as_ptr().cast_mut().cast::<c_void>(),
                &mut status,
            );
        }
        self.check(status, "cannot write the pixels (is the disk full?)")
    }

    /// Writes pixels from the first pixel of plane `plane` on.
    pub(super) fn write_pixels(&mut self, plane: usize, pixels: &[f32]) -> Result<()> {
        let mut first = [1 as c::LONGLONG; 16];
        first[2] = plane as c::LONGLONG + 1;
        self.write_from(&mut first, pixels)
    }

    fn write_from(&mut self, first: &mut [c::LONGLONG; 16], pixels: &[f32]) -> Result<()> {
        let mut status = 0;
        // SAFETY: `first` has room for 16 axes; CFITSIO only reads from the array, whatever its signature says.
        unsafe {
            c::ffppxll(
                self.ptr,
                TFLOAT,
                first.as_mut_ptr(),
                pixels.len() as c::LONGLONG,
                pixels.as_ptr().cast_mut().cast::<c_void>(),
                &mut status,
            );
        }
        self.check(status, "cannot write the pixels (is the disk full?)")
    }

    /// Adds a binary table; it becomes the current HDU.
    pub(super) fn add_table(&mut self, name: &str, columns: &[Column], rows: usize) -> Result<()> {
        let names: Vec<CString> = columns.iter().map(|c| c_text(c.name)).collect();
        let forms: Vec<CString> = columns.iter().map(|c| c_text(c.form)).collect();
        let units: Vec<CString> = columns.iter().map(|c| c_text(c.unit)).collect();
        let pointers = |v: &[CString]| v.iter().map(|s| s.as_ptr().cast_mut()).collect::<Vec<_>>();
        let (mut n, mut f, mut u) = (pointers(&names), pointers(&forms), pointers(&units));
        let (name, mut status) = (c_text(name), 0);
        // SAFETY: three arrays of as many strings as fields, which outlive the call and are only read.
        unsafe {
            c::ffcrtb(
                self.ptr,
                BINARY_TABLE,
                rows as c::LONGLONG,
                columns.len() as c_int,
                n.as_mut_ptr(),
                f.as_mut_ptr(),
                u.as_mut_ptr(),
                name.as_ptr(),
                &mut status,
            );
        }
        self.check(status, "cannot add a table")?;
        self.hdu += 1;
        Ok(())
    }

    /// Writes numbers into a column from row `first` on; both count from 0.
    pub(super) fn write_f64(&mut self, column: usize, first: usize, values: &[f64]) -> Result<()> {
        let (column, row, mut status) = (column as c_int + 1, first as c::LONGLONG + 1, 0);
        let n = values.len() as c::LONGLONG;
        // SAFETY: only read, and of the length given.
        unsafe { c::ffpcld(self.ptr, column, row, 1, n, values.as_ptr().cast_mut(), &mut status) };
        self.check(status, "cannot write a column")
    }

    /// Writes integers into a column from row `first` on.
    pub(super) fn write_i64(&mut self, column: usize, first: usize, values: &[i64]) -> Result<()> {
        let (column, row, mut status) = (column as c_int + 1, first as c::LONGLONG + 1, 0);
        let n = values.len() as c::LONGLONG;
        let pointer = values.as_ptr().cast_mut().cast::<c::LONGLONG>();
        // SAFETY: only read, and of the length given; LONGLONG is a 64-bit integer everywhere.
        unsafe { c::ffpcljj(self.ptr, column, row, 1, n, pointer, &mut status) };
        self.check(status, "cannot write a column")
    }

    /// Appends the current HDU of this file to another.
    pub(super) fn append_to(&mut self, other: &mut FitsFile) -> Result<()> {
        let mut status = 0;
        // SAFETY: two open handles on two files; no room is asked for in the copied header.
        unsafe { c::ffcopy(self.ptr, other.ptr, 0, &mut status) };
        other.check(status, "cannot append a table (is the disk full?)")?;
        other.hdu += 1;
        Ok(())
    }

    /// Writes texts into a column from row `first` on, counted from 0.
    pub(super) fn write_text(
        &mut self,
        column: usize,
        first: usize,
        values: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<()> {
        let texts: Vec<CString> = values.into_iter().map(|v| c_text(v.as_ref())).collect();
        let mut pointers: Vec<*mut c_char> = texts.iter().map(|s| s.as_ptr().cast_mut()).collect();
        let mut status = 0;
        let (row, n) = (first as c::LONGLONG + 1, texts.len() as c::LONGLONG);
        // SAFETY: `pointers` holds n strings, which outlive the call and are only read.
        unsafe { c::ffpcls(self.ptr, column as c_int + 1, row, 1, n, pointers.as_mut_ptr(), &mut status) };
        self.check(status, "cannot write a column")
    }

    /// Whether the current HDU's `EXTNAME` is `name`, in whatever case.
    pub(super) fn is_named(&mut self, name: &str) -> Result<bool> {
        let cards = super::header::Cards::parse(&self.cards()?);
        Ok(cards.text("EXTNAME").is_some_and(|found| found.eq_ignore_ascii_case(name)))
    }

    /// Rows of the current table.
    pub(super) fn rows(&mut self) -> Result<usize> {
        let (mut rows, mut status) = (0, 0);
        unsafe { c::ffgnrwll(self.ptr, &mut rows, &mut status) };
        self.check(status, "this is not a table")?;
        Ok(rows.max(0) as usize)
    }

    /// The number of the column called `name`, in whatever case; `None` if there is none.
    pub(super) fn column(&mut self, name: &str) -> Option<usize> {
        let (text, mut number, mut status) = (c_text(name), 0, 0);
        // SAFETY: the template is only read.
        unsafe { c::ffgcno(self.ptr, 0, text.as_ptr().cast_mut(), &mut number, &mut status) };
        if status == 0 {
            return usize::try_from(number - 1).ok();
        }
        explanation(status);
        None
    }

    /// Reads a column's last row alone: a header may promise more rows than there is memory or file.
    pub(super) fn check_last_row(&mut self, column: usize, rows: usize) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let (mut last, mut any, mut status) = (0.0, 0, 0);
        let (number, rows) = (column as c_int + 1, rows as c::LONGLONG);
        // SAFETY: room for one value.
        unsafe { c::ffgcvd(self.ptr, number, rows, 1, 1, f64::NAN, &mut last, &mut any, &mut status) };
        self.check(status, "cannot read the table's last row (is the file truncated?)")
    }

    /// A whole column of scalars as numbers, nulls as NaN.
    pub(super) fn read_f64(&mut self, column: usize, rows: usize) -> Result<Vec<f64>> {
        self.read_f64_in(column, 0..rows)
    }

    /// As [`FitsFile::read_f64`], of some rows, counted from 0.
    pub(super) fn read_f64_in(&mut self, column: usize, rows: Range<usize>) -> Result<Vec<f64>> {
        let (code, repeat, _) = self.column_type(column)?;
        let (number, mut status) = (column as c_int + 1, 0);
        if repeat != 1 || code < 0 {
            return Err(self.error(format!("column {number} is not a column of single numbers")));
        }
        self.check_last_row(column, rows.end)?;
        let mut values = vec![0.0; rows.len()];
        let mut any = 0;
        // SAFETY: `values` has room for one number a row.
        unsafe {
            let (first, n) = (rows.start as c::LONGLONG + 1, rows.len() as c::LONGLONG);
            c::ffgcvd(self.ptr, number, first, 1, n, f64::NAN, values.as_mut_ptr(), &mut any, &mut status);
        }
        self.check(status, "cannot read a column")?;
        Ok(values)
    }

    /// A whole column of integers.
    pub(super) fn read_i64(&mut self, column: usize, rows: usize) -> Result<Vec<i64>> {
        self.read_i64_in(column, 0..rows)
    }

    /// As [`FitsFile::read_i64`], of some rows, counted from 0.
    pub(super) fn read_i64_in(&mut self, column: usize, rows: Range<usize>) -> Result<Vec<i64>> {
        self.check_last_row(column, rows.end)?;
        let (mut any, mut status) = (0, 0);
        let number = column as c_int + 1;
        let mut values = vec![0i64; rows.len()];
        // SAFETY: as in `read_f64`; CFITSIO returns one value a row of any numeric column.
        unsafe {
            let (first, n) = (rows.start as c::LONGLONG + 1, rows.len() as c::LONGLONG);
            let pointer = values.as_mut_ptr().cast::<c::LONGLONG>();
            c::ffgcvjj(self.ptr, number, first, 1, n, 0, pointer, &mut any, &mut status);
        }
        self.check(status, "cannot read a column")?;
        Ok(values)
    }

    /// Whether a column holds texts.
    pub(super) fn is_text(&mut self, column: usize) -> Result<bool> {
        const TSTRING: c_int = 16;
        Ok(self.column_type(column)?.0 == TSTRING)
    }

    /// Whether a column holds single integers.
    pub(super) fn is_integer(&mut self, column: usize) -> Result<bool> {
        /// Bytes, and integers of 16, 32 and 64 bits, signed or not.
        const INTEGERS: [c_int; 9] = [11, 12, 20, 21, 30, 31, 40, 41, 81];
        let (code, repeat, _) = self.column_type(column)?;
        Ok(repeat == 1 && INTEGERS.contains(&code))
    }

    /// CFITSIO's code of a column's type, how many values a row has, and the bytes of each.
    fn column_type(&mut self, column: usize) -> Result<(c_int, c::LONGLONG, c::LONGLONG)> {
        let (mut code, mut repeat, mut width, mut status) = (0, 0, 0, 0);
        unsafe {
            c::ffgtclll(self.ptr, column as c_int + 1, &mut code, &mut repeat, &mut width, &mut status)
        };
        self.check(status, "cannot read a column's type")?;
        Ok((code, repeat, width))
    }

    /// The texts of a column in some rows, counted from 0, without the blanks that fill them up.
    pub(super) fn read_text_in(&mut self, column: usize, rows: Range<usize>) -> Result<Vec<String>> {
        let (_, repeat, width) = self.column_type(column)?;
        let room = repeat.max(width).max(0) as usize + 1;
        let (mut buffer, mut null, mut any) = (vec![0 as c_char; room], [0 as c_char; 1], 0);
        let mut values = Vec::new();
        for row in rows.start + 1..=rows.end {
            let (mut pointer, mut status) = (buffer.as_mut_ptr(), 0);
            // SAFETY: one text, for which there is room with its terminating zero; an empty one stands for a null.
            unsafe {
                let number = column as c_int + 1;
                let row = row as c::LONGLONG;
                c::ffgcvs(
                    self.ptr,
                    number,
                    row,
                    1,
                    1,
                    null.as_mut_ptr(),
                    &mut pointer,
                    &mut any,
                    &mut status,
                );
            }
            self.check(status, "cannot read a column of texts (is the file truncated?)")?;
            let text = unsafe { CStr::from_ptr(buffer.as_ptr()) };
            values.push(text.to_string_lossy().trim().to_owned());
        }
        Ok(values)
    }

    /// Sets a keyword of the current header to a number.
    pub(super) fn set_f64(&mut self, key: &str, value: f64, comment: &str) -> Result<()> {
        let (key, comment, mut status) = (c_text(key), c_text(comment), 0);
        // SAFETY: both texts outlive the call. −15: up to 15 significant digits, as few as needed.
        unsafe { c::ffukyd(self.ptr, key.as_ptr(), value, -15, comment.as_ptr(), &mut status) };
        self.check(status, "cannot write a keyword")
    }

    /// Sets a keyword to a text (its first 68 characters).
    pub(super) fn set_text(&mut self, key: &str, value: &str, comment: &str) -> Result<()> {
        let short: String = value.chars().take(68).collect();
        let (key, value, comment, mut status) = (c_text(key), c_text(&short), c_text(comment), 0);
        // SAFETY: the texts outlive the call.
        unsafe { c::ffukys(self.ptr, key.as_ptr(), value.as_ptr(), comment.as_ptr(), &mut status) };
        self.check(status, "cannot write a keyword")
    }

    /// Adds a keyword with an unsigned integer of any size.
    pub(super) fn add_u64(&mut self, key: &str, value: u64, comment: &str) -> Result<()> {
        self.add_card(&format!("{key:<8}= {value:>20} / {comment}"))
    }

    /// Adds a card as it stands.
    pub(super) fn add_card(&mut self, card: &str) -> Result<()> {
        let (card, mut status) = (c_text(card), 0);
        // SAFETY: the card outlives the call.
        unsafe { c::ffprec(self.ptr, card.as_ptr(), &mut status) };
        self.check(status, "cannot write a keyword")
    }

    /// Adds a card of comment, of its first 70 characters.
    pub(super) fn add_comment(&mut self, text: &str) -> Result<()> {
        let short: String = text.chars().take(70).collect();
        let (text, mut status) = (c_text(&short), 0);
        // SAFETY: the text outlives the call.
        unsafe { c::ffpcom(self.ptr, text.as_ptr(), &mut status) };
        self.check(status, "cannot write a comment")
    }

    /// Adds a text to the history, broken between words into cards of 72 characters; runs of blanks become one. A card
    /// that goes on after a blank begins with two blanks, one that goes on within a word with three;
    /// [`FitsFile::history`] puts them together.
    pub(super) fn add_history(&mut self, text: &str) -> Result<()> {
        const CARD: usize = 72;
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let mut word: String = c_text(word).to_string_lossy().into_owned();
            match lines.last_mut() {
                Some(line) if line.is_empty() => (),
                Some(line) if line.len() + 1 + word.len() <= CARD => line.push(' '),
                _ => lines.push("  ".to_owned()),
            }
            // Only a word that is longer than a card is broken.
            while let Some(line) = lines.last_mut() {
                let rest = word.split_off(word.len().min(CARD - line.len()));
                line.push_str(&word);
                if rest.is_empty() {
                    break;
                }
                word = rest;
                lines.push("   ".to_owned());
            }
        }
        for line in lines {
            let (line, mut status) = (c_text(&line), 0);
            // SAFETY: the text outlives the call.
            unsafe { c::ffphis(self.ptr, line.as_ptr(), &mut status) };
            self.check(status, "cannot write the history")?;
        }
        Ok(())
    }

    /// The texts of the current header's history, as [`FitsFile::add_history`] was given them.
    pub(super) fn history(&mut self) -> Result<Vec<String>> {
        let mut texts: Vec<String> = Vec::new();
        for card in self.cards()? {
            let Some(line) = card.strip_prefix("HISTORY ") else { continue };
            match (line.strip_prefix("  "), texts.last_mut()) {
                (Some(more), Some(text)) => match more.strip_prefix(' ') {
                    Some(more) => text.push_str(more.trim_end()),
                    None => text.push_str(&format!(" {}", more.trim_end())),
                },
                _ => texts.push(line.trim_end().to_owned()),
            }
        }
        Ok(texts)
    }

    /// Closes the file, with the error that closing (the last write) may bring.
    pub(super) fn close(mut self) -> Result<()> {
        let ptr = std::mem::replace(&mut self.ptr, std::ptr::null_mut());
        let mut status = 0;
        // SAFETY: the handle is closed once: `drop` sees a null.
        unsafe { c::ffclos(ptr, &mut status) };
        self.check(status, "cannot finish the file")
    }
}

impl Drop for FitsFile {
    fn drop(&mut self) {
        if !self.ptr.is_null() {
            let mut status = 0;
            // SAFETY: open, and not used again.
            unsafe { c::ffclos(self.ptr, &mut status) };
            if status != 0 {
                // Empties CFITSIO's message stack, so that the next error does not quote this one.
                explanation(status);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_compressed_files_are_read_like_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.fits.fz");
        let pixels: Vec<f32> = (0..60 * 50).map(|i| ((i * 37) % 211) as f32).collect();
        let mut file = FitsFile::create(&path).unwrap();
        let mut status = 0;
        // SAFETY: an open handle. GZIP without quantisation keeps every bit.
        unsafe {
            c::fits_set_compression_type(file.ptr, 21, &mut status);
            c::fits_set_quantize_level(file.ptr, 0.0, &mut status);
        }
        file.check(status, "cannot compress").unwrap();
        file.add_image(&[60, 50]).unwrap();
        file.write_pixels(0, &pixels).unwrap();
        file.close().unwrap();
        let images: Vec<_> = crate::fits::open_images(&path).unwrap().map(|i| i.unwrap()).collect();
        assert_eq!(images.len(), 1);
        assert_eq!((images[0].hdu, images[0].name.as_str()), (1, "image"));
        assert_eq!(images[0].pixels, pixels);
        let mut mosaic = crate::fits::Mosaic::open(&path).unwrap();
        let window = mosaic.window(41, 18, 20, 33).unwrap();
        assert!((0..20 * 33).all(|i| window[i] == pixels[(17 + i / 20) * 60 + 40 + i % 20]));
    }

    #[test]
    fn handles_on_one_file_in_many_threads_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared.fits");
        let mut file = FitsFile::create(&path).unwrap();
        file.add_image(&[16, 16, 8]).unwrap();
        for plane in 0..8 {
            file.write_pixels(plane, &[plane as f32; 256]).unwrap();
        }
        file.close().unwrap();
        std::thread::scope(|scope| {
            for plane in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..50 {
                        let mut file = FitsFile::open(path).unwrap();
                        let mut out = [0.0; 256];
                        file.read_pixels(3, plane, &mut out).unwrap();
                        assert_eq!(out, [plane as f32; 256]);
                    }
                });
            }
        });
    }
}
