//! The light of others on a galaxy's stamp: pixels much brighter than those that should be alike, opposite the galaxy's
//! centre or at the same elliptical radius. Neither depends on how well the galaxy's profile is known, so that a wrong
//! one stays visible as what it leaves. Holes, far darker than the sky or their like, are left out too.

use super::search::Place;

/// No pixel as near the centre as this is taken for another's, pixels.
const CORE: f64 = 2.5;
/// What a pixel may exceed those like it by, as a part of their light: arms and bars do.
const UNLIKE: f64 = 0.5;
/// And what beyond that, in σ, of a pixel alone and of the mean of 3×3.
const ALONE: f64 = 5.0;
const TOGETHER: f64 = 3.0;
/// Pixels beside those are another's too down to this mean excess of 3×3, σ.
const FAINTEST: f64 = 1.0;
/// And so are those within as many pixels.
const GROWTH: i64 = 3;
/// A hole is a pixel as many σ below those like it.
const HOLE: f64 = 8.0;
/// Fewest pixels for a median.
const FEWEST: usize = 5;

/// The pixels of a square stamp and what is known of their noise.
pub(super) struct Pixels<'a> {
    pub(super) size: usize,
    /// Light above the sky.
    pub(super) light: &'a [f64],
    /// Standard deviations; not positive for bad pixels.
    pub(super) sigma: &'a [f64],
}

impl Pixels<'_> {
    fn good(&self, i: usize) -> bool {
        self.sigma[i] > 0.0
    }

    /// Indices of the pixels within `reach` rows and columns of a place, which may lie outside.
    fn around(&self, column: i64, row: i64, reach: i64) -> impl Iterator<Item = usize> {
        let size = self.size as i64;
        let (left, right) = ((column - reach).max(0), (column + reach).min(size - 1));
        ((row - reach).max(0)..=(row + reach).min(size - 1))
            .flat_map(move |y| (left..=right).map(move |x| (y * size + x) as usize))
    }

    fn place(&self, i: usize) -> (i64, i64) {
        ((i % self.size) as i64, (i / self.size) as i64)
    }

    /// Pixels brighter than those opposite the centre: true for the light of others.
    pub(super) fn unlike_opposite(&self, (x, y): (f64, f64)) -> Vec<bool> {
        let expected = |i: usize| {
            let (column, row) = self.place(i);
            let opposite = (2.0 * x - 2.0 - column as f64, 2.0 * y - 2.0 - row as f64);
            // The brightest of 3×3, as the centre is not known to a fraction of a pixel.
            self.around(opposite.0.round() as i64, opposite.1.round() as i64, 1)
                .filter(|&j| self.good(j))
                .map(|j| self.light[j])
                .reduce(f64::max)
        };
        self.of_others((x, y), &(0..self.light.len()).map(expected).collect::<Vec<_>>())
    }

    /// Pixels brighter than others at the same elliptical radius and than the model: true for the light of others.
    /// `known` are those already found; `model` is the galaxy's light, and `q` the axis ratio that it has on the image.
    pub(super) fn unlike_ellipse(&self, place: &Place, q: f64, known: &[bool], model: &[f64]) -> Vec<bool> {
        let rings: Vec<usize> = (0..self.light.len()).map(|i| ring(place.radius(i, self.size, q))).collect();
        let mut values = vec![Vec::new(); rings.iter().max().map_or(0, |&last| last + 1)];
        for (i, &ring) in rings.iter().enumerate() {
            if self.good(i) && !known[i] {
                values[ring].push(self.light[i]);
            }
        }
        let medians: Vec<Option<f64>> = values
            .into_iter()
            .map(|mut values| {
                let middle = values.len() / 2;
                (values.len() >= FEWEST).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
            })
            .collect();
        let expected = |i: usize| medians[rings[i]].map(|median| median.max(model[i])).or(Some(model[i]));
        let mut others =
            self.of_others((place.x, place.y), &(0..self.light.len()).map(expected).collect::<Vec<_>>());
        for (i, other) in others.iter_mut().enumerate() {
            // Half of the light is left to dust lanes.
            let least =
                (1.0 - UNLIKE) * medians[rings[i]].map_or(0.0, |median| median.min(model[i])).max(0.0);
            let hole = self.good(i) && self.light[i] - least < -HOLE * self.sigma[i];
            *other |= known[i] || hole;
        }
        others
    }

    /// Pixels that exceed what is expected of them, and those around.
    fn of_others(&self, (x, y): (f64, f64), expected: &[Option<f64>]) -> Vec<bool> {
        let count = self.light.len();
        let in_core = |i: usize| {
            let (column, row) = self.place(i);
            (column as f64 + 1.0 - x).hypot(row as f64 + 1.0 - y) <= CORE
        };
        let excess: Vec<f64> = (0..count)
            .map(|i| match expected[i] {
                Some(expected) if self.good(i) && !in_core(i) => {
                    self.light[i] - expected - UNLIKE * expected.max(0.0)
                }
                _ => 0.0,
            })
            .collect();
        let mean: Vec<f64> = (0..count)
            .map(|i| {
                let (column, row) = self.place(i);
                let near = self.around(column, row, 1).filter(|&j| self.good(j));
                let (sum, n) = near.fold((0.0, 0), |(sum, n), j| (sum + excess[j], n + 1));
                if n > 0 { sum / f64::from(n) } else { 0.0 }
            })
            .collect();
        let mut other = vec![false; count];
        let mut edge: Vec<usize> = Vec::new();
        for i in (0..count).filter(|&i| self.good(i) && !in_core(i)) {
            if excess[i] > ALONE * self.sigma[i] || mean[i] > TOGETHER * self.sigma[i] {
                other[i] = true;
                edge.push(i);
            }
        }
        while let Some(i) = edge.pop() {
            let (column, row) = self.place(i);
            for j in self.around(column, row, 1) {
                let (c, r) = self.place(j);
                let beside = (c - column).abs() + (r - row).abs() == 1;
                if beside && !other[j] && self.good(j) && mean[j] > FAINTEST * self.sigma[j] && !in_core(j) {
                    other[j] = true;
                    edge.push(j);
                }
            }
        }
        let mut grown = other.clone();
        for i in (0..count).filter(|&i| other[i]) {
            let (column, row) = self.place(i);
            for j in self.around(column, row, GROWTH) {
                grown[j] |= !in_core(j);
            }
        }
        grown
    }
}

/// Which ring an elliptical radius belongs to: one pixel wide, and a tenth of the radius further out.
fn ring(radius: f64) -> usize {
    if radius < 10.0 { radius as usize } else { 10 + (10.0 * (radius / 10.0).ln()) as usize }
}
