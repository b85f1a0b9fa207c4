//! `legato adapt`.

use super::train::{RecipeArguments, learn_once};
use super::{Common, evaluate, progress, table};
use crate::engine::Gpu;
use crate::engine::nn::Model;
use crate::legato::{
    Estimator, Evaluation, LabelOptions, Parameter, Recipe, Stamps, Task, WEIGHTS_FILE, load_estimators,
    transfer,
};
use crate::report::{Page, Series, Style, Table, adaptation_curve, names, number};
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

/// The numbers of labelled galaxies of the paper's Figure 6.
pub const SIZES: [usize; 11] = [50, 100, 200, 400, 600, 800, 1000, 1500, 2000, 3000, 4000];
/// Most stamps of a data set that are set aside to judge by.
const SET_ASIDE: usize = 1000;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato adapt --model runs/magnitude --data crowded.fits -o runs/adapted\n  legato adapt --model runs/magnitude --images stamps/ --labels catalogue.csv -o runs/adapted\n  legato adapt --model runs/magnitude --data crowded.fits --curve --sizes 50,100,200,400 -o curve\n\nA folder that holds a part of the same work already is gone on with."
)]
pub struct Arguments {
    /// The trained network: a weights file, or a run's folder
    #[arg(long, value_name = "WEIGHTS")]
    model: PathBuf,
    /// A data set of the galaxies to adapt to, with their truth
    #[arg(long, required_unless_present = "images", conflicts_with_all = ["images", "labels"])]
    data: Option<PathBuf>,
    /// In place of a data set: FITS stamps and cubes, or folders of them
    #[arg(long, num_args = 1.., requires = "labels")]
    images: Vec<PathBuf>,
    /// With --images: the catalogue that has their labels (FITS, CSV, ECSV)
    #[arg(long, value_name = "CATALOGUE", requires = "images")]
    labels: Option<PathBuf>,
    /// With --images: AB zero point, where the headers do not say
    #[arg(long, requires = "images", allow_negative_numbers = true)]
    zero_point: Option<f64>,
    /// With --images: pixel scale in arcsec, where the headers do not say
    #[arg(long, requires = "images")]
    pixel_scale: Option<f64>,
    /// A data set to judge by [default: a fifth of the galaxies, 1,000 at most, is set aside]
    #[arg(long)]
    test: Option<PathBuf>,
    /// The run's folder
    #[arg(short, long)]
    output: PathBuf,
    /// Adapt to ever more galaxies, train from scratch on the same, and draw R² against their number
    #[arg(long)]
    curve: bool,
    /// With --curve: the numbers of galaxies [default: the paper's, 50 to 4000, as far as there are as many]
    #[arg(long, value_delimiter = ',', requires = "curve", value_parser = super::at_least_one)]
    sizes: Vec<usize>,
    /// Stamps that a run sees at most, repeats counted: the recipe's epochs are cut to it
    #[arg(long, value_name = "STAMPS", value_parser = super::at_least_one)]
    most_seen: Option<usize>,
    #[command(flatten)]
    recipe: RecipeArguments,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let recipe = arguments.recipe.recipe("adapt")?;
    let gpu = common.open_gpu()?;
    let weights = match arguments.model.is_dir() {
        true => arguments.model.join(WEIGHTS_FILE),
        false => arguments.model.clone(),
    };
    let trained = Estimator::load(&gpu, &weights)?;
    let parameters: Vec<Parameter> = trained.iter().map(Estimator::parameter).collect();
    let Some(first) = trained.first() else { return Err(Error::weights(weights, "measures nothing")) };
    let mut labelled = arguments.labelled(first, common)?;
    for &parameter in &parameters {
        labelled = labelled.that_know(parameter);
    }
    let test = match &arguments.test {
        Some(path) => Stamps::read(path)?,
        None => {
            let aside = (labelled.len() / 5).min(SET_ASIDE);
            let all = labelled.len();
            let test = labelled.part(all - aside..all);
            labelled = labelled.part(0..all - aside);
            test
        }
    };
    if labelled.is_empty() || test.is_empty() {
        return Err(Error::Usage(
            "there are too few labelled galaxies to learn from some and judge by others".into(),
        ));
    }
    let adaptation = Adaptation {
        gpu: &gpu,
        weights,
        labelled: &labelled,
        recipe,
        most_seen: arguments.most_seen,
        common,
    };
    if arguments.curve {
        let sizes = arguments.sizes_up_to(labelled.len())?;
        let curve = adaptation.curve(&sizes, &test, &arguments.output)?;
        write_curve(&arguments.output, &parameters, &curve, common)
    } else {
        adaptation.adapt(labelled.len(), &arguments.output)?;
        let before = judge(&gpu, &adaptation.weights, &test, common)?;
        let after = judge(&gpu, &arguments.output.join(WEIGHTS_FILE), &test, common)?;
        super::print(describe(&before, &after))
    }
}

