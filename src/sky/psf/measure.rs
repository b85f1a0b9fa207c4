//! What is told of a PSF: its width and the light within circles.

use super::{Psf, moffat, wfc3};
use std::f64::consts::{LN_2, PI, TAU};

impl Psf {
    /// Full width at half maximum of the azimuthal mean, arcsec. The maximum is the value at the centre.
    pub fn fwhm(&self) -> f64 {
        match self {
            Psf::Moffat { fwhm, .. } | Psf::Gaussian { fwhm } => *fwhm,
            Psf::Image(_) | Psf::Wfc3F160w(_) => {
                let support = self.support();
                let harmonics = Harmonics::new(self, 0.25 * support);
                let half = 0.5 * harmonics.mean(0.0);
                // Outwards to the first radius below half of the maximum, then closer by bisection.
                let step = 5e-4 * support;
                let beyond = (1..500).map(|i| f64::from(i) * step).find(|&r| harmonics.mean(r) < half);
                let (mut low, mut high) = beyond.map_or((support, support), |r| (r - step, r));
                for _ in 0..40 {
                    let middle = 0.5 * (low + high);
                    if harmonics.mean(middle) < half { high = middle } else { low = middle }
                }
                low + high
            }
        }
    }

    /// The part of all light that lies within each of the `radii` (arcsec) of the centre.
    pub fn light_within(&self, radii: &[f64]) -> Vec<f64> {
        match self {
            Psf::Moffat { fwhm, beta } => {
                radii.iter().map(|&r| moffat::light_within(*fwhm, *beta, r)).collect()
            }
            Psf::Gaussian { fwhm } => {
                radii.iter().map(|r| -(-4.0 * LN_2 * (r / fwhm).powi(2)).exp_m1()).collect()
            }
            Psf::Image(_) | Psf::Wfc3F160w(_) => {
                // These end, and the larger the circle the longer the series.
                let radii: Vec<f64> = radii.iter().map(|r| r.min(self.support())).collect();
                let harmonics = Harmonics::new(self, radii.iter().copied().fold(0.0, f64::max));
                radii.iter().map(|&r| harmonics.within(r)).collect()
            }
        }
    }
}

/// A band-limited PSF as a Fourier series, repeated so far apart that no repetition reaches the circles looked at:
/// then means over circles and integrals over discs are finite sums of Bessel functions, exact but for rounding.
struct Harmonics {
    /// Frequency, cycles per arcsec, and the coefficients' sum at it, per arcsec².
    terms: Vec<(f64, f64)>,
}

impl Harmonics {
    /// For circles of up to `radius` arcsec.
    fn new(psf: &Psf, radius: f64) -> Self {
        let apart = psf.support() + radius;
        let nyquist = match psf {
            Psf::Image(image) => 0.5 / image.pixel_scale(),
            _ => 0.5 / wfc3::OUTPUT,
        };
        let last = (nyquist * apart).ceil() as usize;
        let frequency = |k: usize| k as f64 / apart;
        let positive: Vec<f64> = (0..=last).map(frequency).collect();
        let all: Vec<f64> = (1..=last).rev().map(|k| -frequency(k)).chain(positive.iter().copied()).collect();
        let transfer = psf.transfer(&positive, &all);
        let area = apart * apart;
        let mut terms = Vec::with_capacity(transfer.len());
        for (fx, column) in positive.iter().zip(transfer.chunks_exact(all.len())) {
            // Frequencies of negative fx are conjugate to those of positive.
            let sides = if *fx == 0.0 { 1.0 } else { 2.0 };
            for (fy, value) in all.iter().zip(column) {
                if value.re != 0.0 {
                    terms.push((fx.hypot(*fy), sides * value.re / area));
                }
            }
        }
        // Equal frequencies as one term.
        terms.sort_by(|a, b| a.0.total_cmp(&b.0));
        terms.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        Harmonics { terms }
    }

    /// Mean over the circle of radius r, per arcsec²: Σ c J₀(2πfr).
    fn mean(&self, r: f64) -> f64 {
        self.terms.iter().map(|(f, c)| c * libm::j0(TAU * f * r)).sum()
    }

    /// Integral over the disc of radius r: Σ c r J₁(2πfr)/f.
    fn within(&self, r: f64) -> f64 {
        let disc = |f: f64| if f * r < 1e-9 { PI * r * r } else { r * libm::j1(TAU * f * r) / f };
        self.terms.iter().map(|&(f, c)| c * disc(f)).sum()
    }
}
