use super::super::raw::{Column, FitsFile};
use super::*;

fn open(name: &str, text: &str, columns: &str, sky: bool) -> Result<Positions> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    // The file stays open; its name is only needed for messages.
    Positions::open(&path, &columns.parse().unwrap(), sky)
}

fn all(positions: Result<Positions>) -> Vec<Position> {
    positions.and_then(|positions| positions.collect()).unwrap_or_else(|e| panic!("{e}"))
}

fn message(positions: Result<Positions>) -> String {
    positions.and_then(|positions| positions.collect::<Result<Vec<_>>>()).unwrap_err().to_string()
}

/// A FITS table of positions, with names of whole numbers.
fn table(path: &Path, rows: usize) {
    let mut file = FitsFile::create(path).unwrap();
    file.add_image(&[]).unwrap();
    let columns = [
        Column { name: "NUMBER", form: "1J", unit: "" },
        Column { name: "DELTA_J2000", form: "1D", unit: "deg" },
        Column { name: "ALPHA_J2000", form: "1E", unit: "deg" },
        Column { name: "X_IMAGE", form: "1E", unit: "pixel" },
        Column { name: "Y_IMAGE", form: "1E", unit: "pixel" },
    ];
    file.add_table("LDAC_OBJECTS", &columns, rows).unwrap();
    let numbers: Vec<f64> = (0..rows).map(|i| i as f64).collect();
    file.write_i64(0, 0, &(0..rows as i64).map(|i| 7 * i).collect::<Vec<_>>()).unwrap();
    file.write_f64(1, 0, &numbers.iter().map(|i| -i / 1e6).collect::<Vec<_>>()).unwrap();
    file.write_f64(2, 0, &numbers.iter().map(|i| i % 360.0).collect::<Vec<_>>()).unwrap();
    file.write_f64(3, 0, &numbers).unwrap();
    file.write_f64(4, 0, &numbers).unwrap();
    file.close().unwrap();
}

#[test]
fn text_and_fits_give_the_same_and_say_which_columns_they_took() {
    let csv = "name,Y,ALPHA_J2000,DELTA_J2000,x\na b,4,150.5,-2.25,3\nc,,,2,\n";
    let ecsv = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: name, datatype: string}\n# - {name: ALPHA_J2000, unit: deg, \
                datatype: float64}\n# - {name: DELTA_J2000, unit: deg, datatype: float64}\nname ALPHA_J2000 \
                DELTA_J2000\n\"a b\" 150.5 -2.25\nc \"\" 2\n";
    for (name, text) in [("t.csv", csv), ("t.ecsv", ecsv)] {
        let positions = open(name, text, "", true).unwrap();
        assert_eq!((positions.total(), positions.is_sky()), (2, true));
        let said = positions.columns();
        assert_eq!(said, "RA and DEC in degrees from ALPHA_J2000 and DELTA_J2000, names from name");
        let rows = all(Ok(positions));
        assert_eq!(rows[0], Position { row: 0, id: "a b".into(), place: Place::Sky(150.5, -2.25) });
        assert!(matches!(rows[1].place, Place::Sky(ra, 2.0) if ra.is_nan()));
    }
    let pixels = open("t.csv", csv, "", false).unwrap();
    assert_eq!(pixels.columns(), "X and Y in pixels from 1 from x and Y, names from name");
    assert_eq!(all(Ok(pixels))[0].place, Place::Pixel(3.0, 4.0));
    let words = all(open("t.cat", "# 1 XCEN\n# 2 YCEN\n 5 6.5\n7 8\n", "", true));
    assert_eq!((words[1].id.as_str(), words[0].place), ("2", Place::Pixel(5.0, 6.5)));
    let named = all(open("t.csv", csv, "x=y,y=X,id=DELTA_J2000", true));
    assert_eq!((named[0].id.as_str(), named[0].place), ("-2.25", Place::Pixel(4.0, 3.0)));
}

