//! What is on a stamp.

/// What is on a simulated stamp; the columns of a data set's `TRUTH` table. Of what the default says, nothing is
/// known: numbers are NaN or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Which stamp (`ID`).
    pub id: i64,
    /// Total AB magnitude, that of all components (`MAG`); what follows is the main one's.
    pub mag: f64,
    /// Half-light radius along the major axis, pixels (`RE_MAJ`).
    pub re_maj: f64,
    /// Circularised half-light radius RE_MAJ √Q, pixels (`RE_CIRC`).
    pub re_circ: f64,
    /// Sérsic index (`N`).
    pub n: f64,
    /// Axis ratio b/a (`Q`).
    pub q: f64,
    /// Position angle from +y, counter-clockwise, degrees in [-90, 90) (`PA`).
    pub pa: f64,
    /// Centre, FITS pixels: 1.0 is the centre of the first (`X`).
    pub x: f64,
    /// Centre, FITS pixels (`Y`).
    pub y: f64,
    /// Which of the survey's PSFs, counted from 0 (`PSF`).
    pub psf: Option<u32>,
    /// The part of the light in a displaced copy of the galaxy (`LOPSIDED`).
    pub lopsided: Option<f64>,
    /// The part of the light in a second component (`SECOND`).
    pub second: Option<f64>,
    /// Companions whose centres are on the stamp (`N_COMP`).
    pub companions: Option<u32>,
    /// Flux of the brightest of them over the galaxy's; 0 where there is none (`COMP_RATIO`).
    pub companion_ratio: Option<f64>,
    /// Its distance from the galaxy, pixels; none where there is none (`COMP_DIST`).
    pub companion_distance: Option<f64>,
}

impl Default for Truth {
    fn default() -> Self {
        let unknown = f64::NAN;
        Truth {
            id: 0,
            mag: unknown,
            re_maj: unknown,
            re_circ: unknown,
            n: unknown,
            q: unknown,
            pa: unknown,
            x: unknown,
            y: unknown,
            psf: None,
            lopsided: None,
            second: None,
            companions: None,
            companion_ratio: None,
            companion_distance: None,
        }
    }
}
