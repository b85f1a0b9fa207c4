//! `legato simulate`.

use super::{Common, mosaic, progress};
use crate::fits::{Dataset, DatasetMeta, DatasetWriter, read_truth, survey_parts};
use crate::legato::Ahead;
use crate::report::{ContactSheet, check_picture};
use crate::sky::{
    AXIS_RATIO_LIMITS, INDEX_LIMITS, MAGNITUDE_LIMITS, RADIUS_LIMITS, Simulator, Survey, Truth,
};
use crate::{Error, Result, files};
use clap::Args;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Bytes of pixels that are made and written at a time, and the most stamps.
const CHUNK: (usize, usize) = (16 << 20, 1024);
/// Chunks that may wait to be written.
const WAITING: usize = 2;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato simulate -n 5000 --seed 1 -o train.fits\n  legato simulate --survey my-survey.toml --preview sheet.png\n  legato simulate --truth galaxies.csv --no-noise -o models.fits\n  legato simulate --mosaic grid -n 2000 -o mosaic.fits --rms rms.fits"
)]
pub struct Arguments {
    /// Survey: a built-in name or a TOML file
    #[arg(long, default_value = "candels-f160w")]
    survey: String,
    /// Number of stamps, or of galaxies on the mosaic [default with --truth: its rows; with --preview alone: 30]
    #[arg(short = 'n', long = "number", value_parser = clap::value_parser!(u64).range(1..),
        required_unless_present_any = ["truth", "preview"])]
    number: Option<u64>,
    /// The data set, or the mosaic, to write (FITS)
    #[arg(short, long, required_unless_present = "preview")]
    output: Option<PathBuf>,
    /// Make the galaxies of this table (FITS or CSV with the columns of TRUTH), one stamp a row
    #[arg(long, value_name = "TABLE")]
    truth: Option<PathBuf>,
    /// Leave the noise out
    #[arg(long)]
    no_noise: bool,
    /// Draw the first 30 stamps, with what is on each, into this PNG
    #[arg(long, value_name = "FILE.png")]
    preview: Option<PathBuf>,
    /// Make one large image of all galaxies, and their catalogue: grid, each on its own cell as on its stamp, or field,
    /// at random places where their light overlaps
    #[arg(long, value_name = "LAYOUT", requires_all = ["output", "number"], conflicts_with_all = ["truth", "preview"])]
    mosaic: Option<mosaic::LayoutName>,
    /// The mosaic's catalogue of truth (FITS, or CSV by its ending) [default: OUTPUT with -truth before its ending]
    #[arg(long, value_name = "TABLE", requires = "mosaic")]
    catalog: Option<PathBuf>,
    /// Write the noise of each of the mosaic's pixels, the sources' photons included, into this FITS image
    #[arg(long, value_name = "FILE.fits", requires = "mosaic", conflicts_with = "no_noise")]
    rms: Option<PathBuf>,
    /// Threads; 0: one a core
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
}

/// What to simulate.
pub struct Job {
    simulator: Simulator,
    meta: DatasetMeta,
    /// The galaxies, where they are given and not drawn.
    table: Option<Vec<Truth>>,
    number: u64,
}

impl Job {
    /// The first `number` stamps of a survey.
    ///
    /// # Errors
    /// As [`simulator`].
    pub fn new(survey: &Survey, seed: u64, number: u64) -> Result<Self> {
        let meta = DatasetMeta::simulated(survey, seed);
        Ok(Job { simulator: simulator(survey, seed)?, meta, table: None, number })
    }

    fn without_noise(mut self) -> Self {
        self.simulator = self.simulator.without_noise();
        self.meta.sigma = 0.0;
        self
    }

    /// What is on the stamp that is made of a row: its galaxy and nothing else.
    fn alone(&self, row: &Truth, index: u64) -> Truth {
        let psf = row.psf.or_else(|| self.simulator.truth(index).psf);
        let alone =
            Truth { companions: Some(0), companion_ratio: Some(0.0), companion_distance: None, ..*row };
        Truth { psf, lopsided: Some(0.0), second: Some(0.0), ..alone }
    }

