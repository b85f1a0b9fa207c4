use super::*;

/// A FITS image of a galaxy of the given flux, in the middle of noise that repeats.
fn image(folder: &Path, name: &str, side: usize, flux: f32, cards: &[&str]) -> PathBuf {
    let mut header: Vec<String> = ["SIMPLE  = T", "BITPIX  = -32", "NAXIS   = 2"].map(str::to_owned).to_vec();
    header.extend([format!("NAXIS1  = {side}"), format!("NAXIS2  = {side}")]);
    header.extend(cards.iter().map(|&card| card.to_owned()));
    header.push("END".to_owned());
    let mut bytes: Vec<u8> = header.iter().flat_map(|card| format!("{card:<80}").into_bytes()).collect();
    bytes.resize(bytes.len().next_multiple_of(2880), b' ');
    let middle = (side as f64 - 1.0) / 2.0;
    for i in 0..side * side {
        let (x, y) = ((i % side) as f64 - middle, (i / side) as f64 - middle);
        let galaxy = (-(x * x + y * y) / 18.0).exp() / (18.0 * std::f64::consts::PI);
        let noise = ((i * 7919) % 101) as f64 / 50.0 - 1.0;
        bytes.extend((flux * (galaxy + 1e-5 * noise) as f32).to_be_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(2880), 0);
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

const CALIBRATED: [&str; 2] = ["MAGZERO = 25.0", "PIXSCALE= 0.06"];

fn catalogue(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("labels.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn labelled(images: &[PathBuf], catalogue: &Path) -> Result<(Stamps, LabelReport)> {
    Stamps::labelled(images, catalogue, 32, &LabelOptions::default())
}

#[test]
fn galaxies_with_labels_become_stamps_at_one_zero_point() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let images = [
        image(folder, "a.fits", 32, 1000.0, &CALIBRATED),
        image(folder, "b.fits", 40, 100.0, &["MAGZERO = 22.5", "PIXSCALE= 0.06"]),
        image(folder, "stranger.fits", 32, 1.0, &CALIBRATED),
        image(folder, "failed.fits", 32, 1.0, &CALIBRATED),
        image(folder, "blank.fits", 32, f32::NAN, &CALIBRATED),
        image(folder, "unmeasured.fits", 32, 1.0, &CALIBRATED),
        folder.join("absent.fits"),
    ];
    let labels = catalogue(
        folder,
        "id,mag,re_arcsec,n,q,f\nunmeasured,99,-99,-99,-99,0\nb,17.5,0.6,,0.25,1\nblank,20,1,1,1,0\n\
         failed,20,1,1,0.5,2\na,17.5,0.3,1.5,0.64,0\nelsewhere,20,1,1,1,0\n",
    );
    let (stamps, report) = labelled(&images, &labels).unwrap();
    assert_eq!(
        (stamps.len(), stamps.size(), stamps.meta.zero_point, stamps.meta.pixel_scale),
        (2, 32, 25.0, 0.06)
    );
    let expected = Truth { mag: 17.5, re_maj: 5.0, re_circ: 4.0, n: 1.5, q: 0.64, ..Truth::default() };
    let (first, second) = (stamps.truths()[0], stamps.truths()[1]);
    assert!((first.re_maj - 5.0).abs() < 1e-9 && (first.re_circ - 4.0).abs() < 1e-9, "{first:?}");
    assert_eq!((first.mag, first.n, first.q, first.id), (expected.mag, expected.n, expected.q, 4));
    assert!(first.pa.is_nan() && first.x.is_nan() && first.psf.is_none() && second.n.is_nan());
    assert!((second.re_circ - 5.0).abs() < 1e-9);
    // A tenth of the flux at a zero point 2.5 mag brighter is the same galaxy.
    for (a, b) in stamps.pixels(0).iter().zip(stamps.pixels(1)).skip(16 * 32 + 10).take(12) {
        assert!((a - b).abs() < 0.05, "{a} and {b}");
    }
    assert_eq!((report.images, report.stamps, report.rows, report.failures.len()), (6, 2, 6, 1));
    assert_eq!((report.without_label, report.bad_fits, report.without_data, report.converted), (2, 1, 1, 1));
    let words = report.to_string();
    assert!(
        words.starts_with(
            "2 of 6 images have labels, matched by file name to 6 rows; left out: 2 without a label, 1 whose fit \
             failed, 1 without a good pixel; 1 could not be read. Labels: 2 MAG, 2 RE_MAJ, 1 N, 2 Q (radius from \
             re_arcsec in arcsec). Zero point 25, to which 1 were brought; pixels of 0.0600″."
        ),
        "{words}"
    );
    stamps.check_calibration().unwrap();
    assert!(stamps.check_truth(Parameter::SersicIndex).is_err());
    let known = stamps.that_know(&[Parameter::SersicIndex]);
    known.check_truth(Parameter::SersicIndex).unwrap();
    assert_eq!((known.len(), known.pixels(0)), (1, stamps.pixels(0)));
}

#[test]
fn images_are_found_by_what_their_headers_call_them() {
    let folder = tempfile::tempdir().unwrap();
    let labels = catalogue(folder.path(), "NUMBER,N\n12,1\n013,2\n");
    for (card, what) in [("EXTNAME = '13'", "EXTNAME"), ("OBJECT  = '13'", "OBJECT")] {
        let images = [image(folder.path(), "x.fits", 32, 1.0, &[CALIBRATED[0], CALIBRATED[1], card])];
        let (stamps, report) = labelled(&images, &labels).unwrap();
        assert_eq!((report.matched_by, stamps.truths()[0].n, stamps.truths()[0].id), (Some(what), 2.0, 13));
    }
    let images = [image(folder.path(), "x.fits", 32, 1.0, &CALIBRATED)];
    let error = labelled(&images, &labels).unwrap_err().to_string();
    assert!(
        error.contains("has none of the 1 images: its first row is called '12', the first image 'x'"),
        "{error}"
    );
}

#[test]
fn without_names_rows_and_images_go_in_order_and_must_be_as_many() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut images =
        vec![image(folder, "b.fits", 32, 1.0, &CALIBRATED), image(folder, "a.fits", 32, 1.0, &CALIBRATED)];
    let labels = catalogue(folder, "MAG\n20\n21\n");
    let (stamps, report) = labelled(&images, &labels).unwrap();
    assert_eq!(stamps.truths().iter().map(|t| t.mag).collect::<Vec<_>>(), [20.0, 21.0]);
    assert!(report.matched_by.is_none() && report.to_string().contains("matched in order to 2 rows"));
    // Of two images and an unreadable one, nobody knows which two the rows are of.
    images.push(folder.join("absent.fits"));
    assert!(labelled(&images, &labels).unwrap_err().to_string().contains("absent.fits: cannot read"));
    let error = labelled(&images[..1], &labels).unwrap_err().to_string();
    assert!(error.contains("labels.csv: has 2 rows for 1 images"), "{error}");
}

#[test]
fn images_that_cannot_be_compared_are_errors_that_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let labels = catalogue(folder, "RE_ARCSEC\n1\n");
    let bare = image(folder, "bare.fits", 32, 1.0, &[]);
    let error = labelled(std::slice::from_ref(&bare), &labels).unwrap_err().to_string();
    assert!(error.contains("bare.fits[0]: has no zero point (MAGZERO) in its header"), "{error}");
    let with = |options| Stamps::labelled(std::slice::from_ref(&bare), &labels, 32, &options);
    let options = LabelOptions { zero_point: Some(25.0), ..LabelOptions::default() };
    let error = with(options).unwrap_err().to_string();
    assert!(
        error.contains("column RE_ARCSEC is in arcsec and the images' pixel scale is not known"),
        "{error}"
    );
    let options = LabelOptions { pixel_scale: Some(0.05), common_zero_point: Some(27.5), ..options };
    let (stamps, report) = with(options).unwrap();
    assert_eq!((stamps.truths()[0].re_maj, report.zero_point, report.converted), (20.0, 27.5, 1));
    let coarse = image(folder, "coarse.fits", 32, 1.0, &["MAGZERO = 25.0", "PIXSCALE= 0.1"]);
    let fine = image(folder, "fine.fits", 32, 1.0, &CALIBRATED);
    let error = labelled(&[fine, coarse], &labels).unwrap_err().to_string();
    assert!(error.contains("coarse.fits[0]: has pixels of 0.1000″, those before it 0.0600″"), "{error}");
    assert!(labelled(&[], &labels).unwrap_err().to_string().contains("no image was given"));
}
