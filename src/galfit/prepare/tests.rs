use super::super::constraints::paper;
use super::*;
use crate::fits::testing::{Hdu, write};
use crate::fits::{DatasetMeta, DatasetWriter, Image, open_images};
use crate::sky::{Simulator, Survey};

fn how() -> Preparation {
    Preparation {
        psf: Some(Psf::gaussian(0.18).unwrap()),
        psf_as_is: false,
        pixel_scale: None,
        pixel_scale_assumed: 0.06,
        zero_point: None,
        zero_point_assumed: 25.9463,
        size: 64,
        sky: Sky::Held(0.0),
        sigma: None,
        exposure: None,
        rms: Vec::new(),
        masks: Vec::new(),
    }
}

/// A Gaussian blob of a thousand units at (x, y) on an image.
fn blob(width: usize, height: usize, x: f64, y: f64) -> Vec<f32> {
    let light = |i: usize| {
        let (dx, dy) = ((i % width) as f64 + 1.0 - x, (i / width) as f64 + 1.0 - y);
        (1000.0 / (std::f64::consts::TAU * 9.0) * (-(dx * dx + dy * dy) / 18.0).exp()) as f32
    };
    let noise = |i: usize| ((i * 7919) % 101) as f32 / 500.0 - 0.1;
    (0..width * height).map(|i| light(i) + noise(i)).collect()
}

fn image(path: &Path) -> Image {
    open_images(path).unwrap().next().unwrap().unwrap()
}

