//! Where a fit starts: what detection says of the object in the middle of an image, as SExtractor's catalogues tell
//! GALAPAGOS and the paper.

use crate::Result;
use crate::detect::{Settings, Source, Window, detect};

/// First values of a fit. Positions in FITS pixels of the stamp, the position angle in degrees from +y
/// counter-clockwise.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Initial {
    /// Centre, FITS pixels.
    pub x: f64,
    /// Centre, FITS pixels.
    pub y: f64,
    /// Total magnitude.
    pub mag: f64,
    /// Half-light radius along the major axis, pixels.
    pub re_maj: f64,
    /// Sérsic index.
    pub n: f64,
    /// Axis ratio b/a.
    pub q: f64,
    /// Position angle, degrees.
    pub pa: f64,
}

/// The index that fits start from, which no detection tells: that of GALAPAGOS (Barden et al. 2012).
const INDEX: f64 = 2.5;
/// What starts within the limits of the fit, with room to move.
const RADII: (f64, f64) = (0.5, 100.0);
const AXIS_RATIOS: (f64, f64) = (0.05, 0.98);
/// The object is the brightest of the source that the given place lies in and those as near to it as this, pixels.
const SEARCH: f64 = 6.0;
/// Half-light radius of a Gaussian over its standard deviation.
const GAUSSIAN: f64 = 1.177_410_022_515_474_7;
/// Where none is found: the radius, pixels, and the axis ratio of a fit that must start from something.
const UNSEEN: (f64, f64) = (3.0, 0.7);

/// An image and its sky.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'a> {
    /// Row-major, y up; pixels that are not finite do not count.
    pub pixels: &'a [f32],
    /// Columns.
    pub width: usize,
    /// Level of the sky.
    pub level: f64,
    /// Standard deviation of a pixel.
    pub sigma: f64,
}

impl Initial {
    /// From the source that is detected at `centre` (FITS pixels), among others that touch it: its Kron magnitude,
    /// half-light radius (that of the circle over √q), axis ratio, position angle and place. The PSF is not taken out:
    /// these are first values. Where there is none, five σ of light at `centre`.
    ///
    /// # Errors
    /// As [`detect`].
    pub fn detected(patch: &Patch, centre: (f64, f64), zero_point: f64) -> Result<Self> {
        let source = patch.object(centre)?.filter(|s| s.flux > 0.0 && s.flux.is_finite());
        let Some(source) = source else {
            let flux = (5.0 * patch.sigma * UNSEEN.0).max(f64::MIN_POSITIVE);
            let mag = zero_point - 2.5 * flux.log10();
            let mag = if mag.is_finite() { mag } else { zero_point };
            let (re_maj, q) = UNSEEN;
            return Ok(Initial { x: centre.0, y: centre.1, mag, re_maj, n: INDEX, q, pa: 0.0 });
        };
        let q = source.axis_ratio().clamp(AXIS_RATIOS.0, AXIS_RATIOS.1);
        // Bad pixels that nothing marks may spoil the wide ellipse, but not the light above the threshold in it.
        let (flux, radius) = if source.flux_auto >= source.flux && source.half_light_radius.is_finite() {
            (source.flux_auto, source.half_light_radius / q.sqrt())
        } else {
            (source.flux, GAUSSIAN * source.a)
        };
        let mag = zero_point - 2.5 * flux.log10();
        let (re_maj, pa) = (radius.clamp(RADII.0, RADII.1), super::component::upright(source.pa));
        Ok(Initial { x: source.x_windowed, y: source.y_windowed, mag, re_maj, n: INDEX, q, pa })
    }
}

