//! `legato galfit`: GALFIT beside the networks.

mod prepare;
mod read;
mod run;

pub use prepare::only_psf;
pub use run::{cores, over, time_limit};

use super::Common;
use crate::Result;
use clap::{Args, Subcommand};

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato galfit prepare stamps/*.fits -o fits\n  legato galfit run fits\n  legato galfit read fits -o galfit.fits"
)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write GALFIT's input for every galaxy on FITS stamps, cubes or a data set
    Prepare(Box<prepare::Arguments>),
    /// Run GALFIT over all that was prepared
    Run(run::Arguments),
    /// Turn GALFIT's output into a catalogue
    Read(read::Arguments),
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    match &arguments.what {
        What::Prepare(arguments) => prepare::run(arguments, common),
        What::Run(arguments) => run::run(arguments, common),
        What::Read(arguments) => read::run(arguments, common),
    }
}
