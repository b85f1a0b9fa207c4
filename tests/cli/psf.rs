//! `legato psf`, and PSFs that come from a file.

use crate::support::{Place, SURVEY};
use legato::fits::{open_images, read_psf};
use legato::sky::Psf;

/// A survey whose PSF is an image at `scale` arcsec.
fn survey_of(file: &str, scale: f64) -> String {
    let model = "model = \"moffat\"\nfwhm = 0.17\nbeta = 1.85";
    SURVEY.replace(model, &format!("model = \"file\"\npath = \"{file}\"\npixel_scale = {scale}"))
}

#[test]
fn the_psf_is_written_normalised_centred_and_oversampled() {
    let place = Place::new();
    let answer =
        place.legato("psf --survey survey.toml --oversampling 5 --size 3.01arcsec -o psf.fits").well();
    assert!(answer.out.contains("Moffat, FWHM 0.17 arcsec, beta 1.85\nFWHM 0.1700 arcsec\n"), "{answer:#?}");
    // 1 − (1 + r²/α²)^(1−β) with α = fwhm / (2 √(2^(1/β) − 1)).
    assert!(answer.out.contains("light within 0.5 arcsec: 0.9088\n"), "{answer:#?}");
    assert!(answer.err.contains("psf.fits: 251×251 pixels of 0.0120 arcsec"), "{answer:#?}");
    let image = open_images(place.path("psf.fits")).unwrap().next().unwrap().unwrap();
    assert_eq!((image.width, image.height), (251, 251));
    let sum: f64 = image.pixels.iter().map(|&p| f64::from(p)).sum();
    assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    // Of the model's own values, in the middle and beside it, but for the light outside.
    let model = Psf::moffat(0.17, 1.85).unwrap().image(251, 0.012);
    let light: f64 = model.iter().sum();
    for pixel in [125 * 251 + 125, 125 * 251 + 140, 3 * 251 + 200] {
        assert!((f64::from(image.pixels[pixel]) * light / model[pixel] - 1.0).abs() < 1e-6);
    }
}

#[test]
fn the_psf_of_the_default_survey_is_written_whole() {
    let place = Place::new();
    let answer = place.legato("psf -o psf.fits").well();
    assert!(answer.out.starts_with("HST/WFC3-IR F160W, 0.06 arcsec\nFWHM 0.183"), "{answer:#?}");
    assert!(
        answer.err.contains("psf.fits: 669×669 pixels of 0.0150 arcsec, 100.00% of the light"),
        "{answer:#?}"
    );
}

#[test]
fn a_psf_that_was_written_serves_another_survey() {
    let place = Place::new();
    place.legato("psf --survey survey.toml --size 301 -o psf.fits").well();
    std::fs::write(place.path("filed.toml"), survey_of("psf.fits", 0.015)).unwrap();
    place.legato("psf --survey filed.toml --oversampling 2 --size 4arcsec -o again.fits").well();
    let again = read_psf(place.path("again.fits"), None).unwrap();
    assert!((again.fwhm() - 0.17).abs() < 1e-3, "{}", again.fwhm());
    place.legato("simulate --survey filed.toml -n 2 -o s.fits").well();
}

#[test]
fn psfs_that_cannot_be_used_or_written_say_why() {
    let place = Place::new();
    for (arguments, words) in [
        ("psf", "--output <OUTPUT>"),
        ("psf --size 64 -o psf.fits", "it must be odd, so that there is a middle pixel"),
        ("psf --size 2px -o psf.fits", "an odd number of pixels, or arcsec as in 4arcsec"),
        ("psf --oversampling 0 -o psf.fits", "invalid value '0' for '--oversampling"),
        ("psf --size 900arcsec -o psf.fits", "give a smaller --size or --oversampling"),
    ] {
        place.legato(arguments).fails(2, &[words]);
    }
    place.legato("psf -o no/such/psf.fits").fails(1, &["no/such/psf.fits: cannot write"]);
    assert!(!place.path("psf.fits").exists());
    place.legato("psf --survey survey.toml --size 31 -o small.fits").well();
    for (file, scale, words) in [
        ("absent.fits", 0.06, "absent.fits: cannot read"),
        ("survey.toml", 0.06, "survey.toml: not a readable FITS file"),
        (
            "small.fits",
            0.15,
            "small.fits: the PSF has pixels of 0.15 arcsec, more than 2 times the survey's 0.06",
        ),
    ] {
        std::fs::write(place.path("filed.toml"), survey_of(file, scale)).unwrap();
        for command in
            ["psf --survey filed.toml -o out.fits", "simulate --survey filed.toml -n 2 -o out.fits"]
        {
            place.legato(command).fails(1, &[words]);
        }
        assert!(!place.path("out.fits").exists());
    }
}

#[test]
fn of_several_psfs_one_is_chosen() {
    let place = Place::new();
    let moffat = "[psf]\nmodel = \"moffat\"\nfwhm = 0.17\nbeta = 1.85\n";
    let two: String =
        [0.2, 0.3].iter().map(|fwhm| format!("[[psf]]\nmodel = \"gaussian\"\nfwhm = {fwhm}\n")).collect();
    std::fs::write(place.path("two.toml"), SURVEY.replace(moffat, &two)).unwrap();
    for (index, fwhm) in [(0, "FWHM 0.2000 arcsec"), (1, "FWHM 0.3000 arcsec")] {
        let answer = place.legato(&format!("psf --survey two.toml --index {index} -o psf.fits")).well();
        assert!(answer.out.contains(fwhm), "{answer:#?}");
    }
    for (arguments, words) in [
        ("psf --survey two.toml -o new.fits", "survey 'tiny' has 2 PSFs: choose one of 0 to 1 with --index"),
        (
            "psf --survey two.toml --index 2 -o new.fits",
            "--index 2: survey 'tiny' has 2 PSFs, counted from 0",
        ),
        (
            "psf --survey survey.toml --index 1 -o new.fits",
            "--index 1: survey 'tiny' has 1 PSF, counted from 0",
        ),
    ] {
        place.legato(arguments).fails(2, &[words]);
    }
    assert!(!place.path("new.fits").exists());
}

#[test]
fn the_help_shows_an_example() {
    let help = Place::new().legato("psf --help").well().out;
    assert!(help.contains("Example:\n  legato psf"), "{help}");
}
