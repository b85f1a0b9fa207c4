//! Detections that a neighbour's wings explain: they would lie below the threshold without its light.

use super::isophote::Isophote;
use super::neighbours::Places;
use std::f64::consts::PI;

/// How far wings are followed, in semi-major axes of both sources together.
const ZONE: f64 = 10.0;

/// A source's light modelled outwards as I(r) = I₀ (1 + αr²)^−β: I₀ is the peak of a Gaussian of its moments and smoothed
/// light, and I falls to the threshold on the ellipse that has its area.
struct Wing<'a> {
    source: &'a Isophote,
    beta: f64,
    peak: f64,
    alpha: f64,
}

impl<'a> Wing<'a> {
    fn new(source: &'a Isophote, beta: f64) -> Self {
        let (a, b, _) = source.axes();
        let peak = source.smooth_flux / source.gaussian_area();
        let square = source.area as f64 / (PI * a * b);
        let alpha = ((peak / source.threshold).powf(1.0 / beta) - 1.0) / square;
        Wing { source, beta, peak, alpha }
    }

    /// The model's light at another source's centre.
    fn at(&self, other: &Isophote) -> f64 {
        let square = self.source.ellipse().square(other.x - self.source.x, other.y - self.source.y);
        let growth = 1.0 + self.alpha * square;
        // A source whose peak lies below its threshold has no wings.
        if growth > 1.0 { self.peak * growth.powf(-self.beta) } else { 0.0 }
    }
}

/// Which sources survive: each, from the brightest (in smoothed light) to the faintest, removes the fainter ones at whose
/// place its wing exceeds what they have to spare above their threshold. Removed ones remove no others.
pub(super) fn survivors(sources: &[Isophote], beta: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..sources.len()).collect();
    let key = |i: usize| (&sources[i].smooth_flux, &sources[i].y, &sources[i].x);
    order.sort_by(|&i, &j| {
        let (a, b) = (key(i), key(j));
        b.0.total_cmp(a.0).then(a.1.total_cmp(b.1)).then(a.2.total_cmp(b.2))
    });
    let mut rank = vec![0; sources.len()];
    order.iter().enumerate().for_each(|(place, &i)| rank[i] = place);
    let classes = Classes::new(sources);
    let mut survives = vec![true; sources.len()];
    for &i in &order {
        if !survives[i] {
            continue;
        }
        let wing = Wing::new(&sources[i], beta);
        for j in classes.near(&sources[i]) {
            if rank[j] > rank[i] && survives[j] && wing.at(&sources[j]) > sources[j].excess {
                survives[j] = false;
            }
        }
    }
    survives
}

/// Sources by their size, each class twice as large as the one before and with a grid of its own.
struct Classes {
    semi_major: Vec<f64>,
    classes: Vec<(f64, Vec<usize>, Places)>,
}

impl Classes {
    fn new(sources: &[Isophote]) -> Self {
        let semi_major: Vec<f64> = sources.iter().map(|s| s.axes().0).collect();
        let class = |a: f64| a.max(1.0).log2().floor() as i32;
        let mut present: Vec<i32> = semi_major.iter().map(|&a| class(a)).collect();
        present.sort_unstable();
        present.dedup();
        let with_grid = |k: i32| {
            let members: Vec<usize> = (0..sources.len()).filter(|&i| class(semi_major[i]) == k).collect();
            let upper = 2f64.powi(k + 1);
            let points = members.iter().map(|&i| (sources[i].x, sources[i].y));
            let places = Places::new(points, ZONE * upper);
            (upper, members, places)
        };
        let classes = present.into_iter().map(with_grid).collect();
        Classes { semi_major, classes }
    }

    /// Sources within the zone of one, itself among them.
    fn near(&self, source: &Isophote) -> impl Iterator<Item = usize> {
        let (a, (x, y)) = (source.axes().0, (source.x, source.y));
        self.classes.iter().flat_map(move |(upper, members, places)| {
            let reach = ZONE * (a + upper);
            let near = places.near(x, y, reach).map(|(i, distance)| (members[i], distance));
            near.filter(move |&(i, distance)| distance <= ZONE * (a + self.semi_major[i])).map(|(i, _)| i)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(x: f64, sigma: f64, light: f64, excess: f64) -> Isophote {
        let area = (PI * 9.0 * sigma * sigma) as usize;
        Isophote {
            x,
            y: 50.0,
            xx: sigma * sigma,
            yy: sigma * sigma,
            xy: 0.0,
            flux: light,
            variance: 1.0,
            smooth_flux: light,
            peak: light / (2.0 * PI * sigma * sigma),
            smooth_peak: light / (2.0 * PI * sigma * sigma),
            area,
            threshold: 1.0,
            excess,
        }
    }

    #[test]
    fn only_what_a_wing_explains_is_removed() {
        let bright = round(50.0, 4.0, 1e5, 900.0);
        // On the isophote, at 3 σ, the wing has the threshold's height: 1. Twice as far it has less.
        let wing = Wing::new(&bright, 1.0);
        assert!((wing.at(&round(62.0, 1.0, 9.0, 0.0)) - 1.0).abs() < 0.02);
        let survive = |other: Isophote| survivors(&[other, bright.clone()], 1.0) == [true, true];
        assert!(!survive(round(62.0, 1.0, 9.0, 0.9)));
        assert!(survive(round(62.0, 1.0, 9.0, 1.1)));
        assert!(survive(round(74.0, 1.0, 9.0, 0.9)));
        assert!(!survive(round(74.0, 1.0, 9.0, 0.1)));
        // Beyond ten semi-major axes of both together.
        assert!(survive(round(101.0, 1.0, 9.0, 0.0)));
    }

    #[test]
    fn the_removed_remove_nobody_and_order_does_not_matter() {
        let sources = [round(50.0, 4.0, 1e5, 900.0), round(62.0, 2.0, 90.0, 0.5), round(66.0, 1.0, 8.0, 0.6)];
        assert_eq!(survivors(&sources, 1.0), [true, false, true]);
        let turned: Vec<Isophote> = sources.iter().rev().cloned().collect();
        assert_eq!(survivors(&turned, 1.0), [true, false, true]);
        // It would have been: only that it is removed itself saves the third.
        assert!(Wing::new(&sources[1], 1.0).at(&sources[2]) > sources[2].excess);
    }
}
