//! The columns of numbers that a catalogue has, in order. They stand between `ID` and `FILE`, which are text, and
//! `FLAGS`, an integer. A catalogue has all of them, whatever was measured.

use super::row::Row;

/// A column of numbers.
pub(super) struct Number {
    pub(super) name: &'static str,
    /// As FITS has it; empty for a pure number.
    pub(super) unit: &'static str,
    pub(super) description: &'static str,
    /// Digits after the point in text files.
    pub(super) decimals: usize,
    pub(super) get: fn(&Row) -> f64,
    pub(super) set: fn(&mut Row, f64),
}

macro_rules! number {
    ($name:literal, $unit:literal, $decimals:literal, $field:ident $([$end:literal])?, $description:literal) => {
        Number {
            name: $name,
            unit: $unit,
            description: $description,
            decimals: $decimals,
            get: |row| row.$field$([$end])?,
            set: |row, value| row.$field$([$end])? = value,
        }
    };
}

pub(super) const ID: (&str, &str) = ("ID", "name of the galaxy");
pub(super) const FILE: (&str, &str) = ("FILE", "image it was measured on");
pub(super) const FLAGS: (&str, &str) = ("FLAGS", "sum of bits, explained in the table's history");

pub(super) const NUMBERS: [Number; 24] = [
    number!("RA", "deg", 7, ra, "right ascension of the centre"),
    number!("DEC", "deg", 7, dec, "declination of the centre"),
    number!("X", "pixel", 3, x, "centre, the first pixel's being 1"),
    number!("Y", "pixel", 3, y, "centre, the first pixel's being 1"),
    number!("MAG", "mag", 4, mag, "total AB magnitude"),
    number!("MAG_ERR_LO", "mag", 4, mag_err[0], "MAG to the lower end of its 68% interval"),
    number!("MAG_ERR_HI", "mag", 4, mag_err[1], "MAG to the upper end of its 68% interval"),
    number!("RE_MAJ", "pixel", 4, re_maj, "half-light radius along the major axis"),
    number!("RE_MAJ_ERR_LO", "pixel", 4, re_maj_err[0], "RE_MAJ to the lower end of its 68% interval"),
    number!("RE_MAJ_ERR_HI", "pixel", 4, re_maj_err[1], "RE_MAJ to the upper end of its 68% interval"),
    number!("RE_CIRC", "pixel", 4, re_circ, "circularised half-light radius, RE_MAJ sqrt(Q)"),
    number!("RE_ARCSEC", "arcsec", 5, re_arcsec, "half-light radius along the major axis"),
    number!("N", "", 4, n, "Sersic index"),
    number!("N_ERR_LO", "", 4, n_err[0], "N to the lower end of its 68% interval"),
    number!("N_ERR_HI", "", 4, n_err[1], "N to the upper end of its 68% interval"),
    number!("Q", "", 4, q, "axis ratio b/a"),
    number!("Q_ERR_LO", "", 4, q_err[0], "Q to the lower end of its 68% interval"),
    number!("Q_ERR_HI", "", 4, q_err[1], "Q to the upper end of its 68% interval"),
    number!("PA", "deg", 2, pa, "position angle, from +y counter-clockwise"),
    number!("SNR", "", 2, snr, "signal-to-noise ratio"),
    number!("CHI2", "", 3, chi2, "reduced chi squared of the rendered model"),
    number!("OOD", "", 3, ood, "unlikeness to the training galaxies"),
    number!("NEIGH_RATIO", "", 4, neighbour_ratio, "flux of the main neighbour over its own"),
    number!("NEIGH_DIST", "pixel", 2, neighbour_distance, "distance of that neighbour"),
];
