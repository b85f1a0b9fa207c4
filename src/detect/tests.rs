//! The whole of it, on images whose sources are known.

use super::*;
use crate::rng::{Philox, Stream};
use rand_distr::{Distribution, Normal};

/// Noise of 1 about zero.
fn noise(n: usize, sub: u32) -> Vec<f32> {
    let normal = Normal::new(0.0, 1.0).unwrap();
    let mut numbers = Philox::new(9, Stream::Test, sub, 0);
    (0..n).map(|_| normal.sample(&mut numbers) as f32).collect()
}

/// A Gaussian on an image: centre (1-based), semi-axes, position angle (degrees), light.
struct Gaussian(f64, f64, f64, f64, f64, f64);

fn add(image: &mut [f32], width: usize, Gaussian(x, y, a, b, pa, light): Gaussian) {
    let (sin, cos) = (pa + 90.0).to_radians().sin_cos();
    for (i, pixel) in image.iter_mut().enumerate() {
        let (dx, dy) = ((i % width + 1) as f64 - x, (i / width + 1) as f64 - y);
        let (u, v) = ((cos * dx + sin * dy) / a, (cos * dy - sin * dx) / b);
        *pixel += (light / (2.0 * std::f64::consts::PI * a * b) * (-0.5 * (u * u + v * v)).exp()) as f32;
    }
}

fn find(image: &[f32], width: usize) -> Detection {
    detect(image, width, None, None, &Settings::default()).unwrap()
}

/// A field of 331×287 pixels with a hundred sources, many of them blended.
fn crowded() -> Vec<f32> {
    let mut image = noise(331 * 287, 1);
    for i in 0..100u32 {
        let words = crate::rng::philox([i, 0, 0, 8], [5, 0]);
        let [x, y, size, shape] = words.map(|w| f64::from(crate::rng::unit_f32(w)));
        let light = 10f64.powf(2.0 + 2.5 * ((7 * i) % 100) as f64 / 100.0);
        let (a, q) = (1.5 + 3.0 * size, 0.4 + 0.6 * shape);
        add(&mut image, 331, Gaussian(331.0 * x, 287.0 * y, a, a * q, 180.0 * size, light));
    }
    image
}

#[test]
fn noise_alone_gives_no_more_than_chance() {
    let width = 700;
    let image = noise(width * 600, 2);
    // Five touching pixels of smoothed noise (σ 0.375) above 1.5 are four-σ events.
    assert!(find(&image, width).sources.len() <= 1);
    // Just above one smoothed σ there are many: the threshold is what keeps them out.
    let low = Settings { threshold: 0.5, ..Settings::default() };
    assert!(detect(&image, width, None, None, &low).unwrap().sources.len() > 100);
}

#[test]
fn a_source_is_measured_where_and_as_it_is() {
    let (width, height) = (201, 187);
    let mut image = noise(width * height, 3);
    add(&mut image, width, Gaussian(101.3, 90.8, 5.0, 3.0, 35.0, 2e4));
    let found = find(&image, width);
    assert_eq!(found.sources.len(), 1);
    let source = &found.sources[0];
    // The light's error is 40 of 20,000: positions err by σ/(S/N) ≈ 0.01.
    assert!((source.x - 101.3).abs() < 0.05 && (source.y - 90.8).abs() < 0.05, "{source:?}");
    assert!((source.x_windowed - 101.3).abs() < 0.05 && (source.y_windowed - 90.8).abs() < 0.05);
    assert!((source.flux_auto / 2e4 - 1.0).abs() < 0.015, "{}", source.flux_auto);
    assert!((source.pa - 35.0).abs() < 1.0, "{}", source.pa);
    assert!((source.axis_ratio() - 0.6).abs() < 0.02, "{}", source.axis_ratio());
    // Smoothing widens, the threshold cuts.
    assert!((source.a / 5.0 - 1.0).abs() < 0.05, "{}", source.a);
    // Half the light of a Gaussian of equal area is within 1.1774 √(ab); of this axis ratio within 2% of that.
    assert!((source.half_light_radius / (1.1774 * 15f64.sqrt()) - 1.0).abs() < 0.04);
    assert!((source.snr / (source.flux_auto / source.flux_auto_err) - 1.0).abs() < 1e-12);
    assert_eq!(source.flags, Flags::default());
}

