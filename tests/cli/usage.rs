//! Wrong usage, help, and machines without a device.

use crate::support::{Place, trained};

#[test]
fn wrong_usage_ends_with_status_2_and_says_what_was_expected() {
    let place = Place::new();
    for (arguments, words) in [
        ("", "Usage: legato"),
        ("measure", "unrecognized subcommand 'measure'"),
        ("fit a.fits --models runs", "--output <OUTPUT>"),
        ("fit --models runs -o out.fits", "<IMAGES>..."),
        ("fit a.fits --model runs -o out.fits", "'--models'"),
        ("fit a.fits --models runs -o out.fits --batch 0", "it must be at least 1"),
        ("fit a.fits --models runs -o out.fits --zero-point nan", "--zero-point must be a number"),
        ("fit a.fits --models runs -o out.fits --pixel-scale -0.06", "--pixel-scale must be positive"),
        ("fit *.fits --models runs -o out.fits", "no file matches *.fits"),
        ("simulate -o s.fits", "--number <NUMBER>"),
        ("simulate -n 0 -o s.fits", "invalid value '0' for '--number <NUMBER>'"),
        ("simulate -n 5 --threads 100000 -o s.fits", "invalid value '100000' for '--threads"),
        ("simulate -n 1e4 -o s.fits", "invalid value '1e4' for '--number <NUMBER>'"),
        ("simulate -n 1000000000000000 -o s.fits", "more than a file holds: make several sets"),
        ("train --data a.fits -o run", "--parameter <PARAMETER>"),
        ("train --parameter mag --data a.fits -o run", "possible values: magnitude, radius"),
        ("train --parameter radius --data a.fits -o run --stop-after 0", "it must be at least 1"),
        (
            "train --parameter radius --data a.fits -o run --learning-rate -1",
            "the learning rate must be positive",
        ),
        ("train --parameter radius --data a.fits --resume -o run", "cannot be used with '--resume'"),
        ("train --resume --show", "'--resume' cannot be used with '--show'"),
        ("-v -q devices", "cannot be used with"),
    ] {
        let answer = place.legato(arguments).fails(2, &[words]);
        assert_eq!(answer.out, "", "{arguments}");
    }
    let mut left: Vec<_> =
        std::fs::read_dir(place.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["network.toml", "survey.toml"]);
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let place = Place::new();
    let all = place.legato("--help").well().out;
    for command in ["devices", "simulate", "train", "evaluate", "fit", "galfit", "benchmark", "demo"] {
        assert!(all.contains(&format!("\n  {command} ")), "{all}");
        for help in ["--help", "-h"] {
            let text = place.legato(&format!("{command} {help}")).well().out;
            assert!(text.contains(&format!("Example:\n  legato {command}")), "{text}");
        }
    }
    let flags = place.legato("fit --help").well().out;
    for (flag, name) in legato::fits::Flags::NAMES {
        assert!(flags.contains(&format!("{:>6}  {name} ", flag.0)), "{name}: {flags}");
    }
    assert!(place.legato("--version").well().out.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_network_is_shown_without_data_or_device() {
    let place = Place::new();
    let shown = place.legato("train --parameter radius --show").well();
    assert!(shown.out.starts_with("architecture-2: input 128×128×1") && shown.err.is_empty(), "{shown:?}");
}

#[test]
fn a_machine_without_a_driver_is_told_what_to_install() {
    let place = trained();
    for arguments in
        ["devices", "fit train.fits --models runs -o out.csv", "evaluate --data train.fits --models runs"]
    {
        let mut command = place.command(&arguments.split_whitespace().collect::<Vec<_>>());
        command.envs([("VK_DRIVER_FILES", "/nonexistent"), ("VK_ICD_FILENAMES", "/nonexistent")]);
        let answer = place.run(&mut command);
        // On a Mac there is Metal besides.
        if cfg!(target_os = "linux") {
            answer.fails(1, &["no GPU adapter found", "mesa-vulkan-drivers"]);
        }
    }
}

#[test]
fn an_unknown_device_gets_the_list_of_those_there_are() {
    let place = trained();
    let devices = place.legato("devices").well().out;
    for arguments in [
        "fit train.fits --models runs -o out.csv --device nosuch",
        "--device nosuch evaluate --data train.fits --models runs",
    ] {
        let answer =
            place.legato(arguments).fails(1, &["no GPU adapter 'nosuch': choose one of 0: ", "or auto"]);
        let name = answer.err.split("0: ").nth(1).unwrap().split(['(', ',']).next().unwrap().trim();
        assert!(devices.contains(name), "{name}: {devices}");
    }
    let beyond = place.legato("evaluate --data train.fits --models runs --device 99");
    beyond.fails(1, &["no GPU adapter '99': choose one of 0: "]);
}
