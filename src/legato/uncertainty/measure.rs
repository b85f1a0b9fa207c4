//! From stamps to values with errors.

use super::domain::{disagreement, strangeness};
use super::repeats::{Repeats, Variation};
use super::spread::{Spread, about};
use crate::engine::gpu::Readback;
use crate::engine::nn::{Layer, Model, Network, Thinned};
use crate::engine::{Gpu, Tensor};
use crate::legato::{Estimator, Parameter};
use crate::sky::NoiseCorrelation;
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Copies are moved by up to this much along each axis, pixels: half of what networks learn from their training's
/// galaxies, which lie up to half a pixel beside the centre.
const SHIFT: f64 = 0.25;
/// The fresh noise of a copy, over the image's own: enough to see what noise does, and so little that the copy, whose
/// noise is 3% stronger then, is still what networks learned from. Twice as strong noise biases them (docs/src/errors.md).
const NOISE: f64 = 0.25;
/// Batches that the device has while the next one is made.
const BATCHES_UNDER_WAY: usize = 1;
/// Largest batch that leaves the order of sums on a processor as it is, by the kernels that run there by default: beyond it
/// a dense layer's sums are cut into fewer parts.
const SAME_SUMS: usize = 256;
/// Thinned networks.
const THINNED: usize = 16;
/// The share of neurons that each of them lacks, where the network did not learn with dropout.
const LEFT_OUT: f32 = 0.05;

/// How stamps are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatOptions {
    /// Copies of each stamp that are measured besides it. With none there are no errors.
    pub repeats: u32,
    /// The seed of what is random about copies and thinned networks.
    pub seed: u64,
    /// Stamps that the device measures at a time; 0 is taken as 1. On a GPU, and by tuned kernels, results depend on it in
    /// their last bits.
    pub batch: usize,
}

impl RepeatOptions {
    /// Copies unless told otherwise: those that shipped networks are calibrated with.
    pub const REPEATS: u32 = 4;
}

impl Default for RepeatOptions {
    fn default() -> Self {
        RepeatOptions { repeats: Self::REPEATS, seed: 1, batch: 64 }
    }
}

/// What is measured of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean of the network's answers about the stamp and its copies, physical units; without copies its answer
    /// about the stamp.
    pub value: f64,
    /// From the value down to the lower end of its 68% interval; NaN without repeats or calibration.
    pub err_lo: f64,
    /// From the value up to the upper end; NaN likewise.
    pub err_hi: f64,
    /// How far the answers lie apart.
    pub spread: Spread,
}

/// What is measured of one stamp.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    /// Of each parameter that there is an estimator of.
    pub estimates: BTreeMap<Parameter, Estimate>,
    /// How much further the answers about this stamp lie apart than is usual at its magnitude: 1 is usual, and one in
    /// a hundred simulated galaxies has more than [`super::OUT_OF_DOMAIN`]. NaN without repeats or calibration.
    pub disagreement: f64,
}

/// The measured magnitude; NaN where there is none.
pub(super) fn magnitude(estimates: &BTreeMap<Parameter, Estimate>) -> f64 {
    estimates.get(&Parameter::Magnitude).map_or(f64::NAN, |estimate| estimate.value)
}

/// Networks ready to measure, and to measure again.
///
/// What it says of a stamp is a function of the stamp, its key and the options alone: where the order of sums depends on the
/// size of a batch, batches always have the same, and are filled up where stamps run out.
pub struct Repeater<'a> {
    gpu: &'a Gpu,
    estimators: &'a BTreeMap<Parameter, Estimator>,
    /// Every network once, whatever number of estimators it serves.
    networks: Vec<(Rc<Model>, Thinned)>,
    repeats: Repeats,
    options: RepeatOptions,
    size: usize,
    /// Of the images that the networks learned from.
    usual_sigma: f64,
}

impl<'a> Repeater<'a> {
    /// For estimators with the noise of their calibration.
    ///
    /// # Errors
    /// There is no estimator, or the device fails.
    pub fn new(
        gpu: &'a Gpu,
        estimators: &'a BTreeMap<Parameter, Estimator>,
        options: &RepeatOptions,
    ) -> Result<Self> {
        let corrections = estimators.values().filter_map(|estimator| estimator.correction.as_ref());
        let correlation = corrections.map(|correction| correction.noise).next().flatten();
        Self::with_noise(gpu, estimators, correlation, options)
    }

