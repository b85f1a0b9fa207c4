//! What a run costs: the time of every dispatch, from timestamps on the device, and that of the processor's work around
//! them (`host`), added up by kernel and by step (`tally`, `report`) and, for the first steps, one by one (`trace`).
//!
//! Only a device that was opened for it keeps a profile. Each dispatch is then a compute pass of its own between two
//! timestamps, which changes no result: passes run in the order of their dispatches.

mod host;
mod report;
mod tally;
mod timestamps;
mod trace;

pub use host::HostWork;
pub use report::{KernelCost, Profile, Step, StepCost};

use super::kernel::{Dispatches, Kernel};
use crate::Result;
use crate::engine::Tensor;
use host::Host;
use std::collections::HashSet;
use tally::Tally;
use timestamps::Timestamps;
use trace::Trace;

/// Steps that are in the trace; the sums are of all of them.
pub const TRACED_STEPS: usize = 32;

/// Whether the system says how long a thread has had a core; where it does not, that is 0.
pub const PROCESSOR_IS_TIMED: bool = cfg!(unix);

/// What a device measures of its own work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profiling {
    /// Nothing, which costs nothing.
    #[default]
    Off,
    /// Every dispatch, where the device has timestamps; steps, where it has none.
    Kernels,
    /// Steps, whatever the device has.
    Steps,
}

/// The part of a network's work that a dispatch belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass {
    /// None: augmentation, the loss, the optimiser.
    #[default]
    Other,
    /// The way forward while training.
    Forward,
    /// The way back.
    Backward,
    /// The way forward without training.
    Inference,
}

impl Pass {
    /// In a word, for tables and traces.
    pub fn name(self) -> &'static str {
        match self {
            Pass::Other => "other",
            Pass::Forward => "forward",
            Pass::Backward => "backward",
            Pass::Inference => "inference",
        }
    }
}

/// Where in a network's work a dispatch stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The part of the work.
    pub pass: Pass,
    /// The layer, from 1; 0 where it is none's.
    pub layer: u32,
}

/// What a step does. A step is one submission of dispatches and lasts until the next one's first dispatch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepKind {
    /// Neither of the others.
    #[default]
    Other,
    /// Runs a network.
    Inference,
    /// Trains one.
    Training,
}

impl StepKind {
    /// All kinds, in the order of reports.
    pub const ALL: [StepKind; 3] = [StepKind::Training, StepKind::Inference, StepKind::Other];

    /// In a word, for tables and traces.
    pub fn name(self) -> &'static str {
        match self {
            StepKind::Other => "other",
            StepKind::Inference => "inference",
            StepKind::Training => "training",
        }
    }

    fn of(records: &[Record]) -> Self {
        let has = |pass| records.iter().any(|record| record.place.pass == pass);
        match () {
            () if has(Pass::Backward) => StepKind::Training,
            () if has(Pass::Inference) => StepKind::Inference,
            () => StepKind::Other,
        }
    }
}

/// A dispatch.
#[derive(Clone, Debug, Default)]
struct Record {
    kernel: &'static str,
    place: Place,
    /// Whether it is its pipeline's first, in which some drivers compile it.
    first: bool,
    groups: [u32; 3],
    /// Of the tensors that it binds; for the trace alone.
    shapes: Vec<Vec<usize>>,
    flops: u64,
    bytes: u64,
}

/// One submission.
struct Submission {
    step: usize,
    kind: StepKind,
    /// When it was handed over, in nanoseconds since the device was opened.
    at: u64,
    records: Vec<Record>,
}

/// Keeps the profile of a device.
pub(super) struct Profiler {
    host: Host,
    timestamps: Option<Timestamps<Submission>>,
    place: Place,
    records: Vec<Record>,
    /// Pipelines that have run.
    seen: HashSet<u64>,
    /// Whether a step's dispatches are being recorded.
    recording: bool,
    submitted_at: u64,
    tally: Tally,
    trace: Trace,
}

