//! Training runs on small simulated stamps: what they learn, that they can be repeated and resumed bit
//! for bit, and what they refuse.

mod common;

use legato::engine::nn::weights::{Arrays, read_arrays};
use legato::engine::nn::{Layer, Model, Network};
use legato::fits::{DatasetMeta, DatasetWriter};
use legato::legato::{
    Epoch, Estimator, Event, Fresh, Outcome, Parameter, Recipe, Scaling, Schedule, Stamps, Supply, Target,
    Task, Training, WEIGHTS_FILE, evaluate, load_estimators, transfer,
};
use legato::sky::{Simulator, Truth};
use legato::{Error, Result};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn recipe() -> Recipe {
    Recipe {
        batch: 16,
        epochs: 4,
        warm_up: 1,
        learning_rate: 3e-3,
        schedule: Schedule::Linear,
        ..Recipe::paper().expect("it is built in")
    }
}

/// To learn the magnitude of the small survey's galaxies.
fn task(seed: u64) -> Task {
    Task::new(&[Parameter::Magnitude], &common::survey(), seed)
}

fn start<'a>(
    gpu: &legato::engine::Gpu,
    supply: impl Into<Supply<'a>>,
    recipe: &Recipe,
    folder: &Path,
) -> Result<Training<'a>> {
    start_seeded(gpu, supply, recipe, 11, folder)
}

fn start_seeded<'a>(
    gpu: &legato::engine::Gpu,
    supply: impl Into<Supply<'a>>,
    recipe: &Recipe,
    seed: u64,
    folder: &Path,
) -> Result<Training<'a>> {
    let model = Model::random(gpu, &common::network(), seed)?;
    Training::start(gpu, supply, recipe, &task(seed), model, folder)
}

/// Galaxies that are drawn as they are needed; neither the stamps of an epoch nor those held out fill a batch.
fn fresh(seed: u64, stamps_an_epoch: usize, threads: usize) -> Result<Fresh> {
    Fresh::new(Simulator::new(common::survey(), seed)?, stamps_an_epoch, 37, threads)
}

/// The weights and Adam's averages that a run would go on with.
fn checkpoint(folder: &Path) -> Result<[Arrays; 3]> {
    let (weights, _) = read_arrays(&folder.join("checkpoint/weights.safetensors"))?;
    let (averages, metadata) = read_arrays(&folder.join("checkpoint/adam-mean.safetensors"))?;
    let (squares, _) = read_arrays(&folder.join("checkpoint/adam-square.safetensors"))?;
    assert!(metadata.contains_key("steps"));
    Ok([weights, averages, squares])
}

fn best_weights(folder: &Path) -> Result<Arrays> {
    Ok(read_arrays(&folder.join(WEIGHTS_FILE))?.0)
}

/// The history without what depends on the machine's speed.
fn figures(history: &[Epoch]) -> Vec<Epoch> {
    history.iter().map(|epoch| Epoch { images_per_second: 0.0, unix_time: 0.0, ..*epoch }).collect()
}

#[test]
fn two_runs_of_one_seed_are_the_same_bit_for_bit_and_another_seeds_is_not() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..96)?);
    let folder = tempfile::tempdir().expect("a folder");
    let run = |name: &str, seed| {
        let folder = folder.path().join(name);
        let mut training = start_seeded(&gpu, &stamps, &Recipe { epochs: 2, ..recipe() }, seed, &folder)?;
        assert_eq!(training.run(None, |_| ())?, Outcome::Finished);
        Ok((best_weights(&folder)?, checkpoint(&folder)?, figures(training.history())))
    };
    let first = run("first", 11)?;
    assert!(first == run("second", 11)?);
    let bytes = |name: &str| std::fs::read(folder.path().join(name).join(WEIGHTS_FILE)).expect("weights");
    assert!(bytes("first") == bytes("second"));
    assert!(first.1 != run("third", 12)?.1);
    Ok::<(), Error>(())
}

