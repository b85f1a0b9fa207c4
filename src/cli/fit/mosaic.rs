//! Measuring on a mosaic: where its galaxies are, from a catalogue or by detection.

use super::super::{Common, progress};
use crate::detect::{Settings, Source};
use crate::fits::{Layers, Mosaic, PositionColumns, detect_sources};
use crate::legato::{Catalogued, Field, FitOptions, Location, Locations, Objects, Preparation};
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// An image of at least as many pixels along both sides is taken for a mosaic where nothing else is said.
const SMALLEST: usize = 512;

/// Options that make one image a mosaic with many galaxies.
#[derive(Args)]
pub(super) struct MosaicArguments {
    /// Catalogue of the galaxies' places: FITS, CSV or ECSV, with RA and DEC in degrees or X and Y in FITS pixels
    #[arg(long, alias = "catalogue", value_name = "FILE", help_heading = "Mosaics")]
    catalog: Option<PathBuf>,
    /// Names of the catalogue's columns, as ra=ALPHA,dec=DELTA or x=XCEN,y=YCEN, and id=NUMBER [default: guessed]
    #[arg(long, value_name = "NAMES", requires = "catalog", help_heading = "Mosaics")]
    columns: Option<PositionColumns>,
    /// Map of the noise's standard deviation, of the mosaic's size
    #[arg(long, help_heading = "Mosaics", conflicts_with = "weight")]
    rms: Option<PathBuf>,
    /// Map of inverse variances in place of --rms
    #[arg(long, help_heading = "Mosaics")]
    weight: Option<PathBuf>,
    /// Mask: pixels where it is not zero are bad
    #[arg(long, help_heading = "Mosaics")]
    mask: Option<PathBuf>,
    /// Find the galaxies on the image [default for a single image of 512 pixels and more along both sides]
    #[arg(long, help_heading = "Mosaics", conflicts_with = "stamps")]
    detect: bool,
    /// Take every image for the stamp of one galaxy, however large it is
    #[arg(long, help_heading = "Mosaics")]
    stamps: bool,
    /// Found are pixels above the sky by so many standard deviations of its noise
    #[arg(long, default_value_t = Settings::default().threshold, help_heading = "Mosaics")]
    threshold: f64,
    /// Of those that were found, measure the ones with at least this signal-to-noise ratio
    #[arg(long, default_value_t = 10.0, help_heading = "Mosaics")]
    min_snr: f64,
    /// Of those that were found, measure the ones as bright as this AB magnitude
    #[arg(long, help_heading = "Mosaics")]
    faintest: Option<f64>,
}

impl MosaicArguments {
    /// Whether `images` are one mosaic, by what was asked for or by its size.
    ///
    /// # Errors
    /// Several images where one is needed; maps without a mosaic.
    pub(super) fn is_mosaic(&self, images: &[PathBuf]) -> Result<bool> {
        let maps = [&self.rms, &self.weight, &self.mask].iter().any(|map| map.is_some());
        let asked = self.catalog.is_some() || self.detect;
        match images {
            [one] if !self.stamps => {
                Ok(asked || Mosaic::open(one).is_ok_and(|m| m.width().min(m.height()) >= SMALLEST) || maps)
            }
            _ if asked || maps => {
                let what =
                    if self.catalog.is_some() { "a catalogue of positions" } else { "a map, or --detect," };
                let why =
                    if self.stamps { "not of --stamps" } else { "not of several images: give one at a time" };
                Err(Error::Usage(format!("{what} is of one mosaic, {why}")))
            }
            _ => Ok(false),
        }
    }

    /// The mosaic with its maps.
    pub(super) fn open(&self, path: &Path) -> Result<Layers> {
        let mut layers = Layers::new(Mosaic::open(path)?);
        if let Some(rms) = &self.rms {
            layers = layers.with_rms(rms)?;
        }
        if let Some(weight) = &self.weight {
            layers = layers.with_weight(weight)?;
        }
        match &self.mask {
            Some(mask) => layers.with_mask(mask),
            None => Ok(layers),
        }
    }

    /// The galaxies of the mosaic at `path`.
    ///
    /// # Errors
    /// Files that cannot be read, and those of [`MosaicArguments::find`].
    pub(super) fn galaxies(
        &self,
        mut layers: Layers,
        path: &Path,
        preparation: Preparation,
        options: &FitOptions,
        common: &Common,
    ) -> Result<Box<dyn Objects>> {
        let calibration = layers.image().header().calibrate(options.zero_point);
        let path = path.to_owned();
        let files =
            [Some(&path), self.rms.as_ref(), self.weight.as_ref(), self.mask.as_ref(), self.catalog.as_ref()];
        let files: Vec<PathBuf> = files.into_iter().flatten().cloned().collect();
        if let Some(catalog) = &self.catalog {
            let columns = self.columns.clone().unwrap_or_default();
            let locations = Catalogued::open(catalog, &columns, layers.image())?;
            common.say(format!(
                "{}: {} galaxies, {}",
                catalog.display(),
                locations.total(),
                locations.columns()
            ));
            return Ok(Box::new(Field::new(layers, locations, preparation, files)));
        }
        let locations = self.find(&mut layers, calibration.value, common)?;
        let faintest = self.faintest.map_or(String::new(), |limit| format!(", {limit} mag"));
        let how = format!("{} sigma, S/N {}{faintest}", self.threshold, self.min_snr);
        Ok(Box::new(Field::new(layers, locations, preparation, files).found_by(how)))
    }

    /// Finds the galaxies of a mosaic whose zero point is `zero_point`.
    ///
    /// # Errors
    /// Pixels that cannot be read; a limit in magnitudes where the zero point is not known.
    fn find(&self, layers: &mut Layers, zero_point: Option<f64>, common: &Common) -> Result<Vec<Location>> {
        if self.faintest.is_some() && zero_point.is_none() {
            return Err(Error::Usage("--faintest needs the images' zero point: give --zero-point".into()));
        }
        let bar = progress::spinner(common, "looking for galaxies");
        let settings = Settings { threshold: self.threshold, ..Settings::default() };
        let found = detect_sources(layers, &settings)?;
        bar.finish_and_clear();
        let bright = |s: &&Source| {
            let mag = || s.magnitude(zero_point.unwrap_or(f64::NAN));
            s.snr >= self.min_snr && self.faintest.is_none_or(|limit| mag() <= limit)
        };
        let nan = f64::NAN;
        let place = |(number, s): (usize, &Source)| Location {
            id: format!("{}", number + 1),
            x: if s.x_windowed.is_finite() { s.x_windowed } else { s.x },
            y: if s.y_windowed.is_finite() { s.y_windowed } else { s.y },
            ra: nan,
            dec: nan,
        };
        let places: Vec<Location> = found.sources.iter().filter(bright).enumerate().map(place).collect();
        common.say(format!("{} sources found, {} of them to be measured", found.sources.len(), places.len()));
        Ok(places)
    }
}
