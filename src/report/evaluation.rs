//! The page of an evaluation, of parts that other pages can be composed of too.

use super::number::{fixed, percent, signed};
use super::{Page, Table, error_boxes, names, noise_curves, paper, truth_scatter};
use crate::Result;
use crate::legato::{Comparison, Estimates, Split};
use crate::sky::Truth;

/// What was evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Evaluated<'a> {
    /// The truth about each galaxy.
    pub truths: &'a [Truth],
    /// Each one's signal-to-noise ratio; NaN where unknown.
    pub snr: &'a [f64],
    /// What each method says of them; the first one's is the one evaluated.
    pub estimates: &'a [Estimates],
}

/// Adds to a page the agreement of every method with the truth: a table, estimates against the truth, errors by magnitude,
/// by companions where they are known, and by signal-to-noise ratio where it is.
///
/// # Errors
/// [`crate::Error::Io`] where a figure cannot be drawn.
pub fn add_evaluation(page: &mut Page, evaluated: &Evaluated) -> Result<()> {
    let comparisons = Comparison::all(evaluated.truths, evaluated.estimates);
    let agreement = beside_the_paper(
        statistics_table(
            "agreement",
            "Agreement with the truth. The last three columns are R² of the paper's Table 2, for reference only: they are for \
         the paper's own 5,000 simulated galaxies.",
            &comparisons,
        ),
        &comparisons,
    );
    page.heading("Agreement").text(MEANING).table(agreement);
    page.figure(truth_scatter("truth", TRUTH, &comparisons)?);

    page.heading("By magnitude");
    let split = Split::by_magnitude(evaluated.truths);
    page.figure(error_boxes(
        "error-by-magnitude",
        &format!("Error against true magnitude. {BOXES}"),
        &comparisons,
        &split,
    )?);

    if let Some(split) = Split::by_companion(evaluated.truths) {
        page.heading("By companions");
        let caption = format!("Error against the flux of the brightest companion on the stamp. {BOXES}");
        page.figure(error_boxes("error-by-companion", &caption, &comparisons, &split)?);
    }
    page.heading("By signal-to-noise ratio");
    if evaluated.snr.iter().any(|snr| snr.is_finite()) {
        page.figure(noise_curves("error-by-snr", NOISE, &comparisons, evaluated.snr)?);
    } else {
        page.text("The data set does not say what the noise of its sky is, so the ratio is not known.");
    }
    Ok(())
}

const MEANING: &str = "R² = 1 − Σ(y − f)² / Σ(y − ȳ)² of true values y and estimates f. Bias is the median of f − y. \
    Scatter is σ_NMAD, 1.4826 times the median absolute deviation of f − y from the bias, which few wild estimates \
    cannot change. Outliers are further than 5 σ_NMAD from the bias. Where several methods are compared, only galaxies \
    that all of them measured count. A dash stands for what cannot be told.";
const TRUTH: &str = "Estimates against the truth; on the dashed line they are equal. Where galaxies are many, darker \
    cells hold more of them. Estimates beyond a frame stand on its edge, in orange.";
const BOXES: &str = "Boxes go from the first to the third quartile of estimate − truth, with the median across; \
    whiskers end at the last value within 1.5 times that range; dots are beyond. The numbers above are galaxies.";
const NOISE: &str = "Scatter (σ_NMAD) and bias (median error) against the expected signal-to-noise ratio: half of the \
    galaxy's light over the noise of the sky in its half-light ellipse. Each point stands for as many galaxies.";

/// Agreement of every method for every parameter.
pub fn statistics_table(name: &str, caption: &str, comparisons: &[Comparison]) -> Table {
    let columns = ["parameter", "method", "galaxies", "R²", "bias", "scatter", "outliers"];
    let row = |comparison: &Comparison, method: usize| {
        let s = comparison.statistics(method);
        vec![
            names::row(comparison.parameter),
            comparison.methods[method].0.clone(),
            s.count.to_string(),
            fixed(s.r2, 4),
            signed(s.bias, 4),
            fixed(s.scatter, 4),
            percent(s.outliers),
        ]
    };
    let rows = comparisons.iter().flat_map(|c| (0..c.methods.len()).map(move |m| row(c, m))).collect();
    Table {
        name: name.to_owned(),
        caption: caption.to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    }
}