#[test]
fn a_run_that_was_paused_and_resumed_ends_as_one_that_was_not() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..96)?);
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let mut uninterrupted = start(&gpu, &stamps, &recipe(), &whole)?;
    assert_eq!(uninterrupted.run(None, |_| ())?, Outcome::Finished);

    assert_eq!(start(&gpu, &stamps, &recipe(), &parts)?.run(Some(1), |_| ())?, Outcome::Paused);
    // As if the program had been killed while it put a new checkpoint into the place of the old one.
    std::fs::rename(parts.join("checkpoint"), parts.join("checkpoint.former")).expect("a checkpoint");
    assert_eq!(Training::resume(&gpu, &stamps, &parts)?.run(Some(2), |_| ())?, Outcome::Paused);
    // On another device object, as another process would have.
    let gpu = common::gpu();
    let mut resumed = Training::resume(&gpu, &stamps, &parts)?;
    assert_eq!((resumed.recipe(), resumed.history().len()), (&recipe(), 3));
    assert_eq!(resumed.run(None, |_| ())?, Outcome::Finished);

    assert_eq!(figures(resumed.history()), figures(uninterrupted.history()));
    assert!(checkpoint(&parts)? == checkpoint(&whole)?);
    assert!(best_weights(&parts)? == best_weights(&whole)?);
    // A finished run stays as it is.
    assert_eq!(Training::resume(&gpu, &stamps, &parts)?.run(None, |_| ())?, Outcome::Finished);
    assert!(checkpoint(&parts)? == checkpoint(&whole)?);
    Ok(())
}

#[test]
fn a_run_that_was_stopped_between_steps_ends_as_one_that_was_not() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..96)?);
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    start(&gpu, &stamps, &recipe(), &whole)?.run(None, |_| ())?;

    let stop = AtomicBool::new(false);
    let interrupted = |training: &mut Training, at: u64| -> Result<Outcome> {
        stop.store(false, Ordering::Relaxed);
        let mut steps = training.steps();
        training.run(None, |event| {
            if let Event::Step { .. } = event {
                steps += 1;
                stop.store(steps == at, Ordering::Relaxed);
            }
        })
    };
    // Saving on the way, before every step, changes nothing.
    let saved = folder.path().join("saved");
    let mut training = start(&gpu, &stamps, &recipe(), &saved)?;
    training.save_every(Duration::ZERO);
    assert_eq!(training.run(None, |_| ())?, Outcome::Finished);
    assert!(checkpoint(&saved)? == checkpoint(&whole)?);

    // An epoch has five steps: in the middle of the first, at its end, and twice in the third.
    let mut training = start(&gpu, &stamps, &recipe(), &parts)?;
    training.stop_when(&stop);
    assert_eq!((interrupted(&mut training, 2)?, training.steps()), (Outcome::Interrupted, 2));
    for at in [5, 11, 12] {
        let gpu = common::gpu();
        let mut training = Training::resume(&gpu, &stamps, &parts)?;
        training.stop_when(&stop);
        assert_eq!((interrupted(&mut training, at)?, training.steps()), (Outcome::Interrupted, at));
    }
    assert_eq!(Training::resume(&gpu, &stamps, &parts)?.run(None, |_| ())?, Outcome::Finished);
    let history =
        |run: &Path| -> Result<Vec<Epoch>> { Ok(figures(Training::resume(&gpu, &stamps, run)?.history())) };
    assert_eq!(history(&parts)?, history(&whole)?);
    assert!(checkpoint(&parts)? == checkpoint(&whole)?);
    assert!(best_weights(&parts)? == best_weights(&whole)?);
    Ok(())
}

