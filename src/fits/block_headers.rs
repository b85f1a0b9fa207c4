//! The headers of a GALFIT output block: what the fit found stands in that of its model.

use super::header::{Cards, Header};
use super::raw::FitsFile;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The headers of a block.
#[derive(Clone, Debug)]
pub struct BlockHeaders {
    /// The file.
    pub path: PathBuf,
    /// The model's HDU, 0 being the primary.
    pub hdu: usize,
    /// The model's cards.
    pub model: Cards,
    /// What the data's header says, where the block has the data.
    pub data: Option<Header>,
}

impl BlockHeaders {
    /// An error about the model.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::fits_hdu(&self.path, self.hdu, message)
    }
}

/// Whether a header is that of a GALFIT model: it names its first component, and the files of the fit.
pub(super) fn is_model(cards: &Cards) -> bool {
    cards.has("COMP_1") && (cards.has("LOGFILE") || cards.has("INITFILE"))
}

/// Reads the headers of a GALFIT block (an empty HDU, data, model, residual), or of a model alone.
///
/// # Errors
/// [`Error::Io`] where there is no such file; [`Error::Fits`] for what is not FITS or has no model in it.
pub fn read_block_headers(path: impl AsRef<Path>) -> Result<BlockHeaders> {
    let path = path.as_ref();
    let mut file = FitsFile::open(path)?;
    let mut before: Option<Cards> = None;
    for hdu in 0..file.hdu_count()? {
        if !file.go_to(hdu)? {
            continue;
        }
        let cards = Cards::parse(&file.cards()?);
        if is_model(&cards) {
            let data = before.filter(|data| data.number("NAXIS").is_some_and(|axes| axes > 0.0));
            let data = data.as_ref().map(Header::from_cards);
            return Ok(BlockHeaders { path: path.to_owned(), hdu, model: cards, data });
        }
        before = Some(cards);
    }
    Err(Error::fits(
        path,
        "no GALFIT model in this file: an output block has one, whose header names its components (COMP_1 …)",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Hdu, write};
    use super::*;

    #[test]
    fn the_model_is_found_behind_its_data_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block.fits");
        let pixels = || Hdu::floats(&[3, 2], &[1.0; 6]);
        let model = || pixels().card("COMP_1  = 'sersic  '").card("LOGFILE = 'galfit.01'");
        write(&path, &[Hdu::empty(), pixels().card("PIXSCALE= 0.06"), model(), pixels()]);
        let block = read_block_headers(&path).unwrap();
        assert_eq!((block.hdu, block.model.text("COMP_1")), (2, Some("sersic")));
        assert_eq!(block.data.and_then(|data| data.pixel_scale), Some(0.06));
        write(&path, &[model()]);
        let block = read_block_headers(&path).unwrap();
        assert!(block.hdu == 0 && block.data.is_none());
        write(&path, &[Hdu::empty(), model()]);
        assert!(read_block_headers(&path).unwrap().data.is_none());
    }

    #[test]
    fn a_file_without_a_model_says_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.fits");
        write(&path, &[Hdu::floats(&[3, 2], &[1.0; 6]).card("COMP_1  = 'sersic  '")]);
        let error = read_block_headers(&path).unwrap_err().to_string();
        assert!(error.contains("image.fits: no GALFIT model in this file"), "{error}");
        let error = read_block_headers(folder.path().join("absent.fits")).unwrap_err().to_string();
        assert!(error.contains("absent.fits: cannot read"), "{error}");
    }
}
