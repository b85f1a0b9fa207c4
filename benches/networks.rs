//! Both architectures on full 128×128 stamps, in stamps (elements) a second: inference, and a whole
//! training step with dropout, noise, the loss, the way back and Adam.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use legato::engine::nn::{Adam, Mode, Model};
use legato::engine::{Gpu, GpuOptions};
use legato::legato::{Architecture, Stretching};
use legato::rng::{Philox, Stream, unit_f32};
use rand::Rng;

const BATCH: usize = 32;
const SIZE: usize = 128;

fn networks(c: &mut Criterion) {
    let device = std::env::var("LEGATO_BENCH_DEVICE").unwrap_or_else(|_| "auto".into());
    for unchecked in [false, true] {
        let gpu = Gpu::open(&GpuOptions { device: device.clone(), unchecked, ..GpuOptions::default() })
            .expect("benchmarks need a device");
        let modules = if unchecked { "unchecked modules" } else { "checked modules" };
        println!("{}, {modules}", gpu.description());
        let mut numbers = Philox::new(1, Stream::Test, 0, 0);
        let pixels: Vec<f32> = (0..BATCH * SIZE * SIZE).map(|_| 0.1 * unit_f32(numbers.next_u32())).collect();
        let stamps = gpu.upload(&[BATCH, SIZE, SIZE, 1], &pixels).expect("room for a batch");
        let targets = gpu.upload(&[BATCH, 1], &[0.5; BATCH]).expect("room for the targets");
        for architecture in [Architecture::One, Architecture::Two] {
            let network = architecture.network(SIZE, Stretching::Asinh { sigma: 0.0032 });
            let model = Model::random(&gpu, &network, 1).expect("a sound preset");
            let mut adam = Adam::new(&gpu, &model).expect("room for Adam");
            let mut group = c.benchmark_group(format!("{} batch {BATCH}", network.name));
            group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
            group.bench_function(BenchmarkId::new("inference", modules), |b| {
                b.iter(|| {
                    let output = model.infer(&gpu, &stamps).expect("the kernels run");
                    gpu.wait().expect("the device answers");
                    output
                });
            });
            group.bench_function(BenchmarkId::new("training step", modules), |b| {
                b.iter(|| {
                    let mode = Mode::Training { seed: 1, step: adam.steps() };
                    let loss =
                        adam.step(&gpu, &model, (&stamps, &targets), mode, 1e-3).expect("the kernels run");
                    gpu.wait().expect("the device answers");
                    loss
                });
            });
            group.finish();
        }
    }
}

criterion_group!(benches, networks);
criterion_main!(benches);
