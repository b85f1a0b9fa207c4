//! From spreads to errors, as a weights file keeps it.
//!
//! With s the spread of the copies' answers, t that of the thinned networks', both over what is usual at the measured
//! magnitude m, and powers a and b of the parameter's own,
//!
//! err_lo = lower(m)·sᵃ·tᵇ, err_hi = upper(m)·sᵃ·tᵇ.
//!
//! So lower(m) and upper(m) are the errors of a usual galaxy, in which a bias is as well as scatter, and the powers say
//! how much the spreads tell of one that is not: none where they are 0.

use super::magnitudes::between;
use super::spread::Spread;
use crate::engine::nn::weights::{self, Metadata};
use crate::legato::Parameter;
use crate::sky::NoiseCorrelation;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The metadata key that holds it.
const KEY: &str = "errors";
/// Spreads further from the usual than by this factor tell no more: a few answers may agree by chance, and none of them
/// says how wrong what all of them agree in is.
const LEAST: f64 = 0.1;

/// What makes errors of the spreads of a network's answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The survey on whose galaxies it was found.
    pub survey: String,
    /// How many they were.
    pub stamps: usize,
    /// The seed that they were simulated from.
    pub seed: u64,
    /// Copies of each that were measured.
    pub repeats: u32,
    /// How the noise of the survey's images is correlated; white where absent.
    pub noise: Option<NoiseCorrelation>,
    /// The version of legato that found it.
    pub version: String,
    /// The adapter that measured.
    pub adapter: String,
    /// The logarithm of the disagreement, not stretched yet, that one in a hundred of these galaxies exceeds.
    pub strangest: f64,
    /// The part of a galaxy's light that its rendered model leaves unexplained in one in a hundred of them; none where
    /// no models were rendered.
    pub unexplained: Option<f64>,
    /// The measured magnitudes that the curves have a number at; a single one where none was measured.
    pub magnitudes: Vec<f64>,
    /// Of each parameter.
    pub curves: BTreeMap<Parameter, Curves>,
}

/// One parameter's part of a [`Correction`]; a number at each magnitude, physical units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    /// The usual spread of the copies' answers.
    pub copies: Vec<f64>,
    /// The usual spread of the thinned networks' answers.
    pub thinned: Vec<f64>,
    /// The powers of the two, over what is usual.
    pub powers: [f64; 2],
    /// The lower error where both are usual.
    pub lower: Vec<f64>,
    /// The upper error where both are usual.
    pub upper: Vec<f64>,
}

impl Correction {
    /// Lower and upper error of a parameter; NaN where it is not known of it, or the magnitude is needed and not known.
    pub(super) fn errors(&self, parameter: Parameter, magnitude: f64, spread: Spread) -> (f64, f64) {
        let Some(curves) = self.curves.get(&parameter) else { return (f64::NAN, f64::NAN) };
        let [copies, thinned] = curves.unusual(&self.magnitudes, magnitude, spread);
        let factor = (curves.powers[0] * copies + curves.powers[1] * thinned).exp();
        // Where a bias is larger than the scatter, both ends of an interval may lie on one side of the value.
        let error = |curve: &[f64]| match factor * between(&self.magnitudes, curve, magnitude) {
            error if error < 0.0 => 0.0,
            error => error,
        };
        (error(&curves.lower), error(&curves.upper))
    }

    /// By how much the copies' answers lie further apart than usual, as a logarithm.
    pub(super) fn strangeness(&self, parameter: Parameter, magnitude: f64, spread: Spread) -> f64 {
        let curves = self.curves.get(&parameter);
        curves.map_or(f64::NAN, |curves| curves.unusual(&self.magnitudes, magnitude, spread)[0])
    }

    /// The part that serves a network of these parameters.
    pub fn only(&self, parameters: impl Fn(Parameter) -> bool) -> Self {
        let mut part = self.clone();
        part.curves.retain(|&parameter, _| parameters(parameter));
        part
    }

    /// Keeps it in a weights file, in place of one that is there.
    ///
    /// # Errors
    /// The file is not one of weights, or cannot be replaced.
    pub fn store(&self, path: &Path) -> Result<()> {
        let (arrays, mut metadata) = weights::read_arrays(path)?;
        let value = serde_json::to_value(self).map_err(|e| Error::weights(path, e.to_string()))?;
        metadata.insert(KEY.to_owned(), value);
        weights::write_arrays(path, &arrays, &metadata)
    }

    /// From the metadata of the weights file at `path`; none where it was never calibrated.
    ///
    /// # Errors
    /// One that this version cannot read, or that makes no sense.
    pub(in crate::legato) fn from_metadata(path: &Path, metadata: &Metadata) -> Result<Option<Self>> {
        let Some(value) = metadata.get(KEY) else { return Ok(None) };
        let refuse = |why: String| {
            let what = format!(
                "has a calibration of its errors that cannot be used ({why}): make it anew with `legato calibrate`"
            );
            Error::weights(path, what)
        };
        let correction = Correction::deserialize(value).map_err(|e| refuse(e.to_string()))?;
        match correction.fault() {
            Some(fault) => Err(refuse(fault)),
            None => Ok(Some(correction)),
        }
    }

