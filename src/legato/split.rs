//! The galaxies of a data set in groups: by magnitude, by their companions, by signal-to-noise ratio.

use super::{BoxSummary, Comparison, Statistics};
use crate::fits::DatasetMeta;
use crate::sky::Truth;
use serde::Serialize;

/// Groups of galaxies, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// What they differ in, with its unit.
    pub label: String,
    /// Each one's name, and its galaxies, counted from 0; a group may be empty.
    pub groups: Vec<(String, Vec<usize>)>,
}

/// One group's agreement with the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// The group's name.
    pub group: String,
    /// Its agreement.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// Its errors, estimate − truth, as a box; none in an empty group.
    pub errors: Option<BoxSummary>,
}

impl Split {
    /// By true magnitude, in bins of 1 mag from whole magnitude to whole magnitude, as in the paper's Figures 3 and 7;
    /// the ends belong to the brighter bin only where no fainter one is left.
    pub fn by_magnitude(truths: &[Truth]) -> Self {
        let mags = || truths.iter().map(|t| t.mag).filter(|m| m.is_finite());
        let (bright, faint) =
            (mags().fold(f64::INFINITY, f64::min), mags().fold(f64::NEG_INFINITY, f64::max));
        let mut groups = Vec::new();
        if bright <= faint {
            let first = bright.floor();
            let bins = ((faint.ceil() - first) as usize).max(1);
            groups.extend(
                (0..bins).map(|i| (format!("{}–{}", first + i as f64, first + i as f64 + 1.0), Vec::new())),
            );
            for (i, truth) in truths.iter().enumerate().filter(|(_, t)| t.mag.is_finite()) {
                groups[((truth.mag - first) as usize).min(bins - 1)].1.push(i);
            }
        }
        Split { label: "true magnitude".to_owned(), groups }
    }

    /// By the flux of the brightest companion on the stamp over the galaxy's, at the paper's limits (Figure 4); none
    /// where it is not known of any galaxy, or where all are alone.
    pub fn by_companion(truths: &[Truth]) -> Option<Self> {
        let names = ["none", "below 0.1", "0.1–0.5", "0.5 and more"];
        let mut groups = names.map(|name| (name.to_owned(), Vec::new()));
        for (i, truth) in truths.iter().enumerate() {
            match (truth.companions, truth.companion_ratio) {
                (Some(0), _) => groups[0].1.push(i),
                (_, Some(ratio)) if ratio < 0.1 => groups[1].1.push(i),
                (_, Some(ratio)) if ratio < 0.5 => groups[2].1.push(i),
                (_, Some(ratio)) if ratio.is_finite() => groups[3].1.push(i),
                _ => (),
            }
        }
        let crowded = groups[1..].iter().any(|(_, galaxies)| !galaxies.is_empty());
        let label = "flux of the brightest companion / the galaxy's".to_owned();
        crowded.then(|| Split { label, groups: groups.to_vec() })
    }

    /// By signal-to-noise ratio, into groups of about as many galaxies each, 30 at least where there are as many, and
    /// ten groups at most; galaxies of unknown ratio are left out. Groups are named by their medians.
    pub fn by_signal_to_noise(snr: &[f64]) -> Self {
        const LEAST: usize = 30;
        const GROUPS: usize = 10;
        let mut order: Vec<usize> = (0..snr.len()).filter(|&i| snr[i].is_finite() && snr[i] > 0.0).collect();
        order.sort_by(|&a, &b| snr[a].total_cmp(&snr[b]));
        let count = (order.len() / LEAST).clamp(1, GROUPS);
        let group = |i: usize| {
            let galaxies = order[i * order.len() / count..(i + 1) * order.len() / count].to_vec();
            let middle = *galaxies.get(galaxies.len() / 2)?;
            Some((format!("{:.1}", snr[middle]), galaxies))
        };
        Split { label: "signal-to-noise ratio".to_owned(), groups: (0..count).filter_map(group).collect() }
    }

    /// A comparison within each group.
    pub fn of(&self, comparison: &Comparison) -> Vec<Comparison> {
        // A galaxy's group, to look up rather than to search.
        let last = self.groups.iter().flat_map(|(_, galaxies)| galaxies).max().map_or(0, |last| last + 1);
        let mut group_of = vec![usize::MAX; last];
        for (group, (_, galaxies)) in self.groups.iter().enumerate() {
            galaxies.iter().for_each(|&galaxy| group_of[galaxy] = group);
        }
        let within = |group| comparison.only(|galaxy| group_of.get(galaxy) == Some(&group));
        (0..self.groups.len()).map(within).collect()
    }

    /// How well one method of a comparison does in each group.
    pub fn parts(&self, comparison: &Comparison, method: usize) -> Vec<Part> {
        let part = |(within, (name, _)): (Comparison, &(String, Vec<usize>))| Part {
            group: name.clone(),
            statistics: within.statistics(method),
            errors: BoxSummary::of(&within.errors(method)),
        };
        self.of(comparison).into_iter().zip(&self.groups).map(part).collect()
    }
}

