//! Trained networks at work: on data sets with a truth, and on FITS images for a catalogue.

mod common;

use legato::engine::Gpu;
use legato::engine::nn::Model;
use legato::fits::{Catalogue, Dataset, DatasetMeta, DatasetWriter, Flags, Row};
use legato::legato::{
    Estimator, FitOptions, ImageFiles, Measurer, Object, Objects, PART, Parameter, Preparation, Progress,
    Recipe, Shard, StampFiles, Stamps, Statistics, Task, Training, WEIGHTS_FILE, evaluate, load_estimators,
    measure_all, measure_into, merge,
};
use legato::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A folder with a briefly trained network for each of two parameters.
fn trained(gpu: &Gpu) -> Result<(tempfile::TempDir, BTreeMap<Parameter, Estimator>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let stamps = common::stamps(1, 0..100)?;
    for parameter in [Parameter::Magnitude, Parameter::Radius] {
        let recipe = Recipe { batch: 16, epochs: 2, ..Recipe::paper()? };
        let task = Task::new(&[parameter], &common::survey(), 5);
        let model = Model::random(gpu, &common::network(), 5)?;
        let run = folder.path().join(parameter.name());
        Training::start(gpu, &stamps, &recipe, &task, model, &run)?.run(None, |_| ())?;
    }
    let estimators = load_estimators(gpu, folder.path())?;
    assert_eq!(estimators.keys().copied().collect::<Vec<_>>(), [Parameter::Magnitude, Parameter::Radius]);
    Ok((folder, estimators))
}

fn meta() -> DatasetMeta {
    DatasetMeta::simulated(&common::survey(), 1)
}

/// Writes a cube of square images.
fn cube(path: &Path, meta: &DatasetMeta, size: usize, pixels: &[f32]) -> Result<()> {
    let count = pixels.len() / (size * size);
    let truths = common::stamps(1, 0..count as u64)?.truths().to_vec();
    let mut writer = DatasetWriter::create(path, meta, count, size, size)?;
    writer.append(pixels, &truths)?;
    writer.finish()
}

/// Stamps a batch.
const BATCH: usize = 4;

fn stamp_files(measurer: &Measurer, paths: &[PathBuf], options: FitOptions) -> StampFiles {
    StampFiles::new(
        ImageFiles::open(paths, options.zero_point),
        Preparation::new(measurer.networks(), measurer.size(), &options),
    )
}

fn fitted(
    gpu: &Gpu,
    estimators: &BTreeMap<Parameter, Estimator>,
    paths: &[PathBuf],
    options: FitOptions,
) -> Result<(Vec<Row>, Vec<String>)> {
    let measurer = Measurer::new(gpu, estimators, BATCH)?;
    let mut done = 0;
    let (catalogue, failures) =
        measure_all(&mut stamp_files(&measurer, paths, options), &measurer, |progress| {
            if let Progress::Measured(n) = progress {
                done += n;
            }
        })?;
    assert!(done as usize >= catalogue.rows.len());
    Ok((catalogue.rows, failures))
}

fn close(what: &str, got: f64, want: f64) {
    // f32 throughout, over ranges of at most 7.
    assert!((got - want).abs() < 1e-5, "{what}: {got} for {want}");
}

#[test]
fn an_evaluation_has_every_stamps_truth_and_estimate_whatever_the_batch() -> Result<()> {
    let gpu = common::gpu();
    let (_folder, estimators) = trained(&gpu)?;
    let stamps = common::stamps(2, 0..25)?;
    let run = |batch| {
        let mut done = 0;
        let found = evaluate(&gpu, &estimators, &stamps, batch, |n| done += n)?;
        assert_eq!((done, found.len()), (25, 2));
        Ok::<_, Error>(found)
    };
    let (one, other) = (run(64)?, run(7)?);
    for (a, b) in one.iter().zip(&other) {
        assert_eq!(a.statistics, Statistics::of(&a.pairs));
        let truths: Vec<f64> = stamps.truths().iter().map(|t| a.parameter.of(t)).collect();
        assert_eq!(a.pairs.iter().map(|p| p.0).collect::<Vec<_>>(), truths);
        a.pairs.iter().zip(&b.pairs).for_each(|(a, b)| close("estimate", a.1, b.1));
    }
    Ok(())
}

