//! Files that are absent, broken, or of another kind than was expected; places that cannot be written.

use crate::support::{Place, network, patch, trained};
use legato::fits::{Dataset, DatasetWriter};

/// A FITS file of a primary header and nothing else.
fn without_image() -> Vec<u8> {
    let cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    0",
    ];
    let mut bytes: Vec<u8> =
        cards.iter().chain(&["END"]).flat_map(|c| format!("{c:<80}").into_bytes()).collect();
    bytes.resize(2880, b' ');
    bytes
}

#[test]
fn every_command_that_reads_stamps_names_the_broken_file() {
    let place = trained();
    let whole = std::fs::read(place.path("train.fits")).unwrap();
    std::fs::write(place.path("text.fits"), "This is no FITS file.\n".repeat(400)).unwrap();
    std::fs::write(place.path("nothing.fits"), "").unwrap();
    std::fs::write(place.path("cut.fits"), &whole[..20_000]).unwrap();
    std::fs::write(place.path("header.fits"), &whole[..1000]).unwrap();
    std::fs::write(place.path("empty.fits"), without_image()).unwrap();
    for (file, words) in [
        ("absent.fits", &["absent.fits: cannot read: "][..]),
        ("text.fits", &["text.fits: not a readable FITS file"]),
        ("nothing.fits", &["nothing.fits: the file is empty"]),
        ("cut.fits", &["cut.fits[0]: cannot read the pixels (is the file truncated?)"]),
        ("header.fits", &["header.fits: not a readable FITS file"]),
        ("empty.fits", &["empty.fits", "no image"]),
    ] {
        for command in [
            "fit FILE --models runs -o out.fits",
            "evaluate --data FILE --models runs",
            "train --parameter magnitude --data FILE -o new",
        ] {
            let answer = place.legato(&command.replace("FILE", file)).fails(1, words);
            assert_eq!(answer.out, "");
        }
        assert!(!place.path("out.fits").exists() && !place.path("new").exists());
    }
    let folder = place.legato("evaluate --data runs --models runs");
    folder.fails(1, &["runs: this is a folder, not a FITS file"]);
}

#[test]
fn one_broken_image_costs_only_its_own_row() {
    let place = trained();
    std::fs::write(place.path("text.fits"), "no FITS").unwrap();
    let answer = place.legato("fit absent.fits train.fits text.fits --models runs -o out.csv");
    let answer = answer.fails(
        1,
        &[
            "legato: absent.fits: cannot read",
            "legato: text.fits: not a readable FITS file",
            "legato: 2 of the images could not be read; out.csv has the others",
        ],
    );
    assert!(answer.err.contains("out.csv: 60 galaxies"));
    assert_eq!(place.read("out.csv").lines().count(), 61);
    let none = place.legato("fit absent.fits text.fits --models runs -o none.csv");
    none.fails(
        1,
        &["absent.fits: cannot read", "none of the 2 images could be read; no catalogue was written"],
    );
    assert!(!place.path("none.csv").exists());
}

#[test]
fn a_table_of_truth_of_another_length_than_the_cube_is_refused() {
    let place = trained();
    patch(&place.path("train.fits"), "NAXIS2  =                   60", "NAXIS2  =                   59");
    let words = ["train.fits[1]: the TRUTH table has 59 rows and the cube 60 stamps; they must be as many"];
    place.legato("evaluate --data train.fits --models runs").fails(1, &words);
    place.legato("train --parameter magnitude --data train.fits -o new").fails(1, &words);
}

#[test]
fn stamps_that_do_not_fit_the_network_are_refused() {
    let place = trained();
    let larger = crate::support::SURVEY.replace("stamp_size = 16", "stamp_size = 20");
    std::fs::write(place.path("larger.toml"), larger).unwrap();
    place.legato("simulate --survey larger.toml -n 20 -o larger.fits").well();
    let evaluated = place.legato("evaluate --data larger.fits --models runs");
    evaluated.fails(1, &["takes stamps of 16 pixels, larger.fits holds 20", "weights.safetensors"]);
    let train =
        "train --parameter magnitude --data larger.fits --survey larger.toml --network network.toml -o new";
    let words = ["network 'tiny', layer 1: takes images of 16×16×1, but larger.fits holds stamps of 20×20×1"];
    place.legato(train).fails(1, &words);
    // Measuring cuts them instead, and says so.
    let fitted = place.legato("fit larger.fits --models runs -o out.csv").well();
    assert!(fitted.out.contains("CUT"), "{}", fitted.out);
    let set = Dataset::open(place.path("larger.fits")).unwrap();
    let mut writer = DatasetWriter::create(place.path("oblong.fits"), set.meta(), 20, 18, 20).unwrap();
    writer.append(&[0.0; 20 * 18 * 20], set.truth().unwrap()).unwrap();
    writer.finish().unwrap();
    let words = ["oblong.fits[0]: stamps of 20×18 pixels are not square"];
    place.legato("evaluate --data oblong.fits --models runs").fails(1, &words);
    place.legato(&train.replace("larger.fits", "oblong.fits")).fails(1, &words);
    place.legato("fit oblong.fits --models runs -o oblong.csv").well();
}

