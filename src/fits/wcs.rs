//! Where on the sky an image's pixels lie, both ways: the zenithal projections that mosaics have (`TAN`, and `SIN`, `ARC`,
//! `STG`, `ZEA`), about any pole of the native sphere, with or without the polynomials of `-SIP` (Calabretta & Greisen
//! 2002, A&A 395, 1077). Other projections and distortions are left alone rather than approximated.

use super::header::Cards;
use sip::Sip;

mod sip;
mod tangent;

/// A projection of the celestial sphere.
#[derive(Clone, Debug, PartialEq)]
pub struct Wcs {
    /// The reference pixel, FITS pixels.
    reference: [f64; 2],
    /// Right ascension and declination there, radians.
    sky: [f64; 2],
    /// From pixels to degrees along right ascension and declination, and back.
    matrix: [[f64; 2]; 2],
    inverse: [[f64; 2]; 2],
    projection: Projection,
    /// Native longitude of the celestial pole, radians.
    pole: f64,
    sip: Option<Sip>,
}

/// How far from the reference point's image a place at an angle from it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Projection {
    Gnomonic,
    Orthographic,
    Equidistant,
    Stereographic,
    EqualArea,
}

impl Projection {
    fn named(name: &str) -> Option<Self> {
        match name {
            "TAN" => Some(Projection::Gnomonic),
            "SIN" => Some(Projection::Orthographic),
            "ARC" => Some(Projection::Equidistant),
            "STG" => Some(Projection::Stereographic),
            "ZEA" => Some(Projection::EqualArea),
            _ => None,
        }
    }

    /// The angle at a distance in the plane, both in radians; NaN beyond what the plane shows.
    fn angle(self, distance: f64) -> f64 {
        match self {
            Projection::Gnomonic => distance.atan(),
            Projection::Orthographic => distance.asin(),
            Projection::Equidistant => distance,
            Projection::Stereographic => 2.0 * (0.5 * distance).atan(),
            Projection::EqualArea => 2.0 * (0.5 * distance).asin(),
        }
    }

    /// The distance in the plane at an angle; none where the plane does not show it.
    fn distance(self, angle: f64) -> Option<f64> {
        let half = std::f64::consts::FRAC_PI_2;
        match self {
            Projection::Gnomonic => (angle < half).then(|| angle.tan()),
            Projection::Orthographic => (angle <= half).then(|| angle.sin()),
            Projection::Equidistant => Some(angle),
            Projection::Stereographic => (angle < 2.0 * half).then(|| 2.0 * (0.5 * angle).tan()),
            Projection::EqualArea => Some(2.0 * (0.5 * angle).sin()),
        }
    }
}

impl Wcs {
    pub(super) fn from_cards(cards: &Cards) -> Option<Self> {
        let axes = [cards.text("CTYPE1")?, cards.text("CTYPE2")?];
        let ra = axes.iter().position(|axis| axis.starts_with("RA---"))?;
        let (projection, end) = axes[ra].get(5..8).zip(axes[ra].get(8..))?;
        if axes[1 - ra] != format!("DEC--{projection}{end}") {
            return None;
        }
        let degrees = ["CUNIT1", "CUNIT2"].iter().all(|key| cards.text(key).is_none_or(|unit| unit == "deg"));
        // Other fiducial points, slanted and polynomial projections (among them SCAMP's, which it calls TAN), and tables
        // of distortion.
        let more = ["PV1_", "PV2_", "CPDIS", "D2IMDIS"].iter().any(|key| cards.any(key));
        if !degrees || more {
            return None;
        }
        let sip = match end {
            "" => None,
            "-SIP" => Some(Sip::from_cards(cards)?),
            _ => return None,
        };
        let pair = |keys: [&str; 2]| Some([cards.number(keys[0])?, cards.number(keys[1])?]);
        let (mut matrix, mut sky) = (matrix(cards)?, pair(["CRVAL1", "CRVAL2"])?);
        if ra == 1 {
            (matrix, sky) = ([matrix[1], matrix[0]], [sky[1], sky[0]]);
        }
        let pole = cards.number("LONPOLE").unwrap_or(if sky[1] < 90.0 { 180.0 } else { 0.0 });
        Some(Wcs {
            reference: pair(["CRPIX1", "CRPIX2"])?,
            sky: sky.map(f64::to_radians),
            inverse: invert(matrix)?,
            matrix,
            projection: Projection::named(projection)?,
            pole: pole.to_radians(),
            sip,
        })
    }

