//! What else is on a stamp.

use super::Object;
use crate::detect::{Settings, Source, detect, neighbours};
use crate::fits::{Flags, Row};

/// A neighbour of at least this part of the galaxy's flux is flagged.
const FLAGGED: f64 = 0.1;
/// A source as near the stamp's centre as this is the galaxy, pixels; a larger one also within its half-light radius.
const NEAR: f64 = 4.0;

/// Finds the most important neighbour on a galaxy's stamp and puts it into its row. Where nothing stands out from the noise
/// at the galaxy's place, every source elsewhere on the stamp is more than it is: that is flagged, without a ratio.
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
        row.flags.set(Flags::NEIGHBOUR, !found.sources.is_empty());
        return;
    };
    let Some(neighbour) = neighbours(&found.sources, 2.0 * size as f64).swap_remove(galaxy) else { return };
    (row.neighbour_ratio, row.neighbour_distance) = (neighbour.ratio, neighbour.distance * stamp.ratio);
    row.flags.set(Flags::NEIGHBOUR, neighbour.ratio >= FLAGGED);
    row.flags.set(Flags::BLENDED, neighbour.blended);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fits::{Image, cut};
    use crate::rng::{Philox, Stream};
    use rand_distr::{Distribution, StandardNormal};

    /// A stamp of 64² pixels with blobs of a flux at places, FITS pixels, and noise of 1; the object is in its middle.
    fn looked_at(blobs: &[(f64, f64, f64)]) -> Row {
        let mut random = Philox::new(3, Stream::Test, 0, 0);
        let mut pixel = |i: usize| {
            let (x, y) = ((i % 64 + 1) as f64, (i / 64 + 1) as f64);
            let light = |&(flux, bx, by): &(f64, f64, f64)| {
                flux / 25.1 * (-((x - bx).powi(2) + (y - by).powi(2)) / 8.0).exp()
            };
            let noise: f64 = StandardNormal.sample(&mut random);
            (blobs.iter().map(light).sum::<f64>() + noise) as f32
        };
        let pixels = (0..64 * 64).map(&mut pixel).collect();
        let image = Image { width: 64, height: 64, pixels, ..Image::default() };
        let stamp = cut(&image, 64, None);
        let mut row = Row { flags: stamp.flags, ..Row::default() };
        let object = Object { index: 0, row: row.clone(), stamp, pixel_scale: f64::NAN, wcs: None };
        look_around(&object, &mut row);
        row
    }

    #[test]
    fn a_neighbour_is_flagged_by_its_flux_over_the_galaxys() {
        let galaxy = (2000.0, 32.5, 32.5);
        assert!(!looked_at(&[galaxy]).flags.contains(Flags::NEIGHBOUR));
        let row = looked_at(&[galaxy, (1000.0, 50.0, 45.0)]);
        assert!(row.flags.contains(Flags::NEIGHBOUR));
        assert!((row.neighbour_ratio - 0.5).abs() < 0.1, "{}", row.neighbour_ratio);
        assert!((row.neighbour_distance - 21.5).abs() < 0.5, "{}", row.neighbour_distance);
    }

    #[test]
    fn where_nothing_stands_at_its_place_what_stands_elsewhere_is_flagged() {
        let row = looked_at(&[(1000.0, 50.0, 45.0)]);
        assert!(row.flags.contains(Flags::NEIGHBOUR) && row.neighbour_ratio.is_nan());
        assert!(!looked_at(&[]).flags.contains(Flags::NEIGHBOUR));
    }
}
