//! `legato fit`.

use super::profile::ProfileArguments;
use super::{Common, evaluate, progress, table};
use crate::fits::{Catalogue, Flags, Row, open_images};
use crate::legato::{FitOptions, estimators_or_shipped, fit};
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Rows that are printed; the rest is in the file.
const ROWS_SHOWN: usize = 20;

const EXAMPLE: &str = "Example:
  legato fit stamps/*.fits -o catalogue.fits
  legato fit cube.fits --models runs/magnitude/weights.safetensors -o catalogue.csv";

#[derive(Args)]
#[command(after_help = EXAMPLE, after_long_help = long_help())]
pub struct Arguments {
    /// FITS images, cubes, or folders of them; file.fits[2] or file.fits[SCI] selects an HDU
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// Trained networks: a weights file, or a folder of them or of runs [default: those in the box]
    #[arg(long)]
    models: Option<PathBuf>,
    /// The catalogue to write: FITS, or CSV or ECSV by its ending
    #[arg(short, long)]
    output: PathBuf,
    /// AB magnitude of one unit of the images, in place of their headers'
    #[arg(long, allow_negative_numbers = true)]
    zero_point: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'
    #[arg(long, allow_negative_numbers = true)]
    pixel_scale: Option<f64>,
    /// Stamps a batch
    #[arg(long, default_value_t = evaluate::BATCH, value_parser = super::at_least_one)]
    batch: usize,
    #[command(flatten)]
    profile: ProfileArguments,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    if arguments.pixel_scale.is_some_and(|s| s <= 0.0 || !s.is_finite()) {
        return Err(Error::Usage("--pixel-scale must be positive, arcsec".into()));
    }
    if arguments.zero_point.is_some_and(|z| !z.is_finite()) {
        return Err(Error::Usage("--zero-point must be a number, AB mag".into()));
    }
    Catalogue::check_output(&arguments.output)?;
    let paths = expand(&arguments.images)?;
    // Files that cannot be opened are counted as none here and reported by the measurement, unless all are such.
    let (mut total, mut broken) = (0, Vec::new());
    for path in &paths {
        match open_images(path) {
            Ok(images) => total += images.total(),
            Err(error) => broken.push(error),
        }
    }
    if total == 0 {
        return nothing(broken);
    }
    let gpu = arguments.profile.open_gpu(common)?;
    let estimators = estimators_or_shipped(&gpu, arguments.models.as_deref())?;
    let options = FitOptions {
        zero_point: arguments.zero_point,
        pixel_scale: arguments.pixel_scale,
        batch: arguments.batch,
    };
    let bar = progress::bar(common, total as u64, "measuring", "galaxies");
    let (catalogue, failures) = fit(&gpu, &estimators, &paths, &options, |done| bar.inc(done as u64))?;
    bar.finish_and_clear();
    if catalogue.rows.is_empty() {
        return nothing(failures);
    }
    catalogue.write(&arguments.output)?;
    if !common.quiet {
        super::print(describe(&catalogue))?;
    }
    let (count, output) = (catalogue.rows.len(), arguments.output.display());
    common.say(format!("{output}: {count} {}", if count == 1 { "galaxy" } else { "galaxies" }));
    arguments.profile.finish(&gpu, common)?;
    if failures.is_empty() {
        return Ok(());
    }
    for failure in &failures {
        super::tell(format!("legato: {failure}"));
    }
    let n = failures.len();
    Err(Error::Incomplete(format!("{n} of the images could not be read; {output} has the others")))
}

/// The error for a run that measured nothing: the one there is, or the sum of them after each has been told.
fn nothing(mut failures: Vec<Error>) -> Result<()> {
    if failures.len() == 1 {
        return Err(failures.remove(0));
    }
    for failure in &failures {
        super::tell(format!("legato: {failure}"));
    }
    Err(Error::Incomplete(format!(
        "none of the {} images could be read; no catalogue was written",
        failures.len()
    )))
}

/// The example, and what the flags mean.
fn long_help() -> String {
    let lines: Vec<String> = Flags::NAMES
        .iter()
        .map(|(flag, name)| format!("  {:>5}  {name:<18} {}", flag.0, flag.meaning()))
        .collect();
    format!("{EXAMPLE}\n\nFLAGS is the sum of what to be wary of:\n{}", lines.join("\n"))
}

/// Files as they are, folders as the FITS files in them.
pub fn expand(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in arguments {
        if !path.exists() && path.to_string_lossy().contains(['*', '?']) {
            return Err(Error::Usage(format!("no file matches {}", path.display())));
        }
        if !path.is_dir() {
            paths.push(path.clone());
            continue;
        }
        let failed = |e| Error::io(path, "list", e);
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.is_file() && is_fits(&file) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(Error::Usage(format!("{}: no FITS file in this folder", path.display())));
        }
        inside.sort();
        paths.extend(inside);
    }
    Ok(paths)
}

fn is_fits(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    [".fits", ".fit", ".fits.gz", ".fits.fz"].iter().any(|ending| name.ends_with(ending))
}

/// The first rows of a catalogue as a table; what was not measured is a dash, and columns of dashes are left out.
pub fn describe(catalogue: &Catalogue) -> String {
    /// A column's heading, decimals and value.
    type Column = (&'static str, usize, fn(&Row) -> f64);
    const COLUMNS: [Column; 10] = [
        ("RA", 5, |r| r.ra),
        ("DEC", 5, |r| r.dec),
        ("X", 1, |r| r.x),
        ("Y", 1, |r| r.y),
        ("MAG", 3, |r| r.mag),
        ("RE_MAJ", 2, |r| r.re_maj),
        ("RE_ARCSEC", 3, |r| r.re_arcsec),
        ("N", 2, |r| r.n),
        ("Q", 3, |r| r.q),
        ("SNR", 1, |r| r.snr),
    ];
    let shown = &catalogue.rows[..catalogue.rows.len().min(ROWS_SHOWN)];
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
    if catalogue.rows.len() > ROWS_SHOWN {
        text.push_str(&format!("\n… and {} more", catalogue.rows.len() - ROWS_SHOWN));
    }
    text
}
