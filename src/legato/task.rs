//! What a network is trained for.

use super::{Parameter, Scaling};
use crate::sky::Survey;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Something that a network learns to tell: an output of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What.
    pub parameter: Parameter,
    /// Its range, which the output's [-1, 1] stands for.
    pub scaling: Scaling,
}

/// What a network is trained for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// What each of its outputs tells; one in the paper, several for a network that measures them
    /// together.
    pub targets: Vec<Target>,
    /// The seed of everything random.
    pub seed: u64,
    /// The weights file that it begins with; none where it begins with random weights.
    #[serde(default)]
    pub from: Option<String>,
}

impl Task {
    /// To tell parameters of a survey's galaxies.
    pub fn new(parameters: &[Parameter], survey: &Survey, seed: u64) -> Self {
        let target = |&parameter: &Parameter| Target { parameter, scaling: parameter.scaling(survey) };
        Task { targets: parameters.iter().map(target).collect(), seed, from: None }
    }

    /// The parameters, in the order of the outputs.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> + Clone + '_ {
        self.targets.iter().map(|target| target.parameter)
    }

    /// Whether a run for this task can go on for another. What it began with is in it already, wherever the file of that
    /// lies by now.
    pub fn goes_on_for(&self, other: &Task) -> bool {
        let work = |task: &Task| (task.seed, task.from.is_some());
        self.targets == other.targets && work(self) == work(other)
    }

    /// Refuses targets of which nothing could be learned.
    ///
    /// # Errors
    /// [`Error::Usage`]: none, one twice, or an empty range.
    pub fn check(&self) -> Result<()> {
        if self.targets.is_empty() {
            return Err(Error::Usage("there must be at least one parameter to learn".into()));
        }
        for (i, Target { parameter, scaling: Scaling { min, max } }) in self.targets.iter().enumerate() {
            if self.parameters().take(i).any(|earlier| earlier == *parameter) {
                return Err(Error::Usage(format!("the {parameter} is to be learned twice: name it once")));
            }
            if min.partial_cmp(max) != Some(std::cmp::Ordering::Less) {
                return Err(Error::Usage(format!(
                    "the survey gives the {parameter} a range of {min} to {max}, in which there is nothing to learn: widen it"
                )));
            }
        }
        Ok(())
    }

    /// What is learned, for people: `magnitude`, or `magnitude, radius and axis-ratio`.
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.parameters().map(Parameter::name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}
