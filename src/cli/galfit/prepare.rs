//! `legato galfit prepare`.

use crate::cli::fit::expand;
use crate::cli::{Common, progress, tell};
use crate::fits::{read_psf, survey_psfs};
use crate::galfit::{Preparation, Sky, count, prepare};
use crate::sky::{Psf, Survey};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato galfit prepare test.fits -o fits\n  legato galfit prepare stamps/*.fits --psf psf.fits --rms rms/*.fits --zero-point 25.9463 -o fits\n\nOne Sérsic profile a galaxy, from what detection finds in its middle, within the limits of the paper: index 0.2 to 6.3, half-light radius 0.3 to 130 pixels, axis ratio 0.0001 to 1, magnitude within 3 of the first one. What is in the folder already is not done again."
)]
pub struct Arguments {
    /// FITS images, cubes, data sets, or folders of them; file.fits[2] or file.fits[SCI] selects an HDU
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// The folder of fits to make, or to go on with
    #[arg(short, long)]
    output: PathBuf,
    /// Survey whose PSF, and whose zero point and pixel scale for images that do not tell, are taken: a built-in name or a
    /// TOML file
    #[arg(long, default_value = "candels-f160w")]
    survey: String,
    /// PSF, a FITS image, in place of the survey's
    #[arg(long, conflicts_with = "no_psf")]
    psf: Option<PathBuf>,
    /// Pixel scale of --psf, arcsec, in place of its header's
    #[arg(long, requires = "psf", allow_negative_numbers = true)]
    psf_scale: Option<f64>,
    /// Give the PSF to GALFIT as it is. Otherwise the pixel's response is taken out, which GALFIT applies itself
    #[arg(long, conflicts_with = "no_psf")]
    psf_as_is: bool,
    /// Fit without convolution
    #[arg(long)]
    no_psf: bool,
    /// Images of the noise, as many and as large as the images [default: the sky's noise and the photons']
    #[arg(long, num_args = 1..)]
    rms: Vec<PathBuf>,
    /// Images that are not zero where a pixel does not count, as many and as large as the images
    #[arg(long, num_args = 1..)]
    mask: Vec<PathBuf>,
    /// AB magnitude of one unit of the images, in place of their headers'
    #[arg(long, allow_negative_numbers = true)]
    zero_point: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'
    #[arg(long, allow_negative_numbers = true)]
    pixel_scale: Option<f64>,
    /// Larger images are cut around the object to this many pixels a side
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(16..=2048))]
    size: u32,
    /// Level at which the sky is held, in the images' unit
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    sky: f64,
    /// Fit the sky, from that level on
    #[arg(long)]
    fit_sky: bool,
    /// Standard deviation of the sky in a pixel [default: the data set's, else from each image's border]
    #[arg(long, conflicts_with = "rms", allow_negative_numbers = true)]
    sigma: Option<f64>,
    /// Exposure time, s, for the photons' noise in images of a rate [default: the data set's, else the header's]
    #[arg(long, conflicts_with = "rms", allow_negative_numbers = true)]
    exposure: Option<f64>,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    for (value, name) in [
        (arguments.pixel_scale, "--pixel-scale"),
        (arguments.psf_scale, "--psf-scale"),
        (arguments.sigma, "--sigma"),
        (arguments.exposure, "--exposure"),
    ] {
        if value.is_some_and(|v| !(v > 0.0 && v.is_finite())) {
            return Err(Error::Usage(format!("{name} must be positive")));
        }
    }
    if !arguments.sky.is_finite() || arguments.zero_point.is_some_and(|z| !z.is_finite()) {
        return Err(Error::Usage("--sky and --zero-point must be numbers".into()));
    }
    let paths = expand(&arguments.images)?;
    let survey = Survey::find(&arguments.survey)?;
    let how = Preparation {
        psf: psf(arguments, &survey)?,
        psf_as_is: arguments.psf_as_is,
        pixel_scale: arguments.pixel_scale,
        pixel_scale_assumed: survey.pixel_scale,
        zero_point: arguments.zero_point,
        zero_point_assumed: survey.zero_point,
        size: arguments.size as usize,
        sky: if arguments.fit_sky { Sky::Fitted(arguments.sky) } else { Sky::Held(arguments.sky) },
        sigma: arguments.sigma,
        exposure: arguments.exposure,
        rms: arguments.rms.clone(),
        masks: arguments.mask.clone(),
    };
    let bar = progress::bar(common, count(&paths)? as u64, "preparing", "fits");
    let prepared = prepare(&paths, &how, &arguments.output, || bar.inc(1));
    bar.finish_and_clear();
    let prepared = prepared?;
    let folder = arguments.output.display();
    let kept = match prepared.kept {
        0 => String::new(),
        kept => format!(", {kept} were there already"),
    };
    common.say(format!("{folder}: {} fits prepared{kept}; next: legato galfit run {folder}", prepared.made));
    if prepared.failures.is_empty() {
        return Ok(());
    }
    for failure in &prepared.failures {
        tell(format!("legato: {failure}"));
    }
    let n = prepared.failures.len();
    Err(Error::Incomplete(format!("{n} of the images could not be read; {folder} has the others")))
}

/// The PSF of a file or the survey's only one.
fn psf(arguments: &Arguments, survey: &Survey) -> Result<Option<Psf>> {
    if arguments.no_psf {
        return Ok(None);
    }
    if let Some(path) = &arguments.psf {
        return read_psf(path, arguments.psf_scale).map(Some);
    }
    only_psf(survey).map(Some)
}

/// The PSF of a survey that has no other.
pub fn only_psf(survey: &Survey) -> Result<Psf> {
    let mut psfs = survey_psfs(survey)?;
    match (psfs.pop(), psfs.len()) {
        (Some(psf), 0) => Ok(psf),
        (_, others) => Err(Error::Usage(format!(
            "survey '{}' has {} PSFs, but a fit takes one: write it with `legato psf --index`, and give it to `legato \
             galfit prepare` as --psf",
            survey.name,
            others + 1
        ))),
    }
}
