//! `legato simulate`.

use super::{Common, progress};
use crate::fits::{Dataset, DatasetMeta, DatasetWriter, survey_parts};
use crate::sky::{Simulator, Survey};
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

/// Stamps that are made and written at a time.
const CHUNK: u64 = 256;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato simulate -n 5000 --seed 1 -o train.fits\n  legato simulate --survey my-survey.toml -n 1000 -o test.fits"
)]
pub struct Arguments {
    /// Survey: a built-in name or a TOML file
    #[arg(long, default_value = "candels-f160w")]
    survey: String,
    /// Number of stamps
    #[arg(short = 'n', long = "number", value_parser = clap::value_parser!(u64).range(1..))]
    number: u64,
    /// The data set to write (FITS)
    #[arg(short, long)]
    output: PathBuf,
    /// Threads; 0: one a core
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let survey = Survey::find(&arguments.survey)?;
    check_output(&arguments.output)?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.into())
        .build_global()
        .map_err(|e| Error::Usage(format!("cannot start {} threads: {e}", arguments.threads)))?;
    simulate(&survey, common.seed, arguments.number, &arguments.output, common)
}

/// Refuses to replace anything but an earlier data set.
fn check_output(path: &Path) -> Result<()> {
    files::check_writable(path)?;
    let empty = std::fs::metadata(path).map_or(0, |m| m.len()) == 0;
    if empty || Dataset::open(path).is_ok_and(|set| set.truth().is_some()) {
        return Ok(());
    }
    Err(Error::fits(path, "is there already and no whole data set: it is not replaced; give another name"))
}

/// A simulator of a survey, whatever its parts come from.
pub fn simulator(survey: &Survey, seed: u64) -> Result<Simulator> {
    Simulator::with_parts(survey.clone(), &survey_parts(survey)?, seed)
}

/// Simulates `number` stamps into a data set at `path`.
pub fn simulate(survey: &Survey, seed: u64, number: u64, path: &Path, common: &Common) -> Result<()> {
    let (simulator, size) = (simulator(survey, seed)?, survey.stamp_size);
    let meta = DatasetMeta::simulated(survey, seed);
    let mut writer =
        DatasetWriter::create(path, &meta, usize::try_from(number).unwrap_or(usize::MAX), size, size)?;
    let bar = progress::bar(common, number, "simulating", "stamps");
    for first in (0..number).step_by(CHUNK as usize) {
        let (pixels, truths) = simulator.batch(first..number.min(first + CHUNK))?;
        writer.append(&pixels, &truths)?;
        bar.inc(truths.len() as u64);
    }
    let seconds = bar.elapsed().as_secs_f64();
    bar.finish_and_clear();
    writer.finish()?;
    let rate = number as f64 / seconds;
    common.say(format!(
        "{}: {number} stamps of {}, {size}×{size} pixels ({rate:.0}/s)",
        path.display(),
        survey.name
    ));
    Ok(())
}
