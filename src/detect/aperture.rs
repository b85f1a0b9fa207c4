//! What is summed around a source's place: Kron flux, half-light radius, windowed position. Where a neighbour's pixel or one
//! without data lies in the way, the pixel opposite, turned about the source's centre, stands in for it.

use super::isophote::{Ellipse, Isophote};
use super::source::Flags;
use super::window::Window;

/// The ellipse in which Kron's radius is measured, in semi-axes.
const KRON_LIMIT: f64 = 6.0;
/// The Kron ellipse over Kron's radius, and its least and greatest size, in semi-axes.
const KRON_FACTOR: f64 = 2.5;
const KRON_LEAST: f64 = 3.5;
const KRON_GREATEST: f64 = 10.0;
/// Half-light radii are sought up to here, in semi-major axes.
const LIGHT_LIMIT: f64 = 6.0;
/// Points along the side of a pixel that a curve cuts.
const SUBPIXELS: usize = 5;
/// A Gaussian's full width at half maximum over its σ.
const FWHM: f64 = 2.354_820_045_030_949_3;
/// Of other sources' pixels, the part of the ellipse from which on it is crowded.
const CROWDED: f64 = 0.1;

/// Part of an image without its sky, and which source each pixel belongs to.
pub(super) struct View<'a> {
    pub(super) window: Window,
    /// Above the sky, row-major.
    pub(super) pixels: &'a [f32],
    /// Standard deviation of the noise; infinite where there are no data.
    pub(super) rms: &'a [f32],
    /// The number of the source that a pixel belongs to; 0 for none.
    pub(super) labels: &'a [u32],
    /// Columns and rows of the image.
    pub(super) size: (usize, usize),
}

/// What apertures say of a source. The position is counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Apertures {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) flux: f64,
    pub(super) variance: f64,
    pub(super) kron_radius: f64,
    pub(super) half_light_radius: f64,
    pub(super) flags: Flags,
}

/// The part of an image of this size that the apertures of a source may reach, no further than `largest` pixels from its
/// centre; and whether that is nearer than they would.
pub(super) fn reach(source: &Isophote, size: (usize, usize), largest: usize) -> (Window, bool) {
    let circle = LIGHT_LIMIT * source.axes().0;
    let half = |moment: f64| (KRON_GREATEST * moment.sqrt()).max(circle) + 2.0;
    let (dx, dy) = (half(source.xx), half(source.yy));
    let limit = largest as f64;
    let range = |centre: f64, half: f64, n: usize| {
        let first = (centre - half.min(limit)).max(0.0) as usize;
        (first.min(n - 1), ((centre + half.min(limit)).max(0.0) as usize + 1).min(n))
    };
    let ((x, right), (y, top)) = (range(source.x, dx, size.0), range(source.y, dy, size.1));
    (Window { x, y, width: right - x, height: top - y }, dx.max(dy) > limit)
}

impl View<'_> {
    /// Measures the source of this number.
    pub(super) fn measure(&self, source: &Isophote, label: u32, largest: usize) -> Apertures {
        let (window, _) = reach(source, self.size, largest);
        let patch = Patch::new(self, window, source, label);
        let ellipse = source.ellipse();
        let kron_radius = patch.kron_radius(&ellipse, source.extent(KRON_LIMIT));
        let (a, b, _) = source.axes();
        let mut inside = Inside::default();
        // r changes by 1/b at most from one pixel to the next.
        patch.sum(
            |dx, dy| ellipse.square(dx, dy).sqrt(),
            kron_radius,
            1.0 / b,
            source.extent(kron_radius),
            &mut inside,
        );
        let half_light_radius = patch.half_light_radius(inside.flux, a);
        let sigma =
            if half_light_radius.is_finite() { 2.0 * half_light_radius / FWHM } else { (a * b).sqrt() };
        let (x, y) = patch.windowed(sigma.max(0.5), a);
        let mut flags = Flags::default();
        flags.set(Flags::CROWDED, inside.foreign > CROWDED * (inside.area + inside.missing));
        flags.set(Flags::MASKED, inside.missing > 0.0);
        let (dx, dy) = source.extent(kron_radius);
        let (right, top) = (self.size.0 as f64 - 0.5, self.size.1 as f64 - 0.5);
        let beyond =
            source.x - dx < -0.5 || source.y - dy < -0.5 || source.x + dx > right || source.y + dy > top;
        flags.set(Flags::CUT, beyond);
        flags.set(Flags::LARGE, dx.max(dy).max(LIGHT_LIMIT * a) > largest as f64);
        Apertures {
            x,
            y,
            flux: inside.flux,
            variance: inside.variance,
            kron_radius,
            half_light_radius,
            flags,
        }
    }
}

