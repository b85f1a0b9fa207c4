//! The way through: simulate, train, pause, go on, evaluate, measure.

use crate::support::{Place, trained};
use std::process::Stdio;

#[test]
fn a_run_can_pause_and_go_on_to_the_same_bits() {
    let place = Place::new();
    place.legato("simulate --survey survey.toml -n 40 -o train.fits").well();
    let train = "train --parameter magnitude --data train.fits --survey survey.toml --network network.toml \
                 --epochs 3 --batch 8";
    let whole = place.legato(&format!("{train} -o whole")).well();
    assert!(whole.err.contains("epoch   3:") && whole.err.contains("whole/weights.safetensors: done"));
    assert!(whole.out.is_empty(), "{}", whole.out);

    let paused = place.legato(&format!("{train} -o parts --stop-after 1")).well();
    assert!(paused.err.contains("paused after 1 epochs: go on with --resume"), "{}", paused.err);
    let resumed = place.legato("train --data train.fits -o parts --resume").well();
    assert!(resumed.err.contains("at most 3 epochs, 1 done"), "{}", resumed.err);
    let weights =
        |run: &str| std::fs::read(place.path(&format!("{run}/checkpoint/adam-mean.safetensors"))).unwrap();
    assert!(weights("whole") == weights("parts"));
    assert_eq!(place.read("parts/history.csv").lines().count(), 4);
    let again = place.legato("train --data train.fits -o parts --resume").well();
    assert!(again.err.contains("3 done") && again.err.contains("done; best epoch"), "{}", again.err);
}

#[test]
fn a_catalogue_has_a_row_for_every_stamp_in_each_format() {
    let place = trained();
    const HEAD: &str = "ID,FILE,RA,DEC,X,Y,MAG,MAG_ERR_LO,MAG_ERR_HI,RE_MAJ,RE_MAJ_ERR_LO,RE_MAJ_ERR_HI,RE_CIRC,\
                        RE_ARCSEC,N,N_ERR_LO,N_ERR_HI,Q,Q_ERR_LO,Q_ERR_HI,PA,SNR,CHI2,OOD,NEIGH_RATIO,NEIGH_DIST,FLAGS";
    for name in ["out.fits", "out.csv", "out.ecsv"] {
        let answer = place.legato(&format!("fit train.fits --models runs -o {name}")).well();
        assert!(answer.err.contains(&format!("{name}: 60 galaxies")), "{}", answer.err);
        // Two networks: neither the columns of the others, nor a sky position, which the file does not give.
        let heading: Vec<&str> = answer.out.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(heading, ["ID", "X", "Y", "MAG", "RE_MAJ", "RE_ARCSEC", "SNR", "FLAGS"]);
        assert!(
            answer.out.contains("train[0,1]") && answer.out.ends_with("… and 40 more\n"),
            "{}",
            answer.out
        );
    }
    let csv = place.read("out.csv");
    assert_eq!(csv.lines().next(), Some(HEAD));
    assert_eq!(csv.lines().count(), 61);
    let ecsv = place.read("out.ecsv");
    assert!(ecsv.starts_with("# %ECSV 1.0\n") && ecsv.ends_with(&csv));
    assert!(ecsv.contains("# - {name: RE_ARCSEC, unit: arcsec, datatype: float64, description: "));
    let weights = std::fs::read(place.path("runs/magnitude/weights.safetensors")).unwrap();
    let model =
        format!("'MODEL MAG': 'runs/magnitude/weights.safetensors, {} bytes, CRC-32C ", weights.len());
    assert!(ecsv.contains(&model), "{ecsv}");

    let mut file = fitsio::FitsFile::open(place.path("out.fits")).unwrap();
    let table = file.hdu("CATALOGUE").unwrap();
    let column = |file: &mut fitsio::FitsFile, name| -> Vec<f64> { table.read_col(file, name).unwrap() };
    let (mags, radii) = (column(&mut file, "MAG"), column(&mut file, "RE_MAJ"));
    let arcsec = column(&mut file, "RE_ARCSEC");
    for (row, line) in csv.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        // ID, itself with a comma, is quoted.
        assert!(line.starts_with(&format!("\"train[0,{}]\",train.fits,", row + 1)), "{line}");
        let mag: f64 = fields[7].parse().unwrap();
        assert!((mag - mags[row]).abs() < 1e-4, "{line}: {}", mags[row]);
        assert!((arcsec[row] - 0.06 * radii[row]).abs() < 1e-9);
        assert_eq!(fields[13], "", "a circularised radius needs an axis ratio");
    }
    assert!(column(&mut file, "N").iter().all(|n| n.is_nan()));
    for (key, unit) in [("TUNIT7", "mag"), ("TUNIT10", "pixel"), ("TUNIT14", "arcsec")] {
        assert_eq!(table.read_key::<String>(&mut file, key).unwrap(), unit);
    }
}