#[test]
fn stamps_of_another_size_are_not_evaluated() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let path = folder.path().join("large.fits");
    cube(&path, &meta(), 20, &[0.0; 800])?;
    let result = evaluate(&gpu, &estimators, &Stamps::read(&path)?, 64, |_| ());
    let message = result.err().expect("20 pixels for 16").to_string();
    let expected = format!("takes stamps of 16 pixels, {} holds 20", path.display());
    assert!(message.ends_with(&expected), "{message}");
    Ok(())
}

#[test]
fn a_fit_gives_a_row_for_each_image_with_the_estimates_of_an_evaluation() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let stamps = common::stamps(2, 0..7)?;
    let path = folder.path().join("cube.fits");
    cube(&path, &meta(), 16, &common::pixels(&stamps))?;
    let expected = evaluate(&gpu, &estimators, &stamps, 64, |_| ())?;
    for batch in [0, 3, 64] {
        let measurer = Measurer::new(&gpu, &estimators, batch)?;
        let mut files = stamp_files(&measurer, std::slice::from_ref(&path), FitOptions::default());
        let (Catalogue { rows, .. }, failures) = measure_all(&mut files, &measurer, |_| ())?;
        assert_eq!((rows.len(), failures.len()), (7, 0));
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(row.id, format!("cube[0,{}]", i + 1));
            assert_eq!(row.file, path.display().to_string());
            close("magnitude", row.mag, expected[0].pairs[i].1);
            close("radius", row.re_maj, expected[1].pairs[i].1);
            close("radius in arcsec", row.re_arcsec, 0.06 * row.re_maj);
            assert!(row.n.is_nan() && row.q.is_nan() && row.re_circ.is_nan());
            assert_eq!((row.x, row.y), (8.5, 8.5));
            let range = |p: Parameter, value| p.scaling(&common::survey()).contains(value);
            let inside = range(Parameter::Magnitude, row.mag) && range(Parameter::Radius, row.re_maj);
            assert_eq!(row.flags.contains(Flags::OUT_OF_RANGE), !inside, "{row:?}");
            for unexpected in [
                Flags::PADDED,
                Flags::CUT,
                Flags::BAD_PIXELS,
                Flags::PIXEL_SCALE,
                Flags::ZERO_POINT_ASSUMED,
                Flags::NO_DATA,
            ] {
                assert!(!row.flags.contains(unexpected), "{}: {}", row.id, row.flags);
            }
        }
    }
    Ok(())
}

#[test]
fn images_in_another_flux_unit_are_brought_to_the_networks() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let stamps = common::stamps(2, 0..5)?;
    let tenfold: Vec<f32> = common::pixels(&stamps).iter().map(|p| 10.0 * p).collect();
    let zero_point = meta().zero_point + 2.5;
    let (said, silent) = (folder.path().join("said.fits"), folder.path().join("silent.fits"));
    cube(&said, &DatasetMeta { zero_point, ..meta() }, 16, &tenfold)?;
    cube(&silent, &DatasetMeta { zero_point: f64::NAN, ..meta() }, 16, &tenfold)?;
    let expected = evaluate(&gpu, &estimators, &stamps, 64, |_| ())?;
    let told = FitOptions { zero_point: Some(zero_point), ..FitOptions::default() };
    for (path, options) in [(&said, FitOptions::default()), (&silent, told)] {
        let (rows, _) = fitted(&gpu, &estimators, std::slice::from_ref(path), options)?;
        for (row, (_, want)) in rows.iter().zip(&expected[0].pairs) {
            close("magnitude", row.mag, *want);
            assert!(!row.flags.contains(Flags::ZERO_POINT_ASSUMED));
        }
    }
    let (rows, _) = fitted(&gpu, &estimators, &[silent], FitOptions::default())?;
    assert!(rows.iter().all(|row| row.flags.contains(Flags::ZERO_POINT_ASSUMED)));
    Ok(())
}

/// Three galaxies as they are read from a cube of stamps in `folder`.
fn three_galaxies(measurer: &Measurer, folder: &Path) -> Result<Vec<Object>> {
    let path = folder.join("cube.fits");
    let images = common::stamps(1, 0..3)?;
    let pixels: Vec<f32> = (0..3).flat_map(|i| images.pixels(i)).copied().collect();
    cube(&path, &meta(), images.size(), &pixels)?;
    stamp_files(measurer, &[path], FitOptions::default()).read(0..3)?.into_iter().collect()
}

