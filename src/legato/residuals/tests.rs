//! Models of simulated galaxies, whose truth is known.

use super::search::Place;
use super::{ModelFit, Modeller, Observed, PixelNoise, Shape};
use crate::sky::{Light, Range, Sersic, Simulator, Source, Survey, SurveyNoise, Truth, magnitude_of};

const SIZE: usize = 96;

/// CANDELS on smaller stamps, with white noise or its own, and galaxies whose shape shows.
fn survey(white: bool) -> Survey {
    let mut survey = Survey::builtin("candels-f160w").unwrap();
    survey.stamp_size = SIZE;
    if white {
        survey.noise = SurveyNoise::White { sigma: 0.0032 };
    }
    survey.galaxies.magnitude = Range::uniform(19.0, 22.0);
    survey.galaxies.radius = Range::uniform(2.0, 12.0);
    survey.galaxies.sersic_index = Range::uniform(0.5, 4.0);
    survey.galaxies.axis_ratio = Range::uniform(0.2, 0.7);
    survey
}

fn shape(truth: &Truth) -> Shape {
    Shape { re_maj: truth.re_maj, n: truth.n, q: truth.q }
}

/// A stamp whose galaxy is said to be in the middle.
fn observed(pixels: &[f32], sigma: f64) -> Observed<'_> {
    let middle = 0.5 * (SIZE as f64 + 1.0);
    Observed { pixels, noise: PixelNoise::Sky(sigma), bad: None, x: middle, y: middle }
}

/// Simulated galaxies and their models with the true shape.
fn modelled(survey: &Survey, seed: u64, count: u64) -> Vec<(Truth, ModelFit)> {
    let simulator = Simulator::new(survey.clone(), seed).unwrap();
    let modeller = Modeller::of_survey(survey, SIZE, None).unwrap();
    let (pixels, truths) = simulator.batch(0..count).unwrap();
    let galaxies: Vec<_> = pixels
        .chunks_exact(SIZE * SIZE)
        .zip(&truths)
        .map(|(stamp, truth)| (observed(stamp, survey.noise.sigma()), shape(truth)))
        .collect();
    let found = modeller.fit_all(&galaxies);
    truths.into_iter().zip(found).map(|(truth, found)| (truth, found.unwrap())).collect()
}

/// Root of the mean square.
fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value * value, count + 1));
    (sum / f64::from(count)).sqrt()
}

#[test]
fn galaxies_of_known_shape_give_back_angle_centre_and_flux_to_their_errors_and_a_chi2_of_one() {
    let survey = survey(true);
    let found = modelled(&survey, 11, 120);
    type Deviation = fn(&Truth, &ModelFit) -> f64;
    let deviations: [(&str, Deviation); 4] = [
        ("pa", |t, f| Place::upright(f.pa - t.pa) / f.pa_err),
        ("x", |t, f| (f.x - t.x) / f.x_err),
        ("y", |t, f| (f.y - t.y) / f.y_err),
        ("flux", |t, f| (f.flux - 10f64.powf(0.4 * (25.9463 - t.mag))) / f.flux_err),
    ];
    for (name, deviation) in deviations {
        let spread = rms(found.iter().map(|(truth, fit)| deviation(truth, fit)));
        println!("{name}: {spread:.3} σ");
        // 120 deviates: their spread is known to 6.5%.
        assert!((0.8..1.2).contains(&spread), "{name}: {spread}");
    }
    // (χ² − 1) √(ν/2) is about a normal deviate.
    let z = |fit: &ModelFit| (fit.chi2 - 1.0) * (0.5 * fit.freedom as f64).sqrt();
    let mean = found.iter().map(|(_, fit)| z(fit)).sum::<f64>() / found.len() as f64;
    println!("chi2: {mean:.3} ± {:.3} σ", rms(found.iter().map(|(_, fit)| z(fit))));
    assert!(mean.abs() < 0.35, "{mean}");
    assert!(found.iter().all(|(_, fit)| z(fit).abs() < 4.5));
    assert!(
        found.iter().all(
            |(t, f)| (f.mag - magnitude_of(f.flux, 25.9463)).abs() < 1e-12 && (f.mag - t.mag).abs() < 0.2
        )
    );
    let fraction = rms(found.iter().map(|(_, fit)| fit.residual_fraction));
    assert!(fraction < 0.02, "{fraction}");
}

