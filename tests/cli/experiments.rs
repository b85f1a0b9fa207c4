//! Adaptation, and the paper's experiments, on stamps of 16 pixels.

use crate::support::{Place, SURVEY, trained};
use legato::legato::Stamps;

#[test]
fn a_network_is_adapted_to_labelled_galaxies() {
    let place = trained();
    let adapt = "adapt --model runs/magnitude --data train.fits --epochs 2 -o adapted";
    let first = place.legato(adapt).well();
    assert!(first.out.contains("R² before") && first.out.contains("magnitude"), "{}", first.out);
    assert!(first.err.contains("from 38 stamps, 10 held out"), "{}", first.err);
    place.legato("fit train.fits --models adapted -o out.csv").well();
    // The same again has nothing left to do; another recipe is not mixed with it.
    let again = place.legato(adapt).well();
    assert!(again.out == first.out && !again.err.contains("learning the"), "{again:#?}");
    place
        .legato("adapt --model runs/magnitude --data train.fits --epochs 3 -o adapted")
        .fails(2, &["another recipe"]);
    place.legato("adapt --model nothing --data train.fits -o new").fails(1, &["nothing"]);
    place
        .legato("adapt --model runs/magnitude --data train.fits --curve --sizes 60 -o new")
        .fails(2, &["only 48"]);
}

#[test]
fn labels_may_come_in_a_catalogue() {
    let place = trained();
    let stamps = Stamps::read(&place.path("train.fits")).unwrap();
    let row = |t: &legato::sky::Truth| format!("{},{},{},{}\n", t.mag, t.re_maj, t.n, t.q);
    let rows: String = stamps.truths().iter().map(row).collect();
    std::fs::write(place.path("labels.csv"), format!("MAG,RE_MAJ,N,Q\n{rows}")).unwrap();
    let with = |data: &str, folder: &str| {
        place.legato(&format!("adapt --model runs/magnitude {data} --epochs 1 -o {folder}")).well()
    };
    let labelled = with("--images train.fits --labels labels.csv", "labelled");
    let set = with("--data train.fits", "set");
    assert!(labelled.err.contains("60"), "{}", labelled.err);
    // The table's labels are as many digits as the data set's: the same galaxies, the same answer.
    assert_eq!(labelled.out, set.out);
}

#[test]
fn a_curve_of_adaptation_is_drawn() {
    let place = trained();
    let curve =
        "adapt --model runs/magnitude --data train.fits --curve --sizes 20,40 --most-seen 40 -o curve";
    let first = place.legato(curve).well();
    let rows: Vec<&str> = first.out.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert_eq!(rows.len(), 3, "{}", first.out);
    assert!(rows[0].starts_with("0 ") && rows[1].starts_with("20 ") && rows[2].starts_with("40 "));
    for file in ["index.html", "figures/adaptation-magnitude.svg", "figures/adaptation-magnitude.png"] {
        assert!(place.path("curve").join(file).is_file(), "{file}");
    }
    let table = place.read("curve/tables/adaptation-magnitude.csv");
    assert!(table.starts_with("labelled galaxies,adapted,from scratch"), "{table}");
    assert_eq!(place.legato(curve).well().out, first.out);
}

