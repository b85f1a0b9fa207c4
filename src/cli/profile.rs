//! `--profile`: where a run's time went, as tables and files.

use super::{Common, table};
use crate::Result;
use crate::engine::Gpu;
use crate::engine::gpu::profile::{HostWork, KernelCost, PROCESSOR_IS_TIMED, StepCost, TRACED_STEPS};
use crate::engine::gpu::{Profile, Profiling, tuning};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct ProfileArguments {
    /// Time every kernel and step; print where the time went and write profile.csv, steps.csv and trace.json (for
    /// Perfetto or chrome://tracing) into this folder
    #[arg(long, value_name = "FOLDER")]
    profile: Option<PathBuf>,
}

impl ProfileArguments {
    /// Opens the device, to be measured if that was asked for.
    pub fn open_gpu(&self, common: &Common) -> Result<Gpu> {
        match &self.profile {
            None => common.open_gpu(),
            Some(folder) => {
                Profile::prepare(folder)?;
                common.open_gpu_with(tuning::folder(), Profiling::Kernels)
            }
        }
    }

    /// Prints and writes what was measured, if it was.
    pub fn finish(&self, gpu: &Gpu, common: &Common) -> Result<()> {
        let (Some(folder), Some(profile)) = (&self.profile, gpu.profile()?) else { return Ok(()) };
        profile.write(folder)?;
        if !common.quiet {
            super::print(describe(&profile))?;
        }
        let [kernels, steps, trace] = Profile::FILES;
        common.say(format!(
            "{}: {kernels} (by kernel and layer), {steps}, {trace} (the first {} steps)",
            folder.display(),
            profile.steps.len().min(TRACED_STEPS),
        ));
        Ok(())
    }
}

/// The tables: by kernel, of inference apart from all else, and by kind of step.
fn describe(profile: &Profile) -> String {
    let mut text = String::new();
    for (inference, heading) in [(false, "KERNEL"), (true, "INFERENCE")] {
        let costs = profile.by_kernel(inference);
        if !costs.is_empty() {
            text += &kernels(heading, &costs, profile.timed);
            text += "\n\n";
        }
    }
    let mut text = text.trim_end().to_owned();
    let (calls, seconds) = profile.left_out;
    if calls > 0 {
        text += &format!(
            "\n(without {calls} first dispatches, in which kernels may be compiled: {:.1} ms)",
            1e3 * seconds
        );
    }
    if !profile.timed {
        text += "\n(this device has no timestamp queries: there are times of steps, none of kernels)";
    }
    text + "\n\n" + &steps(profile)
}

fn kernels(heading: &str, costs: &[KernelCost], timed: bool) -> String {
    let row = |cost: &KernelCost| {
        let timed = |number: f64, decimals: usize| match timed && number > 0.0 {
            true => format!("{number:.decimals$}"),
            false => "-".to_owned(),
        };
        let rate = |amount: u64| timed(amount as f64 / cost.seconds / 1e9, 1);
        vec![
            cost.kernel.to_owned(),
            cost.calls.to_string(),
            timed(1e3 * cost.seconds, 1),
            timed(100.0 * cost.share, 1),
            if cost.flops > 0 { format!("{:.2}", cost.flops as f64 / 1e9) } else { "-".to_owned() },
            format!("{:.3}", cost.bytes as f64 / 1e9),
            rate(cost.flops),
            rate(cost.bytes),
        ]
    };
    let rows: Vec<Vec<String>> = costs.iter().map(row).collect();
    table::lay_out(&[heading, "CALLS", "TIME ms", "SHARE %", "GFLOP", "GB", "GFLOP/s", "GB/s"], &rows)
}

fn steps(profile: &Profile) -> String {
    let mut heading = vec!["STEPS".to_owned(), "COUNT".into(), "MEDIAN ms".into(), "KERNELS %".into()];
    heading.extend(HostWork::ALL.map(|work| format!("{} %", work.name().to_uppercase())));
    heading.push("CPU %".into());
    let row = |cost: &StepCost| {
        let share = |share: f64| format!("{:.1}", 100.0 * share);
        let mut row = vec![cost.kind.name().to_owned(), cost.count.to_string()];
        row.push(format!("{:.2}", 1e3 * cost.median_seconds));
        row.push(if profile.timed { share(cost.kernels) } else { "-".into() });
        row.extend(cost.host.map(share));
        row.push(if PROCESSOR_IS_TIMED { share(cost.processor) } else { "-".into() });
        row
    };
    let rows: Vec<Vec<String>> = profile.step_costs.iter().map(row).collect();
    table::lay_out(&heading.iter().map(String::as_str).collect::<Vec<_>>(), &rows)
}
