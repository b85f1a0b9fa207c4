//! `legato reproduce`: the paper's experiments, end to end.
//!
//! | file | idea |
//! |---|---|
//! | `plan.rs` | how much of everything at a scale |
//! | `stages.rs` | simulations, training, measurements, each done once |
//! | `page.rs` | the report |

mod page;
mod plan;
mod stages;

use super::Common;
use crate::Result;
use crate::legato::Parameter;
use clap::Args;
use plan::Plan;
use stages::Workshop;
use std::path::PathBuf;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  legato reproduce -o reproduction                       at full size, on a GPU\n  legato reproduce --scale 0.02 -o reproduction          on a machine without one, in hours\n  legato reproduce --scale 0.02 --recipe paper -o paper  with the paper's own recipe\n\nIt can be stopped at any time and started again: what is done is not done twice."
)]
pub struct Arguments {
    /// Folder for everything that it makes
    #[arg(short, long, default_value = "reproduction")]
    output: PathBuf,
    /// Share of the full size
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// `best`: galaxies drawn as they are needed, first one network for all parameters, then one for each that begins
    /// with it; `paper` or a TOML file: that recipe on a data set, each network from random weights
    #[arg(long, default_value = "best", value_name = "NAME|FILE")]
    recipe: String,
    /// What to measure
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "PARAMETERS",
        default_value = "magnitude,radius,sersic-index,axis-ratio"
    )]
    parameters: Vec<Parameter>,
    /// Of which parameters to draw the curve of adaptation
    #[arg(long, value_delimiter = ',', value_name = "PARAMETERS", default_value = "magnitude")]
    curves: Vec<Parameter>,
    /// Numbers of labelled galaxies to adapt to [default: the paper's, 50 to 4000, as far as the scale allows]
    #[arg(long, value_delimiter = ',', value_parser = super::at_least_one)]
    sizes: Vec<usize>,
    /// The survey of galaxies that stand alone
    #[arg(long, default_value = "candels-f160w")]
    survey: String,
    /// The survey of galaxies among others, to adapt to
    #[arg(long, default_value = "candels-f160w-crowded")]
    crowded: String,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let plan = Plan::new(arguments, common.seed)?;
    let folder = &arguments.output;
    plan.claim(folder)?;
    common.say(plan.to_string());
    let gpu = common.open_gpu()?;
    let mut workshop = Workshop::open(&gpu, &plan, folder, common)?;
    let results = workshop.work()?;
    let report = folder.join("report");
    let page = page::compose(&plan, &gpu, &results)?;
    page.write(&report)?;
    super::print(page::summary(&plan, &results))?;
    common.say(format!("{}: the report", report.join("index.html").display()));
    Ok(())
}