impl Profiler {
    pub fn new(queue: &wgpu::Queue, timestamps: bool) -> Self {
        Profiler {
            host: Host::new(),
            timestamps: timestamps.then(|| Timestamps::new(queue)),
            place: Place::default(),
            records: Vec::new(),
            seen: HashSet::new(),
            recording: false,
            submitted_at: 0,
            tally: Tally::default(),
            trace: Trace::default(),
        }
    }

    pub fn begin(&mut self, work: HostWork) {
        self.host.begin(work);
    }

    pub fn end(&mut self, work: HostWork) {
        self.host.end(work, self.tally.current());
    }

    pub fn place(&self) -> Place {
        self.place
    }

    pub fn set_place(&mut self, place: Place) {
        self.place = place;
    }

    /// A dispatch is about to be recorded: the first one begins a step.
    pub fn launching(&mut self) {
        if !self.recording {
            self.recording = true;
            let (now, cost) = (self.host.now(), self.host.take_cost());
            self.tally.begin_step(now, cost);
            self.host.begin(HostWork::Recording);
        }
    }

    /// A dispatch was recorded.
    pub fn launched(&mut self, kernel: &Kernel, tensors: &[&Tensor], groups: [u32; 3]) {
        let traced = self.tally.current() < TRACED_STEPS;
        self.records.push(Record {
            kernel: kernel.name,
            place: self.place,
            first: self.seen.insert(kernel.id),
            groups,
            shapes: tensors.iter().filter(|_| traced).map(|t| t.shape().to_vec()).collect(),
            flops: 0,
            bytes: tensors.iter().map(|t| 4 * t.len() as u64).sum(),
        });
    }

    /// The dispatch recorded last does so many operations on numbers.
    pub fn states_flops(&mut self, flops: u64) {
        if let Some(record) = self.records.last_mut() {
            record.flops = flops;
        }
    }

    /// What was recorded will not run.
    pub fn forget(&mut self) {
        self.records.clear();
        self.recording = false;
        self.end(HostWork::Recording);
    }

    /// Encodes the dispatches of a step: in as few passes as may be, or in one each where they are timed.
    pub fn encode(
        &mut self,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        dispatches: &impl Dispatches,
    ) {
        self.recording = false;
        self.end(HostWork::Recording);
        self.begin(HostWork::Submitting);
        match &mut self.timestamps {
            Some(timestamps) => timestamps.encode(device, encoder, dispatches),
            None => dispatches.encode(encoder),
        }
    }

    /// What was encoded is about to be handed over.
    pub fn submitting(&mut self) {
        self.submitted_at = self.host.now();
    }

    /// It has been.
    pub fn submitted(&mut self) {
        self.end(HostWork::Submitting);
        if self.records.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.records);
        let (step, kind) = (self.tally.current(), StepKind::of(&records));
        self.tally.set_kind(kind);
        match &mut self.timestamps {
            Some(timestamps) => {
                timestamps.submitted(Submission { step, kind, at: self.submitted_at, records });
            }
            None => records.iter().for_each(|record| self.tally.add(record, 0)),
        }
    }

    /// Takes in the times that have arrived.
    pub fn absorb(&mut self) -> Result<()> {
        let Some(timestamps) = &mut self.timestamps else { return Ok(()) };
        while let Some((Submission { step, kind, at, records }, times)) = timestamps.next()? {
            for (record, &[begin, end]) in records.iter().zip(&times) {
                self.tally.add(record, end.saturating_sub(begin));
            }
            let total = times.iter().map(|[begin, end]| end.saturating_sub(*begin)).sum();
            self.tally.add_kernels(step, kind, total);
            if step < TRACED_STEPS {
                self.trace.add(step, at, records, &times);
            }
        }
        Ok(())
    }

    /// All of it so far, on a device that is idle.
    pub fn report(&mut self, device: String) -> Result<Profile> {
        self.absorb()?;
        let cost = self.host.take_cost();
        self.tally.end_step(self.host.last_end, cost);
        let timed = self.timestamps.is_some();
        Ok(Profile { device, timed, trace: self.trace.json(&self.host.spans), ..self.tally.report(timed) })
    }
}
