//! A source, its flags, its pixels.

use super::components::Pixel;
use super::window::Window;
use std::fmt;

/// A source on an image. Positions are 1-based FITS pixels: the first pixel's centre is (1, 1). Fluxes are in the image's
/// unit, above the sky; their errors are those of noise that is independent from pixel to pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Barycentre of the smoothed light above the threshold, column.
    pub x: f64,
    /// The same, row.
    pub y: f64,
    /// Barycentre under a Gaussian window as wide as the source, which noise moves less; column.
    pub x_windowed: f64,
    /// The same, row.
    pub y_windowed: f64,
    /// Light of the pixels above the threshold.
    pub flux: f64,
    /// Standard deviation of `flux`.
    pub flux_err: f64,
    /// Light within the Kron ellipse.
    pub flux_auto: f64,
    /// Standard deviation of `flux_auto`.
    pub flux_auto_err: f64,
    /// Size of the Kron ellipse, in units of `a` and `b`.
    pub kron_radius: f64,
    /// Radius of the circle that holds half of `flux_auto`, pixels; NaN where none does.
    pub half_light_radius: f64,
    /// Semi-major axis: greatest standard deviation of the smoothed light above the threshold, pixels.
    pub a: f64,
    /// Semi-minor axis, pixels.
    pub b: f64,
    /// Position angle of the major axis, degrees from +y counter-clockwise, in (−90, 90].
    pub pa: f64,
    /// Brightest pixel, unsmoothed.
    pub peak: f64,
    /// Pixels above the threshold.
    pub area: usize,
    /// `flux_auto` over its error.
    pub snr: f64,
    /// The composite that it was in: sources of the same number touch.
    pub composite: usize,
    /// What to be wary of.
    pub flags: Flags,
}

impl Source {
    /// Magnitude of `flux_auto` for this zero point; NaN where the flux is not positive.
    pub fn magnitude(&self, zero_point: f64) -> f64 {
        if self.flux_auto > 0.0 { zero_point - 2.5 * self.flux_auto.log10() } else { f64::NAN }
    }

    /// Axis ratio b/a.
    pub fn axis_ratio(&self) -> f64 {
        self.b / self.a
    }
}

/// What to be wary of in a source, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// Bit 0 (1): taken apart from a source that it touches.
    pub const DEBLENDED: Flags = Flags(1);
    /// Bit 1 (2): more than a tenth of the Kron ellipse belongs to other sources.
    pub const CROWDED: Flags = Flags(1 << 1);
    /// Bit 2 (4): some of its pixels lie on the image's edge.
    pub const EDGE: Flags = Flags(1 << 2);
    /// Bit 3 (8): the Kron ellipse reaches beyond the image.
    pub const CUT: Flags = Flags(1 << 3);
    /// Bit 4 (16): some pixels in the Kron ellipse have no data.
    pub const MASKED: Flags = Flags(1 << 4);
    /// Bit 5 (32): too large for its light to be summed as far as it should.
    pub const LARGE: Flags = Flags(1 << 5);

    /// Every flag and its name.
    pub const NAMES: [(Flags, &'static str); 6] = [
        (Flags::DEBLENDED, "DEBLENDED"),
        (Flags::CROWDED, "CROWDED"),
        (Flags::EDGE, "EDGE"),
        (Flags::CUT, "CUT"),
        (Flags::MASKED, "MASKED"),
        (Flags::LARGE, "LARGE"),
    ];

    /// Whether all of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets `other` where `condition` holds.
    pub fn set(&mut self, other: Flags, condition: bool) {
        if condition {
            self.0 |= other.0;
        }
    }
}

impl fmt::Display for Flags {
    /// The names, joined by "|"; "-" for none.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names: Vec<&str> =
            Flags::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name).collect();
        f.pad(&if names.is_empty() { "-".to_owned() } else { names.join("|") })
    }
}

/// Which pixels are a source's: stretches of rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Footprint {
    /// The smallest window that holds it.
    pub(super) bounds: Window,
    /// Row, first column, pixels.
    stretches: Vec<(u32, u32, u32)>,
}

