//! The files that a survey names, read for the simulator, which knows no files.

use super::columns::read_columns;
use super::psf::survey_psfs;
use super::sky::read_sky;
use crate::Result;
use crate::sky::{CatalogueGalaxy, GalaxyRanges, RadiusUnit, Survey, SurveyParts};

/// Reads the PSFs, the blank sky and the galaxies of a survey, from their files where they are in some.
///
/// # Errors
/// As [`survey_psfs`] and [`read_sky`]; [`Error::Fits`](crate::Error::Fits) and [`Error::Catalogue`](crate::Error::Catalogue) for a catalogue that cannot be read or lacks a column.
pub fn survey_parts(survey: &Survey) -> Result<SurveyParts> {
    Ok(SurveyParts {
        psfs: survey_psfs(survey)?,
        sky: survey.noise.image().map(read_sky).transpose()?,
        galaxies: galaxies(&survey.galaxies, survey.pixel_scale)?,
    })
}

fn galaxies(ranges: &GalaxyRanges, pixel_scale: f64) -> Result<Vec<CatalogueGalaxy>> {
    let Some(catalogue) = &ranges.catalogue else { return Ok(Vec::new()) };
    let names = [&catalogue.magnitude, &catalogue.radius, &catalogue.sersic_index, &catalogue.axis_ratio];
    let units = match catalogue.radius_unit {
        RadiusUnit::Pixels => [1.0; 4],
        RadiusUnit::Arcsec => [1.0, 1.0 / pixel_scale, 1.0, 1.0],
    };
    let wanted: Vec<usize> = (0..4).filter(|&i| ranges.from_catalogue()[i]).collect();
    let columns =
        read_columns(&catalogue.path, &wanted.iter().map(|&i| names[i].as_str()).collect::<Vec<_>>())?;
    let mut galaxies = vec![[f64::NAN; 4]; columns.first().map_or(0, Vec::len)];
    for (i, column) in wanted.into_iter().zip(columns) {
        for (galaxy, value) in galaxies.iter_mut().zip(column) {
            galaxy[i] = value * units[i];
        }
    }
    Ok(galaxies)
}

#[cfg(test)]
mod tests {
    use super::super::raw::{Column, FitsFile};
    use super::super::testing::{Hdu, write};
    use super::*;
    use crate::sky::Simulator;
    use std::path::Path;

    /// A survey file in `folder` with the galaxies of a catalogue and a PSF from a file.
    fn survey(folder: &Path, catalogue: &str) -> Survey {
        let text = Survey::builtin("euclid-vis").unwrap().to_toml();
        let psfs = text.find("[[psf]]").unwrap();
        let other = "[[psf]]\nmodel = \"file\"\npath = \"psf.fits\"\npixel_scale = 0.05\n";
        let text = format!("{}{other}{}[galaxies.catalogue]\n{catalogue}", &text[..psfs], &text[psfs..]);
        let text = text.replace("\"uniform\"", "\"catalogue\"").replace("\"log-uniform\"", "\"catalogue\"");
        let path = folder.join("survey.toml");
        std::fs::write(&path, text).unwrap();
        let pixels: Vec<f32> = (0..33 * 33)
            .map(|i: i32| (-f64::from((i % 33 - 16).pow(2) + (i / 33 - 16).pow(2)) / 6.0).exp() as f32)
            .collect();
        write(&folder.join("psf.fits"), &[Hdu::floats(&[33, 33], &pixels)]);
        Survey::load(&path).unwrap()
    }

