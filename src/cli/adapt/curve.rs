//! The curve of adaptation, as a figure and as numbers.

use super::adaptation::{Curve, Scores, Step};
use crate::Result;
use crate::legato::Parameter;
use crate::report::{Figure, Series, Style, Table, adaptation_curve, names, number};

/// The figure of a parameter's curve, as the paper's Figure 6.
pub fn curve_figure(parameter: Parameter, curve: &Curve) -> Result<Figure> {
    let of = |scores: &Scores| scores.get(&parameter).copied().unwrap_or(f64::NAN);
    let series = |label: &str, points: Vec<(f64, f64)>, style| Series {
        label: label.into(),
        points,
        errors: None,
        style,
    };
    let line = |pick: fn(&Step) -> &Scores| {
        let points = curve.steps.iter().map(|step| (step.galaxies as f64, of(pick(step))));
        points.collect::<Vec<_>>()
    };
    let before = (0.0, of(&curve.before));
    adaptation_curve(
        &format!("adaptation-{parameter}"),
        "R² on galaxies never learned from, against the number of labelled galaxies (a fifth of them for validation). \
         The star is the network before it was adapted. In the paper's Figure 6 as here, both curves saw the same \
         galaxies.",
        names::title(parameter),
        &[
            series("adapted", [vec![before], line(|s| &s.adapted)].concat(), Style::Line),
            series("from scratch", line(|s| &s.scratch), Style::Line),
            series("before", vec![before], Style::Star),
        ],
    )
}

/// The numbers of a curve.
pub fn curve_table(parameter: Parameter, curve: &Curve) -> Table {
    let of = |scores: &Scores| scores.get(&parameter).copied().unwrap_or(f64::NAN);
    let row = |galaxies: usize, adapted, scratch| {
        vec![galaxies.to_string(), number::fixed(adapted, 4), number::fixed(scratch, 4)]
    };
    let mut rows = vec![row(0, of(&curve.before), f64::NAN)];
    rows.extend(curve.steps.iter().map(|s| row(s.galaxies, of(&s.adapted), of(&s.scratch))));
    Table {
        name: format!("adaptation-{parameter}"),
        caption: format!("R² of the {parameter} on galaxies never learned from."),
        columns: ["labelled galaxies", "adapted", "from scratch"].map(String::from).to_vec(),
        rows,
    }
}
