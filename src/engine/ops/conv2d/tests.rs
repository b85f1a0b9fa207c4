//! Kernels against the f64 reference, gradients against finite differences, errors.

mod ladder;

use super::*;
use crate::engine::gpu::Tile;
use crate::engine::ops::draw::Draw;
use crate::engine::ops::{arithmetic, check, dropout, max_pool, relu};

fn geometry(n: usize, [h, w]: [usize; 2], [ci, co]: [usize; 2], [kh, kw]: [usize; 2]) -> Geometry {
    Geometry {
        batch: n,
        height: h,
        width: w,
        in_channels: ci,
        out_channels: co,
        kernel_height: kh,
        kernel_width: kw,
    }
}

/// Sizes that divide nothing, in each of the kernels' domains.
fn awkward() -> Vec<Geometry> {
    vec![
        // plain: odd channels, or kernels wider than four
        geometry(1, [1, 1], [1, 1], [1, 1]),
        geometry(2, [5, 7], [3, 5], [3, 3]),
        geometry(1, [9, 6], [4, 8], [5, 5]),
        geometry(1, [6, 9], [2, 8], [2, 6]),
        geometry(1, [2, 3], [3, 2], [4, 4]),
        // one channel in
        geometry(1, [1, 1], [1, 2], [4, 4]),
        geometry(3, [7, 13], [1, 16], [4, 4]),
        geometry(1, [12, 10], [1, 6], [3, 2]),
        geometry(2, [8, 16], [1, 40], [1, 3]),
        // tiled
        geometry(1, [1, 1], [4, 2], [2, 2]),
        geometry(2, [7, 11], [8, 10], [3, 3]),
        geometry(1, [12, 24], [16, 16], [4, 4]),
        geometry(3, [9, 17], [12, 36], [2, 2]),
        geometry(1, [5, 8], [4, 68], [1, 1]),
        geometry(1, [6, 5], [4, 300], [3, 1]),
        geometry(1, [4, 8], [20, 32], [1, 4]),
        geometry(65, [3, 2], [4, 8], [2, 3]),
    ]
}

struct Case {
    x: Vec<f32>,
    w: Vec<f32>,
    b: Vec<f32>,
    d: Vec<f32>,
    shapes: [Vec<usize>; 4],
}

impl Case {
    fn of(g: &Geometry) -> Self {
        let shapes = [
            g.input_shape().to_vec(),
            g.weights_shape().to_vec(),
            vec![g.out_channels],
            g.output_shape().to_vec(),
        ];
        Case {
            x: check::random(&shapes[0], 1, 1.0),
            w: check::random(&shapes[1], 2, 1.0),
            b: check::random(&shapes[2], 3, 1.0),
            d: check::random(&shapes[3], 4, 1.0),
            shapes,
        }
    }

    fn upload(&self, gpu: &Gpu) -> Result<[Tensor; 4]> {
        let [x, w, b, d] = &self.shapes;
        Ok([
            gpu.upload(x, &self.x)?,
            gpu.upload(w, &self.w)?,
            gpu.upload(b, &self.b)?,
            gpu.upload(d, &self.d)?,
        ])
    }
}

#[test]
fn forward_matches_the_reference() {
    check::on_every_kind_of_gpu(|gpu| {
        for g in awkward() {
            let case = Case::of(&g);
            let [x, w, b, _] = case.upload(gpu)?;
            let y = conv2d_reference(&g, &check::f64s(&case.x), &check::f64s(&case.w), &check::f64s(&case.b));
            let run = |epilogue| gpu.read(&forward(gpu, &g, &x, &w, &b, epilogue)?);
            check::close(&format!("conv2d {g:?}"), &run(Epilogue::Bias)?, y.iter().copied());
            let relu = y.iter().map(|y| y.max(0.0));
            check::close(&format!("conv2d_bias_relu {g:?}"), &run(Epilogue::BiasRelu)?, relu);
        }
        Ok(())
    });
}

