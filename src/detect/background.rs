//! The sky's level and noise on a mesh: in each cell from pixels clipped about their median until nothing changes, the
//! mesh median-filtered, a bicubic spline through it.

use super::settings::Settings;
use super::spline::Surface;
use super::window::{Tile, Window};
use crate::Result;
use rayon::prelude::*;

/// The sky of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Background {
    /// Its level over all, in the image's unit: the median of the mesh; NaN where no cell could be measured.
    pub level: f64,
    /// Standard deviation of a pixel over all: the median of the mesh; NaN as `level`.
    pub rms: f64,
    mesh: usize,
    levels: Surface,
    noises: Surface,
    /// The surface of the noise is nowhere taken to be lower.
    floor: f64,
}

impl Background {
    /// Measures the sky of an image of this size, columns and rows, that `read` gives in windows.
    ///
    /// # Errors
    /// Those of `read`, and [`crate::Error::Shape`] where it gives arrays of another size.
    pub(super) fn measure(
        size: (usize, usize),
        read: &mut impl FnMut(Window) -> Result<Tile>,
        settings: &Settings,
    ) -> Result<Self> {
        let mesh = settings.mesh;
        let columns = size.0.div_ceil(mesh);
        let rows_at_once = (settings.pixels_at_once / (size.0 * mesh)).max(1) * mesh;
        let mut cells: Vec<Option<Sky>> = Vec::new();
        for first in (0..size.1).step_by(rows_at_once) {
            let window = Window::band(size, first, (first + rows_at_once).min(size.1), 0);
            let tile = read(window)?;
            tile.check(window)?;
            let inside = window.height.div_ceil(mesh) * columns;
            cells.par_extend((0..inside).into_par_iter().map(|i| {
                let (x, y) = (i % columns * mesh, i / columns * mesh);
                let (right, top) = ((x + mesh).min(window.width), (y + mesh).min(window.height));
                let indices = (y..top).flat_map(|y| (x..right).map(move |x| y * window.width + x));
                let good = indices.filter(|&i| tile.good(i, settings.blank_zeros));
                let mut values: Vec<f32> = good.map(|i| tile.pixels[i]).collect();
                // A cell that is mostly blank tells little of the sky.
                (2 * values.len() >= (right - x) * (top - y)).then(|| sky(&mut values)).flatten()
            }));
        }
        Ok(Self::from_cells(mesh, columns, cells, settings.mesh_filter))
    }

    fn from_cells(mesh: usize, columns: usize, mut cells: Vec<Option<Sky>>, filter: usize) -> Self {
        // A cell without noise is blank too, unless all are.
        if cells.iter().flatten().any(|sky| sky.rms > 0.0) {
            for cell in &mut cells {
                *cell = cell.filter(|sky| sky.rms > 0.0);
            }
        }
        let filled = fill(&cells, columns);
        let filtered = |part: fn(&Sky) -> f64| {
            let mesh: Vec<f64> = filled.iter().map(part).collect();
            median_filter(&mesh, columns, filter)
        };
        let (levels, noises) = (filtered(|sky| sky.level), filtered(|sky| sky.rms));
        let middle = |mesh: &[f64]| median(&mut mesh.to_vec()).unwrap_or(f64::NAN);
        Background {
            level: middle(&levels),
            rms: middle(&noises),
            mesh,
            floor: 0.5 * noises.iter().copied().fold(f64::INFINITY, f64::min),
            levels: Surface::new(columns, levels),
            noises: Surface::new(columns, noises),
        }
    }

    /// The level at `width` pixels of a row from column `x` on, both counted from 0.
    pub(super) fn level_row(&self, x: usize, y: usize, width: usize) -> impl Iterator<Item = f32> {
        self.row(&self.levels, x, y, width).map(|level| level as f32)
    }

    /// The noise there.
    pub(super) fn rms_row(&self, x: usize, y: usize, width: usize) -> impl Iterator<Item = f32> {
        self.row(&self.noises, x, y, width).map(|rms| rms.max(self.floor) as f32)
    }

    fn row(&self, surface: &Surface, x: usize, y: usize, width: usize) -> impl Iterator<Item = f64> {
        // A cell's middle is its node.
        let mesh = self.mesh as f64;
        let node = move |pixel: usize| (pixel as f64 + 0.5) / mesh - 0.5;
        let curve = surface.row(node(y));
        (x..x + width).map(move |x| curve.at(node(x)))
    }

