//! `legato train`.

use super::{Common, progress};
use crate::engine::Gpu;
use crate::engine::nn::Network;
use crate::legato::{
    Architecture, Event, Outcome, Parameter, Recipe, Schedule, Stamps, Stretching, Training, WEIGHTS_FILE,
};
use crate::sky::Survey;
use crate::{Error, Result, files};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato train --parameter magnitude --data train.fits -o runs/magnitude\n  legato train --data train.fits -o runs/magnitude --resume\n  legato train --parameter radius --show"
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
    #[arg(long, required_unless_present = "show")]
    data: Option<PathBuf>,
    /// The run's folder: weights, history, checkpoint
    #[arg(short, long, required_unless_present = "show")]
    output: Option<PathBuf>,
    /// Survey whose ranges scale the targets [default: the data set's]
    #[arg(long)]
    survey: Option<String>,
    /// Go on with the run in the output folder
    #[arg(long, conflicts_with_all = ["show", "parameter", "architecture", "network", "survey", "epochs", "batch",
        "learning_rate", "schedule", "warm_up", "patience", "stretch", "dense"])]
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
        let survey = Survey::find(arguments.survey.as_deref().unwrap_or("candels-f160w"))?;
        let network = arguments.network(recipe.architecture, survey.stamp_size, survey.noise.sigma())?;
        let text = if arguments.toml { network.to_toml()? } else { network.table()? };
        super::print(text)?;
        return Ok(());
    }
    let (Some(data), Some(folder)) = (&arguments.data, &arguments.output) else {
        return Err(Error::Usage("--data and --output are needed".into()));
    };
    recipe.check()?;
    let stamps = Stamps::read(data)?;
    let gpu = common.open_gpu()?;
    let mut training = if arguments.resume {
        Training::resume(&gpu, &stamps, folder)?
    } else {
        let survey = survey_of(&stamps, arguments.survey.as_deref(), data)?;
        let sigma = Some(stamps.meta.sigma).filter(|s| *s > 0.0).unwrap_or(survey.noise.sigma());
        let network = arguments.network(recipe.architecture, stamps.size(), sigma)?;
        network.check()?;
        start(&gpu, &stamps, &recipe, &network, &survey, folder)?
    };
    train(&mut training, folder, arguments.stop_after, common)
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
    stamps: &'a Stamps,
    recipe: &Recipe,
    network: &Network,
    survey: &Survey,
    folder: &Path,
) -> Result<Training<'a>> {
    Training::start(gpu, stamps, recipe, network, recipe.parameter.scaling(survey), folder)
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
    common.say(format!(
        "learning the {} from {learning} stamps, {held_out} held out; {} steps of {} an epoch, at most {} epochs{}",
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
    let outcome = training.run(stop_after, |event| match event {
        Event::Step { epoch, stamps, loss } => {
            bar.inc(stamps as u64);
            if let Some(loss) = loss {
                bar.set_message(format!("epoch {epoch}, loss {loss:.4}"));
            }
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
