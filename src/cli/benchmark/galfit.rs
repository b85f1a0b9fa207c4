//! `legato benchmark galfit`: the networks and GALFIT on the same stamps and machine.

use crate::cli::galfit::{cores, only_psf, over, time_limit};
use crate::cli::{Common, evaluate::batch, print, table};
use crate::engine::Gpu;
use crate::engine::ladder::median;
use crate::files::{self, Scratch};
use crate::fits::{DatasetWriter, survey_parts};
use crate::galfit::{
    Answer, Preparation, Ran, RunOptions, Sky, Workspace, find_binary, prepare, read_workspace,
};
use crate::legato::{
    Estimator, Evaluation, Parameter, Set, Stamps, Statistics, estimators_or_shipped, evaluate,
};
use crate::report::paper;
use crate::sky::{Simulator, Survey};
use crate::{Error, Result};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Runs of the networks, of which the median counts.
const REPEATS: usize = 3;
/// What the paper gives for GALFIT: 3.5 hours for 5,000 galaxies (Tuccillo et al. 2018, section 5.2).
const PAPER_SECONDS: f64 = 3.5 * 3600.0 / 5000.0;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato benchmark galfit -n 200\n  legato benchmark galfit --data test.fits --binary ~/bin/galfit -o beside\n\nR² is over all stamps that a method gave an answer for, GALFIT's bad fits included, as in the paper. Without GALFIT the networks are timed alone, and the paper's figure is quoted beside them."
)]
pub struct Arguments {
    /// Stamps, at most
    #[arg(short = 'n', long = "number", default_value_t = 50, value_parser = crate::cli::at_least_one)]
    number: usize,
    /// A data set with its truth, in place of simulated stamps of --survey
    #[arg(long)]
    data: Option<PathBuf>,
    /// Survey of the simulated stamps, and whose PSF GALFIT gets: a built-in name or a TOML file
    #[arg(long, default_value = "candels-f160w")]
    survey: String,
    /// Trained networks: a weights file, or a folder of them or of runs [default: those in the box]
    #[arg(long)]
    models: Option<PathBuf>,
    /// GALFIT's program [default: `galfit` on the PATH]
    #[arg(long)]
    binary: Option<PathBuf>,
    /// GALFIT's fits at once [default: one a core]
    #[arg(short, long, value_parser = crate::cli::at_least_one)]
    jobs: Option<usize>,
    /// Seconds that one fit may take
    #[arg(long, default_value_t = 300.0, allow_negative_numbers = true)]
    time_limit: f64,
    /// Keep the stamps and GALFIT's files in this folder
    #[arg(short, long)]
    output: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let limit = time_limit(arguments.time_limit)?;
    let survey = Survey::find(&arguments.survey)?;
    let stamps = stamps(arguments, &survey, common)?;
    let binary = find_binary(arguments.binary.as_deref());
    // A program that was named must be there; one that was not may be missing.
    let binary = if arguments.binary.is_some() { Some(binary?) } else { binary.ok() };
    let gpu = common.open_gpu()?;
    let estimators =
        estimators_or_shipped(&gpu, arguments.models.as_deref(), Set::of_survey(&stamps.meta.survey))?;
    let (seconds, evaluations) = time_networks(&gpu, &estimators, &stamps)?;
    let ours = Timed { name: "networks".into(), seconds, note: gpu.description() };
    let Some(binary) = binary else {
        show(&evaluations, None, &[ours, quoted()], stamps.len())?;
        return print(without_galfit());
    };
    let jobs = arguments.jobs.unwrap_or_else(cores);
    let options = RunOptions { binary, jobs, limit, again: false };
    let scratch;
    let folder = match &arguments.output {
        Some(folder) => {
            files::make_folder(folder)?;
            folder.as_path()
        }
        None => {
            let parent = std::env::temp_dir();
            scratch = Scratch::new(&parent).map_err(|e| Error::io(&parent, "write in", e))?;
            scratch.path()
        }
    };
    let (answers, ran, wall) = run_galfit(&survey, &stamps, &options, folder, common)?;
    let n = ran.seconds.len().max(1) as f64;
    let timed = [
        ours,
        Timed {
            name: "GALFIT, wall time".into(),
            seconds: wall / n,
            note: format!("{} at once, {}", jobs, options.binary.display()),
        },
        Timed { name: "GALFIT, median fit".into(), seconds: median(&ran.seconds), note: String::new() },
        quoted(),
    ];
    show(&evaluations, Some(&answers), &timed, stamps.len())?;
    let bad = answers.iter().filter(|a| a.trouble.is_some()).count();
    print(format!(
        "\n{bad} of GALFIT's {} fits are no measurement, {} without an answer",
        answers.len(),
        ran.failed.len()
    ))
}

/// A method and its seconds a galaxy.
struct Timed {
    name: String,
    seconds: f64,
    note: String,
}

fn quoted() -> Timed {
    let note = "quoted: 3.5 h for 5,000 in Tuccillo et al. (2018), one 3.1 GHz i7; not measured here";
    Timed { name: "GALFIT, the paper".into(), seconds: PAPER_SECONDS, note: note.into() }
}

fn without_galfit() -> &'static str {
    "\nGALFIT was not run: there is no `galfit` on the PATH. Get it from\n\
     https://users.obs.carnegiescience.edu/peng/work/galfit/galfit.html, or name it with --binary.\n\
     The open imfit does the same by the same method; to measure it on the same kind of stamps:\n  \
     python benches/peers/imfit_rate.py $(which legato) --install"
}

