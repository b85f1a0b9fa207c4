//! What is left where a command does not end by itself.
#![cfg(unix)]

use crate::support::{Place, hidden, trained};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Waits until `ready`, then sends a signal; the exit status and standard error.
fn interrupt(mut child: Child, signal: &str, ready: impl Fn() -> bool) -> (Option<i32>, String) {
    let started = Instant::now();
    while !ready() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(started.elapsed() < Duration::from_secs(120), "it did not start to work");
        std::thread::sleep(Duration::from_millis(20));
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn spawn(place: &Place, arguments: &str) -> Child {
    let mut command = place.command(&arguments.split_whitespace().collect::<Vec<_>>());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn an_interrupted_simulation_leaves_nothing() {
    for signal in ["-INT", "-TERM"] {
        let place = Place::new();
        let child = spawn(&place, "simulate --survey survey.toml -n 50000000 -o big.fits");
        let (code, words) = interrupt(child, signal, || !hidden(place.folder()).is_empty());
        assert_eq!(code, Some(130), "{words}");
        assert!(words.contains("legato: interrupted; nothing half-written is left"), "{words}");
        assert!(hidden(place.folder()).is_empty() && !place.path("big.fits").exists());
    }
}

#[test]
fn a_run_that_was_interrupted_and_killed_ends_as_an_unbroken_one() {
    let place = trained();
    let train = "train --parameter magnitude --data train.fits --survey survey.toml --network network.toml \
                 --epochs 60 --patience 0 --batch 16 -o";
    place.legato(&format!("{train} unbroken")).well();
    let epochs = |number: usize| {
        let history = place.path("run/history.csv");
        move || std::fs::read_to_string(&history).is_ok_and(|text| text.lines().count() > number)
    };
    let (code, words) = interrupt(spawn(&place, &format!("{train} run")), "-INT", epochs(3));
    assert_eq!(code, Some(130), "{words}");
    assert!(words.contains("finishing the step and saving"), "{words}");
    assert!(words.contains("stopped and saved after step") && words.contains("--resume"), "{words}");
    assert!(hidden(place.folder()).is_empty());
    let resume = "train --data train.fits -o run --resume";
    for (signal, at) in [("-KILL", 10), ("-KILL", 17), ("-TERM", 25)] {
        interrupt(spawn(&place, resume), signal, epochs(at));
    }
    let resumed = place.legato(resume).well();
    assert!(resumed.err.contains("done") && resumed.err.contains("best epoch"), "{}", resumed.err);
    for file in ["weights.safetensors", "checkpoint/weights.safetensors", "checkpoint/adam-mean.safetensors"]
    {
        let bytes = |run: &str| std::fs::read(place.path(&format!("{run}/{file}"))).unwrap();
        assert!(bytes("run") == bytes("unbroken"), "{file}");
    }
    place.legato("fit train.fits --models run -o out.csv").well();
}

#[test]
fn a_full_disk_leaves_nothing() {
    let place = Place::new();
    // A limit on the size of files stands for the disk; 512 bytes a block.
    let script = "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.current_dir(place.folder()).args(["-c", script, env!("CARGO_BIN_EXE_legato")]);
    command.args(["simulate", "--survey", "survey.toml", "-n", "600", "-o", "s.fits"]);
    let answer = place.run(&mut command).fails(1, &["s.fits[", "cannot write", "is the disk full?"]);
    assert!(!answer.err.contains(".legato-"), "{}", answer.err);
    assert!(!place.path("s.fits").exists());
}
