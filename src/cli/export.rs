//! `legato export`.

use super::Common;
use crate::engine::nn::weights::Precision;
use crate::legato::{WEIGHTS_FILE, export};
use crate::{Result, files};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
#[command(after_help = "Example:\n  legato export runs/magnitude --half -o magnitude.safetensors")]
pub struct Arguments {
    /// The trained network: a weights file, or a run's folder
    model: PathBuf,
    /// Store 16 bits a number in place of 32
    #[arg(long)]
    half: bool,
    /// The weights file to write
    #[arg(short, long)]
    output: PathBuf,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    files::check_writable(&arguments.output)?;
    let model = match arguments.model.is_dir() {
        true => arguments.model.join(WEIGHTS_FILE),
        false => arguments.model.clone(),
    };
    let precision = if arguments.half { Precision::Half } else { Precision::Single };
    let made = export(&model, &arguments.output, precision)?;
    let measured: Vec<&str> = made.targets.iter().map(|target| target.parameter.name()).collect();
    let (output, measured) = (arguments.output.display(), measured.join(", "));
    common.say(format!("{output}: measures {measured}; {} images seen", made.images_seen));
    Ok(())
}