    /// The map of the level over a window, row-major.
    pub fn level_map(&self, window: Window) -> Vec<f32> {
        (0..window.height).flat_map(|y| self.level_row(window.x, window.y + y, window.width)).collect()
    }

    /// The map of the noise over a window, row-major.
    pub fn rms_map(&self, window: Window) -> Vec<f32> {
        (0..window.height).flat_map(|y| self.rms_row(window.x, window.y + y, window.width)).collect()
    }

    /// The filtered mesh's levels and noises, row-major, and its columns.
    pub fn mesh(&self) -> (&[f64], &[f64], usize) {
        let levels = self.levels.nodes();
        (levels, self.noises.nodes(), self.levels.columns())
    }
}

/// The sky in one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sky {
    level: f64,
    rms: f64,
}

/// The sky among pixels, some of which hold sources: those within 5 σ of the mean after one clipping at 2 σ are clipped
/// at 3 σ about their median until σ stays. The level is then the mode of a skewed distribution, 2.5 times the median less
/// 1.5 times the mean, unless these lie 0.3 σ or more apart, as in a crowded cell: then it is the median.
fn sky(values: &mut Vec<f32>) -> Option<Sky> {
    let first = Moments::of(values.iter())?;
    let clipped =
        Moments::of(values.iter().filter(|&&v| (f64::from(v) - first.mean).abs() <= 2.0 * first.rms))?;
    values.retain(|&v| (f64::from(v) - clipped.mean).abs() <= 5.0 * clipped.rms);
    values.sort_unstable_by(f32::total_cmp);
    // From the middle, so that squares keep their digits.
    let zero = clipped.mean;
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = (0.0, 0.0);
    sums.push(sum);
    sums.extend(values.iter().map(|&v| {
        let v = f64::from(v) - zero;
        sum = (sum.0 + v, sum.1 + v * v);
        sum
    }));
    let (mut low, mut high) = (0, values.len());
    let mut before = f64::INFINITY;
    for _ in 0..100 {
        if low == high {
            return None;
        }
        let n = (high - low) as f64;
        let mean = (sums[high].0 - sums[low].0) / n;
        let rms = ((sums[high].1 - sums[low].1) / n - mean * mean).max(0.0).sqrt();
        let at = |i: usize| f64::from(values[i]) - zero;
        let median = 0.5 * (at((low + high - 1) / 2) + at((low + high) / 2));
        if rms == 0.0 || (rms / before - 1.0).abs() <= 1e-4 {
            let skewed = rms > 0.0 && (mean - median).abs() >= 0.3 * rms;
            let level = if skewed { median } else { 2.5 * median - 1.5 * mean };
            return Some(Sky { level: zero + level, rms });
        }
        before = rms;
        low = values.partition_point(|&v| f64::from(v) - zero < median - 3.0 * rms);
        high = values.partition_point(|&v| f64::from(v) - zero <= median + 3.0 * rms);
    }
    None
}

struct Moments {
    mean: f64,
    rms: f64,
}

impl Moments {
    fn of<'a>(values: impl IntoIterator<Item = &'a f32> + Clone) -> Option<Self> {
        let sum = |f: &dyn Fn(f64) -> f64| {
            values.clone().into_iter().fold((0.0, 0usize), |(sum, n), &v| (sum + f(f64::from(v)), n + 1))
        };
        let (total, n) = sum(&|v| v);
        if n == 0 {
            return None;
        }
        let mean = total / n as f64;
        let rms = (sum(&|v| (v - mean) * (v - mean)).0 / n as f64).sqrt();
        Some(Moments { mean, rms })
    }
}

/// Cells that could not be measured take the mean of the nearest that could; NaN where there is none.
fn fill(cells: &[Option<Sky>], columns: usize) -> Vec<Sky> {
    let known: Vec<(usize, Sky)> = cells.iter().enumerate().filter_map(|(i, c)| c.map(|c| (i, c))).collect();
    let place = |i: usize| ((i % columns) as i64, (i / columns) as i64);
    let nearest = |i: usize| {
        let (x, y) = place(i);
        let distance = |&(j, _): &(usize, Sky)| {
            let (u, v) = place(j);
            (x - u).pow(2) + (y - v).pow(2)
        };
        let least = known.iter().map(distance).min();
        let alike: Vec<&(usize, Sky)> = known.iter().filter(|k| Some(distance(k)) == least).collect();
        let mean = |part: fn(&Sky) -> f64| alike.iter().map(|k| part(&k.1)).sum::<f64>() / alike.len() as f64;
        Sky { level: mean(|sky| sky.level), rms: mean(|sky| sky.rms) }
    };
    (0..cells.len()).into_par_iter().map(|i| cells[i].unwrap_or_else(|| nearest(i))).collect()
}

