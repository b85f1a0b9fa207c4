//! A component of a model as GALFIT fitted it, in the terms of the Sérsic profile.

use super::value::{Standing, Value};

/// Half-light radius of an exponential disc over its scale length: the x of (1 + x) e^−x = 1/2.
const EXPONENTIAL: f64 = 1.678_346_990_016_661;

/// One component with a total magnitude. Radii are along the major axis, positions FITS pixels of the image that
/// GALFIT was given, the position angle in degrees from +y counter-clockwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Its number, from 1.
    pub number: usize,
    /// GALFIT's name of its profile.
    pub kind: String,
    /// Centre, pixels.
    pub x: Value,
    /// Centre, pixels.
    pub y: Value,
    /// Total magnitude.
    pub mag: Value,
    /// What only a galaxy has; none of a point source, or of a profile that is no Sérsic one.
    pub shape: Option<Shape>,
}

/// The shape of a Sérsic profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Half-light radius along the major axis, pixels.
    pub re_maj: Value,
    /// Sérsic index.
    pub n: Value,
    /// Axis ratio b/a.
    pub q: Value,
    /// Position angle, degrees from +y counter-clockwise, in [−90, 90).
    pub pa: Value,
}

/// A profile that is a Sérsic one: GALFIT's name of it and of its radius, the half-light radius over that, and the
/// index, unless it is a parameter.
struct Profile(&'static str, &'static str, f64, Option<f64>);

const PROFILES: [Profile; 4] = [
    Profile("sersic", "RE", 1.0, None),
    Profile("devauc", "RE", 1.0, Some(4.0)),
    Profile("expdisk", "RS", EXPONENTIAL, Some(1.0)),
    // A Gaussian's half-light radius is half its FWHM.
    Profile("gaussian", "FWHM", 0.5, Some(0.5)),
];

/// Other profiles, of which the place and the magnitude are taken. King's, Nuker's and the edge-on disc have a surface
/// brightness instead, and the sky no light of its own.
const OTHERS: [&str; 3] = ["psf", "moffat", "ferrer"];

impl Component {
    /// From what `parameter` says under GALFIT's names of parameters (XC, YC, MAG, RE, N, AR, PA …). None for what has
    /// no total magnitude, such as the sky.
    pub fn read(number: usize, kind: &str, parameter: impl Fn(&str) -> Option<Value>) -> Option<Self> {
        let profile = PROFILES.iter().find(|profile| profile.0 == kind);
        if profile.is_none() && !OTHERS.contains(&kind) {
            return None;
        }
        let shape = profile.and_then(|Profile(_, radius, half_light, index)| {
            let pa = parameter("PA")?;
            Some(Shape {
                re_maj: parameter(radius)?.times(*half_light),
                n: index.map_or_else(|| parameter("N"), |n| Some(Value::held(n)))?,
                q: parameter("AR")?,
                pa: Value { value: upright(pa.value), ..pa },
            })
        });
        let (x, y, mag) = (parameter("XC")?, parameter("YC")?, parameter("MAG")?);
        Some(Component { number, kind: kind.to_owned(), x, y, mag, shape })
    }

    /// The names of a profile's parameters in the order of fit.log; none of a profile that is not understood.
    pub fn order(kind: &str) -> Option<Vec<&'static str>> {
        let start = ["XC", "YC", "MAG"];
        match PROFILES.iter().find(|profile| profile.0 == kind) {
            Some(Profile(_, radius, _, None)) => Some([&start[..], &[radius, "N", "AR", "PA"]].concat()),
            Some(Profile(_, radius, ..)) => Some([&start[..], &[radius, "AR", "PA"]].concat()),
            None => OTHERS.contains(&kind).then(|| start.to_vec()),
        }
    }

    /// Its parameters and what they are called.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let place = [("X", self.x), ("Y", self.y), ("MAG", self.mag)];
        let shape = self.shape.map(|s| [("RE_MAJ", s.re_maj), ("N", s.n), ("Q", s.q), ("PA", s.pa)]);
        place.into_iter().chain(shape.into_iter().flatten())
    }

    /// The first parameter that GALFIT marks with stars.
    pub fn suspect(&self) -> Option<&'static str> {
        self.parameters().find(|(_, value)| value.standing == Standing::Suspect).map(|(name, _)| name)
    }

    /// Distance of its centre from a place, pixels.
    pub fn distance(&self, (x, y): (f64, f64)) -> f64 {
        (self.x.value - x).hypot(self.y.value - y)
    }
}

/// A position angle, degrees, in [−90, 90): half a turn makes the same ellipse.
pub(super) fn upright(pa: f64) -> f64 {
    // What is in there already keeps its digits.
    if (-90.0..90.0).contains(&pa) { pa } else { (pa + 90.0).rem_euclid(180.0) - 90.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sky::Sersic;

    fn component(kind: &str) -> Option<Component> {
        Component::read(3, kind, |name| {
            let text = match name {
                "XC" => "10.5 +/- 0.1",
                "YC" => "20.25 +/- 0.2",
                "MAG" => "21.0 +/- 0.05",
                "RE" | "RS" | "FWHM" => "6.0 +/- 0.6",
                "N" => "*2.5* +/- *0.3*",
                "AR" => "[0.75]",
                "PA" => "135.0 +/- 2.0",
                _ => return None,
            };
            Value::parse(text)
        })
    }

    #[test]
    fn a_position_angle_is_between_minus_and_plus_ninety() {
        assert_eq!(
            [0.0, 89.0, 90.0, 135.0, -90.0, -91.0, 270.0, 720.5].map(upright),
            [0.0, 89.0, -90.0, -45.0, -90.0, 89.0, -90.0, 0.5]
        );
        let shape = component("sersic").and_then(|c| c.shape).unwrap();
        assert_eq!((shape.pa.value, shape.pa.error), (-45.0, 2.0));
    }

    #[test]
    fn half_light_radii_of_discs_and_gaussians_hold_half_of_the_light() {
        for (kind, n) in [("expdisk", 1.0), ("gaussian", 0.5), ("devauc", 4.0)] {
            let shape = component(kind).and_then(|c| c.shape).unwrap();
            assert_eq!(shape.n.value, n);
            let radius = shape.re_maj.value;
            assert!((shape.re_maj.error - 0.1 * radius).abs() < 1e-12);
            // The light within that radius, summed from the profile's own formula.
            let profile = |r: f64| match kind {
                "expdisk" => (-r / 6.0).exp(),
                "gaussian" => (-4.0 * std::f64::consts::LN_2 * (r / 6.0).powi(2)).exp(),
                _ => Sersic::new(1.0, 6.0, 4.0, 1.0, 0.0).unwrap().intensity(r),
            };
            let light = |end: f64| {
                let steps = 400_000;
                let step = end / f64::from(steps);
                let ring = |i: i32| (f64::from(i) + 0.5) * step;
                (0..steps).map(|i| ring(i) * profile(ring(i))).sum::<f64>() * step
            };
            let far = if kind == "devauc" { 20_000.0 } else { 300.0 };
            let share = light(radius) / light(far);
            assert!((share - 0.5).abs() < 2e-3, "{kind}: {share}");
        }
    }

    #[test]
    fn the_sky_and_what_has_no_magnitude_are_no_components() {
        for kind in ["sky", "nuker", "king", "edgedisk", "unheard-of"] {
            assert_eq!(component(kind), None);
            assert_eq!(Component::order(kind), None);
        }
        assert!(component("psf").is_some_and(|c| c.shape.is_none()));
        assert_eq!(component("sersic").and_then(|c| c.suspect()), Some("N"));
    }
}
