//! Additive Gaussian noise: y = x + σ·N(0, 1), independent for each element, so ∂L/∂x = g.

use super::draw::Draw;
use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::{Gpu, Tape, Tensor, Var};
use crate::rng::{self, Stream};
use crate::{Error, Result};

static NOISE: Source = Source {
    name: "noise",
    parts: &[
        include_str!("../../../shaders/philox.wgsl"),
        include_str!("../../../shaders/ln_1p.wgsl"),
        include_str!("../../../shaders/noise.wgsl"),
    ],
    in_bounds: true,
};

pub(super) const KERNELS: &[&Source] = &[&NOISE];

fn launch(gpu: &Gpu, x: &Tensor, sigma: f32, draw: Draw) -> Result<Tensor> {
    let y = gpu.tensor(x.shape())?;
    let [low, high, step, layer, stream] = draw.words(Stream::Noise);
    let words = [low, high, step, layer, stream, sigma.to_bits()];
    gpu.launch(&NOISE, &[], &[x, &y], &words, linear_grid(x.len().div_ceil(4), 64))?;
    Ok(y)
}

/// `x` plus normal noise of standard deviation `sigma`; of the shape of `x`.
///
/// # Errors
/// `sigma` is negative or not finite.
pub fn noise(tape: &Tape, x: &Var, sigma: f32, draw: Draw) -> Result<Var> {
    if !(sigma >= 0.0 && sigma.is_finite()) {
        return Err(Error::shape("noise", format!("the standard deviation {sigma} is not at least 0")));
    }
    let y = launch(tape.gpu(), x.value(), sigma, draw)?;
    Ok(tape.push(y, &[x], |g| Ok(vec![Some(g.clone())])))
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
            for n in [1, 2, 3, 255, 1030, 70_001] {
                let x = check::random(&[n], 1, 1.0);
                let got = gpu.read(&launch(gpu, &gpu.upload(&[n], &x)?, 0.7, DRAW)?)?;
                check::close("noise", &got, noise_reference(&check::f64s(&x), f64::from(0.7_f32), DRAW));
            }
            Ok(())
        });
    }

    #[test]
    fn its_numbers_are_those_of_the_host() {
        check::on_every_gpu(|gpu| {
            let got = gpu.read(&launch(gpu, &gpu.upload(&[4000], &[0.0; 4000])?, 1.0, DRAW)?)?;
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
            let y = gpu.read(&launch(gpu, &gpu.upload(&[n], &vec![0.0; n])?, 0.01, DRAW)?)?;
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
    }

    #[test]
    fn a_negative_sigma_is_an_error() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.constant(&gpu.upload(&[1], &[1.0])?);
            let message = noise(&tape, &x, -0.1, DRAW).expect_err("negative").to_string();
            assert_eq!(message, "noise: the standard deviation -0.1 is not at least 0");
            Ok(())
        });
    }
}
