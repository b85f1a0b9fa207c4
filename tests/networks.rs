//! A whole network, with every kind of layer and its dropout and noise on, against the operations'
//! f64 references put together: the way forward, and the way back by finite differences.

mod common;

use common::{close, f64s};
use legato::Result;
use legato::engine::Tape;
use legato::engine::nn::{Layer, Mode, Model, Network};
use legato::engine::ops::draw::Draw;
use legato::engine::ops::{conv2d, dense, dropout, loss::Loss, max_pool, noise, relu, stretch};

const SEED: u64 = 42;
const STEP: u64 = 7;
const BATCH: usize = 3;

fn network() -> Network {
    Network {
        name: "every layer".into(),
        input: [9, 10, 2],
        layers: vec![
            Layer::Stretch { gain: 3.0, scale: 0.7 },
            Layer::GaussianNoise { sigma: 0.1 },
            Layer::Conv2d { kernel: 4, filters: 5, relu: true },
            Layer::Conv2d { kernel: 2, filters: 3, relu: false },
            Layer::MaxPool,
            Layer::Dropout { probability: 0.3 },
            Layer::GaussianNoise { sigma: 0.05 },
            Layer::Conv2d { kernel: 3, filters: 4, relu: true },
            Layer::MaxPool,
            Layer::Flatten,
            Layer::Dense { units: 6, relu: true },
            Layer::Dropout { probability: 0.2 },
            Layer::Dense { units: 5, relu: false },
            Layer::Dense { units: 2, relu: false },
        ],
    }
}

/// The outputs in f64, by way of the references.
fn reference(network: &Network, parameters: &[Vec<f64>], stamps: &[f64]) -> Vec<f64> {
    let [mut height, mut width, mut channels] = network.input;
    let (mut x, mut weights) = (stamps.to_vec(), parameters.chunks_exact(2));
    for (index, layer) in network.layers.iter().enumerate() {
        let draw = Draw { seed: SEED, layer: index as u32, step: STEP };
        let mut next = || weights.next().expect("two arrays for each layer with weights");
        x = match *layer {
            Layer::Stretch { gain, scale } => stretch::stretch_reference(&x, gain.into(), scale.into()),
            Layer::GaussianNoise { sigma } => noise::noise_reference(&x, sigma.into(), draw),
            Layer::Dropout { probability } => dropout::dropout_reference(&x, probability, draw),
            Layer::Flatten => x,
            Layer::MaxPool => {
                let (pooled, _) = max_pool::max_pool_reference(&x, [BATCH, height, width, channels]);
                (height, width) = (height / 2, width / 2);
                pooled
            }
            Layer::Conv2d { kernel, filters, relu } => {
                let geometry = conv2d::Geometry {
                    batch: BATCH,
                    height,
                    width,
                    in_channels: channels,
                    out_channels: filters,
                    kernel_height: kernel,
                    kernel_width: kernel,
                };
                channels = filters;
                let [w, b] = next() else { unreachable!("chunks of two") };
                let y = conv2d::conv2d_reference(&geometry, &x, w, b);
                if relu { relu::relu_reference(&y) } else { y }
            }
            Layer::Dense { units, relu } => {
                let [w, b] = next() else { unreachable!("chunks of two") };
                let mut y = dense::product_reference(&x, w, [BATCH, x.len() / BATCH, units]);
                y.iter_mut().enumerate().for_each(|(i, y)| *y += b[i % units]);
                if relu { relu::relu_reference(&y) } else { y }
            }
        };
    }
    x
}

#[test]
fn a_network_in_training_agrees_with_its_references_forward_and_back() -> Result<()> {
    /// Narrow enough that no rectifier, maximum or absolute value switches within it.
    const DIFFERENCE: f64 = 1e-7;
    let network = network();
    let shapes = network.parameters()?;
    let values: Vec<Vec<f32>> = shapes
        .iter()
        .enumerate()
        .map(|(number, parameter)| {
            let limit = if parameter.fan_in > 0 { (6.0 / parameter.fan_in as f64).sqrt() } else { 0.3 };
            common::symmetric(parameter.shape.iter().product(), number as u32, limit)
        })
        .collect();
    let stamps = common::symmetric(BATCH * 9 * 10 * 2, 1000, 1.0);
    let targets = common::symmetric(BATCH * 2, 1001, 1.0);
    let mut wide: Vec<Vec<f64>> = values.iter().map(|v| f64s(v)).collect();
    let (wide_stamps, wide_targets) = (f64s(&stamps), f64s(&targets));
    let outputs = reference(&network, &wide, &wide_stamps);
    let loss = |parameters: &[Vec<f64>]| {
        Loss::Absolute.reference(&reference(&network, parameters, &wide_stamps), &wide_targets)
    };
    let mut differences = Vec::new();
    for which in 0..wide.len() {
        let gradient: Vec<f64> = (0..wide[which].len())
            .map(|at| {
                let value = wide[which][at];
                let mut moved = |by: f64| {
                    wide[which][at] = value + by;
                    loss(&wide)
                };
                let slope = (moved(DIFFERENCE) - moved(-DIFFERENCE)) / (2.0 * DIFFERENCE);
                wide[which][at] = value;
                slope
            })
            .collect();
        assert!(gradient.iter().any(|g| *g != 0.0), "{} changes nothing", shapes[which].name);
        differences.push(gradient);
    }

    for unchecked in [false, true] {
        let gpu = common::open(unchecked);
        let model = Model::with_values(&gpu, &network, values.clone())?;
        let tape = Tape::new(&gpu);
        let parameters = model.on_tape(&tape, true);
        let input = tape.constant(&gpu.upload(&[BATCH, 9, 10, 2], &stamps)?);
        let mode = Mode::Training { seed: SEED, step: STEP };
        let output = model.forward(&tape, &parameters, &input, mode)?;
        close("outputs", 1e-5, &gpu.read(output.value())?, &outputs);
        let loss = Loss::Absolute.of(&tape, &output, &gpu.upload(&[BATCH, 2], &targets)?)?;
        let gradients = tape.backward(&loss)?;
        for ((variable, shape), want) in parameters.iter().zip(&shapes).zip(&differences) {
            let gradient = gradients.of(variable).expect("the loss depends on every parameter");
            close(&shape.name, 1e-3, &gpu.read(gradient)?, want);
        }
    }
    Ok(())
}
