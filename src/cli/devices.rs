//! `legato devices`: the adapters, the kernels that would run, and the search for the best of them.

use super::{Common, presets, progress, table};
use crate::engine::gpu::tuning::{Tuning, folder};
use crate::engine::gpu::{AdapterReport, Pass, Profiling, list_adapters};
use crate::engine::ladder::{Work, fastest, layers};
use crate::engine::{Gpu, GpuOptions};
use crate::{Error, Result};
use clap::Args;

#[derive(Args)]
#[command(
    after_help = "Example:\n  legato devices --tune\n\nWhat --tune finds is stored for the adapter and its driver in $LEGATO_TUNING, or else in `legato` in the user's folder for caches, and used from then on by every command; another version of the driver or of legato goes back to the default choice. Results agree to rounding, not to the last bit, between one choice of kernels and another."
)]
pub struct Arguments {
    /// Measure every kernel on the chosen device and store which are fastest
    #[arg(long)]
    tune: bool,
    /// With --tune: two layers and one small stamp, to see that it works
    #[arg(long, requires = "tune")]
    quick: bool,
}

pub fn run(arguments: &Arguments, common: &Common) -> Result<()> {
    let adapters = list_adapters();
    if adapters.is_empty() {
        return Err(Error::no_driver());
    }
    super::print(adapter_table(&adapters))?;
    for adapter in &adapters {
        let index = adapter.index;
        match &adapter.lacks {
            Some(lacks) => super::print(format!("{index} cannot be used: {lacks}"))?,
            None => super::print(format!("{index}: {}", tuning_in_use(adapter)))?,
        }
    }
    if arguments.tune {
        tune(common, arguments.quick)?;
    } else if adapters.iter().all(|adapter| adapter.lacks.is_some()) {
        return Ok(());
    }
    let options = GpuOptions { device: common.device.clone(), tuning: folder(), ..GpuOptions::default() };
    super::print(format!("\n{}", choice_table(&Gpu::open(&options)?)?))
}

fn adapter_table(adapters: &[AdapterReport]) -> String {
    let rows: Vec<Vec<String>> = adapters
        .iter()
        .map(|a| {
            vec![
                format!("{}{}", a.index, if a.automatic { " (auto)" } else { "" }),
                a.name.clone(),
                a.kind.to_owned(),
                a.backend.clone(),
                a.driver.clone(),
                format!("{} MiB", a.max_binding >> 20),
                a.max_workgroup.to_string(),
                format!("{} KiB", a.workgroup_memory >> 10),
                if a.subgroup.0 == a.subgroup.1 {
                    a.subgroup.0.to_string()
                } else {
                    format!("{}–{}", a.subgroup.0, a.subgroup.1)
                },
            ]
        })
        .collect();
    let heading = [
        "number",
        "name",
        "kind",
        "backend",
        "driver",
        "largest tensor",
        "workgroup",
        "workgroup memory",
        "subgroup",
    ];
    table::lay_out(&heading, &rows)
}

/// Whether an adapter's kernels are tuned.
fn tuning_in_use(adapter: &AdapterReport) -> String {
    let tuning = folder().map(|folder| Tuning::from_folder(&folder, adapter.identity.clone()));
    match tuning.as_ref().map(|t| (t.file(), t.trouble())) {
        Some((Some(file), _)) => format!("kernels as tuned in {}", file.display()),
        Some((_, Some(trouble))) => trouble.to_owned(),
        _ => "kernels by default; `legato devices --tune` measures which are fastest".to_owned(),
    }
}

/// The kernels that run each layer of both architectures.
fn choice_table(gpu: &Gpu) -> Result<String> {
    let batch = presets::batch(gpu, false);
    let rows = layers(&presets::both(), batch)?.into_iter().map(|layer| {
        let by = |pass| match layer.work.needs(pass) {
            true => layer.work.choice(gpu, pass).to_string(),
            false => "–".to_owned(),
        };
        [layer.work.name()].into_iter().chain(Pass::ALL.map(by)).collect()
    });
    let heading = ["layer", Pass::Forward.name(), Pass::InputGradient.name(), Pass::WeightGradient.name()];
    Ok(table::lay_out(&heading, &rows.collect::<Vec<_>>()))
}

/// Measures every pass of every layer of both architectures and stores the fastest kernels.
fn tune(common: &Common, quick: bool) -> Result<()> {
    const REPEATS: usize = 5;
    let Some(folder) = folder() else {
        let message = "there is no folder for the result: set LEGATO_TUNING to one";
        return Err(Error::Usage(message.to_owned()));
    };
    // What is stored already does not count: the default is what others have to beat.
    let gpu = common.open_gpu_with(None, Profiling::Off)?;
    let batch = presets::batch(&gpu, quick);
    let works: Vec<Work> = if quick {
        presets::two(batch)?
    } else {
        layers(&presets::both(), batch)?.into_iter().map(|layer| layer.work).collect()
    };
    let jobs: Vec<(Work, Pass)> =
        works.iter().flat_map(|work| work.passes().map(|pass| (*work, pass))).collect();
    let bar = progress::bar(common, jobs.len() as u64, "tuning", "passes");
    let mut measured = Vec::new();
    for (work, pass) in jobs {
        measured.push(fastest(&gpu, &work, pass, if quick { 1 } else { REPEATS })?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let file = Tuning::store(&folder, gpu.tuning().identity(), &measured)?;
    common.say(format!("stored in {}", file.display()));
    Ok(())
}
