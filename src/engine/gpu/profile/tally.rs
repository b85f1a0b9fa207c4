//! A profile's sums as they grow: by kernel and place, by kind of step, and step by step.

use super::host::Cost;
use super::report::{KernelCost, Profile, Step, StepCost};
use super::{Place, Record, StepKind};
use std::collections::BTreeMap;

/// Steps that are kept one by one, for their medians and for `steps.csv`; later ones are in the sums alone.
const KEPT_STEPS: usize = 10_000;

/// Calls, nanoseconds, flops and bytes of some dispatches.
#[derive(Clone, Copy, Default)]
struct Sum {
    calls: u64,
    time: u64,
    flops: u64,
    bytes: u64,
}

/// The dispatches of a kernel in a place: the pipelines' first ones apart from the others.
#[derive(Default)]
struct Sums {
    first: Sum,
    later: Sum,
}

/// The sums.
#[derive(Default)]
pub(super) struct Tally {
    kernels: BTreeMap<(&'static str, Place), Sums>,
    /// By [`StepKind`]: how many, and their sum.
    kinds: [(u64, Step); StepKind::ALL.len()],
    steps: Vec<Step>,
    /// The step that is going on: its number, when it began, its kind.
    current: Option<(usize, u64, StepKind)>,
}

impl Tally {
    /// The number of the step that is going on; 0 before the first.
    pub fn current(&self) -> usize {
        self.current.map_or(0, |(number, ..)| number)
    }

    /// Ends the step that is going on and begins the next. `cost` is the processor's since the last call; before the first
    /// step it is nobody's.
    pub fn begin_step(&mut self, now: u64, cost: Cost) {
        let next = self.current.map_or(0, |(number, ..)| number + 1);
        self.end_step(now, cost);
        self.current = Some((next, now, StepKind::Other));
        if next < KEPT_STEPS {
            self.steps.push(Step::default());
        }
    }

    /// Adds what the step that is going on has taken; it goes on from `now`.
    pub fn end_step(&mut self, now: u64, cost: Cost) {
        let Some((number, begin, kind)) = &mut self.current else { return };
        let wall = now.saturating_sub(*begin);
        *begin = now.max(*begin);
        let (_, sum) = &mut self.kinds[*kind as usize];
        for step in [Some(sum), self.steps.get_mut(*number)].into_iter().flatten() {
            step.kind = *kind;
            step.wall += wall;
            step.host.iter_mut().zip(cost.work).for_each(|(sum, new)| *sum += new);
            step.processor += cost.processor;
        }
    }

    /// Says what the step that is going on does, once it is submitted.
    pub fn set_kind(&mut self, kind: StepKind) {
        if let Some((_, _, of)) = &mut self.current {
            *of = kind;
            self.kinds[kind as usize].0 += 1;
        }
    }

    /// Adds the time of a step's kernels.
    pub fn add_kernels(&mut self, step: usize, kind: StepKind, time: u64) {
        self.kinds[kind as usize].1.kernels += time;
        if let Some(step) = self.steps.get_mut(step) {
            step.kernels += time;
        }
    }

    /// Adds a dispatch.
    pub fn add(&mut self, record: &Record, time: u64) {
        let sums = self.kernels.entry((record.kernel, record.place)).or_default();
        let sum = if record.first { &mut sums.first } else { &mut sums.later };
        sum.calls += 1;
        sum.time += time;
        sum.flops += record.flops;
        sum.bytes += record.bytes;
    }

