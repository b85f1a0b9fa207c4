//! How fast the two architectures run here, on request: the scripts in `benches/peers` alternate it with other programs.
//!
//! `cargo run --release --example rate -- [DEVICE] [unchecked]` prints a line of JSON that says what runs, then answers
//! each line `ARCHITECTURE PASS BATCH STEPS` on standard input, such as `2 training 64 10`, with the seconds that so
//! many steps took until the device was idle. `PASS` is `forward` or `training`: dropout and noise, the way there and
//! back under the mean absolute error, Adam. A configuration's first request is preceded by a warm-up.

use legato::engine::nn::{Adam, Mode, Model};
use legato::engine::{Gpu, GpuOptions, Tensor};
use legato::legato::{Architecture, Stretching};
use legato::rng::{Philox, Stream, unit_f32};
use legato::{Error, Result};
use rand::Rng;
use serde_json::json;
use std::io::Write;
use std::time::Instant;

const SIZE: usize = 128;
/// Steps before the first timed one: in the first, drivers compile; in the second, what it left is used again.
const WARM_UP: usize = 2;

/// A network on a batch.
struct Bench {
    model: Model,
    stamps: Tensor,
    targets: Tensor,
    /// Where it trains.
    adam: Option<Adam>,
}

impl Bench {
    fn new(gpu: &Gpu, architecture: Architecture, training: bool, batch: usize) -> Result<Self> {
        let network = architecture.network(SIZE, Stretching::Asinh { sigma: 0.0032 });
        let model = Model::random(gpu, &network, 1)?;
        let mut numbers = Philox::new(1, Stream::Test, 0, 0);
        let pixels = (0..batch * SIZE * SIZE).map(|_| 0.1 * unit_f32(numbers.next_u32()) - 0.05);
        let stamps = gpu.upload(&[batch, SIZE, SIZE, 1], &pixels.collect::<Vec<_>>())?;
        let targets = gpu.upload(&[batch, 1], &vec![0.5; batch])?;
        let adam = if training { Some(Adam::new(gpu, &model)?) } else { None };
        Ok(Bench { model, stamps, targets, adam })
    }

    /// Runs so many steps, each submitted as training does, and waits for the last.
    fn run(&mut self, gpu: &Gpu, steps: usize) -> Result<()> {
        for _ in 0..steps {
            match &mut self.adam {
                Some(adam) => {
                    let mode = Mode::Training { seed: 1, step: adam.steps() };
                    adam.step(gpu, &self.model, (&self.stamps, &self.targets), mode, 1e-3)?;
                }
                None => drop(self.model.infer(gpu, &self.stamps)?),
            }
            gpu.submit()?;
        }
        gpu.wait()
    }
}

/// What a line asks for.
#[derive(Clone, Copy, PartialEq)]
struct Request {
    architecture: Architecture,
    training: bool,
    batch: usize,
}

fn parse(line: &str) -> Result<(Request, usize)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let wrong = || Error::Usage(format!("'{line}' is not ARCHITECTURE forward|training BATCH STEPS"));
    let [architecture, pass, batch, steps] = words[..] else { return Err(wrong()) };
    let architecture = match architecture {
        "1" => Architecture::One,
        "2" => Architecture::Two,
        _ => return Err(wrong()),
    };
    let training = match pass {
        "training" => true,
        "forward" => false,
        _ => return Err(wrong()),
    };
    let number = |word: &str| word.parse().ok().filter(|&n: &usize| n > 0).ok_or_else(wrong);
    Ok((Request { architecture, training, batch: number(batch)? }, number(steps)?))
}

/// A line for the program that asked; where it is gone, there is nothing to do.
fn answer(value: serde_json::Value) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{value}").and_then(|()| out.flush()).map_err(|e| Error::io("standard output", "write", e))
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let device = arguments.next().unwrap_or_else(|| "auto".into());
    let unchecked = arguments.next().is_some_and(|word| word == "unchecked");
    let gpu = Gpu::open(&GpuOptions { device, unchecked, ..GpuOptions::default() })?;
    let program = format!("legato {}", env!("CARGO_PKG_VERSION"));
    answer(json!({"program": program, "adapter": gpu.description(), "unchecked": unchecked}))?;
    let mut ready: Option<(Request, Bench)> = None;
    for line in std::io::stdin().lines() {
        let line = line.map_err(|e| Error::io("standard input", "read", e))?;
        let (request, steps) = parse(&line)?;
        let mut bench = match ready.take() {
            Some((of, bench)) if of == request => bench,
            _ => {
                let Request { architecture, training, batch } = request;
                let mut bench = Bench::new(&gpu, architecture, training, batch)?;
                bench.run(&gpu, WARM_UP)?;
                bench
            }
        };
        let started = Instant::now();
        bench.run(&gpu, steps)?;
        answer(json!({"seconds": started.elapsed().as_secs_f64()}))?;
        ready = Some((request, bench));
    }
    Ok(())
}
