//! An effective PSF less the response of the pixel, for programs that average a galaxy over each pixel themselves before
//! they convolve it, as GALFIT and imfit do: with the effective PSF they would count the pixel twice.

use super::super::fourier::{Plans, Scratch, fast_length};
use super::Psf;
use std::f64::consts::PI;

/// Pixels of zeros beside the image, so that its edges do not meet.
const MARGIN: usize = 32;

impl Psf {
    /// The PSF as [`Psf::image`] gives it, divided by the response of a square pixel of `scale` arcsec: a profile's
    /// averages over the pixels, convolved with this image, are what the profile convolved with the effective PSF is at
    /// the pixels' centres, as far as the averages' samples tell it. Up to the pixels' Nyquist frequency f the
    /// response sinc f is 0.64 at least, so that what noise the PSF has grows 2.5 times at most.
    pub fn image_without_pixel(&self, size: usize, scale: f64) -> Vec<f64> {
        let n = fast_length(size + MARGIN);
        let mut plane = vec![0.0; n * n];
        for (row, values) in plane.chunks_exact_mut(n).zip(self.image(size, scale).chunks_exact(size)) {
            row[..size].copy_from_slice(values);
        }
        let (plans, mut scratch, mut spectrum) = (Plans::new(n, n), Scratch::default(), Vec::new());
        plans.spectrum(&plane, &mut spectrum, &mut scratch);
        let response: Vec<f64> = (0..n).map(|k| sinc(k.min(n - k) as f64 / n as f64)).collect();
        for (column, along_x) in spectrum.chunks_exact_mut(n).zip(&response) {
            for (value, along_y) in column.iter_mut().zip(&response) {
                *value /= along_x * along_y * (n * n) as f64;
            }
        }
        let mut image = vec![0.0; size * size];
        plans.window(&mut spectrum, 0, size, &mut image, &mut scratch);
        image
    }
}

/// sin πf / πf.
fn sinc(f: f64) -> f64 {
    if f == 0.0 { 1.0 } else { (PI * f).sin() / (PI * f) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::{PixelConvention, Renderer, Sersic};

    #[test]
    fn averages_over_pixels_convolved_with_it_are_the_effective_psfs_stamps() {
        let (size, scale) = (48, 0.06);
        let effective = Psf::wfc3_f160w();
        let as_image = |pixels: Vec<f64>| {
            let pixels: Vec<f32> = pixels.iter().map(|&p| p as f32).collect();
            Psf::from_image(&pixels, 101, scale).unwrap()
        };
        let galaxy = Sersic::new(100.0, 6.0, 1.0, 0.6, 30.0).unwrap();
        let draw = |psf: &Psf, convention| {
            Renderer::with_pixels(size, scale, psf, convention).unwrap().render(&galaxy, 24.3, 24.8)
        };
        let expected = draw(&as_image(effective.image(101, scale)), PixelConvention::EffectivePsf);
        let peak = expected.iter().copied().fold(0.0, f64::max);
        let off = |psf: Vec<f64>| {
            let found = draw(&as_image(psf), PixelConvention::PixelAveraged);
            found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / peak
        };
        let (twice, once) =
            (off(effective.image(101, scale)), off(effective.image_without_pixel(101, scale)));
        assert!(once < 2e-3 && once < 0.2 * twice, "pixel counted twice {twice}, once {once}");
    }

    #[test]
    fn the_light_stays_and_the_variance_falls_by_a_pixels() {
        let psf = Psf::gaussian(0.18).unwrap();
        for size in [31, 32] {
            let (with, without) = (psf.image(size, 0.06), psf.image_without_pixel(size, 0.06));
            let offset = |i: usize| i as f64 - (size / 2) as f64;
            let moment = |image: &[f64], of: &dyn Fn(f64, f64) -> f64| {
                let at = |(i, p): (usize, &f64)| p * of(offset(i % size), offset(i / size));
                image.iter().enumerate().map(at).sum::<f64>()
            };
            assert!((moment(&with, &|_, _| 1.0) - moment(&without, &|_, _| 1.0)).abs() < 1e-6);
            // Of a square of side 1 along each axis: 1/12.
            for axis in [&(|x: f64, _: f64| x * x) as &dyn Fn(f64, f64) -> f64, &|_, y| y * y] {
                let fallen = moment(&with, axis) - moment(&without, axis);
                assert!((fallen * 12.0 - 1.0).abs() < 0.01, "{fallen}");
            }
        }
    }
}
