//! Weighted least squares of a few unknowns, by the normal equations.

/// The sums of a least-squares problem of `N` unknowns: A x = b with A = Σ w cᵢ cⱼ, b = Σ w cᵢ d over pixels of
/// weights w, values d and columns c.
pub(super) struct Normal<const N: usize> {
    a: [[f64; N]; N],
    b: [f64; N],
}

impl<const N: usize> Normal<N> {
    pub(super) fn new() -> Self {
        Normal { a: [[0.0; N]; N], b: [0.0; N] }
    }

    /// Adds a pixel.
    pub(super) fn add(&mut self, weight: f64, columns: &[f64; N], value: f64) {
        for (i, (row, b)) in self.a.iter_mut().zip(&mut self.b).enumerate() {
            let scaled = weight * columns[i];
            *b += scaled * value;
            for (element, column) in row.iter_mut().zip(&columns[..=i]) {
                *element += scaled * column;
            }
        }
    }

    /// The unknowns and their covariance, for weights that are inverse variances; an unknown that no pixel tells
    /// apart from those before it is left at zero, with a variance of zero.
    pub(super) fn solve(&self) -> ([f64; N], [[f64; N]; N]) {
        // Cholesky: A = L Lᵀ, with the rows and columns of what is not determined left out.
        let mut l = [[0.0; N]; N];
        let mut kept = [true; N];
        for i in 0..N {
            for j in 0..=i {
                let sum: f64 = self.a[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
                if i == j {
                    kept[i] = sum > 1e-10 * self.a[i][i] && sum.is_finite();
                    l[i][i] = if kept[i] { sum.sqrt() } else { 0.0 };
                } else {
                    l[i][j] = if kept[j] { sum / l[j][j] } else { 0.0 };
                }
            }
            if !kept[i] {
                l[i] = [0.0; N];
            }
        }
        let back = |b: &[f64; N]| {
            let mut x = [0.0; N];
            for i in (0..N).filter(|&i| kept[i]) {
                x[i] = (b[i] - (0..i).map(|k| l[i][k] * x[k]).sum::<f64>()) / l[i][i];
            }
            for i in (0..N).rev().filter(|&i| kept[i]) {
                x[i] = (x[i] - (i + 1..N).map(|k| l[k][i] * x[k]).sum::<f64>()) / l[i][i];
            }
            x
        };
        let mut covariance = [[0.0; N]; N];
        for i in (0..N).filter(|&i| kept[i]) {
            let mut unit = [0.0; N];
            unit[i] = 1.0;
            covariance[i] = back(&unit);
        }
        (back(&self.b), covariance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_exact_points_is_found_with_the_textbook_errors() {
        let mut sums = Normal::<2>::new();
        for x in 0..7 {
            let x = f64::from(x);
            sums.add(4.0, &[1.0, x], 3.0 - 0.5 * x);
        }
        let ([at_zero, slope], covariance) = sums.solve();
        assert!((at_zero - 3.0).abs() < 1e-12 && (slope + 0.5).abs() < 1e-12);
        // σ² of the slope: σ² / Σ (x − x̄)² = 0.25 / 28; of the value at zero: σ² Σ x² / (n Σ (x − x̄)²).
        assert!((covariance[1][1] - 0.25 / 28.0).abs() < 1e-12);
        assert!((covariance[0][0] - 0.25 * 91.0 / (7.0 * 28.0)).abs() < 1e-12);
    }

    #[test]
    fn what_the_pixels_do_not_tell_stays_at_zero() {
        let mut sums = Normal::<3>::new();
        for x in 0..5 {
            let x = f64::from(x);
            // The second column is the first again, twice as large.
            sums.add(1.0, &[x, 2.0 * x, 1.0], 6.0 * x + 1.0);
        }
        let (found, covariance) = sums.solve();
        assert!((found[0] - 6.0).abs() < 1e-9 && found[1] == 0.0 && (found[2] - 1.0).abs() < 1e-9);
        assert_eq!(covariance[1], [0.0; 3]);
    }
}
