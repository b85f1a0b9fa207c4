//! Apertures on all sources, window by window.

use super::aperture::{Apertures, View, reach};
use super::background::Background;
use super::isophote::Isophote;
use super::prepared::Prepared;
use super::settings::Settings;
use super::source::Footprint;
use super::window::{Tile, Window};
use crate::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Measures the apertures of every source, whose number is its place in the lists counted from 1. The image is cut into
/// squares; the window that is read for one holds the apertures of all sources whose centres are in it, so that no square's
/// size can change a result. A source too large for that has a window of its own.
///
/// # Errors
/// Those of `read`.
pub(super) fn apertures(
    sources: &[Isophote],
    footprints: &[Footprint],
    size: (usize, usize),
    read: &mut impl FnMut(Window) -> Result<Tile>,
    background: &Background,
    settings: &Settings,
) -> Result<Vec<Apertures>> {
    let windows: Vec<Window> = sources.iter().map(|s| reach(s, size, settings.largest).0).collect();
    let side = ((settings.pixels_at_once as f64).sqrt() as usize / 2).max(1);
    // By square, in rows of them; the large ones after these, each for itself.
    let mut groups: BTreeMap<(usize, usize, usize), Vec<usize>> = BTreeMap::new();
    for (i, (source, window)) in sources.iter().zip(&windows).enumerate() {
        let key = if window.width.max(window.height) > side {
            (usize::MAX, i, 0)
        } else {
            (source.y as usize / side, source.x as usize / side, 0)
        };
        groups.entry(key).or_default().push(i);
    }
    let mut measured: Vec<Option<Apertures>> = vec![None; sources.len()];
    for members in groups.values() {
        let Some(window) = members.iter().map(|&i| windows[i]).reduce(Window::with) else { continue };
        let prepared = Prepared::read(window, read, background, settings)?;
        let mut labels = vec![0; window.area()];
        for (i, footprint) in footprints.iter().enumerate().filter(|(_, f)| f.meets(window)) {
            footprint.paint(window, &mut labels, i as u32 + 1);
        }
        let view = View { window, pixels: &prepared.pixels, rms: &prepared.rms, labels: &labels, size };
        let found: Vec<(usize, Apertures)> = members
            .par_iter()
            .map(|&i| (i, view.measure(&sources[i], i as u32 + 1, settings.largest)))
            .collect();
        found.into_iter().for_each(|(i, apertures)| measured[i] = Some(apertures));
    }
    // Every source was in a group.
    Ok(measured.into_iter().flatten().collect())
}