#[test]
fn correlated_noise_leaves_chi2_at_one_on_average() {
    let found = modelled(&survey(false), 12, 120);
    let freedom: f64 = found.iter().map(|(_, fit)| fit.freedom as f64).sum();
    let mean = found.iter().map(|(_, fit)| fit.chi2 * fit.freedom as f64).sum::<f64>() / freedom;
    println!("chi2 {mean:.4}");
    // Five free parameters follow as much noise as 5.7 times as many pixels, of 340 a galaxy: 8% less at most.
    assert!((0.93..1.02).contains(&mean), "{mean}");
    // Few pixels are taken for others' light where there is none.
    let left_out = found.iter().map(|(_, fit)| fit.left_out).sum::<f64>() / found.len() as f64;
    println!("left out {left_out:.4}");
    assert!(left_out < 0.02, "{left_out}");
}

/// A stamp of sources with the noise of one that is simulated, and the modeller for it.
struct Bench {
    survey: Survey,
    modeller: Modeller,
    noise: Vec<f32>,
    renderer: crate::sky::Renderer,
}

impl Bench {
    fn new() -> Self {
        let mut survey = survey(true);
        // The photons' noise is that of no galaxy: a faint one gives the sky's.
        survey.exposure = 1e12;
        let psf = crate::sky::Psf::wfc3_f160w();
        let renderer = crate::sky::Renderer::new(SIZE, 0.06, &psf).unwrap();
        survey.galaxies.magnitude = Range::uniform(45.0, 45.0);
        let (noise, _) = Simulator::new(survey.clone(), 8).unwrap().stamp(0).unwrap();
        let modeller = Modeller::of_survey(&survey, SIZE, None).unwrap();
        Bench { survey, modeller, noise, renderer }
    }

    fn stamp(&self, sources: &[(Sersic, f64, f64)]) -> Vec<f32> {
        let sources: Vec<Source> =
            sources.iter().map(|&(galaxy, x, y)| Source { light: Light::Galaxy(galaxy), x, y }).collect();
        let light = self.renderer.scene(&sources);
        light.iter().zip(&self.noise).map(|(light, noise)| *light as f32 + noise).collect()
    }

    fn fit(&self, pixels: &[f32], bad: Option<&[bool]>, galaxy: &Sersic) -> Option<ModelFit> {
        let noise = PixelNoise::Sky(self.survey.noise.sigma());
        let observed = Observed { pixels, noise, bad, x: 48.5, y: 48.5 };
        self.modeller.fit(&observed, &Shape { re_maj: galaxy.re_maj, n: galaxy.n, q: galaxy.q })
    }
}

#[test]
fn wrong_shapes_show_in_chi2() {
    let bench = Bench::new();
    let galaxy = Sersic::new(100.0, 6.0, 2.0, 0.5, 35.0).unwrap();
    let stamp = bench.stamp(&[(galaxy, 48.1, 49.2)]);
    let right = bench.fit(&stamp, None, &galaxy).unwrap();
    assert!((right.chi2 - 1.0).abs() < 0.15, "{}", right.chi2);
    for wrong in [
        Sersic { re_maj: 9.0, ..galaxy },
        Sersic { re_maj: 4.0, ..galaxy },
        Sersic { n: 4.0, ..galaxy },
        Sersic { n: 1.0, ..galaxy },
        Sersic { q: 0.75, ..galaxy },
        Sersic { q: 0.35, ..galaxy },
    ] {
        let found = bench.fit(&stamp, None, &wrong).unwrap();
        println!(
            "re {} n {} q {}: χ² {:.2}, {:.3} of the light, {:.3} left out",
            wrong.re_maj, wrong.n, wrong.q, found.chi2, found.residual_fraction, found.left_out
        );
        assert!(found.chi2 > 1.5 * right.chi2 && found.residual_fraction > 0.02, "{wrong:?}: {}", found.chi2);
        assert!(found.left_out < 0.1, "the misfit is not to be left out: {}", found.left_out);
        assert!(Place::upright(found.pa - 35.0).abs() < 1.0);
    }
}

