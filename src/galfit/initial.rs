//! Where a fit starts: what the moments of an image say of the object in its middle, in place of SExtractor's.

use crate::fits::background;

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

/// The index that fits start from, which no moment tells: that of GALAPAGOS (Barden et al. 2012).
const INDEX: f64 = 2.5;
/// What starts within the limits of the fit, with room to move.
const RADII: (f64, f64) = (0.5, 100.0);
const AXIS_RATIOS: (f64, f64) = (0.05, 0.98);
/// The shape is that of the brightest pixels with this part of the light: the rest is as round as the PSF's halo.
const SHAPE: f64 = 0.8;
/// The object's brightest pixel is looked for as near the given place, pixels.
const SEARCH: f64 = 6.0;
/// The object ends where the means over 3×3 pixels fall below this many times their noise,
const THRESHOLD: f64 = 2.5;
/// and where they rise by more than this factor and their noise, which is into a neighbour.
const RISE: f64 = 1.1;
/// Of an object that does not stand out, what lies within this many pixels counts.
const FAINT: f64 = 4.0;

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
    /// From the moments of the object nearest to `centre` (FITS pixels): the pixels around its peak whose means over 3×3 stand
    /// out, and do not rise again into a neighbour, give the flux, the brightest of them with 80% of it centre, axis ratio and
    /// position angle; the ellipse of that shape with half of the flux gives the half-light radius. The PSF is not taken out: these
    /// are first values.
    pub fn from_moments(patch: &Patch, centre: (f64, f64), zero_point: f64) -> Self {
        let own = patch.object(centre);
        let flux: f64 = own.iter().map(|p| p.2).sum();
        if !(flux > 0.0 && flux.is_finite()) {
            // Something must be there to begin with: five σ of the light within the circle.
            let flux = (5.0 * patch.sigma * FAINT).max(f64::MIN_POSITIVE);
            let mag = zero_point - 2.5 * flux.log10();
            let mag = if mag.is_finite() { mag } else { zero_point };
            return Initial { x: centre.0, y: centre.1, mag, re_maj: 3.0, n: INDEX, q: 0.7, pa: 0.0 };
        }
        let core = brightest(&own, SHAPE * flux);
        let light: f64 = core.iter().map(|p| p.2).sum();
        let mean =
            |of: &dyn Fn(f64, f64) -> f64| core.iter().map(|&(x, y, f)| f * of(x, y)).sum::<f64>() / light;
        let (x, y) = (mean(&|x, _| x), mean(&|_, y| y));
        let xx = mean(&|px, _| (px - x).powi(2));
        let yy = mean(&|_, py| (py - y).powi(2));
        let xy = mean(&|px, py| (px - x) * (py - y));
        let (middle, spread) = (0.5 * (xx + yy), (0.5 * (xx - yy)).hypot(xy));
        let q = ((middle - spread).max(0.0) / (middle + spread).max(f64::MIN_POSITIVE)).sqrt();
        let q = q.clamp(AXIS_RATIOS.0, AXIS_RATIOS.1);
        // From +x to the major axis, less a quarter turn.
        let pa = 0.5 * (2.0 * xy).atan2(xx - yy).to_degrees() - 90.0;
        let (sin, cos) = (pa + 90.0).to_radians().sin_cos();
        let along = |px: f64, py: f64| {
            let (dx, dy) = (px - x, py - y);
            (dx * cos + dy * sin).hypot((dy * cos - dx * sin) / q)
        };
        let mut rings: Vec<(f64, f64)> = own.iter().map(|p| (along(p.0, p.1), p.2)).collect();
        rings.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut within = 0.0;
        let half = rings.iter().find(|(_, light)| {
            within += light;
            within >= 0.5 * flux
        });
        let re_maj = half.map_or(RADII.0, |ring| ring.0).clamp(RADII.0, RADII.1);
        let mag = zero_point - 2.5 * flux.log10();
        Initial { x, y, mag, re_maj, n: INDEX, q, pa: super::component::upright(pa) }
    }
}

