//! Of the noise on whole stamps, by many draws: seeds are fixed, and what is measured may differ from what is expected
//! by four of the standard errors that are stated.

use super::*;
use crate::sky::NoiseCorrelation;
use statrs::distribution::{Discrete, DiscreteCDF, Poisson};

/// A stamp of `size`² pixels of one value, and noise.
fn noisy(model: &NoiseModel, exposure: f64, size: usize, rate: f64, index: u64) -> Vec<f64> {
    let mut stamp = vec![rate; size * size];
    Noise::new(model, exposure, size).unwrap().add(&mut stamp, 11, index);
    stamp
}

fn correlated(sigma: f64) -> NoiseModel {
    NoiseModel::Correlated { sigma, autocorrelation: NoiseCorrelation::DRIZZLED }
}

/// Mean of the products of pixels (dx, dy) apart.
fn products(stamp: &[f64], size: usize, dx: usize, dy: usize) -> f64 {
    let mut sum = 0.0;
    for y in 0..size - dy {
        let (row, other) = (&stamp[y * size..(y + 1) * size], &stamp[(y + dy) * size..(y + dy + 1) * size]);
        sum += row.iter().zip(&other[dx..]).map(|(a, b)| a * b).sum::<f64>();
    }
    sum / ((size - dx) * (size - dy)) as f64
}

/// Mean and central moments of second and third order.
fn moments(values: &[f64]) -> [f64; 3] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let central = |power: i32| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / n;
    [mean, central(2), central(3)]
}

#[test]
fn white_noise_has_its_sigma_and_no_correlation() {
    let size = 1001;
    let stamp = noisy(&NoiseModel::White { sigma: 0.0032 }, 3200.0, size, 0.0, 0);
    let n = stamp.len() as f64;
    let variance = products(&stamp, size, 0, 0);
    // The standard error of a variance is √(2/n) of it, that of a coefficient 1/√n.
    assert!((variance / 0.0032f64.powi(2) - 1.0).abs() < 4.0 * (2.0 / n).sqrt());
    for (dx, dy) in [(1, 0), (0, 1), (1, 1), (2, 0), (32, 0), (0, 2)] {
        assert!((products(&stamp, size, dx, dy) / variance).abs() < 4.0 / n.sqrt(), "({dx}, {dy})");
    }
}

#[test]
fn correlated_noise_has_its_sigma_and_the_wanted_autocorrelation() {
    let size = 2001;
    let stamp = noisy(&correlated(2.0), 1.0, size, 0.0, 1);
    let wanted =
        [(1, 0, 0.49), (0, 1, 0.55), (1, 1, 0.28), (2, 0, 0.1), (0, 2, 0.1), (3, 0, 0.03), (0, 3, 0.03)];
    // Bartlett: the error of a coefficient is at most √(Σ ρ² (1 + 2ρ²) / n), Σ ρ² = 2.5 over all lags: 0.001; that of
    // the variance √(2 Σ ρ² / n).
    let error = (2.5f64 * 3.0 / stamp.len() as f64).sqrt();
    let variance = products(&stamp, size, 0, 0);
    assert!((variance / 4.0 - 1.0).abs() < 4.0 * error, "{variance}");
    for (dx, dy, expected) in wanted {
        let found = products(&stamp, size, dx, dy) / variance;
        assert!((found - expected).abs() < 4.0 * error, "({dx}, {dy}): {found}, not {expected}");
        // The diagonals alike.
        if (dx, dy) == (1, 1) {
            let mirrored: Vec<f64> = stamp.chunks(size).flat_map(|row| row.iter().rev().copied()).collect();
            assert!((products(&mirrored, size, 1, 1) / variance - expected).abs() < 4.0 * error);
        }
    }
}

