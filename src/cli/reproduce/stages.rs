//! Simulations, training, measurements. Each leaves a file or a folder, and is not done again where that is there.

use super::plan::{Plan, Way};
use crate::cli::adapt::{Adaptation, Curve, curve_run, judge};
use crate::cli::learn::learn_once;
use crate::cli::{Common, simulate};
use crate::engine::Gpu;
use crate::engine::nn::Model;
use crate::legato::{
    Architecture, Epoch, Estimates, Estimator, Evaluation, Fresh, Parameter, Recipe, Stamps, Supply, Task,
    WEIGHTS_FILE, transfer,
};
use crate::sky::Survey;
use crate::{Error, Result, files};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The architectures, in the order of the tables.
pub const ARCHITECTURES: [Architecture; 2] = [Architecture::One, Architecture::Two];

/// Everything that the report is made of.
pub struct Results {
    pub test: Stamps,
    /// By each architecture: a network for each parameter.
    pub isolated: Vec<Estimates>,
    /// By each architecture: one network for all; none where there is none.
    pub together: Vec<Estimates>,
    /// The architecture that is better at each parameter.
    pub better: BTreeMap<Parameter, Architecture>,
    pub crowded: Crowded,
    /// Each run's name and history.
    pub histories: Vec<(String, Vec<Epoch>)>,
    /// What was done, and seconds that it took.
    pub times: Vec<(String, f64)>,
}

/// Galaxies among others, and what the better network of each parameter says of them.
pub struct Crowded {
    pub stamps: Stamps,
    /// Before adaptation, and after.
    pub before: Estimates,
    pub after: Estimates,
    /// By how many labelled galaxies.
    pub curves: Vec<(Parameter, Curve)>,
}

/// A plan at work in its folder.
pub struct Workshop<'a> {
    gpu: &'a Gpu,
    plan: &'a Plan,
    folder: &'a Path,
    common: &'a Common,
    survey: Survey,
    crowded: Survey,
    histories: Vec<(String, Vec<Epoch>)>,
    times: Vec<(String, f64)>,
}

impl<'a> Workshop<'a> {
    /// Prepares it.
    ///
    /// # Errors
    /// The surveys cannot be read.
    pub fn open(gpu: &'a Gpu, plan: &'a Plan, folder: &'a Path, common: &'a Common) -> Result<Self> {
        let (survey, crowded) = (Survey::find(&plan.survey)?, Survey::find(&plan.crowded)?);
        Ok(Workshop { gpu, plan, folder, common, survey, crowded, histories: Vec::new(), times: Vec::new() })
    }

    /// Does what is not done, and gathers all of it.
    ///
    /// # Errors
    /// Those of every stage, and [`Error::Interrupted`].
    pub fn work(&mut self) -> Result<Results> {
        let plan = self.plan;
        let test = self.data("test", &self.survey.clone(), plan.seed, plan.test)?;
        self.train()?;
        let (mut isolated, mut together) = (Vec::new(), Vec::new());
        for architecture in ARCHITECTURES {
            let mut found = Vec::new();
            for &parameter in &plan.parameters {
                found.extend(self.measure(
                    &test,
                    "isolated",
                    &self.weights(architecture, parameter.name()),
                )?);
            }
            isolated.push(Estimates::of_networks(format!("architecture {architecture}"), &found));
            if let Way::Together { .. } = plan.way {
                let found = self.measure(&test, "isolated", &self.weights(architecture, TOGETHER))?;
                let label = format!("architecture {architecture}, one network");
                together.push(Estimates::of_networks(label, &found));
            }
        }
        let better = plan.parameters.iter().map(|&p| (p, better(p, &test, &isolated))).collect();
        let crowded = self.adapt(&better)?;
        Ok(Results {
            test,
            crowded,
            isolated,
            together,
            better,
            histories: std::mem::take(&mut self.histories),
            times: std::mem::take(&mut self.times),
        })
    }

    /// A data set of the first galaxies of a seed.
    fn data(&mut self, name: &str, survey: &Survey, seed: u64, number: usize) -> Result<Stamps> {
        let folder = self.folder.join("data");
        files::make_folder(&folder)?;
        let path = folder.join(format!("{name}.fits"));
        if !path.exists() {
            let started = Instant::now();
            simulate::simulate(
                simulate::Job::new(survey, seed, number as u64)?,
                Some(&path),
                None,
                self.common,
            )?;
            self.times
                .push((format!("simulating {number} stamps ({name})"), started.elapsed().as_secs_f64()));
        }
        Stamps::read(&path)
    }

    /// The folder of a run.
    fn run(&self, architecture: Architecture, name: &str) -> PathBuf {
        self.folder.join("runs").join(format!("architecture-{architecture}")).join(name)
    }

    /// Its weights file.
    fn weights(&self, architecture: Architecture, name: &str) -> PathBuf {
        self.run(architecture, name).join(WEIGHTS_FILE)
    }

