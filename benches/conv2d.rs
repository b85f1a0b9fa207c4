//! The convolution kernels at the shapes of Architecture 2, in multiply-adds (elements) a second:
//! forward with bias and ReLU, the same with 2×2 pooling in the kernel and after it, input gradient, weight gradient.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use legato::engine::gpu::Pass;
use legato::engine::ops::conv2d::{self, Epilogue, Geometry};
use legato::engine::ops::max_pool::relu_max_pool;
use legato::engine::{Gpu, GpuOptions, Tape, Tensor};
use legato::rng::{Philox, Stream, unit_f32};
use rand::Rng;

const BATCH: usize = 16;

/// (image size, channels in, channels out, kernel size)
const LAYERS: [(usize, usize, usize, usize); 6] =
    [(128, 1, 16, 4), (128, 16, 16, 4), (64, 16, 64, 3), (64, 64, 64, 3), (32, 64, 64, 2), (64, 32, 64, 3)];

fn random(gpu: &Gpu, shape: &[usize]) -> Tensor {
    let mut numbers = Philox::new(1, Stream::Test, 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| unit_f32(numbers.next_u32()) - 0.5).collect();
    gpu.upload(shape, &values).expect("room for a layer")
}

fn convolutions(c: &mut Criterion) {
    let device = std::env::var("LEGATO_BENCH_DEVICE").unwrap_or_else(|_| "auto".into());
    let gpu = Gpu::open(&GpuOptions { device, ..GpuOptions::default() }).expect("benchmarks need a device");
    println!("{}", gpu.description());
    for (size, ci, co, k) in LAYERS {
        let g = Geometry {
            batch: BATCH,
            height: size,
            width: size,
            in_channels: ci,
            out_channels: co,
            kernel_height: k,
            kernel_width: k,
        };
        let x = random(&gpu, &[BATCH, size, size, ci]);
        let d = random(&gpu, &[BATCH, size, size, co]);
        let (w, b) = (random(&gpu, &[k, k, ci, co]), random(&gpu, &[co]));
        let mut group = c.benchmark_group(format!("conv2d {size}² {ci}→{co} {k}×{k}"));
        group.sample_size(10).throughput(Throughput::Elements(g.macs()));
        let mut time = |name: &str, run: &dyn Fn() -> legato::Result<Tensor>| {
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter(|| {
                    let result = run().expect("the kernel runs");
                    gpu.wait().expect("the device answers");
                    result
                });
            });
        };
        time("forward", &|| conv2d::forward(&gpu, &g, &x, &w, &b, Epilogue::BiasRelu));
        if conv2d::choice(&gpu, Pass::Forward, &g).rung.makes_cells() {
            time("forward, pooled", &|| conv2d::forward(&gpu, &g, &x, &w, &b, Epilogue::PoolBiasRelu));
        }
        time("forward, then pooled", &|| {
            let tape = Tape::new(&gpu);
            let y = conv2d::forward(&gpu, &g, &x, &w, &b, Epilogue::Bias)?;
            Ok(relu_max_pool(&tape, &tape.constant(&y))?.value().clone())
        });
        if ci > 1 {
            time("input gradient", &|| conv2d::input_gradient(&gpu, &g, &w, &d));
        }
        time("weight gradient", &|| conv2d::weight_gradient(&gpu, &g, &x, &d));
        group.finish();
    }
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
