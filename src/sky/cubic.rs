//! A smooth function of one variable, tabulated: between equidistant values lies the cubic that has their values and
//! slopes (Hermite), the slopes taken from five values. Errs by step⁴/384 of the fourth derivative.

/// Values that must be known before the first and after the last interval.
pub(super) const GUARD: usize = 2;

/// Piecewise cubic on intervals of length one; refilled, never shrunk, so that it allocates once.
#[derive(Default)]
pub(super) struct Cubic(Vec<[f64; 4]>);

impl Cubic {
    /// The function whose values at −`GUARD`, 1 − `GUARD`, … are `values`: at least 2·`GUARD` + 1 of them.
    pub(super) fn fill(&mut self, values: &[f64]) {
        let slope = |i: usize| (values[i - 2] - values[i + 2] + 8.0 * (values[i + 1] - values[i - 1])) / 12.0;
        self.0.clear();
        let mut left = slope(GUARD);
        for i in GUARD..values.len() - GUARD - 1 {
            let (rise, right) = (values[i + 1] - values[i], slope(i + 1));
            self.0.push([values[i], left, 3.0 * rise - 2.0 * left - right, left + right - 2.0 * rise]);
            left = right;
        }
    }

    /// As [`Cubic::fill`], and zero from the last value on.
    pub(super) fn fill_ending_dark(&mut self, values: &[f64]) {
        self.fill(values);
        self.0.push([0.0; 4]);
    }

    /// At `position`, 0 to 2³¹; past the end the last interval's cubic goes on. At a boundary either interval may be
    /// taken, as both have its value.
    #[inline]
    pub(super) fn at(&self, position: f64) -> f64 {
        // The sum is rounded to a whole number, which stands in its lowest bits: quicker than a cast.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        let whole = position - 0.5 + WHOLE;
        let i = (whole.to_bits() as u32 as usize).min(self.0.len() - 1);
        let [a, b, c, d] = self.0[i];
        let t = position - (whole - WHOLE);
        ((d * t + c) * t + b) * t + a
    }

    /// Hands the function's values at the square roots of `squares(i)`, for all i of `range`, to `take`. The roots are
    /// drawn a handful at a time, which compilers know to do side by side.
    #[inline]
    pub(super) fn at_roots(
        &self,
        range: std::ops::Range<usize>,
        squares: impl Fn(usize) -> f64,
        mut take: impl FnMut(usize, f64),
    ) {
        const HANDFUL: usize = 32;
        let mut roots = [0.0; HANDFUL];
        let mut first = range.start;
        while first < range.end {
            let count = HANDFUL.min(range.end - first);
            for (j, root) in roots.iter_mut().enumerate() {
                *root = squares(first + j).max(0.0).sqrt();
            }
            for (j, root) in roots[..count].iter().enumerate() {
                take(first + j, self.at(*root));
            }
            first += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_itself_and_a_sine_nearly() {
        let table = |f: &dyn Fn(f64) -> f64, n: usize| {
            let mut cubic = Cubic::default();
            cubic.fill(&(0..n).map(|i| f(i as f64 - GUARD as f64)).collect::<Vec<_>>());
            cubic
        };
        let f = |x: f64| 2.0 - x + 0.5 * x * x - 3.0 * x * x * x;
        let exact = table(&f, 9);
        for x in [0.0, 0.3, 1.0, 3.99] {
            assert!((exact.at(x) - f(x)).abs() < 1e-11, "{x}");
        }
        let step = 0.1;
        let wave = |x: f64| (step * x).sin();
        let table = table(&wave, 70);
        for i in 0..640 {
            let x = 0.1 * f64::from(i);
            assert!((table.at(x) - wave(x)).abs() < 1.2 * step.powi(4) / 384.0, "{x}");
        }
    }

    #[test]
    fn roots_are_taken_in_order_and_all() {
        let mut table = Cubic::default();
        table.fill(&(0..90).map(|i| f64::from(i) - 2.0).collect::<Vec<_>>());
        let mut taken = Vec::new();
        table.at_roots(3..80, |i| (i * i) as f64, |i, value| taken.push((i, value)));
        assert_eq!(taken, (3..80).map(|i| (i, i as f64)).collect::<Vec<_>>());
    }

    #[test]
    fn past_its_end_a_dark_table_is_zero() {
        let mut cubic = Cubic::default();
        cubic.fill_ending_dark(&[1.0; 6]);
        assert_eq!((cubic.at(0.9), cubic.at(1.1), cubic.at(70.5)), (1.0, 0.0, 0.0));
    }
}
