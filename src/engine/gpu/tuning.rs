//! Which rung and tile runs, by layer: what was measured on this device, else a sound default by its kind.
//!
//! The defaults, each the first rung that takes the shape:
//!
//! | device | order |
//! |---|---|
//! | software | winograd, shared rows, broadcast, register tile, workgroup tile, vectors, naive: a processor has no fast memory besides its caches, so staging in workgroup memory is a copy and a barrier for nothing; and as a load costs it dozens of multiply-adds, the tile with the fewest loads wins though it spills, and then fewer multiplications |
//! | GPU | workgroup tile, broadcast, register tile, vectors, naive: 64 sums an invocation fit the registers of any GPU, where the other tiles' 128 and more halve the subgroups in flight or spill; and broadcasts by eight leave most of a subgroup of 32 or 64 loading the same |
//! | integrated GPU whose smallest subgroup has 8 to 16 lanes, as Intel's | the same, but broadcast first: broadcasts by eight suit those, and what such a GPU has of workgroup memory is little and shared with its caches |
//! | any GPU, convolutions of one channel | broadcast, register tile, workgroup tile, vectors, naive: there are too few terms to stage |
//!
//! What is said of GPUs is reasoned; `legato devices --tune` measures. Whatever is preferred runs only where its rung
//! takes the shape and the subgroups, as [`crate::engine::ops::conv2d::fits`] tells.

use super::choice::{Choice, Pass, Rung, Weights};
use super::tuning_file;
pub use super::tuning_file::{Measured, folder};
use crate::Result;
use std::path::{Path, PathBuf};

/// Most lanes that a device's smallest subgroup has where broadcasts by eight suit it.
const NARROW: u32 = 16;

/// What kernels are tuned for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The adapter's name.
    pub adapter: String,
    /// "Vulkan", "Metal" or "Dx12".
    pub backend: String,
    /// Driver and version.
    pub driver: String,
    /// What runs the kernels.
    pub kind: Kind,
}

/// The kinds of device that differ in which kernels suit them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A GPU with memory of its own, or of another kind, or one of which that is not known.
    #[default]
    Discrete,
    /// A GPU in the processor's memory.
    Integrated {
        /// Lanes of the smallest subgroup that it may choose.
        narrowest: u32,
    },
    /// A processor.
    Software,
}

impl Identity {
    pub(super) fn of(info: &wgpu::AdapterInfo) -> Self {
        Identity {
            adapter: info.name.clone(),
            backend: format!("{:?}", info.backend),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            kind: match info.device_type {
                wgpu::DeviceType::Cpu => Kind::Software,
                wgpu::DeviceType::IntegratedGpu => Kind::Integrated { narrowest: info.subgroup_min_size },
                _ => Kind::Discrete,
            },
        }
    }
}

impl Identity {
    /// The major version of Mesa, where that is the driver.
    fn mesa(&self) -> Option<u32> {
        self.driver.split("Mesa ").nth(1)?.split('.').next()?.parse().ok()
    }

    /// Whether this is Mesa's driver for a processor.
    pub(super) fn is_llvmpipe(&self) -> bool {
        self.kind == Kind::Software && self.mesa().is_some()
    }

    /// Whether this is llvmpipe of Mesa 22 or older, which loads from storage buffers lane by lane, in a loop.
    pub(super) fn loads_storage_in_loops(&self) -> bool {
        self.kind == Kind::Software && self.mesa().is_some_and(|major| major < 23)
    }
}

/// Kernels by layer.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    identity: Identity,
    measured: Vec<Measured>,
    /// The file that they come from.
    file: Option<PathBuf>,
    /// Why a file that is there is not used, where its owner should know.
    trouble: Option<String>,
}

impl Tuning {
    /// The defaults for an adapter.
    pub fn by_default(identity: Identity) -> Self {
        Tuning { identity, ..Tuning::default() }
    }

