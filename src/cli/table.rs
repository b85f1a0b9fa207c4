//! Tables for people: columns as wide as they need to be, numbers to the right.

use crate::report::Table;

/// Lays out rows under a heading; the first column stands left, the others right.
pub fn lay_out(heading: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |i: usize| rows.iter().map(move |r| r.get(i).map_or(0, |c| c.chars().count()));
    let widths: Vec<usize> =
        heading.iter().enumerate().map(|(i, h)| cells(i).max().unwrap_or(0).max(h.chars().count())).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(i, (cell, &width))| {
                    if i == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(heading.to_vec())];
    lines.push(widths.iter().map(|&w| "─".repeat(w)).collect::<Vec<_>>().join("  "));
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// A report's table, for a terminal.
pub fn of_report(table: &Table) -> String {
    let heading: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    lay_out(&heading, &table.rows)
}

#[cfg(test)]
mod tests {
    use super::lay_out;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["é".into(), "1.25".into()], vec!["long".into(), "3".into()]];
        assert_eq!(lay_out(&["a", "b"], &rows), "a        b\n────  ────\né     1.25\nlong     3");
    }
}
