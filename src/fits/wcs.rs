//! Where on the sky an image's pixels lie: the plain gnomonic projection (`RA---TAN`, `DEC--TAN`) that mosaics have.
//! Other projections and distortions are left alone rather than approximated.

use super::header::Cards;

/// A tangential projection of the celestial sphere (Calabretta & Greisen 2002, A&A 395, 1077).
#[derive(Clone, Debug, PartialEq)]
pub struct Wcs {
    /// The reference pixel, FITS pixels.
    reference: [f64; 2],
    /// Right ascension and declination there, degrees.
    sky: [f64; 2],
    matrix: [[f64; 2]; 2],
}

impl Wcs {
    pub(super) fn from_cards(cards: &Cards) -> Option<Self> {
        let projected = cards.text("CTYPE1") == Some("RA---TAN") && cards.text("CTYPE2") == Some("DEC--TAN");
        let degrees = ["CUNIT1", "CUNIT2"].iter().all(|key| cards.text(key).is_none_or(|unit| unit == "deg"));
        let upright = cards.number("LONPOLE").is_none_or(|longitude| longitude == 180.0);
        if !(projected && degrees && upright) {
            return None;
        }
        Some(Wcs {
            reference: [cards.number("CRPIX1")?, cards.number("CRPIX2")?],
            sky: [cards.number("CRVAL1")?, cards.number("CRVAL2")?],
            matrix: matrix(cards)?,
        })
    }

    /// Right ascension in [0, 360) and declination, degrees, of a place in FITS pixels.
    pub fn sky(&self, x: f64, y: f64) -> (f64, f64) {
        let offset = [x - self.reference[0], y - self.reference[1]];
        let [xi, eta] = self.matrix.map(|[a, b]| (a * offset[0] + b * offset[1]).to_radians());
        let (ra, dec) = (self.sky[0].to_radians(), self.sky[1].to_radians());
        let radial = dec.cos() - eta * dec.sin();
        let up = dec.sin() + eta * dec.cos();
        let turned = ra + xi.atan2(radial);
        (turned.to_degrees().rem_euclid(360.0), up.atan2(xi.hypot(radial)).to_degrees())
    }
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

    const TAN: [&str; 4] =
        ["CTYPE1  = 'RA---TAN'", "CTYPE2  = 'DEC--TAN'", "CRPIX1  = 50.5", "CRPIX2  = -20.25"];

    // astropy 7: WCS(header).all_pix2world([[1, 1], [2000.5, -300.25]], 1)
    #[test]
    fn places_on_the_sky_are_astropys() {
        let cases = [
            (
                &[
                    "CRVAL1  = 0.01",
                    "CRVAL2  = -27.7",
                    "CD1_1   = 4.7E-5",
                    "CD1_2   = -1.3E-4",
                    "CD2_1   = -1.29E-4",
                    "CD2_2   = -4.6E-5",
                ][..],
                [(0.004252558789018612, -27.694591881389574), (0.1549416154709249, -27.938592735709083)],
            ),
            (
                &[
                    "CRVAL1  = 150.0",
                    "CRVAL2  = 89.95",
                    "CDELT1  = -1E-4",
                    "CDELT2  = 1E-4",
                    "CROTA2  = 30.0",
                ],
                [(154.03711661272777, 89.9542016624193), (107.95732866240677, 89.76873497626275)],
            ),
            (
                &[
                    "CRVAL1  = 150.0",
                    "CRVAL2  = 2.2",
                    "CDELT1  = -1E-4",
                    "CDELT2  = 1E-4",
                    "PC1_1   = 0.6",
                    "PC1_2   = -0.8",
                    "PC2_1   = 0.8",
                    "PC2_2   = 0.6",
                ],
                [(150.00467343629563, 2.197314992699602), (149.86048442921802, 2.339192798978363)],
            ),
        ];
        for (cards, expected) in cases {
            let wcs = wcs(&[&TAN[..], cards].concat()).unwrap();
            for ((x, y), (ra, dec)) in [(1.0, 1.0), (2000.5, -300.25)].into_iter().zip(expected) {
                let found = wcs.sky(x, y);
                assert!((found.0 - ra).abs() < 1e-9 && (found.1 - dec).abs() < 1e-10, "{found:?} {ra} {dec}");
            }
        }
    }

    #[test]
    fn other_projections_and_half_a_description_are_none() {
        let rest = ["CRVAL1  = 150.0", "CRVAL2  = 2.2", "CDELT1  = -1E-4", "CDELT2  = 1E-4"];
        let whole = [&TAN[..], &rest].concat();
        assert!(wcs(&whole).is_some());
        assert!(wcs(&whole[..7]).is_none());
        for card in
            ["CTYPE1  = 'RA---TAN-SIP'", "CTYPE2  = 'DEC--SIN'", "LONPOLE = 90.0", "CUNIT1  = 'arcsec'"]
        {
            assert!(wcs(&[&whole[..], &[card]].concat()).is_none(), "{card}");
        }
    }
}
