//! Whether a fit is a measurement of its galaxy.

use super::component::Component;
use super::constraints::Limit;
use super::model::Fit;
use super::value::Value;

/// Why a galaxy's parameters are not to be taken for a measurement; none where they may be. GALFIT marks with stars what led to
/// numerical trouble; its own flag for that counts against the galaxy only where no other component has such marks.
/// `first` is the magnitude that the fit started from, where it is known.
pub fn trouble(fit: &Fit, galaxy: &Component, limits: &[Limit], first: Option<f64>) -> Option<String> {
    if let Some((name, _)) = galaxy.parameters().find(|(_, value)| !value.value.is_finite()) {
        return Some(format!("{name} is no number"));
    }
    if let Some(name) = galaxy.suspect() {
        return Some(format!("GALFIT marks {name} as not to be trusted"));
    }
    if let Some((name, limit)) = limits.iter().find_map(|limit| limit.reached(galaxy, first)) {
        return Some(format!("{name} is at its limit, {limit}"));
    }
    if fit.ran_out() {
        return Some("GALFIT ran out of iterations".to_owned());
    }
    let other = |component: &&Component| component.number != galaxy.number;
    let elsewhere = fit.components.iter().filter(other).any(doubtful);
    (fit.numerical_trouble() && (doubtful(galaxy) || !elsewhere))
        .then(|| "GALFIT suspects numerical trouble".to_owned())
}

/// Whether something about a component may have led to numerical trouble: a mark of GALFIT's, or a radius, an index, or
/// an axis ratio with an error that exceeds it.
fn doubtful(component: &Component) -> bool {
    let vague =
        |(name, value): (&str, Value)| ["RE_MAJ", "N", "Q"].contains(&name) && value.error > value.value;
    component.suspect().is_some() || component.parameters().any(vague)
}

#[cfg(test)]
mod tests {
    use super::super::constraints::paper;
    use super::*;

    fn component(number: usize, re: &str) -> Component {
        Component::read(number, "sersic", |name| {
            Value::parse(match name {
                "RE" => re,
                "AR" => "0.5 +/- 0.1",
                "MAG" => "20.0 +/- 0.1",
                "N" => "2.0 +/- 0.1",
                _ => "10.0 +/- 0.1",
            })
        })
        .unwrap()
    }

    fn said(components: &[Component], flags: &[&str], first: f64) -> Option<String> {
        let fit = Fit {
            components: components.to_vec(),
            image: String::new(),
            region: None,
            chi2: 1.0,
            zero_point: 25.0,
            flags: flags.iter().map(ToString::to_string).collect(),
            constraints: None,
        };
        trouble(&fit, &components[0], &paper(), Some(first))
    }

    #[test]
    fn a_good_fit_has_no_trouble_whatever_its_notes() {
        assert_eq!(said(&[component(1, "5.0 +/- 0.1")], &["A-3", "A-4", "H-4"], 20.5), None);
    }

    #[test]
    fn every_kind_of_trouble_is_told() {
        let good = || component(1, "5.0 +/- 0.1");
        for (components, flags, first, words) in [
            (vec![component(1, "*5.0* +/- *9.0*")], vec![], 20.5, "GALFIT marks RE_MAJ"),
            (vec![component(1, "nan +/- nan")], vec![], 20.5, "RE_MAJ is no number"),
            (vec![component(1, "130.0 +/- 9")], vec![], 20.5, "RE_MAJ is at its limit, 130"),
            (vec![good()], vec![], 23.0, "MAG is at its limit, 20"),
            (vec![good()], vec!["1"], 20.5, "ran out of iterations"),
            (vec![good()], vec!["2"], 20.5, "suspects numerical trouble"),
        ] {
            let found = said(&components, &flags, first).unwrap_or_default();
            assert!(found.contains(words), "{words}: {found}");
        }
    }

    #[test]
    fn trouble_of_another_component_is_not_the_galaxys() {
        let good = component(1, "5.0 +/- 0.1");
        for other in ["*0.3* +/- *9.0*", "400.0 +/- 23330.2"] {
            assert_eq!(said(&[good.clone(), component(2, other)], &["2"], 20.5), None);
        }
        let vague = component(1, "5.0 +/- 6.0");
        let found = said(&[vague, component(2, "*0.3* +/- *9.0*")], &["2"], 20.5);
        assert_eq!(found.as_deref(), Some("GALFIT suspects numerical trouble"));
    }
}
