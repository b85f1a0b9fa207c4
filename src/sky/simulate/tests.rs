use super::*;
use crate::sky::{Distribution, GalaxyCatalogue, Psf, PsfModel, RadiusUnit, SurveyPsf};

fn simulator(seed: u64) -> Simulator {
    Simulator::new(Survey::builtin("candels-f160w").unwrap(), seed).unwrap()
}

#[test]
fn a_batch_is_the_same_on_any_number_of_threads() {
    let simulator = simulator(5);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| simulator.batch(3..12).unwrap())
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(one, three);
    let (stamp, truth) = simulator.stamp(7).unwrap();
    assert_eq!(one.0[4 * 128 * 128..5 * 128 * 128], stamp);
    assert_eq!(one.1[4], truth);
    assert_eq!(truth.id, 7);
}

#[test]
fn seeds_and_indices_make_different_stamps() {
    let (a, b) = (simulator(1), simulator(2));
    assert_ne!(a.stamp(0).unwrap().0, b.stamp(0).unwrap().0);
    assert_ne!(a.stamp(0).unwrap().0, a.stamp(1).unwrap().0);
}

#[test]
fn parameters_fill_their_ranges() {
    let simulator = simulator(9);
    let truths: Vec<Truth> = (0..4000).map(|i| simulator.truth(i)).collect();
    for (value, min, max) in [
        ((|t: &Truth| t.mag) as fn(&Truth) -> f64, 16.0, 23.0),
        (|t| t.re_maj, 1.5, 31.6),
        (|t| t.n, 0.3, 6.2),
        (|t| t.q, 0.2, 0.8),
        (|t| t.pa, -90.0, 90.0),
        (|t| t.x, 64.0, 65.0),
        (|t| t.y, 64.0, 65.0),
    ] {
        let unit: Vec<f64> = truths.iter().map(|t| (value(t) - min) / (max - min)).collect();
        assert!(unit.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = unit.iter().sum::<f64>() / 4000.0;
        // Five standard errors of a uniform mean: 5/√(12·4000).
        assert!((mean - 0.5).abs() < 0.0229, "{min}..{max}: {mean}");
        assert!(unit.iter().any(|u| *u < 0.01) && unit.iter().any(|u| *u > 0.99));
    }
    assert!(truths.iter().all(|t| (t.re_circ - (t.re_maj * t.re_maj * t.q).sqrt()).abs() < 1e-12));
}

#[test]
fn the_stamp_holds_the_galaxys_light_at_its_centre() {
    let simulator = simulator(4);
    let truth =
        Truth { mag: 20.0, re_maj: 4.0, n: 1.0, q: 0.5, pa: 30.0, x: 64.7, y: 64.2, ..Truth::default() };
    let pixels = simulator.noiseless(&truth).unwrap();
    let flux: f64 = pixels.iter().sum();
    let moment = |f: fn(usize) -> usize| {
        pixels.iter().enumerate().map(|(i, p)| (f(i) as f64 + 1.0) * p).sum::<f64>() / flux
    };
    // What the PSF's wings carry beyond the stamp's edge, 3.8″ away, is (1 + 925)^−0.85 = 0.3%.
    let expected = 10f64.powf(0.4 * (25.9463 - 20.0));
    assert!((0.994..1.0).contains(&(flux / expected)), "{}", flux / expected);
    assert!((moment(|i| i % 128) - 64.7).abs() < 0.01 && (moment(|i| i / 128) - 64.2).abs() < 0.01);
}

/// The builtin survey with two PSFs, the first drawn three times as often.
fn two_psfs() -> Survey {
    let mut survey = Survey::builtin("candels-f160w").unwrap();
    let psf = |fwhm, weight| SurveyPsf { model: PsfModel::Gaussian { fwhm }, weight };
    survey.psf = vec![psf(0.15, 3.0), psf(0.3, 1.0)];
    survey
}

#[test]
fn psfs_are_drawn_by_their_weights_and_used() {
    let simulator = Simulator::new(two_psfs(), 3).unwrap().without_noise();
    let truths: Vec<Truth> = (0..4000).map(|i| simulator.truth(i)).collect();
    let first = truths.iter().filter(|t| t.psf == Some(0)).count() as f64 / 4000.0;
    // Five standard errors of a proportion.
    assert!((first - 0.75).abs() < 5.0 * (0.75f64 * 0.25 / 4000.0).sqrt(), "{first}");
    let truth = Truth { mag: 20.0, re_maj: 2.0, n: 1.0, q: 0.5, pa: 0.0, x: 64.0, y: 64.0, ..truths[0] };
    let peak = |psf| {
        let stamp = simulator.noiseless(&Truth { psf: Some(psf), ..truth }).unwrap();
        stamp.into_iter().fold(0.0, f64::max)
    };
    assert!(peak(0) > 1.2 * peak(1));
    let unnamed = |id| simulator.noiseless(&Truth { id, psf: None, ..truth }).unwrap();
    for drawn in &truths[..8] {
        let peak_of_its_own = peak(drawn.psf.unwrap());
        assert_eq!(unnamed(drawn.id).into_iter().fold(0.0, f64::max), peak_of_its_own);
    }
    let error = simulator.noiseless(&Truth { id: 7, psf: Some(2), ..truth }).unwrap_err().to_string();
    assert!(error.contains("ID 7: PSF = 2, but survey 'candels-f160w' has 2"), "{error}");
}

#[test]
fn how_one_thing_is_drawn_does_not_move_another() {
    let plain = simulator(8);
    let mut survey = two_psfs();
    survey.galaxies.magnitude.distribution = Distribution::LogUniform;
    let changed = Simulator::new(survey, 8).unwrap();
    for index in 0..20 {
        let (a, b) = (plain.truth(index), changed.truth(index));
        assert_ne!(a.mag, b.mag);
        assert_eq!(Truth { mag: a.mag, psf: a.psf, ..b }, a);
    }
}

#[test]
fn galaxies_of_a_catalogue_are_whole_rows_within_the_ranges() {
    let mut survey = Survey::builtin("candels-f160w").unwrap();
    for range in
        [&mut survey.galaxies.magnitude, &mut survey.galaxies.radius, &mut survey.galaxies.axis_ratio]
    {
        range.distribution = Distribution::Catalogue;
    }
    survey.galaxies.catalogue = Some(GalaxyCatalogue {
        path: "galaxies.csv".into(),
        magnitude: "MAG".into(),
        radius: "RE_MAJ".into(),
        radius_unit: RadiusUnit::Pixels,
        sersic_index: "N".into(),
        axis_ratio: "Q".into(),
    });
    assert!(Simulator::new(survey.clone(), 1).is_err());
    let unknown = f64::NAN;
    let rows = [
        [17.0, 20.0, unknown, 0.7],
        [22.0, 2.0, unknown, 0.3],
        // Too faint, too large, without an axis ratio.
        [25.0, 2.0, unknown, 0.3],
        [20.0, 40.0, unknown, 0.3],
        [20.0, 4.0, unknown, unknown],
    ];
    let mut parts = SurveyParts {
        psfs: vec![Psf::gaussian(0.2).unwrap()],
        galaxies: rows.to_vec(),
        ..SurveyParts::default()
    };
    let simulator = Simulator::with_parts(survey.clone(), &parts, 1).unwrap();
    assert_eq!(simulator.catalogue(), Some((2, 3)));
    let truths: Vec<Truth> = (0..1000).map(|i| simulator.truth(i)).collect();
    let bright = truths.iter().filter(|t| [t.mag, t.re_maj, t.q] == [17.0, 20.0, 0.7]).count();
    let faint = truths.iter().filter(|t| [t.mag, t.re_maj, t.q] == [22.0, 2.0, 0.3]).count();
    assert_eq!(bright + faint, 1000);
    // Five standard errors of one half.
    assert!((bright as f64 / 1000.0 - 0.5).abs() < 5.0 * (0.25f64 / 1000.0).sqrt());
    assert!(truths.iter().all(|t| survey.galaxies.sersic_index.contains(t.n)) && truths[0].n != truths[1].n);
    parts.galaxies = rows[2..].to_vec();
    let error = Simulator::with_parts(survey, &parts, 1).err().unwrap().to_string();
    assert!(error.contains("not one of the 3 galaxies of its catalogue"), "{error}");
}

#[test]
fn rows_that_no_galaxy_has_are_errors_with_their_identifier() {
    let simulator = simulator(1);
    let good = simulator.truth(0);
    assert!(simulator.stamp_of(&good, 0).is_ok());
    for bad in [
        Truth { mag: f64::NAN, ..good },
        Truth { re_maj: -1.0, ..good },
        Truth { n: 50.0, ..good },
        Truth { q: 0.0, ..good },
        Truth { pa: f64::INFINITY, ..good },
        Truth { x: f64::NAN, ..good },
        Truth { y: 1e9, ..good },
    ] {
        let error = simulator.stamp_of(&Truth { id: 33, ..bad }, 0).unwrap_err().to_string();
        assert!(error.contains("the galaxy of ID 33: "), "{error}");
    }
}

#[test]
fn every_builtin_survey_makes_stamps() {
    for name in Survey::builtin_names() {
        let simulator = Simulator::new(Survey::builtin(name).unwrap(), 1).unwrap();
        let (pixels, truths) = simulator.batch(0..3).unwrap();
        let size = simulator.survey().stamp_size;
        assert_eq!((pixels.len(), truths.len()), (3 * size * size, 3), "{name}");
        assert!(pixels.iter().all(|p| p.is_finite()), "{name}");
    }
}

#[test]
fn the_light_of_neighbours_reaches_in() {
    // The edges of crowded stamps, far from the galaxy, are brighter with neighbours than without.
    let mut survey = Survey::builtin("candels-f160w-crowded").unwrap();
    let with = Simulator::new(survey.clone(), 4).unwrap().without_noise();
    survey.companions.as_mut().unwrap().reach = 0.0;
    let without = Simulator::new(survey, 4).unwrap().without_noise();
    let mut brighter = 0;
    for index in 0..30 {
        let ((a, truth), (b, same)) = (with.stamp(index).unwrap(), without.stamp(index).unwrap());
        assert_eq!(truth, same);
        let added = a.iter().zip(&b).map(|(a, b)| f64::from(a - b));
        // What the renderer owes to the brightest pixel is nobody's light.
        let peak = b.iter().fold(0.0f32, |peak, p| peak.max(*p));
        assert!(added.clone().all(|light| light > -1e-4 * f64::from(peak)));
        brighter += usize::from(added.fold(0.0, f64::max) > 0.0032);
    }
    assert!(brighter > 15, "{brighter}");
}

/// Prints the speed; run with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn speed_on_one_thread() {
    for name in Survey::builtin_names() {
        let simulator = Simulator::new(Survey::builtin(name).unwrap(), 1).unwrap();
        simulator.stamp(0).unwrap();
        let start = std::time::Instant::now();
        let sources: usize = (0..400).map(|index| simulator.scene(index).unwrap().0.len()).sum();
        let drawn = start.elapsed().as_secs_f64();
        for index in 0..400 {
            simulator.stamp(index).unwrap();
        }
        let made = start.elapsed().as_secs_f64() - drawn;
        println!(
            "{name}: {:.2} sources a scene, {:.0} scenes/s, {:.0} stamps/s",
            sources as f64 / 400.0,
            400.0 / drawn,
            400.0 / made
        );
    }
}
