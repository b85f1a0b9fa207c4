//! The counter-based random numbers of the whole program: Philox 4×32-10 (Salmon et al. 2011,
//! "Parallel random numbers: as easy as 1, 2, 3"), the same bits here and in `shaders/philox.wgsl`.
//!
//! There is no state to save. A number is a pure function of
//!
//! | word | meaning |
//! |---|---|
//! | key\[0\], key\[1\] | the seed, low and high half |
//! | counter\[0\] | which block of four numbers (its low half) |
//! | counter\[1\] | the block's high half; in dropout and noise layers, the training step |
//! | counter\[2\] | sub-stream: a layer, a stamp's purpose … (0 where unused) |
//! | counter\[3\] | the [`Stream`]: what the numbers are for |
//!
//! so a checkpoint needs only the seed and the step, and the number of threads or the order of
//! work cannot change a result.

use rand::TryRng;
use std::convert::Infallible;

/// What random numbers are for; two purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Initial weights (sub-stream: the parameter's number).
    Initialisation = 1,
    /// The order of the training set in an epoch.
    Shuffle = 2,
    /// Shift, flips and zoom of a training stamp.
    Augmentation = 3,
    /// Dropout masks (sub-stream: the layer).
    Dropout = 4,
    /// Additive noise layers (sub-stream: the layer).
    Noise = 5,
    /// Simulated galaxies (sub-stream: what is drawn).
    Simulation = 6,
    /// Which stamps are held out for validation.
    Split = 7,
    /// Tests and benchmarks.
    Test = 8,
    /// Noise where a stamp has no data.
    Padding = 9,
    /// To which of blended sources a faint pixel goes (block: its column and row).
    Deblending = 11,
    /// Repeated measurements of a stamp (sub-stream: the repeat).
    Repeats = 10,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One block of Philox 4×32 with ten rounds: four random words from a counter and a key.
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let [p0, p1] = [
            u64::from(counter[0]) * u64::from(MULTIPLIERS[0]),
            u64::from(counter[2]) * u64::from(MULTIPLIERS[1]),
        ];
        counter = [
            (p1 >> 32) as u32 ^ counter[1] ^ key[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ counter[3] ^ key[1],
            p0 as u32,
        ];
    }
    counter
}

/// Blocks that [`fill`] works on side by side.
const SIDE_BY_SIDE: usize = 16;

/// Fills `words` with the numbers that [`Philox::new`] of the same arguments would give, several times as fast: the
/// blocks' rounds run side by side, in 64-bit lanes whose upper halves the multiplications ignore, and the compiler
/// makes vector instructions of them.
#[inline(always)]
pub fn fill(seed: u64, stream: Stream, sub: u32, mut block: u64, words: &mut [u32]) {
    const LOW: u64 = 0xffff_ffff;
    let mut round_key = key(seed);
    let keys: [[u64; 2]; 10] = std::array::from_fn(|_| {
        let [k0, k1] = round_key;
        round_key = [k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1])];
        [k0.into(), k1.into()]
    });
    for part in words.chunks_mut(4 * SIDE_BY_SIDE) {
        let mut planes = [[0; SIDE_BY_SIDE]; 4];
        let [first, second, third, fourth] = &mut planes;
        for i in 0..SIDE_BY_SIDE {
            let number = block.wrapping_add(i as u64);
            let mut counter = [number, number >> 32, sub.into(), stream as u64];
            for [k0, k1] in keys {
                let p0 = (counter[0] & LOW) * u64::from(MULTIPLIERS[0]);
                let p1 = (counter[2] & LOW) * u64::from(MULTIPLIERS[1]);
                counter = [(p1 >> 32) ^ counter[1] ^ k0, p1, (p0 >> 32) ^ counter[3] ^ k1, p0];
            }
            [first[i], second[i], third[i], fourth[i]] = counter;
        }
        block = block.wrapping_add(SIDE_BY_SIDE as u64);
        for (i, word) in part.iter_mut().enumerate() {
            *word = planes[i % 4][i / 4] as u32;
        }
    }
}