#[test]
fn a_network_of_several_outputs_measures_them_all_and_passes_them_on() -> Result<()> {
    let (gpu, stamps, survey) = (common::gpu(), common::stamps(1, 0..96)?, common::survey());
    let folder = tempfile::tempdir().expect("a folder");
    let (together, alone) = (folder.path().join("together"), folder.path().join("alone"));
    let both = Task::new(&[Parameter::Magnitude, Parameter::Radius], &survey, 11);
    let mut network = common::network();
    network.layers.pop();
    network.layers.push(Layer::Dense { units: 2, relu: false });
    let model = Model::random(&gpu, &network, 11)?;
    let recipe = Recipe { epochs: 2, ..recipe() };
    Training::start(&gpu, &stamps, &recipe, &both, model, &together)?.run(None, |_| ())?;
    let weights = together.join(WEIGHTS_FILE);
    let estimators = load_estimators(&gpu, &weights)?;
    assert_eq!(estimators.keys().copied().collect::<Vec<_>>(), [Parameter::Magnitude, Parameter::Radius]);
    let found = evaluate(&gpu, &estimators, &stamps, 64, |_| ())?;
    let radii = |evaluations: &[legato::legato::Evaluation]| -> Vec<f32> {
        let of = evaluations.iter().find(|e| e.parameter == Parameter::Radius).expect("it was measured");
        of.pairs.iter().map(|pair| pair.1 as f32).collect()
    };

    let trained = Estimator::load_first(&gpu, &weights)?;
    // One output of it, for a survey of another range of radii, measures the same at first.
    let mut wider = survey.clone();
    wider.galaxies.radius.max *= 2.0;
    let task =
        Task { from: Some(weights.display().to_string()), ..Task::new(&[Parameter::Radius], &wider, 12) };
    let model = transfer(&gpu, &trained, &recipe, &task)?;
    let output = gpu.read(&model.infer(&gpu, &gpu.upload(&[96, 16, 16, 1], &common::pixels(&stamps))?)?)?;
    let begun: Vec<f64> = output.iter().map(|&t| task.targets[0].scaling.value(t.into())).collect();
    let want: Vec<f64> = radii(&found).iter().map(|&r| r.into()).collect();
    common::close("radii", 1e-5, &begun.iter().map(|&r| r as f32).collect::<Vec<_>>(), &want);

    // What is frozen stays; the rest learns.
    let before = legato::engine::nn::weights::model_arrays(&gpu, &model)?;
    let frozen = Recipe { frozen: 1, ..recipe.clone() };
    Training::start(&gpu, &stamps, &frozen, &task, model, &alone)?.run(None, |_| ())?;
    let after = best_weights(&alone)?;
    let changed: Vec<&str> = before
        .iter()
        .filter(|(name, array)| after[*name] != **array)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(changed.len(), before.len() - 2, "{changed:?}");
    assert!(!changed.contains(&"conv1.weight") && !changed.contains(&"conv1.bias"), "{changed:?}");
    let made = &Estimator::load(&gpu, &alone.join(WEIGHTS_FILE))?[0].provenance;
    assert_eq!((&made.from, made.targets.len()), (&task.from, 1));

    // What it was not taught begins at random, near the middle of its range.
    let task = Task::new(&[Parameter::AxisRatio], &survey, 12);
    let model = transfer(&gpu, &trained, &recipe, &task)?;
    let output = gpu.read(&model.infer(&gpu, &gpu.upload(&[96, 16, 16, 1], &common::pixels(&stamps))?)?)?;
    assert!(output.iter().all(|t| t.abs() < 1.0), "{output:?}");
    Ok(())
}

#[test]
fn a_run_goes_on_with_its_own_stamps_only() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..40)?);
    let folder = tempfile::tempdir().expect("a folder");
    start(&gpu, &stamps, &recipe(), folder.path())?.run(Some(1), |_| ())?;
    for others in [common::stamps(1, 0..41)?, common::stamps(2, 0..40)?] {
        let Err(error @ Error::Weights { .. }) = Training::resume(&gpu, &others, folder.path()) else {
            panic!("{} stamps from {} were taken", others.len(), others.origin)
        };
        let message = error.to_string();
        assert!(
            message.contains("began with 40 stamps from") && message.contains(&others.origin),
            "{message}"
        );
    }
    Training::resume(&gpu, &stamps, folder.path()).map(drop)
}

#[test]
fn a_folder_that_holds_a_run_is_not_started_in() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..40)?);
    let folder = tempfile::tempdir().expect("a folder");
    start(&gpu, &stamps, &recipe(), folder.path())?.run(Some(1), |_| ())?;
    let before = checkpoint(folder.path())?;
    let Err(Error::Usage(message)) = start(&gpu, &stamps, &recipe(), folder.path()) else {
        panic!("a run was started over another")
    };
    assert!(
        message.contains(&folder.path().display().to_string()) && message.contains("--resume"),
        "{message}"
    );
    assert!(checkpoint(folder.path())? == before);
    Ok(())
}

