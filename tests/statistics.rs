//! Statistics and box plots are those of NumPy, SciPy and Matplotlib: `tests/golden/make_statistics.py` made the numbers.

use legato::legato::{BoxSummary, Statistics, quantile};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

#[test]
fn they_agree_with_numpy_scipy_and_matplotlib() {
    let cases: Value = serde_json::from_str(include_str!("golden/statistics.json")).expect("golden numbers");
    let cases = cases.as_array().expect("a list");
    assert!(cases.len() > 10);
    for case in cases {
        let name = &case["name"];
        let close = |what: &str, got: f64, want: f64| {
            assert!(
                (got - want).abs() <= 1e-12 * want.abs().max(1e-3),
                "{name}, {what}: {got} is not {want}"
            );
        };
        let (truth, estimate) = (numbers(&case["truth"]), numbers(&case["estimate"]));
        let pairs: Vec<(f64, f64)> = truth.iter().copied().zip(estimate.iter().copied()).collect();
        let statistics = Statistics::of(&pairs);
        assert_eq!(statistics.count, truth.len());
        match case["r2"].as_f64() {
            Some(r2) => close("R²", statistics.r2, r2),
            None => assert!(statistics.r2.is_nan(), "{name}"),
        }
        for (key, got) in
            [("bias", statistics.bias), ("scatter", statistics.scatter), ("outliers", statistics.outliers)]
        {
            close(key, got, case[key].as_f64().expect("a number"));
        }
        let mut errors: Vec<f64> = pairs.iter().map(|(y, f)| f - y).collect();
        let b = BoxSummary::of(&errors).expect("a box");
        let five = [b.lower_whisker, b.lower_quartile, b.median, b.upper_quartile, b.upper_whisker];
        for (i, want) in numbers(&case["box"]).into_iter().enumerate() {
            close(&format!("number {i} of the box"), five[i], want);
        }
        let fliers = numbers(&case["fliers"]);
        assert_eq!(b.fliers.len(), fliers.len(), "{name}");
        fliers.into_iter().zip(&b.fliers).for_each(|(want, got)| close("flier", *got, want));
        errors.sort_by(f64::total_cmp);
        for (i, want) in numbers(&case["deciles"]).into_iter().enumerate() {
            close(&format!("decile {i}"), quantile(&errors, i as f64 / 10.0).expect("a value"), want);
        }
    }
}
