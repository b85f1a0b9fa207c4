use super::super::testing::{Hdu, write};
use super::*;
use crate::fits::Mosaic;
use std::path::Path;

/// A Gaussian blob on noise that repeats but has no preferred place.
fn image(width: usize, height: usize, x: f64, y: f64) -> Image {
    let pixels = (0..width * height)
        .map(|i| {
            let (dx, dy) = ((i % width) as f64 + 1.0 - x, (i / width) as f64 + 1.0 - y);
            let noise = ((i * 7919) % 101) as f64 / 50.0 - 1.0;
            (100.0 * (-(dx * dx + dy * dy) / 8.0).exp() + noise) as f32
        })
        .collect();
    Image {
        path: "test.fits".into(),
        hdu: 0,
        plane: None,
        name: "test".to_owned(),
        width,
        height,
        pixels,
        header: Header::default(),
    }
}

fn brightest(stamp: &Stamp, size: usize) -> (usize, usize) {
    let i = (0..size * size).max_by(|&a, &b| stamp.pixels[a].total_cmp(&stamp.pixels[b])).unwrap();
    (i % size, i / size)
}

#[test]
fn an_image_of_the_stamps_size_is_left_as_it_is() {
    let image = image(64, 64, 30.0, 35.0);
    let stamp = cut(&image, 64, None);
    assert_eq!((stamp.pixels, stamp.flags, stamp.corner), (image.pixels, Flags::default(), (1, 1)));
    assert!(stamp.snr > 100.0);
}

#[test]
fn a_smaller_image_is_padded_with_the_object_in_the_middle() {
    let stamp = cut(&image(35, 31, 16.0, 17.0), 64, None);
    assert_eq!(stamp.flags, Flags::PADDED);
    assert_eq!((stamp.x, stamp.y), (16.0, 17.0));
    let (x, y) = brightest(&stamp, 64);
    assert!((31..=32).contains(&x) && (31..=32).contains(&y), "{x} {y}");
    // Beyond the image, noise like the image's own: even between −1 and 1.
    let padding: Vec<f32> =
        stamp.pixels.iter().zip(&stamp.filled).filter(|(_, f)| **f).map(|(p, _)| *p).collect();
    assert_eq!(padding.len(), 64 * 64 - 35 * 31);
    let mean = padding.iter().sum::<f32>() / padding.len() as f32;
    let sigma = (padding.iter().map(|p| (p - mean).powi(2)).sum::<f32>() / padding.len() as f32).sqrt();
    assert!((f64::from(sigma) / stamp.sky.sigma - 1.0).abs() < 0.05, "{sigma} {:?}", stamp.sky);
    let image = image(35, 31, 16.0, 17.0);
    let again = |index, seed| Cutter { seed, ..Cutter::new(64) }.from_image(&image, None, index).pixels;
    assert_eq!(again(0, 0), stamp.pixels);
    assert!(again(1, 0) != stamp.pixels && again(0, 1) != stamp.pixels);
}

#[test]
fn a_larger_image_is_cut_around_the_object() {
    let big = image(150, 131, 80.0, 60.0);
    let stamp = cut(&big, 64, None);
    assert_eq!(stamp.flags, Flags::CUT);
    assert_eq!((stamp.x, stamp.y), (80.0, 60.0));
    // Pixel for pixel that part of the image.
    let (x0, y0) = (stamp.corner.0 as usize - 1, stamp.corner.1 as usize - 1);
    assert_eq!(stamp.pixels[5 * 64 + 9], big.pixels[(y0 + 5) * 150 + x0 + 9]);
    let given = cut(&big, 64, Some((40.4, 50.0)));
    assert_eq!((given.x, given.y, given.corner), (40.4, 50.0, (9, 19)));
}

#[test]
fn bad_pixels_are_replaced_and_flagged_where_they_matter() {
    let mut damaged = image(64, 64, 32.5, 32.5);
    damaged.pixels[10 * 64 + 10] = f32::NAN;
    let stamp = cut(&damaged, 64, None);
    assert_eq!(stamp.flags, Flags::BAD_PIXELS);
    assert!(stamp.pixels[10 * 64 + 10].abs() <= 1.0);
    damaged.pixels[31 * 64 + 32] = f32::INFINITY;
    assert!(cut(&damaged, 64, None).flags.contains(Flags::CENTRE_BAD));
}

#[test]
fn a_stamp_without_data_is_flagged_and_finite() {
    let mut blank = image(40, 40, 20.0, 20.0);
    blank.pixels.fill(f32::NAN);
    for stamp in [cut(&blank, 64, None), cut(&image(40, 40, 20.0, 20.0), 64, Some((1e300, -500.0)))] {
        assert!(stamp.flags.contains(Flags::NO_DATA));
        assert!(stamp.pixels.iter().all(|p| *p == 0.0) && stamp.snr.is_nan());
    }
}

