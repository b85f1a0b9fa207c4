//! What Tuccillo et al. (2018) report: R² of their galaxies, which are not ours.

use crate::legato::Parameter;

/// R² on 5,000 simulated galaxies (Table 2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulated {
    /// Their Architecture 1.
    pub architecture_1: f64,
    /// Their Architecture 2.
    pub architecture_2: f64,
    /// GALFIT.
    pub galfit: f64,
}

/// R² on 1,000 real galaxies, against van der Wel et al. (2012) (Table 3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Real {
    /// Networks that saw simulated galaxies only.
    pub before: f64,
    /// The same, for the galaxies without companions.
    pub isolated: f64,
    /// The networks after domain adaptation.
    pub after: f64,
    /// Another catalogue made with GALFIT.
    pub galfit: f64,
}

/// A row of Table 2.
pub fn simulated(parameter: Parameter) -> Simulated {
    let [architecture_1, architecture_2, galfit] = match parameter {
        Parameter::Magnitude => [0.961, 0.997, 0.983],
        Parameter::Radius => [0.899, 0.972, 0.877],
        Parameter::SersicIndex => [0.968, 0.881, 0.607],
        Parameter::AxisRatio => [0.983, 0.959, 0.903],
    };
    Simulated { architecture_1, architecture_2, galfit }
}

/// A row of Table 3.
pub fn real(parameter: Parameter) -> Real {
    let [before, isolated, after, galfit] = match parameter {
        Parameter::Magnitude => [0.795, 0.979, 0.980, 0.984],
        Parameter::Radius => [-0.431, 0.630, 0.813, 0.860],
        Parameter::SersicIndex => [-0.331, 0.516, 0.813, 0.819],
        Parameter::AxisRatio => [0.773, 0.915, 0.934, 0.914],
    };
    Real { before, isolated, after, galfit }
}
