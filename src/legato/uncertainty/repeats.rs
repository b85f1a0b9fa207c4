//! Copies of a stamp that show the same galaxy as well as it does, for repeated measurement.
//!
//! Copy number k of a stamp is the stamp in the k-th of the eight orientations that a square has, moved by less than a
//! pixel and under fresh noise of the image's own. It is a pure function of the stamp, its key, the number and the
//! seed: neither the other stamps nor their order matter.

use super::shift::Shifter;
use crate::Result;
use crate::rng::{self, Stream, unit_f32};
use crate::sky::{Noise, NoiseCorrelation, NoiseModel};

/// The mirror images and quarter turns of a square, itself first.
pub(super) const ORIENTATIONS: usize = 8;

/// How a stamp is varied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Variation {
    /// Shifts along x and along y are uniform in ± this many pixels.
    pub(super) shift: f64,
    /// Standard deviation of the fresh noise over that of the image.
    pub(super) noise: f64,
    /// Whether copies are turned and mirrored.
    pub(super) turn: bool,
    /// The seed of shifts and noise.
    pub(super) seed: u64,
}

/// Makes the copies of stamps of one size. Shared between threads.
pub(super) struct Repeats {
    size: usize,
    variation: Variation,
    shifter: Shifter,
    /// Of standard deviation 1.
    noise: Noise,
}

impl Repeats {
    /// For stamps of `size`² pixels whose noise is correlated thus; white where that is not known.
    ///
    /// # Errors
    /// An autocorrelation that no noise can have.
    pub(super) fn new(
        size: usize,
        correlation: Option<NoiseCorrelation>,
        variation: Variation,
    ) -> Result<Self> {
        let model = match correlation {
            Some(autocorrelation) => NoiseModel::Correlated { sigma: 1.0, autocorrelation },
            None => NoiseModel::White { sigma: 1.0 },
        };
        // Of the sky alone: the photons of a galaxy are on its stamp already, and how many they are an image need not
        // tell.
        let noise = Noise::new(&model, f64::INFINITY, size)?;
        Ok(Repeats { size, variation, shifter: Shifter::new(size), noise })
    }

    /// Copy `number`, from 1, of a stamp; `sigma` is the noise of its sky, none where it is not a positive number.
    pub(super) fn copy(&self, stamp: &[f32], key: u64, number: u32, sigma: f64) -> Vec<f32> {
        let Variation { shift, noise, turn, seed } = self.variation;
        let counter = [key as u32, (key >> 32) as u32, number, Stream::Repeats as u32];
        let words = rng::philox(counter, rng::key(seed));
        let mut copy: Vec<f64> = stamp.iter().map(|&pixel| f64::from(pixel)).collect();
        if turn {
            copy = orient(&copy, self.size, number as usize % ORIENTATIONS);
        }
        if shift > 0.0 {
            let [x, y] = [words[0], words[1]].map(|word| shift * (2.0 * f64::from(unit_f32(word)) - 1.0));
            self.shifter.shift(&mut copy, x, y);
        }
        let sigma = noise * sigma;
        if sigma > 0.0 && sigma.is_finite() {
            // A seed of its own: that of a simulation would give its stamps the noise again that they have.
            let seed = u64::from(words[2]) << 32 | u64::from(words[3]);
            let mut fresh = vec![0.0; copy.len()];
            self.noise.add(&mut fresh, seed, u64::from(number));
            copy.iter_mut().zip(fresh).for_each(|(pixel, unit)| *pixel += sigma * unit);
        }
        copy.into_iter().map(|pixel| pixel as f32).collect()
    }
}

