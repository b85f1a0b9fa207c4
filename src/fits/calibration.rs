//! What one unit of an image is worth: its AB zero point, where that was found, and what is doubtful about it.
//!
//! The classic trap is an image of counts with the zero point of one of counts per second, or the other way round: 7.5
//! magnitudes for a thousand seconds. So what was chosen is put into words, with the unit that it was taken to be for.

use super::header::{Cards, Header};

/// The zero point of an image's unit.
#[derive(Clone, Debug, PartialEq)]
pub struct ZeroPoint {
    /// AB magnitude of one unit of the image; `None` where it is not known.
    pub value: Option<f64>,
    /// What was chosen and why, as a line to print: "zero point 25.946 from PHOTFLAM and PHOTPLAM, in ELECTRONS/S (BUNIT)".
    pub line: String,
    /// What speaks against it, and what to do.
    pub warning: Option<String>,
}

/// Where a header's zero point is from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Origin {
    /// As in "from MAGZPT"; empty where there is none.
    from: String,
    warning: Option<String>,
}

impl Origin {
    /// Of an image whose zero point another HDU states.
    pub(super) fn elsewhere(from: &str) -> Self {
        Origin { from: from.to_owned(), warning: None }
    }
}

/// What a `BUNIT` means for a zero point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    /// Electrons, counts or the like per second.
    Rate,
    /// The same over the whole exposure.
    Total,
    /// Flux density, which has a zero point of its own.
    Flux(f64),
    /// Flux density a steradian: that zero point for a pixel of one steradian.
    Brightness(f64),
    /// There is no `BUNIT`, or one that says nothing.
    Unknown,
}

/// AB magnitude of 1 Jy: 2.5 log 3631.
const JANSKY: f64 = 8.900_07;
/// Zero points as close as this are taken for the same, mag.
const ALIKE: f64 = 0.3;
/// No camera has a zero point as faint as this for one count per second, mag.
const FAINTEST_RATE: f64 = 28.5;

const DIRECT: [&str; 4] = ["MAGZERO", "MAGZPT", "ZP", "ABMAGZP"];

fn unit(text: Option<&str>) -> Unit {
    let Some(text) = text else { return Unit::Unknown };
    let text: String =
        text.chars().filter(|c| !" *^()".contains(*c)).collect::<String>().to_ascii_lowercase();
    let jansky = |power: f64| JANSKY + 2.5 * power;
    match text.as_str() {
        "jy" => Unit::Flux(jansky(0.0)),
        "mjy" => Unit::Flux(jansky(3.0)),
        "ujy" | "microjy" => Unit::Flux(jansky(6.0)),
        "njy" => Unit::Flux(jansky(9.0)),
        "nanomaggy" | "nanomaggies" | "nmgy" => Unit::Flux(22.5),
        "mjy/sr" | "mjysr-1" => Unit::Brightness(jansky(-6.0)),
        "electron" | "electrons" | "e" | "e-" | "count" | "counts" | "ct" | "cts" | "dn" | "adu" => {
            Unit::Total
        }
        "cps" => Unit::Rate,
        _ if ["/s", "/sec", "/second", "s-1", ".s-1"].iter().any(|end| text.ends_with(end)) => Unit::Rate,
        _ => Unit::Unknown,
    }
}

/// A zero point that a header states outright, and its keyword.
fn direct(cards: &Cards) -> Option<(&'static str, f64)> {
    DIRECT.iter().find_map(|key| Some((*key, cards.number(key)?)))
}

/// A zero point that a header states outright.
pub(super) fn direct_zero_point(cards: &Cards) -> Option<f64> {
    direct(cards).map(|(_, value)| value)
}

/// ABMAG zero point of images per second: −2.5 log PHOTFLAM − 21.10 − 5 log PHOTPLAM + 18.6921 (the WFC3 and ACS data
/// handbooks).
fn hst_rate(cards: &Cards) -> Option<f64> {
    let flam = cards.number("PHOTFLAM").filter(|&x| x > 0.0)?;
    let plam = cards.number("PHOTPLAM").filter(|&x| x > 0.0)?;
    Some(-2.5 * flam.log10() - 21.10 - 5.0 * plam.log10() + 18.6921)
}

