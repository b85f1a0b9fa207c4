//! All of it in order, in bounded memory.

use super::background::Background;
use super::clean;
use super::components::{Components, Pixel};
use super::deblend::deblend;
use super::isophote::Isophote;
use super::photometry::apertures;
use super::prepared::{Prepared, smooth};
use super::settings::Settings;
use super::source::{Flags, Footprint, Source};
use super::window::{Tile, Window};
use crate::{Error, Result};
use rayon::prelude::*;

/// What was found on an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The sources, by row and then column.
    pub sources: Vec<Source>,
    /// The sky.
    pub background: Background,
    /// Columns of the image.
    pub width: usize,
    /// Rows of the image.
    pub height: usize,
    footprints: Vec<Footprint>,
}

impl Detection {
    /// Which source each pixel of a window belongs to, row-major: its place in the list counted from 1, or 0.
    pub fn segmentation(&self, window: Window) -> Vec<u32> {
        let mut map = vec![0; window.area()];
        for (i, footprint) in self.footprints.iter().enumerate().filter(|(_, f)| f.meets(window)) {
            footprint.paint(window, &mut map, i as u32 + 1);
        }
        map
    }

    /// Keeps the sources that `wanted` says, their pixels with them: brighter than a magnitude, above a signal-to-noise ratio
    /// … The others' pixels then belong to nobody.
    pub fn retain(&mut self, wanted: impl Fn(&Source) -> bool) {
        let kept: Vec<bool> = self.sources.iter().map(wanted).collect();
        let mut keep = kept.iter();
        self.sources.retain(|_| keep.next().copied().unwrap_or(false));
        let mut keep = kept.iter();
        self.footprints.retain(|_| keep.next().copied().unwrap_or(false));
    }
}

/// Finds the sources on an image of `width` columns, row-major, its first row the lowest. `rms` is the standard deviation of
/// each pixel's noise, in place of what is measured on the image; pixels whose `mask` is true, or that are not finite, are
/// not used.
///
/// # Errors
/// [`Error::Shape`] where the arrays' sizes do not fit, [`Error::Usage`] for settings that make no sense.
pub fn detect(
    pixels: &[f32],
    width: usize,
    rms: Option<&[f32]>,
    mask: Option<&[bool]>,
    settings: &Settings,
) -> Result<Detection> {
    let shape = |what: &str, n: usize| Err(Error::shape("detect", format!("{n} {what} for rows of {width}")));
    if width == 0 || !pixels.len().is_multiple_of(width) {
        return shape("pixels", pixels.len());
    }
    for (what, length) in [("rms values", rms.map(<[f32]>::len)), ("mask values", mask.map(<[bool]>::len))] {
        if let Some(length) = length.filter(|&length| length != pixels.len()) {
            return shape(&format!("{what} and {} pixels", pixels.len()), length);
        }
    }
    let read = |window| Ok(Tile::cut(window, width, pixels, rms, mask));
    detect_windows(width, pixels.len() / width, read, settings)
}

/// Finds the sources on an image of any size that `read` gives in windows, each part of it three times: for the sky, for the
/// pixels above the threshold, for the light around the sources. Memory holds some windows of
/// [`Settings::pixels_at_once`] pixels and what is found, and the result does not depend on them. The first two passes read
/// whole rows in order, the third squares.
///
/// # Errors
/// Those of `read`; [`Error::Shape`] for an image without pixels, or where `read` gives arrays of another size than the
/// window's; [`Error::Usage`] for settings that make no sense.
pub fn detect_windows(
    width: usize,
    height: usize,
    mut read: impl FnMut(Window) -> Result<Tile>,
    settings: &Settings,
) -> Result<Detection> {
    settings.check()?;
    let fits = |n: usize| n > 0 && u32::try_from(n).is_ok();
    if !fits(width) || !fits(height) {
        return Err(Error::shape("detect", format!("an image of {width}×{height} pixels")));
    }
    let size = (width, height);
    let background = Background::measure(size, &mut read, settings)?;
    let mut found = isophotes(size, &mut read, &background, settings)?;
    found.sort_by(|a, b| {
        a.isophote
            .y
            .total_cmp(&b.isophote.y)
            .then(a.isophote.x.total_cmp(&b.isophote.x))
            .then(a.first.cmp(&b.first))
    });
    if let Some(beta) = settings.clean {
        let shapes: Vec<Isophote> = found.iter().map(|f| f.isophote.clone()).collect();
        let mut survives = clean::survivors(&shapes, beta).into_iter();
        found.retain(|_| survives.next().unwrap_or(false));
    }
    let composites = composites(&found);
    let (shapes, footprints): (Vec<Isophote>, Vec<Footprint>) =
        found.iter().map(|f| (f.isophote.clone(), f.footprint.clone())).unzip();
    let apertures = apertures(&shapes, &footprints, size, &mut read, &background, settings)?;
    let sources = found
        .iter()
        .zip(&composites)
        .zip(apertures)
        .map(|((found, &composite), apertures)| {
            let shape = &found.isophote;
            let (a, b, angle) = shape.axes();
            let (bounds, mut flags) = (found.footprint.bounds, apertures.flags);
            flags.set(Flags::DEBLENDED, found.deblended);
            let edge = bounds.x == 0
                || bounds.y == 0
                || bounds.x + bounds.width == width
                || bounds.y + bounds.height == height;
            flags.set(Flags::EDGE, edge);
            // From +y instead of +x, in (−90, 90].
            let pa = angle.to_degrees() - 90.0;
            let flux_auto_err = apertures.variance.sqrt();
            Source {
                x: shape.x + 1.0,
                y: shape.y + 1.0,
                x_windowed: apertures.x + 1.0,
                y_windowed: apertures.y + 1.0,
                flux: shape.flux,
                flux_err: shape.variance.sqrt(),
                flux_auto: apertures.flux,
                flux_auto_err,
                kron_radius: apertures.kron_radius,
                half_light_radius: apertures.half_light_radius,
                a,
                b,
                pa: if pa <= -90.0 { pa + 180.0 } else { pa },
                peak: shape.peak,
                area: shape.area,
                snr: apertures.flux / flux_auto_err,
                composite,
                flags,
            }
        })
        .collect();
    Ok(Detection { sources, background, width, height, footprints })
}

