//! Dropout: y = x·m/(1 − p), where each element of the mask m is 0 with probability p and 1
//! otherwise, so that the mean of y stays x. ∂L/∂x = g·m/(1 − p): the same kernel with the same
//! draw, or, of what a rectifier made, g/(1 − p) where y > 0.

use super::draw::Draw;
use super::fours;
use super::words::{self, ByNumbers};
use crate::engine::gpu::Source;
use crate::engine::{Gpu, Masks, Tape, Tensor, Var};
use crate::rng::{self, Stream};
use crate::{Error, Result};

static DROPOUT: ByNumbers = fours::by_fours!("dropout");

pub(super) const KERNELS: &[&Source] = &[&DROPOUT[0], &DROPOUT[1]];

fn launch(gpu: &Gpu, x: &Tensor, probability: f32, draw: Draw) -> Result<Tensor> {
    let [low, high, step, layer, stream] = draw.words(Stream::Dropout);
    let scale = 1.0 / (1.0 - probability);
    let words = [low, high, step, layer, stream, probability.to_bits(), scale.to_bits()];
    fours::launch(gpu, &DROPOUT, &[], x, &words)
}

/// `x` with each element set to 0 with the given probability and divided by 1 − probability
/// otherwise; of the shape of `x`.
///
/// # Errors
/// The probability is not in [0, 1).
pub fn dropout(tape: &Tape, x: &Var, probability: f32, draw: Draw) -> Result<Var> {
    if !(0.0..1.0).contains(&probability) {
        return Err(Error::shape("dropout", format!("the probability {probability} is not in [0, 1)")));
    }
    let gpu = tape.gpu().clone();
    let y = launch(&gpu, x.value(), probability, draw)?;
    if let Some(factor) = x.rectified() {
        // What dropout leaves of a rectifier's output is positive where that was and was not dropped. Masked by it and
        // multiplied, a gradient needs neither a mask of x nor a second draw.
        let masks = Masks { of_output: Some(factor / (1.0 - probability)), of_input: true };
        return Ok(tape.push_with(masks, y, &[x], |g| Ok(vec![Some(g.clone())])));
    }
    Ok(tape.push(y, &[x], move |g| Ok(vec![Some(launch(&gpu, g, probability, draw)?)])))
}

/// The f64 reference of [`dropout`], in both directions.
pub fn dropout_reference(x: &[f64], probability: f32, draw: Draw) -> Vec<f64> {
    let kept = |i: usize| {
        let word = draw.block(Stream::Dropout, (i / 4) as u32)[i % 4];
        rng::unit_f32(word) >= probability
    };
    let scale = 1.0 / (1.0 - f64::from(probability));
    x.iter().enumerate().map(|(i, x)| if kept(i) { x * scale } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    const DRAW: Draw = Draw { seed: 0x1234_5678_9ABC_DEF0, layer: 3, step: 17 };

    #[test]
    fn both_directions_match_the_reference() {
        check::on_every_gpu(|gpu| {
            for (n, p) in
                [(1, 0.5), (3, 0.15), (4, 0.15), (255, 0.9), (256, 0.9), (1030, 0.15), (70_001, 0.3)]
            {
                let x = check::random(&[n], 1, 2.0);
                let got = gpu.read(&launch(gpu, &gpu.upload(&[n], &x)?, p, DRAW)?)?;
                check::close("dropout", &got, dropout_reference(&check::f64s(&x), p, DRAW));
            }
            Ok(())
        });
    }

    #[test]
    fn the_dropped_fraction_is_the_probability() {
        check::on_every_gpu(|gpu| {
            let (n, p) = (100_000, 0.15);
            let ones = gpu.upload(&[n], &vec![1.0; n])?;
            let y = gpu.read(&launch(gpu, &ones, p, DRAW)?)?;
            let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64;
            // Five standard errors of a binomial count.
            let (expected, sigma) = (0.15 * n as f64, (n as f64 * 0.15 * 0.85).sqrt());
            assert!((dropped - expected).abs() < 5.0 * sigma, "{dropped} of {n} dropped");
            Ok(())
        });
    }

    #[test]
    fn another_step_layer_or_seed_drops_others() {
        check::on_every_gpu(|gpu| {
            let ones = gpu.upload(&[64], &[1.0; 64])?;
            let mask = |draw| gpu.read(&launch(gpu, &ones, 0.5, draw)?);
            let first = mask(DRAW)?;
            assert_eq!(first, mask(DRAW)?);
            for other in [Draw { step: 18, ..DRAW }, Draw { layer: 4, ..DRAW }, Draw { seed: 1, ..DRAW }] {
                assert_ne!(first, mask(other)?, "{other:?}");
            }
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        check::gradients("dropout", &[&[5, 7]], 0.1, |tape, v| dropout(tape, &v[0], 0.4, DRAW));
    }

    #[test]
    fn a_probability_of_one_is_an_error() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.constant(&gpu.upload(&[1], &[1.0])?);
            let message = dropout(&tape, &x, 1.0, DRAW).expect_err("nothing is kept").to_string();
            assert_eq!(message, "dropout: the probability 1 is not in [0, 1)");
            Ok(())
        });
    }
}