impl Footprint {
    /// Of pixels sorted by row and column, at least one.
    pub(super) fn new(pixels: &[Pixel]) -> Self {
        let stretches: Vec<(u32, u32, u32)> = pixels
            .chunk_by(|a, b| a.y == b.y && b.x == a.x + 1)
            .map(|run| (run[0].y, run[0].x, run.len() as u32))
            .collect();
        let left = stretches.iter().map(|s| s.1).min().unwrap_or(0);
        let right = stretches.iter().map(|s| s.1 + s.2).max().unwrap_or(0);
        let bottom = stretches.first().map_or(0, |s| s.0);
        let top = stretches.last().map_or(0, |s| s.0 + 1);
        let bounds = Window {
            x: left as usize,
            y: bottom as usize,
            width: (right - left) as usize,
            height: (top - bottom) as usize,
        };
        Footprint { bounds, stretches }
    }

    /// Writes `label` where the source lies on a window's map, row-major.
    pub(super) fn paint(&self, window: Window, map: &mut [u32], label: u32) {
        for &(y, x, length) in &self.stretches {
            let Some(row) = (y as usize).checked_sub(window.y).filter(|&row| row < window.height) else {
                continue;
            };
            let first = (x as usize).clamp(window.x, window.x + window.width) - window.x;
            let end = ((x + length) as usize).clamp(window.x, window.x + window.width) - window.x;
            map[row * window.width + first..row * window.width + end].fill(label);
        }
    }

    /// Whether it has a pixel in the window's rows and columns.
    pub(super) fn meets(&self, window: Window) -> bool {
        let own = self.bounds;
        own.x < window.x + window.width
            && window.x < own.x + own.width
            && own.y < window.y + window.height
            && window.y < own.y + own.height
    }
}

/// A source to test with.
#[cfg(test)]
pub(super) fn example() -> Source {
    Source {
        x: 1.0,
        y: 1.0,
        x_windowed: 1.0,
        y_windowed: 1.0,
        flux: 1.0,
        flux_err: 1.0,
        flux_auto: 1.0,
        flux_auto_err: 1.0,
        kron_radius: 3.5,
        half_light_radius: 1.0,
        a: 2.0,
        b: 1.0,
        pa: 0.0,
        peak: 1.0,
        area: 5,
        snr: 1.0,
        composite: 0,
        flags: Flags::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footprint_paints_its_pixels_wherever_the_window_lies() {
        let places = [(5u32, 2u32), (6, 2), (8, 2), (4, 3), (5, 3)];
        let pixels = places.map(|(x, y)| Pixel { x, y, value: 1.0, smooth: 1.0, rms: 1.0 });
        let footprint = Footprint::new(&pixels);
        assert_eq!(footprint.bounds, Window { x: 4, y: 2, width: 5, height: 2 });
        for (x, y) in [(0, 0), (5, 1), (6, 2), (5, 3), (4, 0)] {
            let window = Window { x, y, width: 3, height: 2 };
            let mut map = [0; 6];
            footprint.paint(window, &mut map, 7);
            for (i, &label) in map.iter().enumerate() {
                let at = ((x + i % 3) as u32, (y + i / 3) as u32);
                assert_eq!(label == 7, places.contains(&at), "{at:?}");
            }
            assert!(footprint.meets(window) || map == [0; 6]);
        }
    }

    #[test]
    fn magnitudes_are_those_of_the_kron_flux() {
        let source = Source { flux_auto: 100.0, ..example() };
        assert!((source.magnitude(25.0) - 20.0).abs() < 1e-12);
        assert!(Source { flux_auto: -1.0, ..example() }.magnitude(25.0).is_nan());
        assert_eq!(source.axis_ratio(), 0.5);
    }

    #[test]
    fn every_flag_is_one_bit_of_its_own_and_prints_its_name() {
        let all = Flags::NAMES.iter().fold(0, |bits, (flag, _)| {
            assert!(flag.0.is_power_of_two() && bits & flag.0 == 0);
            bits | flag.0
        });
        assert_eq!(all.count_ones() as usize, Flags::NAMES.len());
        assert_eq!(Flags(5).to_string(), "DEBLENDED|EDGE");
        assert_eq!(Flags::default().to_string(), "-");
    }
}