#[test]
fn edges_and_corners_are_as_noisy_as_the_middle() {
    let (size, stamps) = (23, 20_000);
    for rate in [0.0, 60.0] {
        let noise = Noise::new(&correlated(3.0), 1.0, size).unwrap();
        let mut squares = vec![0.0; size * size];
        for index in 0..stamps {
            let mut stamp = vec![rate; size * size];
            noise.add(&mut stamp, 3, index);
            squares
                .iter_mut()
                .zip(&stamp)
                .for_each(|(sum, p)| *sum += (p - rate) * (p - rate) / stamps as f64);
        }
        let expected = 9.0 + rate / 5.6677;
        for (x, y) in [(0, 0), (22, 0), (0, 22), (22, 22), (11, 0), (0, 11), (22, 11), (11, 22), (11, 11)] {
            let found = squares[y * size + x] / expected;
            // √(2/n), a hundredth, and nearly nothing for the counts' skewness.
            assert!((found - 1.0).abs() < 0.04, "({x}, {y}): {found}");
        }
    }
}

#[test]
fn counts_have_the_moments_of_the_poisson_distribution() {
    let size = 701;
    let n = (size * size) as f64;
    for (index, lambda) in [0.003, 0.5, 3.0, 9.9, 10.1, 40.0, 300.0, 5000.0, 1e6f64].into_iter().enumerate() {
        let stamp = noisy(&NoiseModel::White { sigma: 0.0 }, 1.0, size, lambda, index as u64);
        let [mean, variance, third] = moments(&stamp);
        // The moments are λ each; the variances of their estimates follow from those up to the sixth.
        let l = lambda;
        let errors = [l, l + 2.0 * l * l, l + 18.0 * l * l + 6.0 * l * l * l].map(|v| 4.0 * (v / n).sqrt());
        assert!((mean - l).abs() < errors[0], "{l}: mean {mean}");
        assert!((variance - l).abs() < errors[1], "{l}: variance {variance}");
        assert!((third - l).abs() < errors[2], "{l}: third moment {third}");
        // The skewness, 1/√λ, within the same errors; and whole electrons.
        assert!(
            (third / variance.powf(1.5) - l.powf(-0.5)).abs()
                < errors[2] / l.powf(1.5) + 2.0 * errors[1] / l.powf(1.5)
        );
        assert!(stamp.iter().all(|count| *count > -0.01 && (count - count.round()).abs() < 1e-3), "{l}");
    }
}

#[test]
fn counts_have_the_poisson_distribution_by_chi_squared() {
    let size = 1501;
    let n = (size * size) as f64;
    for (index, lambda) in [0.05, 0.5, 3.0, 9.9, 10.1, 40.0, 300.0].into_iter().enumerate() {
        let stamp = noisy(&NoiseModel::White { sigma: 0.0 }, 1.0, size, lambda, 100 + index as u64);
        let mut found = vec![0.0; 1000];
        stamp.iter().for_each(|count| found[count.round() as usize] += 1.0);
        let exact = Poisson::new(lambda).unwrap();
        // Counts of fewer than 20 expected pixels go together.
        let (mut squares, mut bins, mut rest) = (0.0, 0.0, (0.0, 0.0));
        for (k, &found) in found.iter().enumerate() {
            let expected = n * exact.pmf(k as u64);
            if expected >= 20.0 {
                squares += (found - expected).powi(2) / expected;
                bins += 1.0;
            } else {
                rest = (rest.0 + found, rest.1 + expected);
            }
        }
        squares += (rest.0 - rest.1).powi(2) / rest.1.max(1.0);
        // χ² of ν degrees of freedom has the mean ν and the standard deviation √(2ν).
        assert!(squares < bins + 4.0 * (2.0f64 * bins).sqrt(), "{lambda}: χ² = {squares} of {bins}");
        assert!(exact.cdf(999) > 1.0 - 1e-12);
    }
}

