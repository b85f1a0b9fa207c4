//! A telescope's aperture and its autocorrelation, which is the transfer function of perfect optics (Goodman 2005,
//! "Introduction to Fourier Optics", §6.3): at the frequency f and the wavelength λ the aperture's overlap with
//! itself shifted by λf.

use super::even::EvenSamples;

/// Cells of the aperture's grid across its radius, and lines across a cell at which it is looked at.
const CELLS: usize = 128;
const LINES: usize = 4;
/// Side of the periodic plane, radii: room for a shift by the diameter.
const PERIOD: f64 = 4.0;

/// The overlap of an aperture of radius 1 with itself: symmetric about the two axes and their diagonals, 1 at no
/// shift.
pub(super) struct Overlap {
    /// At shifts of i and j cells, row-major, `SIDE` each way.
    table: Vec<f64>,
}

/// Shifts up to the diameter and one more, between which to interpolate.
const SIDE: usize = 2 * CELLS + 2;

impl Overlap {
    /// Of a disc of radius 1 with a central obscuration of radius `obscuration` and a cross of vanes along the axes,
    /// each `vane` wide.
    pub(super) fn new(obscuration: f64, vane: f64) -> Self {
        let clear = |x: f64, y: f64| {
            let r2 = x * x + y * y;
            let open = r2 <= 1.0 && r2 >= obscuration * obscuration;
            open && x.abs() > 0.5 * vane && y.abs() > 0.5 * vane
        };
        // Cells about whole multiples of their side, by the part of each that is open.
        let side = CELLS + 1;
        let line =
            |i: usize, part: usize| (i as f64 - 0.5 + (part as f64 + 0.5) / LINES as f64) / CELLS as f64;
        let open = |k: usize| {
            let parts =
                (0..LINES * LINES).filter(|p| clear(line(k % side, p % LINES), line(k / side, p / LINES)));
            parts.count() as f64 / (LINES * LINES) as f64
        };
        let aperture = EvenSamples::new(1.0 / CELLS as f64, side, (0..side * side).map(open).collect());
        // The autocorrelation is the transform of the transform's squared modulus.
        let frequencies: Vec<f64> = (0..2 * CELLS).map(|k| k as f64 / PERIOD).collect();
        let power = aperture.transfer(&frequencies, &frequencies).into_iter().map(|s| s * s).collect();
        let shifts: Vec<f64> = (0..SIDE).map(|k| k as f64 / CELLS as f64).collect();
        let mut table = EvenSamples::new(1.0 / PERIOD, 2 * CELLS, power).transfer(&shifts, &shifts);
        // A half-open cell overlaps its neighbours as it should, but itself too little.
        let whole = aperture.total() * (PERIOD * CELLS as f64).powi(2);
        table.iter_mut().for_each(|value| *value /= whole);
        table[0] = 1.0;
        Overlap { table }
    }

    /// The overlap at a shift by (u, v) radii, interpolated linearly; 0 from a diameter on.
    pub(super) fn at(&self, u: f64, v: f64) -> f64 {
        if u * u + v * v >= 4.0 {
            return 0.0;
        }
        let (u, v) = (u.abs() * CELLS as f64, v.abs() * CELLS as f64);
        let (i, j) = (v as usize, u as usize);
        let (a, b) = (v - i as f64, u - j as f64);
        let row = |i: usize| (1.0 - b) * self.table[i * SIDE + j] + b * self.table[i * SIDE + j + 1];
        (1.0 - a) * row(i) + a * row(i + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    /// The area that two discs of radii `a` and `b` share, their centres `d` apart.
    fn lens(a: f64, b: f64, d: f64) -> f64 {
        if d >= a + b {
            return 0.0;
        }
        if d <= (a - b).abs() {
            return PI * a.min(b).powi(2);
        }
        let angle = |a: f64, b: f64| ((d * d + a * a - b * b) / (2.0 * d * a)).acos();
        let (alpha, beta) = (angle(a, b), angle(b, a));
        a * a * (alpha - 0.5 * (2.0 * alpha).sin()) + b * b * (beta - 0.5 * (2.0 * beta).sin())
    }

    #[test]
    fn an_annulus_overlaps_itself_as_its_discs_do() {
        let hole = 0.37;
        let overlap = Overlap::new(hole, 0.0);
        let whole = PI * (1.0 - hole * hole);
        for shift in [0.0, 0.1, 0.33, 0.75, 1.2, 1.49, 1.9, 1.99, 2.1] {
            let shared = lens(1.0, 1.0, shift) - 2.0 * lens(1.0, hole, shift) + lens(hole, hole, shift);
            for angle in [0.0f64, 0.3, 0.8] {
                let value = overlap.at(shift * angle.cos(), -shift * angle.sin());
                assert!((value - shared / whole).abs() < 2e-4, "{shift} {angle}: {value} {}", shared / whole);
            }
        }
    }

    // GalSim 2.8.5: Aperture(diam=1, obscuration=0.39, nstruts=4, strut_thick=0.04, strut_angle=0°), its
    // `illuminated` cells of 0.00107 correlated with themselves by FFT; they are open or not, which errs by 1e-3.
    #[test]
    fn an_aperture_with_vanes_overlaps_itself_as_galsims_does() {
        let overlap = Overlap::new(0.39, 0.08);
        for (u, v, galsims) in [
            (0.1, 0.0, 0.75202),
            (0.25, 0.1, 0.41886),
            (0.45, 0.45, 0.22085),
            (0.02, 0.6, 0.27756),
            (0.8, -0.3, 0.07014),
        ] {
            // GalSim's unit is the diameter.
            let value = overlap.at(2.0 * u, 2.0 * v);
            assert!((value - galsims).abs() < 1.5e-3, "{u} {v}: {value} {galsims}");
        }
    }
}
