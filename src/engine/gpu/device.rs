//! The device: opened once, records dispatches, submits them together, reads results back.

use super::adapter;
use super::kernel::{self, Builders, Constants, Dispatches, Kernel, Source};
use super::pool::{self, Pool};
use super::precompile::{self, First, Like};
use super::profile::{HostWork, Place, Profile, Profiler, Profiling};
use super::texture::{self, Texture};
use super::tuning::{Identity, Tuning};
use crate::engine::tensor::{Tensor, filled};
use crate::{Error, Result};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};

/// How to open a device.
#[derive(Clone, Debug)]
pub struct GpuOptions {
    /// `auto`, an index, or a part of an adapter's name.
    pub device: String,
    /// Compile kernels that are in bounds by construction without run-time checks.
    pub unchecked: bool,
    /// Smallest and largest subgroup to assume in place of what the driver says; for tests of the
    /// kernels that other devices would run. `Some(None)`: no subgroups.
    pub subgroups: Option<Option<(u32, u32)>>,
    /// The folder of tunings to take the choice of kernels from; `None` for the default choice.
    pub tuning: Option<PathBuf>,
    /// Whether a processor may load and store two numbers as a word of 64 bits; without it, the kernels of other devices can
    /// be tested.
    pub words: bool,
    /// Whether Winograd's kernels have their weights in uniform buffers, where 64 KiB can be bound, and their pixels and gradients
    /// in textures: where words are used and channels are even in number. `None`: where that is the faster way to load, with
    /// llvmpipe of Mesa 22 and older.
    pub uniforms: Option<bool>,
    /// Whether Winograd's kernels have their sums in arrays in memory, where words are used, weights are not in uniform buffers and
    /// channels are more than a few. `None`: where the compiler otherwise moves them about, with llvmpipe of Mesa 23 and newer.
    pub sums_in_memory: Option<bool>,
    /// What to measure meanwhile, for [`Gpu::profile`].
    pub profiling: Profiling,
}

impl Default for GpuOptions {
    fn default() -> Self {
        GpuOptions {
            device: "auto".into(),
            unchecked: false,
            subgroups: None,
            tuning: None,
            words: true,
            uniforms: None,
            sums_in_memory: None,
            profiling: Profiling::Off,
        }
    }
}

/// Submissions that may wait in the driver's queue; more would only hold memory.
const SUBMISSIONS_IN_FLIGHT: usize = 3;

/// Bind groups kept for reuse before the cache starts afresh.
const CACHED_BIND_GROUPS: usize = 4096;

/// What went wrong asynchronously, first come.
type Fault = Arc<Mutex<Option<Error>>>;

struct Dispatch {
    kernel: Rc<Kernel>,
    bind_group: Rc<wgpu::BindGroup>,
    immediates: Vec<u32>,
    groups: [u32; 3],
    /// What is copied before.
    copies: Vec<texture::Copy>,
}

/// Dispatches and the pipeline of each.
struct Ready<'a>(&'a [Dispatch], Vec<&'a wgpu::ComputePipeline>);

impl Dispatches for Ready<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn has_before(&self, i: usize) -> bool {
        !self.0[i].copies.is_empty()
    }

    fn before(&self, i: usize, encoder: &mut wgpu::CommandEncoder) {
        self.0[i].copies.iter().for_each(|copy| copy.encode(encoder));
    }

    fn run(&self, i: usize, pass: &mut wgpu::ComputePass) {
        let Dispatch { bind_group, immediates, groups, .. } = &self.0[i];
        kernel::dispatch(pass, self.1[i], bind_group, immediates, *groups);
    }
}

/// A kernel and, for each binding, the buffer, the first byte and the number of bytes, or the texture.
type BindGroupKey = (u64, Vec<(u64, u64, u64)>);
type KernelKey = (*const Source, Vec<u32>);

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: wgpu::AdapterInfo,
    limits: wgpu::Limits,
    subgroups: Option<(u32, u32)>,
    unchecked: bool,
    uniforms: bool,
    sums_in_memory: bool,
    tuning: Tuning,
    pool: Rc<RefCell<Pool>>,
    kernels: RefCell<HashMap<KernelKey, Rc<Kernel>>>,
    bind_groups: RefCell<HashMap<BindGroupKey, Rc<wgpu::BindGroup>>>,
    recorded: RefCell<Vec<Dispatch>>,
    /// What is to be copied before the next dispatch.
    copies: RefCell<Vec<texture::Copy>>,
    builders: Builders,
    /// How kernels are precompiled, where that helps, and those that the next submission brings for the first time.
    like: Option<Like>,
    firsts: RefCell<Vec<(Rc<Kernel>, First)>>,
    in_flight: RefCell<VecDeque<wgpu::SubmissionIndex>>,
    one: OnceCell<Tensor>,
    submissions: Cell<u64>,
    fault: Fault,
    profiler: Option<RefCell<Profiler>>,
}