#[test]
fn a_checkpoint_that_is_absent_or_damaged_is_an_error_that_names_it() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..40)?);
    let folder = tempfile::tempdir().expect("a folder");
    let refusal = || match Training::resume(&gpu, &stamps, folder.path()) {
        Err(error @ Error::Weights { .. }) => error.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("resumed from nothing"),
    };
    assert!(refusal().contains("has no checkpoint to resume from"), "{}", refusal());
    start(&gpu, &stamps, &recipe(), folder.path())?.run(Some(1), |_| ())?;
    for file in ["adam-mean.safetensors", "adam-square.safetensors", "weights.safetensors", "state.json"] {
        let path = folder.path().join("checkpoint").join(file);
        let bytes = std::fs::read(&path).expect("a part of the checkpoint");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("a writable folder");
        let message = refusal();
        assert!(message.contains(&path.display().to_string()), "{message}");
        std::fs::write(&path, &bytes).expect("a writable folder");
    }
    Training::resume(&gpu, &stamps, folder.path()).map(drop)
}

#[test]
fn stamps_that_the_network_or_the_recipe_cannot_take_are_an_error() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..8)?);
    let folder = tempfile::tempdir().expect("a folder");
    let network = Network { input: [20, 20, 1], ..common::network() };
    let model = Model::random(&gpu, &network, 11)?;
    let result = Training::start(&gpu, &stamps, &recipe(), &task(11), model, folder.path());
    let message = result.err().expect("stamps of 16 pixels").to_string();
    assert!(message.contains("20×20×1") && message.contains("16×16×1"), "{message}");
    for (few, validation) in [(1, 0.2), (2, 0.01), (1, 0.9)] {
        let few = common::stamps(1, 0..few)?;
        let recipe = Recipe { validation, ..recipe() };
        let message = start(&gpu, &few, &recipe, folder.path()).err().expect("too few").to_string();
        assert!(message.contains("stamps are too few"), "{message}");
    }
    Ok(())
}

#[test]
fn a_network_learns_the_magnitude() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..400)?);
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = Recipe { epochs: 12, learning_rate: 5e-3, ..recipe() };
    let mut training = start(&gpu, &stamps, &recipe, folder.path())?;
    assert_eq!((training.split(), training.steps_an_epoch()), ((320, 80), 20));
    let (mut steps, mut losses) = (0, Vec::new());
    training.run(None, |event| {
        if let Event::Step { loss, stamps, .. } = event {
            steps += stamps;
            losses.extend(loss);
        }
    })?;
    assert_eq!(steps, 12 * 320);
    assert!(losses.len() > 12 && losses.iter().all(|l| l.is_finite()));
    let history = training.history();
    let (first, last) = (history[0], history[history.len() - 1]);
    println!("training loss {} to {}", first.training_loss, last.training_loss);
    println!("validation R² {} to {}", first.validation_r2, last.validation_r2);
    assert!(last.training_loss < 0.4 * f64::from(losses[0]), "{} from {}", last.training_loss, losses[0]);
    assert!(last.validation_loss < 0.5 * first.validation_loss, "{history:?}");
    assert!(last.validation_r2 > 0.9 && last.validation_r2 > first.validation_r2, "{history:?}");

    // Stamps that it never saw, by the weights that it left.
    let estimators = load_estimators(&gpu, &folder.path().join(WEIGHTS_FILE))?;
    let fresh = common::stamps(3, 0..100)?;
    let found = evaluate(&gpu, &estimators, &fresh, 64, |_| ())?;
    println!("R² of fresh stamps {}", found[0].statistics.r2);
    assert!(found[0].statistics.r2 > 0.9);

    let csv = std::fs::read_to_string(folder.path().join("history.csv")).expect("a history");
    let mut lines = csv.lines();
    let names = "epoch,training_loss,validation_loss,validation_r2,learning_rate,images_per_second,unix_time";
    assert_eq!((lines.next(), lines.count()), (Some(names), 12));
    Ok(())
}

