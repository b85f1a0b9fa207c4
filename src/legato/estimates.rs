//! Several catalogues of the same galaxies beside the truth.

use super::{Evaluation, Parameter, Split, Statistics};
use crate::fits::{Label, Labels};
use crate::sky::Truth;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// What one method says of the galaxies of a data set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimates {
    /// Whose they are: "Architecture 2", "GALFIT".
    pub label: String,
    /// A value a galaxy, in the data set's order and physical units; none where there is none.
    pub values: BTreeMap<Parameter, Vec<Option<f64>>>,
}

impl Estimates {
    /// Those of networks.
    pub fn of_networks(label: impl Into<String>, evaluations: &[Evaluation]) -> Self {
        let column = |e: &Evaluation| {
            let values = e.pairs.iter().map(|(_, estimate)| Some(*estimate).filter(|v| v.is_finite()));
            (e.parameter, values.collect())
        };
        Estimates { label: label.into(), values: evaluations.iter().map(column).collect() }
    }

    /// R² of a parameter for the galaxies, numbered as in `truths`, that `keep` knows; NaN where there are none.
    pub fn r2(&self, parameter: Parameter, truths: &[Truth], keep: impl Fn(usize) -> bool) -> f64 {
        let comparison = Comparison::new(parameter, truths, std::slice::from_ref(self));
        comparison.map_or(f64::NAN, |c| c.only(keep).statistics(0).r2)
    }

    /// Those of a catalogue, for the galaxies of `truths`, matched by ID; fits that it calls failed are none.
    ///
    /// # Errors
    /// Those of the matching, and [`Error::Catalogue`] for a catalogue with nothing of any of these galaxies.
    pub fn of_catalogue(label: impl Into<String>, catalogue: &Labels, truths: &[Truth]) -> Result<Self> {
        let ids: Vec<String> = truths.iter().map(|truth| truth.id.to_string()).collect();
        let rows = catalogue.match_ids(&ids)?;
        let column = |parameter: Parameter| {
            let of = |row: &Label| match parameter {
                Parameter::Magnitude => row.mag,
                Parameter::Radius => row.re_maj,
                Parameter::SersicIndex => row.n,
                Parameter::AxisRatio => row.q,
            };
            let good = |row: &Option<usize>| row.map(|row| &catalogue.rows[row]).filter(|row| !row.bad);
            let values: Vec<Option<f64>> = rows.iter().map(|row| good(row).and_then(of)).collect();
            // A column that says nothing would leave no galaxy to compare.
            values.iter().any(Option::is_some).then_some((parameter, values))
        };
        let values: BTreeMap<_, _> = Parameter::ALL.into_iter().filter_map(column).collect();
        if values.is_empty() {
            let first = |id: Option<&str>| id.unwrap_or("none").to_owned();
            let theirs = first(catalogue.rows.first().map(|row| row.id.as_str()));
            let message = format!(
                "says nothing of any galaxy of the data set: its IDs are like '{theirs}', those of the data set like '{}'",
                first(ids.first().map(String::as_str))
            );
            return Err(Error::Catalogue { path: catalogue.path.clone(), message });
        }
        Ok(Estimates { label: label.into(), values })
    }
}

/// One parameter's estimates by several methods, for the galaxies that all of those methods measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What was estimated.
    pub parameter: Parameter,
    /// Which galaxies of the data set, counted from 0.
    pub galaxies: Vec<usize>,
    /// The truth about each.
    pub truth: Vec<f64>,
    /// Each method's label, and its value for each galaxy.
    pub methods: Vec<(String, Vec<f64>)>,
}

impl Comparison {
    /// Of the methods that measure `parameter` at all; none where no method does.
    pub fn new(parameter: Parameter, truths: &[Truth], estimates: &[Estimates]) -> Option<Self> {
        let all = estimates.iter().filter_map(|e| Some((&e.label, e.values.get(&parameter)?)));
        let all: Vec<(&String, &Vec<Option<f64>>)> = all.collect();
        if all.is_empty() {
            return None;
        }
        let known =
            |values: &[Option<f64>], i: usize| values.get(i).copied().flatten().filter(|v| v.is_finite());
        let galaxies: Vec<usize> = (0..truths.len())
            .filter(|&i| {
                parameter.of(&truths[i]).is_finite() && all.iter().all(|(_, v)| known(v, i).is_some())
            })
            .collect();
        let truth = galaxies.iter().map(|&i| parameter.of(&truths[i])).collect();
        let method = |(label, values): &(&String, &Vec<Option<f64>>)| {
            ((*label).clone(), galaxies.iter().filter_map(|&i| known(values, i)).collect())
        };
        let methods = all.iter().map(method).collect();
        Some(Comparison { parameter, galaxies, truth, methods })
    }

