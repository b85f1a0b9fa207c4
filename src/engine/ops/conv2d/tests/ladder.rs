//! Every rung against the same reference.

use super::{Case, geometry};
use crate::engine::gpu::{Choice, Pass, Rung, Tile};
use crate::engine::ops::check;
use crate::engine::ops::conv2d::{
    Epilogue, Geometry, conv2d_backward_reference, conv2d_reference, fits, forward_by, input_gradient_by,
    weight_gradient_by,
};
use crate::engine::{Gpu, Tensor};
use crate::{Error, Result};

/// The three passes of a geometry in f64: with bias and ReLU, ∂L/∂x, ∂L/∂w.
fn reference(g: &Geometry, case: &Case) -> [Vec<f64>; 3] {
    let [x, w, b, d] = [&case.x, &case.w, &case.b, &case.d].map(|v| check::f64s(v));
    let y = conv2d_reference(g, &x, &w, &b).into_iter().map(|y| y.max(0.0)).collect();
    let [dx, dw, _] = conv2d_backward_reference(g, &x, &w, &d);
    [y, dx, dw]
}

fn run(gpu: &Gpu, choice: Choice, pass: Pass, g: &Geometry, [x, w, b, d]: &[Tensor; 4]) -> Result<Tensor> {
    match pass {
        Pass::Forward => forward_by(gpu, choice, g, [x, w, b], Epilogue::BiasRelu),
        Pass::InputGradient => input_gradient_by(gpu, choice, g, [w, d], None),
        Pass::WeightGradient => weight_gradient_by(gpu, choice, g, x, d),
    }
}

/// Runs a choice on every pass that it takes, and says how many those were.
fn check_passes(gpu: &Gpu, choice: Choice, g: &Geometry) -> Result<usize> {
    let case = Case::of(g);
    let tensors = case.upload(gpu)?;
    let mut count = 0;
    for (pass, want) in Pass::ALL.into_iter().zip(reference(g, &case)) {
        if fits(choice.rung, pass, g, gpu.subgroup_sizes()) {
            let got = gpu.read(&run(gpu, choice, pass, g, &tensors)?)?;
            check::close(&format!("{choice}, {pass} of {g:?}"), &got, want);
            count += 1;
        }
    }
    Ok(count)
}

