//! The methods of a figure: a place and a colour each, the same in every panel.

use super::sketch::Ink;
use crate::legato::Comparison;

/// Every method of some comparisons, in the order in which they first appear.
pub(super) struct Methods<'a>(Vec<&'a str>);

impl<'a> Methods<'a> {
    pub(super) fn of(comparisons: &'a [Comparison]) -> Self {
        let mut labels: Vec<&str> = Vec::new();
        for (label, _) in comparisons.iter().flat_map(|c| &c.methods) {
            if !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
        Methods(labels)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether they have to be told apart.
    pub(super) fn are_several(&self) -> bool {
        self.len() > 1
    }

    /// Which one it is, counted from 0.
    pub(super) fn place(&self, label: &str) -> usize {
        self.0.iter().position(|l| *l == label).unwrap_or(0)
    }

    /// What it is drawn in.
    pub(super) fn ink(&self, label: &str) -> Ink {
        Ink::Series(self.place(label))
    }

    /// Their labels.
    pub(super) fn labels(&self) -> &[&'a str] {
        &self.0
    }

    /// What stands behind a word that is said of one of them: nothing where there is only one.
    pub(super) fn suffix(&self, label: &str) -> String {
        if self.are_several() { format!(", {label}") } else { String::new() }
    }
}