#[test]
fn the_papers_experiments_run_and_go_on() {
    let place = Place::new();
    let companions = "[companions]\nmean = 1.0\nnone = 0.5\nstars = 0.1\nmin_distance = 2.0\nreach = 8.0\n\
        [companions.flux_ratio]\nmin = 0.02\nmax = 10.0\nslope = 0.8\n\
        [companions.radius]\nmagnitude = 22.0\nmedian = 3.0\nslope = -0.09\nscatter = 0.2\n\
        [companions.sersic_index]\nmin = 0.5\nmax = 4.0\n[companions.axis_ratio]\nmin = 0.2\nmax = 1.0\n";
    let crowded = SURVEY.replace("\"tiny\"", "\"tiny-crowded\"") + companions;
    std::fs::write(place.path("crowded.toml"), crowded).unwrap();
    let settings =
        "--scale 0.0001 --survey survey.toml --crowded crowded.toml --parameters magnitude --sizes 20,40";
    let best = place.legato(&format!("reproduce {settings} -o best")).well();
    for words in ["architecture 1", "paper, GALFIT", "0.997", "isolated only", "labelled galaxies"] {
        assert!(best.out.contains(words), "'{words}' is not in:\n{}", best.out);
    }
    let page = place.read("best/report/index.html");
    assert!(page.contains("<svg") && page.contains("0.0001") && !page.contains("NaN"));
    for file in
        ["tables/table-2.csv", "tables/table-3.csv", "figures/adaptation-magnitude.svg", "figures/truth.png"]
    {
        assert!(place.path("best/report").join(file).is_file(), "{file}");
    }
    // As if it had been killed: what is gone is done again, to the same bits; the rest is not.
    let run = place.path("best/curves/magnitude/runs/00040-adapted");
    let weights = std::fs::read(run.join("weights.safetensors")).unwrap();
    std::fs::remove_dir_all(&run).unwrap();
    std::fs::remove_file(place.path("best/runs/architecture-1/magnitude/isolated.json")).unwrap();
    let again = place.legato(&format!("reproduce {settings} -o best")).well();
    assert_eq!(again.out, best.out);
    assert_eq!(again.err.matches("learning the").count(), 1, "{}", again.err);
    assert!(std::fs::read(run.join("weights.safetensors")).unwrap() == weights);

    // A recipe of one's own is followed in the paper's way: a data set, and every network from random weights.
    std::fs::write(place.path("short.toml"), "warm-up = 0\nepochs = 2\nbatch = 8\n").unwrap();
    let own = place.legato(&format!("reproduce {settings} --recipe short.toml -o own")).well();
    assert!(own.out.contains("paper, GALFIT") && own.err.contains("each seen at most 2 times"), "{own:#?}");
    assert!(!place.path("own/runs/architecture-1/together").exists());
    let page = place.read("own/report/index.html");
    assert!(page.contains("in at most 2 epochs") && !page.contains("NaN"));

    // The folder may be called by another name later.
    std::fs::rename(place.path("best"), place.path("moved")).unwrap();
    let moved = place.legato(&format!("reproduce {settings} -o moved")).well();
    assert!(moved.out == best.out && !moved.err.contains("learning the"), "{}", moved.err);
    place.legato("reproduce --scale 0.5 -o moved").fails(2, &["other settings"]);
    place.legato("reproduce --scale 0 -o new").fails(2, &["--scale 0"]);
    place.legato("reproduce -o .").fails(2, &["holds other things"]);
}

#[test]
fn a_recipe_of_ones_own_is_followed() {
    let place = Place::new();
    place.legato("simulate --survey survey.toml -n 40 --seed 3 -o train.fits").well();
    std::fs::write(place.path("mine.toml"), "batch = 8\nepochs = 2\nwarm-up = 0\ndropout = 0.0\n").unwrap();
    let train = "train --parameter magnitude,radius --architecture 2 --data train.fits --survey survey.toml";
    let told = place.legato(&format!("{train} --recipe mine.toml -o run")).well();
    assert!(told.err.contains("magnitude and radius") && told.err.contains("4 steps of 8"), "{}", told.err);
    assert!(told.err.contains("device memory: weights"), "{}", told.err);
    let table = place.legato("evaluate --data train.fits --models run").well();
    assert!(table.out.contains("magnitude") && table.out.contains("radius"), "{}", table.out);
    let svg = place.read("run/learning.svg");
    assert!(svg.starts_with("<svg") && !svg.contains("NaN"));
    assert!(place.path("run/events.out.tfevents.0.legato").is_file());
    place.legato("train --parameter radius --from run/weights.safetensors --data train.fits --survey survey.toml --epochs 1 -o next").well();

    std::fs::write(place.path("wrong.toml"), "bach = 8").unwrap();
    place.legato(&format!("{train} --recipe wrong.toml -o new")).fails(2, &["wrong.toml", "bach"]);
    place.legato(&format!("{train} --recipe nothing -o new")).fails(2, &["no recipe is called 'nothing'"]);
    place
        .legato("train --parameter radius,radius --data train.fits --survey survey.toml -o new")
        .fails(2, &["twice"]);
    assert!(!place.path("new").exists());
}