    /// Stamps `range`, one after another, and what is on each.
    fn make(&self, range: std::ops::Range<u64>) -> Result<(Vec<f32>, Vec<Truth>)> {
        let Some(table) = &self.table else { return self.simulator.batch(range) };
        let rows = range.start as usize..range.end as usize;
        let stamp = |row| self.simulator.stamp_of(&table[row], row as u64);
        let stamps: Vec<Vec<f32>> = rows.clone().into_par_iter().map(stamp).collect::<Result<_>>()?;
        Ok((stamps.concat(), rows.map(|row| self.alone(&table[row], row as u64)).collect()))
    }
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let survey = Survey::find(&arguments.survey)?;
    if arguments.output.is_some() && arguments.output == arguments.preview {
        return Err(Error::Usage("--output and --preview are the same file: give two names".into()));
    }
    let mosaic = match (&arguments.mosaic, &arguments.output) {
        (Some(layout), Some(output)) => {
            let (catalogue, rms) = (arguments.catalog.as_deref(), arguments.rms.as_deref());
            Some(mosaic::Outputs::checked(*layout, output, catalogue, rms)?)
        }
        _ => None,
    };
    if let Some(path) = arguments.output.as_ref().filter(|_| mosaic.is_none()) {
        check_output(path)?;
    }
    if let Some(path) = &arguments.preview {
        check_picture(path)?;
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.into())
        .build_global()
        .map_err(|e| Error::Usage(format!("cannot start {} threads: {e}", arguments.threads)))?;
    let table = arguments.truth.as_deref().map(|path| read_galaxies(path, &survey)).transpose()?;
    let most = match (&table, &arguments.output) {
        (Some(rows), _) => rows.len() as u64,
        (None, Some(_)) => u64::MAX,
        (None, None) => ContactSheet::STAMPS as u64,
    };
    let number = arguments.number.unwrap_or(most);
    if let (Some(path), true) = (&arguments.truth, number > most) {
        return Err(Error::Usage(format!("-n {number}: {} has only {most} rows", path.display())));
    }
    let mut job = Job { table, ..Job::new(&survey, common.seed, number)? };
    if arguments.no_noise {
        job = job.without_noise();
    }
    if let Some((drawn, left_out)) = job.simulator.catalogue().filter(|_| job.table.is_none()) {
        common.say(format!(
            "{}: drawing from {drawn} galaxies of its catalogue; {left_out} lie outside its ranges",
            survey.name
        ));
    }
    if let Some(outputs) = mosaic {
        return outputs.make(job.simulator, &job.meta, number, common);
    }
    simulate(job, arguments.output.as_deref(), arguments.preview.as_deref(), common)
}

/// Refuses to replace anything but an earlier data set.
fn check_output(path: &Path) -> Result<()> {
    files::check_writable(path)?;
    let empty = std::fs::metadata(path).map_or(0, |m| m.len()) == 0;
    if empty || Dataset::open(path).is_ok_and(|set| set.truth().is_some()) {
        return Ok(());
    }
    Err(Error::fits(path, "is there already and no whole data set: it is not replaced; give another name"))
}

/// A simulator of a survey, whatever its parts come from.
pub fn simulator(survey: &Survey, seed: u64) -> Result<Simulator> {
    Simulator::with_parts(survey.clone(), &survey_parts(survey)?, seed)
}

