//! The core's Hankel transform as a matrix: f̂(κ) = 2π ∫ f(ρ) J₀(κρ) ρ dρ for many functions f on the same ρ in
//! [0, `END`] and the same κ in [0, highest], lengths in units of the core's radius.
//!
//! ρ = L ln(1 + eˢ) is logarithmic inside L and linear outside; the trapezoid rule in s converges geometrically. J₀
//! at all pairs of ρ and κ is computed once, and a galaxy then costs its values at the ρ and one product.

use super::bessel::j0;
use std::f64::consts::TAU;

/// f is zero beyond: there the core's window is below 1e-10.
pub(super) const END: f64 = 5.6;
/// Phase κ·Δρ between nodes at the highest κ.
const PHASE_STEP: f64 = 1.9;
/// Step of s.
const STRETCH_STEP: f64 = 0.2;
/// The innermost node, where ρ² has made any Sérsic cusp (to n = 10) negligible.
const INNERMOST: f64 = 1e-12;
/// Spacing of the κ, fine enough for the cubic between them.
pub(super) const WAVE_STEP: f64 = 0.125;

/// The matrix of one highest κ.
pub(super) struct Hankel {
    /// ln ρ of the nodes, inward.
    pub(super) ln_radii: Vec<f64>,
    /// 2π ρ dρ/ds Δs of the nodes.
    weights: Vec<f64>,
    waves: usize,
    /// J₀(κ ρ): a column of `waves` values a node.
    matrix: Vec<f64>,
}

impl Hankel {
    /// For κ = i·[`WAVE_STEP`] from i = −2 (by symmetry) to two past `highest`.
    pub(super) fn new(highest: f64) -> Self {
        let length = PHASE_STEP / highest / STRETCH_STEP;
        let (mut radii, mut weights) = (Vec::new(), Vec::new());
        let mut s = inverse_stretch(END / length);
        loop {
            let r = length * stretch(s);
            if r < INNERMOST {
                break;
            }
            radii.push(r);
            weights.push(TAU * r * length / (1.0 + (-s).exp()) * STRETCH_STEP);
            s -= STRETCH_STEP;
        }
        let waves = (highest / WAVE_STEP).ceil() as usize + 1 + 2 * super::cubic::GUARD;
        let matrix = radii
            .iter()
            .flat_map(|r| {
                (0..waves).map(move |i| j0((i as f64 - super::cubic::GUARD as f64).abs() * WAVE_STEP * r))
            })
            .collect();
        Hankel { ln_radii: radii.into_iter().map(f64::ln).collect(), weights, waves, matrix }
    }

    /// Writes f̂ at the κ for the values of f at the first nodes; it must be negligible at the others.
    pub(super) fn transform(&self, values: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.resize(self.waves, 0.0);
        for ((value, weight), column) in
            values.iter().zip(&self.weights).zip(self.matrix.chunks_exact(self.waves))
        {
            let value = value * weight;
            for (sum, j0) in out.iter_mut().zip(column) {
                *sum += value * j0;
            }
        }
    }

    /// Bounds f's share of the integral inside of node `node` where f is at most `value` there: π ρ² f.
    pub(super) fn inside(&self, node: usize, value: f64) -> f64 {
        0.5 * TAU * (2.0 * self.ln_radii[node]).exp() * value
    }
}

fn stretch(s: f64) -> f64 {
    if s > 30.0 { s } else { s.exp().ln_1p() }
}

fn inverse_stretch(y: f64) -> f64 {
    if y > 30.0 { y } else { y.exp_m1().ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gaussian_becomes_a_gaussian() {
        // 2π ∫ exp(−ρ²) J₀(κρ) ρ dρ = π exp(−κ²/4).
        for highest in [4.0, 60.0] {
            let hankel = Hankel::new(highest);
            let values: Vec<f64> = hankel.ln_radii.iter().map(|l| (-(2.0 * l).exp()).exp()).collect();
            let mut out = Vec::new();
            hankel.transform(&values, &mut out);
            for (i, value) in out.iter().enumerate() {
                let k = (i as f64 - 2.0) * WAVE_STEP;
                let expected = 0.5 * TAU * (-0.25 * k * k).exp();
                assert!((value - expected).abs() < 1e-9, "{highest} {k}: {value} {expected}");
            }
        }
    }
}
