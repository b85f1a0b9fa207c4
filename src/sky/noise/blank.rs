//! Noise cut out of an image of blank sky.

use crate::rng::{Philox, Stream};
use crate::sky::draws::Purpose;
use crate::{Error, Result};
use rand::Rng;
use std::sync::Arc;

/// Correlation coefficients of an image that differ by less than this are taken for the same. Where chance makes them
/// differ by more, cut-outs are turned in fewer ways: no harm.
const SAME: f64 = 0.02;

/// An image of blank sky, in the unit of the stamps that get its noise; cheap to clone.
#[derive(Clone, Debug)]
pub struct SkyImage {
    /// Bad ones are NaN.
    pixels: Arc<[f32]>,
    width: usize,
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

impl SkyImage {
    /// From pixels in rows of `width`, y up. Those that are not finite are bad, and so are those of exactly zero, as
    /// mosaics have them where there are no data, unless all are whole numbers. No stamp will hold a bad pixel.
    ///
    /// # Errors
    /// [`Error::Usage`] for pixels that are not whole rows, none of them good, or all of them the same.
    pub fn new(mut pixels: Vec<f32>, width: usize) -> Result<Self> {
        if width == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(width) {
            return Err(bad(format!("{} pixels are not rows of {width}", pixels.len())));
        }
        let real = pixels.iter().any(|p| p.is_finite() && p.fract() != 0.0);
        for pixel in pixels.iter_mut().filter(|p| !p.is_finite() || (real && **p == 0.0)) {
            *pixel = f32::NAN;
        }
        let good = || pixels.iter().filter(|p| !p.is_nan()).map(|&p| f64::from(p));
        let n = good().count() as f64;
        let mean = good().sum::<f64>() / n;
        let sigma = (good().map(|p| (p - mean) * (p - mean)).sum::<f64>() / n).sqrt();
        if n == 0.0 {
            return Err(bad("all its pixels are blank or zero".to_owned()));
        }
        if sigma == 0.0 {
            return Err(bad(format!("all its pixels are {mean}: there is no noise in it")));
        }
        let correlation = |dx, dy| correlation(&pixels, width, mean, dx, dy) / (sigma * sigma);
        let differ = |a: f64, b: f64| (a - b).abs() > SAME;
        let symmetry = if differ(correlation(1, 1), correlation(-1, 1)) {
            Symmetry::Point
        } else if differ(correlation(1, 0), correlation(0, 1)) {
            Symmetry::Rectangle
        } else {
            Symmetry::Square
        };
        Ok(SkyImage { pixels: pixels.into(), width, mean, sigma, symmetry })
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    /// Standard deviation of its good pixels.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// Where stamps of `size`² pixels can be cut out.
    pub(super) fn cutouts(&self, size: usize) -> Result<Cutouts> {
        if self.width < size || self.height() < size {
            return Err(bad(format!(
                "with {}×{} pixels it is smaller than a stamp of {size}×{size}; give a larger one",
                self.width,
                self.height()
            )));
        }
        let (mut runs, mut places) = (Vec::new(), 0);
        // Of every column, the good pixels that end in the present row.
        let mut good_rows = vec![0; self.width];
        for (y, row) in self.pixels.chunks_exact(self.width).enumerate() {
            for (count, pixel) in good_rows.iter_mut().zip(row) {
                *count = if pixel.is_nan() { 0 } else { *count + 1 };
            }
            let mut good_columns = 0;
            for (x, &count) in good_rows.iter().enumerate() {
                good_columns = if count >= size { good_columns + 1 } else { 0 };
                if good_columns == size {
                    runs.push(Run { before: places, corner: (y + 1 - size) * self.width + x + 1 - size });
                }
                places += u64::from(good_columns >= size);
            }
        }
        if places == 0 {
            let blank = self.pixels.iter().filter(|p| p.is_nan()).count();
            return Err(bad(format!(
                "nowhere in its {}×{} pixels are {size}×{size} without a blank one ({blank} are blank or zero); give \
                 one with fewer gaps",
                self.width,
                self.height()
            )));
        }
        Ok(Cutouts { image: self.clone(), size, runs, places })
    }
}

fn bad(message: String) -> Error {
    Error::Usage(format!("image of blank sky: {message}"))
}

/// Mean product of the good pixels (dx, dy) apart, less `mean`.
fn correlation(pixels: &[f32], width: usize, mean: f64, dx: isize, dy: usize) -> f64 {
    let (mut sum, mut pairs) = (0.0, 0usize);
    let rows = pixels.chunks_exact(width);
    for (row, other) in rows.clone().zip(rows.skip(dy)) {
        let (row, other) =
            if dx < 0 { (&row[dx.unsigned_abs()..], other) } else { (row, &other[dx as usize..]) };
        for (&p, &q) in row.iter().zip(other).filter(|(p, q)| !p.is_nan() && !q.is_nan()) {
            sum += (f64::from(p) - mean) * (f64::from(q) - mean);
            pairs += 1;
        }
    }
    sum / pairs.max(1) as f64
}

/// Places side by side in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Places in the runs before.
    before: u64,
    /// The first pixel of the first of them.
    corner: usize,
}

/// The places of an image where a stamp of blank sky can be cut out.
#[derive(Clone, Debug)]
pub(super) struct Cutouts {
    image: SkyImage,
    size: usize,
    runs: Vec<Run>,
    places: u64,
}

impl Cutouts {
    /// Standard deviation of the image's pixels.
    pub(super) fn sigma(&self) -> f64 {
        self.image.sigma
    }

