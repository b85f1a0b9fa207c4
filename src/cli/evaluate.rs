//! `legato evaluate`.

use super::{Common, progress, table};
use crate::engine::Gpu;
use crate::fits::Labels;
use crate::legato::{
    Comparison, CoverageByMagnitude, Estimates, Estimator, Evaluation, Observation, Parameter, RepeatOptions,
    Repeater, Set, Stamps, Statistics, Summary, estimators_or_shipped, expected_signal_to_noise, observe,
};
use crate::report::{Evaluated, Page, add_coverage, add_evaluation, coverage_table};
use crate::sky::Truth;
use crate::{Error, Result, files};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the networks are called beside other methods.
const OURS: &str = "legato";
/// Said once where networks have no calibration.
pub const NO_ERRORS: &str =
    "note: these networks' errors were never calibrated, so there are none (`legato calibrate` does it)";

#[derive(Args)]
#[command(after_help = "Example:\n  legato evaluate --data test.fits --models runs -o report")]
pub struct Arguments {
    /// The data set with its truth
    #[arg(long)]
    data: PathBuf,
    /// Trained networks: a weights file, or a folder of them or of runs or a set
    /// in the box, isolated or crowded [default: the one of the data's survey]
    #[arg(long)]
    models: Option<PathBuf>,
    /// Folder for index.html with its figures and tables, results.json and predictions.csv
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// What another program measured of the same galaxies, to set beside the networks: a FITS, CSV or ECSV catalogue
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// What to call it; its file's name unless told otherwise
    #[arg(long, requires = "catalogue")]
    catalogue_name: Option<String>,
    #[command(flatten)]
    repeats: RepeatArguments,
}

/// Stamps that a device measures at a time unless told otherwise: enough to fill a GPU whose buffers hold them; on a
/// processor fewer, which fill it as well.
pub fn batch(gpu: &Gpu) -> usize {
    const ROOM: u64 = 1 << 29;
    let small = gpu.is_software() || gpu.limits().max_storage_buffer_binding_size < ROOM;
    if small { 64 } else { 256 }
}

/// How stamps are measured.
#[derive(Args, Clone, Copy, Debug)]
pub struct RepeatArguments {
    /// Copies of each stamp, turned, moved and under fresh noise, that are measured too, for its errors; 0 for none
    #[arg(long, default_value_t = RepeatOptions::REPEATS, value_parser = clap::value_parser!(u32).range(..=1000))]
    repeats: u32,
    /// Stamps a batch [default: 256 on a GPU with room for them, 64 on a processor]
    #[arg(long, value_parser = super::at_least_one)]
    batch: Option<usize>,
}

impl RepeatArguments {
    /// As the measurement takes them, as they are asked for.
    pub fn asked(self, gpu: &Gpu, common: &Common) -> RepeatOptions {
        let batch = self.batch.unwrap_or_else(|| batch(gpu));
        RepeatOptions { repeats: self.repeats, seed: common.seed, batch }
    }

    /// Whether stamps are measured again at all.
    pub fn any(self) -> bool {
        self.repeats > 0
    }