#[test]
fn the_border_of_a_galaxy_that_fills_its_stamp_tells_no_noise() {
    let bench = Bench::new();
    let chi2 = |re_maj: f64, sigma: f64| {
        let galaxy = Sersic::new(100.0, re_maj, 1.0, 0.5, 35.0).unwrap();
        let pixels = bench.stamp(&[(galaxy, 48.1, 49.2)]);
        bench.modeller.fit(&observed(&pixels, sigma), &Shape { re_maj, n: 1.0, q: 0.5 }).unwrap().chi2
    };
    let sky = bench.survey.noise.sigma();
    assert_eq!(chi2(15.0, 4.0 * sky), chi2(15.0, sky));
    assert!(chi2(6.0, 4.0 * sky) < 0.1 * chi2(6.0, sky));
    // Less noise than usual may well be.
    assert!(chi2(15.0, 0.5 * sky) > 2.0 * chi2(15.0, sky));
}

#[test]
fn round_galaxies_have_a_model_and_no_angle() {
    let bench = Bench::new();
    let galaxy = Sersic::new(50.0, 4.0, 1.0, 1.0, 0.0).unwrap();
    let found = bench.fit(&bench.stamp(&[(galaxy, 48.5, 48.5)]), None, &galaxy).unwrap();
    assert!((found.chi2 - 1.0).abs() < 0.3 && (found.flux - 50.0).abs() < 5.0 * found.flux_err);
    assert!(found.pa.is_finite() && found.pa_err > 20.0, "{} ± {}", found.pa, found.pa_err);
}

#[test]
fn neighbours_do_not_spoil_the_model() {
    let bench = Bench::new();
    let galaxy = Sersic::new(60.0, 5.0, 1.5, 0.5, -70.0).unwrap();
    let alone = bench.fit(&bench.stamp(&[(galaxy, 48.2, 48.9)]), None, &galaxy).unwrap();
    for (flux, re, n, distance) in [(60.0, 3.0, 1.0, 25.0), (600.0, 2.0, 1.0, 35.0), (15.0, 2.0, 1.0, 14.0)] {
        for angle in [0.0, 60.0, 200.0] {
            let (sin, cos) = f64::to_radians(angle).sin_cos();
            let other = Sersic::new(flux, re, n, 0.8, 10.0).unwrap();
            let stamp =
                bench.stamp(&[(galaxy, 48.2, 48.9), (other, 48.2 + distance * cos, 48.9 + distance * sin)]);
            let found = bench.fit(&stamp, None, &galaxy).unwrap();
            let (flux_off, turned) = (found.flux / alone.flux - 1.0, Place::upright(found.pa - alone.pa));
            println!(
                "{flux} at {distance}, {angle}: flux {:+.4} (± {:.4}), pa {turned:+.2} (± {:.2}), χ² {:.2}, {:.2} left out",
                flux_off,
                alone.flux_err / alone.flux,
                alone.pa_err,
                found.chi2,
                found.left_out
            );
            assert!(flux_off.abs() < 0.03, "flux {flux_off}");
            assert!(turned.abs() < 1.0, "turned {turned}");
            // The faintest of their light, below σ in a pixel, stays: most of it the PSF's wings of the brightest.
            assert!(found.chi2 < alone.chi2 + 0.8, "χ² {} {}", found.chi2, alone.chi2);
        }
    }
}

