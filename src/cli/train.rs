//! `legato train`.

use super::{Common, progress, simulate};
use crate::engine::Gpu;
use crate::engine::nn::Network;
use crate::legato::{
    Architecture, Event, Fresh, Outcome, Parameter, Recipe, Schedule, Stamps, Stretching, Supply, Training,
    WEIGHTS_FILE,
};
use crate::sky::Survey;
use crate::{Error, Result, files};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato train --parameter magnitude --data train.fits -o runs/magnitude\n  legato train --parameter magnitude --simulate candels-f160w -o runs/magnitude\n  legato train --data train.fits -o runs/magnitude --resume\n  legato train --parameter radius --show"
)]
pub struct Arguments {
    /// What to learn
    #[arg(long, value_enum, required_unless_present = "resume")]
    parameter: Option<ParameterName>,
    /// The paper's architecture, 1 or 2 [default: the better one for the parameter]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=2))]
    architecture: Option<u32>,
    /// A network of your own (TOML) in place of an architecture
    #[arg(long, conflicts_with = "architecture")]
    network: Option<PathBuf>,
    /// How pixels are made fit for the network [default: asinh]
    #[arg(long, value_enum, conflicts_with = "network")]
    stretch: Option<StretchName>,
    /// What follows the hidden dense layers [default: relu]
    #[arg(long, value_enum, conflicts_with = "network")]
    dense: Option<DenseName>,
    /// The data set to learn from
    #[arg(long, required_unless_present_any = ["show", "simulate"])]
    data: Option<PathBuf>,
    /// Learn from galaxies of this survey that are drawn meanwhile, none of them twice
    #[arg(long, value_name = "SURVEY", conflicts_with_all = ["data", "survey"])]
    simulate: Option<String>,
    /// With --simulate: new stamps that are called an epoch [default: 40000]
    #[arg(long, value_name = "N", requires = "simulate", conflicts_with = "data", value_parser = super::at_least_one)]
    stamps_per_epoch: Option<usize>,
    /// With --simulate: stamps held out, the same in every epoch [default: 2000]
    #[arg(long, value_name = "N", requires = "simulate", conflicts_with = "data", value_parser = super::at_least_one)]
    validation: Option<usize>,
    /// With --simulate: threads that draw [default: one fewer than there are cores]
    #[arg(long, value_name = "N", requires = "simulate", conflicts_with = "data", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The run's folder: weights, history, checkpoint
    #[arg(short, long, required_unless_present = "show")]
    output: Option<PathBuf>,
    /// Survey whose ranges scale the targets [default: the data set's]
    #[arg(long)]
    survey: Option<String>,
    /// Go on with the run in the output folder
    #[arg(long, conflicts_with_all = ["show", "parameter", "architecture", "network", "survey", "epochs", "batch",
        "learning_rate", "schedule", "warm_up", "patience", "stretch", "dense", "stamps_per_epoch", "validation"])]
    resume: bool,
    /// Stop after this many epochs, to be resumed
    #[arg(long, value_parser = super::at_least_one)]
    stop_after: Option<usize>,
    /// Print the network's layers, shapes, parameters and MACs, and do nothing else
    #[arg(long)]
    show: bool,
    /// With --show: print the network as TOML, to be changed and given to --network
    #[arg(long, requires = "show")]
    toml: bool,
    /// Most epochs [default: 310]
    #[arg(long, value_parser = super::at_least_one)]
    epochs: Option<usize>,
    /// Stamps a step [default: 64]
    #[arg(long, value_parser = super::at_least_one)]
    batch: Option<usize>,
    /// Adam's learning rate [default: 0.001]
    #[arg(long, allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// How the learning rate goes on after the warm-up [default: constant]
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// First epochs at the full rate and without early stopping [default: 10]
    #[arg(long)]
    warm_up: Option<usize>,
    /// Epochs without a better validation loss before it stops; 0: never [default: 20]
    #[arg(long)]
    patience: Option<usize>,
}

/// As many as the paper's networks learned from.
const STAMPS_PER_EPOCH: usize = 40_000;
/// They are kept in memory, 128 MiB of them at 128 pixels. Every epoch is judged by the same ones, so that epochs are
/// compared better than the 2% to which so many tell a mean error.
const VALIDATION: usize = 2_000;

#[derive(Clone, Copy, ValueEnum)]
enum ParameterName {
    Magnitude,
    Radius,
    SersicIndex,
    AxisRatio,
}

#[derive(Clone, Copy, ValueEnum)]
enum StretchName {
    /// asinh(x / 3σ) / 3, with σ the sky's noise
    Asinh,
    /// Pixels as they are
    None,
}

