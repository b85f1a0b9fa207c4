//! Which random numbers a layer draws: nothing but counters, so there is no state to keep.

use crate::rng::{self, Stream};

/// Names the random numbers of one layer in one training step. The same draw always gives the same
/// numbers, forward, backward and after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The training run's seed.
    pub seed: u64,
    /// The layer's number in its network, so that two layers never share numbers.
    pub layer: u32,
    /// The training step; its lower 32 bits count.
    pub step: u64,
}

impl Draw {
    /// What a kernel needs to draw: key (two words), step, layer, stream.
    pub(super) fn words(&self, stream: Stream) -> [u32; 5] {
        let [low, high] = rng::key(self.seed);
        [low, high, self.step as u32, self.layer, stream as u32]
    }

    /// The four random words for elements 4·block to 4·block + 3, as the kernels draw them.
    pub fn block(&self, stream: Stream, block: u32) -> [u32; 4] {
        rng::philox([block, self.step as u32, self.layer, stream as u32], rng::key(self.seed))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::super::fours::{HALVES, LONG, PHILOX};
    use crate::Result;
    use crate::engine::Gpu;
    use crate::engine::gpu::{Source, device::linear_grid};
    use crate::rng::{self, KNOWN_ANSWERS, Stream};
    use rand::Rng;

    const BLOCKS: &str = include_str!("../../../shaders/philox_words.wgsl");
    static KERNELS: [Source; 2] = [
        Source { name: "philox_words", parts: &[HALVES, PHILOX, BLOCKS], in_bounds: true },
        Source { name: "philox_words", parts: &[LONG, PHILOX, BLOCKS], in_bounds: true },
    ];

    /// The words of each block from every kernel that the device has.
    fn on_the_device(gpu: &Gpu, inputs: &[([u32; 4], [u32; 2])]) -> Result<Vec<Vec<[u32; 4]>>> {
        let kernels = if gpu.uses_words() { &KERNELS[..] } else { &KERNELS[..1] };
        kernels.iter().map(|kernel| by(gpu, kernel, inputs)).collect()
    }

    fn by(gpu: &Gpu, kernel: &'static Source, inputs: &[([u32; 4], [u32; 2])]) -> Result<Vec<[u32; 4]>> {
        let n = inputs.len();
        let counters: Vec<u32> = inputs.iter().flat_map(|(counter, _)| *counter).collect();
        let keys: Vec<u32> = inputs.iter().flat_map(|(_, key)| *key).collect();
        let counters = gpu.upload_words(&[n, 4], &counters)?;
        let keys = gpu.upload_words(&[n, 2], &keys)?;
        let words = gpu.tensor(&[n, 4])?;
        gpu.launch(kernel, &[], &[&counters, &keys, &words], &[], linear_grid(n, 64))?;
        let bits: Vec<u32> = gpu.read(&words)?.iter().map(|w| w.to_bits()).collect();
        Ok(bits.chunks(4).map(|w| [w[0], w[1], w[2], w[3]]).collect())
    }

    #[test]
    fn philox_on_the_device_gives_the_published_known_answers() {
        check::on_every_gpu(|gpu| {
            let inputs = KNOWN_ANSWERS.map(|(counter, key, _)| (counter, key));
            for words in on_the_device(gpu, &inputs)? {
                assert_eq!(words, KNOWN_ANSWERS.map(|(_, _, words)| words));
            }
            Ok(())
        });
    }

    #[test]
    fn philox_gives_the_same_words_on_the_device_and_on_the_host() {
        let mut random = rng::Philox::new(11, Stream::Test, 0, 0);
        // Words of mixed size: multiplication carries differently for few and for many bits.
        let mut word = || {
            let shift = random.next_u32() % 32;
            random.next_u32() >> shift
        };
        let inputs: Vec<_> =
            (0..5003).map(|_| ([word(), word(), word(), word()], [word(), word()])).collect();
        let host: Vec<_> = inputs.iter().map(|&(counter, key)| rng::philox(counter, key)).collect();
        check::on_every_gpu(|gpu| {
            for words in on_the_device(gpu, &inputs)? {
                assert_eq!(words, host);
            }
            Ok(())
        });
    }
}