#[test]
fn a_deeper_image_is_measured_as_one_of_the_networks_own_noise() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let measurer = Measurer::new(&gpu, &estimators, BATCH)?;
    let own = three_galaxies(&measurer, folder.path())?;
    // The same light over the noise, which a map or the border tells: all of it, or a quarter.
    let scaled = |factor: f32, map: bool| {
        let mut objects = own.clone();
        for stamp in objects.iter_mut().map(|object| &mut object.stamp) {
            stamp.pixels.iter_mut().for_each(|p| *p *= factor);
            stamp.sky.sigma = measurer.networks().sigma * f64::from(factor);
            stamp.rms = map.then(|| vec![stamp.sky.sigma as f32; stamp.pixels.len()]);
        }
        measurer.measure(&objects, &mut |_| ())
    };
    let (whole, quarter, border) = (scaled(1.0, true)?, scaled(0.25, true)?, scaled(0.25, false)?);
    for ((whole, quarter), border) in whole.iter().zip(&quarter).zip(&border) {
        assert_eq!(quarter.re_maj, whole.re_maj);
        close("magnitude", quarter.mag, whole.mag + 2.5 * 4f64.log10());
        assert!(quarter.flags.contains(Flags::OTHER_DEPTH) && !whole.flags.contains(Flags::OTHER_DEPTH));
        assert!(border.flags.contains(Flags::OTHER_DEPTH));
    }
    Ok(())
}

#[test]
fn an_image_without_noise_is_made_no_brighter_than_the_galaxies_that_the_networks_know() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let measurer = Measurer::new(&gpu, &estimators, BATCH)?;
    let mut quiet = three_galaxies(&measurer, folder.path())?;
    let networks = measurer.networks();
    let brightest =
        10f64.powf(-0.4 * (estimators[&Parameter::Magnitude].scaling().min - networks.zero_point));
    // The same galaxies with their noise said to be none, and as bright as they may be made.
    let mut bright = quiet.clone();
    let mut gains = Vec::new();
    for (quiet, bright) in quiet.iter_mut().zip(&mut bright) {
        let (quiet, bright) = (&mut quiet.stamp, &mut bright.stamp);
        let light: f64 = quiet.pixels.iter().map(|&p| f64::from(p) - quiet.sky.level).sum();
        let gain = (brightest / light).max(1.0);
        bright.pixels.iter_mut().for_each(|p| *p *= gain as f32);
        bright.sky.sigma = networks.sigma;
        quiet.sky.sigma = 1e-9 * networks.sigma;
        gains.push(gain);
    }
    assert!(gains.iter().any(|&gain| gain > 1.0));
    let (quiet, bright) = (measurer.measure(&quiet, &mut |_| ())?, measurer.measure(&bright, &mut |_| ())?);
    for ((quiet, bright), gain) in quiet.iter().zip(&bright).zip(gains) {
        assert_eq!(quiet.re_maj, bright.re_maj);
        close("magnitude", quiet.mag, bright.mag + 2.5 * gain.log10());
        assert_eq!(quiet.flags.contains(Flags::OTHER_DEPTH), gain > 1.0);
    }
    Ok(())
}

#[test]
fn stamps_that_do_not_tell_their_flux_unit_are_not_learned_from() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unknown.fits");
    let unknown = DatasetMeta { zero_point: f64::NAN, ..meta() };
    cube(&path, &unknown, 16, &common::pixels(&common::stamps(1, 0..40)?))?;
    let stamps = Stamps::read(&path)?;
    assert!(stamps.meta.zero_point.is_nan());
    let (gpu, task) = (common::gpu(), Task::new(&[Parameter::Magnitude], &common::survey(), 5));
    let run = folder.path().join("run");
    let model = Model::random(&gpu, &common::network(), 5)?;
    let started = Training::start(&gpu, &stamps, &Recipe::paper()?, &task, model, &run);
    let message = started.err().expect("no zero point").to_string();
    assert!(message.contains("unknown.fits[0]: the header has no MAGZERO"), "{message}");
    assert!(!run.exists());
    Ok(())
}

