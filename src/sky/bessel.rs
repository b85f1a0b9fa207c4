//! The Bessel function J₀.

use std::f64::consts::{FRAC_PI_4, PI};

/// Where the integral hands over to the expansion for large arguments.
const LARGE: f64 = 40.0;

/// J₀(x), x ≥ 0, to 1e-12: (1/π) ∫₀^π cos(x cos θ) dθ (DLMF 10.9.1) by the midpoint rule, whose error for N points is
/// of the order of J_2N(x), nothing for x < 40 and N = 80. By symmetry half of the points do.
pub(super) fn j0(x: f64) -> f64 {
    if x > LARGE {
        return asymptotic(x);
    }
    let points = if x < 8.0 { 16 } else { 40 };
    (0..points).map(|i| (x * (PI * (f64::from(i) + 0.5) / f64::from(2 * points)).cos()).cos()).sum::<f64>()
        / f64::from(points)
}

/// Hankel's expansion for large arguments (DLMF 10.17.3), to x^−8.
fn asymptotic(x: f64) -> f64 {
    let y = 1.0 / (8.0 * x);
    let y2 = y * y;
    let p = 1.0 - y2 * (4.5 - y2 * (459.375 - y2 * (150_077.812_5 - y2 * 101_905_514.648)));
    let q = -y * (1.0 - y2 * (37.5 - y2 * (7441.875 - y2 * 3_623_307.589_3)));
    let (sin, cos) = (x - FRAC_PI_4).sin_cos();
    (2.0 / (PI * x)).sqrt() * (p * cos - q * sin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j0_has_its_known_values_and_zeros() {
        // Abramowitz & Stegun, table 9.1 (values) and 9.5 (zeros).
        for (x, value) in [(0.0, 1.0), (1.0, 0.765_197_686_557_966_6), (10.0, -0.245_935_764_451_348_34)] {
            assert!((j0(x) - value).abs() < 1e-13, "{x}");
        }
        for zero in [2.404_825_557_695_773, 5.520_078_110_286_311, 30.634_606_468_431_975] {
            assert!(j0(zero).abs() < 1e-13, "{zero}: {}", j0(zero));
        }
    }

    #[test]
    fn the_ways_to_compute_it_agree_where_they_meet() {
        for x in [35.0, 38.3, 39.9] {
            assert!((asymptotic(x) - j0(x)).abs() < 1e-12, "{x}: {} {}", asymptotic(x), j0(x));
        }
        assert!((j0(8.0 - 1e-12) - j0(8.0)).abs() < 1e-11);
    }
}