fn values(feedme: &str, key: &str) -> Vec<String> {
    let line = feedme.lines().find(|l| l.trim_start().starts_with(&format!("{key})"))).unwrap();
    let value = line.split_once(')').unwrap().1.split('#').next().unwrap();
    value.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_large_image_is_cut_and_its_zero_point_is_that_of_its_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.fits");
    let hdu = Hdu::floats(&[100, 90], &blob(100, 90, 52.0, 41.0));
    // GALFIT would divide by these 500 s.
    let hdu = hdu.card("MAGZPT  = 24.5").card("EXPTIME = 500.0").card("BUNIT   = 'ELECTRONS/S'");
    write(&path, &[hdu.card("PIXSCALE= 0.06")]);
    let out = folder.path().join("fits");
    let prepared = prepare(std::slice::from_ref(&path), &how(), &out, || ()).unwrap();
    assert_eq!((prepared.made, prepared.kept, prepared.failures.len()), (1, 0, 0));
    let place = out.join("objects/000001");
    let stamp = image(&place.join("image.fits"));
    assert_eq!((stamp.width, stamp.height, stamp.header.exposure), (64, 64, Some(1.0)));
    let object = Object::read(&place).unwrap();
    let [x, y] = object.corner.map(|c| c as usize - 1);
    assert_eq!(stamp.pixels[5 * 64 + 7], image(&path).pixels[(y + 5) * 100 + x + 7]);
    assert_eq!((object.id.as_str(), Flags(object.flags)), ("large", Flags::CUT));
    assert!(
        (object.initial.x + x as f64 - 52.0).abs() < 0.2 && (object.initial.y + y as f64 - 41.0).abs() < 0.2
    );
    // The blob's thousand units at that zero point.
    assert!((object.initial.mag - (24.5 - 7.5)).abs() < 0.1, "{object:?}");
    let feedme = std::fs::read_to_string(place.join("galfit.feedme")).unwrap();
    assert_eq!(values(&feedme, "J"), ["24.50000"]);
    assert_eq!(values(&feedme, "H"), ["1", "64", "1", "64"]);
    assert_eq!(values(&feedme, "F"), ["none"]);
    for (key, file) in
        [("A", "image.fits"), ("C", "sigma.fits"), ("D", "../../psf.fits"), ("G", "../../constraints.txt")]
    {
        assert_eq!(values(&feedme, key), [file]);
        assert!(place.join(file).is_file(), "{file}");
    }
    let limits = std::fs::read_to_string(out.join("constraints.txt")).unwrap();
    assert_eq!(constraints::parse(&limits), paper());
    // The photons of 500 s, over the border's noise.
    let sigma = image(&place.join("sigma.fits"));
    let peak = stamp.pixels.iter().copied().fold(0.0, f32::max);
    let noisiest = sigma.pixels.iter().copied().fold(0.0, f32::max);
    let quietest = sigma.pixels.iter().copied().fold(f32::MAX, f32::min);
    assert!((noisiest.powi(2) - quietest.powi(2) - peak / 500.0).abs() < 1e-4 * noisiest);
    let psf = image(&out.join("psf.fits"));
    assert!(psf.width % 2 == 1 && (psf.pixels.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn a_data_set_gives_its_noise_and_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.fits");
    let survey = Survey::builtin("candels-f160w").unwrap();
    let (pixels, mut truths) = Simulator::new(survey.clone(), 3).unwrap().batch(0..2).unwrap();
    truths[1].id = 77;
    let mut writer = DatasetWriter::create(&path, &DatasetMeta::simulated(&survey, 3), 2, 128, 128).unwrap();
    writer.append(&pixels, &truths).unwrap();
    writer.finish().unwrap();
    let out = folder.path().join("fits");
    let how = Preparation { size: 128, ..how() };
    prepare(std::slice::from_ref(&path), &how, &out, || ()).unwrap();
    let object = Object::read(&out.join("objects/000002")).unwrap();
    assert_eq!((object.id.as_str(), object.zero_point, object.corner), ("77", 25.9463, [1, 1]));
    let sigma = image(&out.join("objects/000001/sigma.fits")).pixels;
    for (s, p) in sigma.iter().zip(&pixels) {
        let expected = (0.0032f64.powi(2) + f64::from(p.max(0.0)) / survey.exposure).sqrt();
        assert!((f64::from(*s) / expected - 1.0).abs() < 1e-5);
    }
    // Nothing is done twice, and another set is not taken for this one.
    let again = prepare(std::slice::from_ref(&path), &how, &out, || ()).unwrap();
    assert_eq!((again.made, again.kept), (0, 2));
    let other = folder.path().join("other.fits");
    std::fs::copy(&path, &other).unwrap();
    let error = prepare(&[other], &how, &out, || ()).unwrap_err().to_string();
    assert!(error.contains("000001: was prepared from"), "{error}");
    let error = prepare(&[path], &Preparation { size: 64, ..how }, &out, || ()).unwrap_err().to_string();
    assert!(error.contains("was prepared with other options"), "{error}");
}

#[test]
fn an_object_that_was_lost_is_made_again_and_the_rest_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.fits");
    let hdu = || Hdu::floats(&[40, 40], &blob(40, 40, 20.0, 21.0));
    write(&path, &[Hdu::empty(), hdu(), hdu()]);
    let out = folder.path().join("fits");
    prepare(std::slice::from_ref(&path), &how(), &out, || ()).unwrap();
    let (first, second) = (out.join("objects/000001"), out.join("objects/000002"));
    std::fs::write(first.join("galfit.feedme"), "mine").unwrap();
    std::fs::remove_dir_all(&second).unwrap();
    // What a process that was killed has left.
    std::fs::create_dir(out.join("objects/.legato-killed")).unwrap();
    let prepared = prepare(&[path], &how(), &out, || ()).unwrap();
    assert_eq!((prepared.made, prepared.kept), (1, 1));
    assert_eq!(std::fs::read_to_string(first.join("galfit.feedme")).unwrap(), "mine");
    assert!(second.join("object.toml").is_file() && !out.join("objects/.legato-killed").exists());
    let object = Object::read(&second).unwrap();
    assert_eq!(
        (object.id.as_str(), Flags(object.flags)),
        ("two[2]", Flags::ZERO_POINT_ASSUMED | Flags::PIXEL_SCALE)
    );
}

#[test]
fn bad_pixels_and_masks_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mask, rms) = ["a.fits", "mask.fits", "rms.fits"].map(|name| folder.path().join(name)).into();
    let mut pixels = blob(40, 30, 20.0, 15.0);
    pixels[3] = f32::NAN;
    write(&path, &[Hdu::floats(&[40, 30], &pixels)]);
    let mut masked = vec![0i16; 1200];
    masked[7] = 1;
    write(&mask, &[Hdu::shorts(&[40, 30], &masked)]);
    let mut noise = vec![0.25f32; 1200];
    noise[11] = 0.0;
    write(&rms, &[Hdu::floats(&[40, 30], &noise)]);
    let how = Preparation { rms: vec![rms.clone()], masks: vec![mask.clone()], ..how() };
    let out = folder.path().join("fits");
    prepare(std::slice::from_ref(&path), &how, &out, || ()).unwrap();
    let place = out.join("objects/000001");
    let found = image(&place.join("mask.fits")).pixels;
    let marked: Vec<usize> = (0..1200).filter(|&i| found[i] != 0.0).collect();
    assert_eq!(marked, [3, 7, 11]);
    assert_eq!(image(&place.join("image.fits")).pixels[3], 0.0);
    let sigma = image(&place.join("sigma.fits")).pixels;
    assert!(sigma[0] == 0.25 && sigma[11] > 0.0);
    let feedme = std::fs::read_to_string(place.join("galfit.feedme")).unwrap();
    assert_eq!(values(&feedme, "F"), ["mask.fits"]);

    write(&rms, &[Hdu::floats(&[30, 40], &noise)]);
    let error = prepare(std::slice::from_ref(&path), &how, &folder.path().join("new"), || ()).unwrap_err();
    assert!(error.to_string().contains("rms.fits[0]: --rms: rms has 30×40 pixels, but a of"), "{error}");
    let two = Preparation { rms: vec![rms.clone(), rms], ..how };
    let error = prepare(&[path], &two, &folder.path().join("newer"), || ()).unwrap_err().to_string();
    assert!(error.contains("--rms gives 2 images for 1: one for each is needed"), "{error}");
}

#[test]
fn an_input_that_cannot_be_opened_is_known_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (good, out) = (folder.path().join("good.fits"), folder.path().join("fits"));
    write(&good, &[Hdu::floats(&[40, 30], &blob(40, 30, 20.0, 15.0))]);
    let error =
        prepare(&[good, folder.path().join("absent.fits")], &how(), &out, || ()).unwrap_err().to_string();
    assert!(error.contains("absent.fits: cannot read") && !out.exists(), "{error}");
}
