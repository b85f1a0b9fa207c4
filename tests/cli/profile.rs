//! `--profile`: the tables and files, and that measuring changes nothing.

use crate::support::{Answer, Place, trained};
use serde_json::Value;

const FOLDER: &str = "measured/here";

/// The rows of a CSV file of the profile, without the heading.
fn rows(place: &Place, name: &str) -> Vec<Vec<String>> {
    let text = place.read(&format!("{FOLDER}/{name}"));
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Checks what every profile must hold on a device with timestamps, as all that the tests run on have; returns the
/// names of its kernels.
fn check(place: &Place, answer: &Answer) -> Vec<String> {
    assert!(!answer.out.contains("no timestamp queries"), "{}", answer.out);
    let kernels = rows(place, "profile.csv");
    let numbers = |column: usize| kernels.iter().map(move |row| row[column].parse::<f64>().unwrap());
    for inference in [true, false] {
        let of = kernels.iter().filter(|row| (row[1] == "inference") == inference);
        let shares: Vec<f64> = of.map(|row| row[5].parse().unwrap()).collect();
        let sum: f64 = shares.iter().sum();
        assert!(shares.is_empty() || (sum - 1.0).abs() < 1e-6, "the shares add up to {sum}");
    }
    assert!(numbers(3).chain(numbers(7)).all(|n| n > 0.0), "every kernel was called and bound something");
    for row in kernels.iter().filter(|row| row[0].starts_with("conv2d") && row[0] != "conv2d_flip") {
        assert!(row[6].parse::<u64>().unwrap() > 0, "no operations: {row:?}");
    }
    let mut processor = 0.0;
    for step in rows(place, "steps.csv") {
        let times: Vec<f64> = step[2..].iter().map(|ms| ms.parse().unwrap()).collect();
        let host: f64 = times[2..7].iter().sum();
        assert!(times[1] > 0.0 && host <= times[0] + 1e-3, "{step:?}");
        // A clock of its own.
        assert!(times.len() == 8 && times[7] <= times[0] + 1.0, "{step:?}");
        processor += times[7];
    }
    assert!(processor > 0.0, "no step had a core");
    trace(place);
    for (heading, inference) in [("KERNEL ", false), ("INFERENCE ", true)] {
        let mut lines = answer.out.lines().skip_while(|line| !line.starts_with(heading));
        let columns: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().skip(1).collect();
        let table: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        let of: Vec<_> = kernels.iter().filter(|row| (row[1] == "inference") == inference).collect();
        assert_eq!(of.is_empty(), table.is_empty(), "{heading}: {}", answer.out);
        let due = ["CALLS", "TIME", "ms", "SHARE", "%", "GFLOP", "GB", "GFLOP/s", "GB/s"];
        assert!(of.is_empty() || columns == due, "{columns:?}");
        for name in of.into_iter().map(|row| format!("{} ", row[0])) {
            assert!(table.iter().any(|line| line.starts_with(&name)), "{name}: {}", answer.out);
        }
    }
    assert!(answer.out.contains("CPU %"), "{}", answer.out);
    kernels.into_iter().map(|row| row[0].clone()).collect()
}

/// Checks that the trace is one: host events nest, kernels come one after the other with their shapes.
fn trace(place: &Place) {
    let trace: Value = serde_json::from_str(&place.read(&format!("{FOLDER}/trace.json"))).unwrap();
    let track = |tid: u64| {
        let events = trace["traceEvents"].as_array().unwrap().iter();
        let whole: Vec<&Value> = events.filter(|e| e["ph"] == "X" && e["tid"] == tid).collect();
        whole.into_iter().map(|e| (e, e["ts"].as_f64().unwrap(), e["dur"].as_f64().unwrap()))
    };
    // A thousandth of the format's microseconds: what is kept of them.
    const ROUNDING: f64 = 1e-3;
    let mut open: Vec<f64> = Vec::new();
    let mut works = Vec::new();
    let mut last = 0.0;
    for (event, begin, length) in track(1) {
        assert!(begin >= last && length >= 0.0, "{event}");
        last = begin;
        open.retain(|&end| end > begin + ROUNDING);
        assert!(
            open.iter().all(|&end| begin + length <= end + ROUNDING),
            "{event} ends after what it began in"
        );
        open.push(begin + length);
        works.push(event["name"].as_str().unwrap().to_owned());
    }
    for work in ["recording", "uploading", "compiling", "submitting", "waiting"] {
        assert!(works.iter().any(|w| w == work), "no {work} in {works:?}");
    }
    let mut end = 0.0;
    for (event, begin, length) in track(2) {
        assert!(begin + ROUNDING >= end && length >= 0.0, "{event} begins before {end}");
        end = begin + length;
        assert!(event["args"]["shapes"].as_str().unwrap().starts_with('['), "{event}");
    }
    assert!(end > 0.0, "no kernel was traced");
}

#[test]
fn a_profiled_run_says_where_its_time_went_and_learns_the_same_bits() {
    let place = Place::new();
    place.legato("simulate --survey survey.toml -n 40 -o train.fits").well();
    let train = "train --parameter magnitude --data train.fits --survey survey.toml --network network.toml \
                 --epochs 2 --batch 8";
    let plain = place.legato(&format!("{train} -o plain")).well();
    assert!(plain.out.is_empty(), "{}", plain.out);
    let answer = place.legato(&format!("{train} -o profiled --profile {FOLDER}")).well();
    let names = check(&place, &answer);
    for kernel in ["conv2d_forward", "conv2d_weight_gradient", "dense_product", "adam"] {
        assert!(names.iter().any(|name| name.starts_with(kernel)), "no {kernel} in {names:?}");
    }
    let steps = rows(&place, "steps.csv");
    let of_kind = |kind: &str| steps.iter().filter(|row| row[1] == kind).count();
    // 36 stamps to learn from and 4 held out, twice.
    assert_eq!((of_kind("training"), of_kind("inference")), (8, 2));
    for file in
        ["weights.safetensors", "checkpoint/weights.safetensors", "checkpoint/adam-square.safetensors"]
    {
        let bytes = |run: &str| std::fs::read(place.path(&format!("{run}/{file}"))).unwrap();
        assert!(bytes("plain") == bytes("profiled"), "{file} differs");
    }
}

#[test]
fn a_profiled_fit_measures_the_same_galaxies() {
    let place = trained();
    place.legato("fit train.fits --models runs -o plain.csv").well();
    let answer = place.legato(&format!("fit train.fits --models runs -o out.csv --profile {FOLDER}")).well();
    let names = check(&place, &answer);
    assert!(names.iter().any(|name| name.starts_with("conv2d_forward")), "{names:?}");
    assert!(rows(&place, "profile.csv").iter().all(|row| row[1] == "inference"));
    assert_eq!(place.read("plain.csv"), place.read("out.csv"));
}

#[test]
fn a_profile_that_cannot_be_written_is_known_before_the_work() {
    let place = trained();
    std::fs::write(place.path("file"), "in the way").unwrap();
    let answer = place.legato("fit train.fits --models runs -o out.csv --profile file");
    answer.fails(1, &["file: cannot make this folder: it is a file"]);
    assert!(!place.path("out.csv").exists());
}
