//! Where a galaxy is and how it lies, from moments of its light under a Gaussian weight.

use super::search::Place;

/// How far from the given centre it is looked for, pixels.
pub(super) const REACH: f64 = 2.5;
/// Rounds of the centroid.
const ROUNDS: usize = 6;

/// Sums of light times powers of the distance from a centre, under a Gaussian weight.
struct Moments {
    light: f64,
    first: [f64; 2],
    /// xx, xy, yy.
    second: [f64; 3],
}

/// The moments of `light` in rows of `size` about (x, y) (FITS pixels), under a Gaussian of standard deviation
/// `width` pixels; of pixels of no weight, those opposite them about the centre count in their place, where they have one.
fn moments(light: &[f64], weights: &[f64], size: usize, (x, y): (f64, f64), width: f64) -> Moments {
    let mut sums = Moments { light: 0.0, first: [0.0; 2], second: [0.0; 3] };
    let reach = (4.0 * width).ceil();
    let range = |centre: f64| {
        let low = (centre - reach).floor().max(1.0) as usize;
        let high = (centre + reach).ceil().min(size as f64).max(0.0) as usize;
        low..=high
    };
    let opposite = |column: usize, row: usize| {
        let [column, row] = [2.0 * x - column as f64, 2.0 * y - row as f64].map(f64::round);
        let inside = 1.0..=size as f64;
        (inside.contains(&column) && inside.contains(&row))
            .then(|| (row as usize - 1) * size + column as usize - 1)
    };
    for row in range(y) {
        for column in range(x) {
            let here = Some((row - 1) * size + column - 1);
            let known = [here, opposite(column, row)].into_iter().flatten().find(|&i| weights[i] > 0.0);
            let Some(place) = known else { continue };
            let (dx, dy) = (column as f64 - x, row as f64 - y);
            let value = light[place] * (-0.5 * (dx * dx + dy * dy) / (width * width)).exp();
            sums.light += value;
            sums.first[0] += value * dx;
            sums.first[1] += value * dy;
            sums.second[0] += value * dx * dx;
            sums.second[1] += value * dx * dy;
            sums.second[2] += value * dy * dy;
        }
    }
    sums
}

/// The centre of the light near `given` (FITS pixels), within [`REACH`] of it, under a Gaussian weight of `width`
/// pixels; `given` itself where there is no such centre.
pub(super) fn centre(
    light: &[f64],
    weights: &[f64],
    size: usize,
    given: (f64, f64),
    width: f64,
) -> (f64, f64) {
    let mut at = given;
    for _ in 0..ROUNDS {
        let sums = moments(light, weights, size, at, width);
        // Under a weight as wide as the light itself a displacement shows by half.
        let [dx, dy] = sums.first.map(|first| 2.0 * first / sums.light);
        let next = (at.0 + dx, at.1 + dy);
        let near = (next.0 - given.0).hypot(next.1 - given.1) <= REACH;
        if !(sums.light > 0.0 && near) {
            return given;
        }
        at = next;
    }
    at
}

/// The direction of the light's longer axis about a centre, degrees from +y counter-clockwise in [−90, 90).
pub(super) fn position_angle(
    light: &[f64],
    weights: &[f64],
    size: usize,
    centre: (f64, f64),
    width: f64,
) -> f64 {
    let [xx, xy, yy] = moments(light, weights, size, centre, width).second;
    // From +x; 90 degrees more from +y.
    let from_x = 0.5 * (2.0 * xy).atan2(xx - yy).to_degrees();
    if from_x.is_finite() { Place::upright(from_x - 90.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An elliptical Gaussian with axes of 4 and 2 pixels, its longer one at `pa`.
    fn ellipse(size: usize, (x, y): (f64, f64), pa: f64) -> Vec<f64> {
        let (sin, cos) = pa.to_radians().sin_cos();
        let at = |i: usize| {
            let (dx, dy) = ((i % size) as f64 + 1.0 - x, (i / size) as f64 + 1.0 - y);
            let (along, across) = (-sin * dx + cos * dy, cos * dx + sin * dy);
            (-0.5 * (along * along / 16.0 + across * across / 4.0)).exp()
        };
        (0..size * size).map(at).collect()
    }

    #[test]
    fn centre_and_direction_of_an_ellipse_are_found() {
        let size = 41;
        let mut weights = vec![1.0; size * size];
        weights[22 * size + 25] = 0.0;
        for pa in [-90.0, -61.0, 0.0, 33.0, 89.0] {
            let light = ellipse(size, (21.8, 20.4), pa);
            let found = centre(&light, &weights, size, (21.0, 21.0), 3.0);
            assert!((found.0 - 21.8).hypot(found.1 - 20.4) < 0.05, "{found:?}");
            let angle = position_angle(&light, &weights, size, (21.8, 20.4), 3.0);
            assert!(Place::upright(angle - pa).abs() < 1.0, "{angle} {pa}");
        }
    }

    #[test]
    fn without_light_the_centre_stays() {
        let (light, weights) = (vec![-1.0; 400], vec![1.0; 400]);
        assert_eq!(centre(&light, &weights, 20, (10.5, 11.0), 2.0), (10.5, 11.0));
        assert!(position_angle(&light, &[0.0; 400], 20, (10.5, 11.0), 2.0).is_finite());
        let far = ellipse(41, (30.0, 20.0), 0.0);
        assert_eq!(centre(&far, &[1.0; 41 * 41], 41, (21.0, 20.0), 4.0), (21.0, 20.0));
    }
}
