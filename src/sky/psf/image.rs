//! A PSF that was measured: an image of it, taken as band-limited between its pixels.

use super::check;
use super::even::add_scaled;
use crate::{Error, Result};
use rustfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// Pixels along a side, at most.
const LARGEST: usize = 10_000;
/// Standard deviation of the window in which a PSF's centroid is taken, pixels.
const WINDOW: f64 = 2.5;

/// A measured PSF on pixels of its own scale, taken as band-limited between them.
#[derive(Clone, Debug, PartialEq)]
pub struct PsfImage {
    pixels: Vec<f64>,
    width: usize,
    pixel_scale: f64,
    /// The centroid, pixels from the first pixel's centre.
    centre: (f64, f64),
}

impl PsfImage {
    /// See [`super::Psf::from_image`].
    pub(super) fn new(pixels: &[f32], width: usize, pixel_scale: f64) -> Result<Self> {
        let bad = |message: String| Err(Error::Usage(format!("PSF image: {message}")));
        if width == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(width) {
            return bad(format!("{} pixels are not rows of {width}", pixels.len()));
        }
        let height = pixels.len() / width;
        if width.max(height) > LARGEST {
            return bad(format!(
                "{width}×{height} pixels are more than a PSF needs; cut it to {LARGEST} a side at most"
            ));
        }
        check("the pixel scale of a PSF image", pixel_scale)?;
        let lost = pixels.iter().filter(|p| !p.is_finite()).count();
        if let Some(first) = pixels.iter().position(|p| !p.is_finite()) {
            return bad(format!(
                "{lost} of {} pixels are not finite, the first at FITS pixel ({}, {}); fill them in",
                pixels.len(),
                first % width + 1,
                first / width + 1
            ));
        }
        let sum: f64 = pixels.iter().map(|&p| f64::from(p)).sum();
        if sum <= 0.0 {
            return bad(format!("the pixels sum to {sum}, not to a positive flux"));
        }
        let pixels: Vec<f64> = pixels.iter().map(|&p| f64::from(p) / sum).collect();
        let centre = centroid(&pixels, width);
        let (inside_x, inside_y) = (0.0..=(width - 1) as f64, 0.0..=(height - 1) as f64);
        if !(inside_x.contains(&centre.0) && inside_y.contains(&centre.1)) {
            return bad("its brightest part lies at the edge: the image must hold the whole PSF".to_owned());
        }
        Ok(PsfImage { pixels, width, pixel_scale, centre })
    }

    /// The image's own pixel scale, arcsec.
    pub fn pixel_scale(&self) -> f64 {
        self.pixel_scale
    }

    /// The image's centroid, 0-based pixels (x, y).
    pub fn centre(&self) -> (f64, f64) {
        self.centre
    }

    /// Distance of the farthest corner of the outermost pixels from the centroid, arcsec.
    pub(super) fn support(&self) -> f64 {
        let height = self.pixels.len() / self.width;
        let reach = |centre: f64, n: usize| (centre + 0.5).max(n as f64 - 0.5 - centre);
        self.pixel_scale * reach(self.centre.0, self.width).hypot(reach(self.centre.1, height))
    }