/// Runs `test` on every rung that makes whole cells and takes the pass of a shape. They must be so many in all: on a device
/// with subgroups that the kernels can use, and on one without.
fn on_rungs_with_cells(
    pass: Pass,
    shapes: &[Geometry],
    [with_subgroups, without]: [usize; 2],
    test: impl Fn(&Gpu, Choice, &Geometry, &[Tensor; 4]) -> Result<()>,
) {
    check::on_every_kind_of_gpu(|gpu| {
        let subgroups = gpu.subgroup_sizes();
        let mut runs = 0;
        for g in shapes {
            let tensors = Case::of(g).upload(gpu)?;
            for rung in Rung::ALL {
                if rung.makes_cells() && fits(rung, pass, g, subgroups) {
                    test(gpu, rung.into(), g, &tensors)?;
                    runs += 1;
                }
            }
        }
        // More cells and channels than any tile holds, and no whole number of tiles.
        let large = match pass {
            Pass::Forward => geometry(3, [19, 21], [4, 140], [2, 2]),
            _ => geometry(3, [19, 21], [140, 4], [2, 2]),
        };
        let tensors = Case::of(&large).upload(gpu)?;
        for tile in Tile::ALL {
            test(gpu, Choice { rung: Rung::WorkgroupTile, tile: Some(tile) }, &large, &tensors)?;
        }
        let usable = subgroups.is_some_and(|(least, _)| least >= 8);
        assert_eq!(runs, if usable { with_subgroups } else { without });
        Ok(())
    });
}

#[test]
fn pooling_in_the_kernel_gives_the_bits_of_pooling_after_it() {
    // A last row and column that are dropped, tiles that end within the image, and every rung that pools.
    let shapes = [
        geometry(1, [2, 2], [4, 4], [2, 2]),
        geometry(3, [7, 13], [1, 20], [4, 4]),
        geometry(2, [7, 11], [8, 12], [3, 3]),
        geometry(2, [19, 21], [5, 6], [3, 3]),
        geometry(1, [14, 23], [8, 34], [4, 4]),
        geometry(1, [16, 16], [8, 16], [2, 2]),
        // Weights in several uniform buffers.
        geometry(1, [5, 18], [64, 34], [3, 3]),
    ];
    on_rungs_with_cells(Pass::Forward, &shapes, [28, 10], |gpu, choice, g, [x, w, b, _]| {
        let by = |epilogue| forward_by(gpu, choice, g, [x, w, b], epilogue);
        let (together, tape) = (by(Epilogue::PoolBiasRelu)?, Tape::new(gpu));
        let sums = by(Epilogue::Bias)?;
        let apart = max_pool::relu_max_pool(&tape, &tape.constant(&sums))?;
        assert_eq!(together.shape(), apart.value().shape(), "{choice} of {g:?}");
        assert_eq!(gpu.read(&together)?, gpu.read(apart.value())?, "{choice} of {g:?}");
        let (again, places) = forward_with_places_by(gpu, choice, g, [x, w, b])?;
        assert_eq!(gpu.read(&again)?, gpu.read(&together)?, "{choice} of {g:?} with places");
        // The way back: numbers all different, to where the reference took the largest from.
        let d: Vec<f32> = (1..=again.len()).map(|i| i as f32).collect();
        let d_on_gpu = gpu.upload(again.shape(), &d)?;
        let back = max_pool::backward_by_places(gpu, [&d_on_gpu, &places], g.output_shape())?;
        let mut expected = vec![0.0; back.len()];
        let sums = check::f64s(&gpu.read(&sums)?);
        let (_, positions) = max_pool::max_pool_reference(&sums, g.output_shape());
        positions.into_iter().zip(d).for_each(|(at, d)| expected[at] = d);
        assert_eq!(gpu.read(&back)?, expected, "{choice} of {g:?} back");
        Ok(())
    });
}

