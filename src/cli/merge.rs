//! `legato merge`.

use super::Common;
use crate::Result;
use crate::fits::Catalogue;
use crate::legato::merge;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
#[command(after_help = "Example:\n  legato merge share1.fits share2.fits share3.fits -o catalogue.fits")]
pub struct Arguments {
    /// The catalogues of all shares, in any order
    #[arg(required = true)]
    shares: Vec<PathBuf>,
    /// The catalogue to write: FITS, or CSV, ECSV or Parquet by its ending
    #[arg(short, long)]
    output: PathBuf,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    Catalogue::check_output(&arguments.output)?;
    let rows = merge(&arguments.shares, &arguments.output)?;
    let (output, shares) = (arguments.output.display(), arguments.shares.len());
    common.say(format!("{output}: {rows} galaxies of {shares} shares"));
    Ok(())
}
