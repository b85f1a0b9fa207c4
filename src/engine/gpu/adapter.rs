//! Which adapter to use: by name, by index, or the best there is.

use super::tuning::Identity;
use crate::{Error, Result};

/// One adapter, in words and numbers, as `legato devices` prints it.
#[derive(Clone, Debug)]
pub struct AdapterReport {
    /// Its number for `--device`.
    pub index: usize,
    /// The adapter's name.
    pub name: String,
    /// "Vulkan", "Metal" or "Dx12".
    pub backend: String,
    /// "discrete", "integrated", "software" …
    pub kind: &'static str,
    /// Driver and version.
    pub driver: String,
    /// Largest tensor, in bytes.
    pub max_binding: u64,
    /// Largest workgroup, in invocations.
    pub max_workgroup: u32,
    /// Workgroup memory, in bytes.
    pub workgroup_memory: u32,
    /// Smallest and largest subgroup.
    pub subgroup: (u32, u32),
    /// Whether `auto` would take this one.
    pub automatic: bool,
    /// What the kernels need and this adapter lacks, if anything.
    pub lacks: Option<String>,
    /// What a tuning of its kernels is known by.
    pub identity: Identity,
}

pub(super) fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // The validation layers of debug builds slow kernels several times over.
    descriptor.flags = wgpu::InstanceFlags::empty();
    wgpu::Instance::new(descriptor.with_env())
}

pub(super) fn adapters() -> Vec<wgpu::Adapter> {
    pollster::block_on(instance().enumerate_adapters(wgpu::Backends::PRIMARY))
}

pub(super) fn kind(device_type: wgpu::DeviceType) -> &'static str {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    }
}

/// Smallest and largest subgroup of an adapter opened with `features`; `None` where kernels may not
/// use subgroups. wgpu knows only wide limits for Metal, where Apple's own GPUs have 32 lanes; DX12's
/// upper limit is documented as unreliable, so the widest there is is assumed.
pub(super) fn subgroups(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Option<(u32, u32)> {
    let sizes = match info.backend {
        wgpu::Backend::Metal if info.name.starts_with("Apple") => (32, 32),
        wgpu::Backend::Dx12 => (info.subgroup_min_size, wgpu::MAXIMUM_SUBGROUP_MAX_SIZE),
        _ => (info.subgroup_min_size, info.subgroup_max_size),
    };
    features.contains(wgpu::Features::SUBGROUP).then_some(sizes)
}

/// The order in which `auto` prefers kinds of adapters, best first.
fn rank(device_type: wgpu::DeviceType) -> u32 {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

/// What the kernels cannot do without and `adapter` lacks.
pub(super) fn lacks(adapter: &wgpu::Adapter) -> Option<String> {
    let limits = adapter.limits();
    if !adapter.features().contains(wgpu::Features::IMMEDIATES) || limits.max_immediate_size < 64 {
        return Some("it has no immediates (push constants) of 64 bytes".into());
    }
    if limits.max_compute_invocations_per_workgroup < 256 {
        return Some("its workgroups hold fewer than 256 invocations".into());
    }
    if limits.max_storage_buffers_per_shader_stage < 8 {
        return Some("it binds fewer than 8 storage buffers".into());
    }
    None
}

/// Every adapter of this machine.
pub fn list_adapters() -> Vec<AdapterReport> {
    let adapters = adapters();
    let automatic = automatic(&adapters);
    let report = |(index, adapter): (usize, &wgpu::Adapter)| {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        AdapterReport {
            identity: Identity::of(&info),
            index,
            name: info.name,
            backend: format!("{:?}", info.backend),
            kind: kind(info.device_type),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            max_binding: limits.max_storage_buffer_binding_size,
            max_workgroup: limits.max_compute_invocations_per_workgroup,
            workgroup_memory: limits.max_compute_workgroup_storage_size,
            subgroup: (info.subgroup_min_size, info.subgroup_max_size),
            automatic: Some(index) == automatic,
            lacks: lacks(adapter),
        }
    };
    adapters.iter().enumerate().map(report).collect()
}

fn automatic(adapters: &[wgpu::Adapter]) -> Option<usize> {
    (0..adapters.len())
        .filter(|&i| lacks(&adapters[i]).is_none())
        .min_by_key(|&i| (rank(adapters[i].get_info().device_type), i))
}

/// The adapter that `wanted` names: `auto` (discrete, then integrated, then software), an index of
/// [`list_adapters`], or a part of a name, in any case.
pub(super) fn choose(wanted: &str) -> Result<wgpu::Adapter> {
    let mut adapters = adapters();
    if adapters.is_empty() {
        return Err(Error::no_driver());
    }
    let names: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
    let named = |part: &str| names.iter().position(|name| name.to_lowercase().contains(&part.to_lowercase()));
    let index = if wanted.eq_ignore_ascii_case("auto") {
        automatic(&adapters)
    } else if let Ok(index) = wanted.parse::<usize>() {
        // A number that is no index may be part of a name, as in "4090".
        Some(index).filter(|&i| i < adapters.len()).or_else(|| named(wanted))
    } else {
        named(wanted)
    };
    let Some(index) = index else {
        if wanted.eq_ignore_ascii_case("auto") {
            let reasons =
                names.iter().zip(&adapters).filter_map(|(n, a)| Some(format!("{n}: {}", lacks(a)?)));
            let found = reasons.collect::<Vec<_>>().join("; ");
            return Err(Error::NoAdapter { wanted: "can be used".into(), found });
        }
        let listed: Vec<String> = names.iter().enumerate().map(|(i, n)| format!("{i}: {n}")).collect();
        return Err(Error::NoAdapter {
            wanted: format!("'{wanted}'"),
            found: format!("choose one of {} by number or part of its name, or auto", listed.join(", ")),
        });
    };
    let adapter = adapters.swap_remove(index);
    match lacks(&adapter) {
        Some(message) => Err(Error::Device { adapter: adapter.get_info().name, message }),
        None => Ok(adapter),
    }
}
