use super::*;

fn open(name: &str, text: &str) -> Result<Foreign> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Foreign::open(&path)
}

#[test]
fn names_and_units_are_found_however_the_text_is_laid_out() {
    let braces = "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: id, datatype: string}\n\
                  # - {name: re, unit: arcsec, datatype: float64}\n# meta:\n#   a: {name: re, unit: kpc}\n\
                  id,re\na b,0.5\nc,\n";
    let lines = "# %ECSV 0.9\n# ---\n# datatype:\n# -\n#   name: id\n#   datatype: string\n# -\n#   name: re\n\
                 #   unit: arcsec\n# schema: astropy-2.0\nid re\n\"a b\" 0.5\nc \"\"\n";
    let numbered = "# 1 id  the galaxy\n#   2 re  radius [arcsec]\na_b 0.5\nc --\n";
    for (name, text, first) in
        [("t.ecsv", braces, "a b"), ("t.csv", lines, "a b"), ("t.cat", numbered, "a_b")]
    {
        let mut table = open(name, text).unwrap();
        let (id, re) =
            (table.find(&["NUMBER", "ID"]).unwrap().unwrap(), table.find(&["RE"]).unwrap().unwrap());
        assert_eq!((table.unit(id), table.unit(re)), ("", "arcsec"), "{name}");
        assert_eq!(table.texts(id).unwrap(), [first, "c"]);
        let numbers = table.numbers(re).unwrap();
        assert!(numbers[0] == 0.5 && numbers[1].is_nan(), "{name}");
    }
}

#[test]
fn columns_of_words_take_their_names_from_a_comment_or_the_first_line() {
    for text in ["# made by hand\n# ID MAG\n7 20.5\n\n# the last\n8 nan\n", "ID MAG\n7 20.5\n8 NaN\n"] {
        let mut table = open("labels.txt", text).unwrap();
        assert_eq!(table.names(), ["ID", "MAG"]);
        assert_eq!(table.texts(0).unwrap(), ["7", "8"]);
        assert_eq!(table.numbers(1).unwrap()[0], 20.5);
    }
    let error = open("labels.txt", "ID MAG\n7 20.5\n8\n").err().unwrap().to_string();
    assert!(error.contains("labels.txt: line 3 has 1 words, but there are 2 columns"), "{error}");
}

#[test]
fn what_is_no_table_says_so() {
    let error = open("labels.fits", "ID,MAG\n1,20\n").err().unwrap().to_string();
    assert!(error.contains("labels.fits: not a readable FITS file"), "{error}");
    let mut table = open("labels.csv", "ID,MAG,mag\n1,20,x\n").unwrap();
    let error = table.find(&["MAG"]).unwrap_err().to_string();
    assert!(error.contains("has a column MAG and a column mag: rename one of them"), "{error}");
    let error = table.numbers(2).unwrap_err().to_string();
    assert!(error.contains("labels.csv: line 2, column mag: 'x' is not a number"), "{error}");
    let error = Foreign::open(Path::new("no/labels.csv")).err().unwrap().to_string();
    assert!(error.contains("no/labels.csv: cannot read"), "{error}");
}