#[derive(Clone, Copy, ValueEnum)]
enum DenseName {
    Relu,
    Linear,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    Constant,
    Linear,
}

impl Arguments {
    fn recipe(&self, common: &Common) -> Recipe {
        let parameter = match self.parameter {
            None | Some(ParameterName::Magnitude) => Parameter::Magnitude,
            Some(ParameterName::Radius) => Parameter::Radius,
            Some(ParameterName::SersicIndex) => Parameter::SersicIndex,
            Some(ParameterName::AxisRatio) => Parameter::AxisRatio,
        };
        let paper = Recipe::paper(parameter, common.seed);
        let architecture = match self.architecture {
            Some(1) => Architecture::One,
            Some(_) => Architecture::Two,
            None => paper.architecture,
        };
        let schedule = match self.schedule {
            Some(ScheduleName::Linear) => Schedule::Linear,
            _ => Schedule::Constant,
        };
        Recipe {
            architecture,
            schedule,
            epochs: self.epochs.unwrap_or(paper.epochs),
            batch: self.batch.unwrap_or(paper.batch),
            learning_rate: self.learning_rate.unwrap_or(paper.learning_rate),
            warm_up: self.warm_up.unwrap_or(paper.warm_up),
            patience: self.patience.unwrap_or(paper.patience),
            ..paper
        }
    }

    fn network(&self, architecture: Architecture, size: usize, sigma: f64) -> Result<Network> {
        if let Some(path) = &self.network {
            let bytes = files::read(path)?;
            return Network::from_toml(&String::from_utf8_lossy(&bytes), path);
        }
        let stretching = match self.stretch {
            None | Some(StretchName::Asinh) => Stretching::Asinh { sigma: sigma as f32 },
            Some(StretchName::None) => Stretching::None,
        };
        let dense_relu = !matches!(self.dense, Some(DenseName::Linear));
        Ok(architecture.network_with(size, stretching, dense_relu))
    }
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let recipe = arguments.recipe(common);
    if arguments.show {
        let name = arguments.survey.as_deref().or(arguments.simulate.as_deref()).unwrap_or("candels-f160w");
        let survey = Survey::find(name)?;
        let network = arguments.network(recipe.architecture, survey.stamp_size, survey.noise.sigma())?;
        let text = if arguments.toml { network.to_toml()? } else { network.table()? };
        super::print(text)?;
        return Ok(());
    }
    let Some(folder) = &arguments.output else {
        return Err(Error::Usage("--output is needed".into()));
    };
    recipe.check()?;
    match (&arguments.data, &arguments.simulate) {
        (Some(data), _) => {
            let stamps = Stamps::read(data)?;
            let survey = || survey_of(&stamps, arguments.survey.as_deref(), data);
            learn(arguments, (&stamps).into(), survey, &recipe, folder, common)
        }
        (None, Some(name)) => {
            let survey = Survey::find(name)?;
            let fresh = fresh(arguments, &survey, folder, common)?;
            learn(arguments, (&fresh).into(), || Ok(survey), &recipe, folder, common)
        }
        (None, None) => Err(Error::Usage("--data or --simulate is needed".into())),
    }
}

/// Starts a run on what is given to learn from, or goes on with it, and trains. The survey is that of a new run.
fn learn(
    arguments: &Arguments,
    supply: Supply,
    survey: impl FnOnce() -> Result<Survey>,
    recipe: &Recipe,
    folder: &Path,
    common: &Common,
) -> Result<()> {
    let gpu = common.open_gpu()?;
    let mut training = if arguments.resume {
        Training::resume(&gpu, supply, folder)?
    } else {
        let (stamps, survey) = (supply.stamps(), survey()?);
        let sigma = Some(stamps.meta.sigma).filter(|s| *s > 0.0).unwrap_or(survey.noise.sigma());
        let network = arguments.network(recipe.architecture, stamps.size(), sigma)?;
        network.check()?;
        start(&gpu, supply, recipe, &network, &survey, folder)?
    };
    train(&mut training, folder, arguments.stop_after, common)
}