#[test]
fn bad_pixels_are_left_out_whatever_they_hold() {
    let bench = Bench::new();
    let galaxy = Sersic::new(60.0, 5.0, 1.5, 0.5, 20.0).unwrap();
    let clean = bench.stamp(&[(galaxy, 48.2, 48.9)]);
    let bad: Vec<bool> = (0..SIZE * SIZE).map(|i| i % 37 == 0 || i % SIZE < 20).collect();
    let filled = |value: f32| -> Vec<f32> {
        clean.iter().zip(&bad).map(|(&pixel, &bad)| if bad { value } else { pixel }).collect()
    };
    let expected = bench.fit(&filled(0.0), Some(&bad), &galaxy).unwrap();
    assert_eq!(bench.fit(&filled(1e6), Some(&bad), &galaxy).unwrap(), expected);
    assert_eq!(bench.fit(&filled(f32::NAN), None, &galaxy).unwrap(), expected);
    assert!((expected.flux - 60.0).abs() < 4.0 * expected.flux_err);
    // A cosmic ray that nobody marked.
    let mut hit = clean.clone();
    hit[60 * SIZE + 30] = 100.0;
    let found = bench.fit(&hit, None, &galaxy).unwrap();
    assert!(found.excluded[60 * SIZE + 30] && (found.flux - 60.0).abs() < 4.0 * found.flux_err);
    // A map of the noise says the same as a mask.
    let map: Vec<f32> = bad.iter().map(|&bad| if bad { 0.0 } else { 0.0032 }).collect();
    let pixels = filled(1e6);
    let noise = PixelNoise::Map(&map);
    let observed = Observed { pixels: &pixels, noise, bad: None, x: 48.5, y: 48.5 };
    let by_map = bench.modeller.fit(&observed, &Shape { re_maj: 5.0, n: 1.5, q: 0.5 }).unwrap();
    assert!((by_map.flux - expected.flux).abs() < 1e-3 * expected.flux, "{} {}", by_map.flux, expected.flux);
}

#[test]
fn where_there_is_nothing_to_model_there_is_no_model() {
    let bench = Bench::new();
    let galaxy = Sersic::new(60.0, 5.0, 1.5, 0.5, 20.0).unwrap();
    let stamp = bench.stamp(&[(galaxy, 48.2, 48.9)]);
    assert_eq!(bench.fit(&vec![f32::NAN; SIZE * SIZE], None, &galaxy), None);
    assert_eq!(bench.fit(&stamp, Some(&vec![true; SIZE * SIZE]), &galaxy), None);
    assert_eq!(bench.fit(&stamp[1..], None, &galaxy), None);
    let shape = Shape { re_maj: 5.0, n: 1.5, q: 0.5 };
    let fit = |sigma: f64, shape: Shape| {
        let observed =
            Observed { pixels: &stamp, noise: PixelNoise::Sky(sigma), bad: None, x: 48.5, y: 48.5 };
        bench.modeller.fit(&observed, &shape)
    };
    assert!(fit(0.0032, shape).is_some());
    assert_eq!(fit(0.0, shape), None);
    assert_eq!(fit(f64::NAN, shape), None);
    assert_eq!(fit(0.0032, Shape { n: f64::NAN, ..shape }), None);
    // An axis ratio that a network may give and no galaxy has.
    assert!(fit(0.0032, Shape { q: 1.03, ..shape }).is_some());
    // Noise alone is modelled as well as may be.
    assert!(bench.fit(&bench.noise, None, &galaxy).unwrap().flux.abs() < 3.0);
}

#[test]
fn a_galaxys_model_does_not_depend_on_those_beside_it() {
    let survey = survey(false);
    let many = modelled(&survey, 13, 7);
    let few = modelled(&survey, 13, 3);
    assert_eq!(many[..3], few[..]);
}
