//! `legato simulate`: what it makes, from what, and the picture of it.

use crate::support::{Place, SURVEY, hidden};
use legato::fits::Dataset;
use legato::sky::{Simulator, Survey, Truth};

/// The stamps and the truth of a data set.
fn read(place: &Place, name: &str) -> (Vec<f32>, Vec<Truth>) {
    let mut set = Dataset::open(place.path(name)).unwrap();
    let mut pixels = Vec::new();
    set.read(0..set.len(), &mut pixels).unwrap();
    let truths = set.truth().unwrap().to_vec();
    (pixels, truths)
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name)).unwrap()
}

fn simulator(seed: u64) -> Simulator {
    Simulator::new(Survey::parse(SURVEY, "survey.toml".as_ref()).unwrap(), seed).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_files_on_any_number_of_threads() {
    let place = Place::new();
    // More than one chunk of 1,024 stamps, and no whole number of them.
    let make = |name: &str, more: &str| {
        place.legato(&format!("simulate --survey survey.toml -n 1031 -o {name} {more}")).well();
    };
    make("one.fits", "--threads 1 --preview one.png");
    make("three.fits", "--threads 3 --preview three.png");
    make("other.fits", "--seed 2 --preview other.png");
    make("plain.fits", "");
    for (kind, others) in [("fits", ["three.fits", "plain.fits"]), ("png", ["three.png", "three.png"])] {
        let one = bytes(&place, &format!("one.{kind}"));
        assert!(others.iter().all(|other| one == bytes(&place, other)), "{kind}");
        assert!(one != bytes(&place, &format!("other.{kind}")));
    }
    let (pixels, truths) = read(&place, "one.fits");
    for index in [0, 511, 1030] {
        let (stamp, truth) = simulator(1).stamp(index as u64).unwrap();
        assert_eq!((&pixels[256 * index..256 * (index + 1)], truths[index]), (&stamp[..], truth));
    }
    assert!(hidden(place.folder()).is_empty());
}

#[test]
fn stamps_without_noise_hold_the_galaxies_alone() {
    let place = Place::new();
    place.legato("simulate --survey survey.toml -n 5 --no-noise --seed 3 -o s.fits").well();
    let (pixels, truths) = read(&place, "s.fits");
    let (expected, drawn) = simulator(3).without_noise().batch(0..5).unwrap();
    assert_eq!((pixels, &truths), (expected, &drawn));
    assert_eq!(drawn, simulator(3).batch(0..5).unwrap().1);
    assert_eq!(Dataset::open(place.path("s.fits")).unwrap().meta().sigma, 0.0);
}

#[test]
fn a_table_of_truth_is_made_into_its_stamps() {
    let place = Place::new();
    place.legato("simulate --survey survey.toml -n 7 --seed 5 -o drawn.fits").well();
    place.legato("simulate --survey survey.toml --truth drawn.fits --seed 5 -o again.fits").well();
    assert!(bytes(&place, "drawn.fits") == bytes(&place, "again.fits"));
    place.legato("simulate --survey survey.toml --truth drawn.fits -n 3 --no-noise -o few.fits").well();
    assert_eq!(read(&place, "few.fits").1, read(&place, "drawn.fits").1[..3]);

    let table = "ID,MAG,RE_MAJ,N,Q,PA,X,Y\n7,20.0,3.0,1.5,0.25,30,8.5,9.0\n-2,19.0,2.0,4.0,1.0,0,4.25,12\n";
    std::fs::write(place.path("table.csv"), table).unwrap();
    let made = place.legato("simulate --survey survey.toml --truth table.csv --no-noise -o made.fits").well();
    assert!(made.err.contains("made.fits: 2 stamps of tiny"), "{}", made.err);
    let (pixels, truths) = read(&place, "made.fits");
    assert_eq!((truths[0].id, truths[0].re_circ, truths[1].id), (7, 1.5, -2));
    let simulator = simulator(1).without_noise();
    for (row, truth) in truths.iter().enumerate() {
        assert_eq!(pixels[256 * row..256 * (row + 1)], simulator.stamp_of(truth, row as u64).unwrap());
    }
}

#[test]
fn a_row_of_truth_that_cannot_be_made_is_named() {
    let place = Place::new();
    let head = "ID,MAG,RE_MAJ,RE_CIRC,N,Q,PA,X,Y,PSF\n4,20,3,,1.5,0.5,0,8,8,\n";
    for (row, words) in [
        ("9,20,-3,,1.5,0.5,0,8,8,", "table.csv: row 2 (ID 9): RE_MAJ = -3 must be 0.01 to 10000"),
        ("9,,3,,1.5,0.5,0,8,8,", "row 2 (ID 9): it has no MAG, which must be -50 to 60"),
        ("9,20,3,,15,0.5,0,8,8,", "row 2 (ID 9): N = 15 must be 0.1 to 10"),
        ("9,20,3,,1.5,1.5,0,8,8,", "row 2 (ID 9): Q = 1.5 must be 0.05 to 1"),
        ("9,20,3,,1.5,0.5,0,1808,8,", "row 2 (ID 9): X = 1808 must be 0.5 to 16.5"),
        ("9,20,3,3,1.5,0.25,0,8,8,", "row 2 (ID 9): RE_CIRC = 3 is not RE_MAJ·√Q = 1.5"),
        ("9,20,3,,1.5,0.5,0,8,8,1", "row 2 (ID 9): PSF = 1, but the survey has 1, counted from 0"),
        ("9,20,3,,1.5,inf,0,8,8,", "row 2 (ID 9): Q = inf must be"),
        ("9,twenty,3,,1.5,0.5,0,8,8,", "table.csv: line 3, column MAG: 'twenty' is not a number"),
    ] {
        std::fs::write(place.path("table.csv"), format!("{head}{row}\n")).unwrap();
        place.legato("simulate --survey survey.toml --truth table.csv -o s.fits").fails(1, &[words]);
        assert!(!place.path("s.fits").exists());
    }
    std::fs::write(place.path("table.csv"), head).unwrap();
    let more = place.legato("simulate --survey survey.toml --truth table.csv -n 2 -o s.fits");
    more.fails(2, &["-n 2: table.csv has only 1 rows"]);
    std::fs::write(place.path("table.csv"), "ID,MAG\n").unwrap();
    let none = place.legato("simulate --survey survey.toml --truth table.csv -o s.fits");
    none.fails(1, &["table.csv: the table has no rows"]);
    let absent = place.legato("simulate --survey survey.toml --truth absent.fits -o s.fits");
    absent.fails(1, &["absent.fits: cannot read"]);
}

#[test]
fn a_preview_needs_no_data_set_and_shows_the_same_stamps_as_with_one() {
    let place = Place::new();
    let alone = place.legato("simulate --survey survey.toml --preview alone.png").well();
    assert!(alone.err.contains("alone.png: 30 stamps of tiny"), "{}", alone.err);
    place.legato("simulate --survey survey.toml -n 40 -o s.fits --preview with.png").well();
    assert!(bytes(&place, "alone.png") == bytes(&place, "with.png"));
    assert!(bytes(&place, "alone.png").starts_with(b"\x89PNG\r\n"));
    let few = place.legato("simulate --survey survey.toml -n 2 --preview with.png").well();
    assert!(few.err.contains("with.png: 2 stamps of tiny"), "{}", few.err);
    place.legato("simulate --survey survey.toml --truth s.fits --no-noise --preview with.png").well();
    let many = place.legato("simulate --survey survey.toml -n 4000000000 --preview with.png").well();
    assert!(many.err.contains("with.png: 30 stamps of tiny"), "{}", many.err);
}

#[test]
fn a_preview_that_cannot_be_written_is_told_before_the_work() {
    let place = Place::new();
    std::fs::write(place.path("notes.png"), "not a picture").unwrap();
    for (preview, words) in [
        ("no/sheet.png", "no/sheet.png: cannot write: there is no folder no: make it first"),
        ("notes.png", "notes.png: cannot replace: it is there already and no PNG picture: give another name"),
        (".", ".: cannot write: it is a folder: give the name of a file"),
    ] {
        let command = format!("simulate --survey survey.toml -n 2 -o s.fits --preview {preview}");
        place.legato(&command).fails(1, &[words]);
        assert!(!place.path("s.fits").exists());
    }
    assert_eq!(place.read("notes.png"), "not a picture");
    let same = place.legato("simulate --survey survey.toml -n 2 -o s.fits --preview s.fits");
    same.fails(2, &["--output and --preview are the same file"]);
}

#[test]
fn galaxies_of_a_catalogue_are_drawn_by_rows_and_those_out_of_range_counted() {
    let place = Place::new();
    let survey = format!("{SURVEY}[galaxies.catalogue]\npath = \"galaxies.csv\"\n");
    std::fs::write(place.path("drawn.toml"), survey).unwrap();
    let rows = "mag,re_maj,n,q\n20,2,1,0.5\n19,3,2.5,0.75\n25,2,1,0.5\n";
    std::fs::write(place.path("galaxies.csv"), rows).unwrap();
    let answer = place.legato("simulate --survey drawn.toml -n 20 -o s.fits").well();
    assert!(answer.err.contains("drawing from 2 galaxies of its catalogue; 1 lie outside"), "{answer:#?}");
    let (_, truths) = read(&place, "s.fits");
    let shape = |t: &Truth| [t.mag, t.re_maj, t.n, t.q];
    let expected = [[20.0, 2.0, 1.0, 0.5], [19.0, 3.0, 2.5, 0.75]];
    assert!(truths.iter().all(|t| expected.contains(&shape(t))));
    assert!(expected.iter().all(|e| truths.iter().any(|t| shape(t) == *e)));
    std::fs::write(place.path("galaxies.csv"), "mag,re_maj,n\n20,2,1\n").unwrap();
    let words = ["galaxies.csv: the first line names no column Q"];
    place.legato("simulate --survey drawn.toml -n 20 -o s.fits").fails(1, &words);
}

#[test]
fn crowded_stamps_come_with_the_truth_about_their_companions() {
    let place = Place::new();
    place.legato("simulate --survey candels-f160w-crowded -n 40 --seed 3 -o s.fits").well();
    let (_, truths) = read(&place, "s.fits");
    assert_eq!(
        truths,
        Simulator::new(Survey::builtin("candels-f160w-crowded").unwrap(), 3).unwrap().batch(0..40).unwrap().1
    );
    for truth in truths {
        let (n, ratio) = (truth.companions.unwrap(), truth.companion_ratio.unwrap());
        assert_eq!((n == 0, n == 0), (ratio == 0.0, truth.companion_distance.is_none()));
    }
}
