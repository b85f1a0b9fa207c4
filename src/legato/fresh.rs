//! Galaxies that are drawn while the network learns, so that it never sees one twice.
//!
//! The stamp in place p of step s is number 2³² + s·batch + p of the survey's simulator: a function of the seed and the
//! step, whatever the number of threads, so that a resumed run goes on with the stamps of an unbroken one. Those held
//! out begin at 2³³, and the data sets that `legato simulate` makes with the same seed begin at 0: none of the three
//! ever shares a galaxy or its noise with another.

use super::{Ahead, Stamps};
use crate::sky::{Simulator, Truth};
use crate::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Number of the first stamp to learn from.
const LEARNING: u64 = 1 << 32;
/// Number of the first stamp held out.
const HELD_OUT: u64 = 1 << 33;
/// Groups of batches that lie ready before the threads pause.
const GROUPS_READY: usize = 2;
/// Least stamps a thread in a group, so that few threads are idle at its end.
const STAMPS_A_THREAD: usize = 8;

/// Which galaxies are drawn; kept with the run, since a resumed one must draw the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreshPlan {
    /// The simulator's seed.
    pub seed: u64,
    /// New stamps that are called an epoch; what does not fill a batch is left out.
    pub stamps_an_epoch: usize,
    /// Stamps held out, the same in every epoch.
    pub held_out: usize,
}

impl fmt::Display for FreshPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FreshPlan { seed, stamps_an_epoch, held_out } = self;
        write!(f, "seed {seed}, {stamps_an_epoch} stamps an epoch and {held_out} held out")
    }
}

/// A survey whose galaxies are drawn as they are needed.
pub struct Fresh {
    simulator: Arc<Simulator>,
    plan: FreshPlan,
    held_out: Stamps,
    pool: Arc<ThreadPool>,
}

impl Fresh {
    /// Draws a survey's galaxies on `threads` threads; those held out are made here and stay in memory.
    ///
    /// # Errors
    /// [`Error::Usage`] for an epoch or a validation of no stamps, or more than are set aside; those of the simulator.
    pub fn new(
        simulator: Simulator,
        stamps_an_epoch: usize,
        held_out: usize,
        threads: usize,
    ) -> Result<Self> {
        if stamps_an_epoch == 0 || held_out == 0 {
            return Err(Error::Usage(format!(
                "{stamps_an_epoch} stamps an epoch and {held_out} held out: there must be at least one of each"
            )));
        }
        let most = HELD_OUT - LEARNING;
        if stamps_an_epoch as u64 > most || held_out as u64 > most {
            return Err(Error::Usage(format!("more than {most} stamps cannot be drawn from one seed")));
        }
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|e| Error::Usage(format!("cannot start {threads} threads: {e}")))?;
        let held = HELD_OUT..HELD_OUT + held_out as u64;
        let mut stamps = pool.install(|| Stamps::simulate(&simulator, held))?;
        stamps.origin = format!("simulated: {}", simulator.survey().name);
        let plan = FreshPlan { seed: simulator.seed(), stamps_an_epoch, held_out };
        Ok(Fresh { simulator: Arc::new(simulator), plan, held_out: stamps, pool: Arc::new(pool) })
    }

    /// What is drawn.
    pub fn plan(&self) -> FreshPlan {
        self.plan
    }

    /// The stamps held out.
    pub fn held_out(&self) -> &Stamps {
        &self.held_out
    }

    /// Threads that draw.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The batches of `batch` stamps from step `step` on.
    pub(super) fn batches(&self, batch: usize, step: u64) -> Batches {
        let group = (STAMPS_A_THREAD * self.threads()).div_ceil(batch);
        let (simulator, pool) = (self.simulator.clone(), self.pool.clone());
        let mut next = LEARNING + step * batch as u64;
        let make = move || {
            let range = next..next + (group * batch) as u64;
            next = range.end;
            if next > HELD_OUT {
                let message =
                    "the seed has no more stamps that were not seen: start anew with another".into();
                return Some(Err(Error::Usage(message)));
            }
            let made = pool.install(|| simulator.batch(range));
            let split = |(pixels, truths): (Vec<f32>, Vec<Truth>)| {
                let area = pixels.len() / truths.len();
                let batches = pixels.chunks(area * batch).zip(truths.chunks(batch));
                // The last first, as they are popped.
                batches.rev().map(|(pixels, truths)| (pixels.to_vec(), truths.to_vec())).collect()
            };
            Some(made.map(split))
        };
        let groups = Ahead::start(GROUPS_READY, make);
        Batches { groups, ready: Vec::new(), step, first: step, waited: Duration::ZERO }
    }
}