#[test]
fn networks_that_do_not_give_one_number_are_refused() {
    let place = trained();
    let train =
        "train --parameter magnitude --data train.fits --survey survey.toml --network odd.toml -o new";
    for (from, to, words) in [
        (
            "units = 1,",
            "units = 3,",
            "network 'tiny', layer 6: gives [3] numbers a stamp, but [1] are learned",
        ),
        ("units = 8,", "units = 9000000000000000000,", "layer 5: dense 9000000000000000000"),
        ("kernel = 3", "kernel = 4000000000", "layer 2: conv 4000000000"),
        ("units = 8,", "units = 0,", "layer 5: units must be at least 1"),
        ("\"max-pool\"", "\"min-pool\"", "odd.toml: "),
        ("filters", "filter", "odd.toml: "),
    ] {
        std::fs::write(place.path("odd.toml"), network(16).replacen(from, to, 1)).unwrap();
        place.legato(train).fails(1, &[words]);
        assert!(!place.path("new").exists());
    }
}

#[test]
fn a_survey_with_a_mistake_names_its_line_and_key() {
    let place = Place::new();
    let survey = crate::support::SURVEY;
    let simulate = "simulate --survey odd.toml -n 2 -o s.fits";
    for (from, to, words) in [
        ("exposure", "exposition", &["odd.toml: line 5: exposition: unknown key; there are name, "][..]),
        ("beta = 1.85", "beta = ", &["odd.toml: ", "line 10"]),
        (
            "min = 18.0",
            "min = 23.0",
            &["odd.toml: line 16: galaxies.magnitude: min = 23 must not exceed max = 22"],
        ),
        (
            "min = 0.3",
            "min = -1",
            &["odd.toml: line 19: galaxies.axis_ratio: -1 to 0.9 must lie within 0.05 to 1"],
        ),
        (
            "stamp_size = 16",
            "stamp_size = 1",
            &["odd.toml: line 6: stamp_size: 1 must be 8 to 4096 (pixels)"],
        ),
        (
            "model = \"moffat\"\nfwhm = 0.17\nbeta = 1.85",
            "model = \"file\"\npath = \"psf.fits\"\npixel_scale = 0.03",
            &["psf.fits: cannot read"],
        ),
    ] {
        std::fs::write(place.path("odd.toml"), survey.replacen(from, to, 1)).unwrap();
        place.legato(simulate).fails(1, words);
        assert!(!place.path("s.fits").exists());
    }
    place.legato("simulate --survey absent.toml -n 2 -o s.fits").fails(1, &["absent.toml: cannot read"]);
    place
        .legato("simulate --survey euclid -n 2 -o s.fits")
        .fails(2, &["no survey 'euclid'", "candels-f160w"]);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_work() {
    let place = trained();
    for (output, words) in [
        ("no/such/out.fits", "no/such/out.fits: cannot write: there is no folder no/such: make it first"),
        ("runs", "runs: cannot write: it is a folder: give the name of a file"),
        ("train.fits/x", "train.fits/x: cannot write"),
    ] {
        place.legato(&format!("simulate --survey survey.toml -n 2 -o {output}")).fails(1, &[words]);
        let fitted = place.legato(&format!("fit train.fits --models runs -o {output}")).fails(1, &[words]);
        assert!(!fitted.err.contains("device"), "{}", fitted.err);
    }
    let file = "cannot make this folder: it is a file: give the name of a folder";
    place.legato("evaluate --data train.fits --models runs -o train.fits").fails(1, &["train.fits: ", file]);
    let train =
        "train --parameter magnitude --data train.fits --survey survey.toml --network network.toml -o";
    place.legato(&format!("{train} train.fits")).fails(1, &["train.fits: ", file]);
    place.legato(&format!("{train} train.fits/run")).fails(1, &["train.fits/run: cannot make this folder"]);
}

#[test]
fn only_results_of_the_same_kind_are_replaced() {
    let place = trained();
    let before = std::fs::read(place.path("train.fits")).unwrap();
    let words = ["is there already and no catalogue of legato's: it is not replaced; give another name"];
    // The slip of a wildcard after -o.
    place.legato("fit --models runs -o train.fits train.fits").fails(1, &words);
    place.legato("fit --models runs -o survey.toml train.fits").fails(1, &words);
    let words = ["survey.toml: is there already and no whole data set"];
    place.legato("simulate --survey survey.toml -n 2 -o survey.toml").fails(1, &words);
    place.legato("demo --smallest -o runs").fails(2, &["runs holds other things than an earlier demo"]);
    assert!(before == std::fs::read(place.path("train.fits")).unwrap());
    assert_eq!(place.read("survey.toml"), crate::support::SURVEY);
}