    /// The same for networks whose errors are wanted: no repeats where none of them was ever calibrated, which is said.
    pub fn options(
        self,
        gpu: &Gpu,
        estimators: &BTreeMap<Parameter, Estimator>,
        common: &Common,
    ) -> RepeatOptions {
        let asked = self.asked(gpu, common);
        let mut calibrated = estimators.values().filter_map(|e| Some(e.correction.as_ref()?.repeats));
        match (asked.repeats, calibrated.next()) {
            (0, _) => asked,
            (_, None) => {
                common.say(NO_ERRORS);
                RepeatOptions { repeats: 0, ..asked }
            }
            (now, Some(then)) => {
                if then != now {
                    common.say(format!(
                        "note: errors were calibrated with {then} repeats; with {now} they are only near"
                    ));
                }
                asked
            }
        }
    }
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let stamps = Stamps::read(&arguments.data)?;
    let other =
        arguments.catalogue.as_deref().map(|path| other_method(arguments, path, &stamps)).transpose()?;
    if let Some(folder) = &arguments.output {
        files::make_folder(folder)?;
    }
    let gpu = common.open_gpu()?;
    let estimators =
        estimators_or_shipped(&gpu, arguments.models.as_deref(), Set::of_survey(&stamps.meta.survey))?;
    let options = arguments.repeats.options(&gpu, &estimators, common);
    let bar = progress::bar(common, stamps.len() as u64, "evaluating", "stamps");
    let repeater = Repeater::new(&gpu, &estimators, &options)?;
    let observations = observe(&repeater, &stamps, |done| bar.inc(done as u64))?;
    bar.finish_and_clear();
    let evaluations = Evaluation::all(&observations);
    super::print(describe(&evaluations))?;
    let coverages: Vec<CoverageByMagnitude> = coverages(&evaluations, &stamps);
    if !coverages.is_empty() {
        super::print(format!("\n{}", table::of_report(&coverage_table(&coverages))))?;
    }
    let mut estimates = vec![Estimates::of_networks(OURS, &evaluations)];
    if let Some(other) = other {
        estimates.push(other);
        super::print(format!("\n{}", describe_together(stamps.truths(), &estimates)))?;
    }
    if let Some(folder) = &arguments.output {
        write_report(folder, arguments, &stamps, &estimates, &coverages)?;
        write_predictions(&folder.join("predictions.csv"), &evaluations, &observations)?;
        common.say(format!("{}: results.json, predictions.csv, index.html", folder.display()));
    }
    Ok(())
}

/// Measures every stamp once, with a progress bar.
pub fn evaluate(
    gpu: &Gpu,
    estimators: &BTreeMap<Parameter, Estimator>,
    stamps: &Stamps,
    common: &Common,
) -> Result<Vec<Evaluation>> {
    let bar = progress::bar(common, stamps.len() as u64, "evaluating", "stamps");
    let found = crate::legato::evaluate(gpu, estimators, stamps, batch(gpu), |done| bar.inc(done as u64));
    bar.finish_and_clear();
    found
}

/// How many truths the errors of each parameter hold; none of those without errors.
fn coverages(evaluations: &[Evaluation], stamps: &Stamps) -> Vec<CoverageByMagnitude> {
    let with_errors = evaluations.iter().filter(|evaluation| evaluation.has_errors());
    with_errors.map(|evaluation| CoverageByMagnitude::of(evaluation, stamps.truths())).collect()
}

/// The other catalogue's estimates for the data set's galaxies.
fn other_method(arguments: &Arguments, path: &Path, stamps: &Stamps) -> Result<Estimates> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = arguments.catalogue_name.clone().or(stem).unwrap_or_else(|| "catalogue".to_owned());
    if name == OURS {
        let why = format!("'{OURS}' is what the networks are called: give another --catalogue-name");
        return Err(Error::Usage(why));
    }
    let catalogue = Labels::read(path, stamps.meta.pixel_scale)?;
    Estimates::of_catalogue(name, &catalogue, stamps.truths())
}

/// The figures as a table.
pub fn describe(evaluations: &[Evaluation]) -> String {
    let row = |e: &Evaluation| [vec![e.parameter.to_string()], cells(&e.statistics)].concat();
    let rows: Vec<Vec<String>> = evaluations.iter().map(row).collect();
    table::lay_out(&["parameter", "stamps", "R²", "bias", "scatter", "outliers"], &rows)
}

/// Several methods' figures on the galaxies that all of them measured, as a table.
fn describe_together(truths: &[Truth], estimates: &[Estimates]) -> String {
    let comparisons = Comparison::all(truths, estimates);
    let row = |c: &Comparison, method: usize| {
        let first = format!("{}, {}", c.parameter, c.methods[method].0);
        [vec![first], cells(&c.statistics(method))].concat()
    };
    let rows = comparisons.iter().flat_map(|c| (0..c.methods.len()).map(move |method| row(c, method)));
    let heading = ["on the same galaxies", "stamps", "R²", "bias", "scatter", "outliers"];
    table::lay_out(&heading, &rows.collect::<Vec<_>>())
}

fn cells(s: &Statistics) -> Vec<String> {
    let known = |value: f64, text: String| if value.is_finite() { text } else { "–".to_owned() };
    vec![
        s.count.to_string(),
        known(s.r2, format!("{:.4}", s.r2)),
        known(s.bias, format!("{:+.4}", s.bias)),
        known(s.scatter, format!("{:.4}", s.scatter)),
        known(s.outliers, format!("{:.1}%", 100.0 * s.outliers)),
    ]
}