    /// What was measured, where a file of this adapter, driver and version of the program is in `folder`; else the
    /// defaults. A file of another driver or version is passed over; one that is damaged is told by
    /// [`Tuning::trouble`].
    pub fn from_folder(folder: &Path, identity: Identity) -> Self {
        let file = tuning_file::path(folder, &identity);
        let mut tuning = Tuning::by_default(identity);
        match tuning_file::read(&file, &tuning.identity) {
            Ok(None) => (),
            Ok(Some(measured)) => (tuning.measured, tuning.file) = (measured, Some(file)),
            Err(error) => tuning.trouble = Some(format!("{error}; the kernels are chosen by default")),
        }
        tuning
    }

    /// Stores what was measured in `folder`, and returns the file.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn store(folder: &Path, identity: &Identity, measured: &[Measured]) -> Result<PathBuf> {
        let file = tuning_file::path(folder, identity);
        tuning_file::write(&file, identity, measured)?;
        Ok(file)
    }

    /// What they are for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The file with what was measured, where one is in use.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Why a tuning that is there is not used.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The kernel for a pass of a layer over so many rows (pixels or examples of a batch), of the rungs that fit: the
    /// one measured for these weights at the nearest number of rows, else the default.
    pub fn choose(&self, pass: Pass, weights: &Weights, rows: usize, fits: impl Fn(Rung) -> bool) -> Choice {
        let distance = |m: &&Measured| ((m.rows as f64).ln() - (rows as f64).ln()).abs();
        let known = self.measured.iter().filter(|m| m.pass == pass && m.weights == *weights && fits(m.rung));
        match known.min_by(|a, b| distance(a).total_cmp(&distance(b))) {
            Some(&Measured { rung, tile, .. }) => Choice { rung, tile },
            None => self
                .preference(weights)
                .iter()
                .copied()
                .find(|&rung| fits(rung))
                .unwrap_or(Rung::Naive)
                .into(),
        }
    }
}

