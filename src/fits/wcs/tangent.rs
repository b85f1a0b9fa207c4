//! Gnomonic projections of our own making: of simulated mosaics, and of the parts of an image, whatever its own
//! projection is.

use super::{Projection, Wcs, invert};
use crate::Result;
use crate::fits::raw::FitsFile;

/// Pixels to either side between which an image's own projection is taken for a plane.
const STEP: f64 = 16.0;

impl Wcs {
    /// North up and east to the left, with pixels of `pixel_scale` arcsec, the place `reference` (FITS pixels) at a right
    /// ascension and a declination, degrees.
    pub fn upright(sky: (f64, f64), reference: (f64, f64), pixel_scale: f64) -> Self {
        let degrees = pixel_scale / 3600.0;
        let (matrix, inverse) =
            ([[-degrees, 0.0], [0.0, degrees]], [[-1.0 / degrees, 0.0], [0.0, 1.0 / degrees]]);
        Wcs::gnomonic(sky, reference, matrix, inverse)
    }

    fn gnomonic(
        sky: (f64, f64),
        reference: (f64, f64),
        matrix: [[f64; 2]; 2],
        inverse: [[f64; 2]; 2],
    ) -> Self {
        Wcs {
            reference: [reference.0, reference.1],
            sky: [sky.0.to_radians(), sky.1.to_radians()],
            matrix,
            inverse,
            projection: Projection::Gnomonic,
            pole: std::f64::consts::PI,
            sip: None,
        }
    }

    /// A part of the image in pixels `ratio` times as large, of which `here` is `there` on the image, both in FITS pixels:
    /// the gnomonic projection about that place with the image's own scale and direction there, which leaves it by less
    /// than a hundredth of a pixel over a stamp. None where the image shows no sky.
    #[must_use]
    pub fn of_part(&self, here: (f64, f64), there: (f64, f64), ratio: f64) -> Option<Self> {
        let sky = self.sky(there.0, there.1);
        let unit = [[1.0, 0.0], [0.0, 1.0]];
        let plane = Wcs::gnomonic(sky, (0.0, 0.0), unit, unit);
        let seen = |dx: f64, dy: f64| {
            let (ra, dec) = self.sky(there.0 + ratio * dx, there.1 + ratio * dy);
            plane.pixel(ra, dec)
        };
        let slope = |ahead: (f64, f64), behind: (f64, f64)| {
            [(ahead.0 - behind.0) / (2.0 * STEP), (ahead.1 - behind.1) / (2.0 * STEP)]
        };
        let along_x = slope(seen(STEP, 0.0)?, seen(-STEP, 0.0)?);
        let along_y = slope(seen(0.0, STEP)?, seen(0.0, -STEP)?);
        let matrix = [[along_x[0], along_y[0]], [along_x[1], along_y[1]]];
        Some(Wcs::gnomonic(sky, here, matrix, invert(matrix)?))
    }

    /// Writes a gnomonic projection, as [`Wcs::upright`] and [`Wcs::of_part`] make them, into the current header of a
    /// file.
    pub(in crate::fits) fn write(&self, file: &mut FitsFile) -> Result<()> {
        file.set_text("CTYPE1", "RA---TAN", "right ascension, gnomonic projection")?;
        file.set_text("CTYPE2", "DEC--TAN", "declination, gnomonic projection")?;
        file.set_text("CUNIT1", "deg", "")?;
        file.set_text("CUNIT2", "deg", "")?;
        for (key, value, comment) in [
            ("CRPIX1", self.reference[0], "[pixel] reference pixel"),
            ("CRPIX2", self.reference[1], "[pixel] reference pixel"),
            ("CRVAL1", self.sky[0].to_degrees().rem_euclid(360.0), "[deg] right ascension there"),
            ("CRVAL2", self.sky[1].to_degrees(), "[deg] declination there"),
            ("CD1_1", self.matrix[0][0], "[deg/pixel]"),
            ("CD1_2", self.matrix[0][1], "[deg/pixel]"),
            ("CD2_1", self.matrix[1][0], "[deg/pixel]"),
            ("CD2_2", self.matrix[1][1], "[deg/pixel]"),
        ] {
            file.set_f64(key, value, comment)?;
        }
        file.set_text("RADESYS", "ICRS", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fits::header::Cards;

    #[test]
    fn an_upright_image_has_north_up_and_east_to_the_left() {
        let wcs = Wcs::upright((150.0, 2.2), (100.5, 50.0), 0.06);
        let (ra, dec) = wcs.sky(100.5, 50.0 + 60.0);
        assert!((ra - 150.0).abs() < 1e-9 && (dec - 2.2 - 0.001).abs() < 1e-9);
        assert!(wcs.sky(99.5, 50.0).0 > 150.0);
        let (x, y) = wcs.pixel(ra, dec).unwrap();
        assert!((x - 100.5).abs() < 1e-7 && (y - 110.0).abs() < 1e-7);
    }

    #[test]
    fn a_part_in_larger_pixels_lies_where_it_lay_far_from_the_middle_and_with_distortions() {
        let cards = |lines: &[&str]| Cards::parse(&lines.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        let rest = ["CRPIX1  = 5000.0", "CRPIX2  = 4000.0", "CRVAL1  = 359.999", "CRVAL2  = 60.0"];
        let matrix = ["CD1_1   = -1.2E-5", "CD1_2   = 1.1E-5", "CD2_1   = 1.15E-5", "CD2_2   = 1.2E-5"];
        let sip = ["A_ORDER = 2", "B_ORDER = 2", "A_2_0   = 1E-6", "B_1_1   = -2E-6"];
        for axes in [
            ["CTYPE1  = 'RA---TAN'", "CTYPE2  = 'DEC--TAN'"],
            ["CTYPE1  = 'RA---TAN-SIP'", "CTYPE2  = 'DEC--TAN-SIP'"],
        ] {
            let sip: &[&str] = if axes[0].contains("SIP") { &sip } else { &[] };
            let whole = Wcs::from_cards(&cards(&[&axes[..], &rest, &matrix, sip].concat())).unwrap();
            let part = whole.of_part((64.5, 63.0), (1020.25, 930.5), 2.0).unwrap();
            for (dx, dy) in [(0.0, 0.0), (60.0, 60.0), (-60.0, 33.0)] {
                let there = whole.sky(1020.25 + 2.0 * dx, 930.5 + 2.0 * dy);
                let found = part.pixel(there.0, there.1).unwrap();
                assert!((found.0 - 64.5 - dx).hypot(found.1 - 63.0 - dy) < 0.02, "{found:?} {dx} {dy}");
            }
        }
    }
}
