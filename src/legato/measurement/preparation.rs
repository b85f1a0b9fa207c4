//! How what is cut out of an image becomes what the networks were trained on, in unit and pixel scale.

use crate::Result;
use crate::fits::{Cutter, Flags, Header, Image, Layers, Row, Stamp};
use crate::legato::Provenance;
use crate::legato::measurement::Object;

/// What an image's header may leave open, or has wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FitOptions {
    /// AB zero point of the images, in place of their headers'.
    pub zero_point: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'.
    pub pixel_scale: Option<f64>,
    /// What a saturated pixel reaches, in the images' unit, in place of their headers' `SATURATE`.
    pub saturation: Option<f64>,
    /// Seed of the noise that stands where an image has no data.
    pub seed: u64,
}

/// Makes objects of images.
#[derive(Clone, Debug)]
pub struct Preparation {
    cutter: Cutter,
    networks: Provenance,
    options: FitOptions,
}

impl Preparation {
    /// For networks that take stamps of `size`² pixels.
    pub fn new(networks: &Provenance, size: usize, options: &FitOptions) -> Self {
        let known = Some(networks.pixel_scale).filter(|scale| scale.is_finite());
        let cutter = Cutter {
            pixel_scale: known,
            image_scale: options.pixel_scale,
            saturation: options.saturation,
            seed: options.seed,
            ..Cutter::new(size)
        };
        Preparation { cutter, networks: networks.clone(), options: *options }
    }

    /// The galaxy in the middle of an image.
    pub(super) fn image(&self, image: &Image, index: u64) -> Object {
        let stamp = self.cutter.from_image(image, None, index);
        let row = Row { id: image.name.clone(), file: image.path.display().to_string(), ..Row::default() };
        self.object(stamp, row, &image.header, index)
    }

    /// The galaxy at a place of a mosaic, FITS pixels; `row` has its name.
    ///
    /// # Errors
    /// Pixels that cannot be read.
    pub(super) fn mosaic(
        &self,
        layers: &mut Layers,
        (x, y): (f64, f64),
        row: Row,
        index: u64,
    ) -> Result<Object> {
        let stamp = self.cutter.from_mosaic(layers, (x, y), index)?;
        let header = layers.image().header();
        let row = Row { file: layers.image().path().display().to_string(), ..row };
        Ok(self.object(stamp, row, header, index))
    }

    /// In the networks' unit, with what is known before any measurement.
    fn object(&self, mut stamp: Stamp, row: Row, header: &Header, index: u64) -> Object {
        let known = header
            .calibrate(self.options.zero_point)
            .value
            .and_then(|zero_point| self.networks.flux_factor(zero_point));
        multiply(&mut stamp, known.unwrap_or(1.0));
        stamp.flags.set(Flags::ZERO_POINT_ASSUMED, known.is_none());
        let sky = header.wcs.as_ref().map(|wcs| wcs.sky(stamp.x, stamp.y));
        // A catalogue's own position is exact.
        let (ra, dec) = match sky {
            Some(sky) if row.ra.is_nan() => sky,
            _ => (row.ra, row.dec),
        };
        let row =
            Row { ra, dec, x: stamp.x, y: stamp.y, snr: stamp.snr, flags: row.flags | stamp.flags, ..row };
        let pixel_scale = self.options.pixel_scale.or(header.pixel_scale).unwrap_or(f64::NAN);
        Object { index, row, stamp, pixel_scale, wcs: header.wcs.clone() }
    }

    /// What a catalogue says of it.
    pub(super) fn describe(&self) -> Vec<(String, String)> {
        let told = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {value}"));
        let given = [
            told("zero point", self.options.zero_point),
            told("pixel scale", self.options.pixel_scale),
            told("saturation", self.options.saturation),
            Some(format!("seed {}", self.options.seed)),
        ];
        vec![("OPTIONS".to_owned(), given.into_iter().flatten().collect::<Vec<_>>().join(", "))]
    }
}

/// Gives a stamp another flux unit.
fn multiply(stamp: &mut Stamp, factor: f64) {
    let numbers = stamp.pixels.iter_mut().chain(stamp.rms.iter_mut().flatten());
    numbers.for_each(|p| *p = (f64::from(*p) * factor) as f32);
    stamp.sky.level *= factor;
    stamp.sky.sigma *= factor;
}