/// What results.json says of a parameter.
#[derive(Serialize)]
struct Results {
    /// The networks, on all galaxies that they measured.
    #[serde(flatten)]
    ours: Summary,
    /// Every method, on the galaxies that all of them measured; empty where there is none but the networks.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    compared: BTreeMap<String, Summary>,
    /// How many truths the networks' errors hold; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<CoverageByMagnitude>,
}

/// Writes results.json and the page, whose first estimates are the networks'.
fn write_report(
    folder: &Path,
    arguments: &Arguments,
    stamps: &Stamps,
    estimates: &[Estimates],
    coverages: &[CoverageByMagnitude],
) -> Result<()> {
    let truths = stamps.truths();
    let snr: Vec<f64> = truths.iter().map(|truth| expected_signal_to_noise(truth, &stamps.meta)).collect();
    let results: BTreeMap<&str, Results> = Comparison::all(truths, &estimates[..1])
        .into_iter()
        .map(|alone| {
            let together =
                Comparison::new(alone.parameter, truths, estimates).filter(|c| c.methods.len() > 1);
            let compared = together.iter().flat_map(|c| {
                let methods = c.methods.iter().enumerate();
                methods.map(|(i, (label, _))| (label.clone(), Summary::of(c, i, truths, &snr)))
            });
            let ours = Summary::of(&alone, 0, truths, &snr);
            let coverage = coverages.iter().find(|c| c.parameter == alone.parameter).cloned();
            (alone.parameter.name(), Results { ours, compared: compared.collect(), coverage })
        })
        .collect();
    let path = folder.join("results.json");
    let text = serde_json::to_vec_pretty(&results)
        .map_err(|e| Error::Catalogue { path: path.clone(), message: e.to_string() })?;
    files::replace(&path, &text)?;

    let survey = &stamps.meta.survey;
    let models = match &arguments.models {
        Some(path) => path.display().to_string(),
        None => "the box".to_owned(),
    };
    let of = if survey.is_empty() { String::new() } else { format!(" of {survey}") };
    let others: Vec<&str> = estimates[1..].iter().map(|e| e.label.as_str()).collect();
    let beside = if others.is_empty() { String::new() } else { format!(", beside {}", others.join(", ")) };
    let lead = format!(
        "{} stamps{of} ({}), measured by the networks of {models}{beside}.",
        stamps.len(),
        stamps.origin
    );
    let title = "Networks beside the truth";
    let mut page = Page::new(title);
    page.lead = lead;
    add_evaluation(&mut page, &Evaluated { truths, snr: &snr, estimates })?;
    add_coverage(&mut page, coverages)?;
    page.write(folder)
}

/// Writes truth, estimates and errors of every stamp.
fn write_predictions(path: &Path, evaluations: &[Evaluation], observations: &[Observation]) -> Result<()> {
    let failed = |e: csv::Error| Error::Catalogue { path: path.to_owned(), message: e.to_string() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let errors = evaluations.iter().any(Evaluation::has_errors);
    let mut header = vec!["ID".to_owned()];
    for evaluation in evaluations {
        let column = evaluation.parameter.column();
        header.extend([format!("{column}_TRUE"), column.to_owned()]);
        if errors {
            header.extend(["LO", "HI"].map(|end| format!("{column}_ERR_{end}")));
        }
    }
    if errors {
        header.push("DISAGREEMENT".to_owned());
    }
    writer.write_record(header).map_err(failed)?;
    let number = |v: f64| if v.is_finite() { format!("{v:.6}") } else { String::new() };
    for (i, observation) in observations.iter().enumerate() {
        let mut row = vec![observation.truth.id.to_string()];
        for evaluation in evaluations {
            let ((truth, value), (lower, upper)) = (evaluation.pairs[i], evaluation.errors[i]);
            row.extend([truth, value].map(number));
            if errors {
                row.extend([lower, upper].map(number));
            }
        }
        if errors {
            row.push(number(observation.measured.disagreement));
        }
        writer.write_record(row).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::io(path, "write", e.into_error()))?;
    files::replace(path, &bytes)
}