#[test]
fn photons_through_the_kernel_keep_the_variance_of_an_aperture() {
    // A flat source of λ electrons a pixel, in all three ways of drawing. Over an aperture far larger than the kernel
    // the variance is that of the electrons; in a pixel it is smaller by Σ ρ = 5.668.
    let (size, aperture, exposure) = (128, 64, 50.0);
    for lambda in [0.4, 9.0, 11.0, 2000.0] {
        let rate = lambda / exposure;
        let noise = Noise::new(&correlated(0.0), exposure, size).unwrap();
        let (mut sums, mut squares, mut mean, stamps) = (Vec::new(), 0.0, 0.0, 4000);
        for index in 0..stamps {
            let mut stamp = vec![rate; size * size];
            noise.add(&mut stamp, 5, index);
            let inside = |i: usize| (32..32 + aperture).contains(&i);
            let deviations = || stamp.iter().map(|p| p - rate);
            let within = deviations().enumerate().filter(|(i, _)| inside(i % size) && inside(i / size));
            sums.push(within.map(|(_, d)| d).sum::<f64>());
            squares += deviations().map(|d| d * d).sum::<f64>();
            mean += deviations().sum::<f64>();
        }
        let pixels = (size * size) as f64 * stamps as f64;
        let electrons = rate / exposure;
        // Pixels: √(2 Σ ρ² / n) and for few electrons their skewness: less than 0.001 in all.
        let pixel = squares / pixels / (electrons / 5.6677);
        assert!((pixel - 1.0).abs() < 0.004, "{lambda}: {pixel} of a pixel's variance");
        // The light lost from and gained at the aperture's edge is correlated: 4 · 64 pixels of 4096, weighted by
        // Σ |d| ρ / Σ ρ = 0.65, take 0.041 off; √(2/4000) = 0.022 is the standard error.
        let aperture = moments(&sums)[1] / (electrons * 4096.0);
        assert!((aperture - 0.98).abs() < 0.09, "{lambda}: {aperture} of an aperture's variance");
        assert!((mean / pixels).abs() < 4.0 * (electrons / pixels).sqrt(), "{lambda}: mean {mean}");
    }
}

#[test]
fn photon_noise_follows_the_source_and_sky_and_photons_are_independent() {
    // Rates that rise along x from nothing over few to many electrons; the variances of sky and photons add.
    let (size, exposure, sigma) = (67, 300.0, 0.01);
    let rates: Vec<f64> = (0..size * size).map(|i| ((i % size) as f64 / 66.0).powi(4) * 2.0).collect();
    let noise = Noise::new(&NoiseModel::White { sigma }, exposure, size).unwrap();
    let mut squares = vec![0.0; size];
    let stamps = 1500;
    for index in 0..stamps {
        let mut stamp = rates.clone();
        noise.add(&mut stamp, 9, index);
        stamp.iter().zip(&rates).enumerate().for_each(|(i, (p, r))| squares[i % size] += (p - r) * (p - r));
    }
    let n = (size * stamps as usize) as f64;
    for (square, rate) in squares.into_iter().zip(&rates) {
        let expected = sigma * sigma + rate / exposure;
        assert!(
            (square / n / expected - 1.0).abs() < 4.0 * (3.0 / n).sqrt(),
            "{rate}: {}",
            square / n / expected
        );
    }
}

#[test]
fn noise_is_a_function_of_seed_and_index_alone() {
    let size = 37;
    for model in [NoiseModel::White { sigma: 1.0 }, correlated(1.0)] {
        let noise = Noise::new(&model, 100.0, size).unwrap();
        let drawn = |seed, index| {
            let mut stamp: Vec<f64> = (0..size * size).map(|i| (i % 41) as f64 * 0.01).collect();
            noise.add(&mut stamp, seed, index);
            stamp
        };
        assert_eq!(drawn(1, 2), drawn(1, 2));
        // Independent stamps: a correlation within four standard errors, 1/√1369 and for correlated noise 1.6 times
        // that.
        for (a, b) in [((1, 2), (1, 3)), ((1, 2), (2, 2)), ((1, 2), (1 << 32 | 1, 2)), ((1, 0), (1, 1 << 20))]
        {
            let (a, b) = (drawn(a.0, a.1), drawn(b.0, b.1));
            let n = a.len() as f64;
            let centred = |v: &[f64]| {
                let mean = v.iter().sum::<f64>() / n;
                v.iter().map(|x| x - mean).collect::<Vec<_>>()
            };
            let (a, b) = (centred(&a), centred(&b));
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n;
            let correlation = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
            assert!(correlation.abs() < 4.0 * 1.6 / n.sqrt(), "{correlation}");
        }
    }
}