#[test]
fn a_models_folder_may_be_a_run_or_one_file() {
    let place = trained();
    for models in ["runs/radius", "runs/radius/weights.safetensors"] {
        place.legato(&format!("fit train.fits --models {models} -o out.csv")).well();
    }
}

#[test]
fn names_with_spaces_brackets_and_relative_folders_are_taken_as_they_are() {
    let place = trained();
    std::fs::create_dir(place.path("my data")).unwrap();
    std::fs::rename(place.path("train.fits"), place.path("my data/NGC 1 [a]é.fits")).unwrap();
    let arguments =
        ["-q", "-o", "my data/../out put.csv", "--models", "./runs", "my data/NGC 1 [a]é.fits[0]"];
    let command = |first: &str| {
        let mut command = place.command(&[first]);
        command.args(arguments);
        command
    };
    place.run(&mut command("fit")).well();
    assert!(place.read("out put.csv").contains("NGC 1 [a]é[0,60]"));
}

#[test]
fn folders_are_searched_for_fits_files() {
    let place = trained();
    std::fs::create_dir(place.path("in")).unwrap();
    place.legato("fit in --models runs -o out.csv").fails(2, &["in: no FITS file in this folder"]);
    std::fs::copy(place.path("train.fits"), place.path("in/b.FITS")).unwrap();
    std::fs::copy(place.path("train.fits"), place.path("in/a.fit")).unwrap();
    std::fs::write(place.path("in/notes.txt"), "not these").unwrap();
    place.legato("fit in --models runs -o out.csv").well();
    let csv = place.read("out.csv");
    assert_eq!(csv.lines().count(), 121);
    assert!(csv.lines().nth(1).unwrap().contains("in/a.fit"));
}

#[test]
fn quiet_leaves_only_results() {
    let place = trained();
    let simulated = place.legato("-q simulate --survey survey.toml -n 3 -o s.fits").well();
    let fitted = place.legato("fit -q s.fits --models runs -o out.csv").well();
    let evaluated = place.legato("evaluate --quiet --data s.fits --models runs -o report").well();
    for answer in [&simulated, &fitted] {
        assert_eq!((answer.out.as_str(), answer.err.as_str()), ("", ""));
    }
    assert_eq!(evaluated.err, "");
    assert!(evaluated.out.starts_with("parameter"));
}

#[test]
fn results_go_to_standard_output_and_talk_to_standard_error() {
    let place = trained();
    let answer = place.legato("fit train.fits --models runs -o out.csv").well();
    assert!(answer.err.starts_with("zero point 25.946 from MAGZERO") && answer.err.contains("\ndevice: "));
    assert!(!answer.out.contains("device") && !answer.out.contains("zero point"));
    assert!(!answer.err.contains("RE_MAJ"), "{}", answer.err);
    let devices = place.legato("devices").well();
    assert!(devices.out.contains("(auto)") && devices.err.is_empty(), "{devices:?}");
}

#[test]
fn a_reader_who_leaves_early_is_no_failure() {
    let place = trained();
    for (arguments, close_error) in [("devices", false), ("evaluate --data train.fits --models runs", true)] {
        let mut command = place.command(&arguments.split_whitespace().collect::<Vec<_>>());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let error = child.stderr.take().filter(|_| !close_error);
        let text = error.map(|e| std::io::read_to_string(e).unwrap()).unwrap_or_default();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{text}");
    }
}

#[test]
fn the_same_output_twice_is_replaced() {
    let place = trained();
    place.legato("simulate --survey survey.toml -n 3 -o s.fits").well();
    place.legato("simulate --survey survey.toml -n 2 -o s.fits").well();
    place.legato("fit s.fits --models runs -o out.fits").well();
    place.legato("fit s.fits --models runs -o out.fits").well();
    place.legato("fit s.fits --models runs -o out.csv").well();
    assert_eq!(place.read("out.csv").lines().count(), 3);
}
