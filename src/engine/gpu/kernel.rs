//! Kernels: WGSL text plus constants, compiled once for each set of constants.

use super::texture;
use crate::{Error, Result};
use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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

/// A kernel that was launched, and its pipeline as soon as that is built.
pub(super) struct Kernel {
    pub id: u64,
    pub name: &'static str,
    pub layout: wgpu::BindGroupLayout,
    /// For each binding, whether it is a texture.
    pub bindings: Vec<bool>,
    pub immediate_bytes: usize,
    built: OnceCell<Built>,
    coming: mpsc::Receiver<Built>,
}

/// What came of building a kernel: the pipeline and how long it took, or what the driver has against it.
type Built = std::result::Result<(wgpu::ComputePipeline, Duration), String>;

impl Kernel {
    /// Whether the pipeline was waited for already.
    pub fn is_built(&self) -> bool {
        self.built.get().is_some()
    }

    /// The pipeline; waits for it.
    ///
    /// # Errors
    /// The driver does not take the kernel.
    pub fn pipeline(&self) -> Result<&wgpu::ComputePipeline> {
        let lost = |_| Err("the thread that was to build it is gone".into());
        let built = self.built.get_or_init(|| self.coming.recv().unwrap_or_else(lost));
        let refused = |message: &String| Error::Kernel { kernel: self.name.into(), message: message.clone() };
        built.as_ref().map(|(pipeline, _)| pipeline).map_err(refused)
    }

    /// How long the driver took to translate it: about as many times longer than for another as it takes to compile. Nothing while
    /// nobody has waited for the pipeline.
    pub fn took(&self) -> Duration {
        let built = self.built.get().and_then(|built| built.as_ref().ok());
        built.map_or(Duration::ZERO, |&(_, took)| took)
    }
}

/// Dispatches workgroups of a kernel, in a pass.
pub(super) fn dispatch(
    pass: &mut wgpu::ComputePass,
    pipeline: &wgpu::ComputePipeline,
    bind_group: &wgpu::BindGroup,
    immediates: &[u32],
    [x, y, z]: [u32; 3],
) {
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, bind_group, &[]);
    if !immediates.is_empty() {
        pass.set_immediates(0, bytemuck::cast_slice(immediates));
    }
    pass.dispatch_workgroups(x, y, z);
}

/// What a submission dispatches, in order, and what goes before a dispatch.
pub(super) trait Dispatches {
    fn count(&self) -> usize;

    /// Whether something goes before the `i`-th that no pass can do.
    fn has_before(&self, i: usize) -> bool;

    fn before(&self, i: usize, encoder: &mut wgpu::CommandEncoder);

    fn run(&self, i: usize, pass: &mut wgpu::ComputePass);

    /// All, in as few passes as may be.
    fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut i = 0;
        while i < self.count() {
            self.before(i, encoder);
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.run(i, &mut pass);
            i += 1;
            while i < self.count() && !self.has_before(i) {
                self.run(i, &mut pass);
                i += 1;
            }
        }
    }
}

/// All that a pipeline is built from.
pub(super) struct Plan {
    name: &'static str,
    module: wgpu::ShaderModule,
    pub layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    constants: Vec<(&'static str, f64)>,
    zeroes_workgroups: bool,
    pub bindings: Vec<bool>,
    immediate_bytes: usize,
}

impl Plan {
    /// Has the driver translate the kernel, which takes long.
    ///
    /// # Errors
    /// What the driver has against it.
    pub fn build(&self, device: &wgpu::Device) -> std::result::Result<wgpu::ComputePipeline, String> {
        scoped(device, || {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(self.name),
                layout: Some(&self.pipeline_layout),
                module: &self.module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &self.constants,
                    zero_initialize_workgroup_memory: self.zeroes_workgroups,
                },
                cache: None,
            })
        })
    }
}

/// Threads that build pipelines, so that several cores translate kernels while others are still being recorded. Dropped, they
/// leave what they have not begun.
pub(super) struct Builders {
    plans: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    closing: Arc<AtomicBool>,
}

/// What is to be built on which device, and who waits for it.
type Job = (wgpu::Device, Plan, mpsc::Sender<Built>);

/// A network's first batch has some ten kernels at once.
const MOST_BUILDERS: usize = 8;

