//! Detection on a simulated field of 2048×2048 pixels, in pixels (elements) a second. `benches/peers/sep_rate.py` times SEP
//! beside it on the same pixels.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use legato::detect::{Settings, detect};
use legato::rng::{Stream, fill, normal_pair, unit_f32};

const SIDE: usize = 2048;
const SOURCES: usize = 4000;

/// Noise of 1 and Gaussians of many sizes and brightnesses.
fn field() -> Vec<f32> {
    let mut words = vec![0; SIDE * SIDE];
    fill(1, Stream::Test, 0, 0, &mut words);
    let mut image: Vec<f32> = words.chunks_exact(2).flat_map(|w| normal_pair(w[0], w[1])).collect();
    let mut words = vec![0; 4 * SOURCES];
    fill(1, Stream::Test, 1, 0, &mut words);
    for source in words.chunks_exact(4) {
        let [x, y, size, light] = [0, 1, 2, 3].map(|k| unit_f32(source[k]));
        let (x, y, sigma) = (SIDE as f32 * x, SIDE as f32 * y, 1.2 + 3.0 * size * size);
        let peak = 10f32.powf(1.6 + 2.4 * light * light) / (std::f32::consts::TAU * sigma * sigma);
        let range = |v: f32| (v - 5.0 * sigma).max(0.0) as usize..((v + 5.0 * sigma) as usize).min(SIDE);
        for row in range(y) {
            for column in range(x) {
                let square = (column as f32 - x).powi(2) + (row as f32 - y).powi(2);
                image[row * SIDE + column] += peak * (-0.5 * square / (sigma * sigma)).exp();
            }
        }
    }
    image
}

fn detection(c: &mut Criterion) {
    let image = field();
    let mut group = c.benchmark_group("detection");
    group.throughput(Throughput::Elements(image.len() as u64)).sample_size(10);
    for (name, settings) in [
        ("all", Settings::default()),
        ("without deblending", Settings { deblend_levels: 1, ..Settings::default() }),
        ("sky and threshold alone", Settings { threshold: 1e9, ..Settings::default() }),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| detect(&image, SIDE, None, None, &settings).expect("sound settings").sources.len());
        });
    }
}

criterion_group!(benches, detection);
criterion_main!(benches);
