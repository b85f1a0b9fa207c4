//! What else is on a stamp.

use super::Object;
use crate::detect::{Settings, Source, detect, neighbours};
use crate::fits::{Flags, Row};

/// A neighbour of at least this part of the galaxy's flux is flagged.
const FLAGGED: f64 = 0.1;
/// A source as near the stamp's centre as this is the galaxy, pixels; a larger one also within its half-light radius.
const NEAR: f64 = 4.0;

/// Finds the most important neighbour on a galaxy's stamp and puts it into its row. Where nothing stands out from the noise
/// at the galaxy's place, nothing is said.
pub(super) fn look_around(object: &Object, row: &mut Row) {
    let stamp = &object.stamp;
    let size = (stamp.pixels.len() as f64).sqrt() as usize;
    let sigma = stamp.sky.sigma as f32;
    if !(sigma.is_finite() && sigma > 0.0) {
        return;
    }
    // A stamp is too small to measure the sky's shape on it beside a galaxy that may fill it.
    let level = if row.flags.contains(Flags::SKY_LEVEL) { stamp.sky.level as f32 } else { 0.0 };
    let pixels: Vec<f32> = stamp.pixels.iter().map(|p| p - level).collect();
    let rms = stamp.rms.clone().unwrap_or_else(|| vec![sigma; pixels.len()]);
    let settings = Settings { subtract: false, blank_zeros: false, ..Settings::default() };
    let Ok(found) = detect(&pixels, size, Some(&rms), Some(&stamp.filled), &settings) else { return };
    let distance = |s: &Source| (s.x - stamp.centre.0).hypot(s.y - stamp.centre.1);
    let is_it = |s: &Source| distance(s) <= NEAR.max(0.5 * s.a);
    let candidates = found.sources.iter().enumerate().filter(|(_, s)| is_it(s));
    let Some((galaxy, _)) = candidates.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b))) else {
        return;
    };
    let Some(neighbour) = neighbours(&found.sources, 2.0 * size as f64).swap_remove(galaxy) else { return };
    (row.neighbour_ratio, row.neighbour_distance) = (neighbour.ratio, neighbour.distance * stamp.ratio);
    row.flags.set(Flags::NEIGHBOUR, neighbour.ratio >= FLAGGED);
    row.flags.set(Flags::BLENDED, neighbour.blended);
}
