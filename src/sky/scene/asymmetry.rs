//! The parts of one galaxy: the main component, a copy beside it, a second component.

use crate::Result;
use crate::sky::draws::{Draws, Purpose};
use crate::sky::render::{Light, Source};
use crate::sky::sersic::{Sersic, flux_of};
use crate::sky::survey::Asymmetry;
use crate::sky::truth::Truth;
use rand::RngExt;
use std::f64::consts::TAU;

/// What is beside the main component; nothing, by default.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    copy: Option<Copied>,
    second: Option<Second>,
}

#[derive(Clone, Copy)]
struct Copied {
    /// Of the galaxy's light.
    fraction: f64,
    /// From the main component, in half-light radii along the major and along the minor axis.
    offset: (f64, f64),
}

#[derive(Clone, Copy)]
struct Second {
    /// Of the galaxy's light.
    fraction: f64,
    radius_ratio: f64,
    n: f64,
}

impl Shape {
    pub(super) fn draw(law: &Asymmetry, draws: Draws) -> Self {
        let mut numbers = draws.of(Purpose::Asymmetry);
        // All are drawn, needed or not, so that one part is the same with and without the other.
        let [fraction, displacement, angle, other, radius_ratio, n] =
            std::array::from_fn(|_| numbers.random::<f64>());
        let copy = law.lopsided.map(|law| {
            let (sin, cos) = (TAU * angle).sin_cos();
            let distance = law.displacement.at(displacement);
            Copied { fraction: law.fraction.at(fraction), offset: (distance * cos, distance * sin) }
        });
        let second = law.second.map(|law| Second {
            fraction: law.fraction.at(other),
            radius_ratio: law.radius_ratio.at(radius_ratio),
            n: law.sersic_index.at(n),
        });
        Shape { copy, second }
    }

    /// The part of the light in the copy.
    pub(super) fn lopsided(&self) -> f64 {
        self.copy.map_or(0.0, |copy| copy.fraction)
    }

    /// The part of the light in the second component.
    pub(super) fn second(&self) -> f64 {
        self.second.map_or(0.0, |second| second.fraction)
    }

    /// The components of the galaxy whose main one `truth` describes, of its total magnitude together.
    pub(super) fn sources(&self, truth: &Truth, zero_point: f64) -> Result<Vec<Source>> {
        let Truth { mag, re_maj, n, q, pa, x, y, .. } = *truth;
        let flux = flux_of(mag, zero_point);
        let part = |fraction: f64, re_maj, n, x, y| {
            let galaxy = Sersic::new(fraction * flux, re_maj, n, q, pa)?;
            Ok(Source { light: Light::Galaxy(galaxy), x, y })
        };
        let main = 1.0 - self.lopsided() - self.second();
        let mut sources = vec![part(main, re_maj, n, x, y)?];
        if let Some(Copied { fraction, offset: (major, minor) }) = self.copy.filter(|c| c.fraction > 0.0) {
            let (sin, cos) = pa.to_radians().sin_cos();
            let (major, minor) = (major * re_maj, minor * re_maj * q);
            sources.push(part(
                fraction,
                re_maj,
                n,
                x + minor * cos - major * sin,
                y + minor * sin + major * cos,
            )?);
        }
        if let Some(second) = self.second.filter(|s| s.fraction > 0.0) {
            sources.push(part(second.fraction, re_maj * second.radius_ratio, second.n, x, y)?);
        }
        Ok(sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::survey::{Lopsided, Range, SecondComponent};

    const LAW: Asymmetry = Asymmetry {
        lopsided: Some(Lopsided {
            fraction: Range { min: 0.05, max: 0.2, distribution: crate::sky::Distribution::Uniform },
            displacement: Range { min: 0.1, max: 0.5, distribution: crate::sky::Distribution::Uniform },
        }),
        second: Some(SecondComponent {
            fraction: Range { min: 0.1, max: 0.3, distribution: crate::sky::Distribution::LogUniform },
            radius_ratio: Range { min: 0.2, max: 0.5, distribution: crate::sky::Distribution::Uniform },
            sersic_index: Range { min: 2.0, max: 4.0, distribution: crate::sky::Distribution::Uniform },
        }),
    };

    fn galaxy() -> Truth {
        Truth { mag: 20.0, re_maj: 8.0, n: 1.3, q: 0.4, pa: 35.0, x: 60.2, y: 66.7, ..Truth::default() }
    }

    fn light(source: &Source) -> Sersic {
        match source.light {
            Light::Galaxy(galaxy) => galaxy,
            Light::Star(_) => panic!("a star"),
        }
    }

    #[test]
    fn the_parts_have_the_galaxys_light_together() {
        let truth = galaxy();
        for index in 0..50 {
            let shape = Shape::draw(&LAW, Draws { seed: 1, index });
            let sources = shape.sources(&truth, 25.9).unwrap();
            let total = flux_of(20.0, 25.9);
            let flux: f64 = sources.iter().map(|s| light(s).flux).sum();
            assert!((flux / total - 1.0).abs() < 1e-12);
            let [main, copy, second] = &sources[..] else { panic!("{} parts", sources.len()) };
            assert!((light(copy).flux / total - shape.lopsided()).abs() < 1e-12);
            assert!((light(second).flux / total - shape.second()).abs() < 1e-12);
            assert!((0.05..0.2).contains(&shape.lopsided()) && (0.1..0.3).contains(&shape.second()));
            assert_eq!((main.x, main.y, second.x, second.y), (60.2, 66.7, 60.2, 66.7));
            let (a, b) = (light(main), light(copy));
            assert_eq!((a.re_maj, a.n, a.q, a.pa), (8.0, 1.3, 0.4, 35.0));
            assert_eq!((b.re_maj, b.n, b.q, b.pa), (8.0, 1.3, 0.4, 35.0));
            let ratio = light(second).re_maj / 8.0;
            assert!((0.2..0.5).contains(&ratio) && (2.0..4.0).contains(&light(second).n));
            // The displacement in half-light radii of its direction is the elliptical radius over R_e.
            let (dx, dy) = (copy.x - 60.2, copy.y - 66.7);
            let [xx, xy, yy] = a.quadratic_form();
            let displacement = (xx * dx * dx + 2.0 * xy * dx * dy + yy * dy * dy).sqrt() / 8.0;
            assert!((0.1..0.5).contains(&displacement), "{displacement}");
        }
    }

    #[test]
    fn each_part_is_the_same_without_the_other() {
        let draws = Draws { seed: 2, index: 3 };
        let both = Shape::draw(&LAW, draws);
        let lopsided = Shape::draw(&Asymmetry { second: None, ..LAW }, draws);
        let second = Shape::draw(&Asymmetry { lopsided: None, ..LAW }, draws);
        assert_eq!((lopsided.lopsided(), lopsided.second()), (both.lopsided(), 0.0));
        assert_eq!((second.lopsided(), second.second()), (0.0, both.second()));
        let truth = galaxy();
        assert_eq!(lopsided.sources(&truth, 25.9).unwrap()[1], both.sources(&truth, 25.9).unwrap()[1]);
        assert_eq!(second.sources(&truth, 25.9).unwrap()[1], both.sources(&truth, 25.9).unwrap()[2]);
        assert_eq!(Shape::default().sources(&truth, 25.9).unwrap().len(), 1);
    }
}
