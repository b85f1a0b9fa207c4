//! Evaluation: its figures on screen, its page and its files.

use crate::support::trained;
use serde_json::Value;

#[test]
fn an_evaluation_prints_its_figures_and_keeps_them() {
    let place = trained();
    let answer = place.legato("evaluate --data train.fits --models runs -o report").well();
    assert!(answer.out.starts_with("parameter  stamps"), "{}", answer.out);
    assert!(answer.out.contains("\nmagnitude") && answer.out.contains("\nradius"));
    assert!(answer.err.contains("report: results.json, predictions.csv, index.html"));
    let results: serde_json::Value = serde_json::from_str(&place.read("report/results.json")).unwrap();
    assert_eq!(results["magnitude"]["count"], 60);
    let predictions = place.read("report/predictions.csv");
    assert!(predictions.starts_with("ID,MAG_TRUE,MAG,RE_MAJ_TRUE,RE_MAJ\n"));
    assert_eq!(predictions.lines().count(), 61);
}

#[test]
fn an_evaluation_leaves_a_page_with_its_figures_and_tables() {
    let place = trained();
    for _ in 0..2 {
        place.legato("evaluate --data train.fits --models runs -o report").well();
    }
    let page = place.read("report/index.html");
    assert!(page.contains("60 stamps of tiny (train.fits), measured by the networks of runs."));
    assert!(!page.contains("NaN") && !page.contains("<script") && !page.contains("src="));
    assert!(page.contains("paper, Arch. 1") && page.contains("0.961"));
    // Nothing is known of companions.
    assert!(!page.contains("error-by-companion"));
    for name in ["truth", "error-by-magnitude", "error-by-snr"] {
        assert!(page.contains(&format!("figures/{name}.svg")));
        assert!(place.read(&format!("report/figures/{name}.svg")).starts_with("<svg "));
        assert!(place.read(&format!("report/figures/{name}.csv")).starts_with("parameter,method,"));
        let png = std::fs::read(place.path(&format!("report/figures/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }
    assert_eq!(place.read("report/tables/agreement.csv").lines().count(), 3);

    let results: Value = serde_json::from_str(&place.read("report/results.json")).unwrap();
    let groups = |key: &str| results["radius"][key].as_array().unwrap().clone();
    let counted = |key: &str| groups(key).iter().map(|part| part["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((counted("by_magnitude"), counted("by_signal_to_noise")), (60, 60));
    assert_eq!(groups("by_magnitude").len(), 4);
    assert!(groups("by_magnitude")[0]["errors"]["upper_quartile"].is_number());
    assert!(results["radius"].get("by_companion").is_none() && results["radius"].get("compared").is_none());
}

#[test]
fn galaxies_with_companions_are_told_apart() {
    let place = trained();
    let crowd = "[companions]\nmean = 2.0\nnone = 0.2\nstars = 0.1\n\
                 flux_ratio = { min = 0.02, max = 10.0, slope = 0.8 }\n\
                 radius = { magnitude = 22.0, median = 3.0, slope = -0.09, scatter = 0.2 }\n\
                 sersic_index = { min = 0.5, max = 4.0 }\naxis_ratio = { min = 0.2, max = 1.0 }\n";
    let survey = place.read("survey.toml") + crowd;
    std::fs::write(place.path("crowded.toml"), survey).unwrap();
    place.legato("simulate --survey crowded.toml -n 40 -o crowded.fits").well();
    place.legato("evaluate --data crowded.fits --models runs -o report").well();
    assert!(place.read("report/index.html").contains("figures/error-by-companion.png"));
    let results: Value = serde_json::from_str(&place.read("report/results.json")).unwrap();
    assert_eq!(results["magnitude"]["by_companion"].as_array().unwrap().len(), 4);
}

#[test]
fn another_catalogue_is_judged_on_the_same_galaxies() {
    let place = trained();
    // Of 60 galaxies, 30, in another order; one fit failed.
    let rows = (1..=30)
        .rev()
        .map(|id| format!("{id},{},{}\n", 18.0 + 0.1 * f64::from(id), if id == 7 { 2 } else { 0 }));
    std::fs::write(place.path("other.csv"), "ID,MAG,F\n".to_owned() + &rows.collect::<String>()).unwrap();
    let evaluate = "evaluate --data train.fits --models runs --catalogue other.csv -o report";
    let answer = place.legato(&format!("{evaluate} --catalogue-name GALFIT")).well();
    assert!(
        answer.out.contains("\nmagnitude, GALFIT") && answer.out.contains("\nmagnitude, legato"),
        "{answer:#?}"
    );
    let results: Value = serde_json::from_str(&place.read("report/results.json")).unwrap();
    let magnitude = &results["magnitude"];
    assert_eq!(magnitude["count"], 60);
    let compared = |label: &str| magnitude["compared"][label]["count"].as_u64();
    assert_eq!((compared("legato"), compared("GALFIT")), (Some(29), Some(29)));
    assert!(results["radius"].get("compared").is_none());
    assert!(place.read("report/tables/agreement.csv").contains("GALFIT,29,"));
    assert!(place.read("report/index.html").contains("measured by the networks of runs, beside GALFIT."));

    place.legato(&format!("{evaluate} --catalogue-name legato")).fails(2, &["give another --catalogue-name"]);
    std::fs::write(place.path("other.csv"), "ID,MAG\nx1,20\n").unwrap();
    place.legato(evaluate).fails(1, &["other.csv: says nothing of any galaxy", "like 'x1'"]);
}
