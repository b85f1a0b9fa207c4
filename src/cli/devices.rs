//! `legato devices`.

use super::{Common, table};
use crate::engine::gpu::list_adapters;
use crate::{Error, Result};
use clap::Args;

#[derive(Args)]
#[command(after_help = "Example:\n  legato devices")]
pub struct Arguments {}

pub fn run(_: &Arguments, _: &Common) -> Result<()> {
    let adapters = list_adapters();
    if adapters.is_empty() {
        return Err(Error::no_driver());
    }
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
    super::print(table::lay_out(&heading, &rows))?;
    for adapter in &adapters {
        if let Some(lacks) = &adapter.lacks {
            super::print(format!("{} cannot be used: {lacks}", adapter.index))?;
        }
    }
    Ok(())
}