#[test]
fn blended_sources_are_split_and_know_each_other() {
    let width = 150;
    let mut image = noise(width * 140, 4);
    add(&mut image, width, Gaussian(70.0, 70.0, 3.0, 3.0, 0.0, 1e4));
    add(&mut image, width, Gaussian(81.0, 73.0, 3.0, 3.0, 0.0, 4e3));
    add(&mut image, width, Gaussian(110.0, 75.0, 3.0, 3.0, 0.0, 6e3));
    let sources = find(&image, width).sources;
    assert_eq!(sources.len(), 3);
    for (source, (x, blended)) in sources.iter().zip([(70.0, true), (81.0, true), (110.0, false)]) {
        assert!((source.x - x).abs() < 0.5);
        assert_eq!(source.flags.contains(Flags::DEBLENDED), blended);
    }
    let beside = neighbours(&sources, 64.0);
    let brightest = beside[1].unwrap();
    assert!(brightest.index == 0 && brightest.blended);
    assert!((brightest.ratio - 2.5).abs() < 0.4 && (brightest.distance - 130f64.sqrt()).abs() < 0.5);
    assert!(beside[2].is_some_and(|n| n.index == 0 && !n.blended));
}

#[test]
fn a_source_on_the_edge_is_flagged() {
    let width = 120;
    let mut image = noise(width * 110, 5);
    add(&mut image, width, Gaussian(2.0, 55.0, 3.0, 3.0, 0.0, 5e3));
    add(&mut image, width, Gaussian(60.0, 60.0, 3.0, 3.0, 0.0, 5e3));
    add(&mut image, width, Gaussian(60.0, 10.5, 3.0, 3.0, 0.0, 5e3));
    let sources = find(&image, width).sources;
    let flags: Vec<String> = sources.iter().map(|s| s.flags.to_string()).collect();
    assert_eq!(flags, ["CUT", "EDGE|CUT", "-"]);
}

#[test]
fn pixels_without_data_are_not_used_and_flagged() {
    let width = 120;
    let mut image = noise(width * 110, 6);
    add(&mut image, width, Gaussian(60.0, 55.0, 3.0, 3.0, 0.0, 5e3));
    let brightest =
        |found: &Detection| found.sources.iter().max_by(|a, b| a.flux.total_cmp(&b.flux)).unwrap().clone();
    let whole = brightest(&find(&image, width));
    for row in 40..70 {
        image[row * width + 63] = f32::NAN;
        image[row * width + 64] = f32::INFINITY;
        image[row * width + 65] = 0.0;
    }
    let blank = Settings { blank_zeros: true, ..Settings::default() };
    let found = detect(&image, width, None, None, &blank).unwrap();
    let mut mask = vec![false; image.len()];
    (40..70).for_each(|row| mask[row * width + 63..row * width + 66].fill(true));
    let masked = detect(&image, width, None, Some(&mask), &Settings::default()).unwrap();
    assert_eq!(found.sources, masked.sources);
    let source = brightest(&found);
    assert!(source.flags.contains(Flags::MASKED));
    // What lies opposite stands in, about a centre that the missing pixels have moved.
    assert!((source.flux_auto / whole.flux_auto - 1.0).abs() < 0.15, "{}", source.flux_auto);
}

