//! Additive Gaussian noise: y = x + σ·N(0, 1), independent for each element, so ∂L/∂x = g.

use super::draw::Draw;
use super::fours;
use super::stretch;
use super::words::{self, ByNumbers};
use crate::engine::gpu::Source;
use crate::engine::{Gpu, Tape, Tensor, Var};
use crate::rng::{self, Stream};
use crate::{Error, Result};

static NOISE: ByNumbers = fours::by_fours!("noise", stretch::LN_1P, stretch::ASINH);

pub(super) const KERNELS: &[&Source] = &[&NOISE[0], &NOISE[1]];

/// Noise of x, or of what a stretch makes of it.
fn launch(gpu: &Gpu, x: &Tensor, stretch: Option<[f32; 2]>, sigma: f32, draw: Draw) -> Result<Tensor> {
    if !(sigma >= 0.0 && sigma.is_finite()) {
        return Err(Error::shape("noise", format!("the standard deviation {sigma} is not at least 0")));
    }
    let [low, high, step, layer, stream] = draw.words(Stream::Noise);
    let [a, b] = stretch.unwrap_or_default();
    let words = [low, high, step, layer, stream, sigma.to_bits(), a.to_bits(), b.to_bits()];
    fours::launch(gpu, &NOISE, &[("STRETCHES", u32::from(stretch.is_some()))], x, &words)
}

/// `x` plus normal noise of standard deviation `sigma`; of the shape of `x`.
///
/// # Errors
/// `sigma` is negative or not finite.
pub fn noise(tape: &Tape, x: &Var, sigma: f32, draw: Draw) -> Result<Var> {
    let y = launch(tape.gpu(), x.value(), None, sigma, draw)?;
    Ok(tape.push(y, &[x], |g| Ok(vec![Some(g.clone())])))
}

/// [`noise`] of [`stretch`](super::stretch::stretch)(x, a, b) in one kernel, to the same bits; noise changes nothing about
/// the way back.
///
/// # Errors
/// As those two.
pub fn stretch_noise(tape: &Tape, x: &Var, [a, b]: [f32; 2], sigma: f32, draw: Draw) -> Result<Var> {
    stretch::check_factors([a, b])?;
    let y = launch(tape.gpu(), x.value(), Some([a, b]), sigma, draw)?;
    Ok(stretch::push(tape, x, y, [a, b]))
}

/// The f64 reference of [`noise`].
pub fn noise_reference(x: &[f64], sigma: f64, draw: Draw) -> Vec<f64> {
    let normal = |i: usize| {
        let words = draw.block(Stream::Noise, (i / 4) as u32).map(|w| f64::from(rng::unit_f32(w)));
        let [a, b] = if i % 4 < 2 { [words[0], words[1]] } else { [words[2], words[3]] };
        let (sin, cos) = (std::f64::consts::TAU * b).sin_cos();
        (-2.0 * (1.0 - a).ln()).sqrt() * if i.is_multiple_of(2) { cos } else { sin }
    };
    x.iter().enumerate().map(|(i, x)| x + sigma * normal(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    const DRAW: Draw = Draw { seed: 99, layer: 1, step: 5 };

    #[test]
    fn noise_matches_the_reference() {
        check::on_every_gpu(|gpu| {
            for n in [1, 2, 3, 255, 1030, 70_001, 70_002] {
                let x = check::random(&[n], 1, 1.0);
                let got = gpu.read(&launch(gpu, &gpu.upload(&[n], &x)?, None, 0.7, DRAW)?)?;
                check::close("noise", &got, noise_reference(&check::f64s(&x), f64::from(0.7_f32), DRAW));
            }
            Ok(())
        });
    }

    #[test]
    fn noise_of_a_stretch_has_the_bits_of_the_two_one_after_the_other() {
        check::on_every_gpu(|gpu| {
            for n in [1, 2, 3, 255, 1030] {
                let tape = Tape::new(gpu);
                let x = tape.constant(&gpu.upload(&[n], &check::random(&[n], 1, 10.0))?);
                let together = stretch_noise(&tape, &x, [2.0, 0.7], 0.3, DRAW)?;
                let apart = noise(&tape, &stretch::stretch(&tape, &x, 2.0, 0.7)?, 0.3, DRAW)?;
                assert_eq!(gpu.read(together.value())?, gpu.read(apart.value())?, "{n} numbers");
            }
            Ok(())
        });
    }

    #[test]
    fn its_numbers_are_those_of_the_host() {
        check::on_every_gpu(|gpu| {
            let got = gpu.read(&launch(gpu, &gpu.upload(&[4000], &[0.0; 4000])?, None, 1.0, DRAW)?)?;
            let host = (0..1000).flat_map(|block| {
                let [a, b, c, d] = DRAW.block(Stream::Noise, block);
                [rng::normal_pair(a, b), rng::normal_pair(c, d)].concat()
            });
            check::close("normal numbers", &got, host.map(f64::from));
            Ok(())
        });
    }

    #[test]
    fn its_mean_is_zero_and_its_standard_deviation_sigma() {
        check::on_every_gpu(|gpu| {
            let n = 200_000;
            let y = gpu.read(&launch(gpu, &gpu.upload(&[n], &vec![0.0; n])?, None, 0.01, DRAW)?)?;
            let moment = |k| y.iter().map(|&y| (f64::from(y) / 0.01).powi(k)).sum::<f64>() / n as f64;
            // Five standard errors: 5/√n, 5·√(2/n), 5·√(96/n).
            for (k, want, tolerance) in [(1, 0.0, 0.0112), (2, 1.0, 0.0159), (4, 3.0, 0.11)] {
                assert!((moment(k) - want).abs() < tolerance, "moment {k} is {}", moment(k));
            }
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        check::gradients("noise", &[&[5, 7]], 0.1, |tape, v| noise(tape, &v[0], 0.3, DRAW));
        check::gradients("stretch and noise", &[&[5, 7]], 0.01, |tape, v| {
            stretch_noise(tape, &v[0], [2.0, 0.7], 0.3, DRAW)
        });
    }

    #[test]
    fn a_negative_sigma_is_an_error() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.constant(&gpu.upload(&[1], &[1.0])?);
            let message = noise(&tape, &x, -0.1, DRAW).expect_err("negative").to_string();
            assert_eq!(message, "noise: the standard deviation -0.1 is not at least 0");
            let message = stretch_noise(&tape, &x, [1.0, -1.0], 0.1, DRAW).expect_err("negative").to_string();
            assert_eq!(message, "stretch: a = 1 and b = -1 are not two positive numbers");
            Ok(())
        });
    }
}
