//! When two images measure light alike.

use crate::fits::SAME_SCALE;

/// By what to multiply fluxes of one AB zero point to have them in the unit of another: 10^(−0.4 (from − to)). NaN
/// where one is unknown.
pub(super) fn flux_factor(from: f64, to: f64) -> f64 {
    10_f64.powf(-0.4 * (from - to))
}

/// Whether two pixel scales, arcsec, are the same; none where one is unknown.
pub(super) fn same_scale(one: f64, another: f64) -> Option<bool> {
    let apart = (one / another - 1.0).abs();
    (!apart.is_nan()).then_some(apart <= SAME_SCALE)
}
