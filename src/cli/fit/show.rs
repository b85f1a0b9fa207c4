//! What a measurement tells at its end.

use super::super::{Common, print, table, tell};
use super::Arguments;
use crate::fits::{Row, ZeroPoint};
use crate::legato::Measured;
use crate::{Error, Result};

/// Zero points that are told one by one.
const CALIBRATIONS_TOLD: usize = 4;

/// Says which zero points the images have, and what is doubtful about them.
pub(super) fn calibrations(calibrations: &[ZeroPoint], common: &Common) {
    for calibration in calibrations.iter().take(CALIBRATIONS_TOLD) {
        common.say(&calibration.line);
        if let Some(warning) = &calibration.warning {
            common.say(format!("warning: {warning}"));
        }
    }
    if let more @ 1.. = calibrations.len().saturating_sub(CALIBRATIONS_TOLD) {
        common.say(format!("… and {more} other zero points"));
    }
}

/// Prints what was measured and what could not be.
pub(super) fn report(measured: &Measured, arguments: &Arguments, common: &Common) -> Result<()> {
    let partial = arguments.shard().is_partial();
    let (count, failures) = (measured.rows, &measured.failures);
    if count == 0 && !partial {
        return nothing(failures.clone());
    }
    if count > 0 && !common.quiet {
        print(describe(&measured.first, count))?;
    }
    let output = arguments.output.display();
    common.say(format!("{output}: {count} {}", if count == 1 { "galaxy" } else { "galaxies" }));
    failures.iter().for_each(|failure| tell(format!("legato: {failure}")));
    match failures.len() {
        0 => Ok(()),
        n => Err(Error::Incomplete(format!("{n} of the images could not be read; {output} has the others"))),
    }
}

/// The error for a run that measured nothing: the one there is, or the sum of them after each has been told.
pub(super) fn nothing(mut failures: Vec<String>) -> Result<()> {
    if failures.len() == 1 {
        return Err(Error::Incomplete(failures.remove(0)));
    }
    failures.iter().for_each(|failure| tell(format!("legato: {failure}")));
    let n = failures.len();
    Err(Error::Incomplete(format!("none of the {n} images could be read; no catalogue was written")))
}

/// The first rows of a catalogue of `total` as a table; what was not measured is a dash, and columns of dashes are left out.
pub fn describe(shown: &[Row], total: u64) -> String {
    /// A column's heading, decimals and value.
    type Column = (&'static str, usize, fn(&Row) -> f64);
    const COLUMNS: [Column; 11] = [
        ("RA", 5, |r| r.ra),
        ("DEC", 5, |r| r.dec),
        ("X", 1, |r| r.x),
        ("Y", 1, |r| r.y),
        ("MAG", 3, |r| r.mag),
        ("RE_MAJ", 2, |r| r.re_maj),
        ("RE_ARCSEC", 3, |r| r.re_arcsec),
        ("N", 2, |r| r.n),
        ("Q", 3, |r| r.q),
        ("PA", 1, |r| r.pa),
        ("SNR", 1, |r| r.snr),
    ];
    let known = |(_, _, value): &&Column| shown.iter().any(|r| value(r).is_finite());
    let columns: Vec<&Column> = COLUMNS.iter().filter(known).collect();
    let number = |value: f64, decimals: usize| match value {
        value if !value.is_finite() => "-".to_owned(),
        value if value.abs() >= 1e6 => format!("{value:.1e}"),
        value => format!("{value:.decimals$}"),
    };
    let row = |r: &Row| {
        let numbers = columns.iter().map(|(_, decimals, value)| number(value(r), *decimals));
        std::iter::once(r.id.clone()).chain(numbers).chain([r.flags.to_string()]).collect()
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    let heading: Vec<&str> =
        std::iter::once("ID").chain(columns.iter().map(|c| c.0)).chain(["FLAGS"]).collect();
    let mut text = table::lay_out(&heading, &rows);
    if total > shown.len() as u64 {
        text.push_str(&format!("\n… and {} more", total - shown.len() as u64));
    }
    text
}