#[test]
fn no_noise_is_none_and_pixels_without_light_have_no_photons() {
    assert!(noisy(&NoiseModel::None, 100.0, 19, 3.0, 0).iter().all(|&p| p == 3.0));
    let white = NoiseModel::White { sigma: 0.0 };
    for rate in [0.0, -2.0] {
        assert!(noisy(&white, 100.0, 19, rate, 0).iter().all(|&p| p == rate));
    }
    assert!(noisy(&white, f64::INFINITY, 19, 3.0, 0).iter().all(|&p| p == 3.0));
    let wild = noisy(&white, 1.0, 19, f64::NAN, 0);
    assert!(wild.iter().all(|p| p.is_nan()));
    assert!(noisy(&white, 1.0, 19, 1e31, 0).iter().all(|p| p.is_finite()));
}

#[test]
fn impossible_noise_is_an_error() {
    let error = |model: &NoiseModel, exposure| Noise::new(model, exposure, 16).unwrap_err().to_string();
    assert!(error(&NoiseModel::White { sigma: -1.0 }, 1.0).contains("sigma = -1"));
    assert!(error(&correlated(f64::NAN), 1.0).contains("sigma = NaN"));
    assert!(error(&NoiseModel::None, 0.0).contains("exposure"));
    let autocorrelation = NoiseCorrelation { x1: 0.9, ..NoiseCorrelation::DRIZZLED };
    assert!(error(&NoiseModel::Correlated { sigma: 1.0, autocorrelation }, 1.0).contains("x1 = 0.9"));
}

/// Prints the time per stamp; run with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn time_per_stamp_on_one_thread() {
    // An exponential disc of 20 mag (239 e/s) and 10 pixels, no source at all, and flat ones.
    let disc = |x: f64, y: f64| 1.07 * (-0.1678 * x.hypot(y)).exp();
    let disc: Vec<f64> =
        (0..128 * 128).map(|i| disc((i % 128) as f64 - 63.5, (i / 128) as f64 - 63.5)).collect();
    let dark = vec![0.0; 128 * 128];
    let flat = |electrons: f64| vec![electrons / 3200.0; 128 * 128];
    let white = NoiseModel::White { sigma: 0.0032 };
    for (name, model, stamp) in [
        ("white, no source", &white, &dark),
        ("correlated, no source", &correlated(0.0032), &dark),
        ("photons alone, a disc", &NoiseModel::White { sigma: 0.0 }, &disc),
        ("photons alone, 0.1 electrons a pixel", &NoiseModel::White { sigma: 0.0 }, &flat(0.1)),
        ("photons alone, 9 electrons a pixel", &NoiseModel::White { sigma: 0.0 }, &flat(9.0)),
        ("photons alone, 100 electrons a pixel", &NoiseModel::White { sigma: 0.0 }, &flat(100.0)),
        ("white, a disc", &white, &disc),
        ("correlated, a disc", &correlated(0.0032), &disc),
    ] {
        let noise = Noise::new(model, 3200.0, 128).unwrap();
        let mut best = [f64::INFINITY; 2];
        for round in 0..60 {
            for (best, wide) in best.iter_mut().zip([true, false]) {
                let start = std::time::Instant::now();
                for index in 0..20 {
                    let mut copy = stamp.clone();
                    if wide {
                        noise.add(&mut copy, 1, round * 20 + index);
                    } else {
                        noise.add_narrow(&mut copy, 1, round * 20 + index);
                    }
                }
                *best = best.min(start.elapsed().as_secs_f64() / 20.0);
            }
        }
        println!("{name}: {:.3} ms, {:.3} ms without AVX2", best[0] * 1e3, best[1] * 1e3);
    }
}

#[test]
fn every_processor_draws_the_same() {
    let size = 131;
    let source: Vec<f64> = (0..size * size).map(|i| ((i % size) as f64 / 40.0).powi(3)).collect();
    for model in [NoiseModel::White { sigma: 0.1 }, correlated(0.1)] {
        let noise = Noise::new(&model, 10.0, size).unwrap();
        for index in 0..20 {
            let (mut wide, mut narrow) = (source.clone(), source.clone());
            noise.add(&mut wide, 1, index);
            noise.add_narrow(&mut narrow, 1, index);
            assert_eq!(wide, narrow);
        }
    }
}