    /// For every parameter that any method measures.
    pub fn all(truths: &[Truth], estimates: &[Estimates]) -> Vec<Self> {
        Parameter::ALL.into_iter().filter_map(|p| Comparison::new(p, truths, estimates)).collect()
    }

    /// (truth, estimate) of each galaxy by one method, counted from 0.
    pub fn pairs(&self, method: usize) -> Vec<(f64, f64)> {
        self.truth.iter().copied().zip(self.methods[method].1.iter().copied()).collect()
    }

    /// Estimate − truth of each galaxy by one method.
    pub fn errors(&self, method: usize) -> Vec<f64> {
        self.pairs(method).into_iter().map(|(truth, estimate)| estimate - truth).collect()
    }

    /// How well one method agrees with the truth.
    pub fn statistics(&self, method: usize) -> Statistics {
        Statistics::of(&self.pairs(method))
    }

    /// Its galaxies by signal-to-noise ratio, of which `snr` has one for each galaxy of the data set.
    pub fn by_signal_to_noise(&self, snr: &[f64]) -> Split {
        let mut known = vec![f64::NAN; snr.len()];
        self.galaxies
            .iter()
            .filter(|&&galaxy| galaxy < snr.len())
            .for_each(|&galaxy| known[galaxy] = snr[galaxy]);
        Split::by_signal_to_noise(&known)
    }

    /// The same of only some galaxies, those of the data set that `keep` knows.
    pub fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.galaxies.len()).filter(|&i| keep(self.galaxies[i])).collect();
        let of = |values: &[f64]| kept.iter().map(|&i| values[i]).collect();
        Comparison {
            parameter: self.parameter,
            galaxies: kept.iter().map(|&i| self.galaxies[i]).collect(),
            truth: of(&self.truth),
            methods: self.methods.iter().map(|(label, values)| (label.clone(), of(values))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truths() -> Vec<Truth> {
        [20.0, 21.0, f64::NAN, 22.0].map(|mag| Truth { mag, re_maj: 3.0, ..Truth::default() }).to_vec()
    }

    fn estimates(label: &str, parameter: Parameter, values: &[Option<f64>]) -> Estimates {
        Estimates { label: label.into(), values: BTreeMap::from([(parameter, values.to_vec())]) }
    }

    #[test]
    fn a_catalogue_is_matched_by_name_and_its_failed_fits_left_out() {
        let row = |id: &str, mag: f64, bad| Label { id: id.into(), mag: Some(mag), bad, ..Label::default() };
        let rows = vec![row("3", 21.0, false), row("1", 20.0, false), row("2", 5.0, true)];
        let catalogue = Labels { rows, named: true, ..Labels::default() };
        let of_ids = |ids: &[i64]| ids.iter().map(|&id| Truth { id, ..Truth::default() }).collect::<Vec<_>>();
        let found = Estimates::of_catalogue("c", &catalogue, &of_ids(&[1, 2, 3, 4])).unwrap();
        assert_eq!(found.values[&Parameter::Magnitude], [Some(20.0), None, Some(21.0), None]);
        assert_eq!(found.values.len(), 1);
        let error = Estimates::of_catalogue("c", &catalogue, &of_ids(&[7])).unwrap_err().to_string();
        assert!(error.contains("its IDs are like '3', those of the data set like '7'"), "{error}");
    }

    #[test]
    fn only_galaxies_that_all_measured_are_compared() {
        let one = estimates("one", Parameter::Magnitude, &[Some(20.5), Some(21.0), Some(1.0), Some(22.0)]);
        let two = estimates("two", Parameter::Magnitude, &[Some(19.0), None, Some(1.0), Some(23.0)]);
        let other = estimates("other", Parameter::Radius, &[Some(3.5)]);
        let found = Comparison::all(&truths(), &[one, two, other]);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].galaxies.as_slice(), found[0].methods.len()), (&[0, 3][..], 2));
        assert_eq!((found[0].errors(0), found[0].errors(1)), (vec![0.5, 0.0], vec![-1.0, 1.0]));
        assert_eq!((found[1].galaxies.as_slice(), found[1].errors(0)), (&[0][..], vec![0.5]));
        let last = found[0].only(|galaxy| galaxy == 3);
        assert_eq!((last.truth.as_slice(), last.errors(1)), (&[22.0][..], vec![1.0]));
        assert!(Comparison::all(&truths(), &[]).is_empty());
    }
}
