//! Kernels compiled before their turn, by several cores.
//!
//! A driver for the processor (llvmpipe) makes machine code of a kernel when it is first dispatched, in the one thread that
//! runs what was submitted: the first batch through a network would wait for one kernel after another. What was made goes into
//! Mesa's cache on disk, and another device of the same driver finds it there. So the kernels that a submission brings for the
//! first time are dispatched before, a workgroup of each: by the device that they are for, and by other threads, with a device for
//! each thread. All take the dearest kernel that is left, until none is.
//!
//! ```text
//! the device        ▒▒▒ 1 ▒▒▒▒▒▒▒▒▒▒▒ 3 ▒▒▒▒▒▒ 6 ▒▒  submission: 1 3 6 are compiled, 2 4 5 from the cache
//! another thread       ░░░ 2 ▒▒▒▒▒▒▒░░ 4 ▒▒▒▒▒░ 5 ▒  ░░░ translated once more  ▒▒▒ compiled
//! ```
//!
//! Other threads begin only where the device is not through soon, as with an empty cache: kernels from the cache take it no longer
//! than on their turn.

use super::adapter;
use super::kernel::{self, Kernel, Source};
use super::texture;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How long a network's kernels take that come from the cache.
const SOON: Duration = Duration::from_millis(100);
/// How long the driver translates a kernel that is worth it.
const LONG: Duration = Duration::from_millis(5);
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

/// The device of a kernel and its queue.
type Own<'a> = (&'a wgpu::Device, &'a wgpu::Queue);

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

/// Has kernels compiled that are about to be dispatched for the first time and whose pipelines are there, by their own device and as
/// many others as there are cores for. What goes wrong is told when they are dispatched.
pub(super) fn by_all_cores(like: &Like, own: Own, firsts: Vec<(Rc<Kernel>, First)>) {
    let timed = firsts.into_iter().map(|first| (first.0.took(), first)).collect();
    let (kernels, firsts): (Vec<_>, Vec<_>) = dearest_first(timed).into_iter().unzip();
    let others = thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
    let others = others.min(MOST_THREADS).min(firsts.len().saturating_sub(1));
    if others > 0 {
        share(like, own, &kernels, &Left::all(&firsts), others);
    }
}

/// Those that take long enough to be worth it.
fn dearest_first<T>(mut timed: Vec<(Duration, T)>) -> Vec<T> {
    timed.retain(|&(took, _)| took >= LONG);
    timed.sort_by_key(|&(took, _)| std::cmp::Reverse(took));
    timed.into_iter().map(|(_, one)| one).collect()
}

/// Compiles what is left with the device that the kernels are for and so many others, and waits for all of them.
fn share(like: &Like, own: Own, kernels: &[Rc<Kernel>], left: &Left, others: usize) {
    thread::scope(|scope| {
        let begin = |nth: usize| {
            let named = thread::Builder::new().name(format!("precompile {nth}"));
            named.spawn_scoped(scope, || help(like, left)).ok()
        };
        let helpers: Vec<_> = (0..others).filter_map(begin).collect();
        while let Some((i, first)) = left.take() {
            // Whoever waited for the pipelines has met the error.
            let Ok(pipeline) = kernels[i].pipeline() else { continue };
            dispatch(own, pipeline, (&kernels[i].layout, &kernels[i].bindings), first);
        }
        for helper in helpers {
            helper.thread().unpark();
            // What went wrong in it only made it no help.
            let _ = helper.join();
        }
    });
}

/// Kernels, and how many of them have been taken.
struct Left<'a>(&'a [First], AtomicUsize);

impl<'a> Left<'a> {
    fn all(firsts: &'a [First]) -> Self {
        Left(firsts, AtomicUsize::new(0))
    }

    fn is_empty(&self) -> bool {
        self.1.load(Ordering::Relaxed) >= self.0.len()
    }

    /// The next one, and which it is.
    fn take(&self) -> Option<(usize, &'a First)> {
        let next = self.1.fetch_add(1, Ordering::Relaxed);
        self.0.get(next).map(|first| (next, first))
    }
}

/// Compiles what is left, with a device of its own, unless all is done soon.
fn help(like: &Like, left: &Left) {
    thread::park_timeout(SOON);
    if left.is_empty() {
        return;
    }
    let Some((device, queue)) = like.open() else { return };
    while let Some((_, first)) = left.take() {
        compile((&device, &queue), first);
    }
}

