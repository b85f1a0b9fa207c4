//! The device: what a training step costs it, and what it says when it cannot do what is asked.

mod common;

use legato::engine::gpu::profile::{Pass, StepKind};
use legato::engine::gpu::{Profile, Profiling, Source, list_adapters};
use legato::engine::nn::{Adam, Layer, Mode, Model, Network};
use legato::engine::{Gpu, GpuOptions};
use legato::{Error, Result};

/// A small network with every kind of layer.
fn network() -> Network {
    Network {
        name: "every layer".into(),
        input: [12, 12, 1],
        layers: vec![
            Layer::Stretch { gain: 3.0, scale: 0.5 },
            Layer::GaussianNoise { sigma: 0.01 },
            Layer::Conv2d { kernel: 4, filters: 5, relu: true },
            Layer::Conv2d { kernel: 3, filters: 8, relu: false },
            Layer::MaxPool,
            Layer::Dropout { probability: 0.15 },
            Layer::Flatten,
            Layer::Dense { units: 7, relu: true },
            Layer::Dense { units: 1, relu: false },
        ],
    }
}

/// Trains `steps` steps on fresh batches, and submits each.
fn train(gpu: &Gpu, model: &Model, adam: &mut Adam, steps: u64) -> Result<()> {
    for _ in 0..steps {
        let step = adam.steps();
        let stamps = gpu.upload(&[3, 12, 12, 1], &common::symmetric(3 * 144, step as u32, 1.0))?;
        let targets = gpu.upload(&[3, 1], &common::symmetric(3, 1000 + step as u32, 1.0))?;
        adam.step(gpu, model, (&stamps, &targets), Mode::Training { seed: 1, step }, 0.001)?;
        gpu.submit()?;
    }
    Ok(())
}

#[test]
fn a_step_after_the_second_allocates_nothing_and_is_one_submission() -> Result<()> {
    let gpu = common::gpu();
    let model = Model::random(&gpu, &network(), 1)?;
    let mut adam = Adam::new(&gpu, &model)?;
    train(&gpu, &model, &mut adam, 2)?;
    let before = (gpu.allocations(), gpu.allocated_bytes(), gpu.submissions());
    train(&gpu, &model, &mut adam, 8)?;
    assert_eq!((gpu.allocations(), gpu.allocated_bytes()), (before.0, before.1));
    assert_eq!(gpu.submissions() - before.2, 8);
    Ok(())
}

#[test]
fn a_step_itself_submits_nothing() -> Result<()> {
    let gpu = common::gpu();
    let model = Model::random(&gpu, &network(), 1)?;
    let mut adam = Adam::new(&gpu, &model)?;
    train(&gpu, &model, &mut adam, 1)?;
    let stamps = gpu.upload(&[3, 12, 12, 1], &common::symmetric(3 * 144, 0, 1.0))?;
    let targets = gpu.upload(&[3, 1], &common::symmetric(3, 1000, 1.0))?;
    let before = gpu.submissions();
    for _ in 0..3 {
        adam.step(&gpu, &model, (&stamps, &targets), Mode::Inference, 0.001)?;
    }
    assert_eq!(gpu.submissions(), before);
    Ok(())
}

#[test]
fn memory_of_dropped_tensors_serves_new_ones_of_nearly_their_size() -> Result<()> {
    let gpu = common::gpu();
    drop(gpu.upload(&[1000], &[1.0; 1000])?);
    let before = gpu.allocations();
    let numbers = common::symmetric(990, 0, 1.0);
    let tensor = gpu.upload(&[90, 11], &numbers)?;
    assert_eq!(gpu.allocations(), before);
    assert_eq!(gpu.read(&tensor)?, numbers);
    Ok(())
}