    /// Adds a random cut-out, less its mean and turned as its autocorrelation allows.
    pub(super) fn add(&self, stamp: &mut [f64], seed: u64, block: u64) {
        let mut numbers = Philox::new(seed, Stream::Simulation, Purpose::Sky as u32, block);
        // The upper half of a product: even to one part in 2⁶⁴ / places.
        let place = ((u128::from(numbers.next_u64()) * u128::from(self.places)) >> 64) as u64;
        let Some(run) = self.runs[..self.runs.partition_point(|run| run.before <= place)].last() else {
            return;
        };
        let corner = run.corner + (place - run.before) as usize;
        let (size, width) = (self.size, self.image.width);
        let rows = || (0..size).map(|y| &self.image.pixels[corner + y * width..][..size]);
        let sum: f64 = rows().flatten().map(|&p| f64::from(p) - self.image.mean).sum();
        let mean = self.image.mean + sum / (size * size) as f64;

        let turn = numbers.next_u32();
        let flip_x = turn & 1 != 0;
        let flip_y = if self.image.symmetry == Symmetry::Point { flip_x } else { turn & 2 != 0 };
        let exchange = self.image.symmetry == Symmetry::Square && turn & 4 != 0;
        for (y, row) in rows().enumerate() {
            let y = if flip_y { size - 1 - y } else { y };
            for (x, &p) in row.iter().enumerate() {
                let x = if flip_x { size - 1 - x } else { x };
                stamp[if exchange { x * size + y } else { y * size + x }] += f64::from(p) - mean;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Noise, NoiseModel};
    use super::*;
    use crate::sky::NoiseCorrelation;

    /// An image of noise with the level 5, blank where `blank` says.
    fn image(
        width: usize,
        height: usize,
        model: &NoiseModel,
        blank: impl Fn(usize, usize) -> bool,
    ) -> SkyImage {
        let side = width.max(height);
        let mut pixels = vec![5.0; side * side];
        Noise::new(model, f64::INFINITY, side).unwrap().add(&mut pixels, 17, 0);
        let pixel = |i: usize| {
            let (x, y) = (i % width, i / width);
            if blank(x, y) { f32::NAN } else { pixels[y * side + x] as f32 }
        };
        SkyImage::new((0..width * height).map(pixel).collect(), width).unwrap()
    }

    const WHITE: NoiseModel = NoiseModel::White { sigma: 0.1 };

    #[test]
    fn cut_outs_are_parts_of_the_image_without_their_mean_and_without_blank_pixels() {
        let (width, height, size) = (61, 47, 9);
        let blank = |x: usize, y: usize| (x * 7 + y * 13).is_multiple_of(211) || x == 50;
        let mut sky = image(width, height, &WHITE, blank);
        // So few pixels may seem correlated by chance.
        sky.symmetry = Symmetry::Square;
        let cutouts = sky.cutouts(size).unwrap();
        // The places, one by one.
        let free = |corner: usize| {
            (0..size * size).all(|i| !blank(corner % width + i % size, corner / width + i / size))
        };
        let corners = (0..width * height).filter(|c| c % width + size <= width && c / width + size <= height);
        let expected: Vec<usize> = corners.filter(|&c| free(c)).collect();
        assert_eq!(cutouts.places, expected.len() as u64);
        assert!(expected.len() > 50);

        let model = NoiseModel::Image { image: sky.clone(), autocorrelation: None };
        let noise = Noise::new(&model, f64::INFINITY, size).unwrap();
        let mut seen = std::collections::HashMap::new();
        for index in 0..20_000 {
            let mut stamp = vec![2.0; size * size];
            noise.add(&mut stamp, 3, index);
            assert!((stamp.iter().sum::<f64>() / (size * size) as f64 - 2.0).abs() < 1e-6);
            // Differences of pixels tell where it is from: white noise may be turned in all eight ways.
            let found = expected.iter().find_map(|&corner| {
                let turned = |turn: u8, i: usize| {
                    let (x, y) = if turn & 4 == 0 { (i % size, i / size) } else { (i / size, i % size) };
                    let x = if turn & 1 == 0 { x } else { size - 1 - x };
                    let y = if turn & 2 == 0 { y } else { size - 1 - y };
                    f64::from(sky.pixels[corner + y * width + x])
                };
                let differs =
                    |turn, i| (stamp[i] - stamp[0] - turned(turn, i) + turned(turn, 0)).abs() > 1e-6;
                (0..8).find(|&turn| !(0..size * size).any(|i| differs(turn, i))).map(|turn| (corner, turn))
            });
            *seen.entry(found.expect("a cut-out that is not in the image")).or_insert(0) += 1;
        }
        // Every place in every turn is as likely: counts of 20,000 over places · 8.
        let cells = expected.len() as f64 * 8.0;
        let mean = 20_000.0 / cells;
        let drawn: f64 = seen.values().map(|&n: &i32| (f64::from(n) - mean).powi(2) / mean).sum();
        let chi_squared = drawn + (cells - seen.len() as f64) * mean;
        assert!((chi_squared - cells).abs() < 4.0 * (2.0 * cells).sqrt(), "χ² = {chi_squared} of {cells}");
    }

    #[test]
    fn cut_outs_keep_the_images_variance_and_autocorrelation() {
        let drizzled = NoiseModel::Correlated { sigma: 0.1, autocorrelation: NoiseCorrelation::DRIZZLED };
        let sky = image(700, 650, &drizzled, |_, _| false);
        // x and y are correlated differently: no exchange of the axes.
        assert_eq!(sky.symmetry, Symmetry::Rectangle);
        let size = 64;
        let noise = Noise::new(&NoiseModel::Image { image: sky, autocorrelation: None }, f64::INFINITY, size)
            .unwrap();
        assert!((noise.sigma() - 0.1).abs() < 0.002);
        let mut products = [0.0; 4];
        for index in 0..600 {
            let mut stamp = vec![0.0; size * size];
            noise.add(&mut stamp, 1, index);
            for (sum, (dx, dy)) in products.iter_mut().zip([(0, 0), (1, 0), (0, 1), (1, 1)]) {
                let pairs = (0..(size - dy) * size).filter(|i| i % size + dx < size);
                let n = ((size - dx) * (size - dy)) as f64 * 600.0;
                *sum += pairs.map(|i| stamp[i] * stamp[i + dy * size + dx]).sum::<f64>() / n;
            }
        }
        // One image of 455,000 pixels, 2.5 pixels of which count for one: 0.0033 in the variance; and 5.7 / 4096 is lost
        // with the mean.
        assert!((products[0] / 0.01 - 1.0).abs() < 0.015, "{}", products[0]);
        for (product, expected) in products[1..].iter().zip([0.49, 0.55, 0.28]) {
            assert!((product / products[0] - expected).abs() < 0.01, "{product}, not {expected}");
        }
    }

    #[test]
    fn an_image_is_turned_only_as_its_autocorrelation_allows() {
        assert_eq!(image(300, 300, &WHITE, |_, _| false).symmetry, Symmetry::Square);
        // Correlated along one diagonal.
        let white = image(300, 300, &WHITE, |_, _| false);
        let skew: Vec<f32> = (0..299 * 300)
            .map(|i| {
                let (x, y) = (i % 299, i / 299);
                white.pixels[y * 300 + x]
                    + if y > 0 { 0.5 * white.pixels[(y - 1) * 300 + x + 1] } else { 0.0 }
            })
            .collect();
        assert_eq!(SkyImage::new(skew, 299).unwrap().symmetry, Symmetry::Point);
    }

    #[test]
    fn source_photons_are_added_to_the_sky() {
        let size = 31;
        let sky = image(300, 300, &WHITE, |_, _| false);
        let model = NoiseModel::Image { image: sky, autocorrelation: None };
        let noise = Noise::new(&model, 100.0, size).unwrap();
        let (mut squares, stamps) = (0.0, 400);
        for index in 0..stamps {
            let mut stamp = vec![3.0; size * size];
            noise.add(&mut stamp, 1, index);
            squares += stamp.iter().map(|p| (p - 3.0) * (p - 3.0)).sum::<f64>() / (size * size) as f64;
        }
        // 0.01 of the sky and 3/100 of the photons, to √(2 / 90,000) and √(2 / 384,400).
        assert!((squares / f64::from(stamps as u32) / 0.04 - 1.0).abs() < 0.012, "{squares}");
    }

    #[test]
    fn images_without_a_place_for_a_stamp_are_errors() {
        let error = |image: &SkyImage, size| image.cutouts(size).unwrap_err().to_string();
        let whole = image(40, 30, &WHITE, |_, _| false);
        assert!(error(&whole, 31).contains("40×30 pixels it is smaller than a stamp of 31×31"));
        assert_eq!(whole.cutouts(30).unwrap().places, 11);
        let gaps = image(40, 40, &WHITE, |x, y| x % 10 == 0 && y % 10 == 0);
        assert!(error(&gaps, 20).contains("(16 are blank or zero)"));
        let new = |pixels, width| SkyImage::new(pixels, width).unwrap_err().to_string();
        assert!(new(vec![f32::NAN; 9], 3).contains("blank"));
        assert!(new(vec![2.5; 9], 3).contains("no noise"));
        assert!(new(vec![1.0; 8], 3).contains("rows of 3"));
        assert!(new(vec![], 3).contains("rows of 3"));
    }

    #[test]
    fn zeros_are_blank_in_real_numbers_and_good_in_whole_ones() {
        let zeros = |step: f32| SkyImage::new((0..100).map(|i| (i % 3) as f32 * step).collect(), 10).unwrap();
        assert!(zeros(0.3).cutouts(3).is_err());
        assert!(zeros(1.0).cutouts(3).is_ok());
    }
}
