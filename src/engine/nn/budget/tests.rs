use super::*;
use crate::engine::GpuOptions;
use crate::engine::nn::{Adam, Layer, Mode, Model};
use crate::engine::ops::augment::{Placement, augment};
use crate::engine::ops::check;

fn gpu() -> Gpu {
    check::open(GpuOptions::default())
}

/// With weights in uniform buffers where a processor has words, and without.
fn gpus() -> impl Iterator<Item = Gpu> {
    [true, false]
        .into_iter()
        .map(|uniforms| check::open(GpuOptions { uniforms: Some(uniforms), ..GpuOptions::default() }))
}

/// One after the other: layers in an order that lets go of much, and in one that keeps it.
fn networks() -> [Network; 2] {
    let mixed = vec![
        Layer::Conv2d { kernel: 3, filters: 6, relu: false },
        Layer::Dropout { probability: 0.2 },
        Layer::MaxPool,
        Layer::Conv2d { kernel: 5, filters: 3, relu: true },
        Layer::Flatten,
        Layer::Dense { units: 9, relu: false },
        Layer::Dense { units: 1, relu: false },
    ];
    let deep = vec![
        Layer::Stretch { gain: 100.0, scale: 0.3 },
        Layer::GaussianNoise { sigma: 0.01 },
        Layer::Conv2d { kernel: 4, filters: 16, relu: true },
        Layer::Conv2d { kernel: 4, filters: 16, relu: true },
        Layer::MaxPool,
        Layer::Dropout { probability: 0.15 },
        Layer::GaussianNoise { sigma: 0.01 },
        Layer::Conv2d { kernel: 2, filters: 40, relu: true },
        Layer::Flatten,
        Layer::Dense { units: 128, relu: true },
        Layer::Dense { units: 1, relu: false },
    ];
    let network = |name: &str, input, layers| Network { name: name.into(), input, layers };
    [network("mixed", [45, 39, 1], mixed), network("deep", [36, 50, 1], deep)]
}

/// As a training run does it: two steps.
fn train(gpu: &Gpu, network: &Network, batch: usize) -> Result<()> {
    let [height, width, _] = network.input;
    let model = Model::random(gpu, network, 1)?;
    let mut adam = Adam::new(gpu, &model)?;
    for step in 0..2 {
        let stamps = gpu.upload(&[batch, height, width, 1], &vec![0.01; batch * height * width])?;
        let inputs = augment(gpu, &stamps, &vec![Placement::default(); batch])?;
        drop(stamps);
        let targets = gpu.upload(&[batch, 1], &vec![0.5; batch])?;
        let mode = Mode::Training { seed: 1, step };
        gpu.read(&adam.step(gpu, &model, (&inputs, &targets), mode, 0.001)?)?;
    }
    Ok(())
}

#[test]
fn a_training_step_takes_what_was_foretold() {
    for network in networks() {
        for (batch, gpu) in [1, 5].into_iter().flat_map(|batch| gpus().map(move |gpu| (batch, gpu))) {
            let budget = Budget::training(&gpu, &network, batch).expect("a sound network");
            train(&gpu, &network, batch).expect("room");
            let (foretold, taken) = (budget.total() as f64, gpu.allocated_bytes() as f64);
            println!("{} ×{batch}: {budget}; {taken} bytes were taken of {foretold}", network.name);
            assert!((foretold / taken - 1.0).abs() < 0.02, "{}: {foretold} for {taken}", network.name);
        }
    }
}

#[test]
fn an_inference_takes_what_was_foretold() {
    for (network, gpu) in
        networks().into_iter().flat_map(|network| gpus().map(move |gpu| (network.clone(), gpu)))
    {
        let budget = Budget::inference(&gpu, &network, 3).expect("a sound network");
        let model = Model::random(&gpu, &network, 1).expect("room");
        let [height, width, _] = network.input;
        let stamps = gpu.upload(&[3, height, width, 1], &vec![0.01; 3 * height * width]).expect("room");
        gpu.read(&model.infer(&gpu, &stamps).expect("room")).expect("an answer");
        let (foretold, taken) = (budget.total() as f64, gpu.allocated_bytes() as f64);
        assert!((foretold / taken - 1.0).abs() < 0.02, "{}: {foretold} for {taken}", network.name);
        assert_eq!((budget.adam, budget.backward), (0, 0));
    }
}

#[test]
fn a_tensor_that_is_too_large_is_named_with_a_batch_that_fits() {
    let gpu = gpu();
    let network = &networks()[1];
    let budget = Budget::training(&gpu, network, 100).expect("a sound network");
    assert_eq!(budget.largest, 100 * 36 * 50 * 16 * 4);
    let refusal = |tensor, room| {
        budget.check_within(&gpu, tensor, room).err().map(|e| e.to_string()).unwrap_or_default()
    };
    assert_eq!(
        refusal(10 << 20, None),
        "out of device memory: the output of layer 3 (conv 4×4 ×16 + ReLU) for a batch of 100 takes 11.0 MiB; no \
         tensor may take more than 10.0 MiB here; a batch of 91 fits; try a smaller --batch, or another --device"
    );
    assert!(refusal(1 << 16, None).contains("not even one image fits"));
    assert_eq!(refusal(budget.largest, Some(budget.total())), "");
    let message = refusal(u64::MAX, Some(budget.total() / 2));
    assert!(message.contains("a step takes weights ") && message.contains(" in all; "), "{message}");
    let batch: usize =
        message.split("a batch of ").last().unwrap().split(' ').next().unwrap().parse().unwrap();
    let with = |batch| Budget::training(&gpu, network, batch).expect("a sound network").total();
    assert!(with(batch) <= budget.total() / 2 && with(batch + 1) > budget.total() / 2, "{message}");
}

#[test]
fn one_image_fits_this_device_and_no_device_fits_the_largest_batch() {
    let gpu = gpu();
    for network in networks() {
        Budget::training(&gpu, &network, 1).expect("a sound network").check(&gpu).expect("room for one");
        for batch in [1 << 31, usize::MAX] {
            let budget = Budget::training(&gpu, &network, batch).expect("a sound network");
            assert!(matches!(budget.check(&gpu), Err(Error::OutOfMemory { .. })));
        }
    }
}

#[test]
fn sizes_are_printed_as_people_read_them() {
    let sizes = [0, 1023, 5 << 19, 1023 << 20, 5 << 29].map(|n| Bytes(n).to_string());
    assert_eq!(sizes, ["0.0 KiB", "1.0 KiB", "2.5 MiB", "1.0 GiB", "2.5 GiB"]);
    assert!(free_memory().is_none_or(|n| n > 1 << 20));
}