#[test]
fn any_rows_of_a_table_of_many_chunks_are_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (fits, csv) = (folder.path().join("t.fits"), folder.path().join("t.csv"));
    let rows = 2 * CHUNK + 77;
    table(&fits, rows);
    let lines: Vec<String> =
        (0..rows).map(|i| format!("{},{},{}", 7 * i, i % 360, -(i as f64) / 1e6)).collect();
    std::fs::write(&csv, format!("NUMBER,RA,DEC\n{}\n", lines.join("\n"))).unwrap();
    for path in [&fits, &csv] {
        let open = || Positions::open(path, &PositionColumns::default(), true).unwrap();
        assert_eq!(open().total(), rows);
        for part in [0..rows, 5..9, CHUNK - 1..CHUNK + 2, rows - 1..rows + 50, rows + 3..rows + 9] {
            let found: Vec<Position> = open().rows(part.clone()).unwrap().map(|p| p.unwrap()).collect();
            assert_eq!(found.len(), part.end.min(rows).saturating_sub(part.start));
            for (position, row) in found.iter().zip(part) {
                assert_eq!((position.row, position.id.as_str()), (row, (7 * row).to_string().as_str()));
                assert_eq!(position.place, Place::Sky((row % 360) as f64, -(row as f64) / 1e6));
            }
        }
    }
}

#[test]
fn what_cannot_be_is_an_error_with_its_line_or_row_and_its_column() {
    for (text, columns, expected) in [
        ("RA,DEC\n1,2\n1,x\n", "", "t.csv: line 3, column DEC: 'x' is not a number"),
        (
            "RA,DEC\n10:00:28.6,2\n",
            "",
            "line 2, column RA: '10:00:28.6' is sexagesimal: convert it to degrees",
        ),
        ("RA,DEC\n1,+02d12m21.5s\n", "", "line 2, column DEC: '+02d12m21.5s' is sexagesimal"),
        ("RA,DEC\n1,2\n1,95\n", "", "line 3, column DEC: 95 is no declination"),
        ("RA,DEC\n1,2\n1\n", "", "line: 3"),
        (
            "RA,OTHER\n1,2\n",
            "",
            "has no columns RA and DEC or X and Y, nor others known for positions, but RA OTHER",
        ),
        ("RA,DEC,ra\n1,2,3\n", "", "has a column RA and a column ra: rename one of them"),
        ("RA,DEC\n1,2\n", "ra=ALPHA,dec=DEC", "has no column ALPHA, but RA DEC"),
        ("RA,DEC\n1,2\n", "ra=RA", "name both of one kind"),
        ("", "", "has no columns RA and DEC"),
    ] {
        let found = message(open("t.csv", text, columns, true));
        assert!(found.contains(expected), "{text:?}: {found}");
    }
    let found = message(open("t.csv", "RA,DEC\n1,2\n", "", false));
    assert!(found.contains("the image's header has no projection"), "{found}");
    let hours = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: RA, unit: hourangle}\n# - {name: DEC, unit: deg}\nRA DEC\n1 2\n";
    let found = message(open("t.ecsv", hours, "", true));
    assert!(found.contains("column RA is in 'hourangle': convert it to degrees"), "{found}");
    assert!("ra=a,c=d".parse::<PositionColumns>().unwrap_err().to_string().contains("'c=d' names no column"));
}

#[test]
fn a_fits_table_that_is_cut_short_or_holds_texts_is_refused_before_the_first_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.fits");
    table(&path, 5000);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..40_000]).unwrap();
    let error = message(Positions::open(&path, &PositionColumns::default(), true));
    assert!(error.contains("t.fits[1]") && error.contains("truncated"), "{error}");
    std::fs::remove_file(&path).unwrap();
    let mut file = FitsFile::create(&path).unwrap();
    file.add_image(&[]).unwrap();
    let columns = ["RA", "DEC"].map(|name| Column { name, form: "12A", unit: "" });
    file.add_table("T", &columns, 1).unwrap();
    file.write_text(0, 0, &["10:00:28.6".to_owned()]).unwrap();
    file.write_text(1, 0, &["2.0".to_owned()]).unwrap();
    file.close().unwrap();
    let error = message(Positions::open(&path, &PositionColumns::default(), true));
    assert!(error.contains("column RA holds texts, not numbers"), "{error}");
    assert!(error.contains("degrees"), "{error}");
}