    /// For images whose noise is correlated thus; white where that is not known.
    ///
    /// # Errors
    /// As [`Repeater::new`], and an autocorrelation that no noise can have.
    pub fn with_noise(
        gpu: &'a Gpu,
        estimators: &'a BTreeMap<Parameter, Estimator>,
        correlation: Option<NoiseCorrelation>,
        options: &RepeatOptions,
    ) -> Result<Self> {
        let Some(any) = estimators.values().next() else {
            return Err(Error::Usage("no trained network was given".into()));
        };
        let count = if options.repeats > 0 { THINNED } else { 0 };
        let mut networks: Vec<(Rc<Model>, Thinned)> = Vec::new();
        for Estimator { model, .. } in estimators.values() {
            if !networks.iter().any(|(known, _)| Rc::ptr_eq(known, model)) {
                let thinned = Thinned::new(gpu, model, left_out(model.network()), count, options.seed)?;
                networks.push((model.clone(), thinned));
            }
        }
        let variation = Variation { shift: SHIFT, noise: NOISE, turn: true, seed: options.seed };
        let size = any.stamp_size();
        let repeats = Repeats::new(size, correlation, variation)?;
        let usual_sigma = any.provenance.sigma;
        Ok(Repeater { gpu, estimators, networks, repeats, options: *options, size, usual_sigma })
    }

