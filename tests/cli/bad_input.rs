//! What a tired person gives `legato fit` and `legato merge`: each kind of bad input is refused with words that name it and
//! say what to do, with the exit status that fits, and leaves nothing behind. The table of the book's page on bad input is
//! what this test prints.

use crate::support::Place;

/// A FITS file of blocks: an empty primary HDU where there are several images.
fn fits(images: &[(usize, usize, &[&str])]) -> Vec<u8> {
    let card = |text: &str| format!("{text:<80}");
    let header = |cards: Vec<String>| {
        let text: String = cards.iter().map(|c| card(c)).chain([card("END")]).collect();
        let length = text.len().next_multiple_of(2880);
        format!("{text:<length$}").into_bytes()
    };
    let mut bytes = Vec::new();
    let alone = images.len() == 1;
    if !alone {
        let cards = [
            "SIMPLE  =                    T",
            "BITPIX  =                    8",
            "NAXIS   =                    0",
        ];
        bytes.extend(header(cards.map(str::to_owned).to_vec()));
    }
    for (width, height, more) in images {
        let first = if alone { "SIMPLE  =                    T" } else { "XTENSION= 'IMAGE   '" };
        let mut cards = vec![
            first.to_owned(),
            "BITPIX  =                  -32".into(),
            "NAXIS   =                    2".into(),
        ];
        cards.push(format!("NAXIS1  = {width:>20}"));
        cards.push(format!("NAXIS2  = {height:>20}"));
        if !alone {
            cards.extend([
                "PCOUNT  =                    0".to_owned(),
                "GCOUNT  =                    1".into(),
            ]);
        }
        cards.extend(more.iter().map(|c| (*c).to_owned()));
        bytes.extend(header(cards));
        // A little noise, so that the sky has a level and a width.
        let pixel = |i: usize| (((i * 7919) % 101) as f32 - 50.0) * 1e-4;
        let data: Vec<u8> = (0..width * height).flat_map(|i| pixel(i).to_be_bytes()).collect();
        let length = data.len().next_multiple_of(2880);
        bytes.extend(&data);
        bytes.resize(bytes.len() + length - data.len(), 0);
    }
    bytes
}

/// What is wrong, the command's arguments, its exit status, and words that its message must have.
type Case = (&'static str, &'static str, i32, &'static [&'static str]);

const CASES: [Case; 28] = [
    ("an image that is not there", "fit absent.fits -o o.fits", 1, &["absent.fits: cannot read"]),
    ("a pattern that no file matches", "fit no*.fits -o o.fits", 2, &["no file matches no*.fits"]),
    ("a folder without FITS files", "fit folder -o o.fits", 2, &["folder: no FITS file in this folder"]),
    ("a text file", "fit text.fits -o o.fits", 1, &["text.fits: not a readable FITS file"]),
    ("an empty file", "fit empty.fits -o o.fits", 1, &["empty.fits: the file is empty"]),
    ("a truncated file", "fit cut.fits -o o.fits", 1, &["cut.fits", "truncated"]),
    ("a file without an image", "fit bare.fits -o o.fits", 1, &["bare.fits: no image in this file"]),
    (
        "an HDU number that is not there",
        "fit two.fits[7] -o o.fits",
        1,
        &["two.fits[7]: there is no such HDU; the file has 0 to 2"],
    ),
    (
        "an HDU name that is not there",
        "fit two.fits[RMS] -o o.fits",
        1,
        &["two.fits[RMS]: no HDU of this name", "SCI"],
    ),
    (
        "a mosaic's file with two images",
        "fit two.fits --catalog good.csv -o o.fits",
        1,
        &["two.fits: has 2 images and a mosaic is one: select it"],
    ),
    (
        "an rms map of another size",
        "fit image.fits --catalog good.csv --rms small.fits -o o.fits",
        1,
        &["small.fits[0]: the rms map has 8×8 pixels", "40×30"],
    ),
    (
        "a mask that is not there",
        "fit image.fits --catalog good.csv --mask absent.fits -o o.fits",
        1,
        &["absent.fits: cannot read"],
    ),
    (
        "an rms and a weight map",
        "fit image.fits --catalog good.csv --rms a --weight b -o o.fits",
        2,
        &["--weight", "cannot be used with"],
    ),
    (
        "a catalogue that is not there",
        "fit image.fits --catalog absent.csv -o o.fits",
        1,
        &["absent.csv: cannot read"],
    ),
    (
        "a catalogue without positions",
        "fit image.fits --catalog nowhere.csv -o o.fits",
        1,
        &["nowhere.csv", "MAG"],
    ),
    (
        "a position that is no number",
        "fit image.fits --catalog word.csv -o o.fits",
        1,
        &["word.csv", "line 3", "here"],
    ),
    (
        "positions in hours and minutes",
        "fit sky.fits --catalog hours.csv -o o.fits",
        1,
        &["hours.csv", "degrees"],
    ),
    (
        "degrees on an image without a projection",
        "fit image.fits --catalog degrees.csv -o o.fits",
        1,
        &["degrees.csv: has positions on the sky alone", "no projection"],
    ),
    (
        "a catalogue for several images",
        "fit image.fits small.fits --catalog good.csv -o o.fits",
        2,
        &["is of one mosaic", "one at a time"],
    ),
    (
        "a magnitude limit without a zero point",
        "fit image.fits --detect --faintest 24 -o o.fits",
        2,
        &["--faintest needs the images' zero point"],
    ),
    (
        "a pixel scale below zero",
        "fit small.fits --pixel-scale -1 -o o.fits",
        2,
        &["--pixel-scale must be positive"],
    ),
    ("a share that does not exist", "fit small.fits --shard 5/4 -o o.fits", 2, &["there is no share 5/4"]),
    (
        "a share as CSV",
        "fit small.fits --shard 1/4 -o o.csv",
        2,
        &["a CSV file has no place to say which share"],
    ),
    (
        "an output in no folder",
        "fit small.fits -o no/o.fits",
        1,
        &["no/o.fits: cannot write: there is no folder no: make it first"],
    ),
    (
        "an output that is something else",
        "fit small.fits -o text.fits",
        1,
        &["text.fits: is there already and no catalogue of legato's"],
    ),
    ("networks that are not there", "fit small.fits --models absent -o o.fits", 1, &["absent: cannot read"]),
    (
        "networks that are none",
        "fit small.fits --models text.fits -o o.fits",
        1,
        &["text.fits: is not a whole safetensors file"],
    ),
    ("a catalogue that is no share", "merge good.csv -o o.fits", 1, &["good.csv: has no column"]),
];

