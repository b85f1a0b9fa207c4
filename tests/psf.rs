//! The built-in PSF against empirical ones, and PSFs that go out as FITS and come in again.

use legato::fits::{read_psf, write_psf};
use legato::sky::{Psf, Renderer, Sersic, Survey};
use std::path::{Path, PathBuf};

/// Radii in arcsec.
const RADII: [f64; 12] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.25, 1.5];

/// Two empirical PSFs of F160W mosaics at 0.04″ (of the CEERS and GLASS fields): full width at half maximum of the
/// azimuthal mean, arcsec, and the light within `RADII` as a part of all that is on an image of 101×101 pixels. Printed
/// on 2026-11-21 by `python tests/golden/fit_psf.py measure psf-ceers-f160w.fits psf-glass-f160w.fits`.
const EMPIRICAL: [(f64, [f64; 12]); 2] = [
    (
        0.1834,
        [0.1127, 0.3397, 0.5175, 0.6334, 0.7302, 0.8056, 0.8630, 0.8785, 0.9241, 0.9445, 0.9643, 0.9772],
    ),
    (
        0.1811,
        [0.1139, 0.3410, 0.5166, 0.6319, 0.7292, 0.8029, 0.8611, 0.8765, 0.9219, 0.9423, 0.9620, 0.9749],
    ),
];

/// As in `EMPIRICAL`.
fn measured(psf: &Psf) -> (f64, Vec<f64>) {
    let on_image: f64 = psf.image(101, 0.04).iter().sum();
    (psf.fwhm(), psf.light_within(&RADII).iter().map(|light| light / on_image).collect())
}

#[test]
fn the_builtin_psf_is_as_wide_as_the_empirical_ones_and_gathers_its_light_as_they_do() {
    let (fwhm, light) = measured(&Psf::wfc3_f160w());
    println!("FWHM {fwhm:.4}, light {light:.4?}");
    for (empirical_fwhm, empirical_light) in EMPIRICAL {
        assert!((fwhm - empirical_fwhm).abs() < 0.005, "{fwhm} {empirical_fwhm}");
        for ((r, a), b) in RADII.iter().zip(&light).zip(empirical_light) {
            assert!((a - b).abs() < 0.02, "within {r}: {a} {b}");
        }
    }
}

#[test]
#[ignore = "needs real data: psf"]
fn the_empirical_psfs_have_the_figures_that_are_kept_of_them() {
    let folder = std::env::var_os("LEGATO_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let model = Psf::wfc3_f160w();
    for (name, (kept_fwhm, kept_light)) in ["ceers", "glass"].iter().zip(EMPIRICAL) {
        // The scale is the header's.
        let path = folder.join(format!("psf/psf-{name}-f160w.fits"));
        let psf = read_psf(&path, None).unwrap_or_else(|e| panic!("{e}; set LEGATO_REAL_DATA"));
        let (fwhm, light) = measured(&psf);
        println!("{name}: FWHM {fwhm:.4}, light {light:.4?}");
        assert!((fwhm - kept_fwhm).abs() < 1e-3, "{fwhm}");
        // The box that is all light here is cut about the centroid, up to half a pixel off the image's middle.
        assert!(light.iter().zip(kept_light).all(|(a, b)| (a - b).abs() < 2e-3), "{light:?}");
        let (a, b) = (model.image(101, 0.04), psf.image(101, 0.04));
        let square = |v: f64| v * v;
        let differ: f64 = a.iter().zip(&b).map(|(a, b)| square(a - b)).sum();
        let rms = (differ / b.iter().map(|&b| square(b)).sum::<f64>()).sqrt();
        let worst = a.iter().zip(&b).fold(0.0f64, |worst, (a, b)| worst.max((a - b).abs()));
        println!(
            "    model: rms difference {rms:.3} of the rms, largest {:.3} of the peak",
            worst / b[50 * 101 + 50]
        );
        assert!(rms < 0.15);
    }
}

#[test]
fn a_psf_written_and_read_again_draws_the_same_stamps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("psf.fits");
    let survey = Survey::builtin("candels-f160w").unwrap();
    let model = Psf::wfc3_f160w();
    let size = 2 * (model.support() / 0.015).ceil() as usize + 1;
    write_psf(&path, &model, &survey, 4, size).unwrap();
    let read = read_psf(&path, None).unwrap();
    let renderers = [&model, &read].map(|psf| Renderer::new(45, 0.06, psf).unwrap());
    for (re, n, q) in [(1.5, 6.2, 0.2), (1.5, 0.3, 0.8), (9.0, 2.0, 0.5)] {
        let galaxy = Sersic::new(10.0, re, n, q, 33.0).unwrap();
        let [a, b] = [&renderers[0], &renderers[1]].map(|r| r.render(&galaxy, 23.3, 22.8));
        let peak = a.iter().fold(0.0f64, |peak, &p| peak.max(p));
        let worst = a.iter().zip(&b).fold(0.0f64, |worst, (a, b)| worst.max((a - b).abs())) / peak;
        println!("re {re} n {n}: {worst:.1e} of the peak");
        assert!(worst < 1e-5, "re {re} n {n} q {q}: {worst}");
    }
}
