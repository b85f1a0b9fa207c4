//! How operations are tested: on devices with and without run-time checks, against f64 references,
//! and against finite differences with the operation in the middle of a graph.

use super::{arithmetic, reduce};
use crate::Result;
use crate::engine::{Gpu, GpuOptions, Tape, Tensor, Var};
use crate::rng::{Philox, Stream};
use rand::Rng;
use std::cell::{Cell, OnceCell};

/// Relative to the largest element of the reference.
const REFERENCE_TOLERANCE: f64 = 1e-5;
const GRADIENT_TOLERANCE: f64 = 1e-3;

/// The device of the unit tests, the one that `LEGATO_TEST_DEVICE` names or the best there is.
pub fn open(options: GpuOptions) -> Gpu {
    let device = std::env::var("LEGATO_TEST_DEVICE").unwrap_or(options.device);
    Gpu::open(&GpuOptions { device, ..options }).unwrap_or_else(|e| panic!("the tests need a device: {e}"))
}

/// Runs a test on a device with checked modules and on one with unchecked ones.
pub fn on_every_gpu(test: impl Fn(&Gpu) -> Result<()>) {
    thread_local!(static GPUS: OnceCell<[Gpu; 2]> = const { OnceCell::new() });
    let open = |unchecked| open(GpuOptions { unchecked, ..GpuOptions::default() });
    GPUS.with(|gpus| {
        for (gpu, modules) in
            gpus.get_or_init(|| [open(false), open(true)]).iter().zip(["checked", "unchecked"])
        {
            test(gpu).unwrap_or_else(|e| panic!("{modules} modules: {e}"));
        }
    });
}

/// As [`on_every_gpu`], and besides with weights in uniform buffers where they are not, and the other way round, without sums in
/// memory, and as if the device had subgroups of unknown width, and none, and used no words of 64 bits: what other devices would
/// run.
pub fn on_every_kind_of_gpu(test: impl Fn(&Gpu) -> Result<()>) {
    let uniforms = Cell::new(None);
    on_every_gpu(|gpu| {
        uniforms.set(gpu.uses_words().then(|| !gpu.has_weights_in_uniforms()));
        test(gpu)
    });
    if uniforms.get().is_some() {
        for unchecked in [false, true] {
            let sums_in_memory = Some(false);
            let options =
                GpuOptions { uniforms: uniforms.get(), sums_in_memory, unchecked, ..GpuOptions::default() };
            test(&open(options))
                .unwrap_or_else(|e| panic!("uniforms {uniforms:?}, unchecked {unchecked}: {e}"));
        }
    }
    for subgroups in [Some((8, 64)), None] {
        let gpu = open(GpuOptions { subgroups: Some(subgroups), words: false, ..GpuOptions::default() });
        test(&gpu).unwrap_or_else(|e| panic!("subgroups {subgroups:?}, no words: {e}"));
    }
}

/// Uniform numbers in ±`scale`; `sub` tells apart several tensors of one test.
pub fn random(shape: &[usize], sub: u32, scale: f32) -> Vec<f32> {
    let mut numbers = Philox::new(20_26, Stream::Test, sub, 0);
    (0..shape.iter().product())
        .map(|_| scale * (2.0 * crate::rng::unit_f32(numbers.next_u32()) - 1.0))
        .collect()
}

/// Widens to f64.
pub fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Fails, with the first pairs that differ, unless `got` is within 1e-5 of the reference: of each
/// element plus of the largest one, since a sum that nearly cancels keeps its terms' rounding.
pub fn close(what: &str, got: &[f32], want: impl IntoIterator<Item = f64>) {
    close_within(what, REFERENCE_TOLERANCE, got, want);
}

/// As [`close`], with a tolerance of its own.
pub fn close_within(what: &str, tolerance: f64, got: &[f32], want: impl IntoIterator<Item = f64>) {
    let want: Vec<f64> = want.into_iter().collect();
    assert_eq!(got.len(), want.len(), "{what}: number of elements");
    let largest = want.iter().fold(0.0_f64, |m, w| m.max(w.abs()));
    let off = |&(_, (&g, &w)): &(usize, (&f32, &f64))| {
        // NaN is not near anything.
        let near = (f64::from(g) - w).abs() <= tolerance * (largest + w.abs());
        !near
    };
    let mismatches: Vec<_> = got.iter().zip(&want).enumerate().filter(off).collect();
    let first: Vec<String> =
        mismatches.iter().take(5).map(|(i, (g, w))| format!("[{i}] {g} instead of {w}")).collect();
    assert!(
        mismatches.is_empty(),
        "{what}: {} of {} differ: {}",
        mismatches.len(),
        want.len(),
        first.join(", ")
    );
}