    /// What makes no sense in it.
    fn fault(&self) -> Option<String> {
        if self.unexplained.is_some_and(|part| !(part > 0.0 && part.is_finite())) {
            return Some("the part that models leave unexplained is not positive".to_owned());
        }
        let knots = &self.magnitudes;
        if knots.is_empty() || !knots.iter().all(|knot| knot.is_finite()) {
            return Some("no magnitudes".to_owned());
        }
        if knots.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Some("its magnitudes do not ascend".to_owned());
        }
        let sound = |curves: &Curves| {
            let each = [&curves.copies, &curves.thinned, &curves.lower, &curves.upper];
            let whole = each.iter().all(|c| c.len() == knots.len() && c.iter().all(|v| v.is_finite()));
            whole && curves.powers.iter().all(|power| power.is_finite())
        };
        let bad = self.curves.iter().find(|(_, curves)| !sound(curves));
        bad.map(|(parameter, _)| format!("the curves of the {parameter} are not numbers at its magnitudes"))
    }
}

impl Curves {
    /// The logarithms of both spreads over what is usual; 0 where nothing is usual.
    pub(super) fn unusual(&self, knots: &[f64], magnitude: f64, spread: Spread) -> [f64; 2] {
        [(spread.copies, &self.copies), (spread.thinned, &self.thinned)].map(|(spread, usual)| {
            let usual = between(knots, usual, magnitude);
            if usual == 0.0 { 0.0 } else { at_least(spread / usual).ln() }
        })
    }
}

/// Not `max`, which would make a number of NaN.
fn at_least(ratio: f64) -> f64 {
    if ratio < LEAST { LEAST } else { ratio }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::nn::weights::Arrays;

    fn correction() -> Correction {
        let curves = Curves {
            copies: vec![0.1, 0.2],
            thinned: vec![1.0, 1.0],
            powers: [0.5, 1.0],
            lower: vec![0.3, 0.5],
            upper: vec![0.4, -0.1],
        };
        let curves = BTreeMap::from([(Parameter::Magnitude, curves.clone()), (Parameter::AxisRatio, curves)]);
        Correction {
            survey: "s".into(),
            magnitudes: vec![18.0, 20.0],
            strangest: 0.9,
            curves,
            ..Default::default()
        }
    }

    fn errors(magnitude: f64, copies: f64, thinned: f64) -> (f64, f64) {
        correction().errors(Parameter::Magnitude, magnitude, Spread { copies, thinned })
    }

    fn close(found: (f64, f64), wanted: (f64, f64)) {
        assert!((found.0 - wanted.0).abs() < 1e-12 && (found.1 - wanted.1).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn usual_spreads_have_the_usual_errors_of_their_magnitude() {
        close(errors(17.0, 0.1, 1.0), (0.3, 0.4));
        close(errors(19.0, 0.15, 1.0), (0.4, 0.15));
    }

    #[test]
    fn errors_follow_the_spreads_by_their_powers() {
        close(errors(18.0, 0.4, 1.0), (0.6, 0.8));
        close(errors(18.0, 0.1, 3.0), (0.9, 1.2));
        // As if it were a tenth of the usual.
        close(errors(18.0, 0.0, 1.0), (0.3 * 0.1f64.sqrt(), 0.4 * 0.1f64.sqrt()));
    }

    #[test]
    fn no_error_is_negative_and_none_is_made_up() {
        assert_eq!(errors(20.0, 0.2, 1.0).1, 0.0);
        assert!(errors(f64::NAN, 0.2, 1.0).0.is_nan() && errors(18.0, f64::NAN, 1.0).0.is_nan());
        let unknown = correction().errors(Parameter::Radius, 18.0, Spread::default());
        assert!(unknown.0.is_nan() && unknown.1.is_nan());
    }

    #[test]
    fn a_weights_file_keeps_it_beside_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let arrays = Arrays::from([("w".into(), (vec![2], vec![1.0, -0.5]))]);
        let metadata = Metadata::from([("made".to_owned(), "before".into())]);
        weights::write_arrays(&path, &arrays, &metadata).unwrap();
        assert_eq!(Correction::from_metadata(&path, &metadata).unwrap(), None);
        let part = correction().only(|parameter| parameter == Parameter::AxisRatio);
        for kept in [correction(), part] {
            kept.store(&path).unwrap();
            let (found, metadata) = weights::read_arrays(&path).unwrap();
            assert_eq!((found, &metadata["made"]), (arrays.clone(), &"before".into()));
            assert_eq!(Correction::from_metadata(&path, &metadata).unwrap(), Some(kept));
        }
    }

    #[test]
    fn one_that_makes_no_sense_is_an_error_that_says_what_to_do() {
        let refusal = |value: serde_json::Value| {
            let metadata = Metadata::from([(KEY.to_owned(), value)]);
            Correction::from_metadata("w.safetensors".as_ref(), &metadata).unwrap_err().to_string()
        };
        let message = refusal("seven".into());
        assert!(message.starts_with("w.safetensors: has a calibration of its errors that cannot be used ("));
        assert!(message.ends_with("make it anew with `legato calibrate`"), "{message}");
        let with = |change: &dyn Fn(&mut Correction)| {
            let mut bad = correction();
            change(&mut bad);
            refusal(serde_json::to_value(bad).unwrap())
        };
        assert!(with(&|c| c.magnitudes.clear()).contains("(no magnitudes)"));
        assert!(with(&|c| c.magnitudes.reverse()).contains("its magnitudes do not ascend"));
        let shorten = |c: &mut Correction| c.curves.values_mut().for_each(|c| c.lower.truncate(1));
        assert!(with(&shorten).contains("the curves of the magnitude are not numbers at its magnitudes"));
        assert!(with(&|c| c.curves.values_mut().for_each(|c| c.upper[0] = f64::NAN)).contains("null"));
    }
}
