//! `legato fit`.

use super::{Common, evaluate, progress, table};
use crate::fits::{Catalogue, check_writable, open_images};
use crate::legato::{FitOptions, fit, load_estimators};
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Rows that are printed; the rest is in the file.
const ROWS_SHOWN: usize = 20;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato fit stamps/*.fits --models runs -o catalogue.fits\n  legato fit cube.fits --models runs/magnitude/weights.safetensors -o catalogue.csv"
)]
pub struct Arguments {
    /// FITS images, cubes, or folders of them; file.fits[2] or file.fits[SCI] selects an HDU
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// Trained networks: a weights file, or a folder of them or of runs
    #[arg(long)]
    models: PathBuf,
    /// The catalogue to write: FITS, or CSV or ECSV by its ending
    #[arg(short, long)]
    output: PathBuf,
    /// AB zero point of the images, in place of their headers'
    #[arg(long)]
    zero_point: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'
    #[arg(long)]
    pixel_scale: Option<f64>,
    /// Stamps a batch
    #[arg(long, default_value_t = evaluate::BATCH)]
    batch: usize,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    if arguments.pixel_scale.is_some_and(|s| s <= 0.0 || !s.is_finite()) {
        return Err(Error::Usage("the pixel scale must be positive".into()));
    }
    check_writable(&arguments.output)?;
    let paths = expand(&arguments.images)?;
    let gpu = common.open_gpu()?;
    let estimators = load_estimators(&gpu, &arguments.models)?;
    let options = FitOptions {
        zero_point: arguments.zero_point,
        pixel_scale: arguments.pixel_scale,
        batch: arguments.batch,
    };
    // Files that cannot be opened are counted as none here and reported by the measurement.
    let total: usize = paths.iter().map(|p| open_images(p).map_or(0, |images| images.total())).sum();
    let bar = progress::bar(common, total as u64, "measuring", "galaxies");
    let (catalogue, failures) = fit(&gpu, &estimators, &paths, &options, |done| bar.inc(done as u64))?;
    bar.finish_and_clear();
    if !catalogue.rows.is_empty() {
        catalogue.write(&arguments.output)?;
        if !common.quiet {
            println!("{}", describe(&catalogue));
        }
        common.say(format!("{}: {} galaxies", arguments.output.display(), catalogue.rows.len()));
    }
    match failures.len() {
        0 => Ok(()),
        n => {
            for failure in &failures {
                eprintln!("legato: {failure}");
            }
            Err(Error::Catalogue {
                path: arguments.output.clone(),
                message: format!(
                    "{n} of the images could not be read; {} were measured",
                    catalogue.rows.len()
                ),
            })
        }
    }
}

/// Files as they are, folders as the FITS files in them.
fn expand(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in arguments {
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

/// The first rows of a catalogue as a table; what was not measured is a dash.
pub fn describe(catalogue: &Catalogue) -> String {
    let number = |value: f64, decimals: usize| {
        if value.is_finite() { format!("{value:.decimals$}") } else { "-".to_owned() }
    };
    let rows: Vec<Vec<String>> = catalogue
        .rows
        .iter()
        .take(ROWS_SHOWN)
        .map(|r| {
            vec![
                r.id.clone(),
                number(r.x, 1),
                number(r.y, 1),
                number(r.mag, 3),
                number(r.re_maj, 2),
                number(r.re_arcsec, 3),
                number(r.n, 2),
                number(r.q, 3),
                number(r.snr, 1),
                r.flags.to_string(),
            ]
        })
        .collect();
    let heading = ["ID", "X", "Y", "MAG", "RE_MAJ", "RE_ARCSEC", "N", "Q", "SNR", "FLAGS"];
    let mut text = table::lay_out(&heading, &rows);
    if catalogue.rows.len() > ROWS_SHOWN {
        text.push_str(&format!("\n… and {} more", catalogue.rows.len() - ROWS_SHOWN));
    }
    text
}
