//! `legato psf`.

use super::{Common, print};
use crate::fits::{survey_psfs, write_psf};
use crate::sky::{Psf, Survey};
use crate::{Error, Result, files};
use clap::Args;
use std::path::PathBuf;

/// Pixels along a side, at most; what reading a PSF allows too.
const LARGEST: usize = 9_999;
/// Radii of the circles whose light is told, arcsec.
const RADII: [f64; 4] = [0.2, 0.5, 1.0, 1.5];

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato psf -o psf.fits\n  legato psf --survey my-survey.toml --oversampling 1 --size 4arcsec -o psf.fits"
)]
pub struct Arguments {
    /// Survey: a built-in name or a TOML file
    #[arg(long, default_value = "candels-f160w")]
    survey: String,
    /// Pixels of the image to a pixel of the survey, along each axis
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    oversampling: u32,
    /// Side of the image: an odd number of its pixels, or arcsec as in 4arcsec [default: all of the PSF]
    #[arg(long, value_parser = size)]
    size: Option<Size>,
    /// Which PSF, counted from 0, where the survey has several
    #[arg(long)]
    index: Option<usize>,
    /// The image to write (FITS)
    #[arg(short, long)]
    output: PathBuf,
}

/// The side of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    Pixels(usize),
    Arcsec(f64),
}

fn size(text: &str) -> std::result::Result<Size, String> {
    let number = ["arcsec", "\"", "″"].iter().find_map(|unit| text.strip_suffix(unit));
    if let Some(number) = number {
        return match number.trim().parse::<f64>() {
            Ok(arcsec) if arcsec > 0.0 && arcsec.is_finite() => Ok(Size::Arcsec(arcsec)),
            _ => Err("it must be a positive number of arcsec".to_owned()),
        };
    }
    match text.parse::<usize>() {
        Ok(pixels) if pixels % 2 == 1 => Ok(Size::Pixels(pixels)),
        Ok(_) => Err("it must be odd, so that there is a middle pixel".to_owned()),
        Err(_) => Err("it must be an odd number of pixels, or arcsec as in 4arcsec".to_owned()),
    }
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let survey = Survey::find(&arguments.survey)?;
    files::check_writable(&arguments.output)?;
    let psf = chosen(&survey, arguments.index)?;
    let pixel = survey.pixel_scale / f64::from(arguments.oversampling);
    let around = |radius: f64| 2.0 * (radius / pixel).ceil() + 1.0;
    let size = match arguments.size {
        Some(Size::Pixels(pixels)) => pixels as f64,
        Some(Size::Arcsec(arcsec)) => around(0.5 * arcsec - 0.5 * pixel),
        None => around(psf.support()),
    };
    if size > LARGEST as f64 {
        return Err(Error::Usage(format!(
            "{size}×{size} pixels of {pixel} arcsec are too many (at most {LARGEST} a side): give a smaller --size or \
             --oversampling"
        )));
    }
    let light = write_psf(&arguments.output, &psf, &survey, arguments.oversampling, size as usize)?;
    common.say(format!(
        "{}: {size}×{size} pixels of {pixel:.4} arcsec, {:.2}% of the light, scaled to a sum of 1",
        arguments.output.display(),
        100.0 * light
    ));
    tell(&psf)
}

/// The survey's PSF of this number, which only a survey of one PSF need not have told.
fn chosen(survey: &Survey, index: Option<usize>) -> Result<Psf> {
    let mut psfs = survey_psfs(survey)?;
    let count = psfs.len();
    match index {
        None if count == 1 => Ok(psfs.swap_remove(0)),
        Some(index) if index < count => Ok(psfs.swap_remove(index)),
        None => Err(Error::Usage(format!(
            "survey '{}' has {count} PSFs: choose one of 0 to {} with --index",
            survey.name,
            count - 1
        ))),
        Some(index) => Err(Error::Usage(format!(
            "--index {index}: survey '{}' has {count} PSF{}, counted from 0",
            survey.name,
            if count == 1 { "" } else { "s" }
        ))),
    }
}

/// What kind of PSF it is, its width and how its light is gathered.
fn tell(psf: &Psf) -> Result<()> {
    print(psf.to_string())?;
    print(format!("FWHM {:.4} arcsec", psf.fwhm()))?;
    for (radius, light) in RADII.iter().zip(psf.light_within(&RADII)) {
        print(format!("light within {radius:.1} arcsec: {light:.4}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_odd_pixels_or_arcsec() {
        assert_eq!(size("401"), Ok(Size::Pixels(401)));
        for text in ["4.5arcsec", "4.5 arcsec", "4.5\"", "4.5″"] {
            assert_eq!(size(text), Ok(Size::Arcsec(4.5)), "{text}");
        }
        for text in ["400", "0", "-3", "4.5", "4.5px", "arcsec", "-1arcsec", "nanarcsec", "infarcsec"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