/// Galaxies of a survey, drawn as they are needed: those that a run to be resumed would have gone on with, or new ones.
fn fresh(arguments: &Arguments, survey: &Survey, folder: &Path, common: &Common) -> Result<Fresh> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.map_or(cores.saturating_sub(1).max(1), usize::from);
    let (seed, epoch, held_out) = if arguments.resume {
        let plan = Training::plan(folder)?;
        (plan.seed, plan.stamps_an_epoch, plan.held_out)
    } else {
        let epoch = arguments.stamps_per_epoch.unwrap_or(STAMPS_PER_EPOCH);
        (common.seed, epoch, arguments.validation.unwrap_or(VALIDATION))
    };
    let simulator = simulate::simulator(survey, seed)?;
    common.say(format!("drawing {held_out} galaxies of {} to hold out", survey.name));
    Fresh::new(simulator, epoch, held_out, threads)
}

/// The survey that scales the targets: the one asked for, else the data set's own.
fn survey_of(stamps: &Stamps, wanted: Option<&str>, data: &Path) -> Result<Survey> {
    match wanted {
        Some(name) => Survey::find(name),
        None => Survey::builtin(&stamps.meta.survey).map_err(|_| {
            let named = match stamps.meta.survey.as_str() {
                "" => "names no survey".to_owned(),
                name => format!("is of the survey '{name}', which is not built in"),
            };
            Error::fits(data, format!("{named}: give the survey's file with --survey"))
        }),
    }
}

/// A new run of a recipe on a survey's stamps.
pub fn start<'a>(
    gpu: &Gpu,
    supply: impl Into<Supply<'a>>,
    recipe: &Recipe,
    network: &Network,
    survey: &Survey,
    folder: &Path,
) -> Result<Training<'a>> {
    Training::start(gpu, supply, recipe, network, recipe.parameter.scaling(survey), folder)
}

/// Trains with a progress bar and a line an epoch.
pub fn train(
    training: &mut Training,
    folder: &Path,
    stop_after: Option<usize>,
    common: &Common,
) -> Result<()> {
    let recipe = training.recipe().clone();
    let (learning, held_out) = training.split();
    let (done, steps) = (training.history().len(), training.steps_an_epoch());
    let from = match training.supply() {
        Supply::Set(_) => format!("{learning} stamps"),
        Supply::Fresh(fresh) => {
            let (name, threads) = (&fresh.held_out().meta.survey, fresh.threads());
            let draw =
                if threads == 1 { "1 thread draws".to_owned() } else { format!("{threads} threads draw") };
            format!("galaxies of {name} that {draw} meanwhile, {learning} new ones an epoch")
        }
    };
    common.say(format!(
        "learning the {} from {from}, {held_out} held out; {} steps of {} an epoch, at most {} epochs{}",
        recipe.parameter,
        steps,
        recipe.batch.min(learning),
        recipe.epochs,
        if done > 0 { format!(", {done} done") } else { String::new() },
    ));
    let stamps_an_epoch = (steps * recipe.batch.min(learning)) as u64;
    let bar =
        progress::bar(common, stamps_an_epoch.saturating_mul(recipe.epochs as u64), "training", "stamps");
    bar.set_position(stamps_an_epoch * done as u64);
    bar.reset_eta();
    let mut advice =
        "; give more --threads, or make a data set once with `legato simulate` and learn from it with --data";
    let outcome = training.run(stop_after, |event| match event {
        Event::Step { epoch, stamps, loss } => {
            bar.inc(stamps as u64);
            if let Some(loss) = loss {
                bar.set_message(format!("epoch {epoch}, loss {loss:.4}"));
            }
        }
        Event::Starved { share, made, needed } => {
            let line = format!(
                "the GPU waited {:.0}% of the time for stamps: {made:.0}/s are made, it would take {needed:.0}/s{advice}",
                100.0 * share
            );
            advice = "";
            bar.suspend(|| common.say(line));
        }
        Event::Epoch { epoch, best } => {
            let line = format!(
                "epoch {:>3}: loss {:.4}, validation {:.4}, R² {:.4} ({:.0} stamps/s){}",
                epoch.epoch,
                epoch.training_loss,
                epoch.validation_loss,
                epoch.validation_r2,
                epoch.images_per_second,
                if best { ", best so far" } else { "" }
            );
            bar.suspend(|| common.say(line));
        }
    });
    bar.finish_and_clear();
    let ending = match outcome? {
        Outcome::Finished => "done".to_owned(),
        Outcome::StoppedEarly => format!("stopped: no better validation loss for {} epochs", recipe.patience),
        Outcome::Paused => format!("paused after {} epochs: go on with --resume", training.history().len()),
    };
    let best = training
        .best()
        .map_or(String::new(), |b| format!("; best epoch {}, R² {:.4}", b.epoch, b.validation_r2));
    common.say(format!("{}: {ending}{best}", folder.join(WEIGHTS_FILE).display()));
    Ok(())
}