    /// The discrete transform of the pixels at any frequency, zero beyond their Nyquist frequency; at it, where the
    /// positive and the negative one stand for the same samples, half each.
    pub(super) fn transfer(&self, fx: &[f64], fy: &[f64]) -> Vec<Complex64> {
        let height = self.pixels.len() / self.width;
        let wave = |f: f64, n: usize, centre: f64| -> Vec<Complex64> {
            (0..n).map(|i| Complex64::cis(-TAU * f * self.pixel_scale * (i as f64 - centre))).collect()
        };
        let band = |f: f64| match f.abs() * self.pixel_scale - 0.5 {
            beyond if beyond > 1e-9 => 0.0,
            below if below < -1e-9 => 1.0,
            _ => 0.5,
        };
        let waves_y: Vec<_> = fy
            .iter()
            .map(|&f| (band(f), if band(f) > 0.0 { wave(f, height, self.centre.1) } else { Vec::new() }))
            .collect();
        let mut out = Vec::with_capacity(fx.len() * fy.len());
        for &f in fx {
            let weight = band(f);
            if weight == 0.0 {
                out.resize(out.len() + fy.len(), Complex64::ZERO);
                continue;
            }
            let along_x = wave(f, self.width, self.centre.0);
            let rows: Vec<Complex64> = self
                .pixels
                .chunks_exact(self.width)
                .map(|row| row.iter().zip(&along_x).map(|(&p, w)| w * (weight * p)).sum())
                .collect();
            let column = waves_y.iter().map(|(weight, along_y)| {
                rows.iter().zip(along_y).map(|(r, w)| r * w).sum::<Complex64>() * weight
            });
            out.extend(column);
        }
        out
    }

    /// Band-limited (sinc) interpolation at the points of `axis` × `axis`, arcsec from the centre,
    /// times the area ratio of pixels of `scale`.
    pub(super) fn resampled(&self, axis: &[f64], scale: f64) -> Vec<f64> {
        let height = self.pixels.len() / self.width;
        let weight = |a: f64, centre: f64, i: usize| sinc(a / self.pixel_scale + centre - i as f64);
        // For each column of the image its part in every point of a row.
        let along_x: Vec<Vec<f64>> =
            (0..self.width).map(|i| axis.iter().map(|&a| weight(a, self.centre.0, i)).collect()).collect();
        let mut rows = vec![0.0; height * axis.len()];
        let area = (scale / self.pixel_scale).powi(2);
        for (row, pixels) in
            rows.chunks_exact_mut(axis.len().max(1)).zip(self.pixels.chunks_exact(self.width))
        {
            for (pixel, part) in pixels.iter().zip(&along_x) {
                add_scaled(row, area * pixel, part);
            }
        }
        let mut out = vec![0.0; axis.len() * axis.len()];
        for (&a, out) in axis.iter().zip(out.chunks_exact_mut(axis.len().max(1))) {
            for (i, row) in rows.chunks_exact(axis.len()).enumerate() {
                add_scaled(out, weight(a, self.centre.1, i), row);
            }
        }
        out
    }
}

/// sin(πx)/(πx).
pub(super) fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-12 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// See [`super::Psf::from_image`].
fn centroid(pixels: &[f64], width: usize) -> (f64, f64) {
    let brightest = (0..pixels.len()).max_by(|&a, &b| pixels[a].total_cmp(&pixels[b])).unwrap_or(0);
    let (mut x, mut y) = ((brightest % width) as f64, (brightest / width) as f64);
    let height = pixels.len() / width;
    let near = |at: f64, n: usize| {
        let reach = 6.0 * WINDOW;
        (at - reach).max(0.0) as usize..((at + reach).max(0.0) as usize + 1).min(n)
    };
    // A window much narrower than the core moves by a small part of the way at a time.
    for _ in 0..1000 {
        let (mut sx, mut sy, mut sum) = (0.0, 0.0, 0.0);
        for row in near(y, height) {
            for column in near(x, width) {
                let (dx, dy) = (column as f64 - x, row as f64 - y);
                let weight =
                    pixels[row * width + column] * (-0.5 * (dx * dx + dy * dy) / (WINDOW * WINDOW)).exp();
                sx += weight * dx;
                sy += weight * dy;
                sum += weight;
            }
        }
        if sum <= 0.0 {
            break;
        }
        // A window as wide as the core halves the distance in each step; doubling it restores the pace.
        let (step_x, step_y) = (2.0 * sx / sum, 2.0 * sy / sum);
        x += step_x;
        y += step_y;
        if step_x.hypot(step_y) < 1e-10 {
            break;
        }
    }
    (x, y)
}
