//! GALFIT's own output blocks of real CANDELS galaxies, and models that it rendered, which the project may read but not
//! ship. They lie in `../shared/data` or where `LEGATO_REAL_DATA` says; run with
//! `LEGATO_REAL_DATA=… cargo test --release --test real_galfit -- --ignored`.

use legato::fits::{Flags, Row};
use legato::galfit::{Object, Preparation, Sky, prepare, read_block};
use legato::sky::Psf;
use std::path::{Path, PathBuf};

fn data() -> PathBuf {
    let folder = std::env::var_os("LEGATO_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    assert!(folder.is_dir(), "no real data in {}; set LEGATO_REAL_DATA", folder.display());
    folder
}

fn blocks() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data().join("candels-uds")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

/// By the number in the file's name.
fn number(row: &Row) -> usize {
    row.id.trim_start_matches("H.gf").parse().unwrap()
}

/// X, Y, magnitude, radius, index, axis ratio and position angle of the galaxies with usable fits, the errors of the four in the
/// middle, reduced χ², right ascension and declination. Read with astropy 8 from the header of HDU 2, places with
/// `WCS(header of HDU 1).wcs_pix2world` (the headers hold SIP coefficients of the exposures, which the drizzled mosaic has not).
type Galaxy = (usize, [f64; 7], [f64; 4], f64, f64, f64);

#[expect(clippy::approx_constant, reason = "an axis ratio that is no 2/π")]
const USABLE: [Galaxy; 8] = [
    (
        4,
        [77.769, 24.8748, 23.0603, 4.4381, 1.4913, 0.7161, 67.9245],
        [0.0466, 0.2362, 0.1431, 0.0408],
        0.1834987,
        34.26508072310441,
        -5.277844458103838,
    ),
    (
        5,
        [91.1523, 55.5408, 21.0611, 19.3879, 1.5496, 0.7983, -62.8527],
        [0.05, 0.5601, 0.0408, 0.0192],
        0.1850568,
        34.295402735554,
        -5.277772799859916,
    ),
    (
        15,
        [62.5562, 50.5171, 23.2094, 6.2528, 1.6413, 0.6138, 63.4798],
        [0.023, 0.2393, 0.089, 0.0198],
        0.1564976,
        34.28227381916699,
        -5.277370732170723,
    ),
    (
        17,
        [115.5653, 95.075, 22.4877, 7.6338, 1.3415, 0.1864, 47.0306],
        [0.0151, 0.1442, 0.0535, 0.0047],
        0.1549561,
        34.29566363705643,
        -5.277697276300473,
    ),
    (
        20,
        [44.4502, 22.4331, 23.7106, 4.5433, 0.6959, 0.6366, 36.0538],
        [0.0358, 0.2653, 0.085, 0.0352],
        0.1681902,
        34.321910138397534,
        -5.277145398792896,
    ),
    (
        26,
        [59.1807, 54.1319, 22.3164, 4.2197, 1.4063, 0.95, 29.9742],
        [0.0079, 0.0567, 0.0334, 0.011],
        0.2028522,
        34.26542537697949,
        -5.277590251962602,
    ),
    (
        33,
        [54.6534, 39.8149, 23.6829, 6.9293, 1.653, 0.3956, 84.2706],
        [0.0304, 0.3447, 0.1239, 0.0182],
        0.2252621,
        34.27505836687563,
        -5.2771476315563035,
    ),
    (
        38,
        [53.9636, 22.4118, 22.7669, 5.2926, 0.3931, 0.7112, -24.6492],
        [0.0352, 0.182, 0.0284, 0.0266],
        0.1423028,
        34.430963663899895,
        -5.2769676176439395,
    ),
];

#[test]
#[ignore = "needs real data: candels-uds"]
fn candels_fits_are_read_as_astropy_reads_them_and_junk_is_flagged() {
    let answers: Vec<_> =
        blocks().iter().map(|path| read_block(path).unwrap_or_else(|e| panic!("{e}"))).collect();
    assert_eq!(answers.len(), 14);
    for answer in &answers {
        let Row { id, mag, re_maj, n, q, neighbour_ratio, neighbour_distance, flags, .. } = &answer.row;
        println!(
            "{id}: {mag:.3} {re_maj:.2} {n:.2} {q:.3}, {} others, ratio {neighbour_ratio:.2} at {neighbour_distance:.1}, \
             {flags} {}",
            answer.others(),
            answer.trouble.as_deref().unwrap_or("")
        );
    }
    let flagged: Vec<usize> =
        answers.iter().filter(|a| a.row.flags.contains(Flags::BAD_FIT)).map(|a| number(&a.row)).collect();
    assert_eq!(flagged, [18, 30, 32, 34]);
    for (galaxy, values, errors, chi2, ra, dec) in USABLE {
        let row = &answers.iter().find(|a| number(&a.row) == galaxy).unwrap().row;
        assert_eq!([row.x, row.y, row.mag, row.re_maj, row.n, row.q, row.pa], values, "gf{galaxy}");
        assert_eq!([row.mag_err, row.re_maj_err, row.n_err, row.q_err], errors.map(|e| [e; 2]), "gf{galaxy}");
        assert_eq!(row.chi2, chi2);
        assert!(
            (row.ra - ra).abs() < 1e-8 && (row.dec - dec).abs() < 1e-8,
            "gf{galaxy}: {} {}",
            row.ra,
            row.dec
        );
        assert!((row.re_arcsec - 0.06 * row.re_maj).abs() < 1e-4 * row.re_arcsec);
        assert!((row.re_circ - row.re_maj * row.q.sqrt()).abs() < 1e-9);
    }
}

#[test]
#[ignore = "needs real data: candels-uds"]
fn a_candels_neighbour_is_the_galaxy_of_another_block() {
    let read = |n: usize| read_block(&data().join(format!("candels-uds/H.gf{n}.fits"))).unwrap();
    let (crowded, alone) = (read(4), read(26));
    // gf4's component 4 is the galaxy of gf26: 22.3122 and 22.3164 mag, 4.23 and 4.22 pixels.
    let galaxy = &crowded.row;
    assert_eq!((crowded.galaxy, crowded.others()), (Some(2), 3));
    let theirs = galaxy.mag - 2.5 * galaxy.neighbour_ratio.log10();
    assert!((theirs - alone.row.mag).abs() < 0.01, "{theirs} {}", alone.row.mag);
    let (ra, dec) = (alone.row.ra - galaxy.ra, alone.row.dec - galaxy.dec);
    let apart = (ra * galaxy.dec.to_radians().cos()).hypot(dec) * 3600.0 / 0.06;
    assert!((apart - galaxy.neighbour_distance).abs() < 0.1, "{apart} {}", galaxy.neighbour_distance);
    assert!(galaxy.flags.contains(Flags::NEIGHBOUR));
}

#[test]
#[ignore = "needs real data: galfit-truth"]
fn models_that_galfit_rendered_are_read_alone() {
    for (file, n) in [("galfit_sersic_n1.fits.gz", 1.0), ("galfit_n4_psf1.fits.gz", 4.0)] {
        let answer = read_block(&data().join("galfit-truth").join(file)).unwrap();
        let row = &answer.row;
        assert_eq!((row.mag, row.re_maj, row.n, row.q, row.pa), (20.0, 30.0, n, 1.0, 0.0));
        assert_eq!((row.id.as_str(), answer.trouble), (file.trim_end_matches(".fits.gz"), None));
        assert!(row.re_arcsec.is_nan() && row.n_err[0].is_nan());
    }
}

#[test]
#[ignore = "needs real data: candels-uds"]
fn fits_of_candels_galaxies_start_near_where_galfit_ended() {
    let folder = tempfile::tempdir().unwrap();
    let how = Preparation {
        psf: Some(Psf::wfc3_f160w()),
        psf_as_is: false,
        pixel_scale: None,
        pixel_scale_assumed: 0.06,
        zero_point: None,
        zero_point_assumed: 25.9463,
        size: 256,
        sky: Sky::Held(0.0),
        sigma: None,
        exposure: None,
        rms: Vec::new(),
        masks: Vec::new(),
    };
    let prepared = prepare(&blocks(), &how, folder.path(), || ()).unwrap();
    assert_eq!((prepared.made, prepared.failures.len()), (14, 0));
    let mut off = Vec::new();
    for (i, path) in blocks().iter().enumerate() {
        let object = Object::read(&folder.path().join(format!("objects/{:06}", i + 1))).unwrap();
        let ended = read_block(path).unwrap().row;
        let first = object.initial;
        println!("{}: {first:?}, ended at {:.2} {:.2} {:.2}", ended.id, ended.mag, ended.re_maj, ended.q);
        assert_eq!(object.zero_point, 25.9463);
        // Those that nothing touches.
        if [15, 20, 33, 38].contains(&number(&ended)) {
            off.push((first.mag - ended.mag).abs());
            assert!((first.x - ended.x).hypot(first.y - ended.y) < 3.0, "{}", ended.id);
            assert!((first.re_maj / ended.re_maj).ln().abs() < 0.6, "{}", ended.id);
        }
    }
    assert!(off.iter().all(|&off| off < 0.8), "{off:?}");
}