/// The signal-to-noise ratio to expect of a galaxy from the truth about it, against the noise of the sky alone: half of
/// its flux F = 10^(0.4 (ZP − MAG)) over the noise σ √A in its half-light ellipse of A = π Q RE_MAJ² pixels. NaN where
/// any of these is unknown. It is known of galaxies that no image was measured of, and companions do not change it;
/// `SNR` in catalogues is measured, and differs.
pub fn expected_signal_to_noise(truth: &Truth, meta: &DatasetMeta) -> f64 {
    let flux = 10f64.powf(0.4 * (meta.zero_point - truth.mag));
    let area = std::f64::consts::PI * truth.q * truth.re_maj.powi(2);
    if meta.sigma > 0.0 { 0.5 * flux / (meta.sigma * area.sqrt()) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_magnitude(mag: f64) -> Truth {
        Truth { mag, ..Truth::default() }
    }

    #[test]
    fn bins_of_magnitude_are_whole_and_gaps_stay_empty() {
        let split = Split::by_magnitude(&[16.2, 19.0, 18.999, f64::NAN, 20.0].map(of_magnitude));
        let sizes: Vec<_> = split.groups.iter().map(|(name, g)| (name.as_str(), g.clone())).collect();
        assert_eq!(sizes, [("16–17", vec![0]), ("17–18", vec![]), ("18–19", vec![2]), ("19–20", vec![1, 4])]);
        assert_eq!(Split::by_magnitude(&[of_magnitude(21.0)]).groups, [("21–22".to_owned(), vec![0])]);
        assert!(Split::by_magnitude(&[of_magnitude(f64::NAN)]).groups.is_empty());
    }

    #[test]
    fn companions_are_split_at_the_papers_limits() {
        let with = |n: u32, ratio: f64| Truth {
            companions: Some(n),
            companion_ratio: Some(ratio),
            ..Truth::default()
        };
        let truths = [with(0, 0.0), with(1, 0.0999), with(2, 0.1), with(1, 0.5), Truth::default()];
        let groups = Split::by_companion(&truths).unwrap().groups;
        assert_eq!(groups.into_iter().map(|(_, g)| g).collect::<Vec<_>>(), [[0], [1], [2], [3]]);
        assert_eq!(Split::by_companion(&truths[..1]), None);
        assert_eq!(Split::by_companion(&truths[4..]), None);
    }

    #[test]
    fn groups_of_signal_to_noise_are_about_as_large_as_each_other() {
        let snr: Vec<f64> = (0..101).map(|i| f64::from((i * 37) % 101)).collect();
        let split = Split::by_signal_to_noise(&snr);
        let sizes: Vec<usize> = split.groups.iter().map(|(_, g)| g.len()).collect();
        // A ratio of 0 is no detection.
        assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (3, 100));
        assert!(sizes.iter().all(|n| (33..=34).contains(n)));
        for few in [&[][..], &[f64::NAN], &[5.0]] {
            assert_eq!(
                Split::by_signal_to_noise(few).groups.len(),
                few.iter().filter(|s| s.is_finite()).count()
            );
        }
    }

    #[test]
    fn a_split_compares_within_groups() {
        let comparison = Comparison {
            parameter: crate::legato::Parameter::Magnitude,
            galaxies: vec![0, 2, 5],
            truth: vec![1.0, 2.0, 3.0],
            methods: vec![("m".into(), vec![1.5, 2.0, 4.0])],
        };
        let groups = vec![("a".to_owned(), vec![5, 1]), ("b".to_owned(), vec![]), ("c".to_owned(), vec![0])];
        let parts = Split { label: "l".into(), groups }.parts(&comparison, 0);
        assert_eq!(parts.iter().map(|p| p.statistics.count).collect::<Vec<_>>(), [1, 0, 1]);
        assert_eq!((parts[0].statistics.bias, parts[2].statistics.bias), (1.0, 0.5));
        assert!(parts[1].errors.is_none() && parts[1].statistics.bias.is_nan());
    }

    #[test]
    fn half_the_light_stands_against_the_noise_under_it() {
        let truth = Truth { mag: 20.0, re_maj: 4.0, q: 0.5, ..Truth::default() };
        let meta = DatasetMeta { zero_point: 25.0, sigma: 0.01, ..DatasetMeta::default() };
        // F = 100, A = 8π.
        let expected = 50.0 / (0.01 * 25.132_741_228_718_345_f64.sqrt());
        assert!((expected_signal_to_noise(&truth, &meta) / expected - 1.0).abs() < 1e-12);
        assert!(expected_signal_to_noise(&truth, &DatasetMeta::default()).is_nan());
    }
}
