//! `legato train`.

use super::learn::train;
use super::profile::ProfileArguments;
use super::recipe::RecipeArguments;
use super::{Common, simulate};
use crate::engine::nn::{Model, Network};
use crate::legato::{
    Architecture, Estimator, Fresh, Outcome, Parameter, Recipe, Stamps, Supply, Task, Training, transfer,
};
use crate::sky::Survey;
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato train --parameter magnitude --data train.fits -o runs/magnitude\n  legato train --parameter magnitude --simulate candels-f160w -o runs/magnitude\n  legato train --data train.fits -o runs/magnitude --resume\n  legato train --parameter radius --show"
)]
pub struct Arguments {
    /// What to learn; several, separated by commas, make one network that measures them together
    #[arg(long, value_delimiter = ',', required_unless_present_any = ["resume", "show"])]
    parameter: Vec<Parameter>,
    /// The paper's architecture, 1 or 2 [default: the better one for the parameter]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=2))]
    architecture: Option<u32>,
    /// A network of your own (TOML) in place of an architecture
    #[arg(long, conflicts_with = "architecture")]
    network: Option<PathBuf>,
    /// Begin with the network of this weights file; only its last layer may change
    #[arg(long, value_name = "WEIGHTS", conflicts_with_all = ["architecture", "network", "show"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    recipe: RecipeArguments,
    /// The data set to learn from
    #[arg(long)]
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
    #[arg(long, conflicts_with_all = ["show", "parameter", "architecture", "network", "from", "survey", "recipe",
        "epochs", "batch", "learning_rate", "schedule", "loss", "warm_up", "patience", "stretch", "dense", "dropout", "noise", "frozen",
        "stamps_per_epoch", "validation"])]
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
    #[command(flatten)]
    profile: ProfileArguments,
}

/// As many as the paper's networks learned from.
const STAMPS_PER_EPOCH: usize = 40_000;
/// They are kept in memory, 128 MiB of them at 128 pixels. Every epoch is judged by the same ones, so that epochs are
/// compared better than the 2% to which so many tell a mean error.
const VALIDATION: usize = 2_000;

impl Arguments {
    fn network(&self, recipe: &Recipe, size: usize, sigma: f64) -> Result<Network> {
        if let Some(path) = &self.network {
            let bytes = files::read(path)?;
            return Network::from_toml(&String::from_utf8_lossy(&bytes), path);
        }
        let first = self.parameter.first().copied().unwrap_or(Parameter::Magnitude);
        let architecture = match self.architecture {
            Some(1) => Architecture::One,
            Some(_) => Architecture::Two,
            None => first.architecture(),
        };
        Ok(architecture.network_for(recipe, self.parameter.len().max(1), size, sigma))
    }
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let recipe = arguments.recipe.recipe("paper")?;
    if arguments.show {
        let name = arguments.survey.as_deref().or(arguments.simulate.as_deref()).unwrap_or("candels-f160w");
        let survey = Survey::find(name)?;
        let network = arguments.network(&recipe, survey.stamp_size, survey.noise.sigma())?;
        let text = if arguments.toml { network.to_toml()? } else { network.table()? };
        super::print(text)?;
        return Ok(());
    }
    let Some(folder) = &arguments.output else {
        return Err(Error::Usage("--output is needed".into()));
    };
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
        (None, None) => Err(Error::Usage(
            "what to learn from is needed, also to go on with a run: --data FILE or --simulate SURVEY".into(),
        )),
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
    let gpu = arguments.profile.open_gpu(common)?;
    let mut training = if arguments.resume {
        Training::resume(&gpu, supply, folder)?
    } else {
        let (stamps, survey) = (supply.stamps(), survey()?);
        let mut task = Task::new(&arguments.parameter, &survey, common.seed);
        let model = if let Some(path) = &arguments.from {
            task.from = Some(path.display().to_string());
            let trained = Estimator::load_first(&gpu, path)?;
            trained.provenance.check_calibration(path, stamps)?;
            transfer(&gpu, &trained, recipe, &task)?
        } else {
            let sigma = Some(stamps.meta.sigma).filter(|s| *s > 0.0).unwrap_or(survey.noise.sigma());
            let network = arguments.network(recipe, stamps.size(), sigma)?;
            Model::random(&gpu, &network, task.seed)?
        };
        Training::start(&gpu, supply, recipe, &task, model, folder)?
    };
    let outcome = train(&mut training, folder, arguments.stop_after, common)?;
    arguments.profile.finish(&gpu, common)?;
    match outcome {
        Outcome::Interrupted => Err(Error::Interrupted),
        _ => Ok(()),
    }
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
