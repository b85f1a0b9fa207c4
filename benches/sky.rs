//! The simulator, one thread, in stamps (elements) a second: every built-in survey with its noise and without.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use legato::sky::{Simulator, Survey};

fn stamps(c: &mut Criterion) {
    for name in Survey::builtin_names() {
        let survey = Survey::builtin(name).expect("a sound survey");
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1));
        for (kind, noisy) in [("noiseless", false), ("with noise", true)] {
            let simulator = Simulator::new(survey.clone(), 1).expect("a survey without files");
            let simulator = if noisy { simulator } else { simulator.without_noise() };
            // One after another, so that the ranges are covered.
            let mut index = 0;
            group.bench_function(BenchmarkId::new("stamp", kind), |b| {
                b.iter(|| {
                    index += 1;
                    simulator.stamp(index).expect("a possible galaxy")
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, stamps);
criterion_main!(benches);