impl Builders {
    pub fn new() -> Self {
        let (plans, given) = mpsc::channel::<Job>();
        let given = Arc::new(Mutex::new(given));
        let closing = Arc::<AtomicBool>::default();
        let work = |nth: usize| {
            let (given, closing) = (given.clone(), closing.clone());
            let named = thread::Builder::new().name(format!("kernels {nth}"));
            named.spawn(move || while !closing.load(Ordering::Relaxed) && build_next(&given) {}).ok()
        };
        let count = thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_BUILDERS));
        let threads = (0..count).filter_map(work).collect();
        Builders { plans: Some(plans), threads, closing }
    }

    /// The kernel of a plan, whose pipeline is built meanwhile.
    pub fn kernel(&self, device: &wgpu::Device, plan: Plan, id: u64) -> Kernel {
        let (name, immediate_bytes) = (plan.name, plan.immediate_bytes);
        let (bindings, layout) = (plan.bindings.clone(), plan.layout.clone());
        let (built, coming) = mpsc::channel();
        // Where no thread could be had, it is built at once.
        let refused = match (&self.plans, self.threads.is_empty()) {
            (Some(plans), false) => plans.send((device.clone(), plan, built)).err().map(|e| e.0),
            _ => Some((device.clone(), plan, built)),
        };
        refused.into_iter().for_each(build);
        Kernel { id, name, layout, bindings, immediate_bytes, built: OnceCell::new(), coming }
    }
}

impl Drop for Builders {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.plans = None;
        for thread in self.threads.drain(..) {
            // A panic has told of itself, and whoever waits for a pipeline learns that there is none.
            let _ = thread.join();
        }
    }
}

/// Builds the next pipeline; false if no more will come.
fn build_next(given: &Mutex<mpsc::Receiver<Job>>) -> bool {
    let next = given.lock().unwrap_or_else(PoisonError::into_inner).recv();
    next.map(build).is_ok()
}

fn build((device, plan, built): Job) {
    let begun = Instant::now();
    let pipeline = plan.build(&device);
    // Nobody may be waiting any more.
    let _ = built.send(pipeline.map(|pipeline| (pipeline, begun.elapsed())));
}

/// What a module binds, read from its own text: the kind of each binding, and the size of the immediate block.
fn reflect(source: &Source, text: &str) -> Result<(Vec<wgpu::BindingType>, u32)> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| source.error(e.emit_to_string(text)))?;
    if !module.entry_points.iter().any(|entry| entry.name == "main") {
        return Err(source.error("it has no entry point named main"));
    }
    let buffer = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    let mut bindings = Vec::new();
    let mut immediate_bytes = 0;
    for (_, variable) in module.global_variables.iter() {
        let kind = match variable.space {
            naga::AddressSpace::Storage { access } => {
                let read_only = !access.contains(naga::StorageAccess::STORE);
                buffer(wgpu::BufferBindingType::Storage { read_only })
            }
            naga::AddressSpace::Uniform => buffer(wgpu::BufferBindingType::Uniform),
            naga::AddressSpace::Handle => texture::BINDING,
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

/// Does something on a device, or says what the device has against it.
pub(super) fn scoped<T>(device: &wgpu::Device, work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    let scopes = (
        device.push_error_scope(wgpu::ErrorFilter::Validation),
        device.push_error_scope(wgpu::ErrorFilter::Internal),
    );
    let made = work();
    let internal = pollster::block_on(scopes.1.pop());
    let validation = pollster::block_on(scopes.0.pop());
    match validation.or(internal) {
        Some(error) => Err(chain(&error)),
        None => Ok(made),
    }
}

/// Reads a kernel's text and lays out what it binds.
///
/// # Errors
/// A text that is none, has no entry point `main`, or binds what the device does not allow.
pub(super) fn plan(
    device: &wgpu::Device,
    source: &Source,
    constants: Constants,
    unchecked: bool,
) -> Result<Plan> {
    let text = source.text();
    let (kinds, immediate_bytes) = reflect(source, &text)?;
    let entries: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(binding, &ty)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty,
            count: None,
        })
        .collect();
    let laid_out = scoped(device, || {
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
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(source.name),
            entries: &entries,
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(source.name),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: immediate_bytes,
        });
        (module, layout, pipeline_layout)
    });
    let (module, layout, pipeline_layout) = laid_out.map_err(|message| source.error(message))?;
    Ok(Plan {
        name: source.name,
        module,
        layout,
        pipeline_layout,
        constants: constants.iter().map(|&(name, value)| (name, f64::from(value))).collect(),
        zeroes_workgroups: !source.in_bounds,
        bindings: kinds.iter().map(|kind| matches!(kind, wgpu::BindingType::Texture { .. })).collect(),
        immediate_bytes: immediate_bytes as usize,
    })
}
