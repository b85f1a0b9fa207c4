//! From images to a folder of fits.

mod inputs;

pub use inputs::count;
use inputs::{Companions, Input};

use super::constraints;
use super::feedme::{Feedme, Sky};
use super::initial::{Initial, Patch};
use super::noise::Noise;
use super::workspace::{self, Object, Workspace};
use crate::files::Scratch;
use crate::fits::{Cutout, Flags, Image, blank_areas, cut};
use crate::sky::Psf;
use crate::{Error, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How images become fits.
#[derive(Clone, Debug)]
pub struct Preparation {
    /// The PSF, an effective one; none for fits without convolution.
    pub psf: Option<Psf>,
    /// Give GALFIT the PSF as it is, in place of without the pixel's response, which GALFIT applies itself.
    pub psf_as_is: bool,
    /// Pixel scale of the images, arcsec, in place of their headers'.
    pub pixel_scale: Option<f64>,
    /// That of images that do not tell.
    pub pixel_scale_assumed: f64,
    /// AB magnitude of one unit of the images, in place of their headers'.
    pub zero_point: Option<f64>,
    /// That of images that do not tell; they are flagged.
    pub zero_point_assumed: f64,
    /// Images larger than this many pixels a side are cut around the object.
    pub size: usize,
    /// The sky; level in the images' unit.
    pub sky: Sky,
    /// Standard deviation of the sky in a pixel, in place of what the images tell.
    pub sigma: Option<f64>,
    /// Exposure time, s, in place of what the images tell.
    pub exposure: Option<f64>,
    /// Images of the noise, in the order of the images.
    pub rms: Vec<PathBuf>,
    /// Images that are not zero where a pixel does not count, in the order of the images.
    pub masks: Vec<PathBuf>,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Objects prepared now.
    pub made: usize,
    /// Objects that were there already.
    pub kept: usize,
    /// What went wrong with others.
    pub failures: Vec<Error>,
}

/// What a folder of fits says of its making: all that would make another fit of the same image.
#[derive(Serialize)]
struct How {
    version: &'static str,
    psf: String,
    psf_without_pixel: bool,
    pixel_scale: Option<f64>,
    zero_point: Option<f64>,
    size: usize,
    sky: Sky,
    sigma: Option<f64>,
    exposure: Option<f64>,
    rms: Vec<PathBuf>,
    masks: Vec<PathBuf>,
}

/// Prepares a fit of every image in `folder`; what is there already stays as it is. Objects are numbered as the images
/// stand in the files; those of a data set with its truth have the truth's `ID`, others the images' names. An image that
/// cannot be read costs only itself. `progress` hears of each image done.
///
/// # Errors
/// Those of the folder, an input that cannot be opened, images of noise or masks that are not as many or as large as
/// the images, and an object that was prepared from another image.
pub fn prepare(
    paths: &[PathBuf],
    how: &Preparation,
    folder: &Path,
    mut progress: impl FnMut(),
) -> Result<Prepared> {
    let total = count(paths)?;
    let mut rms = Companions::open(&how.rms, "--rms", total)?;
    let mut masks = Companions::open(&how.masks, "--mask", total)?;
    let workspace = Workspace::create(folder, &how.describe(folder)?)?;
    let convolution = how.write_shared(folder)?;
    let (mut prepared, mut number) = (Prepared::default(), 0);
    for path in paths {
        let mut input = Input::open(path)?;
        for index in 0..input.images.total() {
            number += 1;
            progress();
            let image = input.images.next();
            let (noise, mask) = (rms.next()?, masks.next()?);
            let image = match image {
                Some(Ok(image)) => image,
                Some(Err(error)) => {
                    prepared.failures.push(error);
                    continue;
                }
                None => break,
            };
            let id = input.ids.as_ref().and_then(|ids| ids.get(index)).map(i64::to_string);
            let id = id.unwrap_or_else(|| image.name.clone());
            let place = workspace.place(number);
            if place.exists() {
                check_same(&place, &id, &image)?;
                prepared.kept += 1;
                continue;
            }
            let job = Job { how, input: &input, image: &image, noise, mask, id, convolution };
            let scratch = Scratch::new(&workspace.objects_folder())
                .map_err(|e| Error::io(workspace.objects_folder(), "write in", e))?;
            let inside = scratch.path().join("object");
            std::fs::create_dir(&inside).map_err(|e| Error::io(&inside, "make this folder", e))?;
            job.write(&inside)?;
            scratch
                .settle(|| std::fs::rename(&inside, &place))
                .map_err(|e| Error::io(&place, "make this folder", e))?;
            prepared.made += 1;
        }
    }
    Ok(prepared)
}

/// Refuses an object's folder that was prepared from another image.
fn check_same(place: &Path, id: &str, image: &Image) -> Result<()> {
    let object = Object::read(place)?;
    if object.id == id && object.file == image.path.display().to_string() {
        return Ok(());
    }
    let message = format!(
        "was prepared from {} of {}, and not from {id} of {}: give the same images in the same order, or another folder",
        object.id,
        object.file,
        image.path.display()
    );
    Err(Error::Config { path: place.to_owned(), message })
}

impl Preparation {
    fn describe(&self, folder: &Path) -> Result<String> {
        let how = How {
            version: env!("CARGO_PKG_VERSION"),
            psf: self.psf.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            psf_without_pixel: !self.psf_as_is,
            pixel_scale: self.pixel_scale,
            zero_point: self.zero_point,
            size: self.size,
            sky: self.sky,
            sigma: self.sigma,
            exposure: self.exposure,
            rms: self.rms.clone(),
            masks: self.masks.clone(),
        };
        toml::to_string(&how).map_err(|e| Error::Config { path: folder.to_owned(), message: e.to_string() })
    }

    /// Writes what the objects share, unless it is there; the side of the box that must be convolved, pixels.
    fn write_shared(&self, folder: &Path) -> Result<usize> {
        let limits = folder.join(workspace::CONSTRAINTS);
        if !limits.exists() {
            crate::files::replace(&limits, constraints::text(&constraints::paper()).as_bytes())?;
        }
        let Some(psf) = &self.psf else { return Ok(self.size) };
        let scale = self.pixel_scale.unwrap_or(self.pixel_scale_assumed);
        let size = 2 * (psf.support() / scale).ceil() as usize + 1;
        // Beyond twice the stamp's side no light falls onto it.
        let size = size.min(2 * self.size + 1);
        let path = folder.join(workspace::PSF);
        if !path.exists() {
            let image =
                if self.psf_as_is { psf.image(size, scale) } else { psf.image_without_pixel(size, scale) };
            let light: f64 = image.iter().sum();
            let pixels: Vec<f32> = image.iter().map(|p| (p / light) as f32).collect();
            let numbers = [("PIXSCALE", scale, "[arcsec] side of a pixel")];
            Cutout { pixels: &pixels, width: size, numbers: &numbers, part_of: None }.write(&path)?;
        }
        Ok(size.max(self.size) + 1)
    }
}

/// One image to be prepared.
struct Job<'a> {
    how: &'a Preparation,
    input: &'a Input,
    image: &'a Image,
    noise: Option<(&'static str, Image)>,
    mask: Option<(&'static str, Image)>,
    id: String,
    convolution: usize,
}

/// The part of an image that is fitted: its first FITS pixel, columns and rows.
struct Part {
    corner: (i64, i64),
    width: usize,
    height: usize,
}

impl Part {
    /// What of a square of `size` pixels from `corner` on lies on an image.
    fn of(image: &Image, corner: (i64, i64), size: usize) -> Self {
        let overlap = |first: i64, length: usize| {
            let (start, end) = (first.max(1), (first + size as i64 - 1).min(length as i64));
            (start, (end - start + 1).max(0) as usize)
        };
        let ((x, width), (y, height)) = (overlap(corner.0, image.width), overlap(corner.1, image.height));
        Part { corner: (x, y), width, height }
    }

    fn pixels(&self, image: &Image) -> Vec<f32> {
        let (x, y) = ((self.corner.0 - 1) as usize, (self.corner.1 - 1) as usize);
        let row = |row: usize| &image.pixels[(y + row) * image.width + x..][..self.width];
        (0..self.height).flat_map(row).copied().collect()
    }
}

impl Job<'_> {
    /// Writes all that a fit of the image needs into an empty folder.
    fn write(&self, folder: &Path) -> Result<()> {
        let Job { how, image, .. } = self;
        let whole = image.width <= how.size && image.height <= how.size;
        let stamp = cut(image, how.size, None);
        let corner = if whole { (1, 1) } else { stamp.corner };
        let part = Part::of(image, corner, how.size);
        let mut flags = stamp.flags;
        // Nothing was padded, and bad pixels do not count.
        flags.0 &= !(Flags::PADDED.0 | Flags::CUT.0);
        flags.set(Flags::CUT, !whole);
        let zero_point = how.zero_point.or(image.header.zero_point);
        flags.set(Flags::ZERO_POINT_ASSUMED, zero_point.is_none());
        let zero_point = zero_point.unwrap_or(how.zero_point_assumed);
        let pixel_scale = how.pixel_scale.or(image.header.pixel_scale);
        // The PSF is of pixels of one size.
        let own = how.pixel_scale.unwrap_or(how.pixel_scale_assumed);
        flags.set(Flags::PIXEL_SCALE, pixel_scale.is_none_or(|scale| (scale / own - 1.0).abs() > 0.01));

        let mut pixels = part.pixels(image);
        blank_areas(&mut pixels, part.width);
        let noise = match &self.noise {
            Some((option, rms)) => part.pixels(self.same_size(rms, option)?),
            None => self.noise(&stamp.sky).image(&pixels),
        };
        let mut bad: Vec<bool> =
            pixels.iter().zip(&noise).map(|(p, s)| !(p.is_finite() && s.is_finite() && *s > 0.0)).collect();
        if let Some((option, mask)) = &self.mask {
            let masked = part.pixels(self.same_size(mask, option)?);
            bad.iter_mut().zip(masked).for_each(|(bad, m)| *bad |= m != 0.0);
        }
        let level = match how.sky {
            Sky::Held(level) | Sky::Fitted(level) => level,
        };
        let sigma = self.noise(&stamp.sky).sky;
        let counted: Vec<f32> =
            pixels.iter().zip(&bad).map(|(&p, &bad)| if bad { f32::NAN } else { p }).collect();
        let patch = Patch { pixels: &counted, width: part.width, level, sigma };
        let centre = (stamp.x - (part.corner.0 - 1) as f64, stamp.y - (part.corner.1 - 1) as f64);
        let initial = Initial::detected(&patch, centre, zero_point)?;

        // GALFIT reads no blank pixels; what they hold does not count.
        pixels.iter_mut().filter(|p| !p.is_finite()).for_each(|p| *p = 0.0);
        let largest = noise.iter().copied().filter(|s| s.is_finite()).fold(1.0, f32::max);
        let noise: Vec<f32> =
            noise.iter().map(|&s| if s.is_finite() && s > 0.0 { s } else { largest }).collect();
        // GALFIT divides an image by its EXPTIME before it applies the zero point, which is that of the image as it is.
        let numbers = [
            ("EXPTIME", 1.0, "[s] the zero point is that of the pixels"),
            ("GAIN", 1.0, ""),
            ("NCOMBINE", 1.0, ""),
        ];
        let place = Some((*image, part.corner));
        let write = |name: &str, pixels: &[f32]| {
            let cutout = Cutout { pixels, width: part.width, numbers: &numbers, part_of: place };
            cutout.write(&folder.join(name))
        };
        write(workspace::IMAGE, &pixels)?;
        write(workspace::SIGMA, &noise)?;
        let any_bad = bad.iter().any(|&bad| bad);
        if any_bad {
            write(workspace::MASK, &bad.iter().map(|&bad| f32::from(u8::from(bad))).collect::<Vec<_>>())?;
        }
        let feedme = Feedme {
            image: workspace::IMAGE.into(),
            block: workspace::BLOCK.into(),
            sigma: Some(workspace::SIGMA.into()),
            psf: how.psf.as_ref().map(|_| format!("../../{}", workspace::PSF)),
            mask: any_bad.then(|| workspace::MASK.into()),
            constraints: Some(format!("../../{}", workspace::CONSTRAINTS)),
            size: (part.width, part.height),
            convolution: self.convolution,
            zero_point,
            pixel_scale: pixel_scale.unwrap_or(1.0),
            initial,
            sky: how.sky,
        };
        crate::files::replace(&folder.join(workspace::FEEDME), feedme.to_string().as_bytes())?;
        let object = Object {
            id: self.id.clone(),
            file: image.path.display().to_string(),
            corner: [part.corner.0, part.corner.1],
            zero_point,
            pixel_scale: pixel_scale.unwrap_or(f64::NAN),
            snr: stamp.snr,
            flags: flags.0,
            initial,
        };
        object.write(folder)
    }

    fn noise(&self, border: &crate::fits::Background) -> Noise {
        let (header, input) = (&self.image.header, self.input);
        let sky = self.how.sigma.or(input.sigma);
        let exposure = self.how.exposure.or(input.exposure);
        Noise::of(border, header.unit.as_deref(), header.exposure, sky, exposure)
    }

    fn same_size<'b>(&self, other: &'b Image, option: &str) -> Result<&'b Image> {
        let image = self.image;
        if (other.width, other.height) == (image.width, image.height) {
            return Ok(other);
        }
        Err(Error::fits_hdu(
            &other.path,
            other.hdu,
            format!(
                "{option}: {} has {}×{} pixels, but {} of {} has {}×{}",
                other.name,
                other.width,
                other.height,
                image.name,
                image.path.display(),
                image.width,
                image.height
            ),
        ))
    }
}

#[cfg(test)]
mod tests;