#[test]
fn flags_say_what_was_done_to_an_image() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let noise = |count: usize| common::symmetric(count, 0, 0.003);
    let path = |name: &str| folder.path().join(name);
    let mut damaged = noise(256);
    damaged[3] = f32::NAN;
    let unknown = DatasetMeta { zero_point: f64::NAN, pixel_scale: f64::NAN, ..meta() };
    let coarse = DatasetMeta { pixel_scale: 0.05, ..meta() };
    let fine = DatasetMeta { pixel_scale: 1e-6, ..meta() };
    for (name, meta, size, pixels, flags) in [
        ("small.fits", meta(), 12, noise(144), Flags::PADDED),
        ("large.fits", meta(), 24, noise(576), Flags::CUT),
        ("damaged.fits", meta(), 16, damaged, Flags::BAD_PIXELS),
        ("nothing.fits", meta(), 16, vec![f32::NAN; 256], Flags::NO_DATA | Flags::BAD_PIXELS),
        ("unknown.fits", unknown, 16, noise(256), Flags::ZERO_POINT_ASSUMED | Flags::PIXEL_SCALE),
        ("coarse.fits", coarse, 16, noise(256), Flags::RESAMPLED | Flags::PADDED),
        ("microscope.fits", fine, 16, noise(256), Flags::PIXEL_SCALE),
    ] {
        cube(&path(name), &meta, size, &pixels)?;
        let (rows, failures) = fitted(&gpu, &estimators, &[path(name)], FitOptions::default())?;
        assert_eq!((rows.len(), failures.len()), (1, 0), "{name}");
        let row = &rows[0];
        assert!(row.flags.contains(flags), "{name}: {} lacks {flags}", row.flags);
        let others = [
            Flags::PADDED,
            Flags::CUT,
            Flags::BAD_PIXELS,
            Flags::NO_DATA,
            Flags::PIXEL_SCALE,
            Flags::ZERO_POINT_ASSUMED,
            Flags::RESAMPLED,
        ];
        for other in others.into_iter().filter(|o| !flags.contains(*o)) {
            assert!(!row.flags.contains(other), "{name}: {}", row.flags);
        }
        assert_eq!(row.mag.is_nan(), flags.contains(Flags::NO_DATA), "{name}: {row:?}");
    }
    Ok(())
}

#[test]
fn a_broken_file_costs_only_its_own_rows() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let path = |name: &str| folder.path().join(name);
    let stamps = common::stamps(2, 0..5)?;
    let all = common::pixels(&stamps);
    cube(&path("first.fits"), &meta(), 16, &all[..3 * 256])?;
    cube(&path("last.fits"), &meta(), 16, &all[3 * 256..])?;
    std::fs::write(path("text.fits"), "no FITS file at all\n".repeat(300)).expect("a file");
    // Of forty planes, the last are cut off.
    cube(&path("cut.fits"), &meta(), 16, &[0.0; 40 * 256])?;
    let bytes = std::fs::read(path("cut.fits")).expect("the cube");
    std::fs::write(path("cut.fits"), &bytes[..2880 * 8]).expect("a file");

    let good = [path("first.fits"), path("last.fits")];
    let (expected, failures) = fitted(&gpu, &estimators, &good, FitOptions::default())?;
    assert_eq!((expected.len(), failures.len()), (5, 0));
    let paths = ["first.fits", "text.fits", "absent.fits", "cut.fits", "last.fits"].map(path);
    let (rows, messages) = fitted(&gpu, &estimators, &paths, FitOptions::default())?;
    for name in ["text.fits", "absent.fits", "cut.fits"] {
        let shown = path(name).display().to_string();
        assert!(messages.iter().any(|m| m.contains(&shown)), "{name} in none of {messages:?}");
        assert!(name == "cut.fits" || rows.iter().all(|row| row.file != shown));
    }
    let of_good: Vec<&Row> = rows.iter().filter(|row| !row.file.ends_with("cut.fits")).collect();
    assert_eq!(of_good.len(), 5);
    for (row, want) in of_good.into_iter().zip(&expected) {
        assert_eq!((&row.id, &row.file, row.flags), (&want.id, &want.file, want.flags));
        close("magnitude", row.mag, want.mag);
        close("radius", row.re_maj, want.re_maj);
    }
    Ok(())
}

