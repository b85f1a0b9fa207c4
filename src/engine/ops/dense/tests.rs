//! Tests of the dense layer.

use super::super::check;
use super::*;

/// Batch, inputs and outputs: single ones, ones that divide nothing, every height of a tile, and
/// sums of several chunks, whole and not.
const SIZES: [[usize; 3]; 9] = [
    [1, 1, 1],
    [1, 5, 3],
    [7, 64, 1],
    [9, 13, 33],
    [16, 257, 64],
    [17, 600, 129],
    [33, 1025, 31],
    [64, 2048, 128],
    [3, 3000, 200],
];

#[test]
fn every_product_matches_the_reference() {
    check::on_every_gpu(|gpu| {
        for source in [product_source(gpu), &PRODUCT_LOAD] {
            for [rows, terms, columns] in SIZES {
                let size = Size { rows, columns, terms };
                let what = |name| format!("{name} of {rows}×{terms} by {columns}");
                let values = [[rows, terms], [terms, columns], [1, columns], [rows, columns]];
                let values: Vec<Vec<f32>> =
                    (0..4).map(|i| check::random(&values[i], i as u32, 1.0)).collect();
                let [x, w, b, g] = [0, 1, 2, 3].map(|i| check::f64s(&values[i]));
                let tensors: Vec<Tensor> =
                    values.iter().map(|v| gpu.upload(&[v.len()], v)).collect::<Result<_>>()?;
                let [tx, tw, tb, tg] = [0, 1, 2, 3].map(|i| &tensors[i]);

                let linear = product_reference(&x, &w, [rows, terms, columns]);
                let with_bias = linear.iter().enumerate().map(|(i, y)| y + b[i % columns]);
                let y = forward(gpu, source, [tx, tw, tb], size, false)?;
                check::close(&what("dense"), &gpu.read(&y)?, with_bias.clone());
                let y = forward(gpu, source, [tx, tw, tb], size, true)?;
                check::close(&what("dense_relu"), &gpu.read(&y)?, with_bias.map(|y| y.max(0.0)));

                let transposed = transpose_reference(&w, [terms, columns]);
                let dx = product_reference(&g, &transposed, [rows, columns, terms]);
                let got = input_gradient(gpu, source, tg, tw, size)?;
                check::close(&what("input gradient"), &gpu.read(&got)?, dx);

                let transposed = transpose_reference(&x, [rows, terms]);
                let dw = product_reference(&transposed, &g, [terms, rows, columns]);
                let got = weight_gradient(gpu, source, tg, tx, size)?;
                check::close(&what("weight gradient"), &gpu.read(&got)?, dw);
            }
        }
        Ok(())
    });
}

#[test]
fn gradients_match_finite_differences() {
    for [rows, terms, columns] in [[5, 7, 3], [1, 9, 1], [3, 700, 2]] {
        let shapes: [&[usize]; 3] = [&[rows, terms], &[terms, columns], &[columns]];
        check::gradients("dense", &shapes, 0.05, |tape, v| dense(tape, &v[0], &v[1], &v[2]));
    }
}

#[test]
fn gradients_through_the_rectifier_match_finite_differences() {
    // Biases of ±4 against |x·W| below 1.6: no output comes near the kink, half of them are cut.
    let values =
        vec![check::random(&[5, 7], 0, 0.6), check::random(&[7, 4], 1, 0.6), vec![4.0, -4.0, 4.5, -4.5]];
    check::gradients_at("dense_relu", &[&[5, 7], &[7, 4], &[4]], &values, 0.02, |tape, v| {
        dense_relu(tape, &v[0], &v[1], &v[2])
    });
}

#[test]
fn shapes_that_do_not_fit_are_an_error_that_names_them() {
    check::on_every_gpu(|gpu| {
        let tape = Tape::new(gpu);
        let zeros = |shape: &[usize]| -> Result<Var> {
            Ok(tape.constant(&gpu.upload(shape, &vec![0.0; shape.iter().product()])?))
        };
        let (w, b) = (zeros(&[3, 4])?, zeros(&[4])?);
        let message = |e: Error| e.to_string();
        assert_eq!(
            dense(&tape, &zeros(&[2, 5])?, &w, &b).map_err(message).err().as_deref(),
            Some("dense: input [2, 5], weights [3, 4] and bias [4] are not [B, I], [I, O] and [O]")
        );
        assert_eq!(
            dense_relu(&tape, &zeros(&[2, 3, 1])?, &w, &b).map_err(message).err().as_deref(),
            Some("dense_relu: input [2, 3, 1], weights [3, 4] and bias [4] are not [B, I], [I, O] and [O]")
        );
        Ok(())
    });
}

/// A rough figure for the big layer of Architecture 2; `benches/ops.rs` measures it properly.
#[test]
#[ignore = "a timing, not a test"]
fn time_the_big_layer() {
    check::on_every_gpu(|gpu| {
        let (rows, terms, columns) = (64, 16384, 128);
        let size = Size { rows, columns, terms };
        let random = |shape: &[usize]| gpu.upload(shape, &check::random(shape, 1, 0.1));
        let (x, w, b, g) = (
            random(&[rows, terms])?,
            random(&[terms, columns])?,
            random(&[columns])?,
            random(&[rows, columns])?,
        );
        for source in [product_source(gpu), &PRODUCT_LOAD] {
            let time = |name: &str, run: &dyn Fn() -> Result<Tensor>| -> Result<()> {
                let mut best = f64::INFINITY;
                for _ in 0..8 {
                    let start = std::time::Instant::now();
                    let _kept = run()?;
                    gpu.wait()?;
                    best = best.min(start.elapsed().as_secs_f64());
                }
                let flops = 2.0 * (rows * terms * columns) as f64;
                println!("{name}: {:.1} ms, {:.1} GFLOP/s", best * 1e3, flops / best * 1e-9);
                Ok(())
            };
            time("forward", &|| forward(gpu, source, [&x, &w, &b], size, true))?;
            time("input gradient", &|| input_gradient(gpu, source, &g, &w, size))?;
            time("weight gradient", &|| weight_gradient(gpu, source, &g, &x, size))?;
        }
        Ok(())
    });
}