    /// Right ascension in [0, 360) and declination, degrees, of a place in FITS pixels: the first pixel's centre is
    /// (1, 1). NaN where the projection has no sky.
    pub fn sky(&self, x: f64, y: f64) -> (f64, f64) {
        let mut offset = [x - self.reference[0], y - self.reference[1]];
        if let Some(sip) = &self.sip {
            offset = sip.undistorted(offset);
        }
        let plane = apply(self.matrix, offset).map(f64::to_radians);
        let (sin, cos) = self.projection.angle(plane[0].hypot(plane[1])).sin_cos();
        // From native longitude to the direction at the reference point, from north through east.
        let bearing = self.pole - plane[0].atan2(-plane[1]);
        let (east, north) = (sin * bearing.sin(), sin * bearing.cos());
        let [ra, dec] = self.sky;
        let outwards = cos * dec.cos() - north * dec.sin();
        let up = cos * dec.sin() + north * dec.cos();
        let turned = (ra + east.atan2(outwards)).to_degrees().rem_euclid(360.0);
        // A tiny negative angle becomes 360 by rounding.
        (if turned < 360.0 { turned } else { 0.0 }, up.atan2(east.hypot(outwards)).to_degrees())
    }

    /// The place in FITS pixels of a right ascension and declination, degrees; none where the projection does not show
    /// it, as the far side of the sky.
    pub fn pixel(&self, ra: f64, dec: f64) -> Option<(f64, f64)> {
        let turn = ra.to_radians() - self.sky[0];
        let (dec, dec0) = (dec.to_radians(), self.sky[1]);
        // Differences, exact near the reference point too.
        let north = (dec - dec0).sin() + 2.0 * dec.cos() * dec0.sin() * (0.5 * turn).sin().powi(2);
        let east = dec.cos() * turn.sin();
        let cos = dec.sin() * dec0.sin() + dec.cos() * dec0.cos() * turn.cos();
        let distance = self.projection.distance(east.hypot(north).atan2(cos))?.to_degrees();
        let (sin, cos) = (self.pole - east.atan2(north)).sin_cos();
        let mut offset = apply(self.inverse, [distance * sin, -distance * cos]);
        if let Some(sip) = &self.sip {
            offset = sip.distorted(offset)?;
        }
        let place = (self.reference[0] + offset[0], self.reference[1] + offset[1]);
        (place.0.is_finite() && place.1.is_finite()).then_some(place)
    }
}

fn apply(matrix: [[f64; 2]; 2], vector: [f64; 2]) -> [f64; 2] {
    matrix.map(|[a, b]| a * vector[0] + b * vector[1])
}

fn invert([[a, b], [c, d]]: [[f64; 2]; 2]) -> Option<[[f64; 2]; 2]> {
    let determinant = a * d - b * c;
    let inverse = [[d / determinant, -b / determinant], [-c / determinant, a / determinant]];
    inverse.iter().flatten().all(|v| v.is_finite()).then_some(inverse)
}

