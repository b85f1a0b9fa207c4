//! What is around a galaxy and where.

use super::count::{count, dispersion, given};
use crate::Result;
use crate::rng::Philox;
use crate::sky::draws::{Draws, Purpose};
use crate::sky::render::{Light, Source};
use crate::sky::sersic::Sersic;
use crate::sky::survey::{Companions, FluxRatios};
use crate::sky::truth::Truth;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

/// The smallest half-light radius of a companion, pixels: below, it could as well be a star.
const SMALLEST_RADIUS: f64 = 0.1;

/// A galaxy or a star near the one that is measured. `x`, `y` are FITS pixels.
pub(super) struct Companion {
    /// Of the measured galaxy's flux.
    pub(super) flux_ratio: f64,
    pub(super) x: f64,
    pub(super) y: f64,
    shape: Option<CompanionShape>,
}

/// Of a companion that is no star: RE_MAJ in pixels, Sérsic index, axis ratio, position angle.
struct CompanionShape {
    re_maj: f64,
    n: f64,
    q: f64,
    pa: f64,
}

/// Draws what is around galaxies.
pub(in crate::sky) struct Crowd {
    law: Companions,
    size: f64,
    /// k of the negative binomial distribution of their number.
    dispersion: f64,
}

impl Crowd {
    pub(super) fn new(law: Companions, stamp_size: usize) -> Self {
        Crowd { law, size: stamp_size as f64, dispersion: dispersion(law.mean, law.none) }
    }

    /// Companions on the stamp, and neighbours within reach around it.
    pub(super) fn draw(&self, galaxy: &Truth, draws: Draws) -> (Vec<Companion>, Vec<Companion>) {
        let (law, k) = (&self.law, self.dispersion);
        let mut numbers = draws.of(Purpose::Companions);
        let n = count(law.mean, k, numbers.random());
        let far = |x: f64, y: f64| (x - galaxy.x).hypot(y - galaxy.y) >= law.min_distance;
        let companions = (0..n).map(|_| self.companion(galaxy, 0.0, far, &mut numbers)).collect();
        if law.reach == 0.0 {
            return (companions, Vec::new());
        }
        let mut numbers = draws.of(Purpose::Neighbours);
        let side = self.size + 2.0 * law.reach;
        let there = law.mean * ((side / self.size).powi(2) - 1.0);
        let (shape, mean) = given(n, law.mean, k, there);
        let on_stamp = |c: f64| (0.5..=self.size + 0.5).contains(&c);
        let outside = |x: f64, y: f64| !(on_stamp(x) && on_stamp(y));
        let neighbours = (0..count(mean, shape, numbers.random()))
            .map(|_| self.companion(galaxy, law.reach, outside, &mut numbers))
            .collect();
        (companions, neighbours)
    }

    /// One, evenly over a square wider than the stamp by `reach` on every side, where it `may` be.
    fn companion(
        &self,
        galaxy: &Truth,
        reach: f64,
        may: impl Fn(f64, f64) -> bool,
        numbers: &mut Philox,
    ) -> Companion {
        let law = &self.law;
        let mut draw = || numbers.random::<f64>();
        let flux_ratio = law.flux_ratio.at(draw());
        let star = draw() < law.stars;
        let n = law.sersic_index.at(draw());
        let q = law.axis_ratio.at(draw());
        let pa = -90.0 + 180.0 * draw();
        // The stamp's first pixel begins at 0.5.
        let mut place = || 0.5 - reach + (self.size + 2.0 * reach) * draw();
        let (x, y) = std::iter::repeat_with(|| (place(), place()))
            .find(|&(x, y)| may(x, y))
            .unwrap_or((galaxy.x, galaxy.y));
        let deviation: f64 = StandardNormal.sample(numbers);
        let mag = galaxy.mag - 2.5 * flux_ratio.log10();
        let dex = law.radius.slope * (mag - law.radius.magnitude) + law.radius.scatter * deviation;
        let re_maj = (law.radius.median * 10f64.powf(dex)).clamp(SMALLEST_RADIUS, self.size);
        Companion { flux_ratio, x, y, shape: (!star).then_some(CompanionShape { re_maj, n, q, pa }) }
    }
}