/// A device and its queue. Cheap to clone; used from one thread.
#[derive(Clone)]
pub struct Gpu(Rc<Inner>);

impl Gpu {
    /// Opens the device that `options` name.
    ///
    /// # Errors
    /// No such adapter, an adapter that lacks what the kernels need, or a driver that refuses.
    pub fn open(options: &GpuOptions) -> Result<Gpu> {
        let adapter = adapter::choose(&options.device)?;
        let (info, limits, offered) = (adapter.get_info(), adapter.limits(), adapter.features());
        let timestamps = match options.profiling {
            Profiling::Kernels => wgpu::Features::TIMESTAMP_QUERY & offered,
            Profiling::Off | Profiling::Steps => wgpu::Features::empty(),
        };
        let words = match info.device_type {
            wgpu::DeviceType::Cpu if options.words => wgpu::Features::SHADER_INT64,
            _ => wgpu::Features::empty(),
        };
        let features = (wgpu::Features::SUBGROUP | words) & offered | wgpu::Features::IMMEDIATES | timestamps;
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("legato"),
            required_features: features,
            required_limits: limits.clone(),
            ..Default::default()
        });
        let (device, queue) = pollster::block_on(request)
            .map_err(|e| Error::Device { adapter: info.name.clone(), message: e.to_string() })?;
        let fault = Fault::default();
        let seen = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let error = match error {
                wgpu::Error::OutOfMemory { .. } => Error::OutOfMemory { message: error.to_string() },
                other => Error::Gpu { message: other.to_string() },
            };
            seen.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(error);
        }));
        let seen = fault.clone();
        device.set_device_lost_callback(move |reason, message| {
            // Whatever else failed followed from this.
            let error = Error::DeviceLost { message: format!("{message} ({reason:?})") };
            *seen.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
        });
        let profiler = (options.profiling != Profiling::Off)
            .then(|| RefCell::new(Profiler::new(&queue, !timestamps.is_empty())));
        let identity = Identity::of(&info);
        // Kernels without run-time checks would be dispatched on buffers that are too small for them.
        let helps = identity.is_llvmpipe() && !options.unchecked;
        let like = helps.then(|| Like::new(&options.device, features)).flatten();
        let gpu = Gpu(Rc::new(Inner {
            uniforms: options.uniforms.unwrap_or_else(|| identity.loads_storage_in_loops()),
            sums_in_memory: options
                .sums_in_memory
                .unwrap_or_else(|| identity.is_llvmpipe() && !identity.loads_storage_in_loops()),
            tuning: match &options.tuning {
                Some(folder) => Tuning::from_folder(folder, identity),
                None => Tuning::by_default(identity),
            },
            subgroups: options.subgroups.unwrap_or_else(|| adapter::subgroups(&info, features)),
            unchecked: options.unchecked,
            device,
            queue,
            info,
            limits,
            pool: Rc::default(),
            kernels: RefCell::default(),
            bind_groups: RefCell::default(),
            recorded: RefCell::default(),
            copies: RefCell::default(),
            builders: Builders::new(),
            like,
            firsts: RefCell::default(),
            in_flight: RefCell::default(),
            one: OnceCell::new(),
            submissions: Cell::new(0),
            fault,
            profiler,
        }));
        gpu.one()?;
        Ok(gpu)
    }

    /// The adapter's name and driver, for provenance.
    pub fn description(&self) -> String {
        let info = &self.0.info;
        format!("{} ({:?}, {} {})", info.name, info.backend, info.driver, info.driver_info)
    }

    /// Whether the kernels run on the CPU.
    pub fn is_software(&self) -> bool {
        self.0.info.device_type == wgpu::DeviceType::Cpu
    }

    /// Whether kernels should load and store two numbers as a word of 64 bits, as on a processor, which goes number by number.
    pub fn uses_words(&self) -> bool {
        self.0.device.features().contains(wgpu::Features::SHADER_INT64)
    }

    /// Whether Winograd's kernels should read so many numbers from a texture.
    pub(in crate::engine) fn reads_textures(&self, elements: usize) -> bool {
        self.has_weights_in_uniforms() && texture::bytes_for(elements).is_some()
    }

    /// Whether Winograd's kernels should have their weights in uniform buffers.
    pub(in crate::engine) fn has_weights_in_uniforms(&self) -> bool {
        self.0.uniforms && self.uses_words()
    }

    /// Whether Winograd's kernels should have their sums in arrays in memory.
    pub(in crate::engine) fn has_sums_in_memory(&self) -> bool {
        self.0.sums_in_memory && self.uses_words()
    }

    /// Smallest and largest subgroup, where kernels may use subgroups at all.
    pub fn subgroup_sizes(&self) -> Option<(u32, u32)> {
        self.0.subgroups
    }

    /// Which of several kernels for the same work runs here.
    pub fn tuning(&self) -> &Tuning {
        &self.0.tuning
    }

    /// The limits of the device, which are the adapter's own.
    pub fn limits(&self) -> &wgpu::Limits {
        &self.0.limits
    }

    /// Bytes that one tensor may take.
    pub(in crate::engine) fn largest_tensor(&self) -> u64 {
        let limits = &self.0.limits;
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(u64::from(u32::MAX) * 4)
    }

    /// Buffers taken from the driver since the device was opened.
    pub fn allocations(&self) -> u64 {
        self.0.pool.borrow().allocations()
    }

    /// Bytes taken from the driver since the device was opened.
    pub fn allocated_bytes(&self) -> u64 {
        self.0.pool.borrow().bytes()
    }

    /// Command buffers submitted since the device was opened.
    pub fn submissions(&self) -> u64 {
        self.0.submissions.get()
    }

    // ── the profile ───────────────────────────────────────────────────────────────────────────

    /// What the run has cost so far, if the device was opened to measure it; submits what is recorded and waits.
    ///
    /// # Errors
    /// Whatever went wrong on the device since the last check.
    pub fn profile(&self) -> Result<Option<Profile>> {
        if self.0.profiler.is_none() {
            return Ok(None);
        }
        self.wait()?;
        self.profiled(|profiler| profiler.report(self.description())).transpose()
    }

    /// States how many operations on numbers the dispatch recorded last does: 2 for a multiply-add.
    pub(in crate::engine) fn states_flops(&self, flops: usize) {
        self.profiled(|profiler| profiler.states_flops(flops as u64));
    }

    /// The part of a network's work that dispatches are recorded for.
    pub(in crate::engine) fn place(&self) -> Place {
        self.profiled(|profiler| profiler.place()).unwrap_or_default()
    }

    /// Says for which part of a network's work dispatches are recorded from now on.
    pub(in crate::engine) fn set_place(&self, place: Place) {
        self.profiled(|profiler| profiler.set_place(place));
    }

    fn profiled<T>(&self, tell: impl FnOnce(&mut Profiler) -> T) -> Option<T> {
        self.0.profiler.as_ref().map(|profiler| tell(&mut profiler.borrow_mut()))
    }

    /// Does some work of the processor's and has the profile count its time.
    fn timed<T>(&self, work: HostWork, run: impl FnOnce() -> T) -> T {
        self.profiled(|profiler| profiler.begin(work));
        let result = run();
        self.profiled(|profiler| profiler.end(work));
        result
    }

    // ── tensors ───────────────────────────────────────────────────────────────────────────────

    /// Memory from the pool or the driver; where that has none, though so much may be had at once, what is free is given up first.
    fn taken<T>(&self, may_be_had: bool, take: impl Fn() -> Result<T>) -> Result<T> {
        take().or_else(|refused| {
            if !matches!(refused, Error::OutOfMemory { .. }) || !may_be_had {
                return Err(refused);
            }
            // Free memory of other sizes may be what is in the way.
            self.wait()?;
            self.0.bind_groups.borrow_mut().clear();
            self.0.pool.borrow_mut().release_free();
            self.wait()?;
            take()
        })
    }

    /// A tensor whose contents are undefined until a kernel writes it.
    ///
    /// # Errors
    /// It is larger than the device allows, or the device is out of memory.
    pub fn tensor(&self, shape: &[usize]) -> Result<Tensor> {
        let elements =
            shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= u32::MAX as usize);
        let Some(elements) = elements else {
            return Err(Error::OutOfMemory {
                message: format!("a tensor of shape {shape:?} has too many elements"),
            });
        };
        let bytes = (elements.max(1) * 4) as u64;
        let take = || pool::take(&self.0.pool, &self.0.device, bytes);
        let buffer = self.taken(bytes <= self.0.limits.max_storage_buffer_binding_size, take)?;
        Ok(Tensor::new(buffer, shape))
    }

    /// A tensor with the given values, in row-major order.
    ///
    /// # Errors
    /// As [`Gpu::tensor`], or `values` does not fill the shape.
    pub fn upload(&self, shape: &[usize], values: &[f32]) -> Result<Tensor> {
        self.upload_words(shape, bytemuck::cast_slice(values))
    }

    /// As [`Gpu::upload`], for tensors whose kernels read 32-bit words.
    pub fn upload_words(&self, shape: &[usize], words: &[u32]) -> Result<Tensor> {
        let tensor = self.tensor(shape)?;
        self.write(&tensor, words)?;
        Ok(tensor)
    }

    fn write(&self, tensor: &Tensor, words: &[u32]) -> Result<()> {
        filled(tensor.shape(), words.len())?;
        // The queue writes before everything not yet submitted, which may still read this memory
        // under its former owner.
        if !self.0.recorded.borrow().is_empty() {
            self.submit()?;
        }
        self.timed(HostWork::Uploading, || {
            self.0.queue.write_buffer(tensor.buffer.raw(), first_byte(tensor), bytemuck::cast_slice(words));
        });
        Ok(())
    }

    /// The number 1, of shape \[1\]; uploaded when the device is opened, so that no step has to.
    pub(in crate::engine) fn one(&self) -> Result<Tensor> {
        if let Some(one) = self.0.one.get() {
            return Ok(one.clone());
        }
        let one = self.upload(&[1], &[1.0])?;
        Ok(self.0.one.get_or_init(|| one).clone())
    }

    /// The values of a tensor, in row-major order; submits what is recorded and waits.
    ///
    /// # Errors
    /// Whatever went wrong on the device since the last check.
    pub fn read(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        self.start_read(tensor)?.wait()
    }

    /// Starts to read a tensor without waiting; submits what is recorded.
    ///
    /// # Errors
    /// Whatever went wrong on the device since the last check.
    pub fn start_read(&self, tensor: &Tensor) -> Result<Readback> {
        self.start_read_all(&[tensor])
    }

    /// The same for several tensors, with one submission and one wait: their values come one tensor after another.
    ///
    /// # Errors
    /// As [`Gpu::start_read`].
    pub fn start_read_all(&self, tensors: &[&Tensor]) -> Result<Readback> {
        let elements = tensors.iter().map(|tensor| tensor.len()).sum();
        let bytes = (elements * 4) as u64;
        let staging = self.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: bytes.max(4),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = self.encode()?;
        let mut at = 0;
        for tensor in tensors {
            let bytes = (tensor.len() * 4) as u64;
            encoder.copy_buffer_to_buffer(tensor.buffer.raw(), first_byte(tensor), &staging, at, bytes);
            at += bytes;
        }
        let submission = self.finish(encoder)?;
        let (sender, receiver) = mpsc::channel();
        staging.slice(..).map_async(wgpu::MapMode::Read, move |result| {
            // The receiver may be gone: then nobody wants the answer.
            let _ = sender.send(result.map_err(|e| e.to_string()));
        });
        Ok(Readback { gpu: self.clone(), staging, submission, receiver, elements })
    }

    // ── kernels ───────────────────────────────────────────────────────────────────────────────

    /// A kernel, and whether it is there for the first time.
    fn kernel(&self, source: &'static Source, constants: Constants) -> Result<(Rc<Kernel>, bool)> {
        let key = (std::ptr::from_ref(source), constants.iter().map(|&(_, value)| value).collect());
        if let Some(kernel) = self.0.kernels.borrow().get(&key) {
            return Ok((kernel.clone(), false));
        }
        if source.needs_subgroups() && self.0.subgroups.is_none() {
            let message = "it uses subgroups, which this device lacks".to_owned();
            return Err(Error::Kernel { kernel: source.name.into(), message });
        }
        let id = self.0.kernels.borrow().len() as u64;
        let plan = || kernel::plan(&self.0.device, source, constants, self.0.unchecked);
        let plan = self.timed(HostWork::Compiling, plan)?;
        let kernel = Rc::new(self.0.builders.kernel(&self.0.device, plan, id));
        self.0.kernels.borrow_mut().insert(key, kernel.clone());
        Ok((kernel, true))
    }

    /// Records one dispatch of a kernel: `tensors` are its bindings in order, `immediates` the
    /// words of its immediate block, `groups` the number of workgroups along x, y and z. The
    /// names in `constants` must come in the same order at every launch of a kernel.
    ///
    /// # Errors
    /// The kernel's text is none or uses subgroups that the device lacks, the bindings are not those it declares, or the grid is
    /// larger than the device allows. What the driver has against a kernel it tells when the dispatch is submitted: see
    /// [`Gpu::submit`].
    pub fn launch(
        &self,
        source: &'static Source,
        constants: Constants,
        tensors: &[&Tensor],
        immediates: &[u32],
        groups: [u32; 3],
    ) -> Result<()> {
        self.profiled(Profiler::launching);
        let (kernel, is_first) = self.kernel(source, constants)?;
        let most = self.0.limits.max_compute_workgroups_per_dimension;
        if tensors.len() != kernel.bindings.len() || immediates.len() * 4 != kernel.immediate_bytes {
            let message = format!(
                "launched with {} tensors and {} bytes of immediates; it declares {} and {}",
                tensors.len(),
                immediates.len() * 4,
                kernel.bindings.len(),
                kernel.immediate_bytes
            );
            return Err(Error::shape(kernel.name, message));
        }
        let missing = |(tensor, &is_texture): (&&Tensor, &bool)| is_texture && tensor.texture().is_none();
        if let Some(binding) = tensors.iter().zip(&kernel.bindings).position(missing) {
            return Err(Error::shape(
                kernel.name,
                format!("binding {binding} is a texture, the tensor in none"),
            ));
        }
        if groups.iter().any(|&n| n > most) {
            let message =
                format!("a grid of {groups:?} workgroups exceeds {most} a dimension: use smaller batches");
            return Err(Error::shape(kernel.name, message));
        }
        if groups.contains(&0) {
            return Ok(());
        }
        if is_first && self.0.like.is_some() {
            let bytes = tensors.iter().map(|tensor| bound_bytes(tensor)).collect();
            let (constants, immediates) = (constants.to_vec(), immediates.to_vec());
            let first = First { source, constants, bytes, immediates };
            self.0.firsts.borrow_mut().push((kernel.clone(), first));
        }
        let bind_group = self.bind_group(&kernel, tensors);
        self.profiled(|profiler| profiler.launched(&kernel, tensors, groups));
        let copies = self.0.copies.take();
        let dispatch = Dispatch { kernel, bind_group, immediates: immediates.to_vec(), groups, copies };
        self.0.recorded.borrow_mut().push(dispatch);
        Ok(())
    }

    /// A tensor that is in a texture, too, for kernels that read it from there; it is copied before the next launch.
    ///
    /// # Errors
    /// No texture holds it (see [`texture::bytes_for`]), or the device is out of memory.
    pub(in crate::engine) fn in_texture(&self, tensor: &Tensor) -> Result<Tensor> {
        let elements = tensor.len();
        let take = || Texture::take(&self.0.pool, &self.0.device, elements);
        let texture = self.taken(texture::bytes_for(elements).is_some(), take)?;
        let copy = texture.copy_of(tensor.buffer.raw(), first_byte(tensor), elements);
        self.0.copies.borrow_mut().push(copy);
        Ok(tensor.clone().with(texture))
    }

    fn bind_group(&self, kernel: &Kernel, tensors: &[&Tensor]) -> Rc<wgpu::BindGroup> {
        // What each binding is, where it is a texture.
        let bound = || tensors.iter().zip(&kernel.bindings).map(|(t, &is)| (*t, t.texture().filter(|_| is)));
        let id = |(t, texture): (&Tensor, Option<&Texture>)| match texture {
            Some(texture) => (texture.id, 0, 0),
            None => (t.buffer.id, first_byte(t), bound_bytes(t)),
        };
        let key = (kernel.id, bound().map(id).collect());
        let mut cache = self.0.bind_groups.borrow_mut();
        if let Some(found) = cache.get(&key) {
            return found.clone();
        }
        if cache.len() >= CACHED_BIND_GROUPS {
            cache.clear();
        }
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
        let entries: Vec<_> = (0..).zip(bound().map(resource)).map(entry).collect();
        let made = Rc::new(self.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(kernel.name),
            layout: &kernel.layout,
            entries: &entries,
        }));
        cache.insert(key, made.clone());
        made
    }

    // ── the queue ─────────────────────────────────────────────────────────────────────────────

    /// Everything recorded so far, in a pass for each dispatch where they are timed.
    ///
    /// # Errors
    /// A kernel that the driver does not take; what was recorded is lost.
    fn encode(&self) -> Result<wgpu::CommandEncoder> {
        let recorded = self.0.recorded.take();
        let firsts = self.0.firsts.take();
        let built = recorded.iter().all(|dispatch| dispatch.kernel.is_built());
        let compiled = || {
            let pipelines =
                recorded.iter().map(|dispatch| dispatch.kernel.pipeline()).collect::<Result<Vec<_>>>()?;
            if let Some(like) = &self.0.like {
                precompile::by_all_cores(like, (&self.0.device, &self.0.queue), firsts);
            }
            Ok(pipelines)
        };
        let pipelines = if built { compiled() } else { self.timed(HostWork::Compiling, compiled) };
        let pipelines = pipelines.inspect_err(|_| {
            self.profiled(Profiler::forget);
        })?;
        let mut encoder = self.0.device.create_command_encoder(&Default::default());
        let ready = Ready(&recorded, pipelines);
        match &self.0.profiler {
            Some(profiler) => profiler.borrow_mut().encode(&self.0.device, &mut encoder, &ready),
            None => ready.encode(&mut encoder),
        }
        Ok(encoder)
    }

    fn finish(&self, encoder: wgpu::CommandEncoder) -> Result<wgpu::SubmissionIndex> {
        let commands = encoder.finish();
        self.profiled(Profiler::submitting);
        let index = self.0.queue.submit([commands]);
        self.profiled(Profiler::submitted);
        self.0.submissions.set(self.0.submissions.get() + 1);
        self.0.in_flight.borrow_mut().push_back(index.clone());
        while self.0.in_flight.borrow().len() > SUBMISSIONS_IN_FLIGHT {
            let oldest = self.0.in_flight.borrow_mut().pop_front();
            self.poll(wgpu::PollType::Wait { submission_index: oldest, timeout: None })?;
        }
        self.profiled(Profiler::absorb).transpose()?;
        self.check()?;
        Ok(index)
    }

    /// Sends everything recorded to the device as one command buffer. Reading and waiting do so, too, with the same errors.
    ///
    /// # Errors
    /// Whatever went wrong on the device since the last check; or the driver does not take a kernel: then nothing that was
    /// recorded since the last submission runs, and what it was to write is undefined.
    pub fn submit(&self) -> Result<()> {
        let encoder = self.encode()?;
        self.finish(encoder).map(drop)
    }

    /// Submits and waits until the device is idle.
    ///
    /// # Errors
    /// As [`Gpu::submit`].
    pub fn wait(&self) -> Result<()> {
        self.submit()?;
        self.0.in_flight.borrow_mut().clear();
        self.poll(wgpu::PollType::wait_indefinitely())
    }

    /// Whether everything that was submitted is done.
    ///
    /// # Errors
    /// Whatever went wrong on the device since the last check.
    pub fn is_idle(&self) -> Result<bool> {
        let status = self.0.device.poll(wgpu::PollType::Poll);
        self.check()?;
        status.map(|s| s.is_queue_empty()).map_err(|e| Error::Gpu { message: e.to_string() })
    }

    fn poll(&self, how: wgpu::PollType) -> Result<()> {
        let waits = matches!(how, wgpu::PollType::Wait { .. });
        let poll = || self.0.device.poll(how);
        let result = if waits { self.timed(HostWork::Waiting, poll) } else { poll() };
        self.check()?;
        result.map(drop).map_err(|e| Error::Gpu { message: e.to_string() })
    }

    /// The first error that the device reported since the last check, if any.
    fn check(&self) -> Result<()> {
        if self.0.fault.lock().unwrap_or_else(|e| e.into_inner()).is_some() {
            // If the device is lost, this is when it says so; the answer itself adds nothing.
            let _ = self.0.device.poll(wgpu::PollType::Poll);
        }
        self.0.fault.lock().unwrap_or_else(|e| e.into_inner()).take().map_or(Ok(()), Err)
    }
}

