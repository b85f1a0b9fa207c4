//! The plane on which a stamp is convolved: the stamp's pixels with a margin around them, sampled once or more along
//! each axis of a pixel, and periodic, as the transforms take it.

use super::averaged::add_averages;
use super::core::{Split, Tables};
use super::fourier::{Plans, Scratch};
use super::hankel::Hankel;
use super::psf::Psf;
use super::sersic::Sersic;
use rustfft::num_complex::Complex64;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};
use std::sync::OnceLock;

/// Where the PSF lets less than this through, there is nothing.
pub(super) const NEGLIGIBLE: f64 = 1e-6;

/// A plane of padded² pixels around a stamp, ready to convolve with one PSF.
pub(super) struct Grid {
    /// Pixels along a side of the stamp.
    size: usize,
    /// Pixels along a side of the plane.
    padded: usize,
    /// Pixels before the stamp's first.
    pub(super) margin: usize,
    /// Samples per pixel along each axis.
    oversampling: usize,
    plans: Plans,
    /// PSF transfer function over padded², on the half spectrum.
    transfer: Vec<Complex64>,
    /// For each kx how many ky ≥ 0 (and with the same magnitude below 0) the PSF lets through.
    passed: Vec<usize>,
    /// Wave numbers of an axis, radians per pixel: those of kx lead.
    k: Vec<f64>,
    /// The largest wave number that the PSF lets through, radians per pixel.
    reach: f64,
}

/// Memory for a rendering, kept from one to the next.
#[derive(Default)]
pub(super) struct Workspace {
    light: Vec<f64>,
    spectrum: Vec<Complex64>,
    folded: Vec<Complex64>,
    along_y: Vec<Complex64>,
    scratch: Scratch,
    tables: Tables,
}

/// The matrices of the core's transform, each made when first needed.
pub(super) struct Hankels([OnceLock<Hankel>; 16]);

impl Hankels {
    pub(super) fn new() -> Self {
        Hankels([const { OnceLock::new() }; 16])
    }

    /// One that reaches at least to `highest`; they go up by factors of √2 from 8.
    fn reaching(&self, highest: f64) -> &Hankel {
        let reach = |i: usize| 8.0 * FRAC_1_SQRT_2.powi(-(i as i32));
        let last = self.0.len() - 1;
        let i = (0..last).find(|&i| reach(i) >= highest).unwrap_or(last);
        self.0[i].get_or_init(|| Hankel::new(reach(i).max(highest)))
    }
}

impl Grid {
    /// A plane of `padded`² pixels, an even number a side, for stamps of `size`² pixels of `scale` arcsec.
    pub(super) fn new(size: usize, padded: usize, oversampling: usize, scale: f64, psf: &Psf) -> Self {
        let n = padded * oversampling;
        let signed = |k: usize| if k > n / 2 { k as f64 - n as f64 } else { k as f64 };
        let f: Vec<f64> = (0..n).map(|k| signed(k) / padded as f64).collect();
        let per_arcsec: Vec<f64> = f.iter().map(|f| f / scale).collect();
        let mut transfer = psf.transfer(&per_arcsec[..=n / 2], &per_arcsec);
        let mut reach = 0.0f64;
        let mut passed = Vec::with_capacity(n / 2 + 1);
        // Samples to flux, and back from the inverse transform.
        let scaling = 1.0 / (padded * padded) as f64;
        for (column, x) in transfer.chunks_exact_mut(n).zip(&f) {
            let mut last = 0;
            for (i, (value, y)) in column.iter_mut().zip(&f).enumerate() {
                if value.norm() >= NEGLIGIBLE {
                    reach = reach.max(x.hypot(*y));
                    last = last.max(i.min(n - i) + 1);
                }
                *value *= scaling;
            }
            passed.push(last);
        }
        let k = f.into_iter().map(|f| TAU * f).collect();
        Grid {
            size,
            padded,
            margin: (padded - size) / 2,
            oversampling,
            plans: Plans::new(n, padded),
            transfer,
            passed,
            k,
            reach: TAU * reach,
        }
    }

    /// Pixels along a side of the plane.
    pub(super) fn padded(&self) -> usize {
        self.padded
    }

    /// The same plane for light that is averaged over pixels: the PSF by its values at the pixels' centres, whose
    /// transform repeats in frequency.
    pub(super) fn of_pixels(self) -> Self {
        let mut transfer = Vec::new();
        self.fold(&self.transfer, &mut transfer);
        let m = self.padded;
        let signed = |k: usize| if k > m / 2 { k as f64 - m as f64 } else { k as f64 };
        Grid {
            oversampling: 1,
            plans: Plans::new(m, m),
            passed: vec![m / 2 + 1; m / 2 + 1],
            k: (0..m).map(|k| TAU * signed(k) / m as f64).collect(),
            transfer,
            ..self
        }
    }

    /// Starts a scene without light.
    pub(super) fn begin(&self, work: &mut Workspace) {
        let n = self.padded * self.oversampling;
        work.light.clear();
        work.light.resize(n * n, 0.0);
    }

