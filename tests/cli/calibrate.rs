//! Errors: found on simulations, kept with the networks, and used by an evaluation.

use crate::support::trained;
use serde_json::Value;

#[test]
fn a_calibration_is_kept_with_the_networks_and_gives_an_evaluation_errors() {
    let place = trained();
    let before = place.legato("evaluate --data train.fits --models runs -o before").well();
    assert!(
        before.err.contains("errors were never calibrated")
            && !place.read("before/index.html").contains("68%")
    );

    let calibrate = "calibrate --models runs --survey survey.toml -n 200 --repeats 2 --batch 40";
    let answer = place.legato(calibrate).well();
    assert!(answer.out.starts_with("magnitude") && answer.out.contains("RE_MAJ −/+"), "{}", answer.out);
    for parameter in ["magnitude", "radius"] {
        let said = format!("runs/{parameter}/weights.safetensors: calibrated on 200 galaxies");
        assert!(answer.err.contains(&said), "{}", answer.err);
    }
    let bytes = || std::fs::read(place.path("runs/radius/weights.safetensors")).unwrap();
    let first = bytes();
    place.legato(calibrate).well();
    assert!(bytes() == first, "the same calibration gave another file");

    let answer = place.legato("evaluate --data train.fits --models runs --repeats 2 -o report").well();
    assert!(!answer.err.contains("never calibrated") && answer.out.contains("galaxies"), "{}", answer.out);
    assert!(place.read("report/predictions.csv").starts_with(
        "ID,MAG_TRUE,MAG,MAG_ERR_LO,MAG_ERR_HI,RE_MAJ_TRUE,RE_MAJ,RE_MAJ_ERR_LO,RE_MAJ_ERR_HI,DISAGREEMENT\n"
    ));
    let results: Value = serde_json::from_str(&place.read("report/results.json")).unwrap();
    let coverage = &results["radius"]["coverage"];
    assert_eq!(
        (&coverage["all"]["count"], coverage["curve"].as_array().map(Vec::len)),
        (&60.into(), Some(18))
    );
    assert!(place.read("report/figures/coverage.svg").starts_with("<svg "));
    assert_eq!(place.read("report/tables/coverage.csv").lines().count(), 6);
}

#[test]
fn what_cannot_be_calibrated_is_refused_before_anything_is_measured() {
    let place = trained();
    let refusals = [
        ("--repeats 0", 2, "errors come from repeated measurements"),
        ("-n 199 --survey survey.toml", 2, "199 galaxies are too few to calibrate errors on"),
        ("", 2, "which is not built in: give its --survey"),
    ];
    for (arguments, code, words) in refusals {
        place.legato(&format!("calibrate --models runs {arguments}")).fails(code, &[words]);
    }
}
