//! Training runs with their progress, for every command that has some.

use super::{Common, interrupt, progress};
use crate::engine::Gpu;
use crate::engine::nn::Model;
use crate::legato::{Epoch, Event, Outcome, Recipe, Supply, Task, Training, WEIGHTS_FILE};
use crate::report::{CurvePoint, Figure, learning_curves};
use crate::{Error, Result, files};
use std::path::Path;

/// Trains in a folder, or goes on with what is there of the same work; nothing more where it is done. The run's
/// history.
///
/// # Errors
/// Those of training, a folder that holds other work, and [`Error::Interrupted`].
pub fn learn_once(
    gpu: &Gpu,
    supply: Supply,
    (recipe, task): (&Recipe, &Task),
    model: impl FnOnce() -> Result<Model>,
    folder: &Path,
    common: &Common,
) -> Result<Vec<Epoch>> {
    let there = Training::exists(folder);
    let mut training = match there {
        true => Training::resume(gpu, supply, folder)?,
        false => Training::start(gpu, supply, recipe, task, model()?, folder)?,
    };
    if training.recipe() != recipe || !training.task().goes_on_for(task) {
        return Err(Error::Usage(format!(
            "{} holds a run of another recipe or task: choose another folder",
            folder.display()
        )));
    }
    if !training.ended() && train(&mut training, folder, None, common)? == Outcome::Interrupted {
        return Err(Error::Interrupted);
    }
    Ok(training.history().to_vec())
}

/// Trains with a progress bar and a line an epoch.
pub fn train(
    training: &mut Training,
    folder: &Path,
    stop_after: Option<usize>,
    common: &Common,
) -> Result<Outcome> {
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
        training.task().describe(),
        steps,
        recipe.batch.min(learning),
        recipe.epochs,
        if done > 0 { format!(", {done} done") } else { String::new() },
    ));
    common.say(format!("device memory: {}", training.budget()?));
    let stamps_an_epoch = (steps * recipe.batch.min(learning)) as u64;
    let bar =
        progress::bar(common, stamps_an_epoch.saturating_mul(recipe.epochs as u64), "training", "stamps");
    bar.set_position(training.steps() * recipe.batch.min(learning) as u64);
    bar.reset_eta();
    let mut advice =
        "; give more --threads, or make a data set once with `legato simulate` and learn from it with --data";
    let (mut history, mut drawn) = (training.history().to_vec(), Ok(()));
    let listening = interrupt::listen();
    training.stop_when(listening.flag());
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
            history.push(*epoch);
            drawn = draw_curves(folder, &history);
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
    let outcome = outcome?;
    drawn?;
    let ending = match outcome {
        Outcome::Finished => "done".to_owned(),
        Outcome::StoppedEarly => format!("stopped: no better validation loss for {} epochs", recipe.patience),
        Outcome::Paused => format!("paused after {} epochs: go on with --resume", training.history().len()),
        Outcome::Interrupted => {
            format!("stopped and saved after step {}: go on with --resume", training.steps())
        }
    };
    let best = training
        .best()
        .map_or(String::new(), |b| format!("; best epoch {}, R² {:.4}", b.epoch, b.validation_r2));
    common.say(format!("{}: {ending}{best}", folder.join(WEIGHTS_FILE).display()));
    Ok(outcome)
}

/// The learning curves of a run, in its folder.
fn draw_curves(folder: &Path, history: &[Epoch]) -> Result<()> {
    let figure = learning_figure("learning", "", history)?;
    files::replace(&folder.join("learning.svg"), figure.svg.as_bytes())
}

/// The learning curves of a history.
pub fn learning_figure(name: &str, caption: &str, history: &[Epoch]) -> Result<Figure> {
    let point = |e: &Epoch| CurvePoint {
        epoch: e.epoch as f64,
        training_loss: e.training_loss,
        validation_loss: e.validation_loss,
        validation_r2: e.validation_r2,
    };
    learning_curves(name, caption, &history.iter().map(point).collect::<Vec<_>>())
}