#[test]
fn a_tensor_beyond_the_devices_limit_is_out_of_memory_and_the_device_works_on() -> Result<()> {
    let gpu = common::gpu();
    let limit = gpu.limits().max_storage_buffer_binding_size as usize / 4;
    for shape in [vec![limit + 1], vec![1 << 20, 1 << 20], vec![usize::MAX, 2], vec![1 << 32, 1 << 32]] {
        match gpu.tensor(&shape) {
            Err(error @ Error::OutOfMemory { .. }) => {
                let message = error.to_string();
                assert!(message.contains("out of device memory: a tensor of"), "{message}");
                assert!(message.contains("try a smaller --batch"), "{message}");
            }
            other => panic!("{shape:?}: {other:?}"),
        }
    }
    assert_eq!(gpu.read(&gpu.upload(&[2], &[1.0, 2.0])?)?, [1.0, 2.0]);
    Ok(())
}

#[test]
fn values_that_do_not_fill_a_shape_are_an_error_with_both() {
    let message = common::gpu().upload(&[2, 3], &[0.0; 5]).expect_err("5 are not 6").to_string();
    assert_eq!(message, "upload: 5 values do not fill a tensor of shape [2, 3]");
}

#[test]
fn an_unknown_device_is_an_error_that_lists_those_there_are() {
    let adapters = list_adapters();
    for wanted in ["no such adapter", "99"] {
        let options = GpuOptions { device: wanted.into(), ..GpuOptions::default() };
        let Err(error) = Gpu::open(&options) else { panic!("'{wanted}' was opened") };
        assert!(matches!(error, Error::NoAdapter { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(&format!("'{wanted}'")), "{message}");
        for adapter in &adapters {
            let listed = format!("{}: {}", adapter.index, adapter.name);
            assert!(message.contains(&listed), "{message} lacks {listed}");
        }
    }
}

#[test]
fn an_adapter_can_be_named_in_part_and_in_any_case() -> Result<()> {
    let chosen = list_adapters().into_iter().find(|a| a.automatic).expect("the tests need a device");
    let part: String = chosen.name.to_uppercase().chars().take(6).collect();
    let gpu = Gpu::open(&GpuOptions { device: part.clone(), ..GpuOptions::default() })?;
    let found = gpu.description().to_uppercase();
    assert!(found.contains(&part), "{found}");
    Ok(())
}

static DOUBLE: Source = Source::new(
    "double",
    &["@group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main(@builtin(workgroup_id) g: vec3u) { y[g.x] = 2.0 * x[g.x]; }"],
);
static UNPARSABLE: Source = Source::new("unparsable", &["@compute fn main( { let x = ; }"]);
static ILL_TYPED: Source = Source::new(
    "ill_typed",
    &["@group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main() { y[0] = vec2f(1.0); }"],
);
static WITHOUT_ENTRY: Source = Source::new(
    "without_entry",
    &["@group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn other() { y[0] = 1.0; }"],
);

#[test]
fn a_kernel_that_does_not_compile_is_an_error_that_names_it_and_the_device_works_on() -> Result<()> {
    for unchecked in [false, true] {
        let gpu = common::open(unchecked);
        let y = gpu.upload(&[3], &[0.0; 3])?;
        for source in [&UNPARSABLE, &ILL_TYPED, &WITHOUT_ENTRY] {
            match gpu.launch(source, &[], &[&y], &[], [1, 1, 1]) {
                Err(Error::Kernel { kernel, message }) => {
                    assert_eq!(kernel, source.name);
                    assert!(message.len() > 20, "{kernel}: {message}");
                }
                other => panic!("{}: {other:?}", source.name),
            }
        }
        let x = gpu.upload(&[3], &[1.0, -2.0, 3.0])?;
        gpu.launch(&DOUBLE, &[], &[&x, &y], &[], [3, 1, 1])?;
        assert_eq!(gpu.read(&y)?, [2.0, -4.0, 6.0]);
    }
    Ok(())
}

static WITHOUT_VALUE: Source = Source::new(
    "without_value",
    &["override COUNT: u32;
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main() { y[0] = f32(COUNT); }"],
);

#[test]
fn a_kernel_that_the_driver_does_not_take_is_an_error_of_the_submission() -> Result<()> {
    let gpu = common::gpu();
    let y = gpu.upload(&[1], &[0.0])?;
    // Pipelines are built by other threads, so that the launch itself cannot tell.
    for _ in ["the first time", "and again"] {
        gpu.launch(&WITHOUT_VALUE, &[], &[&y], &[], [1, 1, 1])?;
        match gpu.wait() {
            Err(Error::Kernel { kernel, message }) => {
                assert_eq!(kernel, "without_value");
                assert!(message.contains("COUNT"), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
    let x = gpu.upload(&[1], &[4.0])?;
    gpu.launch(&DOUBLE, &[], &[&x, &y], &[], [1, 1, 1])?;
    assert_eq!(gpu.read(&y)?, [8.0]);
    Ok(())
}

#[test]
fn a_launch_that_a_kernel_does_not_declare_is_refused() -> Result<()> {
    let gpu = common::gpu();
    let x = gpu.upload(&[1], &[1.0])?;
    let most = gpu.limits().max_compute_workgroups_per_dimension;
    let refused = |result: Result<()>, part: &str| match result {
        Err(Error::Shape { operation, message }) => {
            assert!(operation == "double" && message.contains(part), "{operation}: {message}");
        }
        other => panic!("{other:?} instead of '{part}'"),
    };
    refused(gpu.launch(&DOUBLE, &[], &[&x], &[], [1, 1, 1]), "launched with 1 tensors");
    refused(gpu.launch(&DOUBLE, &[], &[&x, &x], &[7], [1, 1, 1]), "4 bytes of immediates");
    refused(gpu.launch(&DOUBLE, &[], &[&x, &x], &[], [most + 1, 1, 1]), "use smaller batches");
    Ok(())
}

/// The profile of some training steps and one of inference.
fn profile(profiling: Profiling, steps: u64) -> Result<Option<Profile>> {
    let device = std::env::var("LEGATO_TEST_DEVICE").unwrap_or_else(|_| "auto".into());
    let gpu = Gpu::open(&GpuOptions { device, profiling, ..GpuOptions::default() })?;
    let model = Model::random(&gpu, &network(), 1)?;
    let mut adam = Adam::new(&gpu, &model)?;
    train(&gpu, &model, &mut adam, steps)?;
    let stamps = gpu.upload(&[3, 12, 12, 1], &common::symmetric(3 * 144, 0, 1.0))?;
    gpu.read(&model.infer(&gpu, &stamps)?)?;
    gpu.profile()
}

#[test]
fn without_timestamps_steps_are_timed_and_kernels_counted() -> Result<()> {
    let Some(profile) = profile(Profiling::Steps, 4)? else { panic!("a profile was asked for") };
    assert!(!profile.timed && profile.kernels.iter().all(|k| k.seconds == 0.0 && k.share == 0.0));
    let counts: Vec<_> = profile.step_costs.iter().map(|cost| (cost.kind, cost.count)).collect();
    assert_eq!(counts, [(StepKind::Training, 4), (StepKind::Inference, 1)]);
    assert!(profile.steps.iter().all(|step| step.wall > 0 && step.kernels == 0));
    assert!(profile.step_costs.iter().all(|cost| cost.median_seconds > 0.0));
    // Multiply-adds of the layers with weights, for 3 stamps: at 12×12 pixels, and of 8 channels of 6×6.
    let forward = [144 * 16 * 5, 144 * 9 * 5 * 8, 288 * 7, 7].map(|macs| 2 * 3 * macs);
    let stated = |pass, layer| {
        let of = profile.kernels.iter().filter(|k| (k.place.pass, k.place.layer) == (pass, layer));
        of.map(|k| k.flops).sum::<u64>()
    };
    for (layer, flops) in [3, 4, 8, 9].into_iter().zip(forward) {
        assert_eq!(stated(Pass::Forward, layer), 4 * flops, "forward, layer {layer}");
        assert_eq!(stated(Pass::Inference, layer), flops, "inference, layer {layer}");
        // The first convolution's input needs no gradient.
        let products = if layer == 3 { 1 } else { 2 };
        assert_eq!(stated(Pass::Backward, layer), products * 4 * flops, "back, layer {layer}");
    }
    Ok(())
}

#[test]
fn a_device_that_was_not_asked_keeps_no_profile() -> Result<()> {
    assert!(profile(Profiling::Off, 1)?.is_none());
    Ok(())
}