impl Patch<'_> {
    /// The source at a place, FITS pixels.
    fn object(&self, (x, y): (f64, f64)) -> Result<Option<Source>> {
        if !(self.sigma > 0.0 && self.sigma.is_finite()) {
            return Ok(None);
        }
        let light: Vec<f32> = self.pixels.iter().map(|p| p - self.level as f32).collect();
        let noise = vec![self.sigma as f32; light.len()];
        // The sky is known, and a galaxy may be as large as the image.
        let settings = Settings { subtract: false, ..Settings::default() };
        let found = detect(&light, self.width, Some(&noise), None, &settings)?;
        let inside = |v: f64, size: usize| (v.round().max(1.0) as usize).min(size) - 1;
        let pixel = Window { x: inside(x, found.width), y: inside(y, found.height), width: 1, height: 1 };
        let owner = found.segmentation(pixel).first().map_or(0, |&number| number as usize);
        let near = |(i, s): &(usize, Source)| i + 1 == owner || (s.x - x).hypot(s.y - y) <= SEARCH;
        let near = found.sources.into_iter().enumerate().filter(near).map(|(_, source)| source);
        Ok(near.max_by(|a, b| a.flux_auto.total_cmp(&b.flux_auto)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Philox, Stream};
    use crate::sky::{Psf, Renderer, Sersic, Simulator, Survey};
    use rand_distr::{Distribution, Normal};

    /// Stamps of `sources` (magnitude, radius, index, axis ratio, position angle, place), with noise of σ 0.003.
    fn stamp(sources: &[(f64, f64, f64, f64, f64, f64, f64)]) -> Vec<f32> {
        let renderer = Renderer::new(96, 0.06, &Psf::gaussian(0.15).unwrap()).unwrap();
        let mut sum = vec![0.0; 96 * 96];
        for &(mag, re, n, q, pa, x, y) in sources {
            let galaxy = Sersic::from_magnitude(mag, 25.9463, re, n, q, pa).unwrap();
            sum.iter_mut().zip(renderer.render(&galaxy, x, y)).for_each(|(s, p)| *s += p);
        }
        let (normal, mut numbers) = (Normal::new(0.0, 0.003).unwrap(), Philox::new(1, Stream::Test, 0, 0));
        sum.iter().map(|s| (s + normal.sample(&mut numbers)) as f32).collect()
    }

    fn start(pixels: &[f32]) -> Initial {
        let patch = Patch { pixels, width: 96, level: 0.0, sigma: 0.003 };
        Initial::detected(&patch, (48.5, 48.5), 25.9463).unwrap()
    }

    #[test]
    fn detection_tells_what_a_galaxy_is_like() {
        for (mag, re, q, pa) in [(19.0, 9.0, 0.4, 30.0), (20.0, 7.0, 0.6, -70.0), (18.0, 11.0, 0.3, 88.0)] {
            let found = start(&stamp(&[(mag, re, 1.0, q, pa, 49.3, 47.1)]));
            assert!((found.x - 49.3).abs() < 0.1 && (found.y - 47.1).abs() < 0.1, "{found:?}");
            assert!((found.mag - mag).abs() < 0.1, "{found:?}");
            assert!((found.re_maj / re - 1.0).abs() < 0.2, "{found:?}");
            assert!((found.q - q).abs() < 0.06, "{found:?}");
            assert!(((found.pa - pa + 90.0).rem_euclid(180.0) - 90.0).abs() < 2.0, "{found:?}");
            assert_eq!(found.n, 2.5);
        }
    }

    #[test]
    fn a_neighbour_apart_does_not_count() {
        let (own, other) = ((20.0, 5.0, 1.0, 0.7, 10.0, 48.0, 49.0), (18.5, 4.0, 1.0, 0.8, 0.0, 85.0, 14.0));
        let (alone, crowded) = (start(&stamp(&[own])), start(&stamp(&[own, other])));
        assert!((alone.mag - crowded.mag).abs() < 0.05, "{alone:?} {crowded:?}");
        assert!((alone.re_maj - crowded.re_maj).abs() < 0.3, "{alone:?} {crowded:?}");
    }

    #[test]
    fn whatever_is_on_the_image_a_fit_can_start() {
        let nothing = vec![0.0f32; 96 * 96];
        let negative: Vec<f32> = (0..96 * 96).map(|_| -1.0).collect();
        let holes: Vec<f32> = vec![f32::NAN; 96 * 96];
        let mut spike = nothing.clone();
        spike[48 * 96 + 48] = 1.0;
        for pixels in [nothing, negative, holes, spike] {
            let Initial { x, y, mag, re_maj, q, pa, .. } = start(&pixels);
            assert!([x, y, mag, pa].iter().all(|v| v.is_finite()));
            assert!((0.5..=100.0).contains(&re_maj) && (0.05..=0.98).contains(&q));
        }
    }

    #[test]
    fn simulated_galaxies_start_near_their_truth() {
        let simulator = Simulator::new(Survey::builtin("candels-f160w").unwrap(), 11).unwrap();
        let off: Vec<f64> = (0..24)
            .map(|i| {
                let (pixels, truth) = simulator.stamp(i).unwrap();
                let patch = Patch { pixels: &pixels, width: 128, level: 0.0, sigma: 0.0032 };
                let found = Initial::detected(&patch, (64.5, 64.5), 25.9463).unwrap();
                assert!((found.mag - truth.mag).abs() < 1.0, "{found:?} {truth:?}");
                (found.mag - truth.mag).abs()
            })
            .collect();
        // Galaxies of a high index lose most beyond where they stand out.
        assert!(off.iter().sum::<f64>() / 24.0 < 0.3, "{off:?}");
    }
}
