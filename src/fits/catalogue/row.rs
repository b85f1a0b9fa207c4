//! One measured galaxy.

use super::super::flags::Flags;

/// One measured galaxy. What was not measured is NaN, and left empty in text files. The ends of a parameter's 68%
/// interval are given by their distances from its value, both positive.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name (`ID`).
    pub id: String,
    /// The file it is from (`FILE`).
    pub file: String,
    /// Right ascension, degrees (`RA`).
    pub ra: f64,
    /// Declination, degrees (`DEC`).
    pub dec: f64,
    /// Centre, FITS pixels of the image (`X`).
    pub x: f64,
    /// Centre, FITS pixels of the image (`Y`).
    pub y: f64,
    /// Total AB magnitude (`MAG`).
    pub mag: f64,
    /// To the lower and the upper end of its interval (`MAG_ERR_LO`, `MAG_ERR_HI`).
    pub mag_err: [f64; 2],
    /// Half-light radius along the major axis, pixels (`RE_MAJ`).
    pub re_maj: f64,
    /// As `mag_err`, pixels (`RE_MAJ_ERR_LO`, `RE_MAJ_ERR_HI`).
    pub re_maj_err: [f64; 2],
    /// Circularised half-light radius, pixels (`RE_CIRC`).
    pub re_circ: f64,
    /// Half-light radius along the major axis, arcsec (`RE_ARCSEC`).
    pub re_arcsec: f64,
    /// Sérsic index (`N`).
    pub n: f64,
    /// As `mag_err` (`N_ERR_LO`, `N_ERR_HI`).
    pub n_err: [f64; 2],
    /// Axis ratio b/a (`Q`).
    pub q: f64,
    /// As `mag_err` (`Q_ERR_LO`, `Q_ERR_HI`).
    pub q_err: [f64; 2],
    /// Position angle, degrees from +y counter-clockwise (`PA`).
    pub pa: f64,
    /// Signal-to-noise ratio (`SNR`).
    pub snr: f64,
    /// Reduced χ² of the rendered model (`CHI2`).
    pub chi2: f64,
    /// How unlike the galaxies of the training it is (`OOD`).
    pub ood: f64,
    /// Flux of the most important neighbour over its own (`NEIGH_RATIO`).
    pub neighbour_ratio: f64,
    /// The distance of that neighbour, pixels (`NEIGH_DIST`).
    pub neighbour_distance: f64,
    /// What to be wary of (`FLAGS`).
    pub flags: Flags,
}

impl Default for Row {
    fn default() -> Self {
        let nan = f64::NAN;
        Row {
            id: String::new(),
            file: String::new(),
            ra: nan,
            dec: nan,
            x: nan,
            y: nan,
            mag: nan,
            mag_err: [nan; 2],
            re_maj: nan,
            re_maj_err: [nan; 2],
            re_circ: nan,
            re_arcsec: nan,
            n: nan,
            n_err: [nan; 2],
            q: nan,
            q_err: [nan; 2],
            pa: nan,
            snr: nan,
            chi2: nan,
            ood: nan,
            neighbour_ratio: nan,
            neighbour_distance: nan,
            flags: Flags::default(),
        }
    }
}
