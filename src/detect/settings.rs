//! What a user chooses; the defaults are SExtractor's.

use crate::{Error, Result};

/// How sources are found.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How far a smoothed pixel must lie above the sky, in standard deviations of an *unsmoothed* pixel's noise.
    pub threshold: f64,
    /// Connected pixels that make a source, at least.
    pub min_area: usize,
    /// What the image is smoothed with before the threshold.
    pub kernel: Kernel,
    /// Side of the cells in which the sky is measured, pixels: well above the largest source, well below the scale on
    /// which the sky changes.
    pub mesh: usize,
    /// Cells along a side over whose median each cell is replaced, an odd number; 1 keeps them as they are.
    pub mesh_filter: usize,
    /// Whether the sky's level is subtracted. Its noise is measured anyway where there is no rms map.
    pub subtract: bool,
    /// Thresholds at which a composite is looked at, spaced evenly in the logarithm; 1 or less takes nothing apart.
    pub deblend_levels: usize,
    /// Part of the composite's light that a branch must have to be a source of its own.
    pub deblend_contrast: f64,
    /// Exponent β of the wings, (1 + αr²)^−β, by which neighbours may explain a detection away; `None` keeps all.
    pub clean: Option<f64>,
    /// Whether pixels of exactly zero are without data, as they are in mosaics of floating point numbers.
    pub blank_zeros: bool,
    /// Half the side, in pixels, of the largest window in which a source's light is summed.
    pub largest: usize,
    /// Pixels of an image that are worked on at once: memory, not results, depends on it.
    pub pixels_at_once: usize,
    /// Of the random numbers by which a composite's faint pixels are dealt out to its sources.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            threshold: 1.5,
            min_area: 5,
            kernel: Kernel::pyramid(),
            mesh: 64,
            mesh_filter: 3,
            subtract: true,
            deblend_levels: 32,
            deblend_contrast: 0.005,
            clean: Some(1.0),
            blank_zeros: false,
            largest: 2_000,
            pixels_at_once: 1 << 23,
            seed: 1,
        }
    }
}

impl Settings {
    /// # Errors
    /// [`Error::Usage`] for a value that makes no sense, named.
    pub(super) fn check(&self) -> Result<()> {
        let usage = |text: String| Err(Error::Usage(text));
        if !(self.threshold > 0.0 && self.threshold.is_finite()) {
            return usage(format!("the detection threshold must be positive, not {}", self.threshold));
        }
        for (name, value) in [
            ("the smallest area of a source", self.min_area),
            ("the background's mesh", self.mesh),
            ("the largest window", self.largest),
            ("the pixels worked on at once", self.pixels_at_once),
        ] {
            if value == 0 {
                return usage(format!("{name} must be at least 1 pixel"));
            }
        }
        if self.mesh_filter.is_multiple_of(2) {
            return usage(format!("the mesh's median filter must be odd, not {}", self.mesh_filter));
        }
        if !(0.0..=1.0).contains(&self.deblend_contrast) {
            return usage(format!(
                "the deblending contrast is a part of the light, 0 to 1, not {}",
                self.deblend_contrast
            ));
        }
        if self.clean.is_some_and(|beta| !(0.1..=10.0).contains(&beta)) {
            return usage("the exponent of cleaning must lie between 0.1 and 10".into());
        }
        Ok(())
    }
}

/// An image to smooth with: an odd number of pixels along both sides, scaled to a sum of 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    width: usize,
    weights: Vec<f32>,
}

impl Kernel {
    /// A kernel of `width` columns, row-major; it is not turned, so that a point spread function serves as it is.
    ///
    /// # Errors
    /// [`Error::Usage`] where a side is even, or the sum not positive.
    pub fn new(width: usize, weights: &[f64]) -> Result<Self> {
        let odd = |n: usize| n % 2 == 1;
        if !odd(width) || !weights.len().is_multiple_of(width) || !odd(weights.len() / width) {
            return Err(Error::Usage(format!(
                "a kernel needs an odd number of rows and columns, not {} pixels in rows of {width}",
                weights.len()
            )));
        }
        let sum: f64 = weights.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return Err(Error::Usage(format!("a kernel must have a positive sum, not {sum}")));
        }
        Ok(Kernel { width, weights: weights.iter().map(|w| (w / sum) as f32).collect() })
    }

    /// SExtractor's default: 3×3 pixels, (1 2 1; 2 4 2; 1 2 1)/16, about a star of 2 pixels FWHM.
    pub fn pyramid() -> Self {
        let weights = [1.0, 2.0, 1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 1.0].map(|w| w / 16.0);
        Kernel { width: 3, weights: weights.to_vec() }
    }

    /// No smoothing.
    pub fn none() -> Self {
        Kernel { width: 1, weights: vec![1.0] }
    }

    /// A Gaussian of this full width at half maximum, pixels, out to 1.2 times it.
    ///
    /// # Errors
    /// [`Error::Usage`] unless the width lies between 0 and 100 pixels.
    pub fn gaussian(fwhm: f64) -> Result<Self> {
        if !(fwhm > 0.0 && fwhm <= 100.0) {
            return Err(Error::Usage(format!(
                "a kernel's FWHM must lie between 0 and 100 pixels, not {fwhm}"
            )));
        }
        let half = (1.2 * fwhm).round().max(1.0) as i32;
        let at = |d: i32| (-4.0 * std::f64::consts::LN_2 * f64::from(d * d) / (fwhm * fwhm)).exp();
        let weights: Vec<f64> =
            (-half..=half).flat_map(|y| (-half..=half).map(move |x| at(x) * at(y))).collect();
        Kernel::new(2 * half as usize + 1, &weights)
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.weights.len() / self.width
    }

    /// Row-major, of sum 1.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_sum_to_one() {
        for kernel in [Kernel::pyramid(), Kernel::none(), Kernel::gaussian(3.0).unwrap()] {
            assert!((kernel.weights().iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert_eq!((kernel.width() % 2, kernel.height() % 2), (1, 1));
        }
        let gaussian = Kernel::gaussian(2.0).unwrap();
        assert_eq!(gaussian.width(), 5);
        // Half a FWHM from the middle it has half its height.
        assert!((gaussian.weights()[11] / gaussian.weights()[12] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn settings_without_sense_are_named() {
        let message = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(message(|s| s.threshold = -1.0).contains("threshold must be positive, not -1"));
        assert!(message(|s| s.threshold = f64::NAN).contains("threshold"));
        assert!(message(|s| s.mesh = 0).contains("mesh must be at least 1"));
        assert!(message(|s| s.mesh_filter = 2).contains("odd"));
        assert!(message(|s| s.deblend_contrast = 2.0).contains("contrast"));
        assert!(message(|s| s.clean = Some(0.0)).contains("cleaning"));
        assert!(Kernel::new(2, &[1.0; 4]).is_err() && Kernel::new(1, &[-1.0]).is_err());
        assert!(Kernel::gaussian(f64::NAN).is_err());
    }
}
