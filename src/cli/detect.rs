//! `legato detect`.

use super::{Common, table};
use crate::detect::{Detection, Flags, Kernel, Settings};
use crate::fits::{Layers, Mosaic, SourceList, detect_sources, write_segmentation};
use crate::{Error, Result, files};
use clap::Args;
use std::path::PathBuf;

/// Rows that are printed; the rest is in the file.
const ROWS_SHOWN: usize = 20;
/// Neighbours are told within half a network's stamp, pixels.
const REACH: f64 = 64.0;

const EXAMPLE: &str = "Example:
  legato detect mosaic.fits --rms rms.fits -o sources.fits
  legato detect 'mosaic.fits[SCI]' --threshold 2 --faintest 24 -o sources.ecsv --segmentation seg.fits";

#[derive(Args)]
#[command(after_help = EXAMPLE, after_long_help = long_help())]
pub struct Arguments {
    /// FITS image of any size; file.fits[2] or file.fits[SCI] selects an HDU
    image: PathBuf,
    /// The list to write: FITS, or CSV or ECSV by its ending
    #[arg(short, long)]
    output: PathBuf,
    /// Map of the noise's standard deviation, in place of what is measured on the image
    #[arg(long, conflicts_with = "weight")]
    rms: Option<PathBuf>,
    /// Map of inverse variances, in place of one of standard deviations
    #[arg(long)]
    weight: Option<PathBuf>,
    /// Mask: pixels where it is not zero are not used
    #[arg(long)]
    mask: Option<PathBuf>,
    /// Map of which source each pixel belongs to, to be written (FITS)
    #[arg(long)]
    segmentation: Option<PathBuf>,
    /// How far above the sky pixels must lie, in standard deviations of an unsmoothed pixel
    #[arg(long, default_value_t = 1.5)]
    threshold: f64,
    /// Connected pixels that make a source, at least
    #[arg(long, default_value_t = 5, value_parser = super::at_least_one)]
    min_area: usize,
    /// What the image is smoothed with: pyramid (3×3), none, or the FWHM of a Gaussian in pixels
    #[arg(long, default_value = "pyramid", allow_hyphen_values = true)]
    kernel: String,
    /// Side of the cells in which the sky is measured, pixels
    #[arg(long, default_value_t = 64, value_parser = super::at_least_one)]
    mesh: usize,
    /// Leave the sky's level on the image
    #[arg(long)]
    keep_sky: bool,
    /// Take pixels of exactly zero for data; mosaics have them where there are none
    #[arg(long)]
    keep_zeros: bool,
    /// Thresholds at which composites are looked at; 1 takes none apart
    #[arg(long, default_value_t = 32)]
    deblend_levels: usize,
    /// Part of a composite's light that makes a source of its own
    #[arg(long, default_value_t = 0.005)]
    deblend_contrast: f64,
    /// Keep detections that a neighbour's wings explain
    #[arg(long)]
    no_clean: bool,
    /// List only sources of this signal-to-noise ratio or more
    #[arg(long)]
    min_snr: Option<f64>,
    /// List only sources of this magnitude or brighter
    #[arg(long)]
    faintest: Option<f64>,
    /// AB magnitude of one unit of the image, in place of the header's
    #[arg(long, allow_negative_numbers = true)]
    zero_point: Option<f64>,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    files::check_writable(&arguments.output)?;
    if let Some(path) = &arguments.segmentation {
        files::check_writable(path)?;
    }
    let settings = settings(arguments, common)?;
    let mut layers = Layers::new(Mosaic::open(&arguments.image)?);
    if let Some(path) = &arguments.rms {
        layers = layers.with_rms(path)?;
    }
    if let Some(path) = &arguments.weight {
        layers = layers.with_weight(path)?;
    }
    if let Some(path) = &arguments.mask {
        layers = layers.with_mask(path)?;
    }
    let zero_point = arguments.zero_point.or(layers.image().header().zero_point);
    if arguments.faintest.is_some() && zero_point.is_none() {
        return Err(Error::Usage(
            "--faintest needs a zero point, and the header has none: give --zero-point".into(),
        ));
    }
    let zero_point = zero_point.unwrap_or(f64::NAN);
    let mut found = detect_sources(&mut layers, &settings)?;
    let background = &found.background;
    common.say(format!("sky {:.6} ± {:.6} a pixel", background.level, background.rms));
    let all = found.sources.len();
    found.retain(|source| {
        arguments.min_snr.is_none_or(|least| source.snr >= least)
            && arguments.faintest.is_none_or(|faintest| source.magnitude(zero_point) <= faintest)
    });
    let header = layers.image().header();
    let list = SourceList::new(&found, header, zero_point, REACH);
    list.write(&arguments.output, &provenance(arguments, &settings))?;
    if let Some(path) = &arguments.segmentation {
        write_segmentation(&found, path)?;
    }
    if !common.quiet {
        super::print(describe(&found, zero_point))?;
    }
    let (count, output) = (found.sources.len(), arguments.output.display());
    let left_out = if count < all { format!(" of {all}") } else { String::new() };
    common.say(format!("{output}: {count}{left_out} {}", if count == 1 { "source" } else { "sources" }));
    Ok(())
}