impl Arguments {
    fn labelled(&self, trained: &Estimator, common: &Common) -> Result<Stamps> {
        if let Some(data) = &self.data {
            return Stamps::read(data);
        }
        let Some(catalogue) = &self.labels else {
            return Err(Error::Usage("--data, or --images with --labels, is needed".into()));
        };
        let options = LabelOptions {
            zero_point: self.zero_point,
            pixel_scale: self.pixel_scale,
            common_zero_point: Some(trained.provenance.zero_point),
        };
        let images = super::fit::expand(&self.images)?;
        let (stamps, report) = Stamps::labelled(&images, catalogue, trained.stamp_size(), &options)?;
        common.say(report.to_string());
        Ok(stamps)
    }

    fn sizes_up_to(&self, most: usize) -> Result<Vec<usize>> {
        if let Some(size) = self.sizes.iter().find(|&&size| size > most) {
            return Err(Error::Usage(format!(
                "--sizes {size}: there are only {most} galaxies to learn from"
            )));
        }
        let mut sizes = if self.sizes.is_empty() { SIZES.to_vec() } else { self.sizes.clone() };
        sizes.retain(|&size| size <= most);
        sizes.sort_unstable();
        sizes.dedup();
        match sizes.is_empty() {
            true => {
                Err(Error::Usage(format!("{most} galaxies are fewer than the smallest size: give --sizes")))
            }
            false => Ok(sizes),
        }
    }
}

/// A trained network, and labelled galaxies of another kind.
pub struct Adaptation<'a> {
    pub gpu: &'a Gpu,
    /// The trained network's weights file.
    pub weights: PathBuf,
    /// What is learned from; the first galaxies where not all are.
    pub labelled: &'a Stamps,
    pub recipe: Recipe,
    /// Stamps that a run sees at most, repeats counted.
    pub most_seen: Option<usize>,
    pub common: &'a Common,
}

/// R² on galaxies never learned from, a parameter each.
pub type Scores = Vec<(Parameter, f64)>;

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
    pub fn from_scratch(&self, galaxies: usize, folder: &Path) -> Result<()> {
        self.learn(galaxies, false, folder)
    }

    fn learn(&self, galaxies: usize, adapt: bool, folder: &Path) -> Result<()> {
        let stamps = self.labelled.part(0..galaxies);
        let learned = (1.0 - self.recipe.validation) * galaxies as f64;
        let most = self.most_seen.map_or(usize::MAX, |seen| (seen as f64 / learned).ceil() as usize);
        let trained = Estimator::load(self.gpu, &self.weights)?;
        let Some(first) = trained.first() else {
            return Err(Error::weights(&self.weights, "measures nothing"));
        };
        let recipe = Recipe { epochs: self.recipe.epochs.min(most), ..self.recipe.clone() };
        // What has learned nothing yet needs the usual rate, and no layer of it is to stay as it is.
        let recipe = match adapt {
            true => recipe,
            false => Recipe { learning_rate: Recipe::paper()?.learning_rate, frozen: 0, ..recipe },
        };
        let from = adapt.then(|| self.weights.display().to_string());
        let task = Task { targets: first.provenance.targets.clone(), seed: self.common.seed, from };
        let model = || {
            let transferred = transfer(self.gpu, &self.weights, &recipe, &task)?;
            if adapt { Ok(transferred) } else { Model::random(self.gpu, transferred.network(), task.seed) }
        };
        learn_once(self.gpu, (&stamps).into(), (&recipe, &task), model, folder, self.common).map(drop)
    }

    /// Adapts to ever more galaxies, and trains from scratch on the same, judged by `test`.
    pub fn curve(&self, sizes: &[usize], test: &Stamps, folder: &Path) -> Result<Curve> {
        let judge = |weights: &Path| scores(&judge(self.gpu, weights, test, self.common)?);
        let mut steps = Vec::new();
        for &galaxies in sizes {
            let [adapted, scratch] = ["adapted", "scratch"].map(|how| curve_run(folder, galaxies, how));
            self.adapt(galaxies, &adapted)?;
            self.from_scratch(galaxies, &scratch)?;
            let [adapted, scratch] = [adapted, scratch].map(|run| judge(&run.join(WEIGHTS_FILE)));
            steps.push(Step { galaxies, adapted: adapted?, scratch: scratch? });
        }
        Ok(Curve { before: judge(&self.weights)?, steps })
    }
}