    /// The sums so far; the rest of the profile is left empty.
    pub fn report(&self, timed: bool) -> Profile {
        let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
        let mut left_out = (0, 0.0);
        let cost = |(&(kernel, place), &Sums { first, later }): (&(&'static str, Place), &Sums)| {
            let mut sum = later;
            if !timed {
                sum.calls += first.calls;
                sum.flops += first.flops;
                sum.bytes += first.bytes;
            } else if later.calls == 0 {
                sum = first;
            } else {
                left_out = (left_out.0 + first.calls, left_out.1 + seconds(first.time));
            }
            let Sum { calls, time, flops, bytes } = sum;
            KernelCost { kernel, place, calls, seconds: seconds(time), share: 0.0, flops, bytes }
        };
        let mut kernels: Vec<KernelCost> = self.kernels.iter().map(cost).collect();
        let total = |inference: bool| -> f64 {
            kernels.iter().filter(|k| k.of_inference() == inference).map(|k| k.seconds).sum()
        };
        let (of_inference, of_others) = (total(true), total(false));
        for kernel in &mut kernels {
            let total = if kernel.of_inference() { of_inference } else { of_others };
            kernel.share = if total > 0.0 { kernel.seconds / total } else { 0.0 };
        }
        kernels.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let of_kind = |kind: StepKind| {
            let (count, sum) = &self.kinds[kind as usize];
            let mut walls: Vec<u64> = self.steps.iter().filter(|s| s.kind == kind).map(|s| s.wall).collect();
            walls.sort_unstable();
            let share = |time: u64| time as f64 / sum.wall.max(1) as f64;
            (*count > 0).then(|| StepCost {
                kind,
                count: *count,
                median_seconds: walls.get(walls.len() / 2).map_or(0.0, |&wall| seconds(wall)),
                seconds: seconds(sum.wall),
                kernels: share(sum.kernels),
                host: sum.host.map(share),
                processor: share(sum.processor),
            })
        };
        let step_costs = StepKind::ALL.into_iter().filter_map(of_kind).collect();
        Profile { timed, kernels, left_out, step_costs, steps: self.steps.clone(), ..Profile::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pass;
    use super::super::report::HostTimes;
    use super::*;

    fn record(kernel: &'static str, layer: u32, first: bool, flops: u64) -> Record {
        let place = Place { pass: Pass::Forward, layer };
        Record { kernel, place, first, flops, bytes: 10, ..Record::default() }
    }

    /// Milliseconds.
    const MS: u64 = 1_000_000;

    /// Of so much work, for half of all of which there was a core.
    fn cost(work: HostTimes) -> Cost {
        Cost { work, processor: work.iter().sum::<u64>() / 2 }
    }

    #[test]
    fn a_pipelines_first_dispatch_is_left_out_where_others_followed() {
        let mut tally = Tally::default();
        tally.add(&record("conv", 1, true, 7), 500 * MS);
        tally.add(&record("conv", 1, false, 7), 30 * MS);
        tally.add(&record("conv", 2, false, 5), 40 * MS);
        tally.add(&record("conv", 1, false, 7), 20 * MS);
        tally.add(&record("pool", 3, true, 0), 10 * MS);
        let profile = tally.report(true);
        let found: Vec<_> =
            profile.kernels.iter().map(|k| (k.kernel, k.place.layer, k.calls, k.flops, k.bytes)).collect();
        assert_eq!(found, [("conv", 1, 2, 14, 20), ("conv", 2, 1, 5, 10), ("pool", 3, 1, 0, 10)]);
        let shares: Vec<f64> = profile.kernels.iter().map(|k| k.share).collect();
        assert!(
            shares.iter().zip([0.5, 0.4, 0.1]).all(|(got, want)| (got - want).abs() < 1e-12),
            "{shares:?}"
        );
        assert_eq!(profile.left_out, (1, 0.5));
        let by_kernel = profile.by_kernel(false);
        assert_eq!((by_kernel[0].kernel, by_kernel[0].calls, by_kernel[0].flops), ("conv", 3, 19));
        assert!((by_kernel[0].seconds - 0.09).abs() < 1e-12 && (by_kernel[0].share - 0.9).abs() < 1e-12);
    }

    #[test]
    fn shares_are_of_inference_or_of_all_else() {
        let mut tally = Tally::default();
        let learned = record("conv", 1, false, 0);
        let place = Place { pass: Pass::Inference, layer: 1 };
        let applied = Record { place, ..learned.clone() };
        let other = Record { kernel: "adam", place: Place::default(), ..learned.clone() };
        for (record, time) in [(learned, 30), (applied, 5), (other, 10)] {
            tally.add(&record, time * MS);
        }
        let profile = tally.report(true);
        let shares = |inference: bool| -> Vec<(&str, f64)> {
            profile.by_kernel(inference).iter().map(|cost| (cost.kernel, cost.share)).collect()
        };
        assert_eq!(shares(true), [("conv", 1.0)]);
        assert_eq!(shares(false), [("conv", 0.75), ("adam", 0.25)]);
    }

    #[test]
    fn without_timestamps_every_dispatch_counts_and_none_has_a_time() {
        let mut tally = Tally::default();
        tally.add(&record("conv", 1, true, 7), 0);
        tally.add(&record("conv", 1, false, 7), 0);
        let profile = Profile { timed: false, ..tally.report(false) };
        assert_eq!((profile.kernels[0].calls, profile.kernels[0].flops), (2, 14));
        assert_eq!(profile.left_out, (0, 0.0));
        let csv = profile.kernels_csv();
        assert_eq!(csv.lines().nth(1), Some("conv,forward,1,2,,,14,20,,"));
    }

    #[test]
    fn a_step_lasts_until_the_next_one_begins() {
        let mut tally = Tally::default();
        tally.begin_step(3 * MS, cost([99 * MS; 5]));
        tally.set_kind(StepKind::Training);
        tally.begin_step(13 * MS, cost([MS, 2 * MS, 0, 0, 4 * MS]));
        tally.set_kind(StepKind::Training);
        // The first step's kernels are known only now.
        tally.add_kernels(0, StepKind::Training, 8 * MS);
        tally.begin_step(43 * MS, Cost::default());
        tally.set_kind(StepKind::Inference);
        tally.end_step(44 * MS, Cost::default());
        assert_eq!(tally.current(), 2);
        let profile = tally.report(true);
        let walls: Vec<_> = profile.steps.iter().map(|s| (s.kind, s.wall / MS, s.kernels / MS)).collect();
        assert_eq!(
            walls,
            [(StepKind::Training, 10, 8), (StepKind::Training, 30, 0), (StepKind::Inference, 1, 0)]
        );
        let [training, inference] = &profile.step_costs[..] else { panic!("{:?}", profile.step_costs) };
        assert_eq!((training.count, inference.count), (2, 1));
        assert_eq!((training.median_seconds, training.seconds), (0.03, 0.04));
        assert_eq!((training.kernels, training.host), (0.2, [0.025, 0.05, 0.0, 0.0, 0.1]));
        assert_eq!((training.processor, inference.processor), (0.0875, 0.0));
    }

    #[test]
    fn steps_beyond_those_kept_are_in_the_sums() {
        let mut tally = Tally::default();
        let steps = KEPT_STEPS as u64 + 3;
        for step in 0..steps {
            tally.begin_step(step * MS, Cost::default());
            tally.set_kind(StepKind::Other);
        }
        tally.end_step(steps * MS, Cost::default());
        tally.add_kernels(KEPT_STEPS + 1, StepKind::Other, MS);
        let profile = tally.report(true);
        assert_eq!(profile.steps.len(), KEPT_STEPS);
        let cost = &profile.step_costs[0];
        assert_eq!((cost.count, (1e3 * cost.seconds).round() as u64), (steps, steps));
        assert!(cost.kernels > 0.0);
    }
}