fn settings(arguments: &Arguments, common: &Common) -> Result<Settings> {
    let kernel = match arguments.kernel.as_str() {
        "pyramid" => Kernel::pyramid(),
        "none" => Kernel::none(),
        text => match text.parse() {
            Ok(fwhm) => Kernel::gaussian(fwhm)?,
            Err(_) => {
                return Err(Error::Usage(format!("--kernel {text}: give pyramid, none or a FWHM in pixels")));
            }
        },
    };
    Ok(Settings {
        threshold: arguments.threshold,
        min_area: arguments.min_area,
        kernel,
        mesh: arguments.mesh,
        subtract: !arguments.keep_sky,
        deblend_levels: arguments.deblend_levels,
        deblend_contrast: arguments.deblend_contrast,
        clean: (!arguments.no_clean).then_some(1.0),
        blank_zeros: !arguments.keep_zeros,
        seed: common.seed,
        ..Settings::default()
    })
}

/// What the list says of its making.
fn provenance(arguments: &Arguments, settings: &Settings) -> Vec<(String, String)> {
    let mut entries = vec![
        ("program".to_owned(), format!("legato {}", env!("CARGO_PKG_VERSION"))),
        ("image".to_owned(), arguments.image.display().to_string()),
    ];
    for (key, path) in [("rms", &arguments.rms), ("weight", &arguments.weight), ("mask", &arguments.mask)] {
        entries.extend(path.as_ref().map(|path| (key.to_owned(), path.display().to_string())));
    }
    let mut entry = |key: &str, value: String| entries.push((key.to_owned(), value));
    entry("threshold", settings.threshold.to_string());
    entry("smallest area", settings.min_area.to_string());
    entry("kernel", arguments.kernel.clone());
    entry("mesh", settings.mesh.to_string());
    entry(
        "deblending",
        format!("{} levels, contrast {}", settings.deblend_levels, settings.deblend_contrast),
    );
    for (flag, name) in Flags::NAMES {
        entry(&format!("flag {}", flag.0), format!("{name}, {}", meaning(flag)));
    }
    entries
}

fn meaning(flag: Flags) -> &'static str {
    match flag {
        Flags::DEBLENDED => "taken apart from a source that it touches",
        Flags::CROWDED => "more than a tenth of the Kron ellipse belongs to other sources",
        Flags::EDGE => "some of its pixels lie on the image's edge",
        Flags::CUT => "the Kron ellipse reaches beyond the image",
        Flags::MASKED => "some pixels in the Kron ellipse have no data",
        Flags::LARGE => "too large for all of its light to be summed",
        _ => "",
    }
}

/// The example, and what the flags mean.
fn long_help() -> String {
    let lines: Vec<String> = Flags::NAMES
        .iter()
        .map(|(flag, name)| format!("  {:>4}  {name:<10} {}", flag.0, meaning(*flag)))
        .collect();
    format!("{EXAMPLE}\n\nFLAGS is the sum of what to be wary of:\n{}", lines.join("\n"))
}

/// The brightest sources as a table.
fn describe(found: &Detection, zero_point: f64) -> String {
    let mut order: Vec<usize> = (0..found.sources.len()).collect();
    order.sort_by(|&i, &j| found.sources[j].flux_auto.total_cmp(&found.sources[i].flux_auto));
    let number = |value: f64, decimals: usize| match value {
        value if !value.is_finite() => "-".to_owned(),
        value if value.abs() >= 1e6 => format!("{value:.3e}"),
        value => format!("{value:.decimals$}"),
    };
    let rows: Vec<Vec<String>> = order
        .iter()
        .take(ROWS_SHOWN)
        .map(|&i| {
            let s = &found.sources[i];
            vec![
                (i + 1).to_string(),
                number(s.x_windowed, 2),
                number(s.y_windowed, 2),
                number(s.magnitude(zero_point), 3),
                number(s.flux_auto, 3),
                number(s.snr, 1),
                number(s.half_light_radius, 2),
                number(s.axis_ratio(), 3),
                number(s.pa, 1),
                s.flags.to_string(),
            ]
        })
        .collect();
    let heading = ["ID", "X", "Y", "MAG_AUTO", "FLUX_AUTO", "SNR", "HALF_LIGHT", "Q", "PA", "FLAGS"];
    let mut text = table::lay_out(&heading, &rows);
    if found.sources.len() > ROWS_SHOWN {
        text.push_str(&format!("\n… and {} fainter ones", found.sources.len() - ROWS_SHOWN));
    }
    text
}
