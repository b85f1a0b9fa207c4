//! An image in pixels of another size, with its flux conserved.
//!
//! A pixel of the result holds the light of its own area: the surface brightness, averaged by a kernel, times that area.
//! The kernel is Lanczos', L₃(x) = sinc(x) sinc(x / 3) for |x| < 3, of one of the image's pixels where the result's are
//! smaller, of one of the result's where they are larger: there it takes out what they could not sample. It is applied
//! along x and along y, its weights normalised to the result's pixel.

use super::layers::Window;

/// Where Lanczos' kernel ends, pixels of whichever image's are larger.
const LOBES: f64 = 3.0;

/// How many of the image's pixels a kernel reaches to a side, for pixels that are `ratio` times as large.
pub(super) fn reach(ratio: f64) -> i64 {
    (LOBES * ratio.max(1.0)).ceil() as i64 + 1
}

/// The weights that make one pixel along an axis: those of a run of the image's pixels.
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

/// Makes square images of a window's part.
pub(super) struct Resampler {
    width: usize,
    columns: Vec<Taps>,
    rows: Vec<Taps>,
}

impl Resampler {
    /// For `size`² pixels that are `ratio` times as large as the window's along each axis; `first` is where the first
    /// one's centre lies, in FITS pixels of the image that the window is of.
    pub(super) fn new(window: &Window, first: (f64, f64), ratio: f64, size: usize) -> Self {
        let taps = |start: f64, length: usize| {
            (0..size).map(|i| taps(start + i as f64 * ratio, ratio, length)).collect()
        };
        Resampler {
            width: window.width,
            columns: taps(first.0 - window.corner.0 as f64, window.width),
            rows: taps(first.1 - window.corner.1 as f64, window.height),
        }
    }

    /// The flux in the new pixels, of that in the window's.
    pub(super) fn pixels(&self, pixels: &[f32]) -> Vec<f32> {
        let of = |i: usize| f64::from(pixels[i]);
        self.apply(of, |w| w).into_iter().map(|v| v as f32).collect()
    }

    /// The standard deviation of the noise in the new pixels, of that in the window's, if theirs is independent from
    /// pixel to pixel.
    pub(super) fn rms(&self, rms: &[f32]) -> Vec<f32> {
        let of = |i: usize| f64::from(rms[i]).powi(2);
        self.apply(of, |w| w * w).into_iter().map(|v| v.sqrt() as f32).collect()
    }

    /// Which new pixels owe more than a tenth of their weight to any of those.
    pub(super) fn touched(&self, those: &[bool]) -> Vec<bool> {
        let part = self.apply(|i| f64::from(u8::from(those[i])), f64::abs);
        let whole = self.apply(|_| 1.0, f64::abs);
        part.iter().zip(whole).map(|(part, whole)| *part > 0.1 * whole).collect()
    }

    /// Sums `value` over the window's pixels with a function of the weights, along x, then along y.
    fn apply(&self, value: impl Fn(usize) -> f64, of_weight: impl Fn(f64) -> f64) -> Vec<f64> {
        let sum = |taps: &Taps, at: &dyn Fn(usize) -> f64| -> f64 {
            taps.weights.iter().enumerate().map(|(k, w)| of_weight(*w) * at(taps.first + k)).sum()
        };
        let (from, to) = (
            self.rows.iter().map(|t| t.first).min().unwrap_or(0),
            self.rows.iter().map(|t| t.first + t.weights.len()).max().unwrap_or(0),
        );
        let size = self.columns.len();
        let lines: Vec<f64> = (from..to)
            .flat_map(|y| self.columns.iter().map(move |taps| (y, taps)))
            .map(|(y, taps)| sum(taps, &|x| value(y * self.width + x)))
            .collect();
        let place = |y: usize, x: usize| lines[(y - from) * size + x];
        self.rows
            .iter()
            .flat_map(|taps| (0..size).map(move |x| (taps, x)))
            .map(|(taps, x)| sum(taps, &|y| place(y, x)))
            .collect()
    }
}

fn taps(centre: f64, ratio: f64, length: usize) -> Taps {
    let scale = ratio.max(1.0);
    let (from, to) =
        ((centre - LOBES * scale).ceil().max(0.0), (centre + LOBES * scale).floor().min(length as f64 - 1.0));
    let mut weights: Vec<f64> =
        (from as usize..=to.max(0.0) as usize).map(|i| lanczos((i as f64 - centre) / scale)).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w *= ratio / sum);
    Taps { first: from as usize, weights }
}

