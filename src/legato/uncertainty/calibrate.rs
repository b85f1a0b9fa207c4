//! Finding, on simulations, what makes errors of spreads.
//!
//! Nothing is assumed about the distribution of errors: with e = truth − value and f = sᵃ·tᵇ (see `correction.rs`),
//! the ends of the intervals are the 16th and 84th percentiles of e/f, at each of some magnitudes among the galaxies near
//! it. The powers a and b are those under which errors are likeliest, were they distributed as exp(−|e|/(w f)) with a
//! width w that changes with magnitude alone. Such wings are nearer to what networks leave than a Gaussian's.

use super::correction::{Correction, Curves};
use super::domain::strangeness;
use super::magnitudes::{Neighbourhoods, between, knots};
use super::measure::{Repeated, magnitude};
use crate::legato::{Parameter, quantile};
use crate::sky::Truth;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The ends of the central 68.27%: Φ(−1) and Φ(1).
const ENDS: [f64; 2] = [0.158_655_253_931_457_05, 0.841_344_746_068_543];
/// Fewer galaxies than this tell too little of their wings.
const LEAST_GALAXIES: usize = 200;
/// The powers that are tried are so many steps from 0 to 1.
const STEPS: usize = 10;
/// The share of galaxies that are to have a disagreement of less than [`super::OUT_OF_DOMAIN`].
const USUAL: f64 = 0.99;

/// A galaxy that was measured, and the truth about it.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The truth.
    pub truth: Truth,
    /// What was measured.
    pub measured: Repeated,
}

/// Finds the correction of everything that was measured; `made` says of which survey, with which noise and from which
/// seed, and is filled in.
///
/// # Errors
/// [`Error::Usage`] for too few galaxies, or answers that are not numbers.
pub fn calibrate(observations: &[Observation], made: Correction) -> Result<Correction> {
    check_number(observations.len())?;
    let magnitudes: Vec<f64> = observations.iter().map(|o| magnitude(&o.measured.estimates)).collect();
    let knots = knots(&magnitudes);
    let near = Neighbourhoods::new(&knots, &magnitudes);
    let mut curves = BTreeMap::new();
    for &parameter in observations[0].measured.estimates.keys() {
        let found = curves_of(parameter, observations, &magnitudes, &knots, &near)?;
        curves.insert(parameter, found);
    }
    let mut correction = Correction { stamps: observations.len(), magnitudes: knots, curves, ..made };
    let of = |(o, &magnitude): (&Observation, &f64)| {
        let each = o.measured.estimates.iter();
        let each = each.map(|(&parameter, e)| correction.strangeness(parameter, magnitude, e.spread));
        strangeness(&each.collect::<Vec<_>>())
    };
    let mut strange: Vec<f64> = observations.iter().zip(&magnitudes).map(of).collect();
    strange.sort_by(f64::total_cmp);
    correction.strangest = quantile(&strange, USUAL).unwrap_or(f64::NAN);
    Ok(correction)
}