    /// What it measures with.
    pub fn estimators(&self) -> &'a BTreeMap<Parameter, Estimator> {
        self.estimators
    }

    /// Stamps to measure at a time, so that few places of a batch stay empty, and a GPU has its next batch before it is
    /// done with one.
    pub fn chunk(&self) -> usize {
        chunk(self.gpu.is_software(), self.options.batch)
    }

    /// Measures square stamps, pixel by pixel and stamp after stamp, in the networks' flux unit. `keys` names each by a
    /// number that no other of its catalogue has, and `sigma` is the noise of its sky in the same unit. Copies get no
    /// more noise than that of the images that the networks learned from goes with, which also stands for one that is
    /// not known (NaN): at the border of a galaxy that fills its stamp there is more than noise.
    ///
    /// # Errors
    /// Pixels that are not as many stamps as there are keys and sigmas, or a failing device.
    pub fn measure(&self, stamps: &[f32], keys: &[u64], sigma: &[f64]) -> Result<Vec<Repeated>> {
        let area = self.size * self.size;
        if stamps.len() != keys.len() * area || sigma.len() != keys.len() {
            let message = format!(
                "{} pixels, {} keys and {} sigmas are not as many stamps of {area} pixels",
                stamps.len(),
                keys.len(),
                sigma.len()
            );
            return Err(Error::shape("measure", message));
        }
        let asked = self.ask(stamps)?;
        let copies = self.ask_again(stamps, keys, sigma)?;
        let again = self.options.repeats as usize;
        let of = |stamp: usize| {
            let estimate = |(&parameter, answers): (&Parameter, &Answers)| {
                let whole = answers.whole[stamp];
                let copies = &copies[&parameter][stamp * again..(stamp + 1) * again];
                let value = (whole + copies.iter().sum::<f64>()) / (1 + again) as f64;
                // Thinned networks saw the stamp as it is alone.
                let thinned = about(whole, answers.thinned.iter().map(|values| values[stamp]));
                let copies = about(value, copies.iter().copied().chain([whole]));
                let spread = Spread { copies, thinned };
                (parameter, Estimate { value, err_lo: f64::NAN, err_hi: f64::NAN, spread })
            };
            self.corrected(asked.iter().map(estimate).collect())
        };
        Ok((0..keys.len()).map(of).collect())
    }

    /// Puts the errors and the disagreement to values with spreads.
    fn corrected(&self, mut estimates: BTreeMap<Parameter, Estimate>) -> Repeated {
        let magnitude = magnitude(&estimates);
        let (mut strange, mut strangest) = (Vec::new(), f64::NAN);
        for (parameter, estimate) in &mut estimates {
            let correction = self.estimators.get(parameter).and_then(|e| e.correction.as_ref());
            if let Some(correction) = correction.filter(|_| self.options.repeats > 0) {
                (estimate.err_lo, estimate.err_hi) =
                    correction.errors(*parameter, magnitude, estimate.spread);
                strange.push(correction.strangeness(*parameter, magnitude, estimate.spread));
                strangest = correction.strangest;
            }
        }
        Repeated { estimates, disagreement: disagreement(strangeness(&strange), strangest) }
    }

    /// The answers about stamps as they are.
    fn ask(&self, stamps: &[f32]) -> Result<BTreeMap<Parameter, Answers>> {
        let area = self.size * self.size;
        let batch = self.options.batch.max(1);
        let mut answers: BTreeMap<Parameter, Answers> =
            self.estimators.keys().map(|&parameter| (parameter, Answers::default())).collect();
        let ask = |first: usize, input: &mut [f32]| {
            let part = &stamps[first * area..stamps.len().min((first + batch) * area)];
            input[..part.len()].copy_from_slice(part);
        };
        let infer = |network: usize, input: &Tensor| {
            let (whole, mut outputs) = self.networks[network].1.infer(self.gpu, input)?;
            outputs.insert(0, whole);
            Ok(outputs)
        };
        self.pipelined(stamps.len() / area, ask, infer, |network, count, outputs| {
            for (parameter, answers) in &mut answers {
                let estimator = &self.estimators[parameter];
                if Rc::ptr_eq(&self.networks[network].0, &estimator.model) {
                    answers.extend(estimator, count, outputs);
                }
            }
        })?;
        Ok(answers)
    }

    /// The answers about the copies of each stamp, one stamp's after another's.
    fn ask_again(
        &self,
        stamps: &[f32],
        keys: &[u64],
        sigma: &[f64],
    ) -> Result<BTreeMap<Parameter, Vec<f64>>> {
        let area = self.size * self.size;
        let again = self.options.repeats as usize;
        let mut answers: BTreeMap<Parameter, Vec<f64>> =
            self.estimators.keys().map(|&parameter| (parameter, Vec::new())).collect();
        let copy = |first: usize, input: &mut [f32]| {
            let (repeats, usual) = (&self.repeats, self.usual_sigma);
            input.par_chunks_mut(area).zip(first..keys.len() * again).for_each(|(copy, number)| {
                let (stamp, repeat) = (number / again, (number % again) as u32 + 1);
                let pixels = &stamps[stamp * area..(stamp + 1) * area];
                // Of NaN, the other one.
                let sigma = sigma[stamp].min(usual);
                copy.copy_from_slice(&repeats.copy(pixels, keys[stamp], repeat, sigma));
            });
        };
        let infer =
            |network: usize, input: &Tensor| Ok(vec![self.networks[network].0.infer(self.gpu, input)?]);
        self.pipelined(keys.len() * again, copy, infer, |network, count, outputs| {
            for (parameter, answers) in &mut answers {
                let estimator = &self.estimators[parameter];
                if Rc::ptr_eq(&self.networks[network].0, &estimator.model) {
                    answers.extend(estimator.values(outputs[0]).into_iter().take(count));
                }
            }
        })?;
        Ok(answers)
    }

    /// The places of a batch for so many stamps. Those that stay empty are work, too: for a single stamp nearly all of it.
    fn places(&self, stamps: usize) -> usize {
        let batch = self.options.batch.max(1);
        let same_sums = self.gpu.is_software() && self.gpu.tuning().file().is_none() && batch <= SAME_SUMS;
        if same_sums { stamps.min(batch) } else { batch }
    }

    /// Asks all networks about `total` stamps in batches. `fill` writes those from a number on into a batch, whose rest is
    /// zero; `infer` records a network's outputs of it, all of one size; `hear` is told the network, how many of the
    /// stamps are meant, and the outputs. The device works on a batch while the next one is made and uploaded and the
    /// last one's answers are heard; every network sees the same upload.
    fn pipelined(
        &self,
        total: usize,
        fill: impl Fn(usize, &mut [f32]),
        infer: impl Fn(usize, &Tensor) -> Result<Vec<Tensor>>,
        mut hear: impl FnMut(usize, usize, &[&[f32]]),
    ) -> Result<()> {
        let (area, batch) = (self.size * self.size, self.options.batch.max(1));
        // How many stamps are meant; of each network, the outputs and how many numbers one of them has.
        let mut under_way: VecDeque<(usize, Vec<(Readback, usize)>)> = VecDeque::new();
        let mut settle = |(count, reads): (usize, Vec<(Readback, usize)>)| -> Result<()> {
            for (network, (read, one)) in reads.into_iter().enumerate() {
                hear(network, count, &read.wait()?.chunks(one).collect::<Vec<_>>());
            }
            Ok(())
        };
        for first in (0..total).step_by(batch) {
            let places = self.places(total - first);
            let mut stamps = vec![0.0; places * area];
            fill(first, &mut stamps);
            let input = self.gpu.upload(&[places, self.size, self.size, 1], &stamps)?;
            let start = |network| {
                let outputs = infer(network, &input)?;
                let read = self.gpu.start_read_all(&outputs.iter().collect::<Vec<_>>())?;
                Ok((read, outputs[0].len()))
            };
            let reads = (0..self.networks.len()).map(start).collect::<Result<_>>()?;
            under_way.push_back((batch.min(total - first), reads));
            if under_way.len() > BATCHES_UNDER_WAY {
                under_way.pop_front().map_or(Ok(()), &mut settle)?;
            }
        }
        under_way.into_iter().try_for_each(settle)
    }
}

