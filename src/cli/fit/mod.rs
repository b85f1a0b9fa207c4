//! `legato fit`.

mod inputs;
mod mosaic;
mod residuals;
mod show;

pub use inputs::expand;
pub use show::describe;

use residuals::ResidualArguments;

use super::profile::ProfileArguments;
use super::{Common, evaluate, progress};
use crate::fits::{Catalogue, Flags};
use crate::legato::{
    FitOptions, ImageFiles, Measurer, Objects, Preparation, Progress, Set, Shard, StampFiles,
    estimators_or_shipped, measure_into,
};
use crate::{Error, Result};
use clap::Args;
use mosaic::MosaicArguments;
use std::path::PathBuf;

/// Rows that are printed; the rest is in the file.
const ROWS_SHOWN: usize = 20;

const EXAMPLE: &str = "Example:
  legato fit stamps/*.fits -o catalogue.fits
  legato fit cube.fits --models runs/magnitude/weights.safetensors -o catalogue.csv
  legato fit stamps/*.fits -o catalogue.fits --sheet sheet.png --blocks blocks
  legato fit mosaic.fits --shard 2/4 -o share2.fits; legato merge share?.fits -o catalogue.fits";

#[derive(Args)]
#[command(after_help = EXAMPLE, after_long_help = long_help())]
pub struct Arguments {
    /// FITS images, cubes, or folders of them; file.fits[2] or file.fits[SCI] selects an HDU
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// Trained networks: a weights file, a folder of them or of runs, or a set in the box, isolated or crowded
    /// [default: crowded]
    #[arg(long)]
    models: Option<PathBuf>,
    /// The catalogue to write: FITS, or CSV, ECSV or Parquet by its ending
    #[arg(short, long)]
    output: PathBuf,
    /// AB magnitude of one unit of the images, in place of their headers'
    #[arg(long, allow_negative_numbers = true, help_heading = "Images")]
    zero_point: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'
    #[arg(long, allow_negative_numbers = true, help_heading = "Images")]
    pixel_scale: Option<f64>,
    /// What a saturated pixel reaches, in the images' unit, in place of their headers' SATURATE
    #[arg(long, help_heading = "Images")]
    saturation: Option<f64>,
    /// Measure one of n equal shares of the galaxies, as 2/4; `legato merge` joins them
    #[arg(long, help_heading = "Large runs")]
    shard: Option<Shard>,
    #[command(flatten)]
    repeats: evaluate::RepeatArguments,
    #[command(flatten)]
    profile: ProfileArguments,
    #[command(flatten)]
    mosaic: MosaicArguments,
    #[command(flatten)]
    residuals: ResidualArguments,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    arguments.check()?;
    let paths = expand(&arguments.images)?;
    let is_mosaic = arguments.mosaic.is_mosaic(&paths)?;
    let stamps = if is_mosaic { None } else { Some(ImageFiles::open(&paths, arguments.zero_point)) };
    if let Some(images) = stamps.as_ref().filter(|images| images.total() == 0) {
        return show::nothing(images.unreadable().iter().map(Error::to_string).collect());
    }
    let layers = if is_mosaic { Some(arguments.mosaic.open(&paths[0])?) } else { None };
    let calibrations = match (&stamps, &layers) {
        (Some(images), _) => images.calibrations().to_vec(),
        (None, layers) => layers.iter().map(|l| l.image().header().calibrate(arguments.zero_point)).collect(),
    };
    show::calibrations(&calibrations, common);
    let gpu = arguments.profile.open_gpu(common)?;
    let estimators = estimators_or_shipped(&gpu, arguments.models.as_deref(), Set::DEFAULT)?;
    let options = arguments.repeats.options(&gpu, &estimators, common);
    let measurer = Measurer::with_repeats(&gpu, &estimators, &options)?;
    let (networks, size) = (measurer.networks(), measurer.size());
    let modeller = arguments.residuals.modeller(networks, size)?;
    let mut residuals = arguments.residuals.outputs(modeller.as_ref(), size, &arguments.output)?;
    let measurer = measurer.with_models(modeller.as_ref());
    let options = arguments.options(common);
    let preparation = Preparation::new(measurer.networks(), measurer.size(), &options);
    let mut objects: Box<dyn Objects> = match (stamps, layers) {
        (Some(images), _) => Box::new(StampFiles::new(images, preparation)),
        (None, Some(layers)) => {
            arguments.mosaic.galaxies(layers, &paths[0], preparation, &options, common)?
        }
        (None, None) => return Err(Error::Usage("there is no image to measure".into())),
    };
    let range = arguments.shard().range(objects.total());
    let bar = progress::bar(common, range.end - range.start, "measuring", "galaxies");
    let mut resumed = 0;
    let hear = |progress: Progress| match progress {
        Progress::Modelled { object, row, model } => residuals.take(object, row, model),
        Progress::Measured(count) => bar.inc(count),
        Progress::Resumed(count) => {
            bar.inc(count);
            // Or they would count into the rate.
            bar.reset_eta();
            resumed += count;
        }
    };
    let measured =
        measure_into(&arguments.output, objects.as_mut(), &measurer, arguments.shard(), ROWS_SHOWN, hear)?;
    bar.finish_and_clear();
    if resumed > 0 {
        common.say(format!("{resumed} of them were measured by an earlier start"));
    }
    residuals.finish(common)?;
    show::report(&measured, arguments, common)?;
    arguments.profile.finish(&gpu, common)
}

impl Arguments {
    fn shard(&self) -> Shard {
        self.shard.unwrap_or(Shard::WHOLE)
    }

    fn options(&self, common: &Common) -> FitOptions {
        FitOptions {
            zero_point: self.zero_point,
            pixel_scale: self.pixel_scale,
            saturation: self.saturation,
            seed: common.seed,
        }
    }

    /// Refuses what cannot be, before any work.
    fn check(&self) -> Result<()> {
        let wrong = |message: &str| Err(Error::Usage(message.into()));
        if self.pixel_scale.is_some_and(|s| s <= 0.0 || !s.is_finite()) {
            return wrong("--pixel-scale must be positive, arcsec");
        }
        if self.zero_point.is_some_and(|z| !z.is_finite()) {
            return wrong("--zero-point must be a number, AB mag");
        }
        if self.saturation.is_some_and(|s| s <= 0.0 || s.is_nan()) {
            return wrong("--saturation must be positive");
        }
        let csv = self.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        if csv && self.shard().is_partial() {
            return wrong(
                "a CSV file has no place to say which share of the work it is: \
                 with --shard give a name that ends in .fits, .ecsv or .parquet",
            );
        }
        self.residuals.check()?;
        Catalogue::check_output(&self.output)
    }
}

/// The example, and what the flags mean.
fn long_help() -> String {
    let lines: Vec<String> = Flags::NAMES
        .iter()
        .map(|(flag, name)| format!("  {:>5}  {name:<18} {}", flag.0, flag.meaning()))
        .collect();
    format!("{EXAMPLE}\n\nFLAGS is the sum of what to be wary of:\n{}", lines.join("\n"))
}
