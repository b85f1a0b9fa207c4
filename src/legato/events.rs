//! A run's figures as TensorBoard reads them: one event file in the run's folder, made whole from the history, so that
//! a run that was killed and resumed has lost nothing.
//!
//! An event file is a sequence of TFRecords: the payload's length (u64), its checksum, the payload, its checksum, all
//! little-endian. A payload is a protocol buffer `Event`; of its fields only these are written:
//!
//! | message | field | type |
//! |---|---|---|
//! | `Event` | 1 `wall_time` | double |
//! | | 2 `step` | int64 |
//! | | 3 `file_version` | string, in the first event alone |
//! | | 5 `summary` | `Summary` |
//! | `Summary` | 1 `value`, repeated | `Value` |
//! | `Value` | 1 `tag` | string |
//! | | 2 `simple_value` | float |

use crate::{Error, Result, files};
use std::io::Write;
use std::path::Path;

/// The name of the file in a run's folder; TensorBoard looks for "tfevents" in names.
pub const EVENTS_FILE: &str = "events.out.tfevents.0.legato";

/// Scalars of one moment of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<'a> {
    /// When it was, seconds since 1970-01-01 UTC.
    pub wall_time: f64,
    /// Where on the horizontal axis it stands: an epoch or a number of images.
    pub step: i64,
    /// Names, with slashes for groups as in `loss/training`, and values.
    pub scalars: &'a [(&'a str, f32)],
}

/// The whole event file of a history.
pub fn encode(history: &[Point]) -> Vec<u8> {
    let mut file = Vec::new();
    let started = history.first().map_or(0.0, |point| point.wall_time);
    let mut version = Vec::new();
    fixed_64(&mut version, 1, started.to_bits());
    text(&mut version, 3, b"brain.Event:2");
    record(&mut file, &version);
    for point in history {
        let mut summary = Vec::new();
        for (tag, scalar) in point.scalars {
            let mut value = Vec::new();
            text(&mut value, 1, tag.as_bytes());
            fixed_32(&mut value, 2, scalar.to_bits());
            text(&mut summary, 1, &value);
        }
        let mut event = Vec::new();
        fixed_64(&mut event, 1, point.wall_time.to_bits());
        key(&mut event, 2, VARINT);
        // A negative int64 is the ten bytes of its two's complement.
        varint(&mut event, point.step as u64);
        text(&mut event, 5, &summary);
        record(&mut file, &event);
    }
    file
}

/// Brings the event file in a run's folder up to the history. Where it holds a beginning of it, cut off anywhere, the
/// rest is appended, which a TensorBoard that is looking on sees at once; any other file is replaced.
///
/// # Errors
/// [`Error::Io`] with the file and the system's answer.
pub fn save(folder: &Path, history: &[Point]) -> Result<()> {
    let path = folder.join(EVENTS_FILE);
    let bytes = encode(history);
    let there = if path.exists() { files::read(&path)? } else { Vec::new() };
    match bytes.strip_prefix(&there[..]) {
        Some([]) => Ok(()),
        Some(rest) if !there.is_empty() => {
            let opened = std::fs::OpenOptions::new().append(true).open(&path);
            let written = opened.and_then(|mut file| file.write_all(rest).and_then(|()| file.sync_all()));
            written.map_err(|e| Error::io(&path, "write", e))
        }
        _ => files::replace(&path, &bytes),
    }
}

