//! `legato galfit run`.

use crate::cli::{Common, interrupt, progress, tell};
use crate::galfit::{Ran, RunOptions, Workspace, find_binary, run as run_galfit};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Failures that are told; the catalogue has them all.
const TOLD: usize = 10;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato galfit run fits --jobs 4 --time-limit 120\n\nEach fit runs in a folder of its own. One that crashes, hangs or writes nothing is noted with its reason, and the rest goes on; run again to go on after an interrupt, with --again to try the failed ones once more."
)]
pub struct Arguments {
    /// A folder made by `legato galfit prepare`
    folder: PathBuf,
    /// GALFIT's program [default: `galfit` on the PATH]
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Fits at once [default: one a core]
    #[arg(short, long, value_parser = crate::cli::at_least_one)]
    jobs: Option<usize>,
    /// Seconds that one fit may take
    #[arg(long, default_value_t = 300.0, allow_negative_numbers = true)]
    time_limit: f64,
    /// Run again over what gave no answer
    #[arg(long)]
    again: bool,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let limit = time_limit(arguments.time_limit)?;
    let workspace = Workspace::open(&arguments.folder)?;
    let binary = find_binary(arguments.binary.as_deref())?;
    let jobs = arguments.jobs.unwrap_or_else(cores);
    let options = RunOptions { binary, jobs, limit, again: arguments.again };
    let ran = over(&workspace, &options, common)?;
    let folder = arguments.folder.display();
    let kept = if ran.kept > 0 { format!(", {} were done before", ran.kept) } else { String::new() };
    common.say(format!("{folder}: {} fits done{kept}, {} without an answer", ran.done, ran.failed.len()));
    for (name, reason) in ran.failed.iter().take(TOLD) {
        tell(format!("  {name}: {reason}"));
    }
    if ran.failed.len() > TOLD {
        tell(format!("  … and {} more", ran.failed.len() - TOLD));
    }
    common.say(format!("next: legato galfit read {folder} -o galfit.fits"));
    Ok(())
}

/// Runs GALFIT with a progress bar; an interrupt ends the fits under way.
pub fn over(workspace: &Workspace, options: &RunOptions, common: &Common) -> Result<Ran> {
    let total = workspace.objects()?.len();
    let bar = progress::bar(common, total as u64, "GALFIT", "fits");
    let listening = interrupt::listen();
    let ran = run_galfit(workspace, options, listening.flag(), || bar.inc(1));
    bar.finish_and_clear();
    ran
}

/// Seconds as a time limit.
pub fn time_limit(seconds: f64) -> Result<Duration> {
    let limit = Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| Error::Usage("--time-limit must be a positive number of seconds".into()))
}

/// How many fits the machine runs at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
