//! What an image's header says that measuring needs. Cards are read one by one and leniently: real
//! headers hold blank cards, cards without "=", and thousands of lines of history.

use super::calibration::{self, Origin};
use super::wcs::Wcs;
use std::collections::HashMap;

/// The cards of a header that have a value.
#[derive(Clone, Debug, Default)]
pub struct Cards(HashMap<String, String>);

impl Cards {
    /// From cards as they stand; of a repeated keyword the last counts.
    pub(super) fn parse(cards: &[String]) -> Self {
        let mut map = HashMap::new();
        for card in cards {
            let (Some(key), Some("= ")) = (card.get(..8), card.get(8..10)) else { continue };
            map.insert(key.trim_end().to_ascii_uppercase(), value(card.get(10..).unwrap_or("")));
        }
        Cards(map)
    }

    /// A value as it is written, without quotes; none where there is no such card or it is empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|v| v.as_str()).filter(|v| !v.is_empty())
    }

    /// A finite number, also where it is written as a text or with Fortran's D exponent.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.text(key)?.replace(['D', 'd'], "E").parse().ok().filter(|x: &f64| x.is_finite())
    }

    /// Whether there is such a card.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// With what an extension lacks of the calibration and an empty primary HDU states for all of them, as HST's files
    /// do.
    pub(super) fn inherit(mut self, primary: &Cards) -> Self {
        const SHARED: [&str; 9] =
            ["EXPTIME", "EXPOSURE", "PHOTFLAM", "PHOTPLAM", "MAGZERO", "MAGZPT", "ZP", "ABMAGZP", "SATURATE"];
        for key in SHARED {
            if let (false, Some(value)) = (self.has(key), primary.0.get(key)) {
                self.0.insert(key.to_owned(), value.clone());
            }
        }
        self
    }

    /// Whether any keyword begins like this.
    pub(super) fn any(&self, start: &str) -> bool {
        self.0.keys().any(|key| key.starts_with(start))
    }
}

/// A card's value: the text between quotes (two quotes stand for one) or what precedes the comment.
fn value(field: &str) -> String {
    let field = field.trim_start();
    let Some(quoted) = field.strip_prefix('\'') else {
        return field.split('/').next().unwrap_or("").trim().to_owned();
    };
    let mut text = String::new();
    let mut characters = quoted.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\'' && characters.next_if_eq(&'\'').is_none() {
            break;
        }
        text.push(character);
    }
    text.trim_end().to_owned()
}

/// What is known of an image from its header; `None` where the header does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    /// AB zero point: the magnitude of 1 unit of the image. From `MAGZERO`, `MAGZPT`, `ZP` or `ABMAGZP`, taken as they
    /// stand whatever the unit; else of the model of the same GALFIT block; else from the unit, where it is one of flux
    /// density (Jy, mJy, µJy, nJy, nanomaggies, MJy/sr); else from HST's `PHOTFLAM` and `PHOTPLAM`, for a rate where
    /// `BUNIT` is one or absent, and with 2.5 log `EXPTIME` added where it is electrons or counts. GALFIT divides any
    /// image by its `EXPTIME`, so that the zero point in its block is that of the rate; 2.5 log `EXPTIME` is added to it
    /// too. [`Header::calibrate`] says which it was and what is doubtful about it.
    pub zero_point: Option<f64>,
    pub(super) origin: Origin,
    /// Pixel scale, arcsec: `PIXSCALE`, else from the celestial `CD` or `CDELT` and `PC` matrix (the square
    /// root of the pixel's area).
    pub pixel_scale: Option<f64>,
    /// Where the pixels lie on the sky.
    pub wcs: Option<Wcs>,
    /// Unit of the pixels (`BUNIT`).
    pub unit: Option<String>,
    /// Exposure time, s (`EXPTIME`, `EXPOSURE`).
    pub exposure: Option<f64>,
    /// What a saturated pixel reaches, in the image's unit (`SATURATE`).
    pub saturation: Option<f64>,
    /// Name of what is on it (`OBJECT`).
    pub object: Option<String>,
    /// Name of the extension (`EXTNAME`).
    pub extension: Option<String>,
}

