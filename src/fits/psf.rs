//! Point spread functions as FITS images, read and written.

use super::header::Cards;
use super::image::{Image, first_image};
use super::raw::FitsFile;
use super::writer::renamed;
use crate::files::Pending;
use crate::sky::{Psf, PsfModel, Survey, SurveyPsf};
use crate::{Error, Result};
use std::path::Path;

/// How much coarser than a survey's pixels those of its PSF may be.
const COARSEST: f64 = 2.0;

/// Reads an effective PSF from the first image of a file, normalised and recentred as [`Psf::from_image`] does. Its
/// pixel scale (arcsec) is `pixel_scale` or, where that is `None`, what the header says: `PIXSCALE` or a celestial WCS
/// as in [`Header`](super::Header), else `PIXELSCL` or `PIXSCL`.
///
/// # Errors
/// As [`open_images`](super::open_images); [`Error::Fits`] for an image that is no PSF, or whose pixel scale is not known.
pub fn read_psf(path: impl AsRef<Path>, pixel_scale: impl Into<Option<f64>>) -> Result<Psf> {
    let image = first_image(path.as_ref())?;
    let wrong = |message: String| Error::fits_hdu(&image.path, image.hdu, message);
    let pixel_scale = match pixel_scale.into() {
        Some(given) => given,
        None => told_pixel_scale(&image)?.ok_or_else(|| {
            wrong(
                "the header does not tell the pixel scale (no PIXSCALE, PIXELSCL, PIXSCL or WCS): give the PSF's \
                 pixel_scale, arcsec"
                    .to_owned(),
            )
        })?,
    };
    Psf::from_image(&image.pixels, image.width, pixel_scale).map_err(|e| wrong(e.to_string()))
}

/// The pixel scale in an image's header, arcsec.
fn told_pixel_scale(image: &Image) -> Result<Option<f64>> {
    if image.header.pixel_scale.is_some() {
        return Ok(image.header.pixel_scale);
    }
    let mut file = FitsFile::open(&image.path)?;
    file.go_to(image.hdu)?;
    let cards = Cards::parse(&file.cards()?);
    Ok(["PIXELSCL", "PIXSCL"].iter().find_map(|key| cards.number(key)).filter(|&scale| scale > 0.0))
}

/// The PSFs of a survey, in its order, whether they are models or files.
///
/// # Errors
/// As [`read_psf`] and [`PsfModel::psf`]; [`Error::Fits`] for a file with pixels more than twice as large as the
/// survey's, which do not tell what a star looks like there.
pub fn survey_psfs(survey: &Survey) -> Result<Vec<Psf>> {
    let read = |psf: &SurveyPsf| match &psf.model {
        PsfModel::File { path, pixel_scale } => {
            let psf = read_psf(path, *pixel_scale)?;
            check_sampling(path, &psf, survey.pixel_scale)?;
            Ok(psf)
        }
        model => model.psf()?.ok_or_else(|| Error::Usage(format!("survey '{}' has no PSF", survey.name))),
    };
    survey.psf.iter().map(read).collect()
}

/// Fails for an image too coarse for pixels of `pixel_scale` arcsec.
fn check_sampling(path: &Path, psf: &Psf, pixel_scale: f64) -> Result<()> {
    match psf {
        Psf::Image(image) if image.pixel_scale() > COARSEST * pixel_scale => Err(Error::fits(
            path,
            format!(
                "the PSF has pixels of {} arcsec, more than {COARSEST} times the survey's {pixel_scale}: too coarse \
                 to tell what a point looks like there; give one that is sampled more finely, or mend its pixel_scale",
                image.pixel_scale()
            ),
        )),
        _ => Ok(()),
    }
}

/// Writes a PSF as a FITS image of `size`² pixels, centred on the middle one, for a survey's pixels divided by
/// `oversampling` along each axis; its sum is 1. The header has `PIXSCALE` (arcsec), `OVERSAMP`, `PSFMODEL`, `FWHM`
/// (arcsec), `SURVEY` and `VERSION`. Returns the part of the light that lies on the image.
///
/// # Errors
/// [`Error::Usage`] for an even `size`, or a PSF with no light on the image; [`Error::Io`] and [`Error::Fits`] where
/// the file cannot be written.
pub fn write_psf(
    path: impl AsRef<Path>,
    psf: &Psf,
    survey: &Survey,
    oversampling: u32,
    size: usize,
) -> Result<f64> {
    let path = path.as_ref();
    if size.is_multiple_of(2) {
        return Err(Error::Usage(format!("a PSF's image needs a middle pixel: {size} pixels have none")));
    }
    let pixel_scale = survey.pixel_scale / f64::from(oversampling);
    let image = psf.image(size, pixel_scale);
    let light: f64 = image.iter().sum();
    if !(light > 0.0 && light.is_finite()) {
        return Err(Error::Usage(format!("there is no light of the PSF on {size}×{size} pixels")));
    }
    let pixels: Vec<f32> = image.iter().map(|p| (p / light) as f32).collect();
    let pending = Pending::new(path)?;
    let write = || -> Result<()> {
        let mut file = FitsFile::create(&pending.path())?;
        file.add_image(&[size, size])?;
        file.set_f64("PIXSCALE", pixel_scale, "[arcsec] side of a pixel")?;
        file.add_u64("OVERSAMP", oversampling.into(), "pixels to a pixel of the survey")?;
        file.set_text("PSFMODEL", &psf.to_string(), "point spread function")?;
        file.set_f64("FWHM", psf.fwhm(), "[arcsec] full width at half maximum")?;
        file.set_text("SURVEY", &survey.name, "survey whose PSF this is")?;
        file.set_text("VERSION", env!("CARGO_PKG_VERSION"), "version of legato that wrote it")?;
        file.write_pixels(0, &pixels)?;
        file.close()
    };
    write().map_err(|e| renamed(e, path))?;
    pending.finish()?;
    Ok(light)
}

