//! Real galaxies with labels: FITS images and a catalogue of what others have measured of them, as a data set.

use super::calibration::{flux_factor, same_scale};
use super::{Parameter, Stamps};
use crate::fits::{DatasetMeta, Flags, Image, Labels, cut, open_images};
use crate::sky::Truth;
use crate::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};

/// What the images' headers may leave open, and what is wanted of the stamps.
#[derive(Clone, Copy, Debug, Default)]
pub struct LabelOptions {
    /// AB zero point of the images, in place of their headers'.
    pub zero_point: Option<f64>,
    /// Pixel scale of the images, arcsec, in place of their headers'.
    pub pixel_scale: Option<f64>,
    /// The zero point that all stamps are brought to; that of the first image by default.
    pub common_zero_point: Option<f64>,
}

/// What became of images and labels; its `Display` is a paragraph.
#[derive(Debug, Default)]
pub struct LabelReport {
    /// Images that were read.
    pub images: usize,
    /// Stamps with labels.
    pub stamps: usize,
    /// Rows of the catalogue.
    pub rows: usize,
    /// What the images were called to find them in the catalogue; none where order decided.
    pub matched_by: Option<&'static str>,
    /// Images that the catalogue does not have, or has no value of.
    pub without_label: usize,
    /// Images whose fit failed, by the catalogue's own flag.
    pub bad_fits: usize,
    /// Images without one good pixel.
    pub without_data: usize,
    /// Images whose flux was multiplied to bring it to the common zero point.
    pub converted: usize,
    /// That zero point, AB mag.
    pub zero_point: f64,
    /// Pixel scale, arcsec.
    pub pixel_scale: f64,
    /// Which column the radius is from, and in which unit.
    pub radius: Option<String>,
    /// Stamps that have a value of each parameter.
    pub known: [usize; 4],
    /// Stamps whose border is not at zero: the sky may not be subtracted.
    pub sky_level: usize,
    /// Images that could not be read.
    pub failures: Vec<Error>,
}

/// An image as a stamp, and what it may be called.
struct Found {
    names: [String; 3],
    pixels: Vec<f32>,
    zero_point: f64,
    sigma: f64,
    flags: Flags,
}

/// What an image may be called in a catalogue, in the order in which it is tried.
const NAMES: [&str; 3] = ["file name", "EXTNAME", "OBJECT"];

impl Stamps {
    /// Reads images as `legato fit` does, one or more a file, and a catalogue of labels as [`Labels::read`]
    /// does, and makes a data set of the galaxies that have any: stamps of `size`² pixels at one zero point. What the
    /// labels leave open of a galaxy is NaN. An image that cannot be read is left out and told of in the report.
    ///
    /// # Errors
    /// The catalogue cannot be used; none of the images can be read or has a label; an image's zero point is not known,
    /// or its pixels are not of the others' size.
    pub fn labelled(
        images: &[PathBuf],
        catalogue: &Path,
        size: usize,
        options: &LabelOptions,
    ) -> Result<(Self, LabelReport)> {
        let mut report = LabelReport::default();
        let (mut found, mut scale) = (Vec::new(), None);
        for path in images {
            let opened = match open_images(path) {
                Ok(opened) => opened,
                Err(error) => {
                    report.failures.push(error);
                    continue;
                }
            };
            for image in opened {
                match image {
                    Ok(image) => found.push(stamp(&image, size, options, &mut scale)?),
                    Err(error) => report.failures.push(error),
                }
            }
        }
        let Some(first) = found.first() else {
            let nothing = Error::Usage("no image was given for the labels".into());
            return Err(report.failures.into_iter().next().unwrap_or(nothing));
        };
        let zero_point = options.common_zero_point.unwrap_or(first.zero_point);
        let pixel_scale = scale.unwrap_or(f64::NAN);
        let labels = Labels::read(catalogue, pixel_scale)?;
        let rows = match_images(&labels, &found, &mut report)?;

        let (mut pixels, mut truths, mut sigmas) = (Vec::new(), Vec::<Truth>::new(), Vec::new());
        report.images = found.len();
        for (image, row) in found.into_iter().zip(rows) {
            let Some((label, number)) = row.map(|row| (&labels.rows[row], row)) else {
                report.without_label += 1;
                continue;
            };
            let unknown = Truth::default();
            let truth = Truth {
                id: label.id.parse().unwrap_or(number as i64),
                mag: label.mag.unwrap_or(unknown.mag),
                re_maj: label.re_maj.unwrap_or(unknown.re_maj),
                re_circ: label.re_maj.zip(label.q).map_or(unknown.re_circ, |(re, q)| re * q.sqrt()),
                n: label.n.unwrap_or(unknown.n),
                q: label.q.unwrap_or(unknown.q),
                ..unknown
            };
            let known = Parameter::ALL.map(|parameter| parameter.of(&truth).is_finite());
            if label.bad || image.flags.contains(Flags::NO_DATA) || !known.contains(&true) {
                let reason = match label.bad {
                    true => &mut report.bad_fits,
                    false if image.flags.contains(Flags::NO_DATA) => &mut report.without_data,
                    false => &mut report.without_label,
                };
                *reason += 1;
                continue;
            }
            report.known.iter_mut().zip(known).for_each(|(count, known)| *count += usize::from(known));
            report.sky_level += usize::from(image.flags.contains(Flags::SKY_LEVEL));
            let factor = flux_factor(image.zero_point, zero_point);
            report.converted += usize::from(factor != 1.0);
            pixels.extend(image.pixels.iter().map(|p| (f64::from(*p) * factor) as f32));
            sigmas.push(image.sigma * factor);
            truths.push(truth);
        }
        (report.stamps, report.rows) = (truths.len(), labels.rows.len());
        (report.zero_point, report.pixel_scale, report.radius) = (zero_point, pixel_scale, labels.radius);
        if truths.is_empty() {
            let message = format!("labels none of the images: {report}");
            return Err(Error::Catalogue { path: catalogue.to_owned(), message });
        }
        let meta = DatasetMeta {
            survey: catalogue.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned()),
            unit: String::new(),
            zero_point,
            pixel_scale,
            sigma: middle(sigmas),
            exposure: f64::NAN,
            seed: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let origin = format!("{} images with the labels of {}", truths.len(), catalogue.display());
        Ok((Stamps::assemble(size, pixels, truths, meta, origin), report))
    }
}

