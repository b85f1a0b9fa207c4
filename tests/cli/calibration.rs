//! The same galaxy on images of other units, zero points and pixel scales.

use crate::support::{Place, trained};
use legato::fits::{Catalogue, Dataset, DatasetMeta, DatasetWriter, Flags, Row};

/// Writes the stamps of `train.fits` times `factor`, under another header.
fn rewritten(place: &Place, name: &str, factor: f32, change: impl Fn(&mut DatasetMeta)) {
    let mut set = Dataset::open(place.path("train.fits")).unwrap();
    let (mut pixels, mut meta, n) = (Vec::new(), set.meta().clone(), set.len());
    set.read(0..n, &mut pixels).unwrap();
    pixels.iter_mut().for_each(|p| *p *= factor);
    change(&mut meta);
    let mut writer = DatasetWriter::create(place.path(name), &meta, n, set.height(), set.width()).unwrap();
    writer.append(&pixels, set.truth().unwrap()).unwrap();
    writer.finish().unwrap();
}

/// The rows of a catalogue.
fn measured(place: &Place, arguments: &str) -> Vec<Row> {
    place.legato(&format!("-q fit {arguments} --models runs -o out.csv")).well();
    Catalogue::read(place.path("out.csv")).unwrap().rows
}

#[test]
fn fluxes_follow_the_zero_point() {
    let place = trained();
    let reference = measured(&place, "train.fits");
    rewritten(&place, "brighter.fits", 10.0, |meta| meta.zero_point += 2.5);
    rewritten(&place, "unknown.fits", 10.0, |meta| meta.zero_point = f64::NAN);
    let zero_point = "--zero-point 28.4463";
    let told = format!("unknown.fits {zero_point}");
    for others in [measured(&place, "brighter.fits"), measured(&place, &told)] {
        for (a, b) in reference.iter().zip(&others) {
            assert!((a.mag - b.mag).abs() < 2e-4 && a.flags == b.flags, "{a:?} {b:?}");
        }
    }
    // Without any zero point the networks' is assumed, ten times too bright, and said so.
    let assumed = measured(&place, "unknown.fits");
    assert!(assumed.iter().all(|row| row.flags.contains(Flags::ZERO_POINT_ASSUMED)));
    assert!(assumed.iter().zip(&reference).any(|(a, b)| (a.mag - b.mag).abs() > 0.01));
}

#[test]
fn an_evaluation_on_another_zero_point_is_the_same() {
    let place = trained();
    rewritten(&place, "brighter.fits", 10.0, |meta| meta.zero_point += 2.5);
    let [a, b] = ["train.fits", "brighter.fits"]
        .map(|data| place.legato(&format!("-q evaluate --data {data} --models runs")).well().out);
    assert_eq!(a, b);
}

#[test]
fn images_of_another_pixel_scale_are_resampled_and_radii_in_arcsec_unknown_without_one() {
    let place = trained();
    let reference = measured(&place, "train.fits");
    assert!(reference.iter().all(|row| !row.flags.contains(Flags::PIXEL_SCALE)));
    assert!(reference.iter().all(|row| (row.re_arcsec - 0.06 * row.re_maj).abs() < 2e-5));
    rewritten(&place, "fine.fits", 1.0, |meta| meta.pixel_scale = 0.03);
    rewritten(&place, "unknown.fits", 1.0, |meta| meta.pixel_scale = f64::NAN);
    let told = measured(&place, "unknown.fits --pixel-scale 0.03");
    for (row, told) in measured(&place, "fine.fits").iter().zip(&told) {
        assert!(row.flags.contains(Flags::RESAMPLED) && !row.flags.contains(Flags::PIXEL_SCALE));
        // Of the image's pixels, not the networks'.
        assert!((row.re_arcsec - 0.03 * row.re_maj).abs() < 2e-5, "{row:?}");
        assert_eq!((row.mag, row.re_maj, row.flags), (told.mag, told.re_maj, told.flags));
    }
    for row in measured(&place, "unknown.fits") {
        assert!(row.re_arcsec.is_nan() && row.flags.contains(Flags::PIXEL_SCALE));
    }
}

#[test]
fn stamps_of_unknown_calibration_are_not_learned_from() {
    let place = trained();
    rewritten(&place, "a.fits", 1.0, |meta| meta.zero_point = f64::NAN);
    rewritten(&place, "b.fits", 1.0, |meta| meta.pixel_scale = f64::NAN);
    rewritten(&place, "c.fits", 1.0, |meta| meta.sigma = f64::NAN);
    let train = |data: &str| {
        place.legato(&format!(
            "train --parameter magnitude --data {data} --survey survey.toml --network network.toml \
             --epochs 1 --batch 16 -o runs-of-{data}"
        ))
    };
    train("a.fits").fails(1, &["a.fits[0]: the header has no MAGZERO", "add it"]);
    train("b.fits").fails(1, &["b.fits[0]: the header has no PIXSCALE", "add it"]);
    // The noise is for the record only.
    train("c.fits").well();
    place.legato("fit c.fits --models runs-of-c.fits -o out.csv").well();
    place.legato("train --data c.fits -o runs-of-c.fits --resume").well();
}

#[test]
fn networks_of_different_calibration_do_not_mix() {
    let place = trained();
    rewritten(&place, "fine.fits", 1.0, |meta| meta.pixel_scale = 0.03);
    std::fs::remove_dir_all(place.path("runs/radius")).unwrap();
    let train = "train --parameter radius --data fine.fits --survey survey.toml --network network.toml \
                 --epochs 1 --batch 16 -o runs/radius";
    place.legato(train).well();
    let words = ["runs/radius/weights.safetensors: is for images of zero point 25.9463 and 0.03″ pixels"];
    place.legato("fit train.fits --models runs -o out.csv").fails(1, &words);
}

#[test]
fn a_network_goes_on_with_stamps_of_its_own_flux_unit() {
    let place = trained();
    rewritten(&place, "brighter.fits", 10.0, |meta| meta.zero_point += 2.5);
    let adapt = |data: &str| {
        let told = place
            .legato(&format!("adapt --model runs/magnitude --data {data} --epochs 1 -o {data}-run"))
            .well();
        let row = told.out.lines().last().unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let number = |text: &String| text.replace('\u{2212}', "-").parse::<f64>().unwrap();
        [number(&row[2]), number(&row[3])]
    };
    let (same, brighter) = (adapt("train.fits"), adapt("brighter.fits"));
    for (a, b) in same.iter().zip(&brighter) {
        assert!((a - b).abs() < 2e-3, "{same:?} {brighter:?}");
    }
    let from =
        "train --parameter magnitude --from runs/magnitude/weights.safetensors --survey survey.toml -o new";
    place
        .legato(&format!("{from} --data brighter.fits"))
        .fails(1, &["zero point 25.9463", "brighter.fits", "28.4463"]);
    rewritten(&place, "coarser.fits", 1.0, |meta| meta.pixel_scale *= 2.0);
    place.legato("adapt --model runs/magnitude --data coarser.fits -o new").fails(1, &["0.06″", "0.12″"]);
    assert!(!place.path("new").exists());
}
