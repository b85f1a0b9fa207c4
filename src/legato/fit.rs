//! The main job: from FITS images to a catalogue.

use super::calibration::same_scale;
use super::predict::estimate;
use super::{Estimator, Parameter, Provenance};
use crate::engine::Gpu;
use crate::fits::{Catalogue, Flags, Image, Row, Stamp, cut, open_images};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What an image's header may leave open, and how to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct FitOptions {
    /// AB zero point of the images, in place of their headers'.
    pub zero_point: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'.
    pub pixel_scale: Option<f64>,
    /// Stamps a batch; 0 is taken as 1.
    pub batch: usize,
}

/// Measures every image of every file: one row an image, in order. A file that cannot be read costs
/// only its own rows: its error is returned beside the catalogue. `progress` hears how many
/// measurements are done.
///
/// # Errors
/// The device fails, or there is no estimator.
pub fn fit(
    gpu: &Gpu,
    estimators: &BTreeMap<Parameter, Estimator>,
    paths: &[PathBuf],
    options: &FitOptions,
    mut progress: impl FnMut(usize),
) -> Result<(Catalogue, Vec<Error>)> {
    let Some(any) = estimators.values().next() else {
        return Err(Error::Usage("no trained network was given".into()));
    };
    let calibration = Calibration { networks: &any.provenance, options: *options };
    let size = any.stamp_size();
    let (mut catalogue, mut failures) = (Catalogue::default(), Vec::new());
    let mut waiting: Vec<(Row, Stamp)> = Vec::new();
    let mut measure = |waiting: &mut Vec<(Row, Stamp)>| -> Result<()> {
        let count = waiting.len();
        catalogue.rows.extend(measure(gpu, estimators, std::mem::take(waiting))?);
        progress(count);
        Ok(())
    };
    for path in paths {
        let mut images = match open_images(path) {
            Ok(images) => images,
            Err(error) => {
                failures.push(error);
                continue;
            }
        };
        for image in &mut images {
            match image {
                Ok(image) => waiting.push(calibration.stamp(&image, size)),
                Err(error) => failures.push(error),
            }
            if waiting.len() >= options.batch.max(1) {
                measure(&mut waiting)?;
            }
        }
    }
    if !waiting.is_empty() {
        measure(&mut waiting)?;
    }
    catalogue.provenance = provenance(gpu, estimators);
    Ok((catalogue, failures))
}

/// How an image becomes one like those that the networks were trained on.
struct Calibration<'a> {
    /// Of any of the networks, which all take images of one calibration.
    networks: &'a Provenance,
    options: FitOptions,
}

impl Calibration<'_> {
    /// The image's stamp in the networks' flux unit, and the part of its row that is known before
    /// any measurement.
    fn stamp(&self, image: &Image, size: usize) -> (Row, Stamp) {
        let mut stamp = cut(image, size, None);
        let zero_point = self.options.zero_point.or(image.header.zero_point);
        let pixel_scale = self.options.pixel_scale.or(image.header.pixel_scale);
        let known = zero_point.and_then(|z| self.networks.flux_factor(z));
        let factor = known.unwrap_or(1.0);
        stamp.pixels.iter_mut().for_each(|p| *p = (f64::from(*p) * factor) as f32);
        stamp.flags.set(Flags::ZERO_POINT_ASSUMED, known.is_none());
        let same = pixel_scale.and_then(|scale| same_scale(scale, self.networks.pixel_scale));
        stamp.flags.set(Flags::PIXEL_SCALE, same != Some(true));
        let sky = image.header.wcs.as_ref().map(|wcs| wcs.sky(stamp.x, stamp.y));
        let (ra, dec) = sky.unwrap_or((f64::NAN, f64::NAN));
        let row = Row {
            ra,
            dec,
            id: image.name.clone(),
            file: image.path.display().to_string(),
            x: stamp.x,
            y: stamp.y,
            // Until the radius is known: arcsec a pixel.
            re_arcsec: pixel_scale.unwrap_or(f64::NAN),
            snr: stamp.snr,
            flags: stamp.flags,
            ..Row::default()
        };
        (row, stamp)
    }
}

/// The rows of a batch of stamps: all networks run over one upload.
fn measure(
    gpu: &Gpu,
    estimators: &BTreeMap<Parameter, Estimator>,
    batch: Vec<(Row, Stamp)>,
) -> Result<Vec<Row>> {
    let pixels: Vec<f32> = batch.iter().flat_map(|(_, stamp)| &stamp.pixels).copied().collect();
    let mut rows: Vec<Row> = batch.into_iter().map(|(row, _)| row).collect();
    for (estimator, estimates) in estimate(gpu, estimators, &pixels)? {
        for (row, value) in rows.iter_mut().zip(estimates) {
            if row.flags.contains(Flags::NO_DATA) {
                continue;
            }
            row.flags.set(Flags::OUT_OF_RANGE, !estimator.scaling().contains(value));
            match estimator.parameter() {
                Parameter::Magnitude => row.mag = value,
                Parameter::Radius => row.re_maj = value,
                Parameter::SersicIndex => row.n = value,
                Parameter::AxisRatio => row.q = value,
            }
        }
    }
    for row in &mut rows {
        row.re_arcsec *= row.re_maj;
        // Not `max`, which would make 0 of an unknown axis ratio.
        row.re_circ = row.re_maj * row.q.clamp(0.0, f64::INFINITY).sqrt();
    }
    Ok(rows)
}

fn provenance(gpu: &Gpu, estimators: &BTreeMap<Parameter, Estimator>) -> Vec<(String, String)> {
    let mut entries = vec![
        ("PROGRAM".to_owned(), format!("legato {}", env!("CARGO_PKG_VERSION"))),
        ("ADAPTER".to_owned(), gpu.description()),
    ];
    for (parameter, estimator) in estimators {
        let made = &estimator.provenance;
        let text = format!(
            "{}, {}, {} images seen, validation R2 {:.4}",
            estimator.path.display(),
            made.survey,
            made.images_seen,
            made.validation_r2
        );
        entries.push((format!("MODEL {}", parameter.column()), text));
    }
    let flags: Vec<String> = Flags::NAMES.iter().map(|(flag, name)| format!("{} {name}", flag.0)).collect();
    entries.push(("FLAGS".to_owned(), format!("sum of {}", flags.join(", "))));
    entries
}