#[test]
fn every_kind_of_bad_input_is_named_and_leaves_nothing() {
    let place = Place::new();
    let image = fits(&[(40, 30, &[])]);
    let tan = [
        "CTYPE1  = 'RA---TAN'",
        "CTYPE2  = 'DEC--TAN'",
        "CRPIX1  =                 20.0",
        "CRPIX2  =                 15.0",
        "CRVAL1  =                150.0",
        "CRVAL2  =                  2.0",
        "CD1_1   =            -1.667E-5",
        "CD2_2   =             1.667E-5",
    ];
    let files: [(&str, Vec<u8>); 13] = [
        ("text.fits", "Hello, this is no FITS file. ".repeat(300).into_bytes()),
        ("empty.fits", Vec::new()),
        ("cut.fits", fits(&[(200, 200, &[])])[..60_000].to_vec()),
        ("bare.fits", fits(&[])),
        ("two.fits", fits(&[(40, 30, &["EXTNAME = 'FIRST'"]), (40, 30, &["EXTNAME = 'SECOND'"])])),
        ("image.fits", image),
        ("sky.fits", fits(&[(40, 30, &tan)])),
        ("small.fits", fits(&[(8, 8, &[])])),
        ("good.csv", b"ID,X,Y\n1,20,15\n".to_vec()),
        ("nowhere.csv", b"ID,MAG\n1,20\n".to_vec()),
        ("word.csv", b"ID,X,Y\n1,20,15\n2,here,15\n".to_vec()),
        ("hours.csv", b"ID,RA,DEC\n1,10:00:00.0,+02:00:00\n".to_vec()),
        ("degrees.csv", b"ID,RA,DEC\n1,150.0,2.0\n".to_vec()),
    ];
    for (name, bytes) in &files {
        std::fs::write(place.path(name), bytes).unwrap();
    }
    std::fs::create_dir(place.path("folder")).unwrap();
    let before = std::fs::read_dir(place.folder()).unwrap().count();
    println!("| what is wrong | what is said |\n|---|---|");
    for (what, arguments, code, words) in CASES {
        let words: Vec<&str> = words.iter().map(|w| if *w == "SCI" { "FIRST, SECOND" } else { w }).collect();
        let answer = place.legato(&format!("{arguments} -q")).fails(code, &words);
        let said = answer
            .err
            .lines()
            .filter(|l| l.starts_with("legato: ") || l.starts_with("error: "))
            .collect::<Vec<_>>();
        println!("| {what} | {} |", said.join(" "));
        assert_eq!(std::fs::read_dir(place.folder()).unwrap().count(), before, "{what}: {answer:#?}");
    }
    for (name, bytes) in &files {
        assert!(std::fs::read(place.path(name)).unwrap() == *bytes, "{name} has changed");
    }
}