/// A [`statistics_table`] with the paper's R² of simulated galaxies.
fn beside_the_paper(mut table: Table, comparisons: &[Comparison]) -> Table {
    table.columns.extend(["paper, Arch. 1", "paper, Arch. 2", "paper, GALFIT"].map(str::to_owned));
    let parameters = comparisons.iter().flat_map(|c| c.methods.iter().map(|_| c.parameter));
    for (row, parameter) in table.rows.iter_mut().zip(parameters) {
        let theirs = paper::simulated(parameter);
        row.extend([theirs.architecture_1, theirs.architecture_2, theirs.galfit].map(|r2| fixed(r2, 3)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legato::Parameter;
    use crate::report::Block;
    use std::collections::BTreeMap;

    fn of(evaluated: &Evaluated) -> Page {
        let mut page = Page::new("t");
        add_evaluation(&mut page, evaluated).unwrap();
        page
    }

    /// Galaxies whose estimates are a little off, every tenth of them not measured.
    fn page(count: usize, methods: usize, crowded: bool) -> Page {
        let unit = |i: usize, k: usize| ((i * k + 3) % 97) as f64 / 97.0;
        let truth = |i: usize| Truth {
            mag: 16.0 + 7.0 * unit(i, 31),
            re_maj: 2.0 + 20.0 * unit(i, 17),
            n: 1.0 + unit(i, 13),
            q: 0.2 + 0.6 * unit(i, 7),
            companions: crowded.then_some(1),
            companion_ratio: crowded.then_some(unit(i, 5)),
            ..Truth::default()
        };
        let truths: Vec<Truth> = (0..count).map(truth).collect();
        let estimates: Vec<Estimates> = (0..methods)
            .map(|m| {
                let value = |p: Parameter, i: usize| {
                    let wild = if i == 5 { 1e3 } else { 0.0 };
                    (i % 10 != 9).then(|| p.of(&truths[i]) + 0.1 * unit(i, 3 + m) + wild)
                };
                let column = |p: Parameter| (p, (0..count).map(|i| value(p, i)).collect());
                let values: BTreeMap<_, _> = Parameter::ALL.into_iter().map(column).collect();
                Estimates { label: format!("method <{m}>"), values }
            })
            .collect();
        let snr: Vec<f64> = (0..count).map(|i| 1.0 + 50.0 * unit(i, 29)).collect();
        of(&Evaluated { truths: &truths, snr: &snr, estimates: &estimates })
    }

    #[test]
    fn a_page_is_made_of_any_number_of_galaxies_and_methods() {
        for (count, methods) in [(0, 0), (0, 1), (1, 1), (2, 2), (60, 3), (1600, 1)] {
            let page = page(count, methods, count > 0);
            let html = page.html();
            assert!(!html.contains("NaN") && !html.contains("inf\""), "{count} galaxies, {methods} methods");
            assert!(!html.contains("method <0>"));
            let figures = page.blocks.iter().filter(|b| matches!(b, Block::Figure(_))).count();
            assert_eq!(figures, if count > 0 { 4 } else { 2 }, "{count} galaxies, {methods} methods");
        }
    }

    #[test]
    fn methods_may_measure_different_parameters() {
        let truths = [20.0, 21.0].map(|mag| Truth { mag, n: 2.0, ..Truth::default() });
        let estimates = |label: &str, parameter, values: [f64; 2]| Estimates {
            label: label.into(),
            values: BTreeMap::from([(parameter, values.map(Some).to_vec())]),
        };
        let both = [
            estimates("one", Parameter::Magnitude, [20.1, 21.1]),
            estimates("two", Parameter::SersicIndex, [2.5, 1.5]),
        ];
        let html = of(&Evaluated { truths: &truths, snr: &[10.0, 20.0], estimates: &both }).html();
        assert!(html.contains("Magnitude, one: R² 0.9600") && html.contains("Sérsic index, two: R² –"));
        assert!(html.contains("scatter, one") && html.contains("scatter, two"));
    }

    #[test]
    fn what_is_not_known_has_no_figure() {
        let alone = page(60, 1, false).html();
        assert!(!alone.contains("By companions") && alone.contains("By signal-to-noise ratio"));
    }

    #[test]
    fn the_table_has_the_papers_numbers_beside_ours() {
        let page = page(60, 2, false);
        let Some(Block::Table(table)) = page.blocks.iter().find(|b| matches!(b, Block::Table(_))) else {
            panic!("no table")
        };
        assert_eq!(
            (table.rows.len(), &*table.rows[0][0], &*table.rows[1][1]),
            (8, "Magnitude (mag)", "method <1>")
        );
        assert_eq!(
            (&*table.rows[0][2], &table.rows[0][7..]),
            ("54", &["0.961", "0.997", "0.983"].map(str::to_owned)[..])
        );
    }
}
