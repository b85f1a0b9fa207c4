use super::super::raw::{Column, FitsFile};
use super::super::{Catalogue, Row};
use super::*;

/// Of images with pixels of 0.06″.
fn read(name: &str, text: &str) -> Result<Labels> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Labels::read(&path, 0.06)
}

fn message(name: &str, text: &str) -> String {
    read(name, text).unwrap_err().to_string()
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|v| (v - expected).abs() < 1e-9)
}

/// A FITS table of numbers: names, units, and one row.
fn fits(path: &Path, columns: &[(&str, &str, f64)]) {
    let mut file = FitsFile::create(path).unwrap();
    file.add_image(&[]).unwrap();
    let described: Vec<Column> =
        columns.iter().map(|&(name, unit, _)| Column { name, form: "1D", unit }).collect();
    file.add_table("GALAXIES", &described, 1).unwrap();
    for (i, (.., value)) in columns.iter().enumerate() {
        file.write_f64(i, 0, &[*value]).unwrap();
    }
    file.close().unwrap();
}

#[test]
fn every_name_of_a_column_is_known_in_whatever_case() {
    for id in ["ID", "Number", "seq", "IDENT"] {
        let labels = read("a.csv", &format!("mag,{id}\n20.5,007\n")).unwrap();
        assert!(labels.named && labels.rows[0].id == "007" && labels.rows[0].mag == Some(20.5));
    }
    for (radius, expected) in [("RE_MAJ", 6.0), ("re_arcsec", 100.0), ("Re_Circ", 12.0)] {
        let labels = read("a.csv", &format!("{radius},Q,n\n6,0.25,4\n")).unwrap();
        assert!(near(labels.rows[0].re_maj, expected), "{radius}: {labels:?}");
        assert_eq!((labels.rows[0].n, labels.rows[0].q, labels.named), (Some(4.0), Some(0.25), false));
    }
    for flag in ["FLAGS", "flag", "F"] {
        let labels = read("a.csv", &format!("N,{flag}\n1,2\n")).unwrap();
        assert_eq!((labels.rows[0].flag, labels.rows[0].bad), (Some(2), flag == "F"));
    }
}

#[test]
fn a_catalogue_of_van_der_wel_is_in_arcsec_and_says_which_fits_failed() {
    let text = "# NUMBER RA DEC f mag dmag re dre n dn q dq pa dpa sn\n\
                1 53.1 -27.8 0 22.5 0.1 0.6 0.02 1.5 0.1 0.4 0.01 30 1 50\n\
                2 53.2 -27.9 2 24.5 0.1 0.3 0.02 8.0 0.1 0.4 0.01 30 1 5\n\
                3 53.2 -27.9 3 -999.0 -999.0 -999.0 -999.0 -999.0 -999.0 -999.0 -999.0 -999.0 -999.0 -999.0\n";
    let labels = read("gds.galfit", text).unwrap();
    assert!(near(labels.rows[0].re_maj, 10.0), "{labels:?}");
    assert_eq!(labels.radius.as_deref(), Some("re in arcsec"));
    assert_eq!(labels.rows.iter().map(|r| r.bad).collect::<Vec<_>>(), [false, true, true]);
    let empty = Label { id: "3".into(), flag: Some(3), bad: true, ..Label::default() };
    assert_eq!(labels.rows[2], empty);
}

#[test]
fn a_unit_that_is_stated_goes_before_the_name_and_must_be_one_of_length() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &str, unit: &str| {
        let path = folder.path().join("labels.fits");
        let _ = std::fs::remove_file(&path);
        fits(&path, &[("MAG", "mag", 20.0), (name, unit, 6.0)]);
        Labels::read(&path, 0.06).map(|labels| labels.rows[0].re_maj.unwrap())
    };
    for (name, unit, expected) in [
        ("RE", "pixel", 6.0),
        ("RE", "arcsec", 100.0),
        ("RE_MAJ", "", 6.0),
        ("RE_MAJ", "arcsec", 100.0),
        ("RE_ARCSEC", "", 100.0),
        ("RE", "mas", 0.1),
        ("RE", "deg", 360_000.0),
    ] {
        assert!((with(name, unit).unwrap() - expected).abs() < 1e-9 * expected, "{name} in {unit}");
    }
    let refusal = |name, unit| with(name, unit).unwrap_err().to_string();
    let error = refusal("RE", "");
    assert!(
        error.contains("labels.fits[1]: does not say in which unit the column RE is: name it"),
        "{error}"
    );
    let error = refusal("RE", "kpc");
    assert!(error.contains("column RE is in 'kpc': give it in pixels or arcsec"), "{error}");
    assert!(refusal("RE_ARCSEC", "pix").contains("said to be in pixels: rename it to RE_MAJ"));
    let error = Labels::read(folder.path().join("labels.fits"), f64::NAN);
    assert!(error.unwrap_err().to_string().contains("RE_ARCSEC is said to be in pixels"));
    assert!(message("a.csv", "RE_CIRC\n5\n").contains("RE_CIRC is circularised and there is no column Q"));
    let folder_path = folder.path().join("b.csv");
    std::fs::write(&folder_path, "RE_ARCSEC\n0.5\n").unwrap();
    let error = Labels::read(&folder_path, f64::NAN).unwrap_err().to_string();
    assert!(error.contains("is in arcsec and the images' pixel scale is not known: state it"), "{error}");
}