/// Stamps, one after another, and what is on each.
pub(super) type Batch = (Vec<f32>, Vec<Truth>);

/// The batches of the coming steps, made while the device works.
pub(super) struct Batches {
    groups: Ahead<'static, Vec<Batch>>,
    ready: Vec<Batch>,
    step: u64,
    first: u64,
    waited: Duration,
}

impl Batches {
    /// The step whose batch comes next.
    pub(super) fn step(&self) -> u64 {
        self.step
    }

    /// The next step's batch; `idle` tells whether the device has nothing left to do.
    pub(super) fn next(&mut self, idle: impl Fn() -> Result<bool>) -> Result<Batch> {
        if self.ready.is_empty() {
            self.ready = match self.groups.poll()? {
                Some(group) => group,
                None => self.wait(idle)?,
            };
        }
        self.step += 1;
        self.ready.pop().ok_or_else(ended)
    }

    /// Waits for a group. What counts is the time in which the device has nothing to do; that of the first group,
    /// before which nothing could be ready, does not.
    fn wait(&mut self, idle: impl Fn() -> Result<bool>) -> Result<Vec<Batch>> {
        const GLANCE: Duration = Duration::from_micros(500);
        while !idle()? {
            if let Some(group) = self.groups.wait_for(GLANCE)? {
                return Ok(group);
            }
        }
        let started = Instant::now();
        let group = self.groups.wait()?.ok_or_else(ended)?;
        if self.step > self.first {
            self.waited += started.elapsed();
        }
        Ok(group)
    }

    /// For how long the device had nothing to do since this was asked last.
    pub(super) fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }
}

/// The groups are without end, so that only a panic, which goes on by itself, or a former error ends them.
fn ended() -> Error {
    Error::Usage("no more stamps are drawn after an error".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::Survey;

    fn simulator() -> Simulator {
        let mut survey = Survey::builtin("candels-f160w").unwrap();
        survey.stamp_size = 8;
        Simulator::new(survey, 4).unwrap()
    }

    #[test]
    fn the_stamps_of_a_step_are_the_simulators_whatever_the_threads() {
        let simulator = simulator();
        for threads in [1, 3] {
            let fresh = Fresh::new(super::tests::simulator(), 1000, 5, threads).unwrap();
            assert_eq!(fresh.threads(), threads);
            // Groups of two and of four batches.
            let mut batches = fresh.batches(7, 11);
            for step in 11..26 {
                assert_eq!(batches.step(), step);
                let first = LEARNING + step * 7;
                assert!(batches.next(|| Ok(true)).unwrap() == simulator.batch(first..first + 7).unwrap());
            }
        }
    }

    #[test]
    fn what_is_learned_from_what_is_held_out_and_data_sets_share_no_stamp() {
        let fresh = Fresh::new(simulator(), 30, 9, 2).unwrap();
        let held_out = fresh.held_out();
        let mut ids: Vec<i64> = held_out.truths().iter().map(|truth| truth.id).collect();
        assert!(ids.iter().all(|&id| id >= 1 << 33));
        let mut batches = fresh.batches(10, 0);
        for _ in 0..9 {
            ids.extend(batches.next(|| Ok(false)).unwrap().1.iter().map(|truth| truth.id));
        }
        assert!(ids[9..].iter().all(|&id| (1 << 32..1 << 33).contains(&id)));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 99);
        // The numbers of the simulator do not repeat before the last of them.
        let simulator = simulator();
        for number in [0, LEARNING, HELD_OUT] {
            assert_ne!(simulator.truth(number).mag, simulator.truth(number + 1).mag);
            assert_ne!(simulator.stamp(number).unwrap().0, simulator.stamp(2 * HELD_OUT - 1).unwrap().0);
        }
        assert_ne!(simulator.truth(0).mag, simulator.truth(LEARNING).mag);
        assert_ne!(simulator.truth(0).mag, simulator.truth(HELD_OUT).mag);
    }

    #[test]
    fn a_seed_without_more_stamps_is_an_error() {
        let fresh = Fresh::new(simulator(), 30, 1, 1).unwrap();
        let mut batches = fresh.batches(10, (HELD_OUT - LEARNING) / 10 - 1);
        assert_eq!(batches.next(|| Ok(true)).unwrap().1.len(), 10);
        let error = batches.next(|| Ok(true)).unwrap_err().to_string();
        assert!(error.contains("no more stamps that were not seen"), "{error}");
        assert!(batches.next(|| Ok(true)).is_err());
        assert!(Fresh::new(simulator(), 0, 1, 1).is_err() && Fresh::new(simulator(), 1, 0, 1).is_err());
        assert!(Fresh::new(simulator(), 1 << 33, 1, 1).is_err());
    }
}
