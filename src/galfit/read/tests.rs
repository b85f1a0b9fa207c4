use super::super::testing::{GALAXY, SKY, block, model};
use super::*;

fn read(components: &[(&str, &[(&str, &str)])], more: &[&str]) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("H.gf7.fits");
    block(&path, model(components, more), &["PIXSCALE= 0.06"]);
    read_block(&path).unwrap()
}

/// Another component at this place, of this magnitude.
fn other(x: &'static str, y: &'static str, mag: &'static str) -> [(&'static str, &'static str); 7] {
    let mut parameters = [("", ""); 7];
    parameters.copy_from_slice(GALAXY);
    (parameters[0].1, parameters[1].1, parameters[2].1) = (x, y, mag);
    parameters
}

#[test]
fn a_galaxy_is_read_in_the_catalogues_units() {
    let Answer { row, trouble, galaxy, .. } = read(&[("sky", SKY), ("sersic", GALAXY)], &[]);
    assert_eq!((trouble, galaxy, row.flags), (None, Some(2), Flags::default()));
    assert_eq!((row.id.as_str(), row.x, row.y, row.mag), ("H.gf7", 21.5, 14.25, 21.125));
    assert_eq!((row.re_maj, row.n, row.q, row.chi2), (5.5, 1.75, 0.64, 1.0625));
    // Along the major axis; circularised by √0.64; in arcsec of 0.06 a pixel.
    assert!((row.re_circ - 4.4).abs() < 1e-12 && (row.re_arcsec - 0.33).abs() < 1e-12);
    // 100° from +y is the same ellipse as −80°.
    assert_eq!(row.pa, -80.0);
    assert_eq!(
        (row.mag_err, row.re_maj_err, row.n_err, row.q_err),
        ([0.01; 2], [0.1; 2], [0.05; 2], [0.015; 2])
    );
    assert!(row.neighbour_ratio.is_nan() && row.ra.is_nan());
}

#[test]
fn of_several_components_the_nearest_to_the_middle_is_the_galaxy() {
    // The region's middle is (20.5, 15.5).
    let near = other("12.5 +/- 0.1", "20.25 +/- 0.1", "20.125 +/- 0.01");
    let far = other("38.0 +/- 0.1", "3.0 +/- 0.1", "23.0 +/- 0.01");
    let outside = other("[200.0]", "[3.0]", "15.0 +/- 0.01");
    let unknown = other("30.0 +/- 0.1", "3.0 +/- 0.1", "17.0 +/- 90.0");
    let components: [(&str, &[(&str, &str)]); 6] = [
        ("sersic", &far),
        ("sersic", &outside),
        ("sersic", GALAXY),
        ("sersic", &near),
        ("sersic", &unknown),
        ("psf", &near[..3]),
    ];
    let answer = read(&components, &[]);
    assert_eq!((answer.galaxy, answer.others()), (Some(3), 5));
    assert_eq!((answer.row.x, answer.row.mag), (21.5, 21.125));
    // One magnitude brighter, 9 and 6 pixels apart.
    assert!((answer.row.neighbour_ratio - 10f64.powf(0.4)).abs() < 1e-9);
    assert!((answer.row.neighbour_distance - 9f64.hypot(6.0)).abs() < 1e-9);
    assert_eq!(answer.row.flags, Flags::NEIGHBOUR);
}

#[test]
fn a_fit_that_is_no_measurement_is_flagged_and_keeps_its_values() {
    let mut starred = [("", ""); 7];
    starred.copy_from_slice(GALAXY);
    starred[3].1 = "*0.3000* +/- *4789413.5000*";
    let answer = read(&[("sersic", &starred)], &["ERROR   = 'Convergence'"]);
    assert!(answer.row.flags.contains(Flags::BAD_FIT) && answer.row.re_maj == 0.3);
    assert!(answer.trouble.is_some_and(|why| why.contains("RE_MAJ")));
    let ran_out = read(&[("sersic", GALAXY)], &["FLAGS   = '1 A-3 H-4'"]);
    assert!(ran_out.row.flags.contains(Flags::BAD_FIT) && ran_out.row.mag == 21.125);
    assert_eq!(read(&[("sersic", GALAXY)], &["FLAGS   = 'A-3 A-4 H-4'"]).row.flags, Flags::default());
}

#[test]
fn a_position_on_the_sky_is_that_of_the_fitted_part() {
    let folder = tempfile::tempdir().unwrap();
    let wcs = [
        "CTYPE1  = 'RA---TAN'",
        "CTYPE2  = 'DEC--TAN'",
        "CRVAL1  = 34.5",
        "CRVAL2  = 0.0",
        "CRPIX1  = 11.5",
        "CRPIX2  = 4.25",
        "CD1_1   = -1.0E-5",
        "CD2_2   = 1.0E-5",
    ];
    let path = folder.path().join("part.fits");
    // The part begins at pixel (11, 11) of GALFIT's image, in which its centre is given.
    let model = model(&[("sersic", GALAXY)], &["FITSECT = '[11:50,11:40]'"]);
    block(&path, model, &wcs);
    let row = read_block(&path).unwrap().row;
    assert_eq!((row.x, row.y), (21.5, 14.25));
    assert!((row.ra - 34.5).abs() < 1e-9 && row.dec.abs() < 1e-9, "{row:?}");
    assert!((row.re_arcsec - 5.5 * 0.036).abs() < 1e-9);
}

