//! The two networks in burn, timed on request by `burn_rate.py`: prints a line that says what runs, then answers each
//! line `ARCHITECTURE PASS BATCH STEPS` on standard input with how long the steps took, as legato's `examples/rate.rs`
//! does.

use burn::backend::wgpu::graphics::AutoGraphicsApi;
use burn::backend::wgpu::{WgpuDevice, init_setup};
use burn::backend::{Autodiff, Wgpu};
use burn::module::AutodiffModule;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::prelude::*;
use burn::tensor::Distribution;
use burn::tensor::activation::relu;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

type Training = Autodiff<Wgpu>;
/// Runs so many steps and waits for them.
type Steps = Box<dyn FnMut(usize)>;

const SIDE: usize = 128;
/// Steps before the first timed one of a configuration, in which kernels are tuned and compiled.
const WARM_UP: usize = 2;

/// One of the architectures; its blocks are two convolutions and a pool each.
#[derive(Module, Debug)]
struct Network<B: Backend> {
    architecture: usize,
    convolutions: Vec<Conv2d<B>>,
    pool: MaxPool2d,
    dropout: Dropout,
    dense: Vec<Linear<B>>,
}

impl<B: Backend> Network<B> {
    fn new(architecture: usize, device: &B::Device) -> Self {
        let blocks: &[(usize, usize)] = match architecture {
            1 => &[(4, 16), (4, 32), (3, 64), (2, 128)],
            _ => &[(4, 16), (3, 64), (2, 64)],
        };
        let (mut convolutions, mut channels) = (Vec::new(), 1);
        for &(kernel, filters) in blocks {
            for _ in 0..2 {
                let layer = Conv2dConfig::new([channels, filters], [kernel, kernel]);
                convolutions.push(layer.with_padding(PaddingConfig2d::Same).init(device));
                channels = filters;
            }
        }
        let side = SIDE >> blocks.len();
        let widths = [side * side * channels, 128, 64, 1];
        let dense = widths.windows(2).map(|w| LinearConfig::new(w[0], w[1]).init(device)).collect();
        let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        Network { architecture, convolutions, pool, dropout: DropoutConfig::new(0.15).init(), dense }
    }

    /// Normal noise while training.
    fn noise(x: Tensor<B, 4>) -> Tensor<B, 4> {
        if !B::ad_enabled(&x.device()) {
            return x;
        }
        let noise = x.random_like(Distribution::Normal(0.0, 0.01));
        x + noise
    }

    fn forward(&self, stamps: Tensor<B, 4>) -> Tensor<B, 2> {
        let mut x = (stamps / (3.0 * 0.0032)).asinh() / 3.0;
        if self.architecture == 1 {
            x = Self::noise(x);
        }
        for (i, convolution) in self.convolutions.iter().enumerate() {
            x = relu(convolution.forward(x));
            if i % 2 == 1 {
                x = self.pool.forward(x);
            }
            let (one, two) = (self.architecture == 1, self.architecture == 2);
            if i == 1 || one && i == 3 {
                x = self.dropout.forward(x);
            }
            if two && i == 1 {
                x = Self::noise(x);
            }
        }
        let mut x: Tensor<B, 2> = x.flatten(1, 3);
        for (i, dense) in self.dense.iter().enumerate() {
            x = dense.forward(x);
            if i + 1 < self.dense.len() {
                x = relu(x);
            }
        }
        x
    }
}

/// The adapter that `wanted` names: `default`, `cpu`, or `discrete` or `integrated` for the first of its kind.
fn device(wanted: &str) -> Result<WgpuDevice, String> {
    match wanted {
        "default" => Ok(WgpuDevice::DefaultDevice),
        "cpu" => Ok(WgpuDevice::Cpu),
        "discrete" => Ok(WgpuDevice::DiscreteGpu(0)),
        "integrated" => Ok(WgpuDevice::IntegratedGpu(0)),
        other => Err(format!("no device '{other}': default, cpu, discrete or integrated")),
    }
}

/// What runs the steps of a configuration.
fn steps(architecture: usize, pass: &str, batch: usize, device: &WgpuDevice) -> Result<Steps, String> {
    let device = device.clone();
    let sync = |device: &WgpuDevice| Wgpu::<f32>::sync(device).expect("the device answers");
    let network = Network::<Training>::new(architecture, &device);
    let uniform = Distribution::Uniform(-0.05, 0.05);
    match pass {
        "forward" => {
            let network = network.valid();
            let stamps = Tensor::<Wgpu, 4>::random([batch, 1, SIDE, SIDE], uniform, &device);
            Ok(Box::new(move |count| {
                for _ in 0..count {
                    network.forward(stamps.clone());
                }
                sync(&device);
            }))
        }
        "training" => {
            let stamps = Tensor::<Training, 4>::random([batch, 1, SIDE, SIDE], uniform, &device);
            let targets = Tensor::<Training, 2>::full([batch, 1], 0.5, &device);
            let mut adam = AdamConfig::new().init();
            let mut network = Some(network);
            Ok(Box::new(move |count| {
                for _ in 0..count {
                    let now = network.take().expect("put back after each step");
                    let loss = (now.forward(stamps.clone()) - targets.clone()).abs().mean();
                    let gradients = GradientsParams::from_grads(loss.backward(), &now);
                    network = Some(adam.step(1e-3, now, gradients));
                }
                sync(&device);
            }))
        }
        other => Err(format!("no pass '{other}': forward or training")),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = device(&std::env::args().nth(1).unwrap_or_else(|| "default".into()))?;
    let setup = init_setup::<AutoGraphicsApi>(&device, Default::default());
    let info = setup.adapter.get_info();
    let adapter = format!("{} ({:?}, {} {})", info.name, info.backend, info.driver, info.driver_info);
    println!("{{\"program\": \"burn 0.21.0, wgpu backend\", \"adapter\": {adapter:?}}}");
    let mut ready: Option<(String, Steps)> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let [architecture, pass, batch, count] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(format!("'{line}' is not ARCHITECTURE PASS BATCH STEPS").into());
        };
        let (name, count) = (format!("{architecture} {pass} {batch}"), count.parse()?);
        if ready.as_ref().is_none_or(|(ready, _)| *ready != name) {
            // The former network's memory goes first.
            drop(ready.take());
            let mut run = steps(architecture.parse()?, pass, batch.parse()?, &device)?;
            run(WARM_UP);
            ready = Some((name, run));
        }
        let Some((_, run)) = &mut ready else { continue };
        let started = Instant::now();
        run(count);
        println!("{{\"seconds\": {}}}", started.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
