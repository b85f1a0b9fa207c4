//! Noise cut out of an image of blank sky.

use crate::rng::{Philox, Stream};
use crate::{Error, Result};
use rand::Rng;
use std::sync::Arc;

/// An image of blank sky, in e/s; cheap to clone.
#[derive(Clone, Debug)]
pub struct SkyImage {
    pixels: Arc<[f32]>,
    width: usize,
    statistics: Statistics,
}

/// Of an image's good pixels.
#[derive(Clone, Copy, Debug)]
struct Statistics {
    mean: f64,
    sigma: f64,
    symmetry: Symmetry,
}

/// How an image may be turned without a change of its autocorrelation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symmetry {
    /// Flips of both axes and their exchange.
    Square,
    /// Flips of both axes.
    Rectangle,
    /// Half a turn.
    Point,
}

/// Correlation coefficients that differ by more than this are not the same.
const SAME: f64 = 0.02;
/// Places for a stamp that an image must have at the least.
const FEWEST_PLACES: usize = 64;

impl SkyImage {
    /// From pixels in rows of `width`, y up; those that are not finite are bad, and no stamp will hold them.
    ///
    /// # Errors
    /// [`Error::Usage`] for pixels that are not whole rows, fewer than half of them good, or all the same.
    pub fn new(pixels: Vec<f32>, width: usize) -> Result<Self> {
        let bad = |message: String| Err(Error::Usage(format!("image of blank sky: {message}")));
        if width == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(width) {
            return bad(format!("{} pixels are not rows of {width}", pixels.len()));
        }
        let good = pixels.iter().filter(|p| p.is_finite()).count();
        if good == 0 {
            return bad("not one pixel is finite".to_owned());
        }
        let finite = || pixels.iter().filter(|p| p.is_finite()).map(|&p| f64::from(p));
        let mean = finite().sum::<f64>() / good as f64;
        let sigma = (finite().map(|p| (p - mean) * (p - mean)).sum::<f64>() / good as f64).sqrt();
        if sigma == 0.0 {
            return bad(format!("all its pixels are {mean}: there is no noise in it"));
        }
        let correlation = |dx: isize, dy: usize| {
            let (mut sum, mut pairs) = (0.0, 0usize);
            for (y, row) in pixels.chunks_exact(width).enumerate() {
                let Some(other) = pixels.chunks_exact(width).nth(y + dy) else { break };
                for (x, &p) in row.iter().enumerate() {
                    if let Some(&q) = x.checked_add_signed(dx).and_then(|x| other.get(x))
                        && p.is_finite()
                        && q.is_finite()
                    {
                        sum += (f64::from(p) - mean) * (f64::from(q) - mean);
                        pairs += 1;
                    }
                }
            }
            sum / (pairs.max(1) as f64 * sigma * sigma)
        };
        let differ = |a: f64, b: f64| (a - b).abs() > SAME;
        let symmetry = if differ(correlation(1, 1), correlation(-1, 1)) {
            Symmetry::Point
        } else if differ(correlation(1, 0), correlation(0, 1)) {
            Symmetry::Rectangle
        } else {
            Symmetry::Square
        };
        Ok(SkyImage { pixels: pixels.into(), width, statistics: Statistics { mean, sigma, symmetry } })
    }

    /// Where stamps of `size`² pixels can be cut out.
    pub(super) fn cutouts(&self, size: usize) -> Result<Cutouts> {
        let height = self.pixels.len() / self.width;
        let bad = |message: String| Err(Error::Usage(format!("image of blank sky: {message}")));
        if self.width < size || height < size {
            return bad(format!(
                "its {}×{height} pixels are fewer than a stamp's {size}×{size}; give a larger one",
                self.width
            ));
        }
        // For every column the number of good pixels above and including the present row.
        let mut runs = Vec::new();
        let mut total = 0u64;
        let mut good_rows = vec![0usize; self.width];
        for (y, row) in self.pixels.chunks_exact(self.width).enumerate() {
            for (count, p) in good_rows.iter_mut().zip(row) {
                *count = if p.is_finite() { *count + 1 } else { 0 };
            }
            let Some(first_row) = (y + 1).checked_sub(size) else { continue };
            let mut good_columns = 0;
            for (x, &count) in good_rows.iter().enumerate() {
                good_columns = if count >= size { good_columns + 1 } else { 0 };
                if good_columns == size {
                    runs.push(Run { before: total, corner: first_row * self.width + x + 1 - size });
                }
                if good_columns >= size {
                    total += 1;
                }
            }
        }
        if total < FEWEST_PLACES as u64 {
            return bad(format!(
                "only {total} places of {size}×{size} pixels are without blank pixels; at least {FEWEST_PLACES} are \
                 needed: give a larger image or fill its gaps"
            ));
        }
        Ok(Cutouts { image: self.clone(), size, runs, total })
    }
}

/// A row of places, one after another.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Places in runs before it.
    before: u64,
    /// The first pixel of the first.
    corner: usize,
}

/// The places of an image where a stamp of blank sky can be cut out.
#[derive(Clone, Debug)]
pub(super) struct Cutouts {
    image: SkyImage,
    size: usize,
    runs: Vec<Run>,
    total: u64,
}

impl Cutouts {
    pub(super) fn sigma(&self) -> f64 {
        self.image.statistics.sigma
    }

    /// Adds a random cut-out, less its mean and turned as its autocorrelation allows.
    pub(super) fn add(&self, stamp: &mut [f64], seed: u64, sub: u32, block: u64) {
        let mut numbers = Philox::new(seed, Stream::Simulation, sub, block);
        // The upper half of a product: even to one part in 2⁶⁴ / total.
        let place = ((u128::from(numbers.next_u64()) * u128::from(self.total)) >> 64) as u64;
        let run = self.runs[self.runs.partition_point(|run| run.before <= place) - 1];
        let corner = run.corner + (place - run.before) as usize;
        let turn = numbers.next_u32();
        let symmetry = self.image.statistics.symmetry;
        let flip_x = turn & 1 != 0;
        let flip_y = if symmetry == Symmetry::Point { flip_x } else { turn & 2 != 0 };
        let exchange = symmetry == Symmetry::Square && turn & 4 != 0;
        let at = |x: usize, y: usize| f64::from(self.image.pixels[corner + y * self.image.width + x]);
        let n = self.size;
        let mean = (0..n * n).map(|i| at(i % n, i / n) - self.image.statistics.mean).sum::<f64>()
            / (n * n) as f64
            + self.image.statistics.mean;
        for (i, pixel) in stamp.iter_mut().enumerate() {
            let (x, y) = if exchange { (i / n, i % n) } else { (i % n, i / n) };
            let x = if flip_x { n - 1 - x } else { x };
            let y = if flip_y { n - 1 - y } else { y };
            *pixel += at(x, y) - mean;
        }
    }
}
