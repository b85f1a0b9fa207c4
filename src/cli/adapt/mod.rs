//! `legato adapt`.

mod adaptation;
mod curve;

pub use adaptation::{Adaptation, Curve, curve_run, judge};
pub use curve::{curve_figure, curve_table};

use super::recipe::RecipeArguments;
use super::{Common, table};
use crate::legato::{Estimator, Evaluation, LabelOptions, Parameter, Stamps, WEIGHTS_FILE};
use crate::report::{Page, number};
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

/// The numbers of labelled galaxies of the paper's Figure 6.
const SIZES: [usize; 11] = [50, 100, 200, 400, 600, 800, 1000, 1500, 2000, 3000, 4000];
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
    let trained = Estimator::load_first(&gpu, &weights)?;
    let parameters: Vec<Parameter> = trained.provenance.targets.iter().map(|t| t.parameter).collect();
    let labelled = arguments.labelled(&trained, common)?.at_zero_point(trained.provenance.zero_point);
    trained.provenance.check_calibration(&weights, &labelled)?;
    let mut labelled = labelled.that_know(&parameters);
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
        trained: &trained,
        labelled: &labelled,
        recipe,
        most_seen: arguments.most_seen,
        common,
    };
    if arguments.curve {
        let sizes = arguments.sizes_up_to(labelled.len())?;
        let judge = |weights: &Path| judge(&gpu, weights, &test, common);
        let curve = adaptation.curve(&sizes, &arguments.output, judge)?;
        write_curve(&arguments.output, &parameters, &curve, common)
    } else {
        adaptation.adapt(labelled.len(), &arguments.output)?;
        let before = judge(&gpu, &weights, &test, common)?;
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
        let sizes = sizes_of_a_curve(&self.sizes, most);
        match sizes.is_empty() {
            true => {
                Err(Error::Usage(format!("{most} galaxies are fewer than the smallest size: give --sizes")))
            }
            false => Ok(sizes),
        }
    }
}

/// The numbers of galaxies that were asked for, or the paper's up to `most`; each once, rising.
pub fn sizes_of_a_curve(asked: &[usize], most: usize) -> Vec<usize> {
    let mut sizes = asked.to_vec();
    if sizes.is_empty() {
        sizes.extend(SIZES.into_iter().filter(|&size| size <= most));
    }
    sizes.sort_unstable();
    sizes.dedup();
    sizes
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

fn write_curve(folder: &Path, parameters: &[Parameter], curve: &Curve, common: &Common) -> Result<()> {
    files::make_folder(folder)?;
    let mut page = Page::new("Domain adaptation");
    for &parameter in parameters {
        let numbers = curve_table(parameter, curve);
        super::print(table::of_report(&numbers))?;
        page.figure(curve_figure(parameter, curve)?).table(numbers);
    }
    page.write(folder)?;
    common.say(format!("{}: the curve as figures and tables", folder.join("index.html").display()));
    Ok(())
}
