//! Which of the sources beyond a stamp's edges can be seen on it.

use super::render::{Light, Renderer, Source};
use super::scene::distance_from_stamp;
use super::survey::Survey;

/// A neighbour is drawn where its brightest pixel on the stamp has at least this part of the sky's noise: the light of
/// a hundred pixels of less is below a fifth of their noise.
const PART_OF_NOISE: f64 = 0.02;

/// How bright sources beyond a stamp are on it, for one PSF.
pub(super) struct Visibility {
    size: f64,
    /// The least flux of a pixel that counts, e/s.
    least: f64,
    /// The light of a point of flux 1 in a pixel so many pixels away, the brightest of those.
    wings: Vec<f64>,
}

impl Visibility {
    pub(super) fn new(renderer: &Renderer, survey: &Survey) -> Self {
        let (size, sigma) = (survey.stamp_size as f64, survey.noise.sigma());
        let mut wings = Vec::new();
        if survey.companions.is_some_and(|companions| companions.reach > 0.0) {
            // A corner is the farthest from its opposite.
            let point = Source { light: Light::Star(1.0), x: 1.0, y: 1.0 };
            wings = vec![0.0f64; survey.stamp_size];
            for (i, value) in renderer.scene(&[point]).into_iter().enumerate() {
                let distance = ((i % survey.stamp_size) as f64).hypot((i / survey.stamp_size) as f64);
                if let Some(brightest) = wings.get_mut(distance as usize) {
                    *brightest = brightest.max(value);
                }
            }
        }
        Visibility { size, least: PART_OF_NOISE * sigma, wings }
    }

    /// Whether a source outside the stamp is seen on it.
    pub(super) fn reaches(&self, source: &Source) -> bool {
        let distance = distance_from_stamp(source.x, source.y, self.size);
        let wing = self.wings.get(distance as usize).copied().unwrap_or(0.0);
        let brightest = match source.light {
            // Along its major axis, wherever that points.
            Light::Galaxy(galaxy) => galaxy.intensity(distance) + galaxy.flux * wing,
            Light::Star(flux) => flux * wing,
        };
        brightest >= self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::{Psf, Sersic, Simulator};

    #[test]
    fn what_is_left_out_is_not_seen_and_most_of_the_rest_is() {
        let survey = Survey::builtin("candels-f160w-crowded").unwrap();
        let psf = Psf::moffat(0.17, 1.85).unwrap();
        let renderer = Renderer::new(survey.stamp_size, survey.pixel_scale, &psf).unwrap();
        let visibility = Visibility::new(&renderer, &survey);
        let least = PART_OF_NOISE * survey.noise.sigma();
        let brightest = |source: Source| renderer.scene(&[source]).into_iter().fold(0.0, f64::max);
        let (mut seen, mut superfluous) = (0, 0);
        for (i, distance) in [3.0, 11.3, 20.9, 31.0].into_iter().enumerate() {
            for flux in [0.1, 1.0, 10.0, 100.0] {
                for light in [
                    Light::Star(flux),
                    Light::Galaxy(Sersic::new(flux, 2.0, 1.0, 0.5, 20.0 * i as f64).unwrap()),
                    Light::Galaxy(Sersic::new(flux, 9.0, 4.0, 0.3, 90.0).unwrap()),
                ] {
                    let source = Source { light, x: 0.5 - distance, y: 40.0 + 9.7 * i as f64 };
                    let found = brightest(source);
                    if visibility.reaches(&source) {
                        seen += 1;
                        superfluous += usize::from(found < 0.2 * least);
                    } else {
                        assert!(found < 1.5 * least, "{source:?}: {found} against {least}");
                    }
                }
            }
        }
        assert!((10..48).contains(&seen) && superfluous < seen / 4, "{superfluous} of {seen}");
    }

    #[test]
    fn the_light_of_neighbours_reaches_in() {
        // The edges of crowded stamps, far from the galaxy, are brighter with neighbours than without.
        let mut survey = Survey::builtin("candels-f160w-crowded").unwrap();
        let with = Simulator::new(survey.clone(), 4).unwrap().without_noise();
        survey.companions.as_mut().unwrap().reach = 0.0;
        let without = Simulator::new(survey, 4).unwrap().without_noise();
        let mut brighter = 0;
        for index in 0..30 {
            let ((a, truth), (b, same)) = (with.stamp(index).unwrap(), without.stamp(index).unwrap());
            assert_eq!(truth, same);
            let added = a.iter().zip(&b).map(|(a, b)| f64::from(a - b));
            // What the renderer owes to the brightest pixel is nobody's light.
            let peak = b.iter().fold(0.0f32, |peak, p| peak.max(*p));
            assert!(added.clone().all(|light| light > -1e-4 * f64::from(peak)));
            brighter += usize::from(added.fold(0.0, f64::max) > 0.0032);
        }
        assert!(brighter > 15, "{brighter}");
    }
}
