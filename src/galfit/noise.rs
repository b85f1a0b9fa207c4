//! The noise of each pixel that a fit weighs with: GALFIT's sigma image.

use crate::fits::Background;

/// What is known of an image's noise, in the image's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Standard deviation of the sky in a pixel.
    pub sky: f64,
    /// How many electrons or photons make one unit: the exposure time where a pixel holds a rate. None where it is not
    /// known; the photons of the source then have no noise.
    pub electrons: Option<f64>,
}

impl Noise {
    /// Of an image by what was told or stands in its header, in this order: `sky` as given, as the data set states it,
    /// of the image's border; `exposure` as given, as the data set states it, and, of an image of a rate, in its header. An
    /// exposure of 1 s in the header of a rate says only that it is one.
    pub fn of(
        border: &Background,
        unit: Option<&str>,
        header_exposure: Option<f64>,
        sky: Option<f64>,
        exposure: Option<f64>,
    ) -> Self {
        let unit = unit.map(|unit| unit.trim().to_ascii_lowercase().replace(' ', "")).unwrap_or_default();
        let electrons = match exposure {
            Some(seconds) => Some(seconds),
            None if ["electron", "electrons", "e-", "e", "photon", "photons"].contains(&unit.as_str()) => {
                Some(1.0)
            }
            None if ["/s", "/sec", "s-1", "s**-1", "s^-1"].iter().any(|end| unit.ends_with(end)) => {
                header_exposure.filter(|&seconds| seconds > 1.0)
            }
            None => None,
        };
        Noise { sky: sky.unwrap_or(border.sigma), electrons }
    }

    /// The standard deviation of every pixel: that of the sky, and of the photons that the pixel holds. Never zero, which
    /// GALFIT could not divide by.
    pub fn image(&self, pixels: &[f32]) -> Vec<f32> {
        let floor = if self.sky > 0.0 && self.sky.is_finite() { self.sky } else { 1.0 };
        let of = |&pixel: &f32| {
            let light = f64::from(pixel).max(0.0);
            let photons = self.electrons.map_or(0.0, |electrons| light / electrons);
            let sigma = (floor * floor + photons).sqrt();
            (if sigma.is_finite() { sigma } else { floor }) as f32
        };
        pixels.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BORDER: Background = Background { level: 0.0, sigma: 0.5, pixels: 100 };

    #[test]
    fn the_exposure_is_taken_where_it_means_one() {
        let electrons =
            |unit: &str, header, given| Noise::of(&BORDER, Some(unit), header, None, given).electrons;
        assert_eq!(electrons("ELECTRONS/S", Some(3200.0), None), Some(3200.0));
        assert_eq!(electrons("electrons / s", Some(3200.0), Some(900.0)), Some(900.0));
        // A rate whose header says 1 s, and counts whose gain is not known.
        assert_eq!(electrons("ELECTRONS/S", Some(1.0), None), None);
        assert_eq!(electrons("ELECTRONS", Some(1040.0), None), Some(1.0));
        assert_eq!(electrons("COUNTS", Some(1040.0), None), None);
        assert_eq!(Noise::of(&BORDER, None, Some(9.0), Some(0.1), None), Noise { sky: 0.1, electrons: None });
    }

    #[test]
    fn a_pixels_noise_is_the_skys_and_its_photons() {
        let noise = Noise { sky: 0.003, electrons: Some(3200.0) };
        let image = noise.image(&[0.0, -1.0, 3.2, f32::NAN]);
        // In counts: the sky's (0.003 · 3200)², and 3.2 · 3200 photons.
        let expected = ((0.003f64 * 3200.0).powi(2) + 3.2 * 3200.0).sqrt() / 3200.0;
        assert!((f64::from(image[2]) - expected).abs() < 1e-8);
        assert_eq!([image[0], image[1], image[3]], [0.003; 3]);
        assert_eq!(Noise { sky: f64::NAN, electrons: None }.image(&[1.0]), [1.0]);
    }
}
