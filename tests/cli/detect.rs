//! `legato detect`.

use crate::support::Place;
use legato::fits::Mosaic;
use legato::rng::{Stream, fill, normal_pair};

/// Writes a float image of 128 columns and as many rows: noise of 1 on a sky of 50 and Gaussians (x, y, light), σ 2.
fn field(place: &Place, name: &str, sources: &[(f64, f64, f64)]) {
    const SIDE: usize = 128;
    let mut words = vec![0; SIDE * SIDE];
    fill(3, Stream::Test, 0, 0, &mut words);
    let mut pixels: Vec<f32> = words.chunks_exact(2).flat_map(|w| normal_pair(w[0], w[1])).collect();
    for (i, pixel) in pixels.iter_mut().enumerate() {
        *pixel += 50.0;
        for &(x, y, light) in sources {
            let square = ((i % SIDE + 1) as f64 - x).powi(2) + ((i / SIDE + 1) as f64 - y).powi(2);
            *pixel += (light / (8.0 * std::f64::consts::PI) * (-square / 8.0).exp()) as f32;
        }
    }
    let cards = ["SIMPLE  = T", "BITPIX  = -32", "NAXIS   = 2", "NAXIS1  = 128", "NAXIS2  = 128"];
    let cards = cards.into_iter().chain(["BUNIT   = 'ELECTRONS/S'", "MAGZERO = 25.0", "END"]);
    let fixed = |card: &str| match card.split_once("= ") {
        Some((key, value)) if !value.starts_with('\'') => format!("{key}= {value:>20}"),
        _ => card.to_owned(),
    };
    let mut bytes: Vec<u8> = cards.flat_map(|c| format!("{:<80}", fixed(c)).into_bytes()).collect();
    bytes.resize(2880, b' ');
    bytes.extend(pixels.iter().flat_map(|p| p.to_be_bytes()));
    bytes.resize(bytes.len().next_multiple_of(2880), 0);
    std::fs::write(place.path(name), bytes).unwrap();
}

const SOURCES: [(f64, f64, f64); 3] = [(30.4, 90.2, 1e4), (80.0, 40.0, 3e3), (88.0, 43.0, 1e3)];

#[test]
fn sources_are_listed_with_their_map() {
    let place = Place::new();
    field(&place, "field.fits", &SOURCES);
    let answer = place.legato("detect field.fits -o list.csv --segmentation map.fits").well();
    assert!(answer.err.contains("sky 50.0") && answer.err.contains("list.csv: 3 sources"), "{answer:#?}");
    assert!(answer.out.contains("DEBLENDED"), "{answer:#?}");
    let text = place.read("list.csv");
    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| -> Vec<f64> {
        let place = names.iter().position(|n| *n == name).unwrap();
        text.lines()
            .skip(1)
            .map(|line| line.split(',').nth(place).unwrap().parse().unwrap_or(f64::NAN))
            .collect()
    };
    let (x, y) = (column("X"), column("Y"));
    for (i, at) in [(0, SOURCES[1]), (1, SOURCES[2]), (2, SOURCES[0])] {
        assert!((x[i] - at.0).abs() < 0.2 && (y[i] - at.1).abs() < 0.2, "{} {}", x[i], y[i]);
    }
    assert!((column("MAG_AUTO")[2] - 15.0).abs() < 0.02);
    assert_eq!(column("COMPOSITE"), [1.0, 1.0, 2.0]);
    let map = Mosaic::open(place.path("map.fits")).unwrap().window(1, 1, 128, 128).unwrap();
    assert_eq!((map[39 * 128 + 79], map[89 * 128 + 29], map[0]), (1.0, 3.0, 0.0));
}

#[test]
fn limits_leave_the_faint_out_and_do_not_need_the_map() {
    let place = Place::new();
    field(&place, "field.fits", &SOURCES);
    let answer = place.legato("detect field.fits -o list.fits --faintest 16.5").well();
    assert!(answer.err.contains("list.fits: 2 of 3 sources"), "{answer:#?}");
    let answer = place.legato("detect field.fits -o list.ecsv --min-snr 1e9 --kernel 2.5").well();
    assert!(answer.err.contains("list.ecsv: 0 of 3 sources"), "{answer:#?}");
    assert!(place.read("list.ecsv").contains("unit: ELECTRONS/S"));
}

#[test]
fn what_makes_no_sense_is_said_and_writes_nothing() {
    let place = Place::new();
    field(&place, "field.fits", &SOURCES);
    for (arguments, code, words) in [
        ("field.fits --threshold 0", 2, "the detection threshold must be positive"),
        ("field.fits --kernel wide", 2, "--kernel wide: give pyramid, none or a FWHM"),
        ("field.fits --kernel -1", 2, "a kernel's FWHM must lie between 0 and 100 pixels, not -1"),
        ("absent.fits", 1, "absent.fits"),
        ("field.fits --rms absent.fits", 1, "absent.fits"),
        ("field.fits --rms field.fits --weight field.fits", 2, "cannot be used with"),
        ("survey.toml", 1, "survey.toml"),
    ] {
        place.legato(&format!("detect {arguments} -o list.fits")).fails(code, &[words]);
        assert!(!place.path("list.fits").exists());
    }
}
