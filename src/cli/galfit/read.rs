//! `legato galfit read`.

use crate::cli::fit::{describe, expand};
use crate::cli::{Common, print, progress, tell};
use crate::fits::{Catalogue, Flags};
use crate::galfit::{Answer, Workspace, read_block, read_log, read_workspace};
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

/// Rows that are printed; the rest is in the file.
const SHOWN: usize = 20;
/// Reasons that the catalogue itself tells of fits that are no measurement.
const REASONS: usize = 1000;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato galfit read fits -o galfit.fits\n  legato galfit read blocks/*.fits -o galfit.csv --components components.csv\n\nOf several components the one nearest to the middle of the fitted region is the galaxy; NEIGH_RATIO and NEIGH_DIST tell of the brightest other one. BAD_FIT in FLAGS marks what is no measurement: a parameter that GALFIT marks with stars or that ended at a limit, a fit that did not converge, and what gave no answer."
)]
pub struct Arguments {
    /// A folder made by `legato galfit prepare`; or output blocks, folders of them, or a fit.log
    #[arg(required = true)]
    input: Vec<PathBuf>,
    /// The catalogue to write: FITS, or CSV, ECSV or Parquet by its ending
    #[arg(short, long)]
    output: PathBuf,
    /// Also write every component of every fit into this CSV file
    #[arg(long, value_name = "FILE.csv")]
    components: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    Catalogue::check_output(&arguments.output)?;
    if let Some(path) = &arguments.components {
        files::check_writable(path)?;
    }
    let (answers, failures) = read(&arguments.input, common)?;
    if answers.is_empty() {
        for failure in &failures {
            tell(format!("legato: {failure}"));
        }
        return Err(Error::Incomplete("nothing of the input could be read; no catalogue was written".into()));
    }
    let catalogue =
        Catalogue { rows: answers.iter().map(|a| a.row.clone()).collect(), provenance: told(&answers) };
    catalogue.write(&arguments.output)?;
    if let Some(path) = &arguments.components {
        write_components(path, &answers)?;
    }
    if !common.quiet {
        let shown = &catalogue.rows[..catalogue.rows.len().min(SHOWN)];
        print(describe(shown, catalogue.rows.len() as u64))?;
    }
    let (output, bad) = (arguments.output.display(), answers.iter().filter(|a| a.trouble.is_some()).count());
    let others: usize = answers.iter().map(Answer::others).sum();
    common.say(format!(
        "{output}: {} galaxies, {bad} of them no measurement (BAD_FIT), {others} other components",
        answers.len()
    ));
    if common.verbose > 0 {
        for answer in &answers {
            if let Some(trouble) = &answer.trouble {
                tell(format!("  {}: {trouble}", answer.row.id));
            }
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    for failure in &failures {
        tell(format!("legato: {failure}"));
    }
    let n = failures.len();
    Err(Error::Incomplete(format!("{n} of the files could not be read; {output} has the others")))
}

/// The answers of a folder of fits, or of loose files, and what could not be read.
fn read(input: &[PathBuf], common: &Common) -> Result<(Vec<Answer>, Vec<Error>)> {
    if let [folder] = input
        && let Ok(workspace) = Workspace::open(folder)
    {
        let bar = progress::bar(common, workspace.objects()?.len() as u64, "reading", "fits");
        let answers = read_workspace(&workspace, || bar.inc(1));
        bar.finish_and_clear();
        return Ok((answers?, Vec::new()));
    }
    let paths = expand(input)?;
    let bar = progress::bar(common, paths.len() as u64, "reading", "files");
    let (mut answers, mut failures) = (Vec::new(), Vec::new());
    for path in &paths {
        let log = path.extension().is_some_and(|ending| ending == "log");
        match if log { read_log(path) } else { read_block(path).map(|answer| vec![answer]) } {
            Ok(found) => answers.extend(found),
            Err(error) => failures.push(error),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((answers, failures))
}

/// Where the catalogue is from, and why which fits are no measurement.
fn told(answers: &[Answer]) -> Vec<(String, String)> {
    let mut entries = vec![
        ("PROGRAM".to_owned(), format!("legato {}", env!("CARGO_PKG_VERSION"))),
        ("MEASURED BY".to_owned(), "GALFIT; errors are its own".to_owned()),
    ];
    let bad: Vec<&Answer> = answers.iter().filter(|a| a.trouble.is_some()).collect();
    for answer in bad.iter().take(REASONS) {
        let trouble = answer.trouble.clone().unwrap_or_default();
        entries.push((format!("BAD_FIT {}", answer.row.id), trouble));
    }
    if bad.len() > REASONS {
        entries.push(("BAD_FIT".to_owned(), format!("and {} more", bad.len() - REASONS)));
    }
    let flags: Vec<String> = Flags::NAMES.iter().map(|(flag, name)| format!("{} {name}", flag.0)).collect();
    entries.push(("FLAGS".to_owned(), format!("sum of {}", flags.join(", "))));
    entries
}

/// Writes all components: whose they are, whether one is the galaxy, and their parameters with GALFIT's errors and marks.
fn write_components(path: &Path, answers: &[Answer]) -> Result<()> {
    const PARAMETERS: [&str; 7] = ["X", "Y", "MAG", "RE_MAJ", "N", "Q", "PA"];
    let failed = |e: csv::Error| Error::Catalogue { path: path.to_owned(), message: e.to_string() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = PARAMETERS.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_ERR")]);
    let first = ["ID", "COMPONENT", "PROFILE", "GALAXY"].map(str::to_owned);
    writer.write_record(first.into_iter().chain(names).chain(["SUSPECT".to_owned()])).map_err(failed)?;
    for answer in answers {
        for component in &answer.components {
            let galaxy = u8::from(answer.galaxy == Some(component.number)).to_string();
            let number = component.number.to_string();
            let mut record = vec![answer.row.id.clone(), number, component.kind.clone(), galaxy];
            let values: Vec<_> = component.parameters().collect();
            for name in PARAMETERS {
                let found = values.iter().find(|(known, _)| *known == name);
                let text = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
                record.extend(
                    found.map_or([String::new(), String::new()], |(_, v)| [text(v.value), text(v.error)]),
                );
            }
            record.push(component.suspect().unwrap_or("").to_owned());
            writer.write_record(&record).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(|e| Error::io(path, "write", e.into_error()))?;
    files::replace(path, &bytes)
}