impl Header {
    pub(super) fn from_cards(cards: &Cards) -> Self {
        let first = |keys: &[&str]| keys.iter().find_map(|key| cards.number(key));
        let unit = cards.text("BUNIT").map(str::to_owned);
        let exposure = first(&["EXPTIME", "EXPOSURE"]).filter(|&t| t > 0.0);
        let pixel_scale = first(&["PIXSCALE"]).filter(|&s| s > 0.0).or_else(|| wcs_pixel_scale(cards));
        let (zero_point, origin) = calibration::of_header(cards, exposure, pixel_scale);
        Header {
            zero_point,
            origin,
            pixel_scale,
            wcs: Wcs::from_cards(cards),
            unit,
            exposure,
            saturation: first(&["SATURATE"]).filter(|&level| level > 0.0),
            object: cards.text("OBJECT").map(str::to_owned),
            extension: cards.text("EXTNAME").map(str::to_owned),
        }
    }
}

fn wcs_pixel_scale(cards: &Cards) -> Option<f64> {
    let axis = cards.text("CTYPE1")?.to_ascii_uppercase();
    if !["RA", "DEC", "GL", "EL"].iter().any(|start| axis.starts_with(start)) {
        return None;
    }
    let [[a, b], [c, d]] = super::wcs::matrix(cards)?;
    Some(3600.0 * (a * d - b * c).abs().sqrt()).filter(|&s| s > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(cards: &[&str]) -> Header {
        Header::from_cards(&Cards::parse(&cards.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()))
    }

    #[test]
    fn broken_cards_do_not_hide_the_good_ones() {
        let found = header(&[
            "",
            "                                        ",
            "NO EQUALS SIGN HERE",
            "MAGZPT  =              25.9463 / zero point",
            "OBJECT  = 'O''Neill''s galaxy / 3'  / with quotes and a slash",
            "HISTORY = this is not a value",
            "EXPTIME = 'not a number'",
            "BUNIT   =",
            "é",
        ]);
        assert_eq!(found.zero_point, Some(25.9463));
        assert_eq!(found.object.as_deref(), Some("O'Neill's galaxy / 3"));
        assert_eq!((found.exposure, found.unit), (None, None));
    }

    #[test]
    fn an_extension_has_its_calibration_from_an_empty_primary() {
        let cards = |texts: &[&str]| Cards::parse(&texts.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        let primary = cards(&["EXPTIME = 500.0", "PHOTFLAM= 1.0E-20", "OBJECT  = 'any'"]);
        let extension = cards(&["PHOTFLAM= 2.0E-20"]).inherit(&primary);
        assert_eq!((extension.number("EXPTIME"), extension.number("PHOTFLAM")), (Some(500.0), Some(2e-20)));
        assert!(!extension.has("OBJECT"));
    }

    #[test]
    fn the_pixel_scale_is_that_of_the_celestial_matrix() {
        let ctype = "CTYPE1  = 'RA---TAN'";
        let scale = |cards: &[&str]| header(cards).pixel_scale;
        let cd = ["CD1_1   = -1.666667E-5", "CD2_2   = 1.666667E-5", ctype];
        assert!((scale(&cd).unwrap() - 0.06).abs() < 1e-7);
        let pc = ["CDELT1  = 1.0", "CDELT2  = 1.0", "PC1_1   = -1.666667E-5", "PC2_2   = 1.666667E-5", ctype];
        assert!((scale(&pc).unwrap() - 0.06).abs() < 1e-7);
        assert_eq!(scale(&["CDELT1  = 1.0", "CDELT2  = 1.0"]), None);
        assert_eq!(scale(&["PIXSCALE= 0.03"]), Some(0.03));
    }
}