#[test]
fn limits_are_found_beside_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("block.fits");
    block(&path, model(&[("sersic", GALAXY)], &[]), &[]);
    assert_eq!(read_block(&path).unwrap().trouble, None);
    std::fs::write(folder.path().join("constraints.txt"), "1 n 0.2 to 1.75\n").unwrap();
    let answer = read_block(&path).unwrap();
    assert_eq!(answer.trouble.as_deref(), Some("N is at its limit, 1.75"));
    assert!(answer.row.flags.contains(Flags::BAD_FIT));
}

#[test]
fn blocks_that_tell_nothing_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("block.fits");
    let message = |components: &[(&str, &[(&str, &str)])]| {
        block(&path, model(components, &[]), &[]);
        read_block(&path).unwrap_err().to_string()
    };
    let error = message(&[("sky", SKY)]);
    assert!(error.contains("block.fits[2]: the model has no component with a total magnitude"), "{error}");
    let error = message(&[("sersic", &[("MAG", "bright")])]);
    assert!(error.contains("block.fits[2]: 1_MAG is 'bright', not a value of GALFIT's"), "{error}");
    let star = [("XC", "20.0"), ("YC", "15.0"), ("MAG", "20.0 +/- 0.1")];
    block(&path, model(&[("psf", &star)], &[]), &[]);
    let answer = read_block(&path).unwrap();
    assert!(answer.row.flags.contains(Flags::BAD_FIT) && answer.components.len() == 1);
    assert_eq!(answer.trouble.as_deref(), Some("none of the components is a galaxy"));
    block(&path, model(&[("sersic", GALAXY)], &[]), &[]);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..4000]).unwrap();
    assert!(read_block(&path).is_err());
}

#[test]
fn a_log_alone_gives_a_row_for_each_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fit.log");
    let fit = |mag: &str, block: &str| {
        format!(
            "Input image     : a.fits[1:40,1:30]\nInit. par. file : x\nOutput image    : {block}\n\n sersic    : ( 21.50, \
             14.25)  {mag}  5.50  1.75  0.64  -80.0\n             ( 0.02, 0.03)  0.01  0.10  0.05  0.02  1.5\n Chi^2/nu = \
             1.063\n"
        )
    };
    std::fs::write(&path, fit("21.0", "a.fits") + &fit("22.0", "out/b.fits") + &fit("21.5", "a.fits"))
        .unwrap();
    let rows: Vec<Row> = read_log(&path).unwrap().into_iter().map(|a| a.row).collect();
    let found: Vec<_> = rows.iter().map(|r| (r.id.as_str(), r.mag, r.mag_err)).collect();
    assert_eq!(found, [("b", 22.0, [0.01; 2]), ("a", 21.5, [0.01; 2])]);
    std::fs::write(&path, "nothing\n").unwrap();
    let error = read_log(&path).unwrap_err().to_string();
    assert!(error.contains("fit.log: there is no fit in it"), "{error}");
}

#[test]
fn blocks_of_legato_fit_are_read_like_galfits() {
    use crate::fits::{OutputBlock, Value};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.fits");
    let pixels = [0.5f32; 1200];
    OutputBlock {
        id: "own",
        width: 40,
        data: &pixels,
        model: &pixels,
        image: "mosaic.fits",
        sigma: None,
        psf: "psf.fits",
        catalogue: "out.fits",
        corner: (11, 21),
        wcs: None,
        zero_point: 25.9463,
        pixel_scale: 0.06,
        centre: [Value(30.5, 0.01), Value(36.25, 0.02)],
        mag: Value(21.125, 0.01),
        re_maj: Value(5.5, 0.1),
        n: Value(1.75, f64::NAN),
        q: Value(0.64, 0.015),
        pa: Value(-80.0, 1.5),
        sky: Value(1e-4, 1e-5),
        chi2: 1.0625,
        freedom: 1190,
        measured_mag: 21.2,
        flags: Flags::CUT,
    }
    .write(&path)
    .unwrap();
    let Answer { row, trouble, galaxy, .. } = read_block(&path).unwrap();
    assert_eq!((trouble, galaxy, row.flags), (None, Some(1), Flags::default()));
    assert_eq!((row.x, row.y, row.mag, row.re_maj), (30.5, 36.25, 21.125, 5.5));
    assert_eq!((row.n, row.q, row.pa, row.chi2), (1.75, 0.64, -80.0, 1.0625));
    assert!(row.n_err[0].is_nan() && row.q_err == [0.015; 2] && (row.re_arcsec - 0.33).abs() < 1e-9);
}