/// Compares the gradients of `operation` with central differences of width `step`. The operation
/// stands mid-graph: its inputs come out of a scaling, its output is weighted by random numbers
/// and summed, so that an upstream gradient that is dropped shows.
pub fn gradients(
    what: &str,
    shapes: &[&[usize]],
    step: f64,
    operation: impl Fn(&Tape, &[Var]) -> Result<Var>,
) {
    let values: Vec<Vec<f32>> =
        shapes.iter().enumerate().map(|(i, shape)| random(shape, i as u32, 1.0)).collect();
    gradients_at(what, shapes, &values, step, operation);
}

/// As [`gradients`], at given input values.
pub fn gradients_at(
    what: &str,
    shapes: &[&[usize]],
    values: &[Vec<f32>],
    step: f64,
    operation: impl Fn(&Tape, &[Var]) -> Result<Var>,
) {
    const INPUT_SCALE: f32 = 0.75;
    on_every_gpu(|gpu| {
        let weighted = |inputs: &[Tensor]| -> Result<(Tape, Vec<Var>, Var)> {
            let tape = Tape::new(gpu);
            let parameters: Vec<Var> = inputs.iter().map(|t| tape.parameter(t)).collect();
            let scaled: Vec<Var> =
                parameters.iter().map(|p| arithmetic::scale(&tape, p, INPUT_SCALE)).collect::<Result<_>>()?;
            let output = operation(&tape, &scaled)?;
            let weights = gpu.upload(output.shape(), &random(output.shape(), 1000, 1.0))?;
            let weighted = arithmetic::multiply(&tape, &output, &tape.constant(&weights))?;
            Ok((tape, parameters, weighted))
        };
        let upload = |values: &[Vec<f32>]| -> Result<Vec<Tensor>> {
            shapes.iter().zip(values).map(|(shape, v)| gpu.upload(shape, v)).collect()
        };
        // Summed on the host in f64: rounding in the sum would drown small differences.
        let loss = |values: &[Vec<f32>]| -> Result<f64> {
            let (_, _, weighted) = weighted(&upload(values)?)?;
            Ok(gpu.read(weighted.value())?.iter().copied().map(f64::from).sum())
        };
        let (tape, parameters, output) = weighted(&upload(values)?)?;
        let total = reduce::sum(&tape, &output)?;
        let found = tape.backward(&total)?;
        for (which, parameter) in parameters.iter().enumerate() {
            let gradient = f64s(&gpu.read(found.of(parameter).expect("every input has a gradient"))?);
            let scale = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
            // A few elements one by one, then whole random directions.
            let n = gradient.len();
            let singles = (0..n.min(12)).map(|k| {
                let at = k * n / n.min(12);
                let mut direction = vec![0.0_f32; n];
                direction[at] = 1.0;
                direction
            });
            let directions = (0..3).map(|k| random(&[n], 2000 + k, 1.0));
            for (k, direction) in singles.chain(directions).enumerate() {
                let moved = |sign: f64| -> Result<(f64, Vec<f64>)> {
                    let mut moved = values.to_vec();
                    for (v, d) in moved[which].iter_mut().zip(&direction) {
                        *v += (sign * step) as f32 * d;
                    }
                    Ok((loss(&moved)?, f64s(&moved[which])))
                };
                let ((up, high), (down, low)) = (moved(1.0)?, moved(-1.0)?);
                // Along the step as it was after rounding.
                let expected: f64 =
                    gradient.iter().zip(high.iter().zip(&low)).map(|(g, (h, l))| g * (h - l)).sum();
                let span = high.iter().zip(&low).map(|(h, l)| (h - l).powi(2)).sum::<f64>().sqrt();
                let error = (up - down - expected).abs();
                assert!(
                    error <= GRADIENT_TOLERANCE * (scale * span).max(expected.abs()),
                    "{what}: input {which}, direction {k}: the loss changes by {} where the gradient says {expected}",
                    up - down
                );
            }
        }
        Ok(())
    });
}
