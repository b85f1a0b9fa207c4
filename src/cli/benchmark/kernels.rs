//! `legato benchmark kernels`.

use crate::cli::{Common, presets, print, progress, table};
use crate::engine::Gpu;
use crate::engine::gpu::{Choice, Pass, Rung};
use crate::engine::ladder::{Work, enough_launches, heaviest, layers, median, peak, seconds};
use crate::report::{KernelTime, Roof, number, roofline};
use crate::{Result, files};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato benchmark kernels -o benchmark\n\nThe layers are the heaviest of both architectures, the first layer and the largest dense one. A launch's time is wall time, of several in one submission, the median of the repetitions, in which the rungs take turns. Operations are two for each multiply-add; bytes are those that must be moved: each tensor once. The peak is that of a kernel that only multiplies and adds, and of one that only copies; the roof is what it allows for so many operations a byte, of memory: what fits the caches can be faster. `*` marks what the device runs where nobody asks for a rung. With -o, kernels.csv and roofline.svg are written."
)]
pub struct Arguments {
    /// Folder for kernels.csv and roofline.svg
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Stamps in a batch [default: 64 on a GPU, 4 on a processor]
    #[arg(long, value_parser = crate::cli::at_least_one)]
    batch: Option<usize>,
    /// How often each rung is timed
    #[arg(long, default_value_t = 5, value_parser = crate::cli::at_least_one)]
    repeats: usize,
    /// Two layers, one small stamp, timed once: to see that it works
    #[arg(long, conflicts_with_all = ["batch", "repeats"])]
    quick: bool,
}

/// Seconds after which a rung is not timed again: what is so slow need not be known to the last percent.
const ENOUGH: f64 = 2.0;

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    if let Some(folder) = &arguments.output {
        files::make_folder(folder)?;
        for name in ["kernels.csv", "roofline.svg"] {
            files::check_writable(&folder.join(name))?;
        }
    }
    let gpu = common.open_gpu()?;
    let batch = arguments.batch.unwrap_or(presets::batch(&gpu, arguments.quick));
    let repeats = if arguments.quick { 1 } else { arguments.repeats };
    let works =
        if arguments.quick { presets::two(batch)? } else { heaviest(&layers(&presets::both(), batch)?) };
    let jobs: Vec<(Work, Pass)> =
        works.iter().flat_map(|work| work.passes().map(|pass| (*work, pass))).collect();

    let best = peak(&gpu, repeats)?;
    let roof = Roof { gflops: best.operations / 1e9, gbytes: best.bytes / 1e9 };
    print(format!(
        "{}\npeak: {} GFLOP/s, {} GB/s; batch {batch}",
        gpu.description(),
        number::fixed(roof.gflops, 0),
        number::fixed(roof.gbytes, 1)
    ))?;
    let bar = progress::bar(common, jobs.len() as u64, "timing", "passes");
    let mut times = Vec::new();
    for (work, pass) in jobs {
        times.extend(time_rungs(&gpu, &work, pass, repeats, arguments.quick)?);
        bar.inc(1);
    }
    bar.finish_and_clear();

    let rows: Vec<Vec<String>> = times.iter().map(|time| row(time, &roof)).collect();
    let heading = ["layer", "pass", "rung", "ms", "GFLOP/s", "GB/s", "of peak", "of roof"];
    print(table::lay_out(&heading, &rows))?;
    if let Some(folder) = &arguments.output {
        let caption = format!("Kernels under the roof of {}", gpu.description());
        let figure = roofline("roofline", &caption, &roof, &times)?;
        files::replace(&folder.join("kernels.csv"), figure.csv.unwrap_or_default().as_bytes())?;
        files::replace(&folder.join("roofline.svg"), figure.svg.as_bytes())?;
        common.say(format!("written: {0}/kernels.csv, {0}/roofline.svg", folder.display()));
    }
    Ok(())
}

/// Every rung that takes a pass of a layer; and what the device would choose, where that is a tile of its own.
fn time_rungs(gpu: &Gpu, work: &Work, pass: Pass, repeats: usize, once: bool) -> Result<Vec<KernelTime>> {
    let chosen = work.choice(gpu, pass);
    let rungs = Rung::ALL.into_iter().filter(|&rung| work.fits(gpu, rung, pass));
    let mut choices: Vec<Choice> = rungs.map(Choice::from).collect();
    if !choices.contains(&chosen) {
        choices.push(chosen);
    }
    let operands = work.operands(gpu)?;
    let time = |choice: Choice, launches| seconds(gpu, launches, || work.run(gpu, choice, pass, &operands));
    let mut launches = Vec::new();
    for &choice in &choices {
        // The first launch compiles.
        time(choice, 1)?;
        launches.push(if once { 1 } else { enough_launches(time(choice, 1)?) });
    }
    let mut samples = vec![Vec::new(); choices.len()];
    for _ in 0..repeats {
        for ((&choice, &launches), samples) in choices.iter().zip(&launches).zip(&mut samples) {
            if launches as f64 * samples.iter().sum::<f64>() > ENOUGH {
                continue;
            }
            samples.push(time(choice, launches)?);
        }
    }
    let measured = |(choice, samples): (&Choice, &Vec<f64>)| KernelTime {
        layer: work.name(),
        pass: pass.to_string(),
        rung: choice.to_string(),
        chosen: *choice == chosen,
        seconds: median(samples),
        operations: work.operations(),
        bytes: work.bytes(pass),
    };
    Ok(choices.iter().zip(&samples).map(measured).collect())
}

fn row(time: &KernelTime, roof: &Roof) -> Vec<String> {
    vec![
        time.layer.clone(),
        time.pass.clone(),
        format!("{}{}", if time.chosen { "* " } else { "" }, time.rung),
        number::fixed(1e3 * time.seconds, 2),
        number::fixed(time.gflops(), 1),
        number::fixed(time.gbytes(), 2),
        number::percent(time.of_peak(roof)),
        number::percent(time.of_roof(roof)),
    ]
}
