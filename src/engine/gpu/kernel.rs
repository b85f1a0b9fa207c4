//! Kernels: WGSL text plus constants, compiled once for each set of constants.

use crate::{Error, Result};

/// A kernel's text. `name` is that of its file under `shaders/`; `parts` are concatenated, helpers
/// such as `philox.wgsl` first. Every kernel has one entry point `main`; its buffers are bindings
/// 0, 1, … of group 0, and its per-launch numbers an immediate block of 32-bit words.
#[derive(Debug)]
pub struct Source {
    /// The file's stem.
    pub name: &'static str,
    /// WGSL texts, in order.
    pub parts: &'static [&'static str],
    /// Whether every access is in bounds by construction, whatever the buffers hold, so that the
    /// module may be compiled without run-time checks, and whether workgroup memory is written before it
    /// is read. Only this crate may promise it.
    pub(crate) in_bounds: bool,
}

impl Source {
    /// A kernel that is always compiled with run-time checks.
    pub const fn new(name: &'static str, parts: &'static [&'static str]) -> Self {
        Source { name, parts, in_bounds: false }
    }

    /// The whole module.
    pub fn text(&self) -> String {
        self.parts.join("\n")
    }

    /// Whether the kernel calls subgroup built-ins.
    pub fn needs_subgroups(&self) -> bool {
        self.parts.iter().any(|text| text.contains("subgroupBroadcast"))
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::Kernel { kernel: self.name.into(), message: message.into() }
    }
}

/// Values of a kernel's `override` constants, by name.
pub type Constants<'a> = &'a [(&'static str, u32)];

/// A compiled kernel.
pub(super) struct Kernel {
    pub id: u64,
    pub name: &'static str,
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
    pub bindings: usize,
    pub immediate_bytes: usize,
}

/// What a module binds, read from its own text: the kind of each buffer, and the size of the immediate block.
fn reflect(source: &Source, text: &str) -> Result<(Vec<wgpu::BufferBindingType>, u32)> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| source.error(e.emit_to_string(text)))?;
    let mut bindings = Vec::new();
    let mut immediate_bytes = 0;
    for (_, variable) in module.global_variables.iter() {
        let kind = match variable.space {
            naga::AddressSpace::Storage { access } => {
                wgpu::BufferBindingType::Storage { read_only: !access.contains(naga::StorageAccess::STORE) }
            }
            naga::AddressSpace::Uniform => wgpu::BufferBindingType::Uniform,
            naga::AddressSpace::Immediate => {
                immediate_bytes = module.types[variable.ty].inner.size(module.to_ctx());
                continue;
            }
            _ => continue,
        };
        let at = variable.binding.as_ref().map_or(0, |b| b.binding as usize);
        bindings.resize(bindings.len().max(at + 1), kind);
        bindings[at] = kind;
    }
    Ok((bindings, immediate_bytes))
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

pub(super) fn compile(
    device: &wgpu::Device,
    source: &Source,
    constants: Constants,
    unchecked: bool,
    id: u64,
) -> Result<Kernel> {
    let text = source.text();
    let (kinds, immediate_bytes) = reflect(source, &text)?;
    let scopes = (
        device.push_error_scope(wgpu::ErrorFilter::Validation),
        device.push_error_scope(wgpu::ErrorFilter::Internal),
    );
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(source.name),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    };
    let module = if unchecked && source.in_bounds {
        // SAFETY: the kernel declares that it is in bounds by construction, and the suite of
        // kernel tests runs it both checked and unchecked.
        unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
    } else {
        device.create_shader_module(descriptor)
    };
    let entries: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(binding, &ty)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        })
        .collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(source.name),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(source.name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: immediate_bytes,
    });
    let constants: Vec<(&str, f64)> =
        constants.iter().map(|&(name, value)| (name, f64::from(value))).collect();
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(source.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            zero_initialize_workgroup_memory: !source.in_bounds,
        },
        cache: None,
    });
    let internal = pollster::block_on(scopes.1.pop());
    let validation = pollster::block_on(scopes.0.pop());
    if let Some(error) = validation.or(internal) {
        return Err(source.error(chain(&error)));
    }
    Ok(Kernel {
        id,
        name: source.name,
        pipeline,
        layout,
        bindings: entries.len(),
        immediate_bytes: immediate_bytes as usize,
    })
}
