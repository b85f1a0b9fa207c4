//! `legato simulate --mosaic`: an image of many galaxies, and the catalogue of them.

use crate::support::{Place, SURVEY, hidden};
use legato::fits::{Image, open_images, read_truth};
use legato::sky::{Simulator, Survey};

fn image(place: &Place, name: &str) -> Image {
    open_images(place.path(name)).unwrap().next().unwrap().unwrap()
}

#[test]
fn a_grid_holds_the_stamps_of_the_same_seed_and_the_catalogue_says_where() {
    let place = Place::new();
    let made = place
        .legato(
            "simulate --survey survey.toml --mosaic grid -n 7 --seed 5 -o m.fits --rms rms.fits --threads 2",
        )
        .well();
    assert!(made.err.contains("m.fits: 48×48 pixels, 7 galaxies of tiny (grid)"), "{}", made.err);
    let mosaic = image(&place, "m.fits");
    assert_eq!((mosaic.width, mosaic.height), (48, 48));
    let (header, middle) = (&mosaic.header, 24.5);
    assert_eq!((header.zero_point, header.pixel_scale), (Some(25.9463), Some(0.06)));
    assert_eq!(header.unit.as_deref(), Some("ELECTRONS/S"));
    let wcs = header.wcs.as_ref().unwrap();
    let (ra, dec) = wcs.sky(middle, middle);
    assert!((ra - 150.1).abs() < 1e-11 && (dec - 2.2).abs() < 1e-11);
    let simulator = Simulator::new(Survey::parse(SURVEY, "survey.toml".as_ref()).unwrap(), 5).unwrap();
    let truths = read_truth(place.path("m-truth.fits")).unwrap();
    assert_eq!(truths.len(), 7);
    for (index, truth) in truths.iter().enumerate() {
        let (stamp, alone) = simulator.stamp(index as u64).unwrap();
        let (x, y) = (index % 3 * 16, index / 3 * 16);
        assert_eq!((truth.id, truth.mag, truth.pa), (alone.id, alone.mag, alone.pa));
        assert!((truth.x - alone.x - x as f64).abs() < 1e-12 && (truth.y - alone.y - y as f64).abs() < 1e-12);
        for (row, expected) in stamp.chunks_exact(16).enumerate() {
            assert_eq!(&mosaic.pixels[(y + row) * 48 + x..][..16], expected);
        }
    }
    let rms = image(&place, "rms.fits");
    assert!(rms.pixels.iter().all(|sigma| *sigma >= 0.00319));
    // White noise: σ² and the light over the exposure.
    let light = simulator.without_noise().stamp(0).unwrap().0[8 * 16 + 8];
    let expected = (0.0032f32.powi(2) + light / 3200.0).sqrt();
    assert!((rms.pixels[8 * 48 + 8] - expected).abs() < 1e-5 * expected);
    assert!(hidden(place.folder()).is_empty());
}

#[test]
fn a_mosaic_is_the_same_on_any_number_of_threads_and_replaces_only_its_like() {
    let place = Place::new();
    for layout in ["grid", "field"] {
        let make = |name: &str, threads: usize| {
            let line = format!(
                "simulate --survey survey.toml --mosaic {layout} -n 30 -o {name}.fits --catalog {name}.csv --threads {threads}"
            );
            place.legato(&line).well();
            let bytes = |ending: &str| std::fs::read(place.path(&format!("{name}.{ending}"))).unwrap();
            (bytes("fits"), bytes("csv"))
        };
        assert!(make("one", 1) == make("three", 3), "{layout}");
        assert_eq!(read_truth(place.path("one.csv")).unwrap().len(), 30);
    }
    assert!(place.read("one.csv").starts_with("ID,RA,DEC,MAG,RE_MAJ,RE_CIRC,N,Q,PA,X,Y,PSF"));
    place.legato("simulate --survey survey.toml -n 3 -o set.fits").well();
    std::fs::write(place.path("notes.csv"), "A,B\n1,2\n").unwrap();
    let fails = |more: &str, code: i32, word: &str| {
        let line = format!("simulate --survey survey.toml --mosaic grid -n 3 {more}");
        place.legato(&line).fails(code, &[word]);
    };
    fails("-o set.fits", 1, "is there already and no simulated mosaic");
    fails("-o new.fits --catalog notes.csv", 1, "is there already and no table of truth");
    fails("-o new.fits --rms new.fits", 2, "need three names");
    fails("-o new.fits --rms rms.fits --no-noise", 2, "cannot be used with");
    fails("", 2, "--output");
    place.legato("simulate --survey survey.toml --mosaic grid -o new.fits").fails(2, &["--number"]);
    place.legato("simulate --survey survey.toml --rms rms.fits -n 3 -o new.fits").fails(2, &["--mosaic"]);
    assert!(!place.path("new.fits").exists());
}