#[test]
fn masking_in_the_kernel_gives_the_bits_of_masking_after_it() {
    let shapes = [
        geometry(1, [2, 2], [4, 4], [2, 2]),
        geometry(2, [7, 11], [8, 12], [3, 3]),
        geometry(2, [19, 21], [6, 8], [3, 3]),
        geometry(1, [14, 23], [34, 8], [4, 4]),
        geometry(3, [5, 10], [8, 16], [2, 2]),
        // Weights in several uniform buffers.
        geometry(1, [5, 18], [48, 64], [3, 3]),
    ];
    on_rungs_with_cells(Pass::InputGradient, &shapes, [26, 10], |gpu, choice, g, [x, w, _, d]| {
        let unmasked = input_gradient_by(gpu, choice, g, [w, d], None)?;
        // Of a factor that rounds nothing.
        for factor in [1.0, 4.0] {
            let masked = input_gradient_by(gpu, choice, g, [w, d], Some((x, factor)))?;
            let apart = relu::mask(gpu, &unmasked, x, factor)?;
            assert_eq!(gpu.read(&masked)?, gpu.read(&apart)?, "{choice} of {g:?}");
        }
        Ok(())
    });
}

#[test]
fn an_image_without_a_cell_is_not_pooled() {
    check::on_every_kind_of_gpu(|gpu| {
        for size in [[1, 9], [9, 1]] {
            let g = geometry(2, size, [8, 12], [3, 3]);
            let [x, w, b, _] = Case::of(&g).upload(gpu)?;
            for rung in Rung::ALL {
                let result = forward_by(gpu, rung, &g, [&x, &w, &b], Epilogue::PoolBiasRelu);
                let message = result.expect_err("no cell").to_string();
                assert!(
                    message.starts_with("conv2d with pooling: Geometry") && message.contains("no cell"),
                    "{message}"
                );
            }
        }
        Ok(())
    });
}

#[test]
fn a_rung_without_cells_says_that_it_neither_pools_nor_masks() {
    check::on_every_kind_of_gpu(|gpu| {
        let g = geometry(2, [7, 11], [8, 12], [3, 3]);
        let [x, w, b, d] = Case::of(&g).upload(gpu)?;
        for rung in [Rung::Naive, Rung::Vectors] {
            let refused = |result: Result<Tensor>, what: &str| {
                let message = result.expect_err("it makes no cells").to_string();
                assert!(message.starts_with(&format!("conv2d with {what}: the {rung} rung")), "{message}");
            };
            refused(forward_by(gpu, rung, &g, [&x, &w, &b], Epilogue::PoolBiasRelu), "pooling");
            refused(forward_with_places_by(gpu, rung, &g, [&x, &w, &b]).map(|(y, _)| y), "pooling");
            refused(input_gradient_by(gpu, rung, &g, [&w, &d], Some((&x, 1.0))), "a mask");
        }
        Ok(())
    });
}

/// Two convolutions with ReLU, pooling, dropout and a third, whose masks and pooling are done by other kernels, or, with the
/// linear operations between them that hide what is a rectifier's, each by its own.
fn chain(tape: &Tape, v: &[Var], fused: bool) -> Result<Var> {
    let apart = |x: Var| if fused { Ok(x) } else { arithmetic::scale(tape, &x, 1.0) };
    let draw = Draw { seed: 5, layer: 1, step: 2 };
    let x = apart(conv2d_bias_relu(tape, &v[0], &v[1], &v[2])?)?;
    let pooled = match fused {
        true => conv2d_relu_max_pool(tape, &x, &v[3], &v[4])?,
        false => None,
    };
    let pooled =
        pooled.map_or_else(|| max_pool::relu_max_pool(tape, &conv2d(tape, &x, &v[3], &v[4])?), Ok)?;
    let x = apart(dropout::dropout(tape, &apart(pooled)?, 0.25, draw)?)?;
    conv2d(tape, &x, &v[5], &v[6])
}

