//! `legato evaluate`.

use super::{Common, progress, table};
use crate::legato::{Evaluation, Stamps, evaluate, load_estimators};
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

/// Stamps a batch.
pub const BATCH: usize = 64;

#[derive(Args)]
#[command(after_help = "Example:\n  legato evaluate --data test.fits --models runs -o report")]
pub struct Arguments {
    /// The data set with its truth
    #[arg(long)]
    data: PathBuf,
    /// Trained networks: a weights file, or a folder of them or of runs
    #[arg(long)]
    models: PathBuf,
    /// Folder for results.json and predictions.csv
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Stamps a batch
    #[arg(long, default_value_t = BATCH, value_parser = super::at_least_one)]
    batch: usize,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let stamps = Stamps::read(&arguments.data)?;
    if let Some(folder) = &arguments.output {
        files::make_folder(folder)?;
    }
    let gpu = common.open_gpu()?;
    let estimators = load_estimators(&gpu, &arguments.models)?;
    let bar = progress::bar(common, stamps.len() as u64, "evaluating", "stamps");
    let evaluations = evaluate(&gpu, &estimators, &stamps, arguments.batch, |done| bar.inc(done as u64))?;
    bar.finish_and_clear();
    super::print(describe(&evaluations))?;
    if let Some(folder) = &arguments.output {
        write(folder, &stamps, &evaluations)?;
        common.say(format!("{}: results.json, predictions.csv", folder.display()));
    }
    Ok(())
}

/// The figures as a table.
pub fn describe(evaluations: &[Evaluation]) -> String {
    let rows: Vec<Vec<String>> = evaluations
        .iter()
        .map(|e| {
            let s = &e.statistics;
            vec![
                e.parameter.to_string(),
                s.count.to_string(),
                format!("{:.4}", s.r2),
                format!("{:+.4}", s.bias),
                format!("{:.4}", s.scatter),
                format!("{:.1}%", 100.0 * s.outliers),
            ]
        })
        .collect();
    table::lay_out(&["parameter", "stamps", "R²", "bias", "scatter", "outliers"], &rows)
}

fn write(folder: &Path, stamps: &Stamps, evaluations: &[Evaluation]) -> Result<()> {
    let path = folder.join("results.json");
    let results: std::collections::BTreeMap<_, _> =
        evaluations.iter().map(|e| (e.parameter.name(), e.statistics)).collect();
    let text = serde_json::to_vec_pretty(&results)
        .map_err(|e| Error::Catalogue { path: path.clone(), message: e.to_string() })?;
    files::replace(&path, &text)?;

    let path = folder.join("predictions.csv");
    let failed = |e: csv::Error| Error::Catalogue { path: path.clone(), message: e.to_string() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = evaluations.iter().flat_map(|e| {
        let column = e.parameter.column();
        [format!("{column}_TRUE"), column.to_owned()]
    });
    writer.write_record(std::iter::once("ID".to_owned()).chain(names)).map_err(failed)?;
    for (i, truth) in stamps.truths().iter().enumerate() {
        let values = evaluations.iter().flat_map(|e| [e.pairs[i].0, e.pairs[i].1].map(|v| format!("{v:.6}")));
        writer.write_record(std::iter::once(truth.id.to_string()).chain(values)).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::io(&path, "write", e.into_error()))?;
    files::replace(&path, &bytes)
}