/// The brightest pixels, as many as hold `flux`.
fn brightest(pixels: &[(f64, f64, f64)], flux: f64) -> Vec<(f64, f64, f64)> {
    let mut sorted = pixels.to_vec();
    sorted.sort_unstable_by(|a, b| b.2.total_cmp(&a.2));
    let mut held = 0.0;
    let needed = |p: &(f64, f64, f64)| {
        let before = held;
        held += p.2;
        before < flux
    };
    sorted.into_iter().take_while(needed).collect()
}

impl Patch<'_> {
    fn height(&self) -> usize {
        self.pixels.len() / self.width.max(1)
    }

    /// The pixels of the object near a place: FITS pixel and light above the sky, where that is more than none.
    fn object(&self, (x, y): (f64, f64)) -> Vec<(f64, f64, f64)> {
        let (width, height) = (self.width, self.height());
        let place = |i: usize| ((i % width) as f64 + 1.0, (i / width) as f64 + 1.0);
        let distance = |i: usize| (place(i).0 - x).hypot(place(i).1 - y);
        let smooth: Vec<f64> = (0..width * height).map(|i| self.mean_around(i)).collect();
        let near = (0..smooth.len()).filter(|&i| distance(i) <= SEARCH && smooth[i].is_finite());
        let peak = near.max_by(|&a, &b| smooth[a].total_cmp(&smooth[b]));
        // The means' own noise, which neighbouring pixels share in mosaics; what shines at the border does not count.
        let border = background(&smooth.iter().map(|&p| p as f32).collect::<Vec<_>>(), width).sigma;
        let noise = if border < self.sigma { border } else { self.sigma };
        let stands_out = |i: usize| smooth[i] > THRESHOLD * noise;
        let down = |from: usize, to: usize| smooth[to] < RISE * smooth[from] + noise;
        let own: Vec<usize> = match peak {
            Some(peak) if stands_out(peak) => self.connected(peak, |i, j| stands_out(j) && down(i, j)),
            _ => (0..smooth.len()).filter(|&i| distance(i) <= FAINT).collect(),
        };
        let light = |i: usize| f64::from(self.pixels[i]) - self.level;
        own.into_iter().map(|i| (place(i).0, place(i).1, light(i))).filter(|p| p.2 > 0.0).collect()
    }

    /// The mean above the sky of the good ones of 3×3 pixels; NaN of none.
    fn mean_around(&self, i: usize) -> f64 {
        let (x, y) = (i % self.width, i / self.width);
        let (mut sum, mut count) = (0.0, 0u32);
        for row in y.saturating_sub(1)..(y + 2).min(self.height()) {
            for column in x.saturating_sub(1)..(x + 2).min(self.width) {
                let value = f64::from(self.pixels[row * self.width + column]);
                if value.is_finite() {
                    sum += value - self.level;
                    count += 1;
                }
            }
        }
        sum / f64::from(count)
    }

    /// The pixels that are reached from one over edges that lead from one that belongs to the next.
    fn connected(&self, from: usize, leads: impl Fn(usize, usize) -> bool) -> Vec<usize> {
        let (width, all) = (self.width, self.width * self.height());
        let mut seen = vec![false; all];
        let (mut found, mut next) = (Vec::new(), vec![from]);
        seen[from] = true;
        while let Some(i) = next.pop() {
            found.push(i);
            let beside = [
                (i % width > 0).then(|| i - 1),
                (i % width + 1 < width).then_some(i + 1),
                i.checked_sub(width),
                Some(i + width).filter(|&below| below < all),
            ];
            for j in beside.into_iter().flatten() {
                if !seen[j] && leads(i, j) {
                    seen[j] = true;
                    next.push(j);
                }
            }
        }
        found
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
        Initial::from_moments(&patch, (48.5, 48.5), 25.9463)
    }

    #[test]
    fn moments_tell_what_a_galaxy_is_like() {
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
                let found = Initial::from_moments(&patch, (64.5, 64.5), 25.9463);
                assert!((found.mag - truth.mag).abs() < 1.0, "{found:?} {truth:?}");
                (found.mag - truth.mag).abs()
            })
            .collect();
        // Galaxies of a high index lose most beyond where they stand out.
        assert!(off.iter().sum::<f64>() / 24.0 < 0.3, "{off:?}");
    }
}
