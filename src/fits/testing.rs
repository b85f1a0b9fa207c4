//! FITS files written byte by byte, for tests: independent of CFITSIO, and able to be wrong.

use std::path::Path;

/// One image HDU to be.
#[derive(Clone)]
pub(crate) struct Hdu {
    bitpix: i32,
    shape: Vec<usize>,
    cards: Vec<String>,
    data: Vec<u8>,
}

impl Hdu {
    pub(crate) fn empty() -> Self {
        Hdu { bitpix: 8, shape: vec![], cards: vec![], data: vec![] }
    }

    pub(crate) fn floats(shape: &[usize], pixels: &[f32]) -> Self {
        let data = pixels.iter().flat_map(|p| p.to_be_bytes()).collect();
        Hdu { bitpix: -32, shape: shape.to_vec(), cards: vec![], data }
    }

    pub(crate) fn shorts(shape: &[usize], pixels: &[i16]) -> Self {
        let data = pixels.iter().flat_map(|p| p.to_be_bytes()).collect();
        Hdu { bitpix: 16, shape: shape.to_vec(), cards: vec![], data }
    }

    pub(crate) fn card(mut self, card: &str) -> Self {
        self.cards.push(card.to_owned());
        self
    }

    fn bytes(&self, primary: bool) -> Vec<u8> {
        let number = |key: &str, value: i64| format!("{key:<8}= {value:>20}");
        let first = if primary { "SIMPLE  =                    T" } else { "XTENSION= 'IMAGE   '" };
        let mut cards = vec![first.to_owned(), number("BITPIX", self.bitpix.into())];
        cards.push(number("NAXIS", self.shape.len() as i64));
        for (i, n) in self.shape.iter().enumerate() {
            cards.push(number(&format!("NAXIS{}", i + 1), *n as i64));
        }
        if !primary {
            cards.extend([number("PCOUNT", 0), number("GCOUNT", 1)]);
        }
        cards.extend(self.cards.iter().cloned());
        cards.push("END".to_owned());
        let mut bytes: Vec<u8> = cards.iter().flat_map(|c| format!("{c:<80}").into_bytes()).collect();
        bytes.resize(bytes.len().next_multiple_of(2880), b' ');
        bytes.extend(&self.data);
        bytes.resize(bytes.len().next_multiple_of(2880), 0);
        bytes
    }
}

/// Writes a file of these HDUs, the first being the primary.
pub(crate) fn write(path: &Path, hdus: &[Hdu]) {
    let bytes: Vec<u8> = hdus.iter().enumerate().flat_map(|(i, hdu)| hdu.bytes(i == 0)).collect();
    std::fs::write(path, bytes).unwrap();
}
