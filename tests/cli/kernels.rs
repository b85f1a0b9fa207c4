//! Kernels on the command line: their benchmark and their tuning.

use crate::support::Place;

#[test]
fn the_benchmark_times_every_rung_and_draws_the_roof() {
    let place = Place::new();
    let answer = place.legato("benchmark kernels --quick -o out").well();
    for words in
        ["peak: ", " GFLOP/s", "naive", "vectors", "register-tile", "workgroup-tile", "* ", "of roof"]
    {
        assert!(answer.out.contains(words), "{words}: {}", answer.out);
    }
    let csv = place.read("out/kernels.csv");
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("layer,pass,rung,chosen,seconds,"), "{csv}");
    let rungs = lines.clone().count();
    // Two layers, three passes, four rungs that need no subgroups.
    assert!(rungs >= 24, "{csv}");
    for line in lines {
        let share: f64 = line.split(',').nth(11).unwrap().parse().unwrap();
        assert!(share > 0.0, "{line}");
    }
    assert_eq!(csv.lines().filter(|line| line.split(',').nth(3) == Some("true")).count(), 6, "{csv}");
    assert!(place.read("out/roofline.svg").starts_with("<svg "));
    assert!(answer.err.contains("written: out/kernels.csv"), "{}", answer.err);
}

#[test]
fn a_benchmark_that_cannot_be_written_fails_before_it_begins() {
    let place = Place::new();
    place.legato("benchmark kernels --quick -o survey.toml").fails(1, &["survey.toml", "it is a file"]);
    place.legato("benchmark").fails(2, &["Usage: legato benchmark"]);
    place.legato("benchmark kernels --quick --batch 3").fails(2, &["cannot be used with"]);
}

#[test]
fn a_tuning_is_stored_used_and_passed_over_when_damaged() {
    let place = Place::new();
    let before = place.legato("devices").well().out;
    assert!(before.contains("kernels by default") && before.contains("conv 3×3 64→64"), "{before}");
    let tuned = place.legato("devices --tune --quick").well();
    assert!(tuned.out.contains("kernels by default") && tuned.err.contains("stored in "), "{tuned:?}");
    let files: Vec<_> = std::fs::read_dir(place.path("tuning")).unwrap().map(|e| e.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(text.matches("[[kernels]]").count(), 6, "{text}");
    assert!(place.legato("devices").well().out.contains("kernels as tuned in "));

    std::fs::write(file, &text[..text.len() / 2]).unwrap();
    assert!(place.legato("devices").well().out.contains("the kernels are chosen by default"));
    std::fs::write(file, text.replace(env!("CARGO_PKG_VERSION"), "0.0.0")).unwrap();
    assert!(place.legato("devices").well().out.contains("kernels by default"));

    let mut without = place.command(&["devices", "--tune", "--quick"]);
    place.run(without.env("LEGATO_TUNING", "")).fails(2, &["set LEGATO_TUNING"]);
    place.legato("devices --quick").fails(2, &["--tune"]);
}
