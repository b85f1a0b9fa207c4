//! Kernels compiled before their turn, on cores that have nothing else to do.
//!
//! A driver for the processor (llvmpipe) makes machine code of a kernel when it is first dispatched, in the one thread that
//! runs what was submitted: the first batch through a network waits for one kernel after another. What was made goes into
//! Mesa's cache on disk, and another device of the same driver finds it there. So the kernels that a submission brings for the
//! first time are dispatched, a workgroup of each, by other threads, too, with a device for each thread. They begin at the end
//! of the submission and its own thread at the beginning; where they meet, everything is compiled.
//!
//! ```text
//! the queue       ▒ 1 ▒▒▒▒▒▒▒ 2 ▒▒▒▒▒▒ 3 ▒▒▒▒▒▒ 4 ▒ 5 ▒ 6 ▒ done      ▒▒▒ compiled  ▒ from the cache
//! another thread     ░░░ 6 ▒▒▒▒▒▒▒ 5 ▒▒▒▒▒▒ 4 ▒▒▒▒▒▒
//! ```
//!
//! They begin only where a submission of new kernels is not done soon, as with an empty cache, or a batch that takes long
//! anyway; then a thread looks its kernels up and finds them.

use super::adapter;
use super::kernel::{self, Source};
use super::texture;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a submission may take whose kernels come from the cache.
const SOON: Duration = Duration::from_millis(200);
/// Bytes of the texts that are worth it: shorter ones are compiled in the time that another thread takes to begin.
const LONG: usize = 6 << 10;
/// Fewer kernels than these are not worth a thread and its device.
const FEWEST: usize = 2;
/// More threads would have little to do each: a network has some ten kernels.
const MOST_THREADS: usize = 4;
/// Most bytes of what one workgroup is given in place of a tensor.
const MOST_BYTES: u64 = 1 << 20;
/// The variables by which Mesa is told to keep no cache.
const NO_CACHE: [&str; 2] = ["MESA_SHADER_CACHE_DISABLE", "MESA_GLSL_CACHE_DISABLE"];

/// A kernel that is dispatched for the first time, and what it is dispatched with.
pub(super) struct First {
    pub source: &'static Source,
    pub constants: Vec<(&'static str, u32)>,
    /// The bytes of each tensor that it binds.
    pub bytes: Vec<u64>,
    pub immediates: Vec<u32>,
}

/// How to open another device like the one that the kernels are for.
#[derive(Clone)]
pub(super) struct Like {
    /// As in [`super::GpuOptions`].
    pub device: String,
    pub features: wgpu::Features,
}

impl Like {
    /// None where kernels compiled by another device would be no help.
    pub fn new(device: &str, features: wgpu::Features) -> Option<Self> {
        let off = |name: &&str| {
            std::env::var(name)
                .is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "n" | "no" | "f" | "false"))
        };
        let kept = !NO_CACHE.iter().any(off);
        kept.then(|| Like { device: device.into(), features })
    }

    /// A device whose errors are nobody's concern: the one that the kernels are for has them, too.
    fn open(&self) -> Option<(wgpu::Device, wgpu::Queue)> {
        let adapter = adapter::choose(&self.device).ok()?;
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("legato, precompiling"),
            required_features: self.features,
            required_limits: adapter.limits(),
            ..Default::default()
        });
        let (device, queue) = pollster::block_on(request).ok()?;
        device.on_uncaptured_error(Arc::new(|_| ()));
        Some((device, queue))
    }
}

/// Whether a submission is done.
#[derive(Default)]
pub(super) struct Done(Mutex<bool>, Condvar);

impl Done {
    pub fn tell(&self) {
        *self.told() = true;
        self.1.notify_all();
    }

