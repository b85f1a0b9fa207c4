//! `legato fit` with `--residuals`, `--no-residuals`, `--sheet`, `--blocks` and `--psf`: what a measurement leaves of an image.

use crate::support::{Place, trained};
use legato::fits::{Catalogue, Dataset, open_images};

#[test]
fn what_is_measured_is_rendered_beside_the_pixels() {
    let place = Place::new();
    place.legato("simulate -n 4 --seed 9 -o set.fits").well();
    let made =
        place.legato("fit set.fits -o out.fits --sheet sheet.png --sheet-galaxies 3 --blocks blocks").well();
    assert!(made.err.contains("sheet.png: data, model and residual of 3"), "{}", made.err);
    assert!(std::fs::read(place.path("sheet.png")).unwrap().starts_with(b"\x89PNG"));
    let mut set = Dataset::open(place.path("set.fits")).unwrap();
    let mut stamps = Vec::new();
    set.read(0..4, &mut stamps).unwrap();
    let rows = Catalogue::read(place.path("out.fits")).unwrap().rows;
    let mut names: Vec<String> = std::fs::read_dir(place.path("blocks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 4);
    for (i, truth) in set.truth().unwrap().iter().enumerate() {
        assert!(rows[i].chi2 > 0.5, "{}", rows[i].chi2);
        let turned = (rows[i].pa - truth.pa + 90.0).rem_euclid(180.0) - 90.0;
        assert!(truth.q > 0.7 || turned.abs() < 5.0, "{turned}");
        let blocks: Vec<_> = open_images(place.path("blocks").join(&names[i])).unwrap().collect();
        assert_eq!(blocks.len(), 1, "a block is one image");
        let block = blocks.into_iter().next().unwrap().unwrap();
        assert_eq!(block.pixels, stamps[128 * 128 * i..128 * 128 * (i + 1)]);
        assert!((block.header.zero_point.unwrap() - 25.9463).abs() < 1e-9);
    }
    // Done without being asked for, as the PSF is known; left out, only what it tells is missing.
    place.legato("fit set.fits -o plain.fits").well();
    place.legato("fit set.fits --no-residuals -o bare.fits").well();
    let read = |name| Catalogue::read(place.path(name)).unwrap().rows;
    for ((with, plain), bare) in rows.iter().zip(read("plain.fits")).zip(read("bare.fits")) {
        assert_eq!(
            (with.pa, with.chi2, with.ood, with.flags),
            (plain.pa, plain.chi2, plain.ood, plain.flags)
        );
        assert!(bare.pa.is_nan() && bare.chi2.is_nan() && bare.ood <= with.ood);
        assert_eq!((with.mag, with.re_maj, with.n, with.q), (bare.mag, bare.re_maj, bare.n, bare.q));
    }
    place
        .legato("fit set.fits --no-residuals --sheet s.png -o x.fits")
        .fails(2, &["--no-residuals", "--sheet"]);
}

#[test]
fn networks_of_an_unknown_survey_need_a_psf() {
    let place = trained();
    let fit = "fit train.fits --models runs -o out.csv";
    place.legato(&format!("{fit} --residuals")).fails(2, &["survey 'tiny'", "give it with --psf"]);
    place.legato(&format!("{fit} --psf absent.fits")).fails(1, &["absent.fits: cannot read"]);
    place.legato(&format!("{fit} --sheet-galaxies 3")).fails(2, &["--sheet"]);
    std::fs::write(place.path("notes.txt"), "x").unwrap();
    place.legato(&format!("{fit} --sheet notes.txt")).fails(1, &["no PNG picture"]);
    // Magnitude and radius alone make no model.
    place.legato("psf --survey survey.toml --size 4arcsec --oversampling 2 -o psf.fits").well();
    let made = place.legato(&format!("{fit} --psf psf.fits --sheet sheet.png")).well();
    assert!(made.err.contains("sheet.png: not drawn, since no galaxy has a model"), "{}", made.err);
}