#[test]
fn shares_joined_and_a_run_that_was_killed_give_the_bytes_of_an_unbroken_one() -> Result<()> {
    let gpu = common::gpu();
    let (folder, estimators) = trained(&gpu)?;
    let path = |name: &str| folder.path().join(name);
    // More than two parts, in two files, with galaxies that cannot be read at the end.
    let count = 2 * PART as usize + 5;
    cube(&path("many.fits"), &meta(), 16, &common::symmetric(256 * count, 0, 0.003))?;
    cube(&path("few.fits"), &meta(), 16, &common::symmetric(256 * 9, 1, 0.003))?;
    cube(&path("cut.fits"), &meta(), 16, &[0.0; 40 * 256])?;
    let bytes = std::fs::read(path("cut.fits")).expect("the cube");
    std::fs::write(path("cut.fits"), &bytes[..2880 * 8]).expect("a file");
    let paths = ["few.fits", "many.fits", "cut.fits"].map(path);
    let measurer = Measurer::new(&gpu, &estimators, 64)?;
    let files = || stamp_files(&measurer, &paths, FitOptions::default());
    let whole = |output: &Path, hear: &mut dyn FnMut(Progress)| {
        measure_into(output, &mut files(), &measurer, Shard::WHOLE, 3, hear)
    };
    let measured = whole(&path("whole.fits"), &mut |_| ())?;
    assert_eq!((measured.rows, measured.first.len(), measured.failures.len()), (count as u64 + 9, 3, 40));

    let mut shares = Vec::new();
    for number in 1..=4 {
        let share = path(&format!("share{number}.ecsv"));
        measure_into(&share, &mut files(), &measurer, Shard::new(number, 4)?, 0, |_| ())?;
        // Rounded, as text is, a share would not be the whole's; so this one only counts.
        assert_eq!(Catalogue::read(&share)?.provenance.last().map(|(key, _)| key.as_str()), Some("SHARE"));
        let share = path(&format!("share{number}.fits"));
        measure_into(&share, &mut files(), &measurer, Shard::new(number, 4)?, 0, |_| ())?;
        shares.push(share);
    }
    merge(&shares, &path("joined.fits"))?;
    let bytes = |name: &str| std::fs::read(path(name)).expect("a catalogue");
    assert!(bytes("joined.fits") == bytes("whole.fits"));

    // Killed in its second part.
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut done = 0;
        whole(&path("broken.fits"), &mut |progress| {
            if let Progress::Measured(n) = progress {
                done += n;
            }
            assert!(done < PART + 100, "killed");
        })
    }));
    assert!(killed.is_err() && !path("broken.fits").exists() && path("broken.fits.parts").is_dir());
    let mut resumed = 0;
    let again = whole(&path("broken.fits"), &mut |progress| {
        if let Progress::Resumed(n) = progress {
            resumed += n;
        }
    })?;
    assert_eq!((resumed, again.rows, &again.failures), (PART, measured.rows, &measured.failures));
    assert!(bytes("broken.fits") == bytes("whole.fits") && !path("broken.fits.parts").exists());
    Ok(())
}

#[test]
fn a_folder_holds_one_network_for_each_parameter() -> Result<()> {
    let gpu = common::gpu();
    let (folder, _) = trained(&gpu)?;
    let refusal = |path: &Path| load_estimators(&gpu, path).err().expect("not one each").to_string();
    // A run's folder has a checkpoint beside its weights, which is no network of its own.
    assert!(folder.path().join("radius/checkpoint").join(WEIGHTS_FILE).is_file());
    for path in ["radius", "radius/weights.safetensors"] {
        let alone = load_estimators(&gpu, &folder.path().join(path))?;
        assert_eq!(alone.keys().collect::<Vec<_>>(), [&Parameter::Radius]);
    }
    let twice = folder.path().join("again.safetensors");
    std::fs::copy(folder.path().join("radius").join(WEIGHTS_FILE), twice).expect("a copy");
    let message = refusal(folder.path());
    assert!(message.contains("measures radius, as ") && message.contains("keep one"), "{message}");
    let empty = tempfile::tempdir().expect("a folder");
    let message = refusal(empty.path());
    assert!(message.contains("holds no weights"), "{message}");
    let Err(Error::Usage(message)) = Measurer::new(&gpu, &BTreeMap::new(), 1).map(|_| ()) else {
        panic!("fitted with nothing")
    };
    assert!(message.contains("no trained network"), "{message}");
    Ok(())
}

#[test]
fn a_simulated_data_set_comes_back_from_disk_as_it_was() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, stamps) = (folder.path().join("stamps.fits"), common::stamps(1, 0..6)?);
    cube(&path, &meta(), 16, &common::pixels(&stamps))?;
    let read = Stamps::read(&path)?;
    assert_eq!((read.size(), read.len(), read.truths()), (16, 6, stamps.truths()));
    assert_eq!(common::bits(&common::pixels(&read)), common::bits(&common::pixels(&stamps)));
    assert_eq!(read.meta, stamps.meta);
    assert_eq!(Dataset::open(&path)?.len(), 6);
    Ok(())
}