impl Isophote {
    /// Half the width and height of the box around its ellipse of `radius` semi-axes.
    fn extent(&self, radius: f64) -> (f64, f64) {
        (radius * self.xx.sqrt(), radius * self.yy.sqrt())
    }
}

/// What a curve encloses: light, its noise's variance, and pixels: summed, of other sources, without data.
#[derive(Default)]
struct Inside {
    flux: f64,
    variance: f64,
    area: f64,
    foreign: f64,
    missing: f64,
}

/// Whose a pixel is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Own,
    Foreign,
    Missing,
}

#[derive(Clone, Copy)]
struct Cell {
    value: f32,
    rms: f32,
    kind: Kind,
}

/// The surroundings of one source, without its neighbours.
struct Patch {
    window: Window,
    x: f64,
    y: f64,
    cells: Vec<Cell>,
}

impl Patch {
    fn new(view: &View, window: Window, source: &Isophote, label: u32) -> Self {
        let index = |x: usize, y: usize| {
            let (x, y) = (x.checked_sub(view.window.x)?, y.checked_sub(view.window.y)?);
            (x < view.window.width && y < view.window.height).then(|| y * view.window.width + x)
        };
        let kind = |i: usize| match view.labels[i] {
            _ if !view.rms[i].is_finite() => Kind::Missing,
            other if other == 0 || other == label => Kind::Own,
            _ => Kind::Foreign,
        };
        let opposite = |x: usize, y: usize| {
            let turned = |centre: f64, v: usize| {
                let turned = (2.0 * centre - v as f64).round();
                (turned >= 0.0).then_some(turned as usize)
            };
            let i = index(turned(source.x, x)?, turned(source.y, y)?)?;
            (kind(i) == Kind::Own).then_some(i)
        };
        let cell = |x: usize, y: usize| {
            let Some(i) = index(x, y) else { return Cell { value: 0.0, rms: 0.0, kind: Kind::Missing } };
            let own = kind(i);
            if own == Kind::Own {
                return Cell { value: view.pixels[i], rms: view.rms[i], kind: own };
            }
            let stand_in = opposite(x, y);
            let rms =
                [Some(i), stand_in].into_iter().flatten().map(|i| view.rms[i]).find(|rms| rms.is_finite());
            // Where the opposite pixel is no better, the sky is assumed.
            Cell { value: stand_in.map_or(0.0, |i| view.pixels[i]), rms: rms.unwrap_or(0.0), kind: own }
        };
        let rows = window.y..window.y + window.height;
        let cells = rows.flat_map(|y| (window.x..window.x + window.width).map(move |x| (x, y)));
        Patch { window, x: source.x, y: source.y, cells: cells.map(|(x, y)| cell(x, y)).collect() }
    }

    /// The patch's pixels within these distances of the centre along x and y, with their offsets from it.
    fn around(&self, (rx, ry): (f64, f64)) -> impl Iterator<Item = (f64, f64, &Cell)> {
        let range = |centre: f64, r: f64, first: usize, n: usize| {
            let low = ((centre - r).floor().max(first as f64) as usize).min(first + n);
            let high = ((centre + r).ceil().max(0.0) as usize + 1).min(first + n);
            low..high.max(low)
        };
        let columns = range(self.x, rx, self.window.x, self.window.width);
        let rows = range(self.y, ry, self.window.y, self.window.height);
        rows.flat_map(move |y| {
            let row = (y - self.window.y) * self.window.width;
            let cells = &self.cells[row + columns.start - self.window.x..row + columns.end - self.window.x];
            let (first, dy) = (columns.start as f64 - self.x, y as f64 - self.y);
            cells.iter().enumerate().map(move |(i, cell)| (first + i as f64, dy, cell))
        })
    }

    /// The size of the Kron ellipse, in semi-axes: 2.5 times the mean distance of the light within 6.
    /// `extent` is the box of those.
    fn kron_radius(&self, ellipse: &Ellipse, extent: (f64, f64)) -> f64 {
        let (mut moment, mut light) = (0.0, 0.0);
        for (dx, dy, cell) in self.around(extent) {
            let square = ellipse.square(dx, dy);
            if square <= KRON_LIMIT * KRON_LIMIT {
                moment += square.sqrt() * f64::from(cell.value);
                light += f64::from(cell.value);
            }
        }
        if moment > 0.0 && light > 0.0 {
            (KRON_FACTOR * moment / light).clamp(KRON_LEAST, KRON_GREATEST)
        } else {
            KRON_LEAST
        }
    }

