//! Weights that are broken, foreign, or do not fit together; runs that are there already or not at all.

use crate::support::{network, patch, trained};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;

#[test]
fn a_broken_weights_file_is_named() {
    let place = trained();
    let weights = place.path("runs/magnitude/weights.safetensors");
    let whole = std::fs::read(&weights).unwrap();
    let fit = || place.legato("fit train.fits --models runs -o out.csv");
    for bytes in [&whole[..whole.len() / 2], &whole[..7], b"", &[0xff; 5000]] {
        std::fs::write(&weights, bytes).unwrap();
        fit().fails(1, &["runs/magnitude/weights.safetensors: is not a whole safetensors file"]);
        place
            .legato("evaluate --data train.fits --models runs")
            .fails(1, &["is not a whole safetensors file"]);
    }
    assert!(!place.path("out.csv").exists());
}

#[test]
fn a_safetensors_file_of_another_program_is_named() {
    let place = trained();
    let bytes = [0u8; 8];
    let view = TensorView::new(Dtype::F32, vec![2], &bytes).unwrap();
    let foreign = safetensors::serialize([("a", view)], None).unwrap();
    std::fs::write(place.path("foreign.safetensors"), foreign).unwrap();
    let words = ["foreign.safetensors: has no network in its metadata: it was not written by legato"];
    place.legato("fit train.fits --models foreign.safetensors -o out.csv").fails(1, &words);
    let brain = TensorView::new(Dtype::BF16, vec![4], &bytes).unwrap();
    let metadata = HashMap::from([("network".to_owned(), "{}".to_owned())]);
    let foreign = safetensors::serialize([("a", brain)], Some(metadata)).unwrap();
    std::fs::write(place.path("foreign.safetensors"), foreign).unwrap();
    place.legato("fit train.fits --models foreign.safetensors -o out.csv").fails(1, &["tensor a holds BF16"]);
}

#[test]
fn weights_of_another_network_than_they_name_are_refused() {
    let place = trained();
    let weights = place.path("runs/magnitude/weights.safetensors");
    let fit = || place.legato("fit train.fits --models runs/magnitude -o out.csv");
    // One filter fewer in the description than in the tensors.
    patch(&weights, r#"\"filters\":4"#, r#"\"filters\":3"#);
    let words = [
        "magnitude/weights.safetensors: holds weights of another network: tiny needs conv1.weight of [3, 3, 1, 3]",
    ];
    fit().fails(1, &words);
    patch(&weights, r#"\"filters\":3"#, r#"\"filters\":4"#);
    patch(&weights, r#"\"conv2d\""#, r#"\"conv9d\""#);
    fit().fails(1, &["describes a network that this version cannot read"]);
}

#[test]
fn networks_of_different_stamps_or_of_one_parameter_do_not_mix() {
    let place = trained();
    let larger = crate::support::SURVEY.replace("stamp_size = 16", "stamp_size = 20");
    std::fs::write(place.path("larger.toml"), larger).unwrap();
    std::fs::write(place.path("network20.toml"), network(20)).unwrap();
    place.legato("simulate --survey larger.toml -n 20 -o larger.fits").well();
    let train = "train --parameter axis-ratio --data larger.fits --survey larger.toml --network network20.toml \
                 --epochs 1 -o runs/axis-ratio";
    place.legato(train).well();
    let fit = "fit train.fits --models runs -o out.csv";
    place.legato(fit).fails(1, &["takes stamps of 16 pixels, runs/axis-ratio/weights.safetensors of 20"]);
    std::fs::remove_dir_all(place.path("runs/axis-ratio")).unwrap();
    let from = place.path("runs/magnitude/weights.safetensors");
    std::fs::copy(from, place.path("runs/old-magnitude.safetensors")).unwrap();
    let words = "runs/old-magnitude.safetensors: measures magnitude, as runs/magnitude/weights.safetensors does: \
                 keep one of them";
    place.legato(fit).fails(1, &[words]);
}

#[test]
fn a_folder_without_weights_says_how_to_make_some() {
    let place = trained();
    std::fs::create_dir(place.path("none")).unwrap();
    let words = ["none: holds no weights (*.safetensors): train some with `legato train`"];
    place.legato("fit train.fits --models none -o out.csv").fails(1, &words);
    place.legato("fit train.fits --models absent -o out.csv").fails(1, &["absent: cannot read"]);
}

#[test]
fn a_run_is_neither_overwritten_nor_resumed_where_there_is_none() {
    let place = trained();
    let before = std::fs::read(place.path("runs/magnitude/weights.safetensors")).unwrap();
    let train = "train --parameter magnitude --data train.fits --survey survey.toml --network network.toml";
    let words = ["runs/magnitude holds a training run: go on with it by --resume, or choose another folder"];
    place.legato(&format!("{train} -o runs/magnitude")).fails(2, &words);
    assert!(before == std::fs::read(place.path("runs/magnitude/weights.safetensors")).unwrap());
    let words = ["empty: has no checkpoint to resume from: start without --resume"];
    place.legato("train --data train.fits -o empty --resume").fails(1, &words);
    assert!(!place.path("empty").exists());
}

#[test]
fn a_run_goes_on_only_with_its_own_stamps_and_a_whole_checkpoint() {
    let place = trained();
    place.legato("simulate --survey survey.toml -n 60 --seed 4 -o others.fits").well();
    let words = ["runs/magnitude: began with 60 stamps from train.fits; others.fits holds 60 others"];
    place.legato("train --data others.fits -o runs/magnitude --resume").fails(1, &words);
    std::fs::write(place.path("runs/magnitude/checkpoint/state.json"), "{\"recipe\":").unwrap();
    let words = ["runs/magnitude/checkpoint/state.json: is damaged: "];
    place.legato("train --data train.fits -o runs/magnitude --resume").fails(1, &words);
}
