//! Position, shape and light of a set of pixels.

use super::components::Pixel;
use std::f64::consts::PI;

/// Below this determinant of the second moments, pixel⁴, a source is a line or a point.
const THIN: f64 = 1.0 / 144.0;
/// Second moment of a pixel's square along an axis, pixel².
const PIXEL: f64 = 1.0 / 12.0;

/// What the pixels above a threshold say of a source. Positions are counted from 0 at the image's first pixel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Isophote {
    /// Barycentre of the smoothed light.
    pub(super) x: f64,
    pub(super) y: f64,
    /// Its second moments about that, pixel².
    pub(super) xx: f64,
    pub(super) yy: f64,
    pub(super) xy: f64,
    /// Light, unsmoothed, and the variance of its noise.
    pub(super) flux: f64,
    pub(super) variance: f64,
    /// Light, smoothed.
    pub(super) smooth_flux: f64,
    /// Brightest pixel, unsmoothed and smoothed.
    pub(super) peak: f64,
    pub(super) smooth_peak: f64,
    /// Pixels.
    pub(super) area: usize,
    /// The lowest threshold of any of them.
    pub(super) threshold: f64,
    /// How far above that threshold so many pixels lie as a source needs.
    pub(super) excess: f64,
}

/// The quadratic form of an ellipse: r² = cxx·dx² + cyy·dy² + cxy·dx·dy is 1 on the ellipse of the moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ellipse {
    pub(super) xx: f64,
    pub(super) yy: f64,
    pub(super) xy: f64,
}

impl Ellipse {
    /// r² at this offset from the centre.
    pub(super) fn square(&self, dx: f64, dy: f64) -> f64 {
        self.xx * dx * dx + self.yy * dy * dy + self.xy * dx * dy
    }
}

impl Isophote {
    /// Of pixels, at least one, above `threshold`; a source needs `min_area` of them.
    pub(super) fn measure(pixels: &[Pixel], threshold: f64, min_area: usize) -> Self {
        // Offsets from a pixel of the source, so that the same pixels give the same bits anywhere and squares keep
        // their digits.
        let (x0, y0) = pixels.first().map_or((0, 0), |p| (p.x, p.y));
        let mut sums = [0.0; 6];
        let (mut flux, mut variance) = (0.0, 0.0);
        let (mut peak, mut smooth_peak) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for pixel in pixels {
            let (x, y) = (f64::from(pixel.x) - f64::from(x0), f64::from(pixel.y) - f64::from(y0));
            let (value, smooth) = (f64::from(pixel.value), f64::from(pixel.smooth));
            for (sum, term) in sums.iter_mut().zip([1.0, x, y, x * x, y * y, x * y]) {
                *sum += smooth * term;
            }
            flux += value;
            variance += f64::from(pixel.rms).powi(2);
            peak = peak.max(value);
            smooth_peak = smooth_peak.max(smooth);
        }
        let smooth_flux = sums[0];
        let [_, x, y, xx, yy, xy] = sums.map(|sum| sum / smooth_flux);
        let (mut xx, mut yy, xy) = (xx - x * x, yy - y * y, xy - x * y);
        if xx * yy - xy * xy < THIN {
            xx += PIXEL;
            yy += PIXEL;
        }
        let mut heights: Vec<f64> = pixels.iter().map(|p| f64::from(p.smooth)).collect();
        let excess = match heights.len().checked_sub(min_area.max(1)) {
            Some(rank) => *heights.select_nth_unstable_by(rank, f64::total_cmp).1 - threshold,
            None => 0.0,
        };
        let (x, y) = (x + f64::from(x0), y + f64::from(y0));
        let area = pixels.len();
        Isophote { x, y, xx, yy, xy, flux, variance, smooth_flux, peak, smooth_peak, area, threshold, excess }
    }

    /// Semi-major and semi-minor axis, pixels, and the major axis's angle from +x towards +y, radians in (−π/2, π/2].
    pub(super) fn axes(&self) -> (f64, f64, f64) {
        let (mean, half) = (0.5 * (self.xx + self.yy), 0.5 * (self.xx - self.yy));
        let spread = half.hypot(self.xy);
        let angle = 0.5 * (2.0 * self.xy).atan2(self.xx - self.yy);
        ((mean + spread).sqrt(), (mean - spread).max(0.0).sqrt(), angle)
    }

