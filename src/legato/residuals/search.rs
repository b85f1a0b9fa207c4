//! Position angle and centre of a galaxy of known shape: χ² minimised by Gauss and Newton's steps in both and in the
//! flux and the sky, on which it depends linearly. The image changes with the centre by its own gradient and turns by
//! the cross product of the radius with it, so that a step costs one rendered image.

use super::linear::Normal;
use super::start::REACH;
use crate::sky::{Renderer, Sersic};

/// Steps at most.
const STEPS: usize = 6;
/// Halvings of a step that does not improve χ².
const HALVINGS: usize = 3;
/// A step is the last whose like changes χ² by less.
const ENOUGH: f64 = 0.02;
/// The most that a step turns, degrees, and moves, pixels.
const FARTHEST: (f64, f64) = (30.0, 1.0);

/// What an image is turned by to see how it changes, degrees.
const TURN: f64 = 1.0;

/// How a galaxy lies: position angle, degrees from +y counter-clockwise, and centre, FITS pixels of the stamp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) pa: f64,
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Place {
    /// An angle of an axis in [−90, 90).
    pub(super) fn upright(pa: f64) -> f64 {
        (pa + 90.0).rem_euclid(180.0) - 90.0
    }

    /// The elliptical radius of pixel `i` in rows of `size`, in units along the major axis, for an axis ratio `q`.
    pub(super) fn radius(&self, i: usize, size: usize, q: f64) -> f64 {
        let (sin, cos) = self.pa.to_radians().sin_cos();
        let (dx, dy) = ((i % size) as f64 + 1.0 - self.x, (i / size) as f64 + 1.0 - self.y);
        (-sin * dx + cos * dy).hypot((cos * dx + sin * dy) / q)
    }
}

/// The pixels of a stamp and their weights, inverse variances; zero for those left out.
pub(super) struct Weighted<'a> {
    pub(super) pixels: &'a [f64],
    pub(super) weights: &'a [f64],
}

/// The galaxy at a place, with the flux and the sky that suit the pixels best.
#[derive(Clone)]
pub(super) struct State {
    pub(super) place: Place,
    /// Of a flux of one.
    pub(super) image: Vec<f64>,
    pub(super) flux: f64,
    pub(super) sky: f64,
    pub(super) chi2: f64,
}

impl State {
    /// Flux, sky and χ² for the pixels.
    pub(super) fn solved(mut self, data: &Weighted) -> Self {
        let mut sums = Normal::<2>::new();
        let mut squares = 0.0;
        for ((&d, &w), &m) in data.pixels.iter().zip(data.weights).zip(&self.image) {
            if w > 0.0 {
                sums.add(w, &[1.0, m], d);
            }
        }
        [self.sky, self.flux] = sums.solve().0;
        for ((&d, &w), &m) in data.pixels.iter().zip(data.weights).zip(&self.image) {
            if w > 0.0 {
                squares += w * (d - self.flux * m - self.sky).powi(2);
            }
        }
        self.chi2 = squares;
        self
    }
}

/// Looks for the place of one galaxy.
pub(super) struct Search<'a> {
    pub(super) renderer: &'a Renderer,
    /// Of a flux of one.
    pub(super) galaxy: Sersic,
    /// Where the centre was said to be, FITS pixels.
    pub(super) given: (f64, f64),
}

