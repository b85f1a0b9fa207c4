//! `legato galfit` and `legato benchmark galfit`, with and without a program to run.

use crate::support::Place;

#[test]
fn the_help_of_every_part_has_an_example() {
    let place = Place::new();
    for command in ["galfit", "galfit prepare", "galfit run", "galfit read", "benchmark galfit"] {
        let help = place.legato(&format!("{command} --help")).well().out;
        assert!(
            help.contains("Example:\n  legato galfit")
                || help.contains("Example:\n  legato benchmark galfit"),
            "{help}"
        );
    }
}

#[test]
fn wrong_usage_says_what_was_expected() {
    let place = Place::new();
    for (arguments, words) in [
        ("galfit", "Usage: legato galfit"),
        ("galfit prepare -o fits", "<IMAGES>..."),
        ("galfit prepare a.fits", "--output <OUTPUT>"),
        ("galfit prepare a.fits -o fits --psf p.fits --no-psf", "cannot be used with"),
        ("galfit prepare a.fits -o fits --rms r.fits --sigma 1", "cannot be used with"),
        ("galfit prepare a.fits -o fits --sigma -1", "--sigma must be positive"),
        ("galfit prepare a.fits -o fits --exposure 0", "--exposure must be positive"),
        ("galfit prepare a.fits -o fits --sky nan", "--sky and --zero-point must be numbers"),
        ("galfit prepare a.fits -o fits --size 3", "invalid value '3' for '--size"),
        ("galfit run", "<FOLDER>"),
        ("galfit run .", ". is no folder of fits: make one with `legato galfit prepare`"),
        ("galfit run . --time-limit 0", "--time-limit must be a positive number of seconds"),
        ("galfit run . --jobs 0", "it must be at least 1"),
        ("galfit read fits", "--output <OUTPUT>"),
        ("galfit read . -o out.fits", ".: no FITS file in this folder"),
        ("benchmark galfit -n 0", "it must be at least 1"),
        ("benchmark galfit --time-limit -3", "--time-limit"),
    ] {
        let answer = place.legato(arguments).fails(2, &[words]);
        assert_eq!(answer.out, "", "{arguments}");
    }
}

#[test]
fn inputs_that_cannot_be_used_say_why_and_leave_nothing() {
    let place = Place::new();
    place.legato("simulate --survey survey.toml -n 2 -o set.fits").well();
    place.legato("simulate --survey survey.toml -n 3 -o three.fits").well();
    for (arguments, words) in [
        ("galfit prepare absent.fits -o fits", "absent.fits: cannot read"),
        ("galfit prepare survey.toml -o fits", "survey.toml: not a readable FITS file"),
        ("galfit prepare set.fits --psf absent.fits -o fits", "absent.fits: cannot read"),
        ("galfit prepare set.fits -o survey.toml", "survey.toml"),
        ("galfit read set.fits -o out.fits", "set.fits: no GALFIT model in this file"),
        ("galfit read survey.toml -o out.fits", "nothing of the input could be read"),
        ("galfit read set.fits -o network.toml", "is there already and no catalogue of legato's"),
    ] {
        place.legato(arguments).fails(1, &[words]);
        assert!(!place.path("fits").exists() && !place.path("out.fits").exists(), "{arguments}");
    }
    let counts = "galfit prepare set.fits --rms three.fits -o fits";
    place.legato(counts).fails(2, &["--rms gives 3 images for 2: one for each is needed"]);
}

#[test]
fn without_the_program_one_is_told_where_to_get_it() {
    let place = Place::new();
    place.legato("simulate --survey survey.toml -n 2 -o set.fits").well();
    let prepared = place.legato("galfit prepare set.fits --survey survey.toml -o fits").well();
    assert!(prepared.err.contains("fits: 2 fits prepared; next: legato galfit run fits"), "{prepared:?}");
    let again = place.legato("galfit prepare set.fits --survey survey.toml -o fits").well();
    assert!(again.err.contains("0 fits prepared, 2 were there already"), "{again:?}");
    let mut command = place.command(&["galfit", "run", "fits"]);
    let how = ["there is no `galfit` on the PATH", "https://users.obs.carnegiescience.edu", "--binary"];
    place.run(command.env("PATH", place.folder())).fails(1, &how);
    place
        .legato("galfit run fits --binary survey.toml")
        .fails(1, &["survey.toml is not a program that can be run"]);
    place.legato("galfit run fits --binary absent").fails(1, &["absent is not a program that can be run"]);
    let missing = place.legato("benchmark galfit -n 2 --binary absent");
    missing.fails(1, &["absent is not a program that can be run"]);
    // Every object has its row all the same.
    let read = place.legato("galfit read fits -o out.csv -v").well();
    assert!(read.err.contains("2 galaxies, 2 of them no measurement"), "{read:?}");
    assert!(read.err.contains("GALFIT has not been run over it"), "{read:?}");
    assert_eq!(place.read("out.csv").lines().count(), 3);
}

/// A program that writes no block but for the first object, of which it copies one.
#[cfg(unix)]
fn stand_in(place: &Place) {
    use std::os::unix::fs::PermissionsExt;
    let script = "#!/bin/sh\ngrep -q '^A) image.fits' \"$1\" || exit 9\ntest -f image.fits -a -f sigma.fits || exit 8\n\
                  test -f ../../psf.fits -a -f ../../constraints.txt || exit 7\necho 'GALFIT stands in here'\nexit 1\n";
    std::fs::write(place.path("galfit"), script).unwrap();
    std::fs::set_permissions(place.path("galfit"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_program_that_fails_is_told_of_and_the_run_ends_well() {
    let place = Place::new();
    stand_in(&place);
    place.legato("simulate --survey survey.toml -n 3 -o set.fits").well();
    place.legato("galfit prepare set.fits --survey survey.toml -o fits").well();
    let on_the_path = format!("{}:/bin:/usr/bin", place.folder().display());
    let mut command = place.command(&["galfit", "run", "fits", "--jobs", "2"]);
    let ran = place.run(command.env("PATH", &on_the_path)).well();
    assert!(ran.err.contains("0 fits done, 3 without an answer"), "{ran:?}");
    let reason = "000002: no output block: it ended with status 1; its last words: GALFIT stands in here";
    assert!(ran.err.contains(reason), "{ran:?}");
    let ran = place.legato("galfit run fits --binary galfit").well();
    assert!(ran.err.contains("0 fits done, 3 were done before, 0 without an answer"), "{ran:?}");
    let ran = place.legato("galfit run fits --binary ./galfit --again").well();
    assert!(ran.err.contains("0 fits done, 3 without an answer"), "{ran:?}");
    let read = place.legato("galfit read fits -o galfit.ecsv").well();
    assert!(read.err.contains("3 galaxies, 3 of them no measurement"), "{read:?}");
    assert!(place.read("galfit.ecsv").contains("its last words: GALFIT stands in here"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_stops_at_once_and_goes_on_later() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let place = Place::new();
    stand_in(&place);
    let script = place.read("galfit").replace("exit 1", "touch ../../started; sleep 60");
    std::fs::write(place.path("galfit"), script).unwrap();
    place.legato("simulate --survey survey.toml -n 2 -o set.fits").well();
    place.legato("galfit prepare set.fits --survey survey.toml -o fits").well();
    let mut command = place.command(&["galfit", "run", "fits", "--binary", "galfit"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !place.path("fits/started").exists() {
        assert!(started.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(crate::support::hidden(place.folder()).is_empty());
    stand_in(&place);
    let ran = place.legato("galfit run fits --binary galfit").well();
    assert!(ran.err.contains("0 fits done, 2 without an answer"), "{ran:?}");
}