    fn train(&mut self) -> Result<()> {
        let plan = self.plan;
        match &plan.way {
            Way::Apart { recipe, stamps } => {
                // Another seed than the test's, which begins with the same galaxies otherwise.
                let set = self.data("train", &self.survey.clone(), plan.seed.wrapping_add(1), *stamps)?;
                for architecture in ARCHITECTURES {
                    for &parameter in &plan.parameters {
                        let task = Task::new(&[parameter], &self.survey, plan.seed);
                        self.learn(architecture, parameter.name(), (&set).into(), (recipe, &task), *stamps)?;
                    }
                }
            }
            Way::Together { together, alone, held_out } => {
                let fresh = self.fresh(plan.seed, together.1, *held_out)?;
                for architecture in ARCHITECTURES {
                    let task = Task::new(&plan.parameters, &self.survey, plan.seed);
                    self.learn(architecture, TOGETHER, (&fresh).into(), (&together.0, &task), together.1)?;
                }
                let fresh = self.fresh(plan.seed.wrapping_add(1), alone.1, *held_out)?;
                for architecture in ARCHITECTURES {
                    let from = self.weights(architecture, TOGETHER).display().to_string();
                    for &parameter in &plan.parameters {
                        let task = Task::new(&[parameter], &self.survey, plan.seed);
                        let task = Task { from: Some(from.clone()), ..task };
                        self.learn(
                            architecture,
                            parameter.name(),
                            (&fresh).into(),
                            (&alone.0, &task),
                            alone.1,
                        )?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Galaxies of the survey that are drawn as they are needed.
    fn fresh(&self, seed: u64, stamps_an_epoch: usize, held_out: usize) -> Result<Fresh> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1);
        Fresh::new(simulate::simulator(&self.survey, seed)?, stamps_an_epoch, held_out, threads)
    }

    fn learn(
        &mut self,
        architecture: Architecture,
        name: &str,
        supply: Supply,
        (recipe, task): (&Recipe, &Task),
        stamps_an_epoch: usize,
    ) -> Result<()> {
        let (size, sigma) = (self.survey.stamp_size, self.survey.noise.sigma());
        let network = architecture.network_for(recipe, task.targets.len(), size, sigma);
        let model = || match &task.from {
            Some(from) => {
                transfer(self.gpu, &Estimator::load_first(self.gpu, Path::new(from))?, recipe, task)
            }
            None => Model::random(self.gpu, &network, task.seed),
        };
        let folder = self.run(architecture, name);
        let history = learn_once(self.gpu, supply, (recipe, task), model, &folder, self.common)?;
        let title = format!("architecture {architecture}, {name}");
        let seconds: f64 = history.iter().map(|e| stamps_an_epoch as f64 / e.images_per_second).sum();
        self.times.push((format!("training {title}"), seconds));
        self.histories.push((title, history));
        Ok(())
    }

    /// A run's network, in its weights file, on a data set; measured once.
    fn measure(&self, set: &Stamps, name: &str, weights: &Path) -> Result<Vec<Evaluation>> {
        let path = weights.with_file_name(format!("{name}.json"));
        let kept: Option<BTreeMap<Parameter, Vec<f64>>> = match path.exists() {
            true => serde_json::from_slice(&files::read(&path)?).ok(),
            false => None,
        };
        if let Some(kept) = kept.filter(|kept| kept.values().all(|values| values.len() == set.len())) {
            let evaluation = |(parameter, values): (Parameter, Vec<f64>)| {
                let pairs: Vec<(f64, f64)> =
                    set.truths().iter().map(|t| parameter.of(t)).zip(values).collect();
                Evaluation::new(parameter, pairs, Vec::new())
            };
            return Ok(kept.into_iter().map(evaluation).collect());
        }
        let found = judge(self.gpu, weights, set, self.common)?;
        let values: BTreeMap<Parameter, Vec<f64>> =
            found.iter().map(|e| (e.parameter, e.pairs.iter().map(|pair| pair.1).collect())).collect();
        let text = serde_json::to_vec(&values)
            .map_err(|e| Error::Catalogue { path: path.clone(), message: e.to_string() })?;
        files::replace(&path, &text)?;
        Ok(found)
    }

    /// Every parameter's better network on crowded stamps, before and after adaptation; and the curves.
    fn adapt(&mut self, better: &BTreeMap<Parameter, Architecture>) -> Result<Crowded> {
        let plan = self.plan;
        let survey = self.crowded.clone();
        let labelled = self.data("labelled", &survey, plan.seed.wrapping_add(2), plan.labelled())?;
        let stamps = self.data("crowded", &survey, plan.seed.wrapping_add(3), plan.crowded_test)?;
        let (mut before, mut after, mut curves) = (Vec::new(), Vec::new(), Vec::new());
        for (&parameter, &architecture) in better {
            let weights = self.weights(architecture, parameter.name());
            let network = Estimator::load_first(self.gpu, &weights)?;
            let adaptation = Adaptation {
                gpu: self.gpu,
                trained: &network,
                labelled: &labelled,
                recipe: Recipe::find("adapt")?,
                most_seen: Some(plan.most_seen),
                common: self.common,
            };
            let started = Instant::now();
            let adapted = if plan.curves.contains(&parameter) {
                let folder = self.folder.join("curves").join(parameter.name());
                let judge = |weights: &Path| self.measure(&stamps, "crowded", weights);
                curves.push((parameter, adaptation.curve(&plan.sizes, &folder, judge)?));
                curve_run(&folder, plan.labelled(), "adapted")
            } else {
                let folder = self.folder.join("adapted").join(parameter.name());
                adaptation.adapt(plan.labelled(), &folder)?;
                folder
            };
            before.extend(self.measure(&stamps, "crowded", &weights)?);
            after.extend(self.measure(&stamps, "crowded", &adapted.join(WEIGHTS_FILE))?);
            self.times.push((format!("adapting the {parameter}"), started.elapsed().as_secs_f64()));
        }
        let [before, after] = [("before", before), ("after", after)]
            .map(|(label, found)| Estimates::of_networks(label, &found));
        Ok(Crowded { stamps, before, after, curves })
    }
}

/// The name of the run that learns everything.
const TOGETHER: &str = "together";

/// The architecture of the higher R².
fn better(parameter: Parameter, test: &Stamps, estimates: &[Estimates]) -> Architecture {
    let scores = estimates.iter().map(|e| e.r2(parameter, test.truths(), |_| true));
    let best = scores.zip(ARCHITECTURES).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(Architecture::Two, |(_, architecture)| architecture)
}