#[test]
fn the_best_epochs_weights_are_kept_and_patience_ends_the_run() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..60)?);
    let folder = tempfile::tempdir().expect("a folder");
    // Steps so large that the validation loss goes up and down.
    let recipe =
        Recipe { epochs: 60, patience: 3, learning_rate: 0.02, schedule: Schedule::Constant, ..recipe() };
    let mut training = start(&gpu, &stamps, &recipe, folder.path())?;
    let (mut weights, mut announced) = (Vec::new(), Vec::new());
    let outcome = loop {
        let outcome = training.run(Some(1), |event| {
            if let Event::Epoch { epoch, best: true } = event {
                announced.push(epoch.epoch);
            }
        })?;
        weights.push(checkpoint(folder.path())?[0].clone());
        if outcome != Outcome::Paused {
            break outcome;
        }
    };
    let history = training.history();
    let lowest = history.iter().map(|e| e.validation_loss).fold(f64::INFINITY, f64::min);
    let best = history.iter().find(|e| e.validation_loss == lowest).expect("an epoch");
    assert_eq!((outcome, history.len()), (Outcome::StoppedEarly, best.epoch + 3));
    assert_eq!((announced.last(), training.best()), (Some(&best.epoch), Some(best)));
    assert!(best_weights(folder.path())? == weights[best.epoch - 1]);
    assert!(best_weights(folder.path())? != weights[history.len() - 1]);

    let loaded = Estimator::load(&gpu, &folder.path().join(WEIGHTS_FILE))?;
    let made = &loaded[0].provenance;
    assert_eq!((made.targets.as_slice(), loaded.len()), (task(11).targets.as_slice(), 1));
    assert_eq!((made.epoch, made.seed, &made.from), (best.epoch, 11, &None));
    assert_eq!((made.validation_loss, made.validation_r2), (lowest, best.validation_r2));
    // 48 stamps are three batches of 16.
    assert_eq!(made.images_seen, 48 * best.epoch as u64);
    assert_eq!((made.survey.as_str(), made.zero_point), ("small", common::survey().zero_point));
    Ok(())
}

/// `count` stamps of nothing at all that are said to show the same galaxy.
fn blank(folder: &Path, count: usize) -> Result<Stamps> {
    let truth = Truth {
        mag: 20.0,
        re_maj: 4.0,
        re_circ: 2.0,
        n: 2.5,
        q: 0.25,
        pa: 0.0,
        x: 8.5,
        y: 8.5,
        ..Truth::default()
    };
    let path = folder.join("blank.fits");
    let mut writer = DatasetWriter::create(&path, &DatasetMeta::default(), count, 16, 16)?;
    writer.append(&vec![0.0; count * 256], &vec![truth; count])?;
    writer.finish()?;
    Stamps::read(&path)
}

#[test]
fn a_zoom_multiplies_the_target_of_the_radius_and_of_nothing_else() -> Result<()> {
    let gpu = common::gpu();
    let folder = tempfile::tempdir().expect("a folder");
    let stamps = blank(folder.path(), 40)?;
    // Of blank stamps such a network sees nothing: its bias learns the target.
    let network = Network {
        name: "bias".into(),
        input: [16, 16, 1],
        layers: vec![Layer::Flatten, Layer::Dense { units: 1, relu: false }],
    };
    let scaling = Scaling { min: 0.0, max: 10.0 };
    for (parameter, zoom, target) in [
        (Parameter::Radius, 1.0, 4.0),
        (Parameter::Radius, 1.5, 6.0),
        (Parameter::Radius, 0.75, 3.0),
        (Parameter::SersicIndex, 1.5, 2.5),
    ] {
        let recipe =
            Recipe { zoom: [zoom; 2], batch: 8, epochs: 50, patience: 0, learning_rate: 5e-3, ..recipe() };
        let run = folder.path().join(format!("{parameter}-{zoom}"));
        let task = Task { targets: vec![Target { parameter, scaling }], seed: 11, from: None };
        let model = Model::random(&gpu, &network, task.seed)?;
        Training::start(&gpu, &stamps, &recipe, &task, model, &run)?.run(None, |_| ())?;
        let learned = scaling.value(checkpoint(&run)?[0]["dense1.bias"].1[0].into());
        println!("{parameter}, zoom {zoom}: learned {learned}");
        assert!((learned - target).abs() < 0.05, "{parameter}, zoom {zoom}: {learned} for {target}");
    }
    Ok(())
}