#[test]
fn what_was_not_measured_is_none_however_it_is_written() {
    for nothing in ["", "nan", "--", "-99", "-99.0", "-999", "-9999", "inf", "null"] {
        let row =
            &read("a.csv", &format!("ID,MAG,RE_MAJ,N,Q\nx{}\n", format!(",{nothing}").repeat(4))).unwrap();
        assert_eq!(row.rows[0], Label { id: "x".into(), ..Label::default() }, "'{nothing}'");
    }
    let labels = read("a.csv", "MAG,RE_MAJ,N,Q\n99,0,-1,0\n-20,99,1,1\n").unwrap();
    assert_eq!(labels.rows[0], Label::default());
    assert_eq!((labels.rows[1].mag, labels.rows[1].re_maj), (Some(-20.0), Some(99.0)));
    // The radius along the major axis does not follow from the circularised one alone.
    assert_eq!(read("a.csv", "RE_CIRC,Q\n5,\n").unwrap().rows[0].re_maj, None);
}

#[test]
fn a_value_that_cannot_be_is_an_error_with_its_place() {
    let error = message("a.csv", "ID,Q\n1,0.5\n2,1.5\n");
    assert!(error.contains("a.csv: line 3, column Q: 1.5 is above 1, but an axis ratio is b/a"), "{error}");
    let error = message("a.csv", "ID,MAG\n1,bright\n");
    assert!(error.contains("a.csv: line 2, column MAG: 'bright' is not a number"), "{error}");
    let error = message("a.csv", "ID,MAG_AUTO,FLUX\n1,20,3\n");
    assert!(
        error.contains("has no column of labels, MAG,") && error.contains("but ID MAG_AUTO FLUX"),
        "{error}"
    );
}

#[test]
fn our_own_catalogues_are_read_in_all_three_forms() {
    let row =
        Row { id: "a[1]".into(), mag: 21.25, re_maj: 5.5, n: 4.0, q: 0.36, re_circ: 3.3, ..Row::default() };
    let nothing = Row { id: "b".into(), ..Row::default() };
    let catalogue = Catalogue { rows: vec![row, nothing], provenance: vec![("unit".into(), "none".into())] };
    let folder = tempfile::tempdir().unwrap();
    for name in ["out.fits", "out.csv", "out.ecsv"] {
        let path = folder.path().join(name);
        catalogue.write(&path).unwrap();
        let labels = Labels::read(&path, 0.06).unwrap();
        let expected = Label {
            id: "a[1]".into(),
            mag: Some(21.25),
            re_maj: Some(5.5),
            n: Some(4.0),
            q: Some(0.36),
            flag: Some(0),
            bad: false,
        };
        assert_eq!(labels.rows[0], expected, "{name}");
        assert_eq!(labels.rows[1], Label { id: "b".into(), flag: Some(0), ..Label::default() }, "{name}");
    }
}

#[test]
fn identifiers_of_a_fits_table_keep_their_digits_and_their_letters() {
    let folder = tempfile::tempdir().unwrap();
    for (form, id, expected) in [("1K", 9_007_199_254_740_993_i64, "9007199254740993"), ("1D", 12, "12")] {
        let path = folder.path().join(format!("{form}.fits"));
        let mut file = FitsFile::create(&path).unwrap();
        file.add_image(&[]).unwrap();
        let columns = [("NUMBER", form), ("MAG", "1E")].map(|(name, form)| Column { name, form, unit: "" });
        file.add_table("GALAXIES", &columns, 1).unwrap();
        file.write_i64(0, 0, &[id]).unwrap();
        file.write_f64(1, 0, &[20.5]).unwrap();
        file.close().unwrap();
        assert_eq!(Labels::read(&path, 0.06).unwrap().rows[0].id, expected);
    }
}

#[test]
fn galaxies_are_found_by_name_or_else_in_order() {
    let ids = ["2", "x", "0001"].map(str::to_owned);
    let labels = read("a.csv", "ID,MAG\n1,20\n002,21\n5,22\n0,23\n").unwrap();
    assert_eq!(labels.match_ids(&ids).unwrap(), [Some(1), None, Some(0)]);
    assert_eq!(labels.match_ids(&["000".to_owned()]).unwrap(), [None]);
    assert_eq!(labels.match_ids(&["0".to_owned()]).unwrap(), [Some(3)]);
    let labels = read("a.csv", "MAG\n20\n21\n22\n").unwrap();
    assert_eq!(labels.match_ids(&ids).unwrap(), [Some(0), Some(1), Some(2)]);
    let error = labels.match_ids(&ids[..2]).unwrap_err().to_string();
    assert!(error.contains("a.csv: has 3 rows for 2 images and no column ID to match them by"), "{error}");
    let labels = read("a.csv", "ID,MAG\n1,20\n2,21\n01,22\n").unwrap();
    let error = labels.match_ids(&ids).unwrap_err().to_string();
    assert!(error.contains("a.csv: rows 1 and 3 both have the ID '01': leave one of them out"), "{error}");
}