/// A source before its light is summed.
struct Found {
    isophote: Isophote,
    footprint: Footprint,
    /// The first pixel, row and column, of the connected pixels that it is part of: their name.
    first: (u32, u32),
    deblended: bool,
}

/// The sources above the threshold, in no particular order.
fn isophotes(
    size: (usize, usize),
    read: &mut impl FnMut(Window) -> Result<Tile>,
    background: &Background,
    settings: &Settings,
) -> Result<Vec<Found>> {
    let (width, height) = size;
    let rows_at_once = (settings.pixels_at_once / width).max(1);
    let mut components = Components::default();
    let mut found = Vec::new();
    for first in (0..height).step_by(rows_at_once) {
        let end = (first + rows_at_once).min(height);
        let window = Window::band(size, first, end, settings.kernel.height() / 2);
        let prepared = Prepared::read(window, read, background, settings)?;
        let smoothed = smooth(&prepared.pixels, width, first - window.y..end - window.y, &settings.kernel);
        let bright: Vec<Vec<Pixel>> = (first..end)
            .into_par_iter()
            .map(|y| {
                let raw = (y - window.y) * width;
                let smoothed = &smoothed[(y - first) * width..][..width];
                let rms = &prepared.rms[raw..][..width];
                let above = |&x: &usize| f64::from(smoothed[x]) > settings.threshold * f64::from(rms[x]);
                let pixel = |x: usize| Pixel {
                    x: x as u32,
                    y: y as u32,
                    value: prepared.pixels[raw + x],
                    smooth: smoothed[x],
                    rms: rms[x],
                };
                (0..width).filter(above).map(pixel).collect()
            })
            .collect();
        let mut complete: Vec<Vec<Pixel>> = bright.iter().flat_map(|row| components.row(row)).collect();
        if end == height {
            complete.extend(std::mem::take(&mut components).finish());
        }
        found.par_extend(complete.into_par_iter().flat_map_iter(|pixels| take_apart(pixels, settings)));
    }
    Ok(found)
}

/// The sources that connected pixels are.
fn take_apart(pixels: Vec<Pixel>, settings: &Settings) -> Vec<Found> {
    let Some(&Pixel { x, y, .. }) = pixels.first() else { return Vec::new() };
    if pixels.len() < settings.min_area {
        return Vec::new();
    }
    let lowest = pixels.iter().map(|p| f64::from(p.rms)).fold(f64::INFINITY, f64::min);
    let threshold = settings.threshold * lowest;
    let parts = deblend(pixels, threshold, settings);
    let deblended = parts.len() > 1;
    parts
        .iter()
        .map(|part| {
            let isophote = Isophote::measure(part, threshold, settings.min_area);
            Found { isophote, footprint: Footprint::new(part), first: (y, x), deblended }
        })
        .collect()
}

/// The composites' numbers, counted from 0 in the order in which the list comes to them.
fn composites(found: &[Found]) -> Vec<usize> {
    let mut numbers = std::collections::HashMap::new();
    found
        .iter()
        .map(|f| {
            let next = numbers.len();
            *numbers.entry(f.first).or_insert(next)
        })
        .collect()
}
