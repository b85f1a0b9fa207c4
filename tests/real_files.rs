//! Real files of other people's programs and telescopes, which the project may read but not ship. They
//! lie in `../shared/data` or where `LEGATO_REAL_DATA` says; run with
//! `LEGATO_REAL_DATA=… cargo test --release --test real_files -- --ignored`.

use legato::detect::{Settings, Source};
use legato::fits::{
    Catalogue, Cutter, Flags, Image, Labels, Layers, Mosaic, cut, detect_sources, open_images, read_psf,
};
use legato::legato::{LabelOptions, Modeller, Observed, PixelNoise, Shape, Stamps};
use legato::report::{Triptych, TriptychSheet};
use legato::sky::{PixelConvention, Psf, Renderer, Sersic, Survey};
use std::path::{Path, PathBuf};
use std::process::Command;

fn data() -> PathBuf {
    let folder = std::env::var_os("LEGATO_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    assert!(folder.is_dir(), "no real data in {}; set LEGATO_REAL_DATA", folder.display());
    folder
}

fn read(path: &Path) -> Vec<Image> {
    let images = open_images(path).unwrap_or_else(|e| panic!("{e}"));
    images.map(|image| image.unwrap_or_else(|e| panic!("{e}"))).collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
#[ignore = "needs real data: candels-uds"]
fn candels_galfit_blocks_give_their_data_alone() {
    let files = files("candels-uds");
    assert_eq!(files.len(), 14);
    for file in files {
        let images = read(&file);
        assert_eq!(images.len(), 1, "{}", file.display());
        let image = &images[0];
        assert_eq!(image.hdu, 1);
        assert_eq!(image.header.zero_point, Some(25.9463));
        assert!((image.header.pixel_scale.unwrap() - 0.06).abs() < 1e-4);
        assert_eq!(image.header.unit.as_deref(), Some("ELECTRONS/S"));
        let stamp = cut(image, 128, None);
        let larger = image.width > 128 || image.height > 128;
        let smaller = image.width < 128 || image.height < 128;
        assert_eq!(stamp.flags.contains(Flags::CUT), larger);
        assert!(stamp.flags.contains(Flags::PADDED) || !smaller);
        assert!(stamp.snr > 5.0, "{}: {}", file.display(), stamp.snr);
        println!(
            "{}: {}x{} sky {:.4} ± {:.4}, centre {:.0} {:.0}, S/N {:.0}, {}",
            image.name,
            image.width,
            image.height,
            stamp.sky.level,
            stamp.sky.sigma,
            stamp.x,
            stamp.y,
            stamp.snr,
            stamp.flags
        );
    }
}

#[test]
#[ignore = "needs real data: cosmos"]
fn a_file_of_ten_galaxies_gives_ten_images() {
    let images = read(&data().join("cosmos/real_galaxy_images_23.5_n1.fits"));
    assert_eq!(images.len(), 10);
    assert_eq!((images[0].width, images[0].height), (233, 234));
    assert_eq!((images[9].hdu, images[9].name.as_str()), (9, "real_galaxy_images_23.5_n1[9]"));
    for image in &images {
        let stamp = cut(image, 128, None);
        assert!(stamp.snr > 10.0 && stamp.pixels.iter().all(|p| p.is_finite()));
    }
    for table in ["real_galaxy_catalog_23.5.fits", "real_galaxy_catalog_23.5_fits.fits"] {
        let error = open_images(data().join("cosmos").join(table)).err().unwrap().to_string();
        assert!(error.contains("no image in this file"), "{error}");
    }
}

#[test]
#[ignore = "needs real data: galfit-example, wfc3-f105w, psf, galfit-truth"]
fn every_other_file_is_read() {
    for folder in ["galfit-example", "wfc3-f105w", "psf", "galfit-truth"] {
        for file in files(folder) {
            let images = read(&file);
            assert_eq!(images.len(), 1, "{}", file.display());
            let image = &images[0];
            println!("{} {}x{} {:?}", image.name, image.width, image.height, image.header);
            assert!(cut(image, 128, None).pixels.iter().all(|p| p.is_finite()));
        }
    }
    let f105w = &read(&data().join("wfc3-f105w/abell_2744_dwarf_galaxy_f105w.fits.gz"))[0];
    assert!((f105w.header.pixel_scale.unwrap() - 0.06).abs() < 1e-3);
    // WFC3/IR F105W: 26.27 in e/s.
    assert!((f105w.header.zero_point.unwrap() - 26.27).abs() < 0.01);
    let example = &read(&data().join("galfit-example/gal.fits"))[0];
    assert_eq!(example.header.exposure, Some(1040.0));
    // ACS F606W electrons of 1040 s: the rate's zero point by its PHOTFLAM, and 2.5 log 1040.
    assert!((example.header.zero_point.unwrap() - (26.3923 + 7.5426)).abs() < 1e-3);
}

#[test]
#[ignore = "needs real data: wfc3-f105w"]
fn a_cut_out_with_its_rms_map_is_a_mosaic_with_noise_and_a_projection() {
    let folder = data().join("wfc3-f105w");
    let mosaic = Mosaic::open(folder.join("abell_2744_dwarf_galaxy_f105w.fits.gz")).unwrap();
    let zero_point = mosaic.header().calibrate(None);
    println!("{}", zero_point.line);
    assert!(zero_point.line.contains("from PHOTFLAM and PHOTPLAM, in ELECTRONS/S (BUNIT)"));
    assert!(zero_point.warning.is_none());
    let wcs = mosaic.header().wcs.clone().unwrap();
    let (ra, dec) = wcs.sky(100.0, 90.0);
    let (x, y) = wcs.pixel(ra, dec).unwrap();
    assert!((x - 100.0).hypot(y - 90.0) < 1e-6);
    let mut layers =
        Layers::new(mosaic).with_rms(folder.join("abell_2744_dwarf_galaxy_f105w_rms.fits.gz")).unwrap();
    let cutter = Cutter { pixel_scale: Some(0.06), ..Cutter::new(128) };
    let stamp = cutter.from_mosaic(&mut layers, (100.0, 90.0), 0).unwrap();
    let rms = stamp.rms.unwrap();
    println!("σ {} by the map, level {}, S/N {}", stamp.sky.sigma, stamp.sky.level, stamp.snr);
    assert_eq!(stamp.flags.0 & (Flags::PADDED | Flags::RESAMPLED | Flags::PIXEL_SCALE).0, 0);
    assert!(stamp.snr > 20.0 && rms.iter().all(|s| *s > 0.0));
    let other = Mosaic::open(folder.join("abell_2744_group_of_galaxies_f105w.fits.gz")).unwrap();
    let error = Layers::new(other).with_rms(folder.join("abell_2744_dwarf_galaxy_f105w_rms.fits.gz"));
    let error = error.err().unwrap().to_string();
    assert!(error.contains("200×200") && error.contains("100×100"), "{error}");
}

/// The program's standard output and error, after it ended with `code`.
fn legato(folder: &Path, code: i32, arguments: &[&str]) -> (String, String) {
    let program = env!("CARGO_BIN_EXE_legato");
    let output = Command::new(program).current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    (out, err)
}

const NETWORK: &str = r#"
name = "small"
input = [128, 128, 1]
layers = [
    { type = "stretch", gain = 104.0, scale = 0.333 },
    { type = "max-pool" },
    { type = "max-pool" },
    { type = "conv2d", kernel = 3, filters = 4, relu = true },
    { type = "max-pool" },
    { type = "flatten" },
    { type = "dense", units = 16, relu = true },
    { type = "dense", units = 1, relu = false },
]
"#;

#[test]
#[ignore = "needs real data: candels-uds, cosmos, galfit-example, galfit-truth, psf, wfc3-f105w"]
fn every_real_file_gives_a_row_or_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    std::fs::write(place.join("network.toml"), NETWORK).unwrap();
    legato(place, 0, &["simulate", "-n", "200", "-o", "train.fits"]);
    let train = "train --epochs 1 --batch 20 --network network.toml --data train.fits";
    for (parameter, run) in [("magnitude", "runs/magnitude"), ("radius", "runs/radius")] {
        let more = ["--parameter", parameter, "-o", run];
        legato(place, 0, &train.split(' ').chain(more).collect::<Vec<_>>());
    }
    let measure = |input: &str, code| {
        let input = data().join(input);
        let answer =
            legato(place, code, &["fit", input.to_str().unwrap(), "--models", "runs", "-o", "out.csv"]);
        let rows = Catalogue::read(place.join("out.csv")).unwrap().rows;
        println!("{}{}", answer.0, answer.1);
        for row in &rows {
            assert!([row.mag, row.re_maj, row.snr].iter().all(|v| v.is_finite()), "{row:?}");
        }
        (rows, answer.1)
    };

    let (rows, _) = measure("candels-uds", 0);
    assert_eq!(rows.len(), 14);
    for row in &rows {
        // The UDS field.
        assert!((34.2..34.6).contains(&row.ra) && (-5.3..-5.1).contains(&row.dec), "{row:?}");
        let other = Flags::PIXEL_SCALE | Flags::ZERO_POINT_ASSUMED;
        assert_eq!(row.flags.0 & other.0, 0, "{row:?}");
        assert!((row.re_arcsec - 0.06 * row.re_maj).abs() < 1e-3, "{row:?}");
    }

    let (rows, words) = measure("cosmos", 1);
    assert_eq!(rows.len(), 10);
    assert!(rows.iter().all(|r| r.flags.contains(Flags::PIXEL_SCALE | Flags::ZERO_POINT_ASSUMED)));
    assert!(rows.iter().all(|r| r.ra.is_nan() && r.re_arcsec.is_nan()), "no pixel scale, no arcsec");
    assert!(words.contains("real_galaxy_catalog_23.5.fits: no image in this file"));
    assert!(words.contains("2 of the images could not be read; out.csv has the others"));

    for (folder, count) in [("galfit-example", 2), ("galfit-truth", 5), ("psf", 2), ("wfc3-f105w", 3)] {
        assert_eq!(measure(folder, 0).0.len(), count);
    }
    let (rows, _) = measure("galfit-example/gal.fits", 0);
    assert!(rows[0].flags.contains(Flags::PADDED | Flags::RESAMPLED));
    // astropy: 53.03503652, -27.70872914.
    assert!((rows[0].ra - 53.0350365).abs() < 1e-6 && (rows[0].dec + 27.7087291).abs() < 1e-6);
}

/// Radius of the circle that holds `part` of the flux, by bisection on an image of 0.005″ pixels.
fn encircled(psf: &Psf, part: f64) -> f64 {
    let (size, scale) = (801, 0.005);
    let image = psf.image(size, scale);
    let within = |r: f64| {
        let centre = (size / 2) as f64;
        image
            .iter()
            .enumerate()
            .filter(|(i, _)| ((i % size) as f64 - centre).hypot((i / size) as f64 - centre) * scale <= r)
            .map(|(_, p)| p)
            .sum::<f64>()
    };
    let (mut low, mut high) = (0.0, 1.9);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if within(middle) < part { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[test]
#[ignore = "needs real data: psf"]
fn the_builtin_psf_holds_its_light_as_the_empirical_ones_do() {
    let survey = legato::sky::Survey::builtin("candels-f160w").unwrap();
    let model = legato::fits::survey_parts(&survey).unwrap().psfs.remove(0);
    for file in files("psf") {
        let psf = read_psf(&file, 0.04).unwrap();
        for part in [0.3, 0.5, 0.8] {
            let (a, b) = (encircled(&model, part), encircled(&psf, part));
            println!("{part}: model {a:.3}″, {} {b:.3}″", file.display());
            assert!((a - b).abs() < 0.02, "{part}: {a} {b}");
        }
    }
}

#[test]
#[ignore = "needs real data: galfit-truth"]
fn stamps_are_galfits_own_pixels_in_its_convention() {
    // Without a PSF: one pixel that passes everything on.
    let none = Psf::from_image(&[1.0], 1, 1.0).unwrap();
    // GALFIT takes a PSF image of 50 pixels to be centred on its 26th; this one's peak is its 25th, and Psf has it
    // centred on its centroid.
    let file = data().join("galfit-truth/f105w_psf.fits.gz");
    let image = &read(&file)[0];
    let measured = Psf::from_image(&image.pixels, image.width, 1.0).unwrap();
    let Psf::Image(centred) = &measured else { panic!("not an image") };
    let shift = [centred.centre().0 - 25.0, centred.centre().1 - 25.0];
    // With it, ours is shifted before it is averaged and GALFIT's after: what is left is mostly that.
    for (file, psf, [shift_x, shift_y], allowed) in [
        ("galfit_sersic_n1.fits.gz", &none, [0.0; 2], 1e-3),
        ("galfit_n4_psf0.fits.gz", &none, [0.0; 2], 1e-3),
        ("galfit_n4_psf1.fits.gz", &measured, shift, 1e-2),
    ] {
        let path = data().join("galfit-truth").join(file);
        let image = &read(&path)[0];
        let renderer = Renderer::with_pixels(image.width, 1.0, psf, PixelConvention::PixelAveraged).unwrap();
        let [x, y, mag, re, n, q, pa] = component(&path);
        let galaxy = Sersic::from_magnitude(mag, image.header.zero_point.unwrap(), re, n, q, pa).unwrap();
        let ours = renderer.render(&galaxy, x + shift_x, y + shift_y);
        let (mut outside, mut centre) = (0.0f64, 0.0f64);
        // GALFIT convolves within CONVBOX, 100 pixels about the centre; beyond it there is no PSF.
        let within = if std::ptr::eq(psf, &none) { f64::MAX } else { 45.0 };
        for (i, (a, b)) in ours.iter().zip(&image.pixels).enumerate() {
            let (dx, dy) = ((i % image.width) as f64 + 1.0 - x, (i / image.width) as f64 + 1.0 - y);
            let off = (a / f64::from(*b) - 1.0).abs();
            let r = dx.abs().max(dy.abs());
            if r <= 1.0 {
                centre = centre.max(off);
            } else if r <= within {
                outside = outside.max(off);
            }
        }
        println!("{file}: n {n}: outside the central 3×3 within {outside:.1e}, in it {centre:.1e}");
        assert!(outside < allowed, "{file}: {outside}");
        assert!(centre < 1.5 * allowed, "{file}: {centre}");
    }
}

/// X, Y, magnitude, radius, index, axis ratio and position angle of the one component in a GALFIT model's header,
/// written there as `value +/- error`, `[value]` or `*value*`.
fn component(path: &Path) -> [f64; 7] {
    numbered_component(path, 0, 1)
}

/// As [`component`], of any component in the header of any HDU.
fn numbered_component(path: &Path, hdu: usize, number: usize) -> [f64; 7] {
    let mut file = fitsio::FitsFile::open(path).unwrap();
    let hdu = file.hdu(hdu).unwrap();
    ["XC", "YC", "MAG", "RE", "N", "AR", "PA"].map(|key| {
        let text: String = hdu.read_key(&mut file, &format!("{number}_{key}")).unwrap();
        let first = text.split("+/-").next().unwrap();
        first.trim_matches(|c: char| " []*".contains(c)).parse().unwrap()
    })
}

#[test]
#[ignore = "needs real data: cosmos"]
fn galaxies_of_cosmos_become_a_data_set_with_their_published_fits() {
    let cosmos = data().join("cosmos");
    let pictures = cosmos.join("real_galaxy_images_23.5_n1.fits");
    let catalogue = cosmos.join("real_galaxy_catalog_23.5.fits");
    let column = |path: &Path, name: &str| -> Vec<f64> {
        let mut file = fitsio::FitsFile::open(path).unwrap();
        let hdu = file.hdu(1).unwrap();
        hdu.read_col(&mut file, name).unwrap()
    };
    // The one-component fits are a column of vectors: I_e, r_e in 0.03″ pixels, n, q, …
    let fits = column(&cosmos.join("real_galaxy_catalog_23.5_fits.fits"), "sersicfit");
    assert_eq!(fits.len(), 80);
    let (mags, hdus) = (column(&catalogue, "MAG"), column(&catalogue, "GAL_HDU"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.csv");
    let mut text = "ID,MAG,RE_MAJ,N,Q\n".to_owned();
    for ((fit, mag), hdu) in fits.chunks(8).zip(&mags).zip(&hdus) {
        let [re, n, q] = [fit[1], fit[2], fit[3]];
        text += &format!("real_galaxy_images_23.5_n1[{hdu}],{mag},{re},{n},{q}\n");
    }
    std::fs::write(&path, text).unwrap();
    // HST/ACS F814W, e/s.
    let options =
        LabelOptions { zero_point: Some(25.947), pixel_scale: Some(0.03), ..LabelOptions::default() };
    let (stamps, report) = Stamps::labelled(&[pictures], &path, 128, &options).unwrap();
    println!("{report}");
    assert_eq!((stamps.len(), report.known), (10, [10; 4]));
    for (i, truth) in stamps.truths().iter().enumerate() {
        let flux: f64 = stamps.pixels(i).iter().copied().map(f64::from).sum();
        let mag = 25.947 - 2.5 * flux.log10();
        println!("{mag:.2} on the stamp, {:.2} in the catalogue", truth.mag);
        assert!((mag - truth.mag).abs() < 1.0);
    }
    let labels = Labels::read(&catalogue, 0.03).unwrap();
    assert!(labels.named && labels.radius.is_none());
    assert_eq!(labels.rows.iter().map(|row| row.mag.unwrap()).collect::<Vec<_>>(), mags);
    let error =
        Labels::read(cosmos.join("real_galaxy_catalog_23.5_fits.fits"), 0.03).unwrap_err().to_string();
    assert!(error.contains("has no column of labels") && error.contains("sersicfit"), "{error}");
}

#[test]
#[ignore = "needs real data: candels-uds"]
fn models_of_galfits_galaxies_lie_and_shine_as_galfit_says() {
    let survey = Survey::builtin("candels-f160w").unwrap();
    let modeller = Modeller::of_survey(&survey, 128, None).unwrap();
    let mut sheet = TriptychSheet::new("CANDELS-UDS, shapes of GALFIT", 128, TriptychSheet::GALAXIES);
    // Those that no neighbour touches; GALFIT fits neighbours along, whose light is left out here.
    for (name, bound) in [("gf15", 0.15), ("gf20", 0.2), ("gf33", 0.2), ("gf38", 0.15)] {
        let path = data().join(format!("candels-uds/H.{name}.fits"));
        // The sky is GALFIT's first component.
        let [x, y, mag, re_maj, n, q, pa] = numbered_component(&path, 2, 2);
        let image = &read(&path)[0];
        let stamp = cut(image, 128, Some((x, y)));
        let place = stamp.centre;
        let noise = PixelNoise::Sky(stamp.sky.sigma);
        let bad = Some(&stamp.filled[..]);
        let observed = Observed { pixels: &stamp.pixels, noise, bad, x: place.0, y: place.1 };
        let found = modeller.fit(&observed, &Shape { re_maj, n, q }).unwrap();
        let turned = (found.pa - pa + 90.0).rem_euclid(180.0) - 90.0;
        println!(
            "{name}: mag {:.3} ({mag:.3}), PA {:.1} ({pa:.1}), centre off by {:.2} {:.2}, χ² {:.2}, {:.3} of the light left, {:.2} left out",
            found.mag,
            found.pa,
            found.x - place.0,
            found.y - place.1,
            found.chi2,
            found.residual_fraction,
            found.left_out
        );
        sheet
            .add(Triptych {
                id: name.to_owned(),
                mag: found.mag,
                re_maj,
                n,
                q,
                pa: found.pa,
                centre: (found.x, found.y),
                chi2: found.chi2,
                flags: stamp.flags.to_string(),
                data: stamp.pixels.clone(),
                model: found.model.clone(),
                sigma: found.sigma.clone(),
                excluded: found.excluded.clone(),
                sky: found.sky,
            })
            .unwrap();
        assert!((found.mag - mag).abs() < bound, "{name}: {} {mag}", found.mag);
        assert!(q > 0.9 || turned.abs() < 6.0 + 3.0 * found.pa_err, "{name}: {} {pa}", found.pa);
        assert!((found.x - place.0).hypot(found.y - place.1) < 0.5, "{name}: {} {}", found.x, found.y);
        assert!(found.residual_fraction < 0.15, "{name}: {}", found.residual_fraction);
    }
    sheet.save(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("galfits_galaxies.png")).unwrap();
}

#[test]
#[ignore = "needs real data: wfc3-f105w"]
fn the_sources_of_abell_2744_are_seps() {
    // SEP 1.4.1 with filter_type="conv", 1.5 times the rms map or, where there is none, the measured noise: x, y (1-based),
    // isophotal light, a, b, pixels of the brightest.
    let dwarf = [
        [180.227, 64.654, 426.6501, 9.897, 9.449, 3368.0],
        [139.635, 90.335, 242.0130, 8.001, 5.050, 2019.0],
        [100.975, 100.190, 64.3455, 8.203, 8.043, 1984.0],
        [193.370, 164.419, 3.7874, 3.057, 2.541, 187.0],
        [62.835, 141.841, 1.3248, 3.766, 2.687, 167.0],
        [109.651, 184.892, 1.0489, 2.214, 1.648, 73.0],
    ];
    let group = [
        [44.300, 70.331, 11.4679, 5.772, 4.036, 641.0],
        [70.591, 31.212, 8.6474, 5.701, 4.284, 606.0],
        [89.155, 76.709, 7.2978, 4.067, 3.867, 408.0],
        [13.959, 34.491, 1.2390, 3.502, 2.703, 169.0],
        [25.089, 31.375, 0.8075, 2.712, 2.134, 105.0],
        [59.580, 61.925, 0.6778, 2.524, 1.740, 77.0],
    ];
    let file = |name: &str| data().join("wfc3-f105w").join(format!("abell_2744_{name}_f105w.fits.gz"));
    let open = |name: &str| Layers::new(Mosaic::open(file(name)).unwrap());
    let rms = data().join("wfc3-f105w/abell_2744_dwarf_galaxy_f105w_rms.fits.gz");
    for (mut layers, theirs, count) in
        [(open("dwarf_galaxy").with_rms(rms).unwrap(), dwarf, 22), (open("group_of_galaxies"), group, 10)]
    {
        let found = detect_sources(&mut layers, &Settings::default()).unwrap();
        println!("{}: {} sources, SEP {count}", layers.image().name(), found.sources.len());
        assert!(found.sources.len().abs_diff(count) <= 2);
        for [x, y, flux, a, b, area] in theirs {
            let apart = |s: &&Source| (s.x - x).hypot(s.y - y);
            let s = found.sources.iter().min_by(|s, t| apart(s).total_cmp(&apart(t))).unwrap();
            println!(
                "{x} {y}: {:.3} px apart; light {:.4}, a {:.4}, b {:.4}, area {:.4} of SEP's; {}",
                apart(&s),
                s.flux / flux,
                s.a / a,
                s.b / b,
                s.area as f64 / area,
                s.flags
            );
            // Which faint pixels of a blend are whose is a matter of a lot; another seed moves the least of these as much.
            let blended = s.flags.contains(legato::detect::Flags::DEBLENDED);
            let (place, light, axes) = if blended { (0.15 * a, 0.12, 0.15) } else { (0.1, 0.03, 0.03) };
            assert!(apart(&s) < place, "{x} {y}: {}", apart(&s));
            assert!((s.flux / flux - 1.0).abs() < light, "{x} {y}: {}", s.flux);
            assert!((s.a / a - 1.0).abs() < axes && (s.b / b - 1.0).abs() < axes, "{x} {y}: {} {}", s.a, s.b);
        }
    }
}