/// A seed split into Philox's key words, low half first.
pub fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// A uniform f32 in [0, 1) from the upper 24 bits of a word: exact in f32 on every device.
pub fn unit_f32(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Two independent standard normal numbers from two words, by Box and Muller; the first word is
/// mapped to (0, 1] so that its logarithm is finite.
pub fn normal_pair(a: u32, b: u32) -> [f32; 2] {
    let radius = (-2.0 * (1.0 - unit_f32(a)).ln()).sqrt();
    let angle = std::f32::consts::TAU * unit_f32(b);
    [radius * angle.cos(), radius * angle.sin()]
}

/// A sequence of Philox numbers, usable with everything in the `rand` and `rand_distr` crates.
#[derive(Clone, Debug)]
pub struct Philox {
    key: [u32; 2],
    sub: u32,
    stream: u32,
    block: u64,
    words: [u32; 4],
    used: usize,
}

impl Philox {
    /// The numbers of `seed` for one purpose and sub-stream, from `block` on; blocks hold four
    /// words, and blocks never overlap between sub-streams or streams.
    pub fn new(seed: u64, stream: Stream, sub: u32, block: u64) -> Self {
        Philox { key: key(seed), sub, stream: stream as u32, block, words: [0; 4], used: 4 }
    }

    fn word(&mut self) -> u32 {
        if self.used == 4 {
            let counter = [self.block as u32, (self.block >> 32) as u32, self.sub, self.stream];
            self.words = philox(counter, self.key);
            self.block = self.block.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }
}

impl TryRng for Philox {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        let low = u64::from(self.word());
        Ok(low | u64::from(self.word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A random order of 0..n: a pure function of the seed and the epoch.
pub fn permutation(n: usize, seed: u64, stream: Stream, epoch: u32) -> Vec<u32> {
    use rand::Rng;
    let mut numbers = Philox::new(seed, stream, epoch, 0);
    let mut keyed: Vec<(u64, u32)> = (0..n as u32).map(|i| (numbers.next_u64(), i)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, i)| i).collect()
}

/// The known-answer vectors that the Philox authors publish with Random123 (`kat_vectors`), as
/// counter, key and result.
#[cfg(test)]
pub(crate) const KNOWN_ANSWERS: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
    ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
    ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
    (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
        [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn philox_gives_the_published_known_answers() {
        for (counter, key, expected) in KNOWN_ANSWERS {
            assert_eq!(philox(counter, key), expected);
        }
    }

    #[test]
    fn streams_and_sub_streams_differ() {
        let first = |stream, sub| Philox::new(7, stream, sub, 0).next_u64();
        assert_ne!(first(Stream::Noise, 0), first(Stream::Dropout, 0));
        assert_ne!(first(Stream::Noise, 0), first(Stream::Noise, 1));
    }

    #[test]
    fn a_sequence_can_start_at_any_block() {
        let mut whole = Philox::new(3, Stream::Test, 0, 0);
        let words: Vec<u32> = (0..12).map(|_| whole.next_u32()).collect();
        let mut later = Philox::new(3, Stream::Test, 0, 2);
        assert_eq!((0..4).map(|_| later.next_u32()).collect::<Vec<_>>(), words[8..]);
    }

    #[test]
    fn numbers_in_bulk_are_those_of_the_sequence() {
        // Lengths that divide nothing, and a block whose low half overflows.
        for (n, block) in [(0, 0), (3, 5), (64, 1 << 40), (333, u64::from(u32::MAX) - 7), (130, u64::MAX - 2)]
        {
            let mut words = vec![0; n];
            fill(0x1234_5678_9abc_def0, Stream::Test, 77, block, &mut words);
            let mut sequence = Philox::new(0x1234_5678_9abc_def0, Stream::Test, 77, block);
            assert!(words.iter().all(|&word| word == sequence.next_u32()), "{n} from {block}");
        }
    }

    #[test]
    fn normal_numbers_have_zero_mean_and_unit_variance() {
        let mut words = Philox::new(1, Stream::Test, 0, 0);
        let n = 200_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n / 2 {
            for x in normal_pair(words.next_u32(), words.next_u32()) {
                sum += f64::from(x);
                squares += f64::from(x) * f64::from(x);
            }
        }
        // Five standard errors: 5/√n for the mean, 5·√(2/n) for the variance.
        assert!((sum / n as f64).abs() < 0.0112);
        assert!((squares / n as f64 - 1.0).abs() < 0.0159);
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = permutation(1001, 5, Stream::Shuffle, 3);
        assert_ne!(order, permutation(1001, 5, Stream::Shuffle, 4));
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &k)| i as u32 == k));
    }
}
