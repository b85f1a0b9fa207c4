//! The limits of a fit's parameters: GALFIT's constraint files, written and read.

use super::component::Component;
use crate::{Result, files};
use std::path::Path;

/// What a file of constraints says of one parameter of one component.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The component's number, from 1.
    pub component: usize,
    /// The parameter: `x`, `y`, `mag`, `re`, `n`, `q` or `pa`.
    pub parameter: String,
    /// The least value; less its first one where it is relative.
    pub low: f64,
    /// The greatest value; less its first one where it is relative.
    pub high: f64,
    /// Whether the limits are distances from the first value.
    pub relative: bool,
}

/// The paper's limits for its one component (Tuccillo et al. 2018, section 5.2): index between 0.2 and 6.3, half-light
/// radius between 0.3 and 130 pixels, axis ratio between 0.0001 and 1, magnitude within 3 of the first one.
pub fn paper() -> Vec<Limit> {
    let limit = |parameter: &str, low, high, relative| Limit {
        component: 1,
        parameter: parameter.to_owned(),
        low,
        high,
        relative,
    };
    vec![
        limit("n", 0.2, 6.3, false),
        limit("re", 0.3, 130.0, false),
        limit("q", 0.0001, 1.0, false),
        limit("mag", -3.0, 3.0, true),
    ]
}

/// The text of a constraint file.
pub fn text(limits: &[Limit]) -> String {
    let line = |limit: &Limit| {
        let Limit { component, parameter, low, high, .. } = limit;
        match limit.relative {
            false => format!("{component:>11}  {parameter:<9}  {low} to {high}\n"),
            true => format!("{component:>11}  {parameter:<9}  {low} {high}    # from its first value\n"),
        }
    };
    std::iter::once("# component  parameter  limits\n".to_owned()).chain(limits.iter().map(line)).collect()
}

/// The limits in a constraint file's text; ties between components, ratios and offsets are left out.
pub fn parse(text: &str) -> Vec<Limit> {
    let limit = |line: &str| {
        let words: Vec<&str> = line.split('#').next()?.split_whitespace().collect();
        let (component, parameter, rest) = (words.first()?.parse().ok()?, words.get(1)?, &words[2..]);
        let (low, high, relative) = match rest {
            [low, to, high] if to.eq_ignore_ascii_case("to") => (low, high, false),
            [low, high] => (low, high, true),
            _ => return None,
        };
        let parameter = parameter.to_ascii_lowercase();
        Some(Limit { component, parameter, low: low.parse().ok()?, high: high.parse().ok()?, relative })
    };
    text.lines().filter_map(limit).collect()
}

/// The limits in a constraint file.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<Vec<Limit>> {
    Ok(parse(&String::from_utf8_lossy(&files::read(path)?)))
}

impl Limit {
    /// The value of a component's parameter and the limit, if it has reached it; `first` is the magnitude the fit
    /// started from, for relative limits, of which other parameters' are not looked at.
    pub fn reached(&self, component: &Component, first: Option<f64>) -> Option<(&'static str, f64)> {
        /// GALFIT writes four decimals.
        const ROUNDING: f64 = 1e-4;
        if self.component != component.number {
            return None;
        }
        let name = match self.parameter.as_str() {
            "x" => "X",
            "y" => "Y",
            "mag" | "3" => "MAG",
            "re" | "rs" | "4" => "RE_MAJ",
            "n" | "5" => "N",
            "q" | "9" => "Q",
            "pa" | "10" => "PA",
            _ => return None,
        };
        let offset = match self.relative {
            true if name == "MAG" => first?,
            true => return None,
            false => 0.0,
        };
        let (name, value) = component.parameters().find(|(found, _)| *found == name)?;
        // A round galaxy's axis ratio of 1 is no limit but the end of what there is.
        let low = value.value <= self.low + offset + ROUNDING;
        let high = value.value >= self.high + offset - ROUNDING && name != "Q";
        let free = matches!(value.standing, super::Standing::Free | super::Standing::Suspect);
        (free && (low || high)).then_some((name, if low { self.low } else { self.high } + offset))
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::Value;
    use super::*;

    fn component(mag: f64, re: f64, n: f64, q: f64) -> Component {
        Component::read(1, "sersic", |name| {
            let value = match name {
                "MAG" => mag,
                "RE" => re,
                "N" => n,
                "AR" => q,
                _ => 10.0,
            };
            Value::parse(&format!("{value:.4} +/- 0.1"))
        })
        .unwrap()
    }

    #[test]
    fn the_papers_limits_are_written_as_galfit_reads_them() {
        let text = text(&paper());
        let lines: Vec<Vec<&str>> =
            text.lines().map(|l| l.split('#').next().unwrap().split_whitespace().collect()).collect();
        assert_eq!(
            lines[1..],
            [
                vec!["1", "n", "0.2", "to", "6.3"],
                vec!["1", "re", "0.3", "to", "130"],
                vec!["1", "q", "0.0001", "to", "1"],
                vec!["1", "mag", "-3", "3"],
            ]
        );
        assert_eq!(parse(&text), paper());
    }

    #[test]
    fn ties_and_comments_are_left_out_of_what_is_read() {
        let text =
            "# a comment\n\n 2 n 0.2 to 8 # absolute\n1_2 x offset\n3-7 mag -0.5 3\n2 x -1 1\n3 re 0.5 5 7\n";
        let found = parse(text);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].component, found[0].low, found[0].high, found[0].relative),
            (2, 0.2, 8.0, false)
        );
        assert_eq!((found[1].parameter.as_str(), found[1].relative), ("x", true));
    }

    #[test]
    fn a_value_at_its_limit_is_told_and_one_within_is_not() {
        let reached =
            |c: &Component| paper().iter().filter_map(|l| l.reached(c, Some(21.0))).collect::<Vec<_>>();
        assert_eq!(reached(&component(21.5, 5.0, 2.0, 0.5)), []);
        assert_eq!(reached(&component(24.0, 5.0, 2.0, 0.5)), [("MAG", 24.0)]);
        assert_eq!(reached(&component(21.5, 0.3, 6.3, 0.5)), [("N", 6.3), ("RE_MAJ", 0.3)]);
        // A round galaxy is one.
        assert_eq!(reached(&component(21.5, 5.0, 2.0, 1.0)), []);
        assert_eq!(reached(&component(21.5, 5.0, 2.0, 0.0001)), [("Q", 0.0001)]);
    }
}
