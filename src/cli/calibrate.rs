//! `legato calibrate`.

use super::{Common, evaluate, progress, table};
use crate::fits::{background, survey_parts};
use crate::legato::{
    Correction, Estimator, ModelFit, Modeller, Observation, Observed, Parameter, PixelNoise, Repeater, Shape,
    Stamps, calibrate, check_number, load_estimators, observe, usual_residual,
};
use crate::sky::{Simulator, Survey, SurveyNoise};
use crate::{Error, Result};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Stamps that are in memory at a time.
const CHUNK: u64 = 512;

const EXAMPLE: &str = "Example:
  legato calibrate --models runs/magnitude/weights.safetensors
  legato calibrate --models models/crowded.safetensors --survey candels-f160w-crowded -n 8000";

#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// Trained networks: a weights file, or a folder of them or of runs. Each gets its part of the calibration; networks
    /// that will measure together should be calibrated together, since errors depend on the measured magnitude
    #[arg(long)]
    models: PathBuf,
    /// Survey whose galaxies they will measure: a built-in name or a TOML file [default: the one they learned from]
    #[arg(long)]
    survey: Option<String>,
    /// Galaxies to simulate
    #[arg(short = 'n', long = "number", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..))]
    number: u64,
    /// Seed of these galaxies, which should be none that the networks learned or are tested with
    #[arg(long, default_value_t = 20_260_501)]
    simulation_seed: u64,
    #[command(flatten)]
    repeats: evaluate::RepeatArguments,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    if !arguments.repeats.any() {
        return Err(Error::Usage("--repeats 0: errors come from repeated measurements".into()));
    }
    check_number(arguments.number as usize)?;
    let gpu = common.open_gpu()?;
    let options = arguments.repeats.asked(&gpu, common);
    let mut estimators = load_estimators(&gpu, &arguments.models)?;
    // What is there already has no part in it.
    estimators.values_mut().for_each(|estimator| estimator.correction = None);
    let survey = survey(arguments, &estimators)?;
    let noise = match survey.noise {
        SurveyNoise::None | SurveyNoise::White { .. } => None,
        SurveyNoise::Correlated { autocorrelation, .. } => Some(autocorrelation),
        SurveyNoise::Image { autocorrelation, .. } => autocorrelation,
    };
    let simulator =
        Simulator::with_parts(survey.clone(), &survey_parts(&survey)?, arguments.simulation_seed)?;
    let repeater = Repeater::with_noise(&gpu, &estimators, noise, &options)?;
    // Models need all that shapes a galaxy.
    let modelled = [Parameter::Radius, Parameter::SersicIndex, Parameter::AxisRatio];
    let modeller = if modelled.iter().all(|parameter| estimators.contains_key(parameter)) {
        Some(Modeller::of_survey(&survey, survey.stamp_size, None)?)
    } else {
        None
    };
    let bar = progress::bar(common, arguments.number, "measuring", "galaxies");
    let mut observations: Vec<Observation> = Vec::new();
    let mut unexplained = Vec::new();
    for first in (0..arguments.number).step_by(CHUNK as usize) {
        let range = first..arguments.number.min(first + CHUNK);
        let stamps = Stamps::simulate(&simulator, range)?;
        let measured = observe(&repeater, &stamps, |done| bar.inc(done as u64))?;
        if let Some(modeller) = &modeller {
            unexplained.extend(leave(modeller, &stamps, &measured));
        }
        observations.extend(measured);
    }
    bar.finish_and_clear();

    let made = Correction {
        survey: survey.name.clone(),
        seed: arguments.simulation_seed,
        repeats: options.repeats,
        noise,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        adapter: gpu.description(),
        ..Correction::default()
    };
    let made = Correction { unexplained: usual_residual(unexplained), ..made };
    let correction = calibrate(&observations, made)?;
    super::print(describe(&correction))?;
    store(&correction, &estimators, common)
}

/// What the models of measured stamps leave unexplained.
fn leave(modeller: &Modeller, stamps: &Stamps, measured: &[Observation]) -> Vec<f64> {
    let centre = 0.5 * (stamps.size() as f64 + 1.0);
    let galaxy = |(i, observation): (usize, &Observation)| {
        let value = |parameter| observation.measured.estimates[&parameter].value;
        let pixels = stamps.pixels(i);
        let noise = PixelNoise::Sky(background(pixels, stamps.size()).sigma);
        let shape = Shape {
            re_maj: value(Parameter::Radius),
            n: value(Parameter::SersicIndex),
            q: value(Parameter::AxisRatio),
        };
        (Observed { pixels, noise, bad: None, x: centre, y: centre }, shape)
    };
    let galaxies: Vec<_> = measured.iter().enumerate().map(galaxy).collect();
    let models = modeller.fit_all(&galaxies);
    models.iter().map(|model| model.as_ref().map_or(f64::NAN, ModelFit::unexplained)).collect()
}

/// The survey that is asked for, else that of the networks.
fn survey(arguments: &Arguments, estimators: &BTreeMap<Parameter, Estimator>) -> Result<Survey> {
    if let Some(name) = &arguments.survey {
        return Survey::find(name);
    }
    let name = estimators.values().next().map_or("", |estimator| &estimator.provenance.survey);
    Survey::builtin(name).map_err(|_| {
        let what = format!(
            "the networks learned from the survey '{name}', which is not built in: give its --survey"
        );
        Error::Usage(what)
    })
}

/// Keeps each file's part in it.
fn store(
    correction: &Correction,
    estimators: &BTreeMap<Parameter, Estimator>,
    common: &Common,
) -> Result<()> {
    let mut files: Vec<&PathBuf> = estimators.values().map(|estimator| &estimator.path).collect();
    files.dedup();
    for file in files {
        let own = |parameter| estimators.get(&parameter).is_some_and(|e| e.path == *file);
        correction.only(own).store(file)?;
        common.say(format!("{}: calibrated on {} galaxies", file.display(), correction.stamps));
    }
    Ok(())
}

/// The errors of usual galaxies, and what the spreads tell of others.
fn describe(correction: &Correction) -> String {
    let mut heading = vec!["magnitude".to_owned()];
    heading.extend(correction.curves.keys().map(|p| format!("{} −/+", p.column())));
    let row = |(i, magnitude): (usize, &f64)| {
        let errors = correction.curves.values().map(|c| format!("{:.4} / {:.4}", c.lower[i], c.upper[i]));
        std::iter::once(format!("{magnitude:.2}")).chain(errors).collect()
    };
    let mut rows: Vec<Vec<String>> = correction.magnitudes.iter().enumerate().map(row).collect();
    let powers = correction.curves.values().map(|c| format!("{:.1}, {:.1}", c.powers[0], c.powers[1]));
    rows.push(std::iter::once("powers".to_owned()).chain(powers).collect());
    table::lay_out(&heading.iter().map(String::as_str).collect::<Vec<_>>(), &rows)
}