    /// The ellipse of the second moments.
    pub(super) fn ellipse(&self) -> Ellipse {
        let determinant = self.xx * self.yy - self.xy * self.xy;
        Ellipse { xx: self.yy / determinant, yy: self.xx / determinant, xy: -2.0 * self.xy / determinant }
    }

    /// By how much cutting at the threshold shrinks the second moments of a Gaussian: with the threshold at a part t of
    /// its peak, by the factor 1 + t ln t / (1 − t).
    pub(super) fn truncation(&self) -> f64 {
        let t = self.threshold / self.smooth_peak;
        if t > 0.0 && t < 0.99 { 1.0 + t * t.ln() / (1.0 - t) } else { 1.0 }
    }

    /// 2πab of the moments, as they would be without truncation: a Gaussian's light over its peak, pixels.
    pub(super) fn gaussian_area(&self) -> f64 {
        let determinant = self.xx * self.yy - self.xy * self.xy;
        2.0 * PI * determinant.max(0.0).sqrt() / self.truncation()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An elliptical Gaussian of σ 3 and 2 pixels, its major axis 30° from +x, above `threshold` (peak 1).
    fn gaussian(threshold: f64) -> Vec<Pixel> {
        let (sin, cos) = 30f64.to_radians().sin_cos();
        let value = |x: u32, y: u32| {
            let (dx, dy) = (f64::from(x) - 40.3, f64::from(y) - 35.6);
            let (u, v) = ((cos * dx + sin * dy) / 3.0, (cos * dy - sin * dx) / 2.0);
            (-0.5 * (u * u + v * v)).exp()
        };
        let all = (0..80).flat_map(|y| (0..80).map(move |x| (x, y)));
        all.filter(|&(x, y)| value(x, y) > threshold)
            .map(|(x, y)| {
                let value = value(x, y) as f32;
                Pixel { x, y, value, smooth: value, rms: 0.1 }
            })
            .collect()
    }

    #[test]
    fn a_gaussian_has_its_position_axes_and_light() {
        let isophote = Isophote::measure(&gaussian(1e-9), 1e-9, 5);
        let (a, b, angle) = isophote.axes();
        assert!((isophote.x - 40.3).abs() < 1e-5 && (isophote.y - 35.6).abs() < 1e-5);
        assert!((a - 3.0).abs() < 1e-4 && (b - 2.0).abs() < 1e-4, "{a} {b}");
        assert!((angle.to_degrees() - 30.0).abs() < 1e-3);
        assert!((isophote.flux / (12.0 * PI) - 1.0).abs() < 1e-6);
        assert!((isophote.variance - 0.01 * isophote.area as f64).abs() < 1e-6);
        // A point on the ellipse.
        assert!((isophote.ellipse().square(a * angle.cos(), a * angle.sin()) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_truncation_of_a_gaussian_is_undone() {
        for threshold in [0.05, 0.2] {
            let isophote = Isophote::measure(&gaussian(threshold), threshold, 5);
            let area = isophote.gaussian_area();
            // The isophote follows the pixels' squares.
            assert!((area / (12.0 * PI) - 1.0).abs() < 0.02, "{threshold}: {area}");
        }
    }

    #[test]
    fn a_line_of_pixels_has_a_width() {
        let line = |i| Pixel { x: i, y: i, value: 1.0, smooth: 1.0, rms: 1.0 };
        let (a, b, angle) = Isophote::measure(&(0..9).map(line).collect::<Vec<_>>(), 0.5, 5).axes();
        assert!(a > 3.0 && (b * b - 1.0 / 12.0).abs() < 1e-9 && (angle.to_degrees() - 45.0).abs() < 1e-9);
        let (a, b, _) = Isophote::measure(&[line(4)], 0.5, 5).axes();
        assert!(a == b && a > 0.2);
    }
}