    /// Adds what of a galaxy at (x, y), pixels from the plane's first, can be sampled.
    pub(super) fn add_rest(&self, split: &Split, (x, y): (f64, f64), work: &mut Workspace) {
        let n = self.padded * self.oversampling;
        split.add_rest(n, self.step(), (-x, -y), &mut work.tables, &mut work.light);
    }

    /// Adds a galaxy's pixel averages, all of its light.
    pub(super) fn add_averages(&self, galaxy: &Sersic, (x, y): (f64, f64), work: &mut Workspace) {
        add_averages(galaxy, self.padded, (-x, -y), &mut work.light);
    }

    /// Transforms what was sampled. What follows adds to the transform.
    pub(super) fn transform(&self, work: &mut Workspace) {
        self.plans.spectrum(&work.light, &mut work.spectrum, &mut work.scratch);
        // The samples stand for an area each, the cores to come for their whole flux.
        let area = self.step() * self.step();
        if self.oversampling > 1 {
            work.spectrum.iter_mut().for_each(|value| *value *= area);
        }
    }

    /// Adds a galaxy's core.
    pub(super) fn add_core(
        &self,
        split: &Split,
        (x, y): (f64, f64),
        hankels: &Hankels,
        work: &mut Workspace,
    ) {
        let hankel = hankels.reaching(split.highest_wave(self.reach));
        let core = split.core(hankel, &mut work.tables);
        let n = self.k.len();
        work.along_y.clear();
        work.along_y.extend(self.k.iter().map(|k| Complex64::cis(-k * y)));
        for (i, column) in work.spectrum.chunks_exact_mut(n).enumerate() {
            let along_x = Complex64::cis(-self.k[i] * x);
            for range in self.passing(i) {
                core.along(self.k[i], &self.k, range, |j, core| {
                    column[j] += along_x * work.along_y[j] * core;
                });
            }
        }
    }

    /// Adds a point of light.
    pub(super) fn add_point(&self, flux: f64, (x, y): (f64, f64), work: &mut Workspace) {
        let n = self.k.len();
        work.along_y.clear();
        work.along_y.extend(self.k.iter().map(|k| Complex64::cis(-k * y) * flux));
        for (i, column) in work.spectrum.chunks_exact_mut(n).enumerate() {
            let along_x = Complex64::cis(-self.k[i] * x);
            for range in self.passing(i) {
                for (value, phase) in column[range.clone()].iter_mut().zip(&work.along_y[range]) {
                    *value += along_x * phase;
                }
            }
        }
    }

    /// Convolves with the PSF and writes the stamp, row-major.
    pub(super) fn finish(&self, work: &mut Workspace, stamp: &mut [f64]) {
        let n = self.k.len();
        for (i, (column, transfer)) in
            work.spectrum.chunks_exact_mut(n).zip(self.transfer.chunks_exact(n)).enumerate()
        {
            let passed = self.passed[i];
            column[passed..(n + 1 - passed).clamp(passed, n)].fill(Complex64::ZERO);
            for range in self.passing(i) {
                for (value, transfer) in column[range.clone()].iter_mut().zip(&transfer[range]) {
                    *value *= transfer;
                }
            }
        }
        let spectrum = if self.oversampling == 1 {
            &mut work.spectrum
        } else {
            self.fold(&work.spectrum, &mut work.folded);
            &mut work.folded
        };
        self.plans.window(spectrum, self.margin, self.size, stamp, &mut work.scratch);
    }

    /// Pixels between samples.
    pub(super) fn step(&self) -> f64 {
        1.0 / self.oversampling as f64
    }

    /// The ky that the PSF lets through at kx number `i`: from zero up, and the negative ones.
    fn passing(&self, i: usize) -> [std::ops::Range<usize>; 2] {
        let (n, passed) = (self.k.len(), self.passed[i]);
        [0..passed.min(n / 2 + 1), (n + 1 - passed.max(1)).max(n / 2 + 1)..n]
    }

    /// Sampling every `oversampling`-th sample in space adds up the frequencies that are equal modulo
    /// the pixels' sampling frequency.
    fn fold(&self, spectrum: &[Complex64], folded: &mut Vec<Complex64>) {
        let (m, n) = (self.padded, self.k.len());
        let half = m / 2 + 1;
        folded.clear();
        folded.resize(half * m, Complex64::ZERO);
        for (kx, column) in folded.chunks_exact_mut(m).enumerate() {
            for alias in (kx..n).step_by(m) {
                if alias <= n / 2 {
                    for part in spectrum[alias * n..(alias + 1) * n].chunks_exact(m) {
                        for (sum, value) in column.iter_mut().zip(part) {
                            *sum += value;
                        }
                    }
                } else {
                    // F(−kx, ky) = F*(kx, −ky).
                    let source = &spectrum[(n - alias) * n..(n - alias + 1) * n];
                    for ky in 0..n {
                        column[ky % m] += source[(n - ky) % n].conj();
                    }
                }
            }
        }
    }
}
