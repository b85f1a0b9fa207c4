//! The command line: one file a subcommand; arguments in, a library call, words out.
//!
//! Exit status: 0 done, 1 failed with a message, 2 wrong usage, 130 interrupted. Results go to standard output, all
//! else to standard error.

mod adapt;
mod benchmark;
mod calibrate;
mod demo;
mod detect;
mod devices;
mod evaluate;
mod export;
mod fit;
mod galfit;
mod interrupt;
mod learn;
mod merge;
mod mosaic;
mod presets;
mod profile;
mod progress;
mod psf;
mod recipe;
mod reproduce;
mod simulate;
mod table;
mod train;

use crate::engine::gpu::Profiling;
use crate::engine::gpu::tuning;
use crate::engine::{Gpu, GpuOptions};
use crate::{Error, Result};
use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures galaxies: magnitude, effective radius, Sérsic index and axis ratio from images, with
/// networks trained on galaxies that it simulates, on kernels of its own for any GPU.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = "To see all of it at work: legato demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
struct Common {
    /// Adapter: auto, a number of `legato devices`, or part of its name
    #[arg(long, global = true, default_value = "auto", help_heading = "Common options")]
    device: String,
    /// Seed of everything random
    #[arg(long, global = true, default_value_t = 1, help_heading = "Common options")]
    seed: u64,
    /// Say more; twice for the GPU layer's own messages
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Common options")]
    verbose: u8,
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Common options")]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List the adapters of this machine, which one and which kernels would be used; tune the kernels
    Devices(devices::Arguments),
    /// Simulate galaxies of a survey into a data set or a mosaic
    Simulate(simulate::Arguments),
    /// Write a survey's point spread function as a FITS image
    Psf(psf::Arguments),
    /// Train a network on a data set
    // Boxed, because it has by far the most options.
    Train(Box<train::Arguments>),
    /// Compare networks with the truth of a data set
    Evaluate(evaluate::Arguments),
    /// Find on simulations what makes errors of repeated measurements, and keep it with the networks
    Calibrate(calibrate::Arguments),
    /// Go on with trained networks on labelled galaxies of another kind
    Adapt(adapt::Arguments),
    /// Find the sources on an image of any size
    Detect(detect::Arguments),
    /// Measure the galaxies on FITS stamps, cubes and mosaics
    Fit(fit::Arguments),
    /// Join the catalogues that `legato fit --shard` made
    Merge(merge::Arguments),
    /// Write a trained network for others, in half precision if wanted
    Export(export::Arguments),
    /// Prepare, run and read GALFIT on the same galaxies
    Galfit(galfit::Arguments),
    /// Run the paper's experiments, at full size or a part of it
    Reproduce(reproduce::Arguments),
    /// Time the kernels, or the networks beside GALFIT, on this machine
    Benchmark(benchmark::Arguments),
    /// Do everything, small: simulate, train, evaluate, fit
    Demo(demo::Arguments),
}

impl Common {
    /// A line of progress for people, on standard error.
    fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            tell(text);
        }
    }

    /// Opens the device and says which one it is.
    fn open_gpu(&self) -> Result<Gpu> {
        self.open_gpu_with(tuning::folder(), Profiling::Off)
    }

    /// As [`Common::open_gpu`], with the kernels that a tuning in this folder chooses, and to be measured.
    fn open_gpu_with(&self, tuning: Option<PathBuf>, profiling: Profiling) -> Result<Gpu> {
        let device = self.device.clone();
        let gpu = Gpu::open(&GpuOptions { device, tuning, profiling, ..GpuOptions::default() })?;
        self.say(format!("device: {}", gpu.description()));
        if let Some(trouble) = gpu.tuning().trouble() {
            self.say(format!("warning: {trouble}"));
        }
        if gpu.is_software() {
            self.say(
                "        (no GPU: the kernels run on the processor; slow, but the same results to rounding)",
            );
        }
        Ok(gpu)
    }
}

/// A line on standard error; where nobody can read it, no matter.
fn tell(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
}

/// A result, on standard output. A reader who has had enough of it, as `head` has, is no failure.
fn print(text: impl AsRef<str>) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", text.as_ref()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("standard output", "write", error))
        }
        _ => Ok(()),
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    quiet_the_loader();
    let cli = Cli::parse();
    let level = match (cli.common.quiet, cli.common.verbose) {
        (true, _) => log::LevelFilter::Off,
        (_, 0) => log::LevelFilter::Error,
        (_, 1) => log::LevelFilter::Info,
        _ => log::LevelFilter::Debug,
    };
    env_logger::Builder::new().filter_level(level).parse_default_env().init();
    let common = &cli.common;
    interrupt::handle();
    let result = match &cli.command {
        Command::Devices(arguments) => devices::run(arguments, common),
        Command::Simulate(arguments) => simulate::run(arguments, common),
        Command::Psf(arguments) => psf::run(arguments, common),
        Command::Train(arguments) => train::run(arguments, common),
        Command::Evaluate(arguments) => evaluate::run(arguments, common),
        Command::Calibrate(arguments) => calibrate::run(arguments, common),
        Command::Adapt(arguments) => adapt::run(arguments, common),
        Command::Detect(arguments) => detect::run(arguments, common),
        Command::Fit(arguments) => fit::run(arguments, common),
        Command::Merge(arguments) => merge::run(arguments, common),
        Command::Export(arguments) => export::run(arguments, common),
        Command::Galfit(arguments) => galfit::run(arguments, common),
        Command::Reproduce(arguments) => reproduce::run(arguments, common),
        Command::Benchmark(arguments) => benchmark::run(arguments, common),
        Command::Demo(arguments) => demo::run(arguments, common),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Interrupted) => ExitCode::from(interrupt::STATUS),
        Err(error) => {
            tell(format!("legato: {error}"));
            ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
        }
    }
}

/// Mesa's device-selection layer complains on standard error where no desktop session runs. Which
/// adapter is used is chosen here, so that layer is not needed then.
fn quiet_the_loader() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() && std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: first thing in `main`, before any other thread exists.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

/// A number on the command line that must be at least 1.
fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}
