//! GALFIT over all the objects of a folder: several at once, each with a time limit, and none of them the end of the
//! others.

use super::process::{self, Ending, Run};
use super::workspace::{self, RunRecord, Workspace};
use crate::files::Scratch;
use crate::fits::read_block_headers;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How to run it.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The program.
    pub binary: PathBuf,
    /// How many at once.
    pub jobs: usize,
    /// How long one fit may take.
    pub limit: Duration,
    /// Whether to run again over objects whose run gave no block.
    pub again: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ran {
    /// Objects with a block of this run.
    pub done: usize,
    /// Objects that had been run over before.
    pub kept: usize,
    /// Objects without a block: the names of their folders, and why.
    pub failed: Vec<(String, String)>,
    /// Wall-clock seconds of each run, in the order of their ends.
    pub seconds: Vec<f64>,
}

/// The program to run: the one given, or `galfit` on the PATH.
///
/// # Errors
/// [`Error::Incomplete`] where there is none, with what to do.
pub fn find_binary(given: Option<&Path>) -> Result<PathBuf> {
    const HOW: &str = "GALFIT is not part of legato: get the binary for your system from \
                       https://users.obs.carnegiescience.edu/peng/work/galfit/galfit.html, put it on the PATH as \
                       `galfit` and make it executable, or name it with --binary";
    if let Some(path) = given {
        return if is_program(path) {
            // Other folders are gone to, from which a relative path would lead elsewhere.
            std::path::absolute(path).map_err(|e| Error::io(path, "find", e))
        } else {
            Err(Error::Incomplete(format!("{} is not a program that can be run. {HOW}", path.display())))
        };
    }
    let name = format!("galfit{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let found =
        folders.unwrap_or_default().into_iter().map(|folder| folder.join(&name)).find(|p| is_program(p));
    found
        .ok_or_else(|| Error::Incomplete(format!("there is no `galfit` on the PATH. {HOW}")))
        .and_then(|path| std::path::absolute(&path).map_err(|e| Error::io(&path, "find", e)))
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = std::fs::metadata(path) else { return false };
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let executable = true;
    metadata.is_file() && executable
}

/// Runs GALFIT over every object of a folder that it has not been run over. An object whose run crashes, hangs or writes
/// no block gets a record with the reason, and the rest goes on. `progress` hears of each object done or skipped; `stop`
/// ends the runs under way, which then count as not begun.
///
/// # Errors
/// [`Error::Interrupted`] after `stop`; the folder cannot be written, or the program not started.
pub fn run(
    workspace: &Workspace,
    options: &RunOptions,
    stop: &AtomicBool,
    progress: impl Fn() + Sync,
) -> Result<Ran> {
    let mut todo = Vec::new();
    let mut ran = Ran::default();
    for place in workspace.objects()? {
        match RunRecord::read(&place)? {
            Some(record) if record.done || !options.again => {
                ran.kept += 1;
                progress();
            }
            _ => todo.push(place),
        }
    }
    let folder = workspace.objects_folder();
    crate::files::remove_left_behind(&folder);
    let next = AtomicUsize::new(0);
    let halt = AtomicBool::new(false);
    let results: Mutex<Vec<(usize, Result<RunRecord>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, todo.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(place) = todo.get(number) else { break };
                    if stop.load(Ordering::SeqCst) || halt.load(Ordering::SeqCst) {
                        break;
                    }
                    let result = run_one(place, &folder, options, stop);
                    // What one cannot do, none can: no program, no room on the disk.
                    halt.fetch_or(result.is_err(), Ordering::SeqCst);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
                    progress();
                }
            });
        }
    });
    let mut failed = Vec::new();
    for (number, result) in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let record = result?;
        ran.seconds.push(record.seconds);
        if record.done {
            ran.done += 1;
        } else {
            let name = todo[number].file_name().map(|name| name.to_string_lossy().into_owned());
            failed.push((name.unwrap_or_default(), record.reason));
        }
    }
    if stop.load(Ordering::SeqCst) {
        return Err(Error::Interrupted);
    }
    failed.sort();
    ran.failed = failed;
    Ok(ran)
}

/// Runs over one object, in a folder beside its own with the same files, so that what is unfinished is never taken for an
/// answer; then moves what it wrote, and last of all writes the record.
fn run_one(place: &Path, beside: &Path, options: &RunOptions, stop: &AtomicBool) -> Result<RunRecord> {
    let failed = |e| Error::io(place, "run GALFIT in", e);
    let scratch = Scratch::new(beside).map_err(failed)?;
    let inside = scratch.path();
    for name in [workspace::FEEDME, workspace::IMAGE, workspace::SIGMA, workspace::MASK] {
        let (from, to) = (place.join(name), inside.join(name));
        if from.exists() && std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to).map_err(|e| Error::io(&from, "copy", e))?;
        }
    }
    let started = Instant::now();
    let mut command = Command::new(&options.binary);
    command.arg(workspace::FEEDME).current_dir(inside);
    let run = process::run(&mut command, options.limit, stop)
        .map_err(|e| Error::io(&options.binary, "start", e))?;
    let seconds = started.elapsed().as_secs_f64();
    if run.ending == Ending::Stopped {
        return Err(Error::Interrupted);
    }
    let (done, reason) = judge(&run, &inside.join(workspace::BLOCK), options.limit);
    let record = RunRecord { done, reason, seconds };
    scratch.settle(|| -> Result<()> {
        for entry in std::fs::read_dir(inside).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let restart = text.strip_prefix("galfit.").is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
            if text == workspace::BLOCK || text == workspace::LOG || restart {
                std::fs::rename(entry.path(), place.join(&name)).map_err(failed)?;
            }
        }
        Ok(())
    })?;
    record.write(place)?;
    Ok(record)
}

/// Whether a run left a block that can be read, and what is to be said of it.
fn judge(run: &Run, block: &Path, limit: Duration) -> (bool, String) {
    let last = match run.last_words.as_str() {
        "" => String::new(),
        words => format!("; its last words: {words}"),
    };
    match run.ending {
        Ending::TimedOut => (false, format!("no answer within {} s", limit.as_secs_f64())),
        Ending::Stopped => (false, "stopped".to_owned()),
        Ending::Exited(status) => {
            let ended = if status.success() { String::new() } else { describe(status) };
            if !block.exists() {
                let how = if ended.is_empty() { "it ended without one".to_owned() } else { ended };
                return (false, format!("no output block: {how}{last}"));
            }
            match read_block_headers(block) {
                // Some builds crash after the last thing they have to do.
                Ok(_) => (true, ended),
                Err(error) => (false, format!("the output block cannot be read: {error}")),
            }
        }
    }
}

/// How a program ended that did not end well.
fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => " (illegal instruction: is it built for this processor?)",
            6 => " (aborted)",
            8 => " (arithmetic error)",
            9 => " (killed; out of memory?)",
            11 => " (segmentation fault)",
            15 => " (terminated)",
            _ => "",
        };
        return format!("it crashed with signal {signal}{name}");
    }
    match status.code() {
        Some(code) => format!("it ended with status {code}"),
        None => "it crashed".to_owned(),
    }
}

#[cfg(all(test, unix))]
mod tests;
