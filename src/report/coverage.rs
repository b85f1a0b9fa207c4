//! How many truths the errors of measured values hold.

use super::axis::Axis;
use super::curves::numbers;
use super::grid::Grid;
use super::number::{data, fixed};
use super::panel::Key;
use super::sketch::Ink;
use super::{Figure, Page, Table, names};
use crate::Result;
use crate::legato::{Coverage, CoverageByMagnitude};

const MEANING: &str = "An error is the distance from a value to an end of its 68% interval, in which 68.27% of truths \
    should lie. Other intervals are as much wider or narrower as a Gaussian's.";

/// Adds to a page how many truths the errors hold, where there are any: a table by magnitude, and the curve of found
/// against claimed shares.
///
/// # Errors
/// [`crate::Error::Io`] where the figure cannot be drawn.
pub fn add_coverage(page: &mut Page, coverages: &[CoverageByMagnitude]) -> Result<()> {
    if !coverages.is_empty() {
        page.heading("Errors").text(MEANING).table(coverage_table(coverages));
        page.figure(coverage_curves("coverage", coverages)?);
    }
    Ok(())
}

/// The share of truths in the 68% intervals of each parameter, and how many galaxies there are, by magnitude.
pub fn coverage_table(coverages: &[CoverageByMagnitude]) -> Table {
    let names = coverages.iter().map(|c| names::title(c.parameter).to_owned());
    let bins = coverages.first().map_or(&[][..], |c| &c.by_magnitude);
    let row = |name: &str, of: &dyn Fn(&CoverageByMagnitude) -> Coverage| {
        let count = coverages.first().map_or(0, |c| of(c).count);
        let shares = coverages.iter().map(|c| fixed(of(c).found, 3));
        [name.to_owned(), count.to_string()].into_iter().chain(shares).collect()
    };
    let mut rows: Vec<Vec<String>> =
        bins.iter().enumerate().map(|(bin, (name, _))| row(name, &|c| c.by_magnitude[bin].1)).collect();
    rows.push(row("all", &|c| c.all));
    Table {
        name: "coverage".to_owned(),
        caption: "The share of truths in the 68% intervals, by true magnitude.".to_owned(),
        columns: ["magnitude", "galaxies"].into_iter().map(str::to_owned).chain(names).collect(),
        rows,
    }
}

/// Found against claimed shares of truths in intervals, a panel a parameter; on the grey line they are equal. Bars
/// are the standard errors of counting.
fn coverage_curves(name: &str, coverages: &[CoverageByMagnitude]) -> Result<Figure> {
    let columns = if coverages.len() > 1 { 2 } else { 1 };
    let legend = vec![
        (Key::Disc(Ink::Series(0)), "found".to_owned()),
        (Key::Dashed(Ink::Muted), "as claimed".to_owned()),
    ];
    let grid = Grid { columns, frame: (300.0, 300.0), lines: 0, legend };
    let mut sketch = grid.sketch(coverages.len());
    let mut rows = Vec::new();
    for (i, coverage) in coverages.iter().enumerate() {
        let axis = |what: &str| Axis::between(&format!("{what} share of truths"), 0.0, 1.0);
        let panel = grid.panel(i, axis("claimed"), axis("found"));
        panel.frame(&mut sketch, names::title(coverage.parameter), 0);
        panel.line(&mut sketch, &[(0.0, 0.0), (1.0, 1.0)], Ink::Muted, true);
        for Coverage { claimed, count, found } in &coverage.curve {
            let error = (found * (1.0 - found) / *count as f64).sqrt();
            let bar = [(*claimed, found - error), (*claimed, found + error)];
            panel.line(&mut sketch, &bar, Ink::Series(0), false);
            let row = [*claimed, *count as f64, *found].map(data);
            rows.push([coverage.parameter.name().to_owned()].into_iter().chain(row).collect());
        }
        let points: Vec<(f64, f64)> = coverage.curve.iter().map(|c| (c.claimed, c.found)).collect();
        panel.discs(&mut sketch, &points, 3.0, Ink::Series(0), 1.0);
    }
    let columns = ["parameter", "claimed", "galaxies", "found"].map(str::to_owned);
    let caption = "How many truths lie in intervals, against how many should. Bars are the standard errors of counting.";
    sketch.figure(name, caption, Some(numbers(name, &columns, rows)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legato::Parameter;
    use crate::report::Block;

    fn coverage(parameter: Parameter) -> CoverageByMagnitude {
        let of = |claimed: f64| Coverage { claimed, count: 100, found: 0.9 * claimed };
        CoverageByMagnitude {
            parameter,
            all: of(Coverage::CLAIMED),
            by_magnitude: vec![
                ("16–17".to_owned(), of(Coverage::CLAIMED)),
                ("17–18".to_owned(), Coverage { claimed: 0.5, count: 0, found: f64::NAN }),
            ],
            curve: vec![of(0.1), of(0.5), Coverage { claimed: 0.95, count: 0, found: f64::NAN }],
        }
    }

    #[test]
    fn the_table_has_a_row_a_bin_and_one_of_all() {
        let table = coverage_table(&[coverage(Parameter::Magnitude), coverage(Parameter::AxisRatio)]);
        assert_eq!(table.columns, ["magnitude", "galaxies", "Magnitude", "Axis ratio"]);
        assert_eq!(table.rows[0], ["16–17", "100", "0.614", "0.614"]);
        assert_eq!(table.rows[1], ["17–18", "0", "–", "–"]);
        assert_eq!(table.rows[2][0], "all");
    }

    #[test]
    fn the_curve_is_drawn_of_any_number_of_parameters_and_a_page_without_errors_has_none() -> Result<()> {
        for count in [1, 2, 4] {
            let coverages: Vec<_> = Parameter::ALL[..count].iter().map(|&p| coverage(p)).collect();
            let figure = coverage_curves("coverage", &coverages)?;
            assert!(figure.svg.starts_with("<svg ") && !figure.svg.contains("NaN"));
            assert_eq!(figure.csv.map(|csv| csv.lines().count()), Some(1 + 3 * count));
        }
        let mut page = Page::new("t");
        add_coverage(&mut page, &[])?;
        assert!(page.blocks.is_empty());
        add_coverage(&mut page, &[coverage(Parameter::Radius)])?;
        assert!(page.blocks.iter().any(|block| matches!(block, Block::Figure(_))));
        Ok(())
    }
}
