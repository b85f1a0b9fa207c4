//! The memory that a training step is foretold to take, beside what it takes.

mod common;

use legato::Result;
use legato::engine::Gpu;
use legato::engine::nn::{Adam, Budget, Mode, Model, Network};
use legato::engine::ops::augment::{Placement, augment};
use legato::legato::{Architecture, Stretching};

/// As a training run does it: two steps.
fn train(gpu: &Gpu, network: &Network, batch: usize) -> Result<()> {
    let [height, width, _] = network.input;
    let model = Model::random(gpu, network, 1)?;
    let mut adam = Adam::new(gpu, &model)?;
    for step in 0..2 {
        let stamps = gpu.upload(&[batch, height, width, 1], &vec![0.01; batch * height * width])?;
        let inputs = augment(gpu, &stamps, &vec![Placement::default(); batch])?;
        drop(stamps);
        let outputs = network.output()?[0];
        let targets = gpu.upload(&[batch, outputs], &vec![0.5; batch * outputs])?;
        let mode = Mode::Training { seed: 1, step };
        gpu.read(&adam.step(gpu, &model, (&inputs, &targets), mode, 0.001)?)?;
    }
    Ok(())
}

#[test]
fn both_architectures_take_what_was_foretold() {
    for architecture in [Architecture::One, Architecture::Two] {
        let network = architecture.network(128, Stretching::Asinh { sigma: 0.0032 });
        let gpu = common::gpu();
        let budget = Budget::training(&gpu, &network, 5).expect("a sound network");
        budget.check(&gpu).expect("room for five stamps");
        train(&gpu, &network, 5).expect("room for five stamps");
        let (foretold, taken) = (budget.total() as f64, gpu.allocated_bytes() as f64);
        println!("architecture {architecture}: {budget}; {taken} bytes were taken of {foretold}");
        assert!((foretold / taken - 1.0).abs() < 0.01, "{architecture}: {foretold} for {taken}");
    }
}
