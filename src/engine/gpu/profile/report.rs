//! A profile as it is reported: by kernel and place, by kind of step, and as files.

use super::{HostWork, PROCESSOR_IS_TIMED, Pass, Place, StepKind};
use crate::{Result, files};
use std::collections::BTreeMap;
use std::path::Path;

/// Nanoseconds by [`HostWork::ALL`].
pub(super) type HostTimes = [u64; HostWork::ALL.len()];

/// What a kernel costs in one place of a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelCost {
    /// Its name, as in `shaders/`.
    pub kernel: &'static str,
    /// Where; nowhere in particular for sums over places.
    pub place: Place,
    /// Dispatches.
    pub calls: u64,
    /// Their time on the device; 0 where it has no timestamps.
    pub seconds: f64,
    /// The share of the time of all kernels of inference, or of all others; 0 where the device has no timestamps.
    pub share: f64,
    /// Operations on numbers, 2 a multiply-add, as far as the kernel's operation states them.
    pub flops: u64,
    /// Bytes of the tensors that it binds: what it moves where each is read or written once.
    pub bytes: u64,
}

impl KernelCost {
    /// Whether it is part of inference.
    pub(super) fn of_inference(&self) -> bool {
        self.place.pass == Pass::Inference
    }
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Nanoseconds from its first dispatch's recording to that of the next step's.
    pub wall: u64,
    /// Nanoseconds of its kernels.
    pub kernels: u64,
    /// Nanoseconds of the processor's work for the device, by [`HostWork::ALL`].
    pub host: HostTimes,
    /// Nanoseconds that the thread which does that work had a core, with what it did in between. See
    /// [`super::PROCESSOR_IS_TIMED`].
    pub processor: u64,
}

/// What the steps of one kind cost.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCost {
    /// What they do.
    pub kind: StepKind,
    /// How many there were.
    pub count: u64,
    /// The median of their wall times, of the first ten thousand steps.
    pub median_seconds: f64,
    /// The sum of their wall times.
    pub seconds: f64,
    /// The time of their kernels, as a share of that sum.
    pub kernels: f64,
    /// The processor's work for the device, as shares of it, by [`HostWork::ALL`].
    pub host: [f64; HostWork::ALL.len()],
    /// The time that the thread which does that work had a core, as a share of it. See [`super::PROCESSOR_IS_TIMED`].
    pub processor: f64,
}

/// What a run cost.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The device.
    pub device: String,
    /// Whether it has timestamps, and kernels therefore have times.
    pub timed: bool,
    /// By kernel and place, dearest first. Each pipeline's first dispatch, in which some drivers compile it, is left out
    /// where others followed in the same place.
    pub kernels: Vec<KernelCost>,
    /// Dispatches that were left out, and their time in seconds.
    pub left_out: (u64, f64),
    /// By kind of step.
    pub step_costs: Vec<StepCost>,
    /// The first steps, one by one.
    pub steps: Vec<Step>,
    /// The first steps' kernels and host work in Chrome's trace format.
    pub trace: String,
}

impl Profile {
    /// The files that a profile is.
    pub const FILES: [&str; 3] = ["profile.csv", "steps.csv", "trace.json"];

    /// The costs by kernel, dearest first: over all places of inference, or over all others.
    pub fn by_kernel(&self, inference: bool) -> Vec<KernelCost> {
        let mut sums: BTreeMap<&str, KernelCost> = BTreeMap::new();
        for cost in self.kernels.iter().filter(|cost| cost.of_inference() == inference) {
            let sum = sums
                .entry(cost.kernel)
                .or_insert_with(|| KernelCost { kernel: cost.kernel, ..KernelCost::default() });
            sum.calls += cost.calls;
            sum.seconds += cost.seconds;
            sum.share += cost.share;
            sum.flops += cost.flops;
            sum.bytes += cost.bytes;
        }
        let mut sums: Vec<KernelCost> = sums.into_values().collect();
        sums.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        sums
    }

    /// Writes [`Profile::FILES`] into a folder that is there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for (name, text) in
            Self::FILES.into_iter().zip([self.kernels_csv(), self.steps_csv(), self.trace.clone()])
        {
            files::replace(&folder.join(name), text.as_bytes())?;
        }
        Ok(())
    }

    /// Checks that [`Profile::write`] will find its place, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn prepare(folder: &Path) -> Result<()> {
        files::make_folder(folder)?;
        Self::FILES.into_iter().try_for_each(|name| files::check_writable(&folder.join(name)))
    }

    pub(super) fn kernels_csv(&self) -> String {
        let mut text = "KERNEL,PASS,LAYER,CALLS,SECONDS,SHARE,FLOPS,BYTES,GFLOP_PER_S,GB_PER_S\n".to_owned();
        for KernelCost { kernel, place, calls, seconds, share, flops, bytes } in &self.kernels {
            let timed = |number: f64, decimals| {
                if self.timed { format!("{number:.decimals$}") } else { String::new() }
            };
            let (pass, layer) = (place.pass.name(), place.layer);
            let rate =
                |amount: u64| timed(if *seconds > 0.0 { amount as f64 / seconds / 1e9 } else { 0.0 }, 3);
            text += &format!(
                "{kernel},{pass},{layer},{calls},{},{},{flops},{bytes},{},{}\n",
                timed(*seconds, 9),
                timed(*share, 9),
                rate(*flops),
                rate(*bytes)
            );
        }
        text
    }

    fn steps_csv(&self) -> String {
        let names = HostWork::ALL.map(|work| format!("{}_MS", work.name().to_uppercase()));
        let mut text = format!("STEP,KIND,WALL_MS,KERNELS_MS,{},CPU_MS\n", names.join(","));
        let ms = |time: u64| format!("{:.6}", time as f64 / 1e6);
        for (number, Step { kind, wall, kernels, host, processor }) in self.steps.iter().enumerate() {
            let kernels = if self.timed { ms(*kernels) } else { String::new() };
            let host = host.map(ms).join(",");
            let processor = if PROCESSOR_IS_TIMED { ms(*processor) } else { String::new() };
            let (number, wall) = (number + 1, ms(*wall));
            text += &format!("{number},{},{wall},{kernels},{host},{processor}\n", kind.name());
        }
        text
    }
}