#[test]
fn every_rung_matches_the_reference() {
    // A single pixel, one channel, sizes that divide no tile, several tiles, kernels even, long and wide.
    let shapes = [
        geometry(1, [1, 1], [4, 4], [2, 2]),
        geometry(3, [7, 13], [1, 20], [4, 4]),
        geometry(2, [7, 11], [8, 12], [3, 3]),
        geometry(1, [5, 18], [12, 68], [3, 4]),
        geometry(1, [6, 9], [4, 40], [2, 6]),
        geometry(2, [10, 9], [8, 12], [4, 2]),
    ];
    let expected =
        [(Rung::Naive, 18), (Rung::Vectors, 15), (Rung::RegisterTile, 16), (Rung::WorkgroupTile, 17)];
    check::on_every_gpu(|gpu| {
        for (rung, passes) in expected {
            let counts: Vec<usize> =
                shapes.iter().map(|g| check_passes(gpu, rung.into(), g)).collect::<Result<_>>()?;
            assert_eq!(counts.iter().sum::<usize>(), passes, "{rung}: {counts:?}");
        }
        if gpu.subgroup_sizes().is_some_and(|(least, _)| least >= 8) {
            for (rung, passes) in [(Rung::Broadcast, 14), (Rung::SharedRows, 10), (Rung::Winograd, 10)] {
                let counts: Vec<usize> =
                    shapes.iter().map(|g| check_passes(gpu, rung.into(), g)).collect::<Result<_>>()?;
                assert_eq!(counts.iter().sum::<usize>(), passes, "{rung}: {counts:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn winograds_kernels_take_odd_channels_and_several_tiles() {
    // An odd number of channels in is no layer's gradient of an input. Even ones go two at a time; the last tile across has
    // one column, more than half of its columns, or all. Sixty-six channels leave a block of weights two groups of rows, of
    // two images the third.
    let shapes = [
        (geometry(2, [19, 21], [5, 6], [3, 3]), 2),
        (geometry(1, [14, 23], [7, 34], [4, 4]), 2),
        (geometry(2, [9, 33], [6, 10], [2, 2]), 3),
        (geometry(1, [11, 45], [10, 6], [3, 3]), 3),
        (geometry(1, [6, 32], [6, 12], [4, 4]), 3),
        (geometry(1, [6, 17], [8, 6], [3, 1]), 3),
        (geometry(2, [18, 11], [66, 6], [2, 2]), 3),
        (geometry(2, [18, 11], [66, 6], [3, 3]), 3),
        (geometry(2, [18, 11], [66, 6], [4, 4]), 3),
        // Weights in several uniform buffers, where they are in such: four both ways; three and two; three, in the last of which
        // one lane of eight has outputs.
        (geometry(1, [5, 17], [64, 64], [3, 3]), 3),
        (geometry(1, [6, 17], [32, 48], [4, 4]), 3),
        (geometry(1, [5, 17], [64, 34], [3, 4]), 3),
        // No tile for half its columns; the weights' strips are of eight.
        (geometry(1, [9, 8], [8, 6], [3, 3]), 1),
    ];
    check::on_every_kind_of_gpu(|gpu| {
        if gpu.subgroup_sizes().is_some_and(|(least, _)| least >= 8) {
            for (g, passes) in &shapes {
                assert_eq!(check_passes(gpu, Rung::Winograd.into(), g)?, *passes, "passes of {g:?}");
            }
        }
        Ok(())
    });
}

/// The rungs that make a shape's weight gradient on a device.
fn weight_rungs(gpu: &Gpu, g: &Geometry) -> impl Iterator<Item = Rung> {
    let (g, subgroups) = (*g, gpu.subgroup_sizes());
    Rung::ALL.into_iter().filter(move |&rung| fits(rung, Pass::WeightGradient, &g, subgroups))
}

#[test]
fn a_weight_that_no_product_meets_has_no_gradient_on_any_rung() {
    // Few pixels and gradients are not 0, as behind rectifiers and pooling: many a weight never meets both at once.
    let sparse = |values: &mut [f32], which: u32| {
        let chances = check::random(&[values.len()], which, 1.0);
        values.iter_mut().zip(chances).filter(|(_, c)| c.abs() > 0.05).for_each(|(v, _)| *v = 0.0);
    };
    let marks =
        |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| f64::from(u8::from(v != 0.0))).collect() };
    let sparse_shapes = [
        geometry(1, [13, 22], [8, 12], [2, 2]),
        geometry(2, [19, 21], [8, 12], [3, 3]),
        geometry(1, [14, 23], [8, 36], [4, 4]),
    ];
    let sparse_cases = sparse_shapes.map(|g| {
        let mut case = Case::of(&g);
        sparse(&mut case.x, 5);
        sparse(&mut case.d, 6);
        (g, case)
    });
    // Gradients in the images' first rows alone, but many: the kernel's first row meets nothing but the border.
    let g = geometry(2, [12, 32], [8, 12], [4, 4]);
    let mut case = Case::of(&g);
    case.d
        .chunks_mut(g.height * g.width * g.out_channels)
        .for_each(|d| d[g.width * g.out_channels..].fill(0.0));
    let cases: Vec<_> = sparse_cases.into_iter().chain([(g, case)]).collect();
    check::on_every_gpu(|gpu| {
        for (g, case) in &cases {
            let [_, products, _] =
                conv2d_backward_reference(g, &marks(&case.x), &marks(&case.w), &marks(&case.d));
            let unmet: Vec<usize> = (0..products.len()).filter(|&i| products[i] == 0.0).collect();
            assert!((products.len() / 10..products.len()).contains(&unmet.len()), "{} of {g:?}", unmet.len());
            let [x, _, _, d] = case.upload(gpu)?;
            for rung in weight_rungs(gpu, g) {
                let found = gpu.read(&weight_gradient_by(gpu, rung, g, &x, &d)?)?;
                assert!(unmet.iter().all(|&i| found[i] == 0.0), "{rung} of {g:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_gradient_that_is_not_a_number_shows_in_the_weights_on_every_rung() {
    let shapes = [[2, 2], [3, 3], [4, 4]].map(|kernel| geometry(2, [9, 10], [8, 12], kernel));
    for (g, bad) in shapes.into_iter().flat_map(|g| [f32::NAN, f32::INFINITY].map(|bad| (g, bad))) {
        let mut case = Case::of(&g);
        case.d[g.out_channels * 45] = bad;
        check::on_every_gpu(|gpu| {
            let [x, _, _, d] = case.upload(gpu)?;
            for rung in weight_rungs(gpu, &g) {
                let found = gpu.read(&weight_gradient_by(gpu, rung, &g, &x, &d)?)?;
                let shown = found.iter().step_by(g.out_channels).filter(|w| !w.is_finite()).count();
                assert!(shown > found.len() / g.out_channels / 2, "{rung} of {g:?}: {bad} in {shown}");
            }
            Ok(())
        });
    }
}

#[test]
fn every_tile_of_a_workgroup_matches_the_reference() {
    check::on_every_gpu(|gpu| {
        // More pixels, weights and channels than one tile holds, and no whole number of tiles; channels that come one
        // by one.
        for (tile, channels) in Tile::ALL.into_iter().zip([[12, 20], [3, 140]].into_iter().cycle()) {
            let choice = Choice { rung: Rung::WorkgroupTile, tile: Some(tile) };
            assert!(tile.is_sound());
            assert!(check_passes(gpu, choice, &geometry(2, [13, 11], channels, [3, 3]))? >= 2);
        }
        Ok(())
    });
}

#[test]
fn a_rung_that_does_not_take_a_shape_says_so() {
    check::on_every_gpu(|gpu| {
        let g = geometry(1, [2, 3], [3, 5], [3, 3]);
        let tensors = Case::of(&g).upload(gpu)?;
        for rung in Rung::ALL.into_iter().skip(1) {
            for pass in Pass::ALL {
                assert!(!fits(rung, pass, &g, gpu.subgroup_sizes()), "{rung}");
                let error = run(gpu, rung.into(), pass, &g, &tensors).expect_err("odd channels");
                assert!(matches!(error, Error::Shape { .. }), "{error}");
                assert!(error.to_string().contains(&format!("the {rung} rung has no kernel")), "{error}");
            }
        }
        Ok(())
    });
}

#[test]
fn broadcasts_need_subgroups_of_eight() {
    let g = geometry(1, [8, 8], [16, 16], [3, 3]);
    for pass in Pass::ALL {
        assert!(
            fits(Rung::Broadcast, pass, &g, Some((8, 8))) && fits(Rung::Broadcast, pass, &g, Some((8, 128)))
        );
        assert!(!fits(Rung::Broadcast, pass, &g, Some((4, 64))) && !fits(Rung::Broadcast, pass, &g, None));
        assert!(fits(Rung::RegisterTile, pass, &g, None) && fits(Rung::WorkgroupTile, pass, &g, None));
    }
}