fn record(file: &mut Vec<u8>, payload: &[u8]) {
    let length = (payload.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(checksum(&length).to_le_bytes());
    file.extend(payload);
    file.extend(checksum(payload).to_le_bytes());
}

/// A TFRecord's checksum: CRC-32C, turned by 15 bits and moved by a constant, so that a checksum of data that hold
/// checksums is a good one too.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

// Protocol buffers: a field is a key, the field's number and its wire type, and a value.

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;

/// Seven bits a byte, the lowest first; a set top bit says that more follow.
fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn key(message: &mut Vec<u8>, field: u64, wire_type: u64) {
    varint(message, field << 3 | wire_type);
}

fn fixed_64(message: &mut Vec<u8>, field: u64, bits: u64) {
    key(message, field, FIXED_64);
    message.extend(bits.to_le_bytes());
}

fn fixed_32(message: &mut Vec<u8>, field: u64, bits: u32) {
    key(message, field, FIXED_32);
    message.extend(bits.to_le_bytes());
}

/// A string or a message inside a message.
fn text(message: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    key(message, field, LENGTH_DELIMITED);
    varint(message, bytes.len() as u64);
    message.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one event says: wall time, step, file version, scalars.
    #[derive(Debug, Default, PartialEq)]
    struct Seen(f64, i64, String, Vec<(String, f32)>);

    /// Takes `n` bytes off the front.
    fn take<'a>(bytes: &mut &'a [u8], n: usize) -> &'a [u8] {
        let (front, rest) = bytes.split_at(n);
        *bytes = rest;
        front
    }

    fn number(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = take(bytes, 1)[0];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    /// The fields of a message: number, and the value's bytes.
    fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut found = Vec::new();
        while !message.is_empty() {
            let key = number(&mut message);
            let value = match key & 7 {
                0 => number(&mut message).to_le_bytes().to_vec(),
                1 => take(&mut message, 8).to_vec(),
                2 => {
                    let n = number(&mut message) as usize;
                    take(&mut message, n).to_vec()
                }
                5 => take(&mut message, 4).to_vec(),
                other => panic!("wire type {other}"),
            };
            found.push((key >> 3, value));
        }
        found
    }

    /// CRC-32C bit by bit, by its polynomial, and masked in another way than the code's.
    fn masked_crc(bytes: &[u8]) -> u32 {
        let crc = !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0x82f6_3b78 } else { c >> 1 })
        });
        crc.rotate_left(17).wrapping_add(0xa282_ead8)
    }

    fn decode(mut file: &[u8]) -> Vec<Seen> {
        let mut events = Vec::new();
        while !file.is_empty() {
            let length = take(&mut file, 8);
            assert_eq!(take(&mut file, 4), masked_crc(length).to_le_bytes());
            let payload = take(&mut file, u64::from_le_bytes(length.try_into().unwrap()) as usize);
            assert_eq!(take(&mut file, 4), masked_crc(payload).to_le_bytes());
            let mut seen = Seen::default();
            for (field, value) in fields(payload) {
                let eight = || value[..].try_into().unwrap();
                match field {
                    1 => seen.0 = f64::from_le_bytes(eight()),
                    2 => seen.1 = i64::from_le_bytes(eight()),
                    3 => seen.2 = String::from_utf8(value).unwrap(),
                    5 => seen.3.extend(fields(&value).iter().map(|(_, value)| {
                        let parts = fields(value);
                        assert_eq!((parts[0].0, parts[1].0, parts.len()), (1, 2, 2));
                        let tag = String::from_utf8(parts[0].1.clone()).unwrap();
                        (tag, f32::from_le_bytes(parts[1].1[..].try_into().unwrap()))
                    })),
                    other => panic!("field {other}"),
                }
            }
            events.push(seen);
        }
        events
    }

    const FIRST: Point = Point {
        wall_time: 1_700_000_000.25,
        step: 1,
        scalars: &[("loss/training", 0.5), ("loss/validation", f32::NAN)],
    };
    const SECOND: Point = Point { wall_time: 1_700_000_009.5, step: 1_000_000, scalars: &[("R²", -0.125)] };

    #[test]
    fn what_is_encoded_is_decoded_with_its_checksums() {
        let events = decode(&encode(&[FIRST, SECOND, Point { step: -1, scalars: &[], ..FIRST }]));
        assert_eq!(events[0], Seen(FIRST.wall_time, 0, "brain.Event:2".into(), vec![]));
        assert_eq!((events[1].0, events[1].1), (FIRST.wall_time, 1));
        assert_eq!(events[1].3[0], ("loss/training".into(), 0.5));
        assert!(events[1].3[1].0 == "loss/validation" && events[1].3[1].1.is_nan());
        let second = vec![("R²".to_owned(), -0.125)];
        assert_eq!(events[2], Seen(SECOND.wall_time, 1_000_000, String::new(), second));
        assert_eq!(events[3], Seen(FIRST.wall_time, -1, String::new(), vec![]));
    }

    #[test]
    fn a_file_cut_off_anywhere_is_completed_and_another_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(EVENTS_FILE);
        let whole = encode(&[FIRST, SECOND]);
        for cut in [0, 1, 17, 60, whole.len() - 1, whole.len()] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            save(folder.path(), &[FIRST, SECOND]).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
        // A run that went back to an earlier epoch.
        save(folder.path(), &[FIRST]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), encode(&[FIRST]));
        std::fs::remove_file(&path).unwrap();
        save(folder.path(), &[FIRST]).unwrap();
        assert_eq!(decode(&std::fs::read(&path).unwrap()).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_appended_reaches_whoever_has_the_file_open() {
        use std::io::Read;
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &[FIRST]).unwrap();
        let mut looking_on = std::fs::File::open(folder.path().join(EVENTS_FILE)).unwrap();
        let mut seen = Vec::new();
        looking_on.read_to_end(&mut seen).unwrap();
        save(folder.path(), &[FIRST, SECOND]).unwrap();
        looking_on.read_to_end(&mut seen).unwrap();
        assert_eq!(seen, encode(&[FIRST, SECOND]));
    }
}