#[test]
fn a_run_whose_r2_is_not_defined_can_be_resumed_and_its_weights_read() -> Result<()> {
    let gpu = common::gpu();
    let folder = tempfile::tempdir().expect("a folder");
    // A single stamp is held out: its values have no spread to compare with.
    let stamps = common::stamps(1, 0..5)?;
    let run = folder.path().join("run");
    let mut training = start(&gpu, &stamps, &recipe(), &run)?;
    assert_eq!(training.split(), (4, 1));
    training.run(Some(1), |_| ())?;
    assert!(training.history()[0].validation_r2.is_nan());
    assert_eq!(Training::resume(&gpu, &stamps, &run)?.run(Some(1), |_| ())?, Outcome::Paused);
    Estimator::load(&gpu, &run.join(WEIGHTS_FILE)).map(drop)
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_leaves_the_checkpoint() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..40)?);
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = Recipe { learning_rate: 1e38, ..recipe() };
    let mut training = start(&gpu, &stamps, &recipe, folder.path())?;
    match training.run(None, |_| ()) {
        Err(error @ Error::Diverged { .. }) => {
            assert!(error.to_string().contains("lower --learning-rate"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!folder.path().join("checkpoint").exists());
    Ok(())
}

/// Three epochs of three steps after the first allocate nothing on the device and submit once a step.
fn works_in_the_same_memory_one_submission_a_step<'a>(
    gpu: &legato::engine::Gpu,
    supply: impl Into<Supply<'a>>,
) -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut training = start(gpu, supply, &recipe(), folder.path())?;
    training.run(Some(1), |_| ())?;
    let (before, mut submissions) = (gpu.allocations(), Vec::new());
    training.run(Some(3), |event| {
        if let Event::Step { epoch, .. } = event {
            submissions.push((epoch, gpu.submissions()));
        }
    })?;
    assert_eq!(gpu.allocations(), before);
    assert_eq!(submissions.len(), 9);
    for pair in submissions.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert_eq!(pair[1].1 - pair[0].1, 1);
    }
    Ok(())
}

#[test]
fn an_epoch_after_the_first_takes_no_memory_and_a_step_is_one_submission() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..60)?);
    works_in_the_same_memory_one_submission_a_step(&gpu, &stamps)
}

#[test]
fn a_run_on_fresh_galaxies_that_was_resumed_on_other_threads_ends_as_one_that_was_not() -> Result<()> {
    let gpu = common::gpu();
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let one = fresh(11, 100, 1)?;
    let mut unbroken = start(&gpu, &one, &recipe(), &whole)?;
    assert_eq!((unbroken.split(), unbroken.steps_an_epoch()), ((100, 37), 6));
    assert_eq!(unbroken.run(None, |_| ())?, Outcome::Finished);

    let three = fresh(11, 100, 3)?;
    assert_eq!(start(&gpu, &three, &recipe(), &parts)?.run(Some(1), |_| ())?, Outcome::Paused);
    assert_eq!(Training::plan(&parts)?, three.plan());
    let mut resumed = Training::resume(&gpu, &three, &parts)?;
    // Pauses between epochs change nothing either.
    assert_eq!(resumed.run(Some(1), |_| ())?, Outcome::Paused);
    assert_eq!(resumed.run(Some(1), |_| ())?, Outcome::Paused);
    let (gpu, two) = (common::gpu(), fresh(11, 100, 2)?);
    let mut resumed = Training::resume(&gpu, &two, &parts)?;
    assert_eq!(resumed.run(None, |_| ())?, Outcome::Finished);

    assert_eq!(figures(resumed.history()), figures(unbroken.history()));
    assert!(checkpoint(&parts)? == checkpoint(&whole)?);
    assert!(best_weights(&parts)? == best_weights(&whole)?);
    // Each epoch sees other galaxies, so that no loss repeats.
    let losses: Vec<f64> = unbroken.history().iter().map(|e| e.training_loss).collect();
    assert!(losses.windows(2).all(|pair| pair[0] != pair[1]));
    Ok(())
}

