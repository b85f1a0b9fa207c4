//! One run of a program that may print without end, hang or crash: with a time limit, ended with all that it started, and
//! its last words kept.

use std::io::{self, ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// It was ended at its time limit.
    TimedOut,
    /// It was ended because somebody asked to stop.
    Stopped,
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct Run {
    /// How.
    pub ending: Ending,
    /// The last line with words that it printed.
    pub last_words: String,
}

/// Bytes of its output that are kept.
const KEPT: usize = 4096;
/// How often to look whether it has ended: at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
/// How long to wait for the rest of what an ended program has printed.
const DRAIN: Duration = Duration::from_millis(500);

/// Runs a command to its end, its time limit, or until `stop` is set.
///
/// # Errors
/// The system's, where it cannot be started.
pub fn run(command: &mut Command, limit: Duration, stop: &AtomicBool) -> io::Result<Run> {
    let started = Instant::now();
    // One pipe for both, so that what was printed last is last.
    let (pipe, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let spawned = spawn(command);
    // The command holds the pipe's other end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = spawned?;
    let output = Arc::new(Mutex::new(Vec::new()));
    let reader = keep_the_end(pipe, output.clone());
    let mut pause = LOOK.0;
    let ending = loop {
        if let Some(status) = child.try_wait()? {
            break Ending::Exited(status);
        }
        let stopped = stop.load(Ordering::SeqCst);
        if stopped || started.elapsed() >= limit {
            end(&mut child);
            break if stopped { Ending::Stopped } else { Ending::TimedOut };
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(LOOK.1);
    };
    // What it has started may hold the pipe open for as long as it likes.
    let ended = Instant::now();
    while !reader.is_finished() && ended.elapsed() < DRAIN {
        std::thread::sleep(LOOK.0);
    }
    let output = output.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Run { ending, last_words: last_line(&output) })
}

/// Starts a command in a process group of its own.
fn spawn(command: &mut Command) -> io::Result<Child> {
    /// A program that was written a moment ago may still be held open.
    const TRIES: u32 = 20;
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    for _ in 0..TRIES {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(50));
            }
            other => return other,
        }
    }
    command.spawn()
}

/// Ends a program, with all of its group.
fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // Its group has its own number; where it has ended by itself in the meantime there is nothing to end.
        if let Err(error) = kill_process_group(Pid::from_child(child), Signal::KILL) {
            log::info!("process group {}: {error}", child.id());
        }
    }
    if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
        log::info!("process {}: {error}", child.id());
    }
}

/// Reads a pipe to its end and keeps the last of it.
fn keep_the_end(
    mut pipe: impl Read + Send + 'static,
    kept: Arc<Mutex<Vec<u8>>>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; KEPT];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(&buffer[..count]);
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
    })
}

/// The last line that holds a letter, without escapes for terminals and at most 200 characters of it.
fn last_line(output: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rev().map(str::trim).find(|line| line.chars().any(char::is_alphabetic));
    line.unwrap_or("").chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration, stop: &AtomicBool) -> Run {
        run(Command::new("sh").args(["-c", script]), limit, stop).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_program_that_ends_gives_its_status_and_last_words() {
        let run =
            shell("echo first; echo ' the last one ' >&2; echo ----; exit 3", LONG, &AtomicBool::new(false));
        let Ending::Exited(status) = run.ending else { panic!("{run:?}") };
        assert_eq!((status.code(), run.last_words.as_str()), (Some(3), "the last one"));
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let sign = folder.path().join("alive");
        // Its child, were it to live on, would leave a sign.
        let script = format!("(sleep 1; touch '{}') & echo started; wait; sleep 60", sign.display());
        let run = shell(&script, Duration::from_millis(300), &AtomicBool::new(false));
        assert_eq!((run.ending, run.last_words.as_str()), (Ending::TimedOut, "started"));
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!sign.exists());
    }

    #[test]
    fn a_program_that_prints_without_end_costs_no_memory_and_one_is_stopped_when_asked() {
        let run = shell("yes words", Duration::from_millis(300), &AtomicBool::new(false));
        assert_eq!(run.ending, Ending::TimedOut);
        assert!(!run.last_words.is_empty() && "words".starts_with(&run.last_words), "{}", run.last_words);
        assert_eq!(shell("sleep 60", LONG, &AtomicBool::new(true)).ending, Ending::Stopped);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let mut command = Command::new("/nonexistent/galfit");
        assert_eq!(run(&mut command, LONG, &AtomicBool::new(false)).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