fn lanczos(x: f64) -> f64 {
    let sinc =
        |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    if x.abs() < LOBES { sinc(x) * sinc(x / LOBES) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::{Cutter, Flags, Header, Image, Stamp};
    use super::*;
    use crate::rng::{Philox, Stream};
    use crate::sky::{Psf, Renderer, Sersic};
    use rand_distr::{Distribution, Normal};

    const SIZE: usize = 128;
    const SCALE: f64 = 0.06;

    /// A galaxy of `re` arcsec drawn in pixels of `scale` arcsec, its centre off a pixel's.
    fn draw(size: usize, scale: f64, re: f64, n: f64, x: f64, y: f64) -> Vec<f64> {
        let psf = Psf::wfc3_f160w();
        let galaxy = Sersic::new(1000.0, re / scale, n, 0.6, 30.0).unwrap();
        Renderer::new(size, scale, &psf).unwrap().render(&galaxy, x, y)
    }

    fn image(size: usize, scale: f64, pixels: &[f64]) -> Image {
        Image {
            path: "drawn.fits".into(),
            hdu: 0,
            plane: None,
            name: "drawn".into(),
            width: size,
            height: size,
            pixels: pixels.iter().map(|p| *p as f32).collect(),
            header: Header { pixel_scale: Some(scale), ..Header::default() },
        }
    }

    /// Flux, centroid and second moment about the stamp's middle.
    fn moments(pixels: &[f64]) -> [f64; 4] {
        let mut sums = [0.0; 4];
        for (i, p) in pixels.iter().enumerate() {
            let (x, y) = ((i % SIZE) as f64 + 1.0, (i / SIZE) as f64 + 1.0);
            let (dx, dy) = (x - 64.5, y - 64.5);
            for (sum, weight) in sums.iter_mut().zip([1.0, dx, dy, dx * dx + dy * dy]) {
                *sum += p * weight;
            }
        }
        let [flux, x, y, square] = sums;
        [flux, x / flux, y / flux, square / flux]
    }

    #[test]
    fn a_galaxy_in_other_pixels_becomes_the_one_drawn_in_ours() {
        for scale in [0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.128] {
            let size = (SIZE as f64 * SCALE / scale).ceil() as usize + 80;
            let (x, y) = (0.5 * size as f64 + 0.3, 0.5 * size as f64 + 0.85);
            for (re, n) in [(0.12, 1.0), (0.4, 4.0)] {
                let there = image(size, scale, &draw(size, scale, re, n, x, y));
                let cutter = Cutter { pixel_scale: Some(SCALE), ..Cutter::new(SIZE) };
                let stamp = cutter.from_image(&there, Some((x, y)), 0);
                assert!(stamp.flags.contains(Flags::RESAMPLED) && !stamp.flags.contains(Flags::PIXEL_SCALE));
                let found: Vec<f64> = stamp.pixels.iter().map(|p| f64::from(*p)).collect();
                let here = draw(SIZE, SCALE, re, n, 64.5, 64.5);
                let (a, b) = (moments(&found), moments(&here));
                let what = format!("{scale}\u{2033}, R_e {re}\u{2033}, n {n}: {a:?} {b:?}");
                assert!((a[0] / b[0] - 1.0).abs() < 1e-3, "{what}");
                assert!((a[1] - b[1]).hypot(a[2] - b[2]) < 0.01, "{what}");
                assert!((a[3] / b[3] - 1.0).abs() < 1e-3, "{what}");
                if scale <= 0.08 {
                    // Beyond, the image does not sample the PSF well enough for anyone to draw it again.
                    let peak = here.iter().copied().fold(0.0, f64::max);
                    let worst = found.iter().zip(&here).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    assert!(worst < 0.01 * peak, "{what}: {worst} of {peak}");
                }
            }
        }
    }

    #[test]
    fn white_noise_becomes_what_the_rms_says() {
        let mut numbers = Philox::new(3, Stream::Test, 0, 0);
        let normal = Normal::new(0.0, 1.0).unwrap();
        let side = 300;
        let pixels: Vec<f32> = (0..side * side).map(|_| normal.sample(&mut numbers)).collect();
        let window = Window {
            corner: (1, 1),
            width: side,
            height: side,
            image: (side, side),
            pixels,
            rms: Some(vec![1.0; side * side]),
        };
        for ratio in [0.5, 0.7, 1.5, 2.0] {
            let resampler = Resampler::new(&window, (12.3, 9.8), ratio, 128);
            let noise = resampler.pixels(&window.pixels);
            let sum: f64 = noise.iter().map(|p| f64::from(*p).powi(2)).sum();
            let expected: f64 =
                resampler.rms(window.rms.as_deref().unwrap()).iter().map(|s| f64::from(*s).powi(2)).sum();
            assert!(((sum / expected).sqrt() - 1.0).abs() < 0.03, "{ratio}: {sum} {expected}");
        }
    }

    #[test]
    fn bad_pixels_are_filled_before_they_spread() {
        let (size, scale) = (300, 0.03);
        let mut there = image(size, scale, &draw(size, scale, 0.6, 1.0, 150.0, 150.0));
        let cutter = Cutter { pixel_scale: Some(SCALE), ..Cutter::new(SIZE) };
        let whole = cutter.from_image(&there, Some((150.0, 150.0)), 0);
        for i in [100 * size + 120, 151 * size + 153, 152 * size + 153] {
            there.pixels[i] = f32::NAN;
        }
        let stamp = cutter.from_image(&there, Some((150.0, 150.0)), 0);
        assert!(stamp.flags.contains(Flags::BAD_PIXELS | Flags::CENTRE_BAD));
        let touched = stamp.filled.iter().filter(|f| **f).count();
        assert!((1..20).contains(&touched), "{touched}");
        let flux = |stamp: &Stamp| stamp.pixels.iter().map(|p| f64::from(*p)).sum::<f64>();
        assert!((flux(&stamp) / flux(&whole) - 1.0).abs() < 1e-3);
    }
}
