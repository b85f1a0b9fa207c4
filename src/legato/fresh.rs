//! Galaxies that are drawn while the network learns, so that it never sees one twice.
//!
//! The stamp in place p of step s is number 2³² + s·batch + p of the survey's simulator: a function of the seed and the
//! step, whatever the number of threads, so that a resumed run goes on with the stamps of an unbroken one. Those held
//! out begin at 2³³, and the data sets that `legato simulate` makes with the same seed begin at 0: none of the three
//! ever shares a galaxy or its noise with another.

use super::{Ahead, Stamps};
use crate::engine::Gpu;
use crate::sky::{Simulator, Truth};
use crate::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};
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
    groups: Ahead<Vec<Batch>>,
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

    /// The next step's batch.
    pub(super) fn next(&mut self, gpu: &Gpu) -> Result<Batch> {
        if self.ready.is_empty() {
            self.ready = match self.groups.poll()? {
                Some(group) => group,
                None => self.wait(gpu)?,
            };
        }
        self.step += 1;
        self.ready.pop().ok_or_else(ended)
    }

    /// Waits for a group. What counts is the time in which the device has nothing to do; that of the first group,
    /// before which nothing could be ready, does not.
    fn wait(&mut self, gpu: &Gpu) -> Result<Vec<Batch>> {
        const GLANCE: Duration = Duration::from_micros(500);
        while !gpu.is_idle()? {
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

/// Where the stamps of a training run come from.
#[derive(Clone, Copy)]
pub enum Supply<'a> {
    /// A data set, a part of which is held out.
    Set(&'a Stamps),
    /// Galaxies drawn as they are needed.
    Fresh(&'a Fresh),
}

impl<'a> Supply<'a> {
    /// The stamps in memory: the set, or those held out.
    pub fn stamps(self) -> &'a Stamps {
        match self {
            Supply::Set(stamps) => stamps,
            Supply::Fresh(fresh) => &fresh.held_out,
        }
    }

    /// What is drawn, if it is drawn.
    pub(super) fn plan(self) -> Option<FreshPlan> {
        match self {
            Supply::Set(_) => None,
            Supply::Fresh(fresh) => Some(fresh.plan),
        }
    }
}

impl<'a> From<&'a Stamps> for Supply<'a> {
    fn from(stamps: &'a Stamps) -> Self {
        Supply::Set(stamps)
    }
}

impl<'a> From<&'a Fresh> for Supply<'a> {
    fn from(fresh: &'a Fresh) -> Self {
        Supply::Fresh(fresh)
    }
}