#[test]
fn a_run_on_fresh_galaxies_goes_on_with_its_own_only() -> Result<()> {
    let (gpu, stamps) = (common::gpu(), common::stamps(1, 0..40)?);
    let folder = tempfile::tempdir().expect("a folder");
    let (drawn, set) = (folder.path().join("drawn"), folder.path().join("set"));
    let first = fresh(11, 40, 1)?;
    start(&gpu, &first, &recipe(), &drawn)?.run(Some(1), |_| ())?;
    start(&gpu, &stamps, &recipe(), &set)?.run(Some(1), |_| ())?;

    let refusal = |supply: Supply, folder: &Path| match Training::resume(&gpu, supply, folder) {
        Err(error @ Error::Weights { .. }) => error.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("went on with something else"),
    };
    let message = refusal((&stamps).into(), &drawn);
    assert!(message.contains("drawn as it learned (simulated: small): go on by --simulate"), "{message}");
    let message = refusal((&first).into(), &set);
    assert!(message.contains("began with the data set") && message.contains("--data"), "{message}");
    assert!(Training::plan(&set).expect_err("a set").to_string().contains("began with the data set"));
    let message = refusal((&fresh(12, 40, 1)?).into(), &drawn);
    let words = "began with seed 11, 40 stamps an epoch and 37 held out: it cannot go on with seed 12, 40";
    assert!(message.contains(words), "{message}");
    assert!(refusal((&fresh(11, 41, 1)?).into(), &drawn).contains("41 stamps an epoch"));
    let mut fainter = common::survey();
    fainter.zero_point -= 0.01;
    let fainter = Fresh::new(Simulator::new(fainter, 11)?, 40, 37, 1)?;
    let message = refusal((&fainter).into(), &drawn);
    assert!(message.contains("began with galaxies of another survey"), "{message}");
    Training::resume(&gpu, &first, &drawn).map(drop)
}

#[test]
fn a_network_learns_from_galaxies_that_it_sees_once() -> Result<()> {
    let (gpu, fresh) = (common::gpu(), fresh(5, 320, 2)?);
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = Recipe { epochs: 12, learning_rate: 5e-3, ..recipe() };
    let mut training = start_seeded(&gpu, &fresh, &recipe, 5, folder.path())?;
    let (mut steps, mut starved) = (0, 0);
    training.run(None, |event| match event {
        Event::Step { stamps, .. } => steps += stamps,
        Event::Starved { share, made, needed } => {
            assert!(share > 0.1 && share < 1.0 && made < needed, "{share} {made} {needed}");
            starved += 1;
        }
        Event::Epoch { .. } => (),
    })?;
    assert!(steps == 12 * 320 && starved <= 12);
    let estimators = load_estimators(&gpu, &folder.path().join(WEIGHTS_FILE))?;
    let made = &estimators[&Parameter::Magnitude].provenance;
    assert_eq!((made.data.as_str(), made.survey.as_str(), made.seed), ("simulated: small", "small", 5));
    assert_eq!((made.images_seen, made.zero_point), (320 * made.epoch as u64, common::survey().zero_point));
    let others = common::stamps(5, 0..100)?;
    let found = evaluate(&gpu, &estimators, &others, 64, |_| ())?;
    println!("R² of others {}", found[0].statistics.r2);
    assert!(found[0].statistics.r2 > 0.9, "{}", found[0].statistics.r2);
    Ok(())
}

#[test]
fn an_epoch_of_fresh_galaxies_after_the_first_takes_no_memory_and_a_step_is_one_submission() -> Result<()> {
    let (gpu, fresh) = (common::gpu(), fresh(1, 60, 1)?);
    works_in_the_same_memory_one_submission_a_step(&gpu, &fresh)
}