/// The bytes of a tensor that a kernel sees.
fn bound_bytes(tensor: &Tensor) -> u64 {
    (tensor.len().max(1) * 4) as u64
}

/// What is bound: a tensor's texture, or its buffer.
fn resource<'a>((tensor, texture): (&'a Tensor, Option<&'a Texture>)) -> wgpu::BindingResource<'a> {
    match texture {
        Some(texture) => wgpu::BindingResource::TextureView(texture.view()),
        None => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: tensor.buffer.raw(),
            offset: first_byte(tensor),
            size: std::num::NonZeroU64::new(bound_bytes(tensor)),
        }),
    }
}

/// Where a tensor begins in its buffer.
fn first_byte(tensor: &Tensor) -> u64 {
    (tensor.start() * 4) as u64
}

/// A read that is under way.
pub struct Readback {
    gpu: Gpu,
    staging: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    receiver: mpsc::Receiver<std::result::Result<(), String>>,
    elements: usize,
}

impl Readback {
    /// The values, if they have arrived.
    pub fn poll(&self) -> Result<Option<Vec<f32>>> {
        self.gpu.poll(wgpu::PollType::Poll)?;
        match self.receiver.try_recv() {
            Ok(mapped) => self.values(mapped).map(Some),
            Err(mpsc::TryRecvError::Empty) => Ok(None),
            Err(mpsc::TryRecvError::Disconnected) => {
                Err(Error::Gpu { message: "a read was abandoned".into() })
            }
        }
    }

