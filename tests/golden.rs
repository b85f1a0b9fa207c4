//! The engine computes what PyTorch computes in f64: single convolutions, and both architectures
//! with their gradients and ten steps of Adam. `tests/golden/README.md` says how the numbers were made.

mod common;

use common::{close, f64s, symmetric};
use legato::Result;
use legato::engine::nn::{Adam, Mode, Model, Network};
use legato::engine::ops::{arithmetic, conv2d, loss::Loss, reduce};
use legato::engine::{Gpu, Tape, Tensor};
use legato::legato::{Architecture, Stretching};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

/// Of sky noise, e/s: the same number as in `make.py`.
const SIGMA: f32 = 0.0032;
const FULL_SIZE: usize = 128;

/// A golden file's tensors, widened to f64.
fn golden(name: &str) -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let path = format!("{}/tests/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("a golden file");
    let file = SafeTensors::deserialize(&bytes).expect("a whole golden file");
    let numbers = |dtype, data: &[u8]| match dtype {
        Dtype::F32 => f64s(&data.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect::<Vec<f32>>()),
        Dtype::F64 => data.chunks_exact(8).map(bytemuck::pod_read_unaligned).collect(),
        other => panic!("a golden tensor of {other:?}"),
    };
    let tensors = file.tensors().into_iter();
    tensors.map(|(name, t)| (name, (t.shape().to_vec(), numbers(t.dtype(), t.data())))).collect()
}

fn on_both_kinds_of_modules(test: impl Fn(&Gpu) -> Result<()>) {
    for (unchecked, modules) in [(false, "checked"), (true, "unchecked")] {
        test(&common::open(unchecked)).unwrap_or_else(|e| panic!("{modules} modules: {e}"));
    }
}

/// A network with the golden weights.
fn model(gpu: &Gpu, network: &Network) -> Result<Model> {
    let weights = network.parameters()?.into_iter().enumerate().map(|(number, parameter)| {
        let limit = if parameter.fan_in > 0 { (6.0 / parameter.fan_in as f64).sqrt() } else { 0.1 };
        symmetric(parameter.shape.iter().product(), number as u32, limit)
    });
    Model::with_values(gpu, network, weights.collect())
}

/// Golden stamps and targets.
fn batch(gpu: &Gpu, count: usize, size: usize) -> Result<(Tensor, Tensor)> {
    let stamps = gpu.upload(&[count, size, size, 1], &symmetric(count * size * size, 1000, 0.05))?;
    Ok((stamps, gpu.upload(&[count, 1], &symmetric(count, 1001, 1.0))?))
}

fn network(architecture: Architecture, size: usize) -> Network {
    architecture.network(size, Stretching::Asinh { sigma: SIGMA })
}

/// Each architecture, its golden file, and the size of the stamps that the file's gradients are for.
const REDUCED: [(Architecture, &str, usize); 2] =
    [(Architecture::One, "architecture_1", 32), (Architecture::Two, "architecture_2", 16)];

#[test]
fn convolutions_and_their_gradients_are_those_of_pytorch() {
    let tensors = golden("layers");
    let cases: Vec<&str> = tensors.keys().filter_map(|name| name.strip_suffix(".dy")).collect();
    assert_eq!(cases.len(), 10);
    on_both_kinds_of_modules(|gpu| {
        let tape_tensor = |case: &str, name: &str| {
            let (shape, values) = &tensors[&format!("{case}.{name}")];
            gpu.upload(shape, &values.iter().map(|&v| v as f32).collect::<Vec<_>>())
        };
        for case in &cases {
            let tape = Tape::new(gpu);
            let [x, w, b] = ["x", "w", "b"].map(|name| tape_tensor(case, name).map(|t| tape.parameter(&t)));
            let (x, w, b) = (x?, w?, b?);
            let y = conv2d::conv2d(&tape, &x, &w, &b)?;
            assert_eq!(y.shape(), tensors[&format!("{case}.y")].0);
            // Σ y·dy has dy as its gradient with respect to y.
            let weighted = arithmetic::multiply(&tape, &y, &tape.constant(&tape_tensor(case, "dy")?))?;
            let total = reduce::sum(&tape, &weighted)?;
            let y = y.value().clone();
            let gradients = tape.backward(&total)?;
            let found = |v| gradients.of(v).expect("the sum depends on every input").clone();
            for (name, tensor) in [("y", y), ("dx", found(&x)), ("dw", found(&w)), ("db", found(&b))] {
                let what = format!("{case}.{name}");
                close(&what, 1e-5, &gpu.read(&tensor)?, &tensors[&what].1);
            }
        }
        Ok(())
    });
}

#[test]
fn outputs_and_gradients_of_both_architectures_are_those_of_pytorch() {
    on_both_kinds_of_modules(|gpu| {
        for (architecture, file, size) in REDUCED {
            let tensors = golden(file);
            let model = model(gpu, &network(architecture, size))?;
            let (stamps, targets) = batch(gpu, 3, size)?;
            let tape = Tape::new(gpu);
            let parameters = model.on_tape(&tape, true);
            let output = model.forward(&tape, &parameters, &tape.constant(&stamps), Mode::Inference)?;
            close(&format!("{file}: output"), 1e-5, &gpu.read(output.value())?, &tensors["output"].1);
            let loss = Loss::Absolute.of(&tape, &output, &targets)?;
            close(&format!("{file}: loss"), 1e-5, &gpu.read(loss.value())?, &tensors["loss"].1);
            let gradients = tape.backward(&loss)?;
            for (variable, (parameter, _)) in parameters.iter().zip(model.parameters()) {
                let name = format!("gradient.{}", parameter.name);
                let gradient = gradients.of(variable).expect("the loss depends on every parameter");
                let (shape, values) = &tensors[&name];
                assert_eq!(gradient.shape(), shape, "{name}");
                close(&format!("{file}: {name}"), 1e-4, &gpu.read(gradient)?, values);
            }
        }
        Ok(())
    });
}

#[test]
fn ten_steps_of_adam_go_as_with_pytorch() {
    on_both_kinds_of_modules(|gpu| {
        for (architecture, file, size) in REDUCED {
            let losses = &golden(file)["losses"].1;
            assert_eq!(losses.len(), 10);
            let model = model(gpu, &network(architecture, size))?;
            let (stamps, targets) = batch(gpu, 3, size)?;
            let mut adam = Adam::new(gpu, &model)?;
            for (step, want) in losses.iter().enumerate() {
                let loss = adam.step(gpu, &model, (&stamps, &targets), Mode::Inference, 0.001)?;
                let got = f64::from(gpu.read(&loss)?[0]);
                println!("{file}: loss {step} is off by {:.1e}", (got / want - 1.0).abs());
                assert!((got - want).abs() <= 1e-4 * want, "{file}: loss {step} is {got} instead of {want}");
            }
        }
        Ok(())
    });
}

#[test]
fn the_full_networks_give_the_outputs_of_pytorch() {
    on_both_kinds_of_modules(|gpu| {
        for (architecture, file, _) in REDUCED {
            let model = model(gpu, &network(architecture, FULL_SIZE))?;
            let (stamps, _) = batch(gpu, 2, FULL_SIZE)?;
            let output = gpu.read(&model.infer(gpu, &stamps)?)?;
            close(&format!("{file}: full output"), 1e-5, &output, &golden(file)["full.output"].1);
        }
        Ok(())
    });
}