/// Each value replaced by the median of those around it, `filter` along a side. At the borders the window shrinks on both
/// sides alike, so that a gradient keeps its slope.
fn median_filter(mesh: &[f64], columns: usize, filter: usize) -> Vec<f64> {
    let rows = mesh.len() / columns;
    let reach = |i: usize, n: usize| (filter / 2).min(i).min(n - 1 - i);
    let filtered = |i: usize| {
        let (x, y) = (i % columns, i / columns);
        let (dx, dy) = (reach(x, columns), reach(y, rows));
        let rows = y - dy..=y + dy;
        let mut around: Vec<f64> =
            rows.flat_map(|y| &mesh[y * columns + x - dx..=y * columns + x + dx]).copied().collect();
        median(&mut around).unwrap_or(f64::NAN)
    };
    (0..mesh.len()).map(filtered).collect()
}

/// The median, the mean of the middle two where there are two; reorders the values.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    (n > 0).then(|| 0.5 * (values[(n - 1) / 2] + values[n / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Philox, Stream};
    use rand_distr::{Distribution, Normal};

    fn noise(n: usize, level: f64, rms: f64) -> Vec<f32> {
        let normal = Normal::new(level, rms).unwrap();
        let mut numbers = Philox::new(5, Stream::Test, 0, 0);
        (0..n).map(|_| normal.sample(&mut numbers) as f32).collect()
    }

    fn measure(pixels: &[f32], width: usize, settings: &Settings) -> Background {
        let size = (width, pixels.len() / width);
        let mut read = |window| Ok(Tile::cut(window, width, pixels, None, None));
        Background::measure(size, &mut read, settings).unwrap()
    }

    #[test]
    fn a_gradient_and_its_noise_are_recovered() {
        // Whole cells, since a cell's level stands at its middle whatever part of it is on the image.
        let (width, height) = (448, 320);
        let mut pixels = noise(width * height, 0.0, 2.0);
        let sky = |i: usize| 100.0 + 0.05 * (i % width) as f64 - 0.03 * (i / width) as f64;
        for (i, pixel) in pixels.iter_mut().enumerate() {
            *pixel += sky(i) as f32;
        }
        let background = measure(&pixels, width, &Settings::default());
        let whole = Window { x: 0, y: 0, width, height };
        for (i, &level) in background.level_map(whole).iter().enumerate() {
            // The level of 4,096 pixels errs by 0.1 σ at three times its standard error.
            assert!((f64::from(level) - sky(i)).abs() < 0.5, "{i}: {level} for {}", sky(i));
        }
        assert!(background.rms_map(whole).iter().all(|rms| (rms / 2.2 - 1.0).abs() < 0.15));
    }

    #[test]
    fn sources_and_blank_cells_leave_the_sky_as_it_is() {
        let width = 320;
        let mut pixels = noise(width * width, 10.0, 1.0);
        for (i, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = (i % width, i / width);
            match (x % 40 < 8 && y % 40 < 8, x > 200 && y > 180) {
                (_, true) => *pixel = f32::NAN,
                (true, _) => *pixel += 50.0,
                _ => (),
            }
        }
        let background = measure(&pixels, width, &Settings::default());
        assert!((background.level - 10.0).abs() < 0.1, "{}", background.level);
        assert!((background.rms - 1.0).abs() < 0.05, "{}", background.rms);
        let whole = Window { x: 0, y: 0, width, height: width };
        assert!(background.level_map(whole).iter().all(|l| (l - 10.0).abs() < 0.25));
    }

    #[test]
    fn the_sky_does_not_depend_on_how_much_is_read_at_once() {
        let pixels = noise(300 * 290, 3.0, 1.0);
        let at_once = |pixels_at_once| {
            measure(&pixels, 300, &Settings { pixels_at_once, mesh: 37, ..Settings::default() })
        };
        assert_eq!(at_once(1), at_once(1 << 24));
    }

    #[test]
    fn an_image_without_data_has_no_sky() {
        let background = measure(&[f32::NAN; 35], 7, &Settings::default());
        assert!(background.level.is_nan() && background.rms.is_nan());
    }
}