    /// The values, as soon as they have arrived; what was submitted after them goes on meanwhile.
    ///
    /// # Errors
    /// Whatever went wrong on the device since the last check.
    pub fn wait(self) -> Result<Vec<f32>> {
        let submission_index = Some(self.submission.clone());
        self.gpu.poll(wgpu::PollType::Wait { submission_index, timeout: None })?;
        let mapped = self.receiver.recv().map_err(|e| Error::Gpu { message: e.to_string() })?;
        self.values(mapped)
    }

    fn values(&self, mapped: std::result::Result<(), String>) -> Result<Vec<f32>> {
        mapped.map_err(|message| Error::Gpu { message })?;
        let view =
            self.staging.slice(..).get_mapped_range().map_err(|e| Error::Gpu { message: e.to_string() })?;
        let mut values = vec![0.0_f32; self.elements];
        bytemuck::cast_slice_mut(&mut values).copy_from_slice(&view[..self.elements * 4]);
        Ok(values)
    }
}

/// A grid of workgroups of `size` invocations that covers `n` of them, folded into two dimensions
/// where one would overflow. The kernel's index is `g.y * (groups.x * size) + g.x`.
pub fn linear_grid(n: usize, size: u32) -> [u32; 3] {
    const ROW: u32 = 32_768;
    let groups = (n as u64).div_ceil(u64::from(size)) as u32;
    if groups <= ROW { [groups, 1, 1] } else { [ROW, groups.div_ceil(ROW), 1] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu() -> Gpu {
        crate::engine::ops::check::open(GpuOptions::default())
    }

    #[test]
    fn a_lost_device_is_an_error_that_says_how_to_go_on() {
        let gpu = gpu();
        let tensor = gpu.upload(&[2], &[1.0, 2.0]).expect("room for two numbers");
        gpu.0.device.destroy();
        let message = gpu.read(&tensor).expect_err("nothing can be read from a destroyed device").to_string();
        assert!(message.starts_with("the GPU device was lost"), "{message}");
        assert!(message.contains("--resume"), "{message}");
    }

    #[test]
    fn a_device_that_was_waited_for_is_idle() {
        let gpu = gpu();
        gpu.upload(&[3], &[1.0, 2.0, 3.0]).expect("room for three numbers");
        gpu.wait().expect("a device");
        assert!(gpu.is_idle().expect("a device"));
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let gpu = gpu();
        let tensor = gpu.upload(&[3], &[1.0, f32::MIN_POSITIVE, -0.0]).expect("room for three numbers");
        assert_eq!(gpu.read(&tensor).expect("a device"), [1.0, f32::MIN_POSITIVE, -0.0]);
        assert!(gpu.upload(&[2], &[1.0]).is_err());
    }
}
