//! Every rung against the f64 reference, gradients against finite differences, errors.

use super::*;
use crate::engine::Tensor;
use crate::engine::gpu::{Rung, Tile};
use crate::engine::ops::check;

/// Batch, inputs and outputs: single ones, ones that divide nothing, every height of a tile, sums of
/// several chunks, whole and not, and numbers by fours that are no whole tiles.
const SIZES: [[usize; 3]; 12] = [
    [1, 1, 1],
    [1, 5, 3],
    [7, 64, 1],
    [9, 13, 33],
    [16, 257, 64],
    [17, 600, 129],
    [33, 1025, 31],
    [64, 2048, 128],
    [3, 3000, 200],
    [1, 4, 4],
    [5, 8, 20],
    [70, 36, 72],
];

/// Runs a choice on all three products, and the first also through the rectifier.
fn check_products(gpu: &Gpu, choice: Choice, [batch, inputs, outputs]: [usize; 3]) -> Result<()> {
    let g = Geometry { batch, inputs, outputs };
    let what = |name| format!("{choice}, {name} of {batch}×{inputs} by {outputs}");
    let shapes: [&[usize]; 4] = [&[batch, inputs], &[inputs, outputs], &[outputs], &[batch, outputs]];
    let values: Vec<Vec<f32>> = (0..4).map(|i| check::random(shapes[i], i as u32, 1.0)).collect();
    let [x, w, b, d] = [0, 1, 2, 3].map(|i| check::f64s(&values[i]));
    let tensors: Vec<Tensor> =
        shapes.iter().zip(&values).map(|(shape, v)| gpu.upload(shape, v)).collect::<Result<_>>()?;
    let [tx, tw, tb, td] = [0, 1, 2, 3].map(|i| &tensors[i]);

    let linear = product_reference(&x, &w, [batch, inputs, outputs]);
    let with_bias = linear.iter().enumerate().map(|(i, y)| y + b[i % outputs]);
    let y = forward_by(gpu, choice, &g, [tx, tw, tb], false)?;
    check::close(&what("dense"), &gpu.read(&y)?, with_bias.clone());
    let y = forward_by(gpu, choice, &g, [tx, tw, tb], true)?;
    check::close(&what("dense_relu"), &gpu.read(&y)?, with_bias.map(|y| y.max(0.0)));

    let transposed = transpose_reference(&w, [inputs, outputs]);
    let dx = product_reference(&d, &transposed, [batch, outputs, inputs]);
    let got = input_gradient_by(gpu, choice, &g, tw, td)?;
    check::close(&what("input gradient"), &gpu.read(&got)?, dx);

    let transposed = transpose_reference(&x, [batch, inputs]);
    let dw = product_reference(&transposed, &d, [inputs, batch, outputs]);
    let got = weight_gradient_by(gpu, choice, &g, tx, td)?;
    check::close(&what("weight gradient"), &gpu.read(&got)?, dw);
    Ok(())
}

#[test]
fn every_rung_matches_the_reference() {
    check::on_every_gpu(|gpu| {
        for rung in Rung::ALL {
            let mut checked = 0;
            for [batch, inputs, outputs] in SIZES {
                if fits(rung, &Geometry { batch, inputs, outputs }, gpu.subgroup_sizes()) {
                    check_products(gpu, rung.into(), [batch, inputs, outputs])?;
                    checked += 1;
                }
            }
            let wide = gpu.subgroup_sizes().is_some_and(|(least, _)| least >= 8);
            let expected = match rung {
                Rung::Naive | Rung::RegisterTile => SIZES.len(),
                Rung::Broadcast if wide => SIZES.len(),
                Rung::Broadcast | Rung::SharedRows | Rung::Winograd => 0,
                Rung::Vectors | Rung::WorkgroupTile => 5,
            };
            assert_eq!(checked, expected, "{rung}");
        }
        Ok(())
    });
}

#[test]
fn every_tile_of_a_workgroup_matches_the_reference() {
    check::on_every_gpu(|gpu| {
        for tile in Tile::ALL {
            check_products(gpu, Choice { rung: Rung::WorkgroupTile, tile: Some(tile) }, [19, 140, 148])?;
        }
        Ok(())
    });
}

#[test]
fn a_rung_that_does_not_take_a_shape_says_so() {
    check::on_every_gpu(|gpu| {
        let g = Geometry { batch: 2, inputs: 5, outputs: 4 };
        let (w, d) = (gpu.tensor(&[5, 4])?, gpu.tensor(&[2, 4])?);
        for rung in [Rung::Vectors, Rung::WorkgroupTile] {
            let error = input_gradient_by(gpu, rung, &g, &w, &d).expect_err("five inputs").to_string();
            assert_eq!(
                error,
                format!("dense input gradient: the {rung} rung has no kernel for 5→4 on this device")
            );
        }
        let larger = Geometry { batch: 3, ..g };
        assert!(input_gradient_by(gpu, Rung::Naive, &larger, &w, &d).is_err());
        let nothing = Geometry { batch: 0, ..g };
        assert!(input_gradient_by(gpu, Rung::Naive, &nothing, &w, &gpu.tensor(&[0, 4])?).is_err());
        assert!(!fits(Rung::Broadcast, &g, None) && !fits(Rung::Broadcast, &g, Some((4, 32))));
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