#[cfg(test)]
mod tests {
    use super::super::open_images;
    use super::super::testing::{Hdu, write};
    use super::*;

    /// A Gaussian of 3 pixels FWHM on 21×17 pixels.
    fn star() -> Hdu {
        let pixels: Vec<f32> = (0..21 * 17)
            .map(|i| {
                let (x, y) = ((i % 21) as f64 - 10.2, (i / 21) as f64 - 8.1);
                (3.0 * (-4.0 * std::f64::consts::LN_2 * (x * x + y * y) / 9.0).exp()) as f32
            })
            .collect();
        Hdu::floats(&[21, 17], &pixels)
    }

    fn scale(psf: &Psf) -> f64 {
        match psf {
            Psf::Image(image) => image.pixel_scale(),
            other => panic!("{other} is no image"),
        }
    }

    #[test]
    fn the_pixel_scale_is_the_one_given_or_the_headers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("psf.fits");
        let wcs =
            |hdu: Hdu| hdu.card("CTYPE1  = 'RA---TAN'").card("CD1_1   = -1.0E-5").card("CD2_2   = 1.0E-5");
        for (hdu, expected) in [
            (star().card("PIXSCALE= 0.03"), 0.03),
            (star().card("PIXELSCL= 0.031"), 0.031),
            (star().card("PIXSCL  = 0.04"), 0.04),
            (wcs(star()), 0.036),
        ] {
            write(&path, &[hdu]);
            assert!((scale(&read_psf(&path, None).unwrap()) - expected).abs() < 1e-12);
            assert_eq!(scale(&read_psf(&path, 0.05).unwrap()), 0.05);
        }
        write(&path, &[star()]);
        let message = read_psf(&path, None).unwrap_err().to_string();
        assert!(message.contains("psf.fits[0]: the header does not tell the pixel scale"), "{message}");
    }

    #[test]
    fn a_file_that_is_no_psf_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("psf.fits");
        let mut holes = vec![1.0; 12];
        holes[7] = f32::NAN;
        for (hdu, words) in [
            (Hdu::floats(&[4, 3], &holes), "1 of 12 pixels are not finite, the first at FITS pixel (4, 2)"),
            (Hdu::floats(&[2, 2], &[1.0, -1.0, 0.5, -1.0]), "the pixels sum to -0.5"),
            (Hdu::floats(&[10_001, 1], &[1.0; 10_001]), "10001×1 pixels are more than a PSF needs"),
        ] {
            write(&path, &[hdu]);
            let message = read_psf(&path, 0.06).unwrap_err().to_string();
            assert!(message.contains("psf.fits[0]: PSF image: ") && message.contains(words), "{message}");
        }
        write(&path, &[star()]);
        let message = read_psf(&path, -1.0).unwrap_err().to_string();
        assert!(message.contains("must be positive, not -1 arcsec"), "{message}");
    }

    #[test]
    fn a_psf_much_coarser_than_the_surveys_pixels_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("psf.fits");
        write(&path, &[star()]);
        let checked = |scale: f64| check_sampling(&path, &read_psf(&path, scale).unwrap(), 0.06);
        assert!(checked(0.12).is_ok());
        let message = checked(0.13).unwrap_err().to_string();
        assert!(message.contains("psf.fits: the PSF has pixels of 0.13 arcsec"), "{message}");
    }

    #[test]
    fn what_is_written_has_its_header_and_a_sum_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("psf.fits");
        let survey = Survey::builtin("candels-f160w").unwrap();
        let psf = Psf::gaussian(0.18).unwrap();
        let light = write_psf(&path, &psf, &survey, 3, 51).unwrap();
        assert!(light > 0.999 && light <= 1.0, "{light}");
        let image = open_images(&path).unwrap().next().unwrap().unwrap();
        assert_eq!((image.width, image.height, image.header.pixel_scale), (51, 51, Some(0.02)));
        let sum: f64 = image.pixels.iter().map(|&p| f64::from(p)).sum();
        assert!((sum - 1.0).abs() < 1e-6);
        assert!(image.pixels.iter().all(|&p| p <= image.pixels[25 * 51 + 25]));
        let mut file = FitsFile::open(&path).unwrap();
        let cards = Cards::parse(&file.cards().unwrap());
        assert_eq!(cards.number("OVERSAMP"), Some(3.0));
        assert_eq!(cards.number("FWHM"), Some(0.18));
        assert_eq!(cards.text("PSFMODEL"), Some("Gaussian, FWHM 0.18 arcsec"));
        assert_eq!(cards.text("SURVEY"), Some("candels-f160w"));
        assert_eq!(cards.text("VERSION"), Some(env!("CARGO_PKG_VERSION")));
        assert!(write_psf(&path, &psf, &survey, 3, 50).is_err());
    }
}