    #[test]
    fn galaxies_come_from_csv_and_fits_alike() {
        let folder = tempfile::tempdir().unwrap();
        let rows = [[20.0, 0.5, 1.5, 0.75], [23.5, 0.25, 4.0, 0.5], [99.0, 0.25, 4.0, 0.5]];
        let csv: Vec<String> =
            rows.iter().map(|[m, r, n, q]| format!("0.5, {q}, {m:.1}, {n}, {r}")).collect();
        std::fs::write(
            folder.path().join("cat.csv"),
            format!("OTHER, q, mag, n, size\n{}\n", csv.join("\n")),
        )
        .unwrap();
        let names = ["N", "SIZE", "Q", "MAG"];
        let mut file = FitsFile::create(&folder.path().join("cat.fits")).unwrap();
        file.add_image(&[]).unwrap();
        file.add_table("CATALOGUE", &names.map(|name| Column { name, form: "1E", unit: "" }), 3).unwrap();
        for (column, i) in [2, 1, 3, 0].into_iter().enumerate() {
            file.write_f64(column, 0, &rows.map(|row| row[i])).unwrap();
        }
        file.close().unwrap();
        for name in ["cat.csv", "cat.fits"] {
            let keys = format!("path = \"{name}\"\nradius = \"SIZE\"\nradius_unit = \"arcsec\"\n");
            let survey = survey(folder.path(), &keys);
            let parts = survey_parts(&survey).unwrap();
            assert_eq!(parts.psfs.len(), 2);
            let in_pixels = rows.map(|[m, r, n, q]| [m, r / 0.1, n, q]);
            for (found, expected) in parts.galaxies.iter().zip(in_pixels) {
                assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{name}: {found:?}");
            }
            let simulator = Simulator::with_parts(survey, &parts, 1).unwrap();
            assert_eq!(simulator.catalogue(), Some((2, 1)));
            assert!(simulator.stamp(0).unwrap().0.iter().all(|p| p.is_finite()));
        }
    }

    #[test]
    fn noise_is_cut_out_of_the_image_that_the_survey_names() {
        let folder = tempfile::tempdir().unwrap();
        // Alternating signs: of any cut-out, each pixel differs from the next by the same.
        let pixels: Vec<f32> =
            (0..300 * 301).map(|i| if (i % 301 + i / 301) % 2 == 0 { 0.25 } else { -0.25 }).collect();
        write(&folder.path().join("sky.fits"), &[Hdu::floats(&[301, 300], &pixels)]);
        let text = Survey::builtin("candels-f160w").unwrap().to_toml();
        let (from, to) = (text.find("[noise]").unwrap(), text.find("[galaxies]").unwrap());
        let noise = "[noise]\nkind = \"image\"\npath = \"sky.fits\"\nsigma = 0.25\n";
        let path = folder.path().join("survey.toml");
        std::fs::write(&path, format!("{}{noise}{}", &text[..from], &text[to..])).unwrap();
        let mut survey = Survey::load(&path).unwrap();
        assert!(Simulator::new(survey.clone(), 1).is_err());
        // Faint enough and exposed long enough for its photons to have no noise to speak of.
        survey.galaxies.magnitude = crate::sky::Range::uniform(40.0, 40.0);
        survey.exposure = 1e12;
        let parts = survey_parts(&survey).unwrap();
        let (stamp, _) = Simulator::with_parts(survey, &parts, 1).unwrap().stamp(0).unwrap();
        for row in stamp.chunks_exact(128) {
            assert!(row.windows(2).all(|w| (w[0] + w[1]).abs() < 1e-3 && (w[0].abs() - 0.25).abs() < 1e-3));
        }
        std::fs::remove_file(folder.path().join("sky.fits")).unwrap();
        let error = survey_parts(&Survey::load(&path).unwrap()).unwrap_err().to_string();
        assert!(error.contains("sky.fits: cannot read"), "{error}");
    }

    #[test]
    fn a_catalogue_that_lacks_a_column_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let message = |keys: &str| survey_parts(&survey(folder.path(), keys)).unwrap_err().to_string();
        assert!(message("path = \"absent.csv\"").contains("absent.csv: cannot read"));
        std::fs::write(folder.path().join("cat.csv"), "MAG,RE_MAJ,N\n20,4,1\n").unwrap();
        let error = message("path = \"cat.csv\"");
        assert!(error.contains("cat.csv: the first line names no column Q"), "{error}");
        std::fs::write(folder.path().join("cat.csv"), "MAG,RE_MAJ,N,Q\n20,4,1,x\n").unwrap();
        let error = message("path = \"cat.csv\"");
        assert!(error.contains("cat.csv: line 2, column Q: 'x' is not a number"), "{error}");
    }
}