#[test]
fn a_chain_goes_back_through_masks_and_pools_of_other_kernels_as_through_their_own() {
    let shapes: [&[usize]; 7] =
        [&[2, 9, 11, 3], &[3, 3, 3, 8], &[8], &[4, 4, 8, 16], &[16], &[2, 2, 16, 8], &[8]];
    check::on_every_kind_of_gpu(|gpu| {
        let gradients = |fused| -> Result<Vec<Vec<f32>>> {
            let tape = Tape::new(gpu);
            let place = |(i, shape): (usize, &&[usize])| {
                Ok(tape.parameter(&gpu.upload(shape, &check::random(shape, i as u32, 0.5))?))
            };
            let v = shapes.iter().enumerate().map(place).collect::<Result<Vec<_>>>()?;
            let y = chain(&tape, &v, fused)?;
            let weights = tape.constant(&gpu.upload(y.shape(), &check::random(y.shape(), 9, 1.0))?);
            let loss = reduce::sum(&tape, &arithmetic::multiply(&tape, &y, &weights)?)?;
            let gradients = tape.backward(&loss)?;
            v.iter().map(|v| gpu.read(gradients.of(v).expect("the loss depends on all"))).collect()
        };
        for (i, (fused, apart)) in gradients(true)?.iter().zip(&gradients(false)?).enumerate() {
            check::close(&format!("gradient {i}"), fused, check::f64s(apart));
            assert!(apart.iter().any(|&g| g != 0.0), "gradient {i} is nothing");
        }
        Ok(())
    });
}

#[test]
fn the_gradients_of_a_chain_match_finite_differences() {
    // Weights small beside biases keep what the first ReLU sees from crossing its kink, and few cells are pooled, so that
    // none has two that are equal to the step.
    let shapes: [&[usize]; 7] =
        [&[1, 4, 5, 2], &[3, 3, 2, 2], &[2], &[2, 2, 2, 2], &[2], &[2, 2, 2, 3], &[3]];
    let value = |(i, shape): (usize, &&[usize])| -> Vec<f32> {
        let values = check::random(shape, i as u32, 1.0);
        match i {
            1 => values.iter().map(|w| 0.2 * w).collect(),
            2 => values.iter().map(|b| b + 3.0 * b.signum()).collect(),
            _ => values,
        }
    };
    let values: Vec<Vec<f32>> = shapes.iter().enumerate().map(value).collect();
    check::gradients_at("a chain", &shapes, &values, 0.005, |tape, v| chain(tape, v, true));
}

#[test]
fn a_convolution_that_pools_is_the_choice_of_its_rung() {
    check::on_every_gpu(|gpu| {
        let g = geometry(1, [8, 9], [4, 8], [3, 3]);
        let [x, w, b, _] = Case::of(&g).upload(gpu)?;
        let tape = Tape::new(gpu);
        let [x, b] = [tape.constant(&x), tape.constant(&b)];
        for w in [tape.parameter(&w), tape.constant(&w)] {
            let pooled = conv2d_relu_max_pool(&tape, &x, &w, &b)?;
            assert_eq!(pooled.is_some(), choice(gpu, Pass::Forward, &g).rung.makes_cells());
        }
        Ok(())
    });
}

#[test]
fn backward_matches_the_reference() {
    check::on_every_kind_of_gpu(|gpu| {
        for g in awkward() {
            let case = Case::of(&g);
            let [x, w, _, d] = case.upload(gpu)?;
            let [dx, dw, _] = conv2d_backward_reference(
                &g,
                &check::f64s(&case.x),
                &check::f64s(&case.w),
                &check::f64s(&case.d),
            );
            let found = gpu.read(&input_gradient(gpu, &g, &w, &d)?)?;
            check::close(&format!("input gradient {g:?}"), &found, dx);
            let found = gpu.read(&weight_gradient(gpu, &g, &x, &d)?)?;
            check::close(&format!("weight gradient {g:?}"), &found, dw);
        }
        Ok(())
    });
}

