//! A shell script stands in for GALFIT, and behaves as it does in each way.

use super::super::testing::{GALAXY, block, model};
use super::super::workspace::Object;
use super::super::{Initial, read_workspace};
use super::*;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A folder of objects that are called after what the stand-in does with them, and the stand-in.
struct Place {
    folder: TempDir,
    workspace: Workspace,
    options: RunOptions,
}

/// What it does with an object of each name; `$folder` holds a good block.
const STAND_IN: &str = r#"#!/bin/sh
test "$1" = galfit.feedme || exit 9
test -f "$1" || exit 8
echo run >> "$folder/runs-$(cat "$1")"
log() { printf 'Input image     : image.fits[1:40,1:30]\nOutput image    : block.fits\n\n'
        printf ' sersic    : ( 21.5, 14.2)  21.12  5.5  1.7  0.6  -80\n             ( 0.1, 0.1) 0.1 0.1 0.1 0.1 1\n'; }
case "$(cat "$1")" in
good) cp "$folder/good.fits" block.fits; log > fit.log; echo x > galfit.01; echo x > other.tmp ;;
segfault) kill -SEGV $$ ;;
killed) kill -KILL $$ ;;
abort-late) cp "$folder/good.fits" block.fits; kill -ABRT $$ ;;
doh) echo 'Doh!  GALFIT crashed because at least one of the model parameters is bad.'; exit 1 ;;
silent) exit 0 ;;
half) head -c 3000 "$folder/good.fits" > block.fits ;;
hang) sleep 60 ;;
log-only) log > fit.log; kill -SEGV $$ ;;
esac
"#;

impl Place {
    fn new(objects: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(&folder.path().join("fits"), "").unwrap();
        for (i, name) in objects.iter().enumerate() {
            let place = workspace.place(i + 1);
            std::fs::create_dir(&place).unwrap();
            std::fs::write(place.join(workspace::FEEDME), name).unwrap();
            let object = Object {
                id: (*name).to_owned(),
                file: "stamps.fits".into(),
                corner: [11, 21],
                zero_point: 25.9463,
                pixel_scale: 0.06,
                snr: 50.0,
                flags: 0,
                initial: Initial { x: 20.0, y: 15.0, mag: 21.0, re_maj: 5.0, n: 2.5, q: 0.5, pa: 0.0 },
            };
            object.write(&place).unwrap();
        }
        block(&folder.path().join("good.fits"), model(&[("sersic", GALAXY)], &[]), &[]);
        let binary = folder.path().join("galfit");
        let here = format!("folder='{}'\n", folder.path().display());
        std::fs::write(&binary, STAND_IN.replacen('\n', &format!("\n{here}"), 1)).unwrap();
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
        let options = RunOptions { binary, jobs: 3, limit: Duration::from_secs(30), again: false };
        Place { folder, workspace, options }
    }

    fn run(&self) -> Result<Ran> {
        run(&self.workspace, &self.options, &AtomicBool::new(false), || ())
    }

    /// How often the stand-in was run over an object.
    fn runs(&self, name: &str) -> usize {
        let told = std::fs::read_to_string(self.folder.path().join(format!("runs-{name}")));
        told.map_or(0, |text| text.lines().count())
    }
}

#[test]
fn crashes_are_rows_with_a_reason_and_the_rest_goes_on() {
    let place = Place::new(&["segfault", "good", "killed", "doh", "silent", "half", "abort-late", "good"]);
    let ran = place.run().unwrap();
    assert_eq!((ran.done, ran.kept, ran.seconds.len()), (3, 0, 8));
    let expected = [
        ("000001", "no output block: it crashed with signal 11 (segmentation fault)"),
        ("000003", "no output block: it crashed with signal 9 (killed; out of memory?)"),
        (
            "000004",
            "no output block: it ended with status 1; its last words: Doh!  GALFIT crashed because at least one of \
                    the model parameters is bad.",
        ),
        ("000005", "no output block: it ended without one"),
        ("000006", "the output block cannot be read"),
    ];
    assert_eq!(ran.failed.len(), expected.len(), "{:?}", ran.failed);
    for ((name, reason), (expected_name, words)) in ran.failed.iter().zip(expected) {
        assert!(name == expected_name && reason.starts_with(words), "{name}: {reason}");
    }
    let answers = read_workspace(&place.workspace, || ()).unwrap();
    assert_eq!(answers.len(), 8);
    for (answer, good) in answers.iter().zip([false, true, false, false, false, false, true, true]) {
        assert_eq!(answer.trouble.is_none(), good, "{answer:?}");
        assert_eq!(answer.row.flags.contains(crate::fits::Flags::BAD_FIT), !good);
        assert_eq!(answer.row.mag.is_finite(), good);
    }
    // In pixels of the image that the stamp was cut from.
    assert_eq!((answers[1].row.x, answers[1].row.y), (31.5, 34.25));
    assert_eq!((answers[0].row.x, answers[0].row.y), (30.0, 35.0));
    // Nothing but what GALFIT is known to write is kept.
    let mut kept: Vec<_> =
        std::fs::read_dir(place.workspace.place(2)).unwrap().map(|e| e.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["block.fits", "fit.log", "galfit.01", "galfit.feedme", "object.toml", "run.toml"]);
}