/// The stamp of an image; `scale` is the pixel scale of those before it, where it is known.
fn stamp(image: &Image, size: usize, options: &LabelOptions, scale: &mut Option<f64>) -> Result<Found> {
    let refuse = |message: String| Err(Error::fits_hdu(&image.path, image.hdu, message));
    let Some(zero_point) = options.zero_point.or(image.header.zero_point) else {
        return refuse("has no zero point (MAGZERO) in its header: state that of the images".into());
    };
    if let Some(pixels) = options.pixel_scale.or(image.header.pixel_scale) {
        let others = *scale.get_or_insert(pixels);
        if same_scale(pixels, others) == Some(false) {
            return refuse(format!(
                "has pixels of {pixels:.4}″, those before it {others:.4}″: images of one data set must have pixels of \
                 one size"
            ));
        }
    }
    let stamp = cut(image, size, None);
    let header = |text: &Option<String>| text.clone().unwrap_or_default();
    let names = [image.name.clone(), header(&image.header.extension), header(&image.header.object)];
    Ok(Found { names, pixels: stamp.pixels, zero_point, sigma: stamp.sky.sigma, flags: stamp.flags })
}

/// The row of each image, by whichever of its names the catalogue has first.
fn match_images(labels: &Labels, found: &[Found], report: &mut LabelReport) -> Result<Vec<Option<usize>>> {
    for (which, what) in NAMES.into_iter().enumerate() {
        let names: Vec<String> = found.iter().map(|image| image.names[which].clone()).collect();
        let rows = labels.match_ids(&names)?;
        if !labels.named {
            // As many rows as there are images mean nothing where one is missing.
            return match report.failures.pop() {
                Some(failure) => Err(failure),
                None => Ok(rows),
            };
        }
        if rows.iter().any(Option::is_some) {
            report.matched_by = Some(what);
            return Ok(rows);
        }
    }
    let row = labels.rows.first().map_or("", |label| label.id.as_str());
    let [file, extension, object] = &found[0].names;
    let message = format!(
        "has none of the {} images: its first row is called '{row}', the first image '{file}' (EXTNAME '{extension}', \
         OBJECT '{object}'); give the column ID these names, or leave it out and give a row for each image in order",
        found.len()
    );
    Err(Error::Catalogue { path: labels.path.clone(), message })
}

/// The median of what is known; NaN where nothing is.
fn middle(mut values: Vec<f64>) -> f64 {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for LabelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.matched_by.map_or_else(|| "in order".to_owned(), |name| format!("by {name}"));
        write!(
            f,
            "{} of {} images have labels, matched {by} to {} rows",
            self.stamps, self.images, self.rows
        )?;
        let why = [
            (self.without_label, "without a label"),
            (self.bad_fits, "whose fit failed"),
            (self.without_data, "without a good pixel"),
        ];
        let mut left_out = why.iter().filter(|(count, _)| *count > 0).peekable();
        if left_out.peek().is_some() {
            let words: Vec<String> = left_out.map(|(count, what)| format!("{count} {what}")).collect();
            write!(f, "; left out: {}", words.join(", "))?;
        }
        if !self.failures.is_empty() {
            write!(f, "; {} could not be read", self.failures.len())?;
        }
        if self.stamps == 0 {
            return Ok(());
        }
        let known: Vec<String> = Parameter::ALL
            .iter()
            .zip(self.known)
            .map(|(p, count)| format!("{count} {}", p.column()))
            .collect();
        write!(f, ". Labels: {}", known.join(", "))?;
        if let Some(radius) = &self.radius {
            write!(f, " (radius from {radius})")?;
        }
        write!(f, ". Zero point {}", self.zero_point)?;
        if self.converted > 0 {
            write!(f, ", to which {} were brought", self.converted)?;
        }
        match self.pixel_scale.is_finite() {
            true => write!(f, "; pixels of {:.4}″.", self.pixel_scale)?,
            false => write!(f, "; pixels of unknown size.")?,
        }
        if self.sky_level > 0 {
            write!(f, " The border of {} is not at zero: is the sky subtracted?", self.sky_level)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
