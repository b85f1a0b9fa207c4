//! A trained network goes on with labelled galaxies, few or many.

use crate::Result;
use crate::cli::learn::learn_once;
use crate::cli::{Common, evaluate};
use crate::engine::Gpu;
use crate::engine::nn::Model;
use crate::legato::{
    Estimator, Evaluation, Parameter, Recipe, Stamps, Task, WEIGHTS_FILE, load_estimators, transfer,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A trained network, and labelled galaxies of another kind.
pub struct Adaptation<'a> {
    pub gpu: &'a Gpu,
    /// The trained network, by any of its outputs.
    pub trained: &'a Estimator,
    /// What is learned from; the first galaxies where not all are.
    pub labelled: &'a Stamps,
    pub recipe: Recipe,
    /// Stamps that a run sees at most, repeats counted.
    pub most_seen: Option<usize>,
    pub common: &'a Common,
}

/// R² on galaxies never learned from.
pub type Scores = BTreeMap<Parameter, f64>;

/// How good networks are after so many labelled galaxies.
pub struct Step {
    /// Galaxies learned from, those held out for validation among them.
    pub galaxies: usize,
    /// After adaptation.
    pub adapted: Scores,
    /// Trained on the same galaxies alone, from random weights.
    pub scratch: Scores,
}

/// The curve of the paper's Figure 6.
pub struct Curve {
    /// Before adaptation.
    pub before: Scores,
    pub steps: Vec<Step>,
}

impl Adaptation<'_> {
    /// Goes on with the trained weights on the first `galaxies` labelled ones, in `folder`.
    pub fn adapt(&self, galaxies: usize, folder: &Path) -> Result<()> {
        self.learn(galaxies, true, folder)
    }

    /// Trains the same network on them from random weights.
    pub fn train_anew(&self, galaxies: usize, folder: &Path) -> Result<()> {
        self.learn(galaxies, false, folder)
    }

    fn learn(&self, galaxies: usize, adapt: bool, folder: &Path) -> Result<()> {
        let stamps = self.labelled.part(0..galaxies);
        let learned = (1.0 - self.recipe.validation) * galaxies as f64;
        let most = self.most_seen.map_or(usize::MAX, |seen| (seen as f64 / learned).ceil() as usize);
        let recipe = Recipe { epochs: self.recipe.epochs.min(most), ..self.recipe.clone() };
        // What has learned nothing yet needs the usual rate, and no layer of it is to stay as it is.
        let recipe = match adapt {
            true => recipe,
            false => Recipe { learning_rate: Recipe::paper()?.learning_rate, frozen: 0, ..recipe },
        };
        let from = adapt.then(|| self.trained.path.display().to_string());
        let task = Task { targets: self.trained.provenance.targets.clone(), seed: self.common.seed, from };
        let model = || {
            let transferred = transfer(self.gpu, self.trained, &recipe, &task)?;
            if adapt { Ok(transferred) } else { Model::random(self.gpu, transferred.network(), task.seed) }
        };
        learn_once(self.gpu, (&stamps).into(), (&recipe, &task), model, folder, self.common).map(drop)
    }

    /// Adapts to ever more galaxies, and trains from scratch on the same. `judge` tells what a weights file measures of
    /// galaxies that nothing was learned from.
    pub fn curve(
        &self,
        sizes: &[usize],
        folder: &Path,
        judge: impl Fn(&Path) -> Result<Vec<Evaluation>>,
    ) -> Result<Curve> {
        let judge = |weights: &Path| -> Result<Scores> {
            Ok(judge(weights)?.iter().map(|e| (e.parameter, e.statistics.r2)).collect())
        };
        let mut steps = Vec::new();
        for &galaxies in sizes {
            let [adapted, scratch] = ["adapted", "scratch"].map(|how| curve_run(folder, galaxies, how));
            self.adapt(galaxies, &adapted)?;
            self.train_anew(galaxies, &scratch)?;
            let [adapted, scratch] = [adapted, scratch].map(|run| judge(&run.join(WEIGHTS_FILE)));
            steps.push(Step { galaxies, adapted: adapted?, scratch: scratch? });
        }
        Ok(Curve { before: judge(&self.trained.path)?, steps })
    }
}

/// The folder of one run of a curve.
pub fn curve_run(folder: &Path, galaxies: usize, how: &str) -> PathBuf {
    folder.join("runs").join(format!("{galaxies:05}-{how}"))
}

/// A network on galaxies that it has not learned from.
pub fn judge(gpu: &Gpu, weights: &Path, test: &Stamps, common: &Common) -> Result<Vec<Evaluation>> {
    evaluate::evaluate(gpu, &load_estimators(gpu, weights)?, test, common)
}
