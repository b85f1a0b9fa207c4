//! `legato benchmark`: how fast parts of the program are on this machine.

mod galfit;
mod kernels;

use super::Common;
use crate::Result;
use clap::{Args, Subcommand};

#[derive(Args)]
#[command(after_help = "Example:\n  legato benchmark kernels -o benchmark\n  legato benchmark galfit -n 200")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Time every rung of the convolution and dense kernels beside the device's measured peak
    Kernels(kernels::Arguments),
    /// Time the networks and GALFIT on the same stamps
    Galfit(galfit::Arguments),
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    match &arguments.what {
        What::Kernels(arguments) => kernels::run(arguments, common),
        What::Galfit(arguments) => galfit::run(arguments, common),
    }
}