    /// Adds up what lies where `distance` is at most `radius`: pixels that the curve cuts by a grid of points in them.
    /// `slope` is how fast the distance grows at most, `extent` the curve's box.
    fn sum(
        &self,
        distance: impl Fn(f64, f64) -> f64,
        radius: f64,
        slope: f64,
        extent: (f64, f64),
        inside: &mut Inside,
    ) {
        let margin = slope * std::f64::consts::FRAC_1_SQRT_2;
        for (dx, dy, cell) in self.around(extent) {
            let middle = distance(dx, dy);
            let part = if middle <= radius - margin {
                1.0
            } else if middle > radius + margin {
                continue;
            } else {
                let offset = |i: usize| (i as f64 + 0.5) / SUBPIXELS as f64 - 0.5;
                let points = (0..SUBPIXELS * SUBPIXELS)
                    .filter(|i| distance(dx + offset(i % SUBPIXELS), dy + offset(i / SUBPIXELS)) <= radius);
                points.count() as f64 / (SUBPIXELS * SUBPIXELS) as f64
            };
            inside.flux += part * f64::from(cell.value);
            inside.variance += part * f64::from(cell.rms).powi(2);
            match cell.kind {
                Kind::Missing => inside.missing += part,
                kind => {
                    inside.area += part;
                    inside.foreign += if kind == Kind::Foreign { part } else { 0.0 };
                }
            }
        }
    }

    /// The smallest circle about the centre that holds half of `flux`; between the circles that are summed the light is
    /// taken to grow as their area.
    fn half_light_radius(&self, flux: f64, a: f64) -> f64 {
        if flux <= 0.0 {
            return f64::NAN;
        }
        let step = (a / 20.0).max(0.25);
        let (mut inner, mut before) = (0.0, 0.0);
        while inner < LIGHT_LIMIT * a {
            let radius = inner + step;
            let mut inside = Inside::default();
            self.sum(f64::hypot, radius, 1.0, (radius, radius), &mut inside);
            if inside.flux >= 0.5 * flux {
                let part = (0.5 * flux - before) / (inside.flux - before);
                return (inner * inner + part * (radius * radius - inner * inner)).sqrt();
            }
            (inner, before) = (radius, inside.flux);
        }
        f64::NAN
    }

    /// The barycentre under a Gaussian window of this σ that is moved, by twice the offset it finds, until it stays. Where it
    /// wanders more than `a` from where it began, it is left there.
    fn windowed(&self, sigma: f64, a: f64) -> (f64, f64) {
        let start = (self.x, self.y);
        let (mut x, mut y) = (0.0, 0.0);
        for _ in 0..16 {
            let (mut sum, mut sx, mut sy) = (0.0, 0.0, 0.0);
            let radius = 4.0 * sigma + a;
            for (dx, dy, cell) in self.around((radius, radius)) {
                let (dx, dy) = (dx - x, dy - y);
                let square = dx * dx + dy * dy;
                if square <= 16.0 * sigma * sigma {
                    let weight = f64::from(cell.value) * (-0.5 * square / (sigma * sigma)).exp();
                    sum += weight;
                    sx += weight * dx;
                    sy += weight * dy;
                }
            }
            let (dx, dy) = (2.0 * sx / sum, 2.0 * sy / sum);
            (x, y) = (x + dx, y + dy);
            if !(sum > 0.0 && x.hypot(y) <= a.max(1.0)) {
                return start;
            }
            if dx.hypot(dy) < 1e-4 {
                break;
            }
        }
        (start.0 + x, start.1 + y)
    }
}

#[cfg(test)]
mod tests {
    use super::super::components::Pixel;
    use super::*;

    const SIZE: (usize, usize) = (121, 101);
    const AT: (f64, f64) = (60.3, 49.6);

    /// A round Gaussian of σ 3, light 1000, and where it is above 1.
    fn gaussian() -> (Vec<f32>, Isophote) {
        let peak = 1000.0 / (2.0 * std::f64::consts::PI * 9.0);
        let value = |i: usize| {
            let (dx, dy) = ((i % SIZE.0) as f64 - AT.0, (i / SIZE.0) as f64 - AT.1);
            peak * (-(dx * dx + dy * dy) / 18.0).exp()
        };
        let pixels: Vec<f32> = (0..SIZE.0 * SIZE.1).map(|i| value(i) as f32).collect();
        let lit: Vec<Pixel> = pixels
            .iter()
            .enumerate()
            .filter(|(_, p)| **p > 0.001)
            .map(|(i, &value)| {
                let (x, y) = ((i % SIZE.0) as u32, (i / SIZE.0) as u32);
                Pixel { x, y, value, smooth: value, rms: 0.1 }
            })
            .collect();
        let isophote = Isophote::measure(&lit, 0.001, 5);
        (pixels, isophote)
    }