/// A square image in one of its orientations: bit 0 mirrors columns, bit 1 rows, bit 2 exchanges the two.
fn orient(image: &[f64], size: usize, orientation: usize) -> Vec<f64> {
    let mirrored = |at: usize, bit: usize| if orientation >> bit & 1 == 1 { size - 1 - at } else { at };
    let pixel = |i: usize| {
        let (row, column) = (mirrored(i / size, 1), mirrored(i % size, 0));
        if orientation >> 2 & 1 == 1 { image[column * size + row] } else { image[row * size + column] }
    };
    (0..image.len()).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    const SIZE: usize = 15;
    const ALL: Variation = Variation { shift: 0.25, noise: 0.5, turn: true, seed: 3 };

    fn repeats(variation: Variation) -> Repeats {
        Repeats::new(SIZE, Some(NoiseCorrelation::DRIZZLED), variation).unwrap()
    }

    fn stamp(number: u32) -> Vec<f32> {
        let mut words = rng::Philox::new(1, Stream::Test, number, 0);
        (0..SIZE * SIZE).map(|_| unit_f32(words.next_u32())).collect()
    }

    #[test]
    fn a_copy_is_a_function_of_stamp_key_number_and_seed() {
        let first = repeats(ALL).copy(&stamp(0), 7, 2, 0.1);
        let again = repeats(ALL);
        again.copy(&stamp(1), 8, 3, 0.1);
        assert_eq!(again.copy(&stamp(0), 7, 2, 0.1), first);
        let others = [
            again.copy(&stamp(1), 7, 2, 0.1),
            again.copy(&stamp(0), 7 + (1 << 32), 2, 0.1),
            again.copy(&stamp(0), 7, 10, 0.1),
            repeats(Variation { seed: 4, ..ALL }).copy(&stamp(0), 7, 2, 0.1),
        ];
        assert!(others.iter().all(|other| *other != first));
    }

    #[test]
    fn a_square_has_eight_orientations_and_none_changes_a_pixel() {
        let turned = Variation { shift: 0.0, noise: 0.0, ..ALL };
        let copies: Vec<Vec<f32>> =
            (0..8).map(|number| repeats(turned).copy(&stamp(0), 1, number, 0.1)).collect();
        assert_eq!(copies[0], stamp(0));
        let sorted = |copy: &[f32]| {
            let mut copy = copy.to_vec();
            copy.sort_by(f32::total_cmp);
            copy
        };
        for (i, copy) in copies.iter().enumerate() {
            assert_eq!(sorted(copy), sorted(&stamp(0)));
            assert!(!copies[..i].contains(copy), "{i}");
        }
        assert_eq!(copies[1][0], stamp(0)[SIZE - 1]);
        assert_eq!(copies[4][1], stamp(0)[SIZE]);
    }

    #[test]
    fn a_stamp_that_looks_the_same_from_all_sides_stays_itself() {
        let away = |i: usize| (i as f32 - 7.0).powi(2);
        let round: Vec<f32> = (0..SIZE * SIZE).map(|i| -away(i / SIZE) - away(i % SIZE)).collect();
        let turned = repeats(Variation { shift: 0.0, noise: 0.0, ..ALL });
        assert!((1..9).all(|number| turned.copy(&round, 1, number, 0.1) == round));
    }

    #[test]
    fn fresh_noise_is_as_strong_as_told_and_absent_where_the_images_is_not_known() {
        let noisy = repeats(Variation { shift: 0.0, ..ALL });
        let empty = vec![0.0; SIZE * SIZE];
        let squares = (0..40).flat_map(|key| noisy.copy(&empty, key, 1, 0.1)).map(|p| f64::from(p * p));
        let sigma = (squares.sum::<f64>() / 9000.0).sqrt();
        // Neighbours are correlated (Σρ² is about 3), so the sum has as few as 3,000 independent terms.
        assert!((sigma / 0.05 - 1.0).abs() < 5.0 / 6000f64.sqrt(), "{sigma}");
        for unknown in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            assert_eq!(noisy.copy(&empty, 1, 1, unknown), empty);
        }
    }

    #[test]
    fn the_noise_of_a_simulated_stamp_does_not_come_again() {
        let mut simulated = vec![0.0; SIZE * SIZE];
        let model = NoiseModel::Correlated { sigma: 1.0, autocorrelation: NoiseCorrelation::DRIZZLED };
        Noise::new(&model, f64::INFINITY, SIZE).unwrap().add(&mut simulated, 3, 1);
        let noisy = repeats(Variation { shift: 0.0, noise: 1.0, turn: false, seed: 3 });
        let copy = noisy.copy(&[0.0; SIZE * SIZE], 1, 1, 1.0);
        let product: f64 = simulated.iter().zip(&copy).map(|(a, b)| a * f64::from(*b)).sum();
        assert!(product.abs() < 0.5 * (SIZE * SIZE) as f64);
    }
}