/// What the rendered models of simulated galaxies leave unexplained of the light of one in a hundred; none where models
/// explain all of it, or there are none.
pub fn usual_residual(unexplained: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut known: Vec<f64> = unexplained.into_iter().filter(|part| part.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    quantile(&known, USUAL).filter(|part| *part > 0.0)
}

/// Refuses too few galaxies.
///
/// # Errors
/// [`Error::Usage`].
pub fn check_number(galaxies: usize) -> Result<()> {
    if galaxies < LEAST_GALAXIES {
        return Err(Error::Usage(format!(
            "{galaxies} galaxies are too few to calibrate errors on: take {LEAST_GALAXIES} at least, better 5,000"
        )));
    }
    Ok(())
}

fn curves_of(
    parameter: Parameter,
    observations: &[Observation],
    magnitudes: &[f64],
    knots: &[f64],
    near: &Neighbourhoods,
) -> Result<Curves> {
    let estimates: Vec<_> = observations.iter().map(|o| o.measured.estimates[&parameter]).collect();
    let errors: Vec<f64> =
        observations.iter().zip(&estimates).map(|(o, e)| parameter.of(&o.truth) - e.value).collect();
    let numbers = |e: &super::measure::Estimate| e.spread.copies + e.spread.thinned;
    if let Some(bad) = (0..errors.len()).find(|&i| !(errors[i] + numbers(&estimates[i])).is_finite()) {
        let what =
            format!("galaxy {bad}, counted from 0: its {parameter} or the truth about it is not a number");
        return Err(Error::Usage(what));
    }
    let median = |values: Vec<f64>| near.quantiles(&values, [0.5]).into_iter().map(|[m]| m).collect();
    let mut curves = Curves {
        copies: median(estimates.iter().map(|e| e.spread.copies).collect()),
        thinned: median(estimates.iter().map(|e| e.spread.thinned).collect()),
        powers: [0.0, 0.0],
        lower: Vec::new(),
        upper: Vec::new(),
    };
    let unusual: Vec<[f64; 2]> = estimates
        .iter()
        .zip(magnitudes)
        .map(|(e, &magnitude)| curves.unusual(knots, magnitude, e.spread))
        .collect();
    curves.powers = likeliest(parameter, &errors, &unusual, magnitudes, knots, near);
    let over: Vec<f64> = errors.iter().zip(&unusual).map(|(e, u)| e / factor(curves.powers, u)).collect();
    let ends = near.quantiles(&over, ENDS);
    curves.lower = ends.iter().map(|[low, _]| -low).collect();
    curves.upper = ends.iter().map(|[_, high]| *high).collect();
    Ok(curves)
}

fn factor(powers: [f64; 2], unusual: &[f64; 2]) -> f64 {
    (powers[0] * unusual[0] + powers[1] * unusual[1]).exp()
}

/// The powers under which errors are likeliest.
fn likeliest(
    parameter: Parameter,
    errors: &[f64],
    unusual: &[[f64; 2]],
    magnitudes: &[f64],
    knots: &[f64],
    near: &Neighbourhoods,
) -> [f64; 2] {
    let unlikelihood = |powers: [f64; 2]| -> f64 {
        let factors: Vec<f64> = unusual.iter().map(|u| factor(powers, u)).collect();
        let over: Vec<f64> = errors.iter().zip(&factors).map(|(e, f)| e.abs() / f).collect();
        let widths = near.sizes(&over);
        let each = over.iter().zip(&factors).zip(magnitudes).map(|((over, f), &magnitude)| {
            let width = between(knots, &widths, magnitude);
            (width * f).ln() + over / width
        });
        each.sum()
    };
    let step = |i: usize| i as f64 / STEPS as f64;
    let grid = (0..=STEPS).flat_map(|a| (0..=STEPS).map(move |b| [step(a), step(b)]));
    let tried: Vec<([f64; 2], f64)> = grid.map(|powers| (powers, unlikelihood(powers))).collect();
    let least = |which: &dyn Fn(&[f64; 2]) -> bool| {
        let among = tried.iter().filter(|(powers, _)| which(powers));
        among.min_by(|a, b| a.1.total_cmp(&b.1)).copied().unwrap_or_default()
    };
    let (best, both) = least(&|_| true);
    let (_, copies) = least(&|p| p[1] == 0.0);
    let (_, thinned) = least(&|p| p[0] == 0.0);
    let (_, neither) = least(&|p| *p == [0.0, 0.0]);
    let nats = |unlikely: f64| (neither - unlikely) / errors.len() as f64;
    log::info!(
        "{parameter}: errors are likelier by {:.3} nats a galaxy with the copies' spread, by {:.3} with that of the \
         thinned networks, by {:.3} with both",
        nats(copies),
        nats(thinned),
        nats(both)
    );
    best
}

#[cfg(test)]
mod tests {
    use super::super::measure::Estimate;
    use super::super::spread::Spread;
    use super::*;
    use crate::legato::{Coverage, Interval};
    use crate::rng::{Philox, Stream};
    use rand_distr::{Distribution, Exp1, StandardNormal};

    /// Estimates with errors of a known distribution: normal for the magnitude, which is biased besides; exponential
    /// for the index. Of both the width grows with the magnitude, and by another factor that the copies' spread
    /// tells, roughly; the thinned networks' tells nothing.
    fn observations(count: usize, sub: u32) -> Vec<Observation> {
        let mut random = Philox::new(5, Stream::Test, sub, 0);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let mut wings = Philox::new(6, Stream::Test, sub, 0);
        let mut observation = |i: usize| {
            let mag = 16.0 + 7.0 * (i as f64 + 0.5) / count as f64;
            let truth = Truth { mag, n: 2.0, ..Truth::default() };
            let own = (0.7 * normal()).exp();
            let width = 0.01 * (0.5 * (mag - 16.0)).exp() * own;
            let wing: f64 = Exp1.sample(&mut wings);
            let spread = Spread { copies: 3.0 * width * (0.1 * normal()).exp(), thinned: normal().abs() };
            let estimate = |value| Estimate { value, err_lo: f64::NAN, err_hi: f64::NAN, spread };
            let estimates = BTreeMap::from([
                (Parameter::Magnitude, estimate(mag + width * (normal() + 0.5))),
                (Parameter::SersicIndex, estimate(2.0 - width * (wing - 0.7))),
            ]);
            Observation { truth, measured: Repeated { estimates, disagreement: f64::NAN } }
        };
        (0..count).map(&mut observation).collect()
    }

    fn intervals(
        correction: &Correction,
        parameter: Parameter,
        observations: &[Observation],
    ) -> Vec<Interval> {
        let interval = |o: &Observation| {
            let estimate = o.measured.estimates[&parameter];
            let (err_lo, err_hi) =
                correction.errors(parameter, magnitude(&o.measured.estimates), estimate.spread);
            Interval { truth: parameter.of(&o.truth), value: estimate.value, err_lo, err_hi }
        };
        observations.iter().map(interval).collect()
    }

    #[test]
    fn errors_of_a_known_distribution_are_covered_as_claimed_at_every_magnitude() {
        let correction = calibrate(&observations(6000, 0), Correction::default()).unwrap();
        let others = observations(7000, 1);
        for parameter in [Parameter::Magnitude, Parameter::SersicIndex] {
            let intervals = intervals(&correction, parameter, &others);
            for bin in intervals.chunks(1000) {
                let found = Coverage::of(bin, Coverage::CLAIMED).found;
                // Three standard errors of counting 1,000, and of the about as many that a curve rests on at a place.
                assert!((found - Coverage::CLAIMED).abs() < 3.0 * 0.021, "{parameter}: {found}");
            }
            let found = Coverage::of(&intervals, Coverage::CLAIMED).found;
            assert!((found - Coverage::CLAIMED).abs() < 3.0 * 0.0082, "{parameter}: {found}");
        }
    }

    #[test]
    fn a_spread_counts_as_much_as_it_tells() {
        let correction = calibrate(&observations(6000, 0), Correction::default()).unwrap();
        for curves in correction.curves.values() {
            assert!(curves.powers[0] >= 0.9 && curves.powers[1] <= 0.1, "{:?}", curves.powers);
        }
    }

    #[test]
    fn intervals_are_as_lopsided_as_the_errors() {
        let correction = calibrate(&observations(6000, 0), Correction::default()).unwrap();
        let middle = correction.magnitudes.len() / 2;
        let width = 0.01 * (0.5 * (correction.magnitudes[middle] - 16.0)).exp();
        // Quantiles of the distributions that the errors were drawn from: −0.5 ± 1, and −0.7 − ln(1 − Φ(∓1)).
        let expected = [(Parameter::Magnitude, 1.5, 0.5), (Parameter::SersicIndex, 0.5272, 1.1410)];
        for (parameter, lower, upper) in expected {
            let curves = &correction.curves[&parameter];
            let found = (curves.lower[middle] / width, curves.upper[middle] / width);
            assert!(
                (found.0 - lower).abs() < 0.15 && (found.1 - upper).abs() < 0.15,
                "{parameter}: {found:?}"
            );
        }
    }

    #[test]
    fn one_in_a_hundred_is_stranger_than_the_limit() {
        let known = observations(6000, 0);
        let correction = calibrate(&known, Correction::default()).unwrap();
        let others = observations(4000, 1);
        let stranger = |o: &&Observation| {
            let magnitude = magnitude(&o.measured.estimates);
            let each = o.measured.estimates.iter();
            let each = each.map(|(&p, e)| correction.strangeness(p, magnitude, e.spread));
            strangeness(&each.collect::<Vec<_>>()) > correction.strangest
        };
        let share = others.iter().filter(stranger).count() as f64 / 4000.0;
        assert!(
            (share - 0.01).abs() < 5.0 * (0.01f64 * 0.99 * (1.0 / 4000.0 + 1.0 / 6000.0)).sqrt(),
            "{share}"
        );
    }

    #[test]
    fn one_model_in_a_hundred_leaves_more_than_is_usual() {
        let parts = (0..1000).map(|i| f64::from(i) / 1000.0).chain([f64::NAN]);
        let usual = usual_residual(parts).unwrap();
        assert!((usual - 0.99).abs() < 0.002, "{usual}");
        assert_eq!(usual_residual([0.0; 300]), None);
        assert_eq!(usual_residual([]), None);
    }

    #[test]
    fn without_a_magnitude_one_correction_serves_all() {
        let mut observations = observations(600, 0);
        observations.iter_mut().for_each(|o| o.measured.estimates.retain(|&p, _| p != Parameter::Magnitude));
        let correction = calibrate(&observations, Correction::default()).unwrap();
        assert_eq!(correction.magnitudes.len(), 1);
        let intervals = intervals(&correction, Parameter::SersicIndex, &observations);
        let found = Coverage::of(&intervals, Coverage::CLAIMED).found;
        assert!((found - Coverage::CLAIMED).abs() < 0.01, "{found}");
    }

    #[test]
    fn too_few_galaxies_and_answers_that_are_no_numbers_are_errors() {
        let refusal = |observations: &[Observation]| {
            calibrate(observations, Correction::default()).unwrap_err().to_string()
        };
        assert!(refusal(&observations(199, 0)).starts_with("199 galaxies are too few"));
        let mut bad = observations(300, 0);
        bad[17].truth.n = f64::NAN;
        assert!(
            refusal(&bad).starts_with("galaxy 17, counted from 0: its sersic-index"),
            "{}",
            refusal(&bad)
        );
    }
}