/// The folder of one run of a curve.
pub fn curve_run(folder: &Path, galaxies: usize, how: &str) -> PathBuf {
    folder.join("runs").join(format!("{galaxies:05}-{how}"))
}

fn scores(evaluations: &[Evaluation]) -> Result<Scores> {
    Ok(evaluations.iter().map(|e| (e.parameter, e.statistics.r2)).collect())
}

/// A network on galaxies that it has not learned from.
pub fn judge(gpu: &Gpu, weights: &Path, test: &Stamps, common: &Common) -> Result<Vec<Evaluation>> {
    let estimators = load_estimators(gpu, weights)?;
    let bar = progress::bar(common, test.len() as u64, "evaluating", "stamps");
    let found = crate::legato::evaluate(gpu, &estimators, test, evaluate::BATCH, |done| bar.inc(done as u64));
    bar.finish_and_clear();
    found
}

/// Before and after, as a table.
fn describe(before: &[Evaluation], after: &[Evaluation]) -> String {
    let row = |(b, a): (&Evaluation, &Evaluation)| {
        vec![
            b.parameter.to_string(),
            b.statistics.count.to_string(),
            number::fixed(b.statistics.r2, 4),
            number::fixed(a.statistics.r2, 4),
            number::fixed(b.statistics.scatter, 4),
            number::fixed(a.statistics.scatter, 4),
        ]
    };
    let rows: Vec<Vec<String>> = before.iter().zip(after).map(row).collect();
    table::lay_out(
        &["parameter", "stamps", "R² before", "R² after", "scatter before", "scatter after"],
        &rows,
    )
}

/// The figure of a parameter's curve, as the paper's Figure 6.
pub fn curve_figure(parameter: Parameter, curve: &Curve) -> Result<crate::report::Figure> {
    let of = |scores: &Scores| scores.iter().find(|(p, _)| *p == parameter).map_or(f64::NAN, |(_, r2)| *r2);
    let series = |label: &str, points: Vec<(f64, f64)>, style| Series {
        label: label.into(),
        points,
        errors: None,
        style,
    };
    let line = |pick: fn(&Step) -> &Scores| {
        let mut points = Vec::new();
        points.extend(curve.steps.iter().map(|step| (step.galaxies as f64, of(pick(step)))));
        points
    };
    adaptation_curve(
        &format!("adaptation-{parameter}"),
        "R² on galaxies never learned from, against the number of labelled galaxies (a fifth of them for validation). \
         The star is the network before it was adapted. In the paper's Figure 6 as here, both curves saw the same \
         galaxies.",
        names::title(parameter),
        &[
            series("adapted", line(|s| &s.adapted), Style::Line),
            series("from scratch", line(|s| &s.scratch), Style::Line),
            series("before", vec![(0.0, of(&curve.before))], Style::Star),
        ],
    )
}

/// The numbers of a curve.
pub fn curve_table(parameter: Parameter, curve: &Curve) -> Table {
    let of = |scores: &Scores| scores.iter().find(|(p, _)| *p == parameter).map_or(f64::NAN, |(_, r2)| *r2);
    let row = |galaxies: usize, adapted, scratch| {
        vec![galaxies.to_string(), number::fixed(adapted, 4), number::fixed(scratch, 4)]
    };
    let mut rows = vec![row(0, of(&curve.before), f64::NAN)];
    rows.extend(curve.steps.iter().map(|s| row(s.galaxies, of(&s.adapted), of(&s.scratch))));
    Table {
        name: format!("adaptation-{parameter}"),
        caption: format!("R² of the {parameter} on galaxies never learned from."),
        columns: ["labelled galaxies", "adapted", "from scratch"].map(String::from).to_vec(),
        rows,
    }
}

fn write_curve(folder: &Path, parameters: &[Parameter], curve: &Curve, common: &Common) -> Result<()> {
    files::make_folder(folder)?;
    let mut page = Page::new("Domain adaptation");
    for &parameter in parameters {
        let numbers = curve_table(parameter, curve);
        let heading: Vec<&str> = numbers.columns.iter().map(String::as_str).collect();
        super::print(table::lay_out(&heading, &numbers.rows))?;
        page.figure(curve_figure(parameter, curve)?).table(numbers);
    }
    page.write(folder)?;
    common.say(format!("{}: the curve as figures and tables", folder.join("index.html").display()));
    Ok(())
}