#[test]
fn the_noise_of_an_rms_map_decides() {
    let width = 160;
    let mut image = noise(width * 120, 7);
    for x in [40.0, 120.0] {
        add(&mut image, width, Gaussian(x, 60.0, 2.0, 2.0, 0.0, 200.0));
    }
    let rms: Vec<f32> = (0..image.len()).map(|i| if i % width < 80 { 1.0 } else { 20.0 }).collect();
    let settings = Settings { subtract: false, ..Settings::default() };
    let sources = detect(&image, width, Some(&rms), None, &settings).unwrap().sources;
    assert_eq!(sources.len(), 1);
    assert!((sources[0].x - 40.0).abs() < 0.3);
    let none = vec![f32::NAN; image.len()];
    assert_eq!(detect(&image, width, Some(&none), None, &settings).unwrap().sources, []);
}

#[test]
fn tiles_of_any_size_give_the_same_bits() {
    let image = crowded();
    let at = |pixels_at_once: usize| {
        let settings = Settings { pixels_at_once, ..Settings::default() };
        let mut largest = 0;
        let read = |window: Window| {
            largest = largest.max(window.area());
            Ok(Tile::cut(window, 331, &image, None, None))
        };
        let found = detect_windows(331, 287, read, &settings).unwrap();
        (found, largest)
    };
    let (whole, all) = at(1 << 24);
    assert!(whole.sources.len() > 60 && whole.sources.iter().any(|s| s.flags.contains(Flags::DEBLENDED)));
    assert_eq!(all, image.len());
    for pixels_at_once in [50_000, 20_000, 331, 1] {
        let (parts, largest) = at(pixels_at_once);
        assert_eq!(parts, whole, "{pixels_at_once}");
        assert!(largest < all);
    }
}

#[test]
fn the_segmentation_shows_each_sources_pixels() {
    let image = crowded();
    let mut found = find(&image, 331);
    let whole = Window { x: 0, y: 0, width: 331, height: 287 };
    let map = found.segmentation(whole);
    for (i, source) in found.sources.iter().enumerate() {
        let own: Vec<usize> = (0..map.len()).filter(|&k| map[k] == i as u32 + 1).collect();
        assert_eq!(own.len(), source.area);
    }
    let part = found.segmentation(Window { x: 100, y: 50, width: 7, height: 3 });
    assert_eq!(part[8], map[51 * 331 + 101]);
    let before = found.sources.len();
    found.retain(|s| s.snr > 20.0);
    assert!(found.sources.len() < before && found.sources.iter().all(|s| s.snr > 20.0));
    let area: usize = found.sources.iter().map(|s| s.area).sum();
    assert_eq!(found.segmentation(whole).iter().filter(|&&l| l > 0).count(), area);
}

#[test]
fn images_that_hold_nothing_give_no_sources() {
    for (pixels, width) in [
        (vec![f32::NAN; 70 * 80], 70),
        (vec![3.5; 70 * 80], 70),
        (vec![1.0], 1),
        (vec![f32::NAN], 1),
        (vec![1.0, 2.0, 3.0], 1),
    ] {
        assert_eq!(find(&pixels, width).sources, []);
    }
    let demanding = Settings { min_area: usize::MAX, ..Settings::default() };
    assert_eq!(detect(&crowded(), 331, None, None, &demanding).unwrap().sources, []);
}

#[test]
fn arrays_of_the_wrong_size_are_refused() {
    let image = vec![0.0; 12];
    let settings = Settings::default();
    let message = |width, rms: Option<&[f32]>, mask: Option<&[bool]>| {
        detect(&image, width, rms, mask, &settings).unwrap_err().to_string()
    };
    assert_eq!(message(5, None, None), "detect: 12 pixels for rows of 5");
    assert!(message(0, None, None).contains("rows of 0"));
    assert!(message(4, Some(&[1.0]), None).contains("1 rms values and 12 pixels"));
    assert!(message(4, None, Some(&[true; 13])).contains("13 mask values"));
    assert!(detect(&[], 4, None, None, &settings).unwrap_err().to_string().contains("4×0 pixels"));
    let short = detect_windows(4, 3, |_| Ok(Tile::default()), &settings).unwrap_err().to_string();
    assert!(short.contains("0 pixels for a window of 4×3"), "{short}");
}