impl Tuning {
    /// The rungs in the order in which they are tried.
    fn preference(&self, weights: &Weights) -> &'static [Rung] {
        use Rung::{Broadcast, Naive, RegisterTile, SharedRows, Vectors, Winograd, WorkgroupTile};
        let one_channel = matches!(weights, Weights::Conv2d { channels: [1, _], .. });
        match self.identity.kind {
            Kind::Software => &[Winograd, SharedRows, Broadcast, RegisterTile, WorkgroupTile, Vectors, Naive],
            _ if one_channel => &[Broadcast, RegisterTile, WorkgroupTile, Vectors, Naive],
            Kind::Integrated { narrowest: 8..=NARROW } => {
                &[Broadcast, WorkgroupTile, RegisterTile, Vectors, Naive]
            }
            _ => &[WorkgroupTile, Broadcast, RegisterTile, Vectors, Naive],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tile;
    use super::*;

    const LAYER: Weights = Weights::Conv2d { kernel: [3, 3], channels: [64, 64] };

    fn identity(software: bool) -> Identity {
        let kind = if software { Kind::Software } else { Kind::Discrete };
        let (adapter, backend, driver) = ("A/B c".into(), "Vulkan".into(), "mesa 1.2 (LLVM 3)".into());
        Identity { adapter, backend, driver, kind }
    }

    fn measured(rows: usize, rung: Rung, tile: Option<Tile>) -> Measured {
        Measured { weights: LAYER, pass: Pass::Forward, rows, rung, tile, gflops: 12.5 }
    }

    #[test]
    fn the_default_is_the_first_rung_that_fits() {
        let choose = |software: bool, weights: &Weights, fits: &dyn Fn(Rung) -> bool| {
            Tuning::by_default(identity(software)).choose(Pass::Forward, weights, 100, fits).rung
        };
        assert_eq!(choose(true, &LAYER, &|_| true), Rung::Winograd);
        assert_eq!(choose(true, &LAYER, &|r| r < Rung::Winograd), Rung::SharedRows);
        assert_eq!(choose(true, &LAYER, &|r| r < Rung::SharedRows), Rung::Broadcast);
        assert_eq!(choose(true, &LAYER, &|r| r < Rung::Broadcast), Rung::RegisterTile);
        assert_eq!(choose(false, &LAYER, &|_| true), Rung::WorkgroupTile);
        let one = Weights::Conv2d { kernel: [3, 3], channels: [1, 16] };
        assert_eq!(choose(false, &one, &|r| r != Rung::Broadcast), Rung::RegisterTile);
        assert_eq!(choose(false, &LAYER, &|r| r == Rung::Naive), Rung::Naive);
    }

    #[test]
    fn an_integrated_gpu_of_narrow_subgroups_broadcasts() {
        let choose = |narrowest: u32, fits: &dyn Fn(Rung) -> bool| {
            let integrated = Identity { kind: Kind::Integrated { narrowest }, ..identity(false) };
            Tuning::by_default(integrated).choose(Pass::Forward, &LAYER, 100, fits).rung
        };
        assert_eq!([8, 16].map(|narrowest| choose(narrowest, &|_| true)), [Rung::Broadcast; 2]);
        assert_eq!(choose(16, &|r| r != Rung::Broadcast), Rung::WorkgroupTile);
        assert_eq!([0, 4, 32].map(|narrowest| choose(narrowest, &|_| true)), [Rung::WorkgroupTile; 3]);
    }

    #[test]
    fn an_old_llvmpipe_is_known_by_its_version() {
        let of = |driver: &str, software| Identity { driver: driver.into(), ..identity(software) };
        let old = of("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", true);
        assert!(old.is_llvmpipe() && old.loads_storage_in_loops());
        for newer in ["llvmpipe Mesa 26.2.6-1 (LLVM 22.1.8)", "llvmpipe Mesa 23.0.0"] {
            let newer = of(newer, true);
            assert!(newer.is_llvmpipe() && !newer.loads_storage_in_loops(), "{newer:?}");
        }
        for other in [of("SwiftShader driver 5.0", true), of("", true), of("radv Mesa 22.3.6", false)] {
            assert!(!other.is_llvmpipe() && !other.loads_storage_in_loops(), "{other:?}");
        }
    }

    #[test]
    fn what_was_measured_nearest_is_chosen_where_it_fits() {
        let folder = tempfile::tempdir().unwrap();
        let tile = Some(Tile { rows: 128, columns: 32 });
        let all = [measured(1000, Rung::WorkgroupTile, tile), measured(64_000, Rung::Vectors, None)];
        let file = Tuning::store(folder.path(), &identity(true), &all).unwrap();
        let tuning = Tuning::from_folder(folder.path(), identity(true));
        assert_eq!((tuning.file(), tuning.trouble()), (Some(file.as_path()), None));
        let choose = |pass, rows, fits: &dyn Fn(Rung) -> bool| tuning.choose(pass, &LAYER, rows, fits);
        assert_eq!(choose(Pass::Forward, 2000, &|_| true), Choice { rung: Rung::WorkgroupTile, tile });
        assert_eq!(choose(Pass::Forward, 32_000, &|_| true), Rung::Vectors.into());
        assert_eq!(choose(Pass::Forward, 32_000, &|r| r == Rung::Naive), Rung::Naive.into());
        assert_eq!(choose(Pass::InputGradient, 1000, &|_| true), Rung::Winograd.into());
    }

    #[test]
    fn another_driver_or_version_is_passed_over_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = Tuning::store(folder.path(), &identity(true), &[measured(9, Rung::Naive, None)]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let after = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let tuning = Tuning::from_folder(folder.path(), identity(true));
            (tuning.file().is_some(), tuning.trouble().map(str::to_owned))
        };
        assert_eq!(after(&text), (true, None));
        assert_eq!(after(&text.replace("mesa 1.2", "mesa 1.3")), (false, None));
        assert_eq!(after(&text.replace(env!("CARGO_PKG_VERSION"), "0.0.0")), (false, None));
        for damaged in [
            &text[..text.len() / 2],
            &text.replace("naive", "novel"),
            "\u{0}",
            &text.replace("rows = 9", "rows = 0"),
        ] {
            let (used, trouble) = after(damaged);
            let trouble = trouble.expect(damaged);
            assert!(
                !used && trouble.contains(".toml: ") && trouble.ends_with("chosen by default"),
                "{trouble}"
            );
        }
        let other = Identity { driver: "mesa 2".into(), ..identity(true) };
        assert!(Tuning::from_folder(folder.path(), other).file().is_none());
    }
}