/// The zero point that a header gives, and where it is from. `exposure` in s, `pixel_scale` in arcsec.
pub(super) fn of_header(
    cards: &Cards,
    exposure: Option<f64>,
    pixel_scale: Option<f64>,
) -> (Option<f64>, Origin) {
    let (name, hst) = (cards.text("BUNIT"), hst_rate(cards));
    // A millijansky and a megajansky differ in their case alone, and nobody measures galaxies in mJy/sr.
    let unit = match unit(name) {
        Unit::Flux(_) if name.is_some_and(|n| n.trim() == "MJy") => Unit::Unknown,
        unit => unit,
    };
    // Of the whole exposure over a second, magnitudes.
    let gain = exposure.map(|t| 2.5 * t.log10()).filter(|gain| gain.abs() > ALIKE);
    let seconds = exposure.unwrap_or(f64::NAN);
    if let Some((key, value)) = direct(cards) {
        let near = |expected: Option<f64>| expected.is_some_and(|e| (value - e).abs() < ALIKE);
        let warning = match (unit, gain) {
            (Unit::Total, Some(gain)) if near(hst) => Some(format!(
                "{key} = {value:.3} is by PHOTFLAM that of an image per second, but BUNIT is that of a whole exposure of \
                 {seconds} s: if that is right, the zero point is {:.3}",
                value + gain
            )),
            (Unit::Rate, Some(gain)) if near(hst.map(|hst| hst + gain)) => Some(format!(
                "{key} = {value:.3} is by PHOTFLAM that of an image of the whole exposure of {seconds} s, but BUNIT is \
                 per second: if that is right, the zero point is {:.3}",
                value - gain
            )),
            (Unit::Unknown, Some(gain)) if gain > 0.0 && value < FAINTEST_RATE => Some(format!(
                "{key} = {value:.3} looks like that of an image per second, and with EXPTIME = {seconds} s and no unit \
                 (BUNIT) it cannot be told whether this is one: if its pixels are counts of the whole exposure, the zero \
                 point is {:.3}",
                value + gain
            )),
            _ => None,
        };
        return (Some(value), Origin { from: key.to_owned(), warning });
    }
    match (unit, hst) {
        (Unit::Flux(value), _) => (Some(value), Origin::elsewhere("the unit itself")),
        (Unit::Brightness(value), _) => {
            let area = cards.number("PIXAR_SR").filter(|a| *a > 0.0);
            let side = pixel_scale.map(|scale| (scale / 3600.0).to_radians());
            let area = area.or(side.map(|side| side * side));
            let from = Origin::elsewhere("the unit itself and the size of a pixel");
            area.map_or_else(Default::default, |area| (Some(value - 2.5 * area.log10()), from))
        }
        (Unit::Total, Some(rate)) => match exposure {
            Some(t) => {
                let from = format!("PHOTFLAM, PHOTPLAM and EXPTIME = {t} s");
                (Some(rate + 2.5 * t.log10()), Origin::elsewhere(&from))
            }
            None => {
                let warning = "PHOTFLAM is that of an image per second, but BUNIT is that of a whole exposure and the \
                               header has no EXPTIME: state the zero point";
                (None, Origin { from: String::new(), warning: Some(warning.to_owned()) })
            }
        },
        (Unit::Rate, Some(rate)) => (Some(rate), Origin::elsewhere("PHOTFLAM and PHOTPLAM")),
        (Unit::Unknown, Some(rate)) => {
            let warning = gain.map(|gain| {
                format!(
                    "PHOTFLAM is that of an image per second, and with EXPTIME = {seconds} s and no unit (BUNIT) it cannot \
                     be told whether this is one: if its pixels are counts of the whole exposure, the zero point is {:.3}",
                    rate + gain
                )
            });
            (Some(rate), Origin { from: "PHOTFLAM and PHOTPLAM, for a rate".to_owned(), warning })
        }
        (_, None) => Default::default(),
    }
}

