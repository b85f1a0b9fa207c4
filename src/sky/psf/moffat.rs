//! The circular Moffat (1969, A&A 3, 455) profile p(r) = (β−1)/(π α²) (1 + r²/α²)^(−β).

use statrs::function::gamma::ln_gamma;
use std::f64::consts::{LN_2, PI, TAU};

/// α from the full width at half maximum, in its unit.
fn alpha(fwhm: f64, beta: f64) -> f64 {
    0.5 * fwhm / ((LN_2 / beta).exp_m1()).sqrt()
}

/// p(r), per unit of area.
pub(super) fn density(fwhm: f64, beta: f64, r: f64) -> f64 {
    let alpha = alpha(fwhm, beta);
    let x = r / alpha;
    (beta - 1.0) / (PI * alpha * alpha) * (1.0 + x * x).powf(-beta)
}

/// The light within r: 1 − (1 + r²/α²)^(1−β).
pub(super) fn light_within(fwhm: f64, beta: f64, r: f64) -> f64 {
    let x = r / alpha(fwhm, beta);
    -((1.0 - beta) * (x * x).ln_1p()).exp_m1()
}

/// The radius within which all but `rest` of the light lies.
pub(super) fn radius_of_all_but(fwhm: f64, beta: f64, rest: f64) -> f64 {
    alpha(fwhm, beta) * (rest.ln() / (1.0 - beta)).exp_m1().sqrt()
}

/// The transfer function at frequency f (cycles per unit of the FWHM).
pub(super) fn transfer(fwhm: f64, beta: f64, f: f64) -> f64 {
    transfer_of(TAU * f * alpha(fwhm, beta), beta - 1.0)
}

/// At u = 2π f α: 2 (u/2)^ν K_ν(u) / Γ(ν), ν = β − 1 (Hankel transform of (1 + r²)^(−β), Gradshteyn & Ryzhik
/// 6.565.4), with K_ν(u) = ∫₀^∞ exp(−u cosh t) cosh(νt) dt by the trapezoid rule, which converges geometrically
/// for this integrand.
fn transfer_of(u: f64, nu: f64) -> f64 {
    if u < 1e-6 {
        return 1.0;
    }
    let step = 0.1;
    let scale = LN_2 + nu * (0.5 * u).ln() - ln_gamma(nu);
    let term = |t: f64| {
        let common = scale - u * t.cosh();
        0.5 * ((common + nu * t).exp() + (common - nu * t).exp())
    };
    let mut sum = 0.5 * term(0.0);
    let mut t = step;
    loop {
        let value = term(t);
        sum += value;
        // Past the maximum at sinh t ≈ ν/u the terms only fall.
        if value <= 1e-18 * sum && u * t.sinh() > nu {
            return sum * step;
        }
        t += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_integer_moffat_has_the_elementary_transfer_function() {
        // ν = 1/2: 2 (u/2)^½ √(π/2u) e^(−u) / Γ(½) = e^(−u).
        for u in [0.01, 0.5, 3.0, 15.0] {
            assert!((transfer_of(u, 0.5) / (-u).exp() - 1.0).abs() < 1e-12);
        }
        // ν = 3/2: (1 + u) e^(−u).
        for u in [1e-5, 0.5, 3.0, 30.0] {
            assert!((transfer_of(u, 1.5) / ((1.0 + u) * (-u).exp()) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_light_within_is_the_integral_of_the_density() {
        let (fwhm, beta, steps) = (0.17, 1.85, 20_000);
        for end in [0.05, 0.4, 3.0] {
            let step = end / f64::from(steps);
            let sum: f64 = (0..steps)
                .map(|i| (f64::from(i) + 0.5) * step)
                .map(|r| density(fwhm, beta, r) * TAU * r * step)
                .sum();
            assert!((sum - light_within(fwhm, beta, end)).abs() < 1e-6, "{end}: {sum}");
        }
        let far = radius_of_all_but(fwhm, beta, 1e-3);
        assert!((light_within(fwhm, beta, far) - 0.999).abs() < 1e-12);
    }
}