/// Simulates into a data set, a contact sheet, or both.
pub fn simulate(job: Job, output: Option<&Path>, preview: Option<&Path>, common: &Common) -> Result<()> {
    let (size, name) = (job.simulator.survey().stamp_size, job.simulator.survey().name.clone());
    let most = if output.is_some() { u64::MAX } else { ContactSheet::STAMPS as u64 };
    let number = job.number.min(most);
    let promised = usize::try_from(number).unwrap_or(usize::MAX);
    let mut writer =
        output.map(|path| DatasetWriter::create(path, &job.meta, promised, size, size)).transpose()?;
    let mut sheet = preview.map(|_| ContactSheet::new(title(&job), &job.meta, size));
    let bar = progress::bar(common, number, "simulating", "stamps");

    // At least one stamp a thread, however large.
    let chunk =
        (CHUNK.0 / (size * size * size_of::<f32>())).min(CHUNK.1).max(rayon::current_num_threads()) as u64;
    let mut first = 0_u64;
    let mut chunks = Ahead::start(WAITING, move || {
        let range = first..number.min(first.saturating_add(chunk));
        first = range.end;
        (!range.is_empty()).then(|| job.make(range))
    });
    while let Some((pixels, truths)) = chunks.wait()? {
        if let Some(sheet) = &mut sheet {
            sheet.add(&pixels, &truths);
        }
        if let Some(writer) = &mut writer {
            writer.append(&pixels, &truths)?;
        }
        bar.inc(truths.len() as u64);
    }
    let rate = number as f64 / bar.elapsed().as_secs_f64();
    bar.finish_and_clear();

    if let (Some(writer), Some(path)) = (writer, output) {
        writer.finish()?;
        common.say(format!(
            "{}: {number} stamps of {name}, {size}×{size} pixels ({rate:.0}/s)",
            path.display()
        ));
    }
    if let (Some(sheet), Some(path)) = (sheet, preview) {
        sheet.save(path)?;
        common.say(format!("{}: {} stamps of {name}", path.display(), sheet.len()));
    }
    Ok(())
}

/// What stands above a contact sheet.
fn title(job: &Job) -> String {
    let survey = &job.simulator.survey().name;
    let seed = job.simulator.seed();
    let noise = if job.meta.sigma > 0.0 { "" } else { ", without noise" };
    format!("{survey}, seed {seed}{noise}")
}

/// The galaxies of a table, all of which can be made.
///
/// # Errors
/// As [`read_truth`], and [`Error::Catalogue`] with the row, counted from 1, and the `ID` of one that cannot be.
fn read_galaxies(path: &Path, survey: &Survey) -> Result<Vec<Truth>> {
    let truths = read_truth(path)?;
    let wrong = |message| Error::Catalogue { path: path.to_owned(), message };
    if truths.is_empty() {
        return Err(wrong("the table has no rows".to_owned()));
    }
    for (row, truth) in truths.iter().enumerate() {
        impossible(truth, survey)
            .map_err(|why| wrong(format!("row {} (ID {}): {why}", row + 1, truth.id)))?;
    }
    Ok(truths)
}

/// Why a galaxy cannot be made.
fn impossible(truth: &Truth, survey: &Survey) -> std::result::Result<(), String> {
    let edge = survey.stamp_size as f64 + 0.5;
    let Truth { mag, re_maj, re_circ, n, q, pa, x, y, .. } = *truth;
    for (column, value, (low, high)) in [
        ("MAG", mag, MAGNITUDE_LIMITS),
        ("RE_MAJ", re_maj, RADIUS_LIMITS),
        ("N", n, INDEX_LIMITS),
        ("Q", q, AXIS_RATIO_LIMITS),
        ("PA", pa, (-360.0, 360.0)),
        ("X", x, (0.5, edge)),
        ("Y", y, (0.5, edge)),
    ] {
        if value.is_nan() {
            return Err(format!("it has no {column}, which must be {low} to {high}"));
        }
        if !(low..=high).contains(&value) {
            return Err(format!("{column} = {value} must be {low} to {high}"));
        }
    }
    if let Some(psf) = truth.psf.filter(|psf| *psf as usize >= survey.psf.len()) {
        return Err(format!("PSF = {psf}, but the survey has {}, counted from 0", survey.psf.len()));
    }
    let expected = re_maj * q.sqrt();
    if (re_circ - expected).abs() > 0.01 * expected {
        return Err(format!(
            "RE_CIRC = {re_circ} is not RE_MAJ·√Q = {expected:.4}: correct it or leave it out"
        ));
    }
    Ok(())
}