    fn told(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for so long, and says whether it is done by then.
    fn within(&self, time: Duration) -> bool {
        let waited = self.1.wait_timeout_while(self.told(), time, |done| !*done);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Threads that compile the kernels of one submission. They stop when it is done, or when it is dropped: it then waits for the
/// kernel that each has begun, so that none is amid the driver when a process ends by itself.
pub(super) struct Precompiler {
    done: Arc<Done>,
    threads: Vec<JoinHandle<()>>,
}

impl Precompiler {
    /// Begins; whoever submitted tells when it is done. None where there is too little to do, or no core for it.
    pub fn start(like: &Like, firsts: Vec<First>) -> Option<Self> {
        let length = |first: &First| first.source.parts.iter().map(|text| text.len()).sum::<usize>();
        let long: Vec<First> = firsts.into_iter().filter(|first| length(first) >= LONG).collect();
        let others = thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
        let count = others.min(MOST_THREADS).min(long.len() / FEWEST);
        let done = Arc::<Done>::default();
        let left = Arc::new(Mutex::new(long));
        let begin = |nth: usize| {
            let (done, left, like) = (done.clone(), left.clone(), like.clone());
            let named = thread::Builder::new().name(format!("precompile {nth}"));
            named.spawn(move || compile_all(&like, &left, &done)).ok()
        };
        let threads: Vec<_> = (0..count).filter_map(begin).collect();
        (!threads.is_empty()).then_some(Precompiler { done, threads })
    }

    pub fn done(&self) -> Arc<Done> {
        self.done.clone()
    }

    /// Whether all threads have ended.
    pub fn is_over(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }
}

impl Drop for Precompiler {
    fn drop(&mut self) {
        self.done.tell();
        for thread in self.threads.drain(..) {
            // What went wrong in it only made it no help.
            let _ = thread.join();
        }
    }
}

fn compile_all(like: &Like, left: &Mutex<Vec<First>>, done: &Done) {
    if done.within(SOON) {
        return;
    }
    let Some((device, queue)) = like.open() else { return };
    while !*done.told() {
        let last = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if last.and_then(|first| dispatch(&device, &queue, &first)).is_none() {
            return;
        }
    }
}

/// Dispatches one workgroup of a kernel on zeros and waits for it.
fn dispatch(device: &wgpu::Device, queue: &wgpu::Queue, first: &First) -> Option<()> {
    // With run-time checks, which the driver has of its own, too: small buffers do for any kernel.
    let plan = kernel::plan(device, first.source, &first.constants, false).ok()?;
    let pipeline = plan.build(device).ok()?;
    let texture = texture::Raw::new(device, 1);
    let buffers: Vec<_> = first
        .bytes
        .iter()
        .map(|&bytes| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes.min(MOST_BYTES),
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM,
                mapped_at_creation: false,
            })
        })
        .collect();
    let entries: Vec<_> = (0..)
        .zip(buffers.iter().zip(&plan.bindings))
        .map(|(binding, (buffer, &is_texture))| {
            let of_texture = || wgpu::BindingResource::TextureView(texture.view());
            let resource = if is_texture { of_texture() } else { buffer.as_entire_binding() };
            wgpu::BindGroupEntry { binding, resource }
        })
        .collect();
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &plan.layout,
        entries: &entries,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    kernel::dispatch(&mut pass, &pipeline, &bind_group, &first.immediates, [1, 1, 1]);
    drop(pass);
    queue.submit([encoder.finish()]);
    device.poll(wgpu::PollType::wait_indefinitely()).ok().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "@group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        override FACTOR: f32;
        @compute @workgroup_size(1) fn main(@builtin(workgroup_id) g: vec3u) { y[g.x] = FACTOR * x[g.x]; }";
    static DOUBLE: Source = Source::new("double", &[TEXT]);

    fn like() -> Like {
        let device = std::env::var("LEGATO_TEST_DEVICE").unwrap_or_else(|_| "auto".into());
        Like { device, features: wgpu::Features::empty() }
    }

    fn first(constants: &[(&'static str, u32)]) -> First {
        First { source: &DOUBLE, constants: constants.to_vec(), bytes: vec![64, 8 << 20], immediates: vec![] }
    }

    #[test]
    fn a_kernel_is_dispatched_by_another_device_and_what_is_wrong_with_it_is_let_pass() {
        let (device, queue) = like().open().expect("a device");
        assert!(dispatch(&device, &queue, &first(&[("FACTOR", 2)])).is_some());
        assert!(dispatch(&device, &queue, &first(&[])).is_none(), "a constant has no value");
        assert!(dispatch(&device, &queue, &first(&[("FACTOR", 3)])).is_some(), "the device works on");
    }

    #[test]
    fn threads_take_kernels_from_the_end_until_all_is_done() {
        let left = || Mutex::new(vec![first(&[("FACTOR", 1)]), first(&[]), first(&[("FACTOR", 2)])]);
        // The first of them is never reached, behind one that does not compile.
        let (some, done) = (left(), Done::default());
        compile_all(&like(), &some, &done);
        assert_eq!(some.lock().unwrap().len(), 1);
        // What is done before it has begun needs no help.
        let all = left();
        done.tell();
        compile_all(&like(), &all, &done);
        assert_eq!(all.lock().unwrap().len(), 3);
    }

    /// The same kernel with so long a comment that it counts as long.
    static LONG_DOUBLE: Source = Source::new("double", &[TEXT, LONG_COMMENT]);
    const LONG_COMMENT: &str = match std::str::from_utf8(&[b'/'; LONG]) {
        Ok(text) => text,
        Err(_) => "",
    };

    fn long(factor: u32) -> First {
        First { source: &LONG_DOUBLE, ..first(&[("FACTOR", factor)]) }
    }

    #[test]
    fn few_or_short_kernels_are_left_to_the_queue() {
        let short = (0..8).map(|n| first(&[("FACTOR", n)])).collect();
        assert!(Precompiler::start(&like(), short).is_none());
        assert!(Precompiler::start(&like(), vec![long(1)]).is_none());
    }

    #[test]
    fn threads_end_by_themselves_or_when_they_are_dropped() {
        if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
            let two = || vec![long(1), long(2)];
            let precompiler =
                Precompiler::start(&like(), two()).expect("two long kernels are a thread's worth");
            while !precompiler.is_over() {
                thread::sleep(SOON / 20);
            }
            let stopped = Precompiler::start(&like(), two()).expect("and again");
            assert!(!stopped.is_over(), "it waits first");
            drop(stopped);
        }
    }
}