impl FluxRatios {
    /// The ratio at `u` in [0, 1), from the largest down.
    pub(super) fn at(&self, u: f64) -> f64 {
        let [few, many] = [self.max, self.min].map(|ratio| ratio.powf(-self.slope));
        (few + u * (many - few)).powf(-1.0 / self.slope).clamp(self.min, self.max)
    }
}

impl Companion {
    /// As a source beside a galaxy of this flux.
    pub(super) fn source(&self, galaxy: f64) -> Result<Source> {
        let flux = self.flux_ratio * galaxy;
        let light = match self.shape {
            None => Light::Star(flux),
            Some(CompanionShape { re_maj, n, q, pa }) => Light::Galaxy(Sersic::new(flux, re_maj, n, q, pa)?),
        };
        Ok(Source { light, x: self.x, y: self.y })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::Survey;
    use crate::sky::scene::{Scenes, Targets};

    /// Stamps that are drawn.
    const SCENES: u64 = 40_000;

    fn crowded() -> Survey {
        Survey::builtin("candels-f160w-crowded").unwrap()
    }

    fn scenes(survey: &Survey) -> impl Iterator<Item = super::super::Scene> {
        let targets = Targets::new(survey, &crate::sky::SurveyParts::default()).unwrap();
        let scenes = Scenes::new(survey, targets);
        (0..SCENES).map(move |index| scenes.draw(survey, Draws { seed: 5, index }))
    }

    /// The expected number above a flux ratio on a stamp, from the survey's own keys.
    fn above(law: &Companions, ratio: f64) -> f64 {
        let FluxRatios { min, max, slope } = law.flux_ratio;
        let power = |x: f64| x.powf(-slope);
        law.mean * (power(ratio) - power(max)) / (power(min) - power(max))
    }

    #[test]
    fn the_law_has_the_statistics_of_real_stamps_in_closed_form() {
        let law = crowded().companions.unwrap();
        let k = dispersion(law.mean, law.none);
        // Companions brighter than a ratio are a random part of all, so their number is negative binomial too, of the
        // same k: none with the probability (1 + m/k)^(−k).
        let none_above = |ratio| (1.0 + above(&law, ratio) / k).powf(-k);
        assert_eq!((law.mean, law.none), (2.5, 0.10));
        assert!((none_above(law.flux_ratio.min) - 0.10).abs() < 1e-9);
        assert!((none_above(0.1) - 0.10 - 0.45).abs() < 1e-5, "{}", none_above(0.1) - 0.10);
        assert!((1.0 - none_above(0.5) - 0.14).abs() < 1e-5, "{}", 1.0 - none_above(0.5));
    }

    #[test]
    fn scenes_have_the_statistics_of_real_stamps() {
        let survey = crowded();
        let truths: Vec<Truth> = scenes(&survey).map(|scene| scene.truth).collect();
        let n = SCENES as f64;
        let fraction = |what: &str, expected: f64, of: &dyn Fn(u32, f64) -> bool| {
            let found =
                truths.iter().filter(|t| of(t.companions.unwrap(), t.companion_ratio.unwrap())).count()
                    as f64
                    / n;
            println!("{what}: {found:.4}, {expected} expected");
            // Four standard errors of a proportion.
            let error = (expected * (1.0 - expected) / n).sqrt();
            assert!((found - expected).abs() < 4.0 * error, "{what}: {found} for {expected} ± {error:.4}");
        };
        fraction("alone", 0.10, &|n, _| n == 0);
        fraction("the brightest below a tenth", 0.45, &|n, ratio| n > 0 && ratio < 0.1);
        fraction("one of at least a half", 0.14, &|_, ratio| ratio >= 0.5);
        let mean = truths.iter().map(|t| f64::from(t.companions.unwrap())).sum::<f64>() / n;
        let error = ((2.5 + 2.5 * 2.5 / 14.2) / n).sqrt();
        println!("mean number: {mean:.4}");
        assert!((mean - 2.5).abs() < 4.0 * error, "{mean} ± {error:.4}");
    }

    #[test]
    fn truth_is_that_of_the_brightest_companion_on_the_stamp() {
        let survey = crowded();
        for scene in scenes(&survey).take(500) {
            let ratios: Vec<f64> = scene.companions.iter().map(|c| c.flux_ratio).collect();
            let brightest = ratios.iter().copied().fold(0.0, f64::max);
            assert_eq!(scene.truth.companion_ratio, Some(brightest));
            assert_eq!(scene.truth.companions, Some(ratios.len() as u32));
            let its = scene.companions.iter().find(|c| c.flux_ratio == brightest);
            let distance = its.map(|c| (c.x - scene.truth.x).hypot(c.y - scene.truth.y));
            assert_eq!(scene.truth.companion_distance, distance);
            assert!(distance.is_none_or(|d| d >= survey.companions.unwrap().min_distance));
        }
    }

    #[test]
    fn companions_are_even_over_the_stamp_and_neighbours_as_dense_around_it() {
        let mut survey = crowded();
        let law = survey.companions.as_mut().unwrap();
        law.min_distance = 0.0;
        let (mean, reach, stars) = (law.mean, law.reach, law.stars);
        let (mut on, mut around, mut stellar, mut quarters) = (0.0, 0.0, 0.0, [0.0; 4]);
        for scene in scenes(&survey) {
            for c in &scene.companions {
                assert!([c.x, c.y].iter().all(|v| (0.5..=128.5).contains(v)));
                quarters[usize::from(c.x > 64.5) + 2 * usize::from(c.y > 64.5)] += 1.0;
                stellar += f64::from(u8::from(c.shape.is_none()));
            }
            on += scene.companions.len() as f64;
            around += scene.neighbours.len() as f64;
            let within = |c: &Companion| {
                let from_edge = |v: f64| (0.5 - v).max(v - 128.5);
                (0.0..=reach).contains(&from_edge(c.x).max(from_edge(c.y)))
            };
            assert!(scene.neighbours.iter().all(within));
        }
        // Four standard errors; those of the two means hold the scatter of fields' richness.
        for quarter in quarters {
            assert!((quarter / on - 0.25).abs() < 4.0 * (0.1875 / on).sqrt(), "{quarters:?}");
        }
        assert!((stellar / on - stars).abs() < 4.0 * (stars * (1.0 - stars) / on).sqrt());
        let area = (192.0f64 / 128.0).powi(2) - 1.0;
        let error = ((area * mean + (area * mean).powi(2) / 14.2) / SCENES as f64).sqrt();
        let found = around / SCENES as f64;
        assert!((found - area * mean).abs() < 4.0 * error, "{found} for {} ± {error}", area * mean);
    }

    #[test]
    fn fainter_companions_are_smaller() {
        let survey = crowded();
        let law = survey.companions.unwrap().radius;
        let (mut deviations, mut number) = (0.0, 0.0);
        for scene in scenes(&survey).take(5000) {
            for (companion, shape) in scene.companions.iter().filter_map(|c| Some((c, c.shape.as_ref()?))) {
                let mag = scene.truth.mag - 2.5 * companion.flux_ratio.log10();
                let median = law.median * 10f64.powf(law.slope * (mag - law.magnitude));
                deviations += (shape.re_maj / median).log10();
                number += 1.0;
            }
        }
        assert!((deviations / number).abs() < 4.0 * law.scatter / f64::sqrt(number));
    }

    #[test]
    fn a_galaxy_is_the_same_with_and_without_company() {
        let crowd = crowded();
        let mut alone = crowded();
        alone.companions = None;
        let mut near = crowded();
        near.companions.as_mut().unwrap().reach = 0.0;
        for ((a, b), c) in scenes(&crowd).zip(scenes(&alone)).zip(scenes(&near)).take(200) {
            assert_eq!((a.truth.mag, a.truth.x, a.truth.pa), (b.truth.mag, b.truth.x, b.truth.pa));
            assert_eq!(b.truth.companions, Some(0));
            assert_eq!(a.truth, c.truth);
            assert!(c.neighbours.is_empty());
        }
    }
}
