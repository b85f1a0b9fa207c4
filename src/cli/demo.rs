//! `legato demo`: the whole chain, small enough for a machine without a GPU.

use super::{Common, evaluate, learn, simulate, table};
use crate::engine::nn::Model;
use crate::legato::{
    FitOptions, ImageFiles, Measurer, Outcome, Parameter, Preparation, Recipe, Schedule, StampFiles, Stamps,
    Task, Training, load_estimators, measure_all,
};
use crate::sky::Survey;
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

/// Marks the folder of a demo, whose files the next one may replace.
const MARKER: &str = "DEMO.txt";
/// Stamps in the catalogue that is printed at the end.
const SHOWN: usize = 10;

#[derive(Args)]
#[command(after_help = "Example:\n  legato demo\n  legato demo --stamps 8000 --epochs 6 -o bigger")]
pub struct Arguments {
    /// Folder for everything that it makes; an earlier demo there is replaced
    #[arg(short, long, default_value = "demo")]
    output: PathBuf,
    /// Stamps to learn from, a tenth of them held out
    #[arg(long, default_value_t = 3200, value_parser = clap::value_parser!(u64).range(1..))]
    stamps: u64,
    /// Stamps to test on, never learned from
    #[arg(long, default_value_t = 320, value_parser = clap::value_parser!(u64).range(1..))]
    test: u64,
    /// Epochs
    #[arg(long, default_value_t = 1, value_parser = super::at_least_one)]
    epochs: usize,
    /// The smallest setting that still goes through every step, for checks of an installation
    #[arg(long, conflicts_with_all = ["stamps", "test", "epochs"])]
    smallest: bool,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let (stamps, test, epochs) = match arguments.smallest {
        true => (160, 32, 1),
        false => (arguments.stamps, arguments.test, arguments.epochs),
    };
    let folder = &arguments.output;
    claim(folder)?;
    let survey = Survey::builtin("candels-f160w")?;
    let (train_path, test_path) = (folder.join("train.fits"), folder.join("test.fits"));

    common.say("\n1. Simulating galaxies as HST would see them");
    let job = |seed, number| simulate::Job::new(&survey, seed, number);
    simulate::simulate(job(common.seed, stamps)?, Some(&train_path), None, common)?;
    // Another seed: stamps that the network has never seen.
    simulate::simulate(job(common.seed.wrapping_add(1), test)?, Some(&test_path), None, common)?;

    common.say("\n2. Training a network to tell their magnitude");
    let gpu = common.open_gpu()?;
    let learning = Stamps::read(&train_path)?;
    let recipe = Recipe {
        epochs,
        warm_up: 0,
        schedule: Schedule::Linear,
        validation: 0.1,
        batch: 16,
        // Few passes: every stamp counts as it is, mirrored or not.
        shift: 0.0,
        ..Recipe::paper()?
    };
    let task = Task::new(&[Parameter::Magnitude], &survey, common.seed);
    let architecture = Parameter::Magnitude.architecture();
    let network = architecture.network_for(&recipe, 1, survey.stamp_size, survey.noise.sigma());
    common.say(network.table()?);
    let run = folder.join("runs").join(Parameter::Magnitude.name());
    if run.exists() {
        std::fs::remove_dir_all(&run).map_err(|e| Error::io(&run, "replace", e))?;
    }
    let model = Model::random(&gpu, &network, task.seed)?;
    let mut training = Training::start(&gpu, &learning, &recipe, &task, model, &run)?;
    if learn::train(&mut training, &run, None, common)? == Outcome::Interrupted {
        return Err(Error::Interrupted);
    }

    common.say("\n3. Testing it on galaxies that it has never seen");
    let estimators = load_estimators(&gpu, &folder.join("runs"))?;
    let unseen = Stamps::read(&test_path)?;
    let evaluations = evaluate::evaluate(&gpu, &estimators, &unseen, common)?;
    super::print(evaluate::describe(&evaluations))?;

    common.say("\n4. Measuring the stamps of a FITS cube");
    let measurer = Measurer::new(&gpu, &estimators, evaluate::batch(&gpu))?;
    let preparation = Preparation::new(measurer.networks(), measurer.size(), &FitOptions::default());
    let images = ImageFiles::open(std::slice::from_ref(&test_path), None);
    let (catalogue, failures) = measure_all(&mut StampFiles::new(images, preparation), &measurer, |_| ())?;
    if let Some(failure) = failures.into_iter().next() {
        return Err(Error::Incomplete(failure));
    }
    let path = folder.join("catalogue.fits");
    catalogue.write(&path)?;
    super::print(beside_truth(&catalogue, &unseen))?;
    common.say(format!("{}: {} galaxies", path.display(), catalogue.rows.len()));
    common.say(next_steps(folder));
    Ok(())
}

/// Makes the demo's folder, or takes that of an earlier one; leaves any other alone.
fn claim(folder: &Path) -> Result<()> {
    files::make_folder(folder)?;
    let marker = folder.join(MARKER);
    let mut entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, "list", e))?;
    if !marker.exists() && entries.next().is_some() {
        let folder = folder.display();
        return Err(Error::Usage(format!(
            "{folder} holds other things than an earlier demo: choose another folder with -o"
        )));
    }
    files::replace(&marker, b"Everything here was made by `legato demo`, and the next one replaces it.\n")
}

/// The first rows beside the truth.
fn beside_truth(catalogue: &crate::fits::Catalogue, truth: &Stamps) -> String {
    let row = |(measured, truth): (&crate::fits::Row, &crate::sky::Truth)| {
        vec![
            measured.id.clone(),
            format!("{:.3}", measured.mag),
            format!("{:.3}", truth.mag),
            format!("{:+.3}", measured.mag - truth.mag),
            format!("{:.1}", measured.snr),
            measured.flags.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = catalogue.rows.iter().zip(truth.truths()).take(SHOWN).map(row).collect();
    table::lay_out(&["ID", "MAG", "true MAG", "difference", "SNR", "FLAGS"], &rows)
}

fn next_steps(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "\nNext: legato fit YOUR_STAMPS.fits --models {folder}/runs -o catalogue.csv\n      \
         legato train --parameter radius --data {folder}/train.fits -o {folder}/runs/radius"
    )
}
