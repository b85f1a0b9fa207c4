//! The operations one by one, forward and backward, at sizes from Architecture 2; see README.md.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use legato::Result;
use legato::engine::ops::adam::{AdamConstants, adam_step};
use legato::engine::ops::augment::{Augmentation, augment};
use legato::engine::ops::draw::Draw;
use legato::engine::ops::{arithmetic, dense, dropout, loss::Loss, max_pool, noise, reduce, relu, stretch};
use legato::engine::{Gpu, GpuOptions, Tape, Tensor, Var};
use legato::rng::{Philox, Stream, unit_f32};
use rand::Rng;

const BATCH: usize = 16;
const DRAW: Draw = Draw { seed: 1, layer: 2, step: 3 };

/// Uniform in ±1.
fn random(gpu: &Gpu, shape: &[usize]) -> Tensor {
    let mut numbers = Philox::new(1, Stream::Test, 0, 0);
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|_| 2.0 * unit_f32(numbers.next_u32()) - 1.0).collect();
    gpu.upload(shape, &values).expect("the inputs fit the device")
}

/// Times `operation` on parameters of the given shapes: the forward pass up to the device's being
/// idle, then the way back from the sum of its output.
fn both(
    criterion: &mut Criterion,
    gpu: &Gpu,
    name: &str,
    work: Throughput,
    shapes: &[&[usize]],
    operation: impl Fn(&Tape, &[Var]) -> Result<Var>,
) {
    let inputs: Vec<Tensor> = shapes.iter().map(|shape| random(gpu, shape)).collect();
    let forward = || {
        let tape = Tape::new(gpu);
        let parameters: Vec<Var> = inputs.iter().map(|t| tape.parameter(t)).collect();
        let output = operation(&tape, &parameters).expect("the operation runs");
        (tape, output)
    };
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).throughput(work);
    group.bench_function("forward", |b| {
        b.iter(|| {
            let kept = forward();
            gpu.wait().expect("the device works");
            kept
        });
    });
    group.bench_function("backward", |b| {
        let set_up = || {
            let (tape, output) = forward();
            let loss = reduce::sum(&tape, &output).expect("the sum runs");
            gpu.wait().expect("the device works");
            (tape, loss)
        };
        let run = |(tape, loss): (Tape, Var)| {
            let gradients = tape.backward(&loss).expect("the way back runs");
            gpu.wait().expect("the device works");
            gradients
        };
        b.iter_batched(set_up, run, BatchSize::PerIteration);
    });
    group.finish();
}

fn operations(criterion: &mut Criterion) {
    let device = std::env::var("LEGATO_BENCH_DEVICE").unwrap_or_else(|_| "auto".into());
    let gpu = Gpu::open(&GpuOptions { device, ..GpuOptions::default() }).expect("a device");
    eprintln!("{}", gpu.description());
    let elements = |shape: &[usize]| Throughput::Elements(shape.iter().product::<usize>() as u64);
    let (stamps, block, pooled) = ([BATCH, 128, 128, 1], [BATCH, 128, 128, 16], [BATCH, 64, 64, 16]);
    let mut bench = |name: &str, work, shapes: &[&[usize]], run: &dyn Fn(&Tape, &[Var]) -> Result<Var>| {
        both(criterion, &gpu, name, work, shapes, run);
    };

    bench("stretch", elements(&stamps), &[&stamps], &|t, v| stretch::stretch(t, &v[0], 100.0, 0.3));
    bench("relu", elements(&block), &[&block], &|t, v| relu::relu(t, &v[0]));
    bench("max_pool", elements(&block), &[&block], &|t, v| max_pool::max_pool(t, &v[0]));
    bench("dropout", elements(&pooled), &[&pooled], &|t, v| dropout::dropout(t, &v[0], 0.15, DRAW));
    bench("noise", elements(&pooled), &[&pooled], &|t, v| noise::noise(t, &v[0], 0.01, DRAW));
    for [batch, inputs, outputs] in [[BATCH, 16384, 128], [64, 16384, 128], [BATCH, 128, 64], [BATCH, 64, 1]]
    {
        let name = format!("dense_relu {batch}x{inputs}x{outputs}");
        let multiply_adds = Throughput::Elements((batch * inputs * outputs) as u64);
        let shapes: [&[usize]; 3] = [&[batch, inputs], &[inputs, outputs], &[outputs]];
        bench(&name, multiply_adds, &shapes, &|t, v| dense::dense_relu(t, &v[0], &v[1], &v[2]));
    }
    let targets = random(&gpu, &[BATCH, 1]);
    bench("mean", elements(&block), &[&block], &|t, v| reduce::mean(t, &v[0]));
    bench("multiply", elements(&block), &[&block, &block], &|t, v| arithmetic::multiply(t, &v[0], &v[1]));
    bench("sum", elements(&block), &[&block], &|t, v| reduce::sum(t, &v[0]));
    for loss in [Loss::Absolute, Loss::Squared] {
        let name = format!("loss {loss:?}");
        bench(&name, elements(&[BATCH, 1]), &[&[BATCH, 1]], &|t, v| loss.of(t, &v[0], &targets));
    }

    let recipe = Augmentation { max_shift: 6.4, flips: true, zoom: [0.7, 1.3], ..Augmentation::default() };
    let tensor = random(&gpu, &stamps);
    let placements: Vec<_> = (0..BATCH as u64).map(|i| recipe.draw(1, i)).collect();
    criterion.benchmark_group("augment").throughput(elements(&stamps)).bench_function("forward", |b| {
        b.iter(|| {
            let kept = augment(&gpu, &tensor, &placements).expect("the augmentation runs");
            gpu.wait().expect("the device works");
            kept
        });
    });

    let [gradient, parameter, mean, square] = [0; 4].map(|_| random(&gpu, &[16384, 128]));
    let work = Throughput::Elements(parameter.len() as u64);
    criterion.benchmark_group("adam").throughput(work).bench_function("step", |b| {
        b.iter(|| {
            let state = [&parameter, &mean, &square];
            adam_step(&gpu, &AdamConstants::default(), 0.0, 1, &gradient, state).expect("Adam runs");
            gpu.wait().expect("the device works");
        });
    });
}

criterion_group!(benches, operations);
criterion_main!(benches);