    fn measure(pixels: &[f32], rms: &[f32], labels: &[u32], isophote: &Isophote) -> Apertures {
        let window = Window { x: 0, y: 0, width: SIZE.0, height: SIZE.1 };
        View { window, pixels, rms, labels, size: SIZE }.measure(isophote, 1, 2000)
    }

    #[test]
    fn a_gaussian_has_the_radii_that_analysis_gives() {
        let (pixels, isophote) = gaussian();
        let n = pixels.len();
        let found = measure(&pixels, &vec![0.1; n], &vec![0; n], &isophote);
        // ⟨r⟩ = σ√(π/2), so the ellipse is 2.5 times that, less than the least; e^(−3.5²/2) of the light is beyond.
        assert_eq!(found.kron_radius, 3.5);
        assert!((found.flux / (1000.0 * (1.0 - (-6.125f64).exp())) - 1.0).abs() < 1e-3, "{}", found.flux);
        assert!((found.variance / (0.01 * std::f64::consts::PI * (3.5f64 * 3.0).powi(2)) - 1.0).abs() < 0.01);
        let expected = 3.0 * (2.0 * 2f64.ln()).sqrt();
        assert!((found.half_light_radius - expected).abs() < 0.02, "{}", found.half_light_radius);
        assert!((found.x - AT.0).abs() < 1e-3 && (found.y - AT.1).abs() < 1e-3, "{} {}", found.x, found.y);
        assert_eq!(found.flags, Flags::default());
    }

    #[test]
    fn neighbours_and_blanks_are_replaced_by_what_lies_opposite() {
        let (mut pixels, isophote) = gaussian();
        let n = pixels.len();
        let (mut labels, mut rms) = (vec![0; n], vec![0.1; n]);
        let plain = measure(&pixels, &rms, &labels, &isophote);
        for i in 0..n {
            let (x, y) = (i % SIZE.0, i / SIZE.0);
            if x > 66 {
                (pixels[i], labels[i]) = (50.0, 2);
            }
            if y > 57 {
                (pixels[i], rms[i]) = (0.0, f32::INFINITY);
            }
        }
        let found = measure(&pixels, &rms, &labels, &isophote);
        assert_eq!(found.flags.to_string(), "CROWDED|MASKED");
        // The centre lies 0.3 and 0.4 pixels from where a turn by half about a pixel's centre or side is exact.
        assert!((found.flux / plain.flux - 1.0).abs() < 0.02, "{} for {}", found.flux, plain.flux);
        assert!((found.half_light_radius / plain.half_light_radius - 1.0).abs() < 0.02);
        assert!((found.x - AT.0).abs() < 0.05 && (found.y - AT.1).abs() < 0.05);
    }

    #[test]
    fn what_reaches_too_far_is_told() {
        let (pixels, isophote) = gaussian();
        let n = pixels.len();
        let window = Window { x: 0, y: 0, width: SIZE.0, height: SIZE.1 };
        let (rms, labels) = (vec![0.1; n], vec![0; n]);
        let view = View { window, pixels: &pixels, rms: &rms, labels: &labels, size: SIZE };
        assert_eq!(view.measure(&isophote, 1, 9).flags, Flags::LARGE);
        let (small, limited) = reach(&isophote, SIZE, 9);
        assert!(limited && small.width == 19);
        // The same source near the corner of an image.
        let corner = Isophote { x: 4.0, y: 96.0, ..isophote };
        assert_eq!(view.measure(&corner, 1, 2000).flags, Flags::CUT);
    }

    #[test]
    fn nothing_but_negative_light_leaves_the_least_ellipse() {
        let (pixels, isophote) = gaussian();
        let negative: Vec<f32> = pixels.iter().map(|p| -p).collect();
        let n = negative.len();
        let found = measure(&negative, &vec![0.1; n], &vec![0; n], &isophote);
        assert!(found.kron_radius == 3.5 && found.half_light_radius.is_nan());
        assert!((found.x, found.y) == (isophote.x, isophote.y));
    }
}
