//! Tests of the augmentation.

use super::super::check;
use super::*;

const PAPER: Augmentation =
    Augmentation { max_shift: 6.4, whole_pixels: false, flips: true, zoom: [0.7, 1.3] };

fn one(gpu: &Gpu, height: usize, width: usize, stamp: &[f32], placement: Placement) -> Result<Vec<f32>> {
    gpu.read(&augment(gpu, &gpu.upload(&[1, height, width, 1], stamp)?, &[placement])?)
}

#[test]
fn stamps_match_the_reference() {
    check::on_every_gpu(|gpu| {
        for [batch, height, width] in [[1, 1, 1], [1, 5, 3], [7, 13, 17], [3, 31, 65], [2, 64, 48]] {
            let stamps = check::random(&[batch, height, width, 1], 1, 1.0);
            let placements: Vec<_> = (0..batch as u64).map(|i| PAPER.draw(5, i)).collect();
            let tensor = gpu.upload(&[batch, height, width, 1], &stamps)?;
            let got = gpu.read(&augment(gpu, &tensor, &placements)?)?;
            let reference = stamps
                .chunks(height * width)
                .zip(&placements)
                .flat_map(|(stamp, p)| augment_reference(&check::f64s(stamp), height, width, p));
            check::close("augment", &got, reference);
        }
        Ok(())
    });
}

#[test]
fn nothing_switched_on_makes_an_exact_copy() {
    let placement = Augmentation::default().draw(1, 2);
    assert_eq!(placement, Placement::default());
    check::on_every_gpu(|gpu| {
        let stamp = check::random(&[128 * 127], 1, 1.0);
        assert_eq!(one(gpu, 128, 127, &stamp, placement)?, stamp);
        Ok(())
    });
}

#[test]
fn a_shift_by_whole_pixels_moves_values_unchanged() {
    check::on_every_gpu(|gpu| {
        let (height, width) = (128, 77);
        let stamp = check::random(&[height * width], 1, 1.0);
        let got =
            one(gpu, height, width, &stamp, Placement { shift_x: 3.0, shift_y: -2.0, ..Default::default() })?;
        for row in 0..height {
            for column in 0..width {
                let inside = column >= 3 && row + 2 < height;
                let want = if inside { stamp[(row + 2) * width + column - 3] } else { 0.0 };
                assert_eq!(got[row * width + column], want, "row {row}, column {column}");
            }
        }
        Ok(())
    });
}

#[test]
fn flips_come_before_the_shift_and_mirror_about_the_centre() {
    check::on_every_gpu(|gpu| {
        let (height, width) = (6, 9);
        let mut stamp = vec![0.0; height * width];
        stamp[width + 2] = 1.0; // row 1, column 2
        let found = |placement| -> Result<(usize, usize)> {
            let got = one(gpu, height, width, &stamp, placement)?;
            let at = got.iter().position(|&v| v == 1.0).expect("the pixel is still there");
            Ok((at / width, at % width))
        };
        let flip_x = Placement { flip_x: true, ..Default::default() };
        assert_eq!(found(flip_x)?, (1, 6));
        assert_eq!(found(Placement { flip_y: true, ..Default::default() })?, (4, 2));
        assert_eq!(found(Placement { shift_x: 2.0, shift_y: 1.0, ..flip_x })?, (2, 8));
        Ok(())
    });
}

#[test]
fn a_zoom_widens_a_galaxy_keeps_its_flux_and_then_shifts_it() {
    check::on_every_gpu(|gpu| {
        let (n, sigma, zoom) = (65, 5.0_f32, 1.3);
        let squared = |i: usize| (i as f32 - 32.0).powi(2);
        let blob: Vec<f32> =
            (0..n * n).map(|i| (-(squared(i / n) + squared(i % n)) / (2.0 * sigma * sigma)).exp()).collect();
        let moments = |image: &[f32]| {
            let mut sums = [0.0_f64; 3];
            for (i, &v) in image.iter().enumerate() {
                let x = (i % n) as f64 - 32.0;
                sums = [sums[0] + f64::from(v), sums[1] + f64::from(v) * x, sums[2] + f64::from(v) * x * x];
            }
            let mean = sums[1] / sums[0];
            (sums[0], mean, (sums[2] / sums[0] - mean * mean).sqrt())
        };
        let (flux, _, width) = moments(&blob);
        let got = one(gpu, n, n, &blob, Placement { zoom, shift_x: 1.5, ..Default::default() })?;
        let (zoomed_flux, mean, zoomed_width) = moments(&got);
        assert!((zoomed_flux / flux - 1.0).abs() < 0.01, "flux {flux} became {zoomed_flux}");
        assert!((mean - 1.5).abs() < 0.01, "the shift became {mean}");
        // Bilinear interpolation itself widens the blob a little.
        assert!((zoomed_width / width / f64::from(zoom) - 1.0).abs() < 0.01, "{width} became {zoomed_width}");
        Ok(())
    });
}

#[test]
fn draws_stay_within_the_recipe_and_fill_it() {
    let draws: Vec<Placement> = (0..4000).map(|i| PAPER.draw(3, i)).collect();
    let range = |value: fn(&Placement) -> f32| {
        draws.iter().map(value).fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    for (value, low, high) in [
        ((|p| p.shift_x) as fn(&Placement) -> f32, -6.4, 6.4),
        (|p| p.shift_y, -6.4, 6.4),
        (|p| p.zoom, 0.7, 1.3),
    ] {
        let (least, most) = range(value);
        assert!(low <= least && most <= high, "{least} to {most} leaves {low} to {high}");
        assert!(most - least > 0.99 * (high - low), "{least} to {most} does not fill {low} to {high}");
    }
    // Each of the four combinations of flips a quarter of the time, within five standard errors.
    for (x, y) in [(false, false), (false, true), (true, false), (true, true)] {
        let count = draws.iter().filter(|p| (p.flip_x, p.flip_y) == (x, y)).count() as f64;
        assert!((count - 1000.0).abs() < 5.0 * 750.0_f64.sqrt(), "{count} of 4000 flips {x} {y}");
    }
    assert_eq!(draws[7], PAPER.draw(3, 7));
    assert_ne!(draws[7], PAPER.draw(4, 7));
    assert_eq!(Augmentation { whole_pixels: true, ..PAPER }.draw(3, 7).shift_x, draws[7].shift_x.round());
}

#[test]
fn stamps_and_placements_that_do_not_fit_are_errors() {
    check::on_every_gpu(|gpu| {
        let stamps = gpu.upload(&[1, 2, 2, 1], &[0.0; 4])?;
        let message = |placements: &[Placement], stamps: &Tensor| {
            augment(gpu, stamps, placements).expect_err("does not fit").to_string()
        };
        assert_eq!(message(&[], &stamps), "augment: 0 placements for stamps of shape [1, 2, 2, 1]");
        assert_eq!(
            message(&[Placement::default()], &gpu.upload(&[1, 2, 2], &[0.0; 4])?),
            "augment: the stamps have shape [1, 2, 2], not [B, H, W, 1]"
        );
        let no_zoom = Placement { zoom: 0.0, ..Default::default() };
        assert!(message(&[no_zoom], &stamps).starts_with("augment: placement 0 cannot be carried out"));
        Ok(())
    });
}