impl Search<'_> {
    /// The galaxy at a place, rendered.
    pub(super) fn at(&self, place: Place, data: &Weighted) -> State {
        let galaxy = Sersic { pa: place.pa, ..self.galaxy };
        let image = self.renderer.render(&galaxy, place.x, place.y);
        State { place, image, flux: 0.0, sky: 0.0, chi2: f64::INFINITY }.solved(data)
    }

    /// The best of the galaxy at `place`, turned by 45, 90 and 135 degrees, and turned to where the wave of period 180
    /// degrees through these four is lowest.
    pub(super) fn turned(&self, place: Place, data: &Weighted) -> State {
        let turned = |by: f64| self.at(Place { pa: Place::upright(place.pa + by), ..place }, data);
        let four = [0.0, 45.0, 90.0, 135.0].map(turned);
        let (cos, sin) = (four[0].chi2 - four[2].chi2, four[1].chi2 - four[3].chi2);
        let lowest = turned(0.5 * (-sin).atan2(-cos).to_degrees());
        // The first of equals, so that a round galaxy keeps its angle.
        four.into_iter()
            .chain([lowest])
            .reduce(|best, next| if next.chi2 < best.chi2 { next } else { best })
            .unwrap_or_else(|| turned(0.0))
    }

    /// Follows χ² from a state downhill.
    pub(super) fn settled(&self, mut state: State, data: &Weighted) -> State {
        for _ in 0..STEPS {
            // A galaxy that is not seen has no place.
            if state.flux <= 0.0 {
                break;
            }
            let [_, _, dx, dy, turn] = self.sums(&state, data, None).solve().0;
            let turn = turn.to_degrees();
            let shortened = (FARTHEST.0 / turn.abs()).min(FARTHEST.1 / dx.hypot(dy)).min(1.0);
            let gained = (0..=HALVINGS).find_map(|halving| {
                let part = shortened * 0.5_f64.powi(halving as i32);
                let next = self.bounded(&state.place, [part * dx, part * dy, part * turn]);
                let next = self.at(next, data);
                (next.chi2 < state.chi2).then_some(next)
            });
            let Some(next) = gained else { break };
            let gain = state.chi2 - next.chi2;
            state = next;
            if gain < ENOUGH {
                break;
            }
        }
        state
    }

    /// A place moved and turned, within reach of where the centre was said to be.
    fn bounded(&self, place: &Place, [dx, dy, turn]: [f64; 3]) -> Place {
        let (x, y) = (place.x + dx - self.given.0, place.y + dy - self.given.1);
        let back = (REACH / x.hypot(y)).min(1.0);
        Place { pa: Place::upright(place.pa + turn), x: self.given.0 + back * x, y: self.given.1 + back * y }
    }

    /// The covariance of sky, flux, centre (pixels) and angle (radians) at a state. The gradient of an image of pixels
    /// is not good enough for what turning does to a nearly round galaxy: one more image tells it.
    pub(super) fn covariance(&self, state: &State, data: &Weighted) -> [[f64; 5]; 5] {
        let turned = Sersic { pa: state.place.pa + TURN, ..self.galaxy };
        let turned = self.renderer.render(&turned, state.place.x, state.place.y);
        self.sums(state, data, Some(&turned)).solve().1
    }

    /// The least-squares problem of sky, flux, steps of the centre (pixels) and the angle (radians) about a state;
    /// `turned` is the image turned by [`TURN`].
    fn sums(&self, state: &State, data: &Weighted, turned: Option<&[f64]>) -> Normal<5> {
        let size = self.renderer.size();
        let State { place, image, flux, sky, .. } = state;
        let mut sums = Normal::new();
        for row in 0..size {
            for column in 0..size {
                let i = row * size + column;
                let weight = data.weights[i];
                if weight <= 0.0 {
                    continue;
                }
                let slope = |low: usize, high: usize, across: usize| {
                    flux * (image[high] - image[low]) / across as f64
                };
                let (left, right) = (column.saturating_sub(1), (column + 1).min(size - 1));
                let (below, above) = (row.saturating_sub(1), (row + 1).min(size - 1));
                let along_x = slope(row * size + left, row * size + right, right - left);
                let along_y = slope(below * size + column, above * size + column, above - below);
                let (dx, dy) = (column as f64 + 1.0 - place.x, row as f64 + 1.0 - place.y);
                // What grows with the centre's x shrinks with the pixel's.
                let turning = match turned {
                    Some(turned) => flux * (turned[i] - image[i]) / TURN.to_radians(),
                    None => dy * along_x - dx * along_y,
                };
                let columns = [1.0, image[i], -along_x, -along_y, turning];
                sums.add(weight, &columns, data.pixels[i] - sky - flux * image[i]);
            }
        }
        sums
    }
}