/// Translates a kernel and has it compiled, if the driver takes it.
fn compile(own @ (device, _): Own, first: &First) -> Option<()> {
    // With run-time checks, which the driver has of its own, too: small buffers do for any kernel.
    let plan = kernel::plan(device, first.source, &first.constants, false).ok()?;
    let pipeline = plan.build(device).ok()?;
    dispatch(own, &pipeline, (&plan.layout, &plan.bindings), first)
}

/// Dispatches one workgroup of a kernel on zeros and waits for it.
fn dispatch(
    (device, queue): Own,
    pipeline: &wgpu::ComputePipeline,
    (layout, bindings): (&wgpu::BindGroupLayout, &[bool]),
    first: &First,
) -> Option<()> {
    let texture = bindings.contains(&true).then(|| texture::Raw::new(device, 1));
    let buffer = |&bytes: &u64| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.min(MOST_BYTES),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM,
            mapped_at_creation: false,
        })
    };
    let submitted = kernel::scoped(device, || {
        let buffers: Vec<_> = first.bytes.iter().map(buffer).collect();
        let entry = |(binding, (buffer, &is_texture))| {
            let resource = match &texture {
                Some(texture) if is_texture => wgpu::BindingResource::TextureView(texture.view()),
                _ => wgpu::Buffer::as_entire_binding(buffer),
            };
            wgpu::BindGroupEntry { binding, resource }
        };
        let entries: Vec<_> = (0..).zip(buffers.iter().zip(bindings)).map(entry).collect();
        let bind_group =
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        kernel::dispatch(&mut pass, pipeline, &bind_group, &first.immediates, [1, 1, 1]);
        drop(pass);
        queue.submit([encoder.finish()])
    });
    let submission_index = Some(submitted.ok()?);
    device.poll(wgpu::PollType::Wait { submission_index, timeout: None }).ok().map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Builders;
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
    fn a_kernel_is_compiled_by_another_device_and_what_is_wrong_with_it_is_let_pass() {
        let (device, queue) = like().open().expect("a device");
        assert!(compile((&device, &queue), &first(&[("FACTOR", 2)])).is_some());
        assert!(compile((&device, &queue), &first(&[])).is_none(), "a constant has no value");
        let unbound = First { bytes: vec![64], ..first(&[("FACTOR", 2)]) };
        assert!(compile((&device, &queue), &unbound).is_none(), "a buffer is missing");
        assert!(compile((&device, &queue), &first(&[("FACTOR", 3)])).is_some(), "the device works on");
    }

    #[test]
    fn the_dearest_are_compiled_first_and_cheap_ones_not_at_all() {
        let timed = [(8, 'b'), (0, 'x'), (90, 'a'), (5, 'c'), (4, 'y')];
        let timed = timed.map(|(milliseconds, name)| (Duration::from_millis(milliseconds), name)).to_vec();
        assert_eq!(dearest_first(timed), ['a', 'b', 'c']);
    }

    #[test]
    fn a_helper_goes_on_behind_a_kernel_that_does_not_compile() {
        let firsts = [first(&[("FACTOR", 1)]), first(&[]), first(&[("FACTOR", 2)])];
        let left = Left::all(&firsts);
        help(&like(), &left);
        assert!(left.is_empty());
    }

    #[test]
    fn kernels_are_shared_out_and_the_device_that_they_are_for_works_on() {
        let (device, queue) = like().open().expect("a device");
        let builders = Builders::new();
        let kernel = |factor| {
            let plan = kernel::plan(&device, &DOUBLE, &[("FACTOR", factor)], false).expect("a kernel");
            let kernel = Rc::new(builders.kernel(&device, plan, factor.into()));
            kernel.pipeline().expect("a pipeline");
            assert!(kernel.took() > Duration::ZERO);
            kernel
        };
        let kernels: Vec<_> = (1..6).map(kernel).collect();
        let firsts: Vec<_> = (1..6).map(|factor| first(&[("FACTOR", factor)])).collect();
        for others in [0, 1, 2] {
            let left = Left::all(&firsts);
            share(&like(), (&device, &queue), &kernels, &left, others);
            assert!(left.is_empty());
        }
        assert!(compile((&device, &queue), &firsts[0]).is_some());
    }
}