#[test]
fn a_fit_that_hangs_is_ended_at_its_limit_while_others_go_on() {
    let mut place = Place::new(&["hang", "good", "good", "good"]);
    place.options.limit = Duration::from_secs(2);
    place.options.jobs = 2;
    let ran = place.run().unwrap();
    assert_eq!(ran.done, 3);
    assert_eq!(ran.failed, [("000001".to_owned(), "no answer within 2 s".to_owned())]);
    let answers = read_workspace(&place.workspace, || ()).unwrap();
    assert_eq!(answers[0].trouble.as_deref(), Some("no answer within 2 s"));
}

#[test]
fn what_is_done_is_not_done_again_unless_it_failed_and_that_is_asked_for() {
    let mut place = Place::new(&["good", "segfault"]);
    place.run().unwrap();
    let ran = place.run().unwrap();
    assert_eq!((ran.done, ran.kept, ran.failed.len()), (0, 2, 0));
    assert_eq!((place.runs("good"), place.runs("segfault")), (1, 1));
    place.options.again = true;
    let ran = place.run().unwrap();
    assert_eq!((ran.done, ran.kept, ran.failed.len()), (0, 1, 1));
    assert_eq!((place.runs("good"), place.runs("segfault")), (1, 2));
}

#[test]
fn an_interrupted_run_leaves_nothing_half_done() {
    let place = Place::new(&["hang", "hang"]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&place.workspace, &place.options, &stop, || ()));
        let started = Instant::now();
        while place.runs("hang") < 2 {
            assert!(started.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::SeqCst);
        assert!(matches!(running.join().unwrap(), Err(Error::Interrupted)));
    });
    for number in 1..=2 {
        assert_eq!(RunRecord::read(&place.workspace.place(number)).unwrap(), None);
    }
    assert_eq!(std::fs::read_dir(place.workspace.objects_folder()).unwrap().count(), 2);
    let answers = read_workspace(&place.workspace, || ()).unwrap();
    assert_eq!(answers[0].trouble.as_deref(), Some("GALFIT has not been run over it"));
}

#[test]
fn where_only_the_log_was_written_its_values_are_told_and_flagged() {
    let place = Place::new(&["log-only"]);
    place.run().unwrap();
    let answers = read_workspace(&place.workspace, || ()).unwrap();
    let answer = &answers[0];
    assert!((answer.row.mag - 21.12).abs() < 1e-9 && answer.row.flags.contains(crate::fits::Flags::BAD_FIT));
    assert!(
        answer.trouble.as_deref().is_some_and(|t| t.contains("signal 11") && t.contains("those of fit.log"))
    );
}

#[test]
fn a_program_that_cannot_be_started_ends_the_run() {
    let mut place = Place::new(&["good"]);
    place.options.binary = place.folder.path().join("absent");
    let error = place.run().unwrap_err().to_string();
    assert!(error.contains("absent: cannot start"), "{error}");
    let found = find_binary(Some(&place.folder.path().join("good.fits")));
    let error = found.unwrap_err().to_string();
    assert!(
        error.contains("good.fits is not a program that can be run. GALFIT is not part of legato"),
        "{error}"
    );
    assert_eq!(
        find_binary(Some(&place.folder.path().join("galfit"))).unwrap(),
        place.folder.path().join("galfit")
    );
}