#[test]
fn gradients_match_finite_differences() {
    for (n, image, channels, kernel) in
        [(2, [5, 7], [3, 5], [3, 3]), (2, [5, 9], [1, 6], [4, 4]), (1, [6, 11], [4, 10], [2, 2])]
    {
        let g = geometry(n, image, channels, kernel);
        let Case { shapes: [x, w, b, _], .. } = Case::of(&g);
        check::gradients(&format!("conv2d {g:?}"), &[&x, &w, &b], 0.05, |tape, v| {
            conv2d(tape, &v[0], &v[1], &v[2])
        });
    }
}

#[test]
fn fused_gradients_match_finite_differences() {
    // A small step, and weights small beside the biases, keep outputs from crossing the kink at 0.
    let g = geometry(2, [5, 9], [4, 6], [3, 2]);
    let Case { x, w, b, shapes: [sx, sw, sb, _], .. } = Case::of(&g);
    let w: Vec<f32> = w.iter().map(|w| 0.02 * w).collect();
    let b: Vec<f32> = b.iter().map(|b| b + b.signum()).collect();
    check::gradients_at("conv2d_bias_relu", &[&sx, &sw, &sb], &[x, w, b], 0.01, |tape, v| {
        conv2d_bias_relu(tape, &v[0], &v[1], &v[2])
    });
}

#[test]
fn an_even_kernel_pads_the_bottom_and_the_right() {
    check::on_every_gpu(|gpu| {
        // A 2×2 kernel of ones over an image of ones: 4 where it fits, less at the far border.
        let (x, w) = (gpu.upload(&[1, 2, 2, 1], &[1.0; 4])?, gpu.upload(&[2, 2, 1, 1], &[1.0; 4])?);
        let tape = Tape::new(gpu);
        let b = tape.constant(&gpu.upload(&[1], &[0.0])?);
        let y = conv2d(&tape, &tape.constant(&x), &tape.constant(&w), &b)?;
        assert_eq!(gpu.read(y.value())?, [4.0, 2.0, 2.0, 1.0]);
        Ok(())
    });
}

#[test]
fn shapes_that_do_not_fit_are_an_error_that_names_them() {
    check::on_every_gpu(|gpu| {
        let tape = Tape::new(gpu);
        let constant = |shape: &[usize]| -> Result<Var> { Ok(tape.constant(&gpu.tensor(shape)?)) };
        let (x, w, b) = (constant(&[1, 4, 4, 3])?, constant(&[3, 3, 2, 8])?, constant(&[8])?);
        let message = conv2d(&tape, &x, &w, &b).expect_err("3 channels are not 2").to_string();
        assert_eq!(
            message,
            "conv2d: input [1, 4, 4, 3], weights [3, 3, 2, 8] and bias [8] do not fit: \
             the weights take 2 channels, the input has 3"
        );
        assert!(conv2d(&tape, &x, &constant(&[3, 3, 3, 8])?, &constant(&[7])?).is_err());
        assert!(conv2d_bias_relu(&tape, &constant(&[4, 4, 3])?, &w, &b).is_err());
        Ok(())
    });
}

#[test]
fn a_geometry_that_is_not_that_of_the_tensors_is_an_error() {
    check::on_every_gpu(|gpu| {
        let g = geometry(1, [4, 4], [4, 8], [3, 3]);
        let Case { shapes, .. } = Case::of(&g);
        let [x, w, b, d] = [0, 1, 2, 3].map(|i| gpu.tensor(&shapes[i]));
        let (x, w, b, d) = (x?, w?, b?, d?);
        let larger = Geometry { height: 400, ..g };
        assert!(forward(gpu, &larger, &x, &w, &b, Epilogue::Bias).is_err());
        assert!(input_gradient(gpu, &larger, &w, &d).is_err());
        assert!(weight_gradient(gpu, &larger, &x, &d).is_err());
        assert!(weight_gradient(gpu, &Geometry { batch: 0, ..g }, &x, &d).is_err());
        Ok(())
    });
}
