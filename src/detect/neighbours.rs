//! Who stands beside whom, by a grid of cells rather than by looking at every pair.

use super::source::Source;
use rayon::prelude::*;
use std::collections::HashMap;

/// A source beside another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Which source of the list it is.
    pub index: usize,
    /// Its Kron flux over that of the source it is beside.
    pub ratio: f64,
    /// Its distance, pixels.
    pub distance: f64,
    /// Whether the two touch and were taken apart.
    pub blended: bool,
}

/// For each source the brightest (in Kron flux) other source within `reach` pixels; of equally bright ones the nearest.
/// `None` where there is none. A ratio is NaN where the source itself has no positive flux.
pub fn neighbours(sources: &[Source], reach: f64) -> Vec<Option<Neighbour>> {
    let places = Places::new(sources.iter().map(|s| (s.x, s.y)), reach);
    let beside = |(i, source): (usize, &Source)| {
        let near = places.near(source.x, source.y, reach).filter(|&(j, _)| j != i);
        let (index, distance) = near.min_by(|&(i, d), &(j, e)| {
            sources[j].flux_auto.total_cmp(&sources[i].flux_auto).then(d.total_cmp(&e)).then(i.cmp(&j))
        })?;
        let other = &sources[index];
        let ratio = if source.flux_auto > 0.0 { other.flux_auto / source.flux_auto } else { f64::NAN };
        Some(Neighbour { index, ratio, distance, blended: other.composite == source.composite })
    };
    sources.par_iter().enumerate().map(beside).collect()
}

/// Points sorted into square cells.
pub(super) struct Places {
    side: f64,
    points: Vec<(f64, f64)>,
    cells: HashMap<(i64, i64), Vec<usize>>,
}

impl Places {
    /// With cells of this side, near the distances that will be asked for.
    pub(super) fn new(points: impl Iterator<Item = (f64, f64)>, side: f64) -> Self {
        let side = side.max(1.0);
        let points: Vec<(f64, f64)> = points.collect();
        let mut cells: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
        for (i, &(x, y)) in points.iter().enumerate() {
            cells.entry(((x / side) as i64, (y / side) as i64)).or_default().push(i);
        }
        Places { side, points, cells }
    }

    /// The points within `reach`, with their distances, in a fixed order.
    pub(super) fn near(&self, x: f64, y: f64, reach: f64) -> impl Iterator<Item = (usize, f64)> {
        let range = |v: f64| ((v - reach) / self.side).floor() as i64..=((v + reach) / self.side) as i64;
        let columns = range(x);
        range(y)
            .flat_map(move |row| columns.clone().map(move |column| (column, row)))
            .filter_map(|cell| self.cells.get(&cell))
            .flatten()
            .map(move |&i| (i, (self.points[i].0 - x).hypot(self.points[i].1 - y)))
            .filter(move |&(_, distance)| distance <= reach)
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::example;
    use super::*;

    fn source(i: u32) -> Source {
        let words = crate::rng::philox([i, 0, 0, 8], [3, 0]);
        let unit = |k: usize| f64::from(crate::rng::unit_f32(words[k]));
        Source {
            x: 1.0 + 300.0 * unit(0),
            y: 1.0 + 200.0 * unit(1),
            flux_auto: (8.0 * unit(2)).exp() - 1.5,
            composite: (words[3] % 40) as usize,
            ..example()
        }
    }

    #[test]
    fn the_grid_finds_what_looking_at_every_pair_finds() {
        let sources: Vec<Source> = (0..400).map(source).collect();
        let found = neighbours(&sources, 9.5);
        for (i, source) in sources.iter().enumerate() {
            let mut best: Option<(f64, usize)> = None;
            for (j, other) in sources.iter().enumerate() {
                let near = (source.x - other.x).hypot(source.y - other.y) <= 9.5;
                if i != j && near && best.is_none_or(|(flux, _)| other.flux_auto > flux) {
                    best = Some((other.flux_auto, j));
                }
            }
            assert_eq!(found[i].map(|n| n.index), best.map(|b| b.1));
            if let Some(n) = found[i] {
                assert_eq!(n.blended, sources[n.index].composite == source.composite);
                assert_eq!(n.ratio.is_nan(), source.flux_auto <= 0.0);
            }
        }
        assert!(found.iter().any(Option::is_none) && found.iter().flatten().count() > 200);
    }

    #[test]
    fn nobody_is_beside_the_only_source() {
        assert_eq!(neighbours(&[source(1)], 1e6), [None]);
        assert_eq!(neighbours(&[], 10.0), []);
    }
}