impl Header {
    /// The zero point of the image's unit: the one `given`, else the header's own, with what to print of it.
    pub fn calibrate(&self, given: Option<f64>) -> ZeroPoint {
        let unit = match &self.unit {
            Some(unit) => format!("in {unit} (BUNIT)"),
            None => "of an image that does not say its unit (no BUNIT)".to_owned(),
        };
        let Origin { from, warning } = &self.origin;
        match (given, self.zero_point) {
            (Some(value), header) => {
                let other = header.filter(|header| (header - value).abs() > 0.0005);
                let other =
                    other.map_or_else(String::new, |z| format!("; the header has {z:.3} from {from}"));
                let line = format!("zero point {value:.3} as given, {unit}{other}");
                ZeroPoint { value: given, line, warning: None }
            }
            (None, Some(value)) => {
                let line = format!("zero point {value:.3} from {from}, {unit}");
                ZeroPoint { value: Some(value), line, warning: warning.clone() }
            }
            (None, None) => {
                let line = format!(
                    "no zero point: the header has none of {}, nor PHOTFLAM with PHOTPLAM",
                    DIRECT.join(" ")
                );
                ZeroPoint { value: None, line, warning: warning.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zero_point(cards: &[&str]) -> ZeroPoint {
        let cards: Vec<String> = cards.iter().map(|c| (*c).to_owned()).collect();
        Header::from_cards(&Cards::parse(&cards)).calibrate(None)
    }

    /// WFC3/IR F160W of the 2012 calibration, for which the instrument team gives 25.9463 in e/s.
    const F160W: [&str; 2] = ["PHOTFLAM= 1.9275602E-20", "PHOTPLAM= 1.5369176D4"];

    #[test]
    fn what_was_chosen_is_said_with_its_unit() {
        let rate = zero_point(&[&F160W[..], &["BUNIT   = 'ELECTRONS/S'", "EXPTIME = 100.0"]].concat());
        assert_eq!(rate.line, "zero point 25.946 from PHOTFLAM and PHOTPLAM, in ELECTRONS/S (BUNIT)");
        assert!((rate.value.unwrap() - 25.9463).abs() < 1e-3 && rate.warning.is_none());
        let total = zero_point(&[&F160W[..], &["BUNIT   = 'ELECTRONS'", "EXPTIME = 100.0"]].concat());
        assert!((total.value.unwrap() - 30.9463).abs() < 1e-3 && total.warning.is_none());
        assert!(total.line.contains("from PHOTFLAM, PHOTPLAM and EXPTIME = 100 s"), "{}", total.line);
        let none = zero_point(&["BUNIT   = 'DN'"]);
        assert!(none.value.is_none() && none.line.contains("none of MAGZERO MAGZPT ZP ABMAGZP"));
        let header = Header { zero_point: Some(26.0), unit: Some("DN/S".into()), ..Header::default() };
        let given = header.calibrate(Some(25.5));
        assert_eq!(given.value, Some(25.5));
        assert!(given.line.contains("25.500 as given, in DN/S (BUNIT); the header has 26.000"));
    }

    #[test]
    fn counts_with_a_rates_zero_point_and_the_other_way_round_are_doubted() {
        let warning = |cards: &[&str]| zero_point(cards).warning.unwrap_or_default();
        let hst = |more: &[&'static str]| warning(&[&F160W[..], more].concat());
        let exposed = "EXPTIME = 1000.0";
        let counts = hst(&["BUNIT   = 'ELECTRONS'", exposed, "MAGZPT  = 25.95"]);
        assert!(counts.contains("image per second") && counts.contains("33.450"), "{counts}");
        let rate = hst(&["BUNIT   = 'ELECTRONS/S'", exposed, "MAGZPT  = 33.446"]);
        assert!(rate.contains("whole exposure") && rate.contains("25.946"), "{rate}");
        let either = warning(&[exposed, "MAGZPT  = 26.563"]);
        assert!(either.contains("looks like") && either.contains("34.063"), "{either}");
        assert!(hst(&[exposed]).contains("33.446"));
        assert!(hst(&["BUNIT   = 'ELECTRONS'"]).contains("no EXPTIME"));
        for clear in [
            &[exposed, "MAGZPT  = 34.0"][..],
            &["MAGZPT  = 26.563"],
            &["EXPTIME = 1.0", "MAGZPT  = 26.563"],
            &[exposed, "MAGZPT  = 25.9463", "BUNIT   = 'ELECTRONS/S'"],
        ] {
            assert_eq!(warning(clear), "", "{clear:?}");
        }
    }

    #[test]
    fn units_of_flux_density_are_their_own_zero_point() {
        let value = |cards: &[&str]| zero_point(cards).value;
        for (unit, expected) in
            [("Jy", 8.9), ("mJy", 16.4), ("uJy", 23.9), ("nJy", 31.4), ("nanomaggy", 22.5)]
        {
            let found = value(&[&format!("BUNIT   = '{unit}'")]).unwrap();
            assert!((found - expected).abs() < 1e-3, "{unit} {found}");
        }
        // JWST's: −6.10 − 2.5 log of the pixel's area in steradians.
        let webb = value(&["BUNIT   = 'MJy/sr'", "PIXAR_SR= 2.11539874851881E-14"]).unwrap();
        assert!((webb - (-6.1 - 2.5 * 2.115_398_748_518_81e-14_f64.log10())).abs() < 1e-3, "{webb}");
        let scale = value(&["BUNIT   = 'MJy/sr'", "PIXSCALE= 0.03"]).unwrap();
        assert!((scale - webb).abs() < 1e-2, "{scale} {webb}");
        assert_eq!(value(&["BUNIT   = 'MJy/sr'"]), None);
    }
}