#[test]
fn noise_alone_has_a_low_snr() {
    assert!(cut(&image(64, 64, 1e4, 1e4), 64, None).flags.contains(Flags::LOW_SNR));
}

#[test]
fn an_object_that_fills_its_image_is_not_continued() {
    let mut full = image(35, 31, 16.0, 17.0);
    full.pixels.iter_mut().for_each(|p| *p += 20.0);
    let stamp = cut(&full, 64, None);
    assert!(stamp.flags.contains(Flags::PADDED | Flags::SKY_LEVEL));
    assert!(stamp.pixels.iter().zip(&stamp.filled).all(|(p, filled)| !filled || *p == 0.0));
}

/// The image in a file, as a mosaic.
fn mosaic(folder: &Path, image: &Image, cards: &[&str]) -> Layers {
    let path = folder.join("mosaic.fits");
    let hdu = Hdu::floats(&[image.width, image.height], &image.pixels);
    write(&path, &[cards.iter().fold(hdu, |hdu, card| hdu.card(card))]);
    Layers::new(Mosaic::open(&path).unwrap())
}

#[test]
fn a_mosaics_stamp_is_the_images() {
    let folder = tempfile::tempdir().unwrap();
    let mut image = image(150, 131, 80.0, 60.0);
    image.pixels[58 * 150 + 70] = f32::NAN;
    let mut layers = mosaic(folder.path(), &image, &[]);
    let cutter = Cutter::new(64);
    for centre in [(80.3, 60.0), (20.0, 125.6), (90.5, 60.5)] {
        let (a, b) =
            (cutter.from_image(&image, Some(centre), 5), cutter.from_mosaic(&mut layers, centre, 5).unwrap());
        assert_eq!((a.flags, a.corner, &a.filled, a.centre), (b.flags, b.corner, &b.filled, b.centre));
        // What was filled may be other noise: the sky of the image's border is not the window's.
        for i in (0..64 * 64).filter(|i| !a.filled[*i]) {
            // CFITSIO reads what is smaller than floats are exact to as zero.
            assert!((a.pixels[i] - b.pixels[i]).abs() < 1e-37, "{centre:?} {i}");
        }
        assert_eq!(b.to_image(b.centre.0, b.centre.1), centre);
    }
}

#[test]
fn positions_beyond_the_image_are_flagged() {
    let folder = tempfile::tempdir().unwrap();
    let mut layers = mosaic(folder.path(), &image(90, 80, 40.0, 40.0), &[]);
    let mut flags = |x, y| Cutter::new(64).from_mosaic(&mut layers, (x, y), 0).unwrap().flags;
    let edge = flags(90.4, 0.6);
    assert!(edge.contains(Flags::PADDED) && !edge.contains(Flags::OFF_IMAGE));
    for (x, y) in [(90.6, 40.0), (-200.0, 40.0), (f64::NAN, 40.0), (40.0, f64::INFINITY), (1e300, 1e300)] {
        assert!(flags(x, y).contains(Flags::OFF_IMAGE | Flags::NO_DATA), "{x} {y}");
    }
}

#[test]
fn saturated_pixels_are_those_the_header_or_the_caller_says() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(90, 80, 40.0, 40.0);
    let flagged = |cards: &[&str], saturation| {
        let mut layers = mosaic(folder.path(), &image, cards);
        let cutter = Cutter { saturation, ..Cutter::new(64) };
        cutter.from_mosaic(&mut layers, (40.0, 40.0), 0).unwrap().flags.contains(Flags::SATURATED)
    };
    assert!(!flagged(&[], None));
    assert!(flagged(&["SATURATE= 90.0"], None) && !flagged(&["SATURATE= 110.0"], None));
    assert!(flagged(&["SATURATE= 110.0"], Some(50.0)) && !flagged(&["SATURATE= 90.0"], Some(200.0)));
}

#[test]
fn a_map_of_the_noise_gives_the_stamps_noise() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(90, 80, 40.0, 40.0);
    let map = folder.path().join("rms.fits");
    let sigmas: Vec<f32> = (0..90 * 80).map(|i| if i % 90 < 30 { 3.0 } else { 2.0 }).collect();
    write(&map, &[Hdu::floats(&[90, 80], &sigmas)]);
    let mut layers = mosaic(folder.path(), &image, &[]).with_rms(&map).unwrap();
    let stamp = Cutter::new(64).from_mosaic(&mut layers, (75.0, 40.0), 0).unwrap();
    assert_eq!(stamp.sky.sigma, 2.0);
    let rms = stamp.rms.unwrap();
    assert!(rms.iter().all(|s| *s == 2.0) && stamp.filled.contains(&true));
    assert!(mosaic(folder.path(), &image, &[]).window(1, 1, 9, 9).unwrap().rms.is_none());
}