/// As [`Repeater::chunk`]: two batches on a GPU. A processor, whose cores do the device's work as well, would gain nothing by a second
/// one; there a chunk is one batch, so that progress is told sooner.
fn chunk(is_software: bool, batch: usize) -> usize {
    batch.max(1).saturating_mul(if is_software { 1 } else { 2 })
}

/// The share of neurons to leave out of a network: as many as it learned without.
fn left_out(network: &Network) -> f32 {
    let own = network.layers.iter().filter_map(|layer| match *layer {
        Layer::Dropout { probability } => Some(probability),
        _ => None,
    });
    match own.fold(0.0, f32::max) {
        0.0 => LEFT_OUT,
        probability => probability,
    }
}

/// A parameter's answers about stamps as they are.
#[derive(Default)]
struct Answers {
    /// The whole network's, one a stamp.
    whole: Vec<f64>,
    /// Each thinned network's.
    thinned: Vec<Vec<f64>>,
}

impl Answers {
    /// Adds the first `count` of a batch: the whole network's outputs, then the thinned ones'.
    fn extend(&mut self, estimator: &Estimator, count: usize, outputs: &[&[f32]]) {
        let values = |outputs: &[f32]| estimator.values(outputs).into_iter().take(count);
        let Some((whole, thinned)) = outputs.split_first() else { return };
        self.whole.extend(values(whole));
        self.thinned.resize(thinned.len(), Vec::new());
        self.thinned.iter_mut().zip(thinned).for_each(|(all, outputs)| all.extend(values(outputs)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::correction::{Correction, Curves};
    use super::*;
    use crate::engine::nn::weights;
    use crate::engine::ops::check;
    use crate::legato::{Provenance, Scaling, Target};
    use crate::rng::{Philox, Stream, unit_f32};
    use rand::Rng;
    use std::cell::RefCell;

    const SIZE: usize = 16;

    /// Estimators of two parameters by one small network with random weights.
    fn estimators(gpu: &Gpu, correction: Option<Correction>) -> Result<BTreeMap<Parameter, Estimator>> {
        let layers = vec![
            Layer::Conv2d { kernel: 3, filters: 4, relu: true },
            Layer::MaxPool,
            Layer::Flatten,
            Layer::Dense { units: 13, relu: true },
            Layer::Dense { units: 9, relu: true },
            Layer::Dense { units: 2, relu: false },
        ];
        let model = Model::random(gpu, &Network { name: "small".into(), input: [SIZE, SIZE, 1], layers }, 4)?;
        let target = |parameter| Target { parameter, scaling: Scaling { min: 16.0, max: 23.0 } };
        let provenance = Provenance {
            targets: [Parameter::Magnitude, Parameter::AxisRatio].map(target).to_vec(),
            from: None,
            survey: "s".into(),
            zero_point: 25.0,
            pixel_scale: 0.06,
            sigma: 0.1,
            data: String::new(),
            seed: 1,
            epoch: 1,
            images_seen: 1,
            loss: crate::engine::ops::loss::Loss::Absolute,
            validation_loss: 0.1,
            validation_r2: 0.9,
            version: String::new(),
            adapter: String::new(),
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("w.safetensors");
        let arrays = weights::model_arrays(gpu, &model)?;
        weights::save(&path, model.network(), &arrays, provenance.metadata(&path)?)?;
        if let Some(correction) = correction {
            correction.store(&path)?;
        }
        Ok(Estimator::load(gpu, &path)?.into_iter().map(|e| (e.parameter(), e)).collect())
    }

    fn correction() -> Correction {
        let curves = Curves {
            copies: vec![0.1],
            thinned: vec![0.1],
            powers: [1.0, 0.0],
            lower: vec![0.2],
            upper: vec![0.3],
        };
        let curves = BTreeMap::from([(Parameter::Magnitude, curves.clone()), (Parameter::AxisRatio, curves)]);
        Correction { magnitudes: vec![20.0], strangest: 1.0, curves, ..Correction::default() }
    }

    /// Random stamps, one after another.
    fn stamps(count: u32) -> Vec<f32> {
        let stamp = |number| {
            let mut words = Philox::new(1, Stream::Test, number, 0);
            (0..SIZE * SIZE).map(move |_| unit_f32(words.next_u32()))
        };
        (0..count).flat_map(stamp).collect()
    }

    const OPTIONS: RepeatOptions = RepeatOptions { repeats: 3, seed: 1, batch: 5 };

    #[test]
    fn a_stamp_with_its_key_has_the_same_values_and_errors_in_any_batch_and_place() {
        check::on_every_gpu(|gpu| {
            let estimators = estimators(gpu, Some(correction()))?;
            let repeater = Repeater::new(gpu, &estimators, &OPTIONS)?;
            let (area, keys, sigma) = (SIZE * SIZE, [5, 9, 2, 1 << 40, 3, 8, 0], [0.1; 7]);
            let all = repeater.measure(&stamps(7), &keys, &sigma)?;
            for i in 0..7 {
                let alone = &stamps(7)[i * area..(i + 1) * area];
                assert_eq!(repeater.measure(alone, &keys[i..=i], &[0.1])?, all[i..=i], "stamp {i}");
            }
            let rest = repeater.measure(&stamps(7)[2 * area..], &keys[2..], &sigma[2..])?;
            assert_eq!(rest, all[2..]);
            let errors = all[3].estimates[&Parameter::Magnitude];
            assert!(errors.err_lo > 0.0 && errors.err_hi > errors.err_lo && errors.spread.thinned > 0.0);
            assert!(all.iter().all(|measured| measured.disagreement > 0.0));
            Ok(())
        });
    }

    #[test]
    fn another_key_or_seed_makes_other_copies() {
        check::on_every_gpu(|gpu| {
            let estimators = estimators(gpu, Some(correction()))?;
            let of = |options: &RepeatOptions, key| -> Result<Estimate> {
                let measured =
                    Repeater::new(gpu, &estimators, options)?.measure(&stamps(1), &[key], &[0.1])?;
                Ok(measured[0].estimates[&Parameter::AxisRatio])
            };
            let first = of(&OPTIONS, 1)?;
            let others = [of(&OPTIONS, 2)?, of(&RepeatOptions { seed: 2, ..OPTIONS }, 1)?];
            for other in others {
                assert!(
                    other.spread.thinned != first.spread.thinned
                        || other.spread.copies != first.spread.copies
                );
                assert!(
                    (other.value - first.value).abs() < 3.0 * first.spread.copies
                        && other.value != first.value
                );
            }
            Ok(())
        });
    }

    #[test]
    fn values_are_the_networks_own_and_without_repeats_there_are_no_errors() {
        check::on_every_gpu(|gpu| {
            let estimators = estimators(gpu, Some(correction()))?;
            let once = RepeatOptions { repeats: 0, batch: 3, ..OPTIONS };
            let measured = Repeater::new(gpu, &estimators, &once)?.measure(&stamps(3), &[0; 3], &[0.1; 3])?;
            let q = &estimators[&Parameter::AxisRatio];
            let input = gpu.upload(&[3, SIZE, SIZE, 1], &stamps(3))?;
            let values = q.values(&gpu.read(&q.model.infer(gpu, &input)?)?);
            for (measured, value) in measured.iter().zip(values) {
                let estimate = measured.estimates[&Parameter::AxisRatio];
                assert_eq!((estimate.value, estimate.spread), (value, Spread::default()));
                assert!(
                    estimate.err_lo.is_nan() && estimate.err_hi.is_nan() && measured.disagreement.is_nan()
                );
            }
            Ok(())
        });
    }

    #[test]
    fn networks_that_were_never_calibrated_give_spreads_and_no_errors() {
        check::on_every_gpu(|gpu| {
            let estimators = estimators(gpu, None)?;
            let measured =
                Repeater::new(gpu, &estimators, &OPTIONS)?.measure(&stamps(1), &[1], &[0.1])?.remove(0);
            let estimate = measured.estimates[&Parameter::Magnitude];
            assert!(
                estimate.spread.copies > 0.0 && estimate.err_lo.is_nan() && measured.disagreement.is_nan()
            );
            Ok(())
        });
    }

    #[test]
    fn where_all_copies_are_the_stamp_itself_their_answers_agree() {
        check::on_every_gpu(|gpu| {
            let estimators = estimators(gpu, Some(correction()))?;
            let flat = vec![0.0; SIZE * SIZE];
            let measured = Repeater::new(gpu, &estimators, &OPTIONS)?.measure(&flat, &[1], &[0.0])?;
            assert_eq!(measured[0].estimates[&Parameter::Magnitude].spread.copies, 0.0);
            Ok(())
        });
    }

    #[test]
    fn a_gpu_has_two_batches_at_a_time() {
        assert_eq!([chunk(false, 256), chunk(true, 64), chunk(true, 0)], [512, 64, 1]);
        assert_eq!(chunk(false, usize::MAX), usize::MAX);
        // Models of one chunk are made while the next is measured.
        assert!(2 * chunk(false, 256) as u64 <= crate::legato::measurement::PART);
    }

    #[test]
    fn the_next_batch_is_made_and_handed_over_before_the_last_one_is_waited_for() {
        check::on_every_gpu(|gpu| {
            let estimators = estimators(gpu, None)?;
            let options = RepeatOptions { repeats: 0, batch: 2, ..OPTIONS };
            let repeater = Repeater::new(gpu, &estimators, &options)?;
            let told = RefCell::new(Vec::new());
            let fill = |first: usize, _: &mut [f32]| told.borrow_mut().push(format!("make {first}"));
            let infer = |network: usize, input: &Tensor| {
                told.borrow_mut().push(format!("hand over to {network}"));
                Ok(vec![repeater.networks[network].0.infer(gpu, input)?])
            };
            let hear = |network: usize, count: usize, _: &[&[f32]]| {
                told.borrow_mut().push(format!("hear {count} of {network}"));
            };
            repeater.pipelined(5, fill, infer, hear)?;
            let networks = repeater.networks.len();
            let of_all = |what: &str| (0..networks).map(|n| format!("{what} {n}")).collect::<Vec<_>>();
            let (over, two) = (of_all("hand over to"), of_all("hear 2 of"));
            let made = |first: usize| vec![format!("make {first}")];
            let one = of_all("hear 1 of");
            let due = [made(0), over.clone(), made(2), over.clone(), two.clone(), made(4), over, two, one];
            assert_eq!(told.into_inner(), due.concat());
            Ok(())
        });
    }

    #[test]
    fn pixels_keys_and_sigmas_must_be_of_as_many_stamps() {
        check::on_every_gpu(|gpu| {
            let estimators = estimators(gpu, None)?;
            let repeater = Repeater::new(gpu, &estimators, &OPTIONS)?;
            let message = repeater.measure(&stamps(2), &[1], &[0.1; 2]).expect_err("one key").to_string();
            let expected = "measure: 512 pixels, 1 keys and 2 sigmas are not as many stamps of 256 pixels";
            assert_eq!(message, expected);
            assert!(repeater.measure(&[], &[], &[])?.is_empty());
            Ok(())
        });
    }
}