/// From pixels to degrees of the tangent plane: the `CD` matrix, or `CDELT` with `PC` or `CROTA2`.
pub(super) fn matrix(cards: &Cards) -> Option<[[f64; 2]; 2]> {
    let or = |key: &str, absent: f64| cards.number(key).unwrap_or(absent);
    if ["CD1_1", "CD1_2", "CD2_1", "CD2_2"].iter().any(|key| cards.has(key)) {
        return Some([[or("CD1_1", 0.0), or("CD1_2", 0.0)], [or("CD2_1", 0.0), or("CD2_2", 0.0)]]);
    }
    let scale = [cards.number("CDELT1")?, cards.number("CDELT2")?];
    if ["PC1_1", "PC1_2", "PC2_1", "PC2_2"].iter().any(|key| cards.has(key)) {
        let pc = [[or("PC1_1", 1.0), or("PC1_2", 0.0)], [or("PC2_1", 0.0), or("PC2_2", 1.0)]];
        return Some([pc[0].map(|p| scale[0] * p), pc[1].map(|p| scale[1] * p)]);
    }
    let (sin, cos) = or("CROTA2", 0.0).to_radians().sin_cos();
    Some([[scale[0] * cos, -scale[1] * sin], [scale[0] * sin, scale[1] * cos]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wcs(cards: &[&str]) -> Option<Wcs> {
        Wcs::from_cards(&Cards::parse(&cards.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()))
    }

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        cards: Vec<String>,
        rows: Vec<[f64; 4]>,
    }

    // Made by tests/golden/make_wcs.py.
    #[test]
    fn whole_mosaics_lie_where_astropy_has_them_to_a_thousandth_of_a_pixel() {
        let golden = include_str!("../../tests/golden/wcs.json");
        let cases: Vec<Case> = serde_json::from_str(golden).unwrap();
        assert_eq!(cases.len(), 18);
        for case in cases {
            let wcs = Wcs::from_cards(&Cards::parse(&case.cards)).unwrap();
            let degrees_a_pixel =
                (wcs.matrix[0][0] * wcs.matrix[1][1] - wcs.matrix[0][1] * wcs.matrix[1][0]).abs().sqrt();
            for [x, y, ra, dec] in case.rows {
                let found = wcs.sky(x, y);
                let turn = (found.0 - ra + 540.0).rem_euclid(360.0) - 180.0;
                let off = (turn * dec.to_radians().cos()).hypot(found.1 - dec) / degrees_a_pixel;
                assert!(off < 1e-4, "{}: {x} {y}: {off} pixels", case.name);
                let place = wcs.pixel(ra, dec).unwrap();
                let off = (place.0 - x).hypot(place.1 - y);
                assert!(off < 1e-4, "{}: {ra} {dec}: {off} pixels", case.name);
            }
        }
    }

    #[test]
    fn the_far_side_of_the_sky_has_no_pixel() {
        let near =
            ["CRPIX1  = 1", "CRPIX2  = 1", "CRVAL1  = 20", "CRVAL2  = 30", "CD1_1   = -1", "CD2_2   = 1"];
        for projection in ["TAN", "SIN"] {
            let axes = [format!("CTYPE1  = 'RA---{projection}'"), format!("CTYPE2  = 'DEC--{projection}'")];
            let wcs = wcs(&[&near[..], &[&axes[0], &axes[1]]].concat()).unwrap();
            assert!(wcs.pixel(200.0, -30.0).is_none() && wcs.pixel(20.0, -70.0).is_none());
            assert!(wcs.pixel(f64::NAN, 0.0).is_none());
            assert!(wcs.pixel(20.0, -59.0).is_some());
        }
    }

    const TAN: [&str; 8] = [
        "CTYPE1  = 'RA---TAN'",
        "CTYPE2  = 'DEC--TAN'",
        "CRPIX1  = 50.5",
        "CRPIX2  = -20.25",
        "CRVAL1  = 150.0",
        "CRVAL2  = 2.2",
        "CDELT1  = -1E-4",
        "CDELT2  = 1E-4",
    ];

    #[test]
    fn other_projections_and_half_a_description_are_none() {
        assert!(wcs(&TAN).is_some());
        assert!(wcs(&TAN[..7]).is_none());
        for card in [
            "CTYPE1  = 'RA---TAN-SIP'",
            "CTYPE2  = 'DEC--SIN'",
            "CTYPE1  = 'RA---AIT'",
            "CUNIT1  = 'arcsec'",
            "CDELT1  = 0.0",
            "PV1_5   = 1.2E-3",
            "CPDIS1  = 'LOOKUP'",
        ] {
            assert!(wcs(&[&TAN[..], &[card]].concat()).is_none(), "{card}");
        }
    }

    #[test]
    fn polynomials_left_over_from_before_drizzling_do_not_count() {
        let left = wcs(&[&TAN[..], &["A_ORDER = 2", "A_2_0   = 1E-3", "B_ORDER = 2"]].concat()).unwrap();
        assert_eq!(left, wcs(&TAN).unwrap());
        let sip = ["CTYPE1  = 'RA---TAN-SIP'", "CTYPE2  = 'DEC--TAN-SIP'"];
        assert!(wcs(&[&TAN[..], &sip].concat()).is_some_and(|wcs| wcs.sky(9.0, 9.0) == left.sky(9.0, 9.0)));
    }
}