/// The first stamps of a data set, or of a simulation.
fn stamps(arguments: &Arguments, survey: &Survey, common: &Common) -> Result<Stamps> {
    if let Some(path) = &arguments.data {
        let all = Stamps::read(path)?;
        let n = all.len().min(arguments.number);
        return Ok(all.part(0..n));
    }
    let simulator = Simulator::with_parts(survey.clone(), &survey_parts(survey)?, common.seed)?;
    Stamps::simulate(&simulator, 0..arguments.number as u64)
}

/// Seconds a galaxy, the median of several runs, and the estimates.
fn time_networks(
    gpu: &Gpu,
    estimators: &BTreeMap<Parameter, Estimator>,
    stamps: &Stamps,
) -> Result<(f64, Vec<Evaluation>)> {
    let once = || evaluate(gpu, estimators, stamps, batch(gpu), |_| ());
    // The first run compiles the kernels.
    let evaluations = once()?;
    let mut seconds = Vec::new();
    for _ in 0..REPEATS {
        let started = Instant::now();
        once()?;
        seconds.push(started.elapsed().as_secs_f64() / stamps.len() as f64);
    }
    Ok((median(&seconds), evaluations))
}

/// Prepares and runs GALFIT over the stamps; what it answered, how it went, and the wall time of all runs, s.
fn run_galfit(
    survey: &Survey,
    stamps: &Stamps,
    options: &RunOptions,
    folder: &Path,
    common: &Common,
) -> Result<(Vec<Answer>, Ran, f64)> {
    let set = folder.join("stamps.fits");
    let (n, size) = (stamps.len(), stamps.size());
    let mut writer = DatasetWriter::create(&set, &stamps.meta, n, size, size)?;
    for i in 0..n {
        writer.append(stamps.pixels(i), &stamps.truths()[i..=i])?;
    }
    writer.finish()?;
    let how = Preparation {
        psf: Some(only_psf(survey)?),
        psf_as_is: false,
        pixel_scale: None,
        pixel_scale_assumed: survey.pixel_scale,
        zero_point: None,
        zero_point_assumed: survey.zero_point,
        size,
        sky: Sky::Held(0.0),
        sigma: None,
        exposure: None,
        rms: Vec::new(),
        masks: Vec::new(),
    };
    let fits = folder.join("galfit");
    if fits.exists() {
        let why = "is there already, and fits that were done before cannot be timed: give another folder";
        return Err(Error::Usage(format!("{} {why}", fits.display())));
    }
    prepare(std::slice::from_ref(&set), &how, &fits, || ())?;
    let workspace = Workspace::open(&fits)?;
    let started = Instant::now();
    let ran = over(&workspace, options, common)?;
    let wall = started.elapsed().as_secs_f64();
    Ok((read_workspace(&workspace, || ())?, ran, wall))
}

/// Prints both tables.
fn show(evaluations: &[Evaluation], galfit: Option<&[Answer]>, timed: &[Timed], n: usize) -> Result<()> {
    let r2 = |s: &Statistics| if s.r2.is_finite() { format!("{:.4}", s.r2) } else { "–".to_owned() };
    let row = |e: &Evaluation| {
        let mut cells = vec![e.parameter.to_string(), r2(&e.statistics)];
        if let Some(answers) = galfit {
            let found = statistics(e, answers);
            cells.extend([r2(&found), found.count.to_string()]);
        }
        cells.push(format!("{:.3}", paper::simulated(e.parameter).galfit));
        cells
    };
    let mut heading = vec!["parameter", "networks R²"];
    if galfit.is_some() {
        heading.extend(["GALFIT R²", "of fits"]);
    }
    heading.push("GALFIT in the paper (its own 5,000)");
    let rows: Vec<Vec<String>> = evaluations.iter().map(row).collect();
    print(format!("{n} stamps\n{}\n", table::lay_out(&heading, &rows)))?;
    let rows: Vec<Vec<String>> = timed
        .iter()
        .map(|t| {
            let times = t.seconds / timed.first().map_or(1.0, |ours| ours.seconds);
            vec![t.name.clone(), format!("{:.4}", t.seconds), format!("{times:.1}")]
        })
        .collect();
    print(table::lay_out(&["", "seconds a galaxy", "times the networks'"], &rows))?;
    for note in timed.iter().filter(|t| !t.note.is_empty()) {
        print(format!("{}: {}", note.name, note.note))?;
    }
    Ok(())
}

/// GALFIT's agreement with the truth of one parameter, for the stamps that it gave an answer for.
fn statistics(evaluation: &Evaluation, answers: &[Answer]) -> Statistics {
    let of = |answer: &Answer| match evaluation.parameter {
        Parameter::Magnitude => answer.row.mag,
        Parameter::Radius => answer.row.re_maj,
        Parameter::SersicIndex => answer.row.n,
        Parameter::AxisRatio => answer.row.q,
    };
    let pairs = evaluation.pairs.iter().zip(answers).map(|((truth, _), answer)| (*truth, of(answer)));
    Statistics::of(&pairs.filter(|(truth, found)| truth.is_finite() && found.is_finite()).collect::<Vec<_>>())
}
