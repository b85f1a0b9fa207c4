//! `legato train --simulate`: galaxies drawn while a network learns.

use crate::support::{Place, SURVEY, trained};

const TRAIN: &str = "train --parameter magnitude --simulate survey.toml --network network.toml --stamps-per-epoch 50 \
                     --validation 21 --batch 16 --epochs 3 --warm-up 1";

#[test]
fn a_run_needs_no_data_set_and_ends_alike_on_any_number_of_threads_and_when_resumed() {
    let place = Place::new();
    let one = place.legato(&format!("{TRAIN} --threads 1 -o one")).well();
    let words = "learning the magnitude from galaxies of tiny that 1 thread draws meanwhile, 50 new ones an epoch, 21 \
                 held out; 3 steps of 16 an epoch, at most 3 epochs";
    assert!(one.err.contains(words), "{}", one.err);
    assert!(one.err.contains("drawing 21 galaxies of tiny to hold out"), "{}", one.err);
    let three = place.legato(&format!("{TRAIN} --threads 3 --stop-after 2 -o three")).well();
    assert!(three.err.contains("that 3 threads draw meanwhile"), "{}", three.err);
    // What the run began with is kept with it, the seed included.
    let resumed = place.legato("train --simulate survey.toml --resume --seed 7 -o three").well();
    assert!(resumed.err.contains("50 new ones an epoch, 21 held out"), "{}", resumed.err);
    let bytes = |run: &str| std::fs::read(place.path(run).join("weights.safetensors")).unwrap();
    assert!(bytes("one") == bytes("three"));
    place.legato(&format!("{TRAIN} --seed 2 -o other")).well();
    assert!(bytes("one") != bytes("other"));
    assert!(String::from_utf8_lossy(&bytes("one")).contains("simulated: tiny"));
    place.legato("simulate --survey survey.toml -n 20 -o s.fits").well();
    place.legato("fit s.fits --models one -o out.csv").well();
}

#[test]
fn the_gpu_is_said_to_wait_once_an_epoch_at_most_and_how_to_help_once() {
    let place = Place::new();
    let answer = place.legato(&format!("{TRAIN} --threads 1 -o run")).well();
    let told = answer.err.matches("% of the time for stamps: ").count();
    assert!(told <= 3, "{}", answer.err);
    assert_eq!(answer.err.matches("give more --threads, or make a data set once").count(), told.min(1));
    let quiet = place.legato(&format!("-q {TRAIN} --threads 1 -o quiet")).well();
    assert_eq!(quiet.err, "");
}

#[test]
fn what_contradicts_drawing_galaxies_is_wrong_usage() {
    let place = Place::new();
    let train = "train --parameter magnitude -o run";
    for (more, words) in [
        ("--data a.fits --simulate candels-f160w", "cannot be used with '--"),
        ("--survey survey.toml --simulate candels-f160w", "cannot be used with '--simulate <SURVEY>'"),
        ("--data a.fits --stamps-per-epoch 100", "cannot be used with"),
        ("--data a.fits --validation 100", "cannot be used with"),
        ("--data a.fits --threads 1", "cannot be used with"),
        ("--simulate survey.toml --validation 0", "it must be at least 1"),
        ("--simulate survey.toml --stamps-per-epoch 0", "it must be at least 1"),
        ("--simulate survey.toml --threads 0", "0 is not in 1..=1024"),
        ("--simulate euclid", "no survey 'euclid'"),
        ("", "what to learn from is needed"),
    ] {
        place.legato(&format!("{train} {more}")).fails(2, &[words]);
    }
    let resume = "train --simulate survey.toml --resume --validation 5 -o run";
    place.legato(resume).fails(2, &["'--resume' cannot be used with '--validation <N>'"]);
    place
        .legato("train --resume -o run")
        .fails(2, &["to go on with a run: --data FILE or --simulate SURVEY"]);
    assert!(!place.path("run").exists());
    let shown = place.legato("train --parameter radius --simulate survey.toml --show").well();
    assert!(shown.out.contains("input 16×16×1"), "{}", shown.out);
}

#[test]
fn a_run_goes_on_with_what_it_began_with() {
    let place = trained();
    place.legato(&format!("{TRAIN} --stop-after 1 -o drawn")).well();
    let set = place.legato("train --data train.fits --resume -o drawn");
    set.fails(1, &["drawn: began with galaxies drawn as it learned (simulated: tiny): go on by --simulate"]);
    let drawn = place.legato("train --simulate survey.toml --resume -o runs/radius");
    drawn.fails(1, &["runs/radius: began with the data set train.fits: go on with it by --data"]);
    let nothing = place.legato("train --simulate survey.toml --resume -o runs/none");
    nothing.fails(1, &["runs/none: has no checkpoint to resume from: start without --resume"]);
    std::fs::write(place.path("survey.toml"), SURVEY.replacen("max = 22.0", "max = 22.5", 1)).unwrap();
    let fainter = place.legato("train --simulate survey.toml --resume -o drawn");
    fainter.fails(1, &["drawn: began with galaxies of another survey or another version of it"]);
    let again = place.legato(&format!("{TRAIN} -o drawn"));
    again.fails(2, &["drawn holds a training run: go on with it by --resume"]);
}
