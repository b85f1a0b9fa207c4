use super::*;

const TEXT: &str = r#"
name = "mine"
pixel_scale = 0.06
zero_point = 25.9463
exposure = 3200.0
stamp_size = 128
pixel_convention = "effective-psf"
[psf]
model = "moffat"
fwhm = 0.17
beta = 1.85
[noise]
kind = "correlated"
sigma = 0.0032
autocorrelation = { x1 = 0.49, y1 = 0.55, diagonal = 0.28, lag2 = 0.1, lag3 = 0.03 }
[galaxies]
centre_offset = 0.5
magnitude = { min = 16.0, max = 23.0, distribution = "uniform" }
radius = { min = 1.5, max = 31.6, distribution = "uniform" }
sersic_index = { min = 0.3, max = 6.2, distribution = "uniform" }
axis_ratio = { min = 0.2, max = 0.8, distribution = "uniform" }
"#;

fn parse(text: &str) -> Result<Survey> {
    Survey::parse(text, Path::new("my.toml"))
}

fn with(from: &str, to: &str) -> String {
    assert!(TEXT.contains(from), "{from}");
    TEXT.replacen(from, to, 1)
}

/// The complaint about the survey with one thing changed.
fn complaint(from: &str, to: &str) -> String {
    match parse(&with(from, to)) {
        Ok(_) => panic!("'{to}' was taken"),
        Err(e) => e.to_string(),
    }
}

/// The number of the first line that begins with `start`.
fn line(text: &str, start: &str) -> usize {
    1 + text.lines().position(|l| l.starts_with(start)).unwrap()
}

#[test]
fn every_builtin_survey_reads_and_survives_a_round_trip() {
    for name in Survey::builtin_names() {
        let survey = Survey::builtin(name).unwrap();
        assert_eq!(survey.name, name);
        let again = parse(&survey.to_toml()).unwrap_or_else(|e| panic!("{e}\n{}", survey.to_toml()));
        assert_eq!(again, survey);
    }
}

#[test]
fn an_unknown_key_is_an_error_with_its_line_and_those_there_are() {
    let changed = with("pixel_scale = ", "pixelscale = 1\npixel_scale = ");
    let message = parse(&changed).unwrap_err().to_string();
    let line_of = line(&changed, "pixelscale");
    assert!(
        message.starts_with(&format!("my.toml: line {line_of}: pixelscale: unknown key; there are name, ")),
        "{message}"
    );
    let line_of = line(TEXT, "beta");
    let message = complaint("\nbeta = ", "\nbta = ");
    assert_eq!(
        message,
        format!("my.toml: line {line_of}: psf.bta: unknown key; there are model, weight, fwhm, beta")
    );
}

#[test]
fn impossible_values_are_errors_that_name_the_line_and_the_key() {
    for (start, from, to, message) in [
        ("magnitude", "min = 16.0", "min = 26.0", "galaxies.magnitude: min = 26 must not exceed max = 23"),
        ("axis_ratio", "min = 0.2", "min = -1", "galaxies.axis_ratio: -1 to 0.8 must lie within 0.05 to 1"),
        ("sersic", "min = 0.3", "min = 0", "galaxies.sersic_index: 0 to 6.2 must lie within 0.1 to 10"),
        ("exposure", "= 3200.0", "= -1.0", "exposure: -1 must be positive (s)"),
        ("zero_point", "= 25.9463", "= inf", "zero_point: a number was expected, not inf"),
        ("sigma", "= 0.0032", "= nan", "noise.sigma: a number was expected, not nan"),
        ("sigma", "= 0.0032", "= -1", "noise.sigma: -1 must not be negative (e/s per pixel)"),
        ("kind", "= \"correlated\"", "= \"pink\"", "noise.kind: one of \"none\", \"white\","),
        ("autocorr", "x1 = 0.49", "x1 = 1.5", "noise.autocorrelation.x1: 1.5 must lie between -1 and 1"),
        ("autocorr", "x1 = 0.49", "x1 = -0.9", "noise.autocorrelation: noise autocorrelation: no noise"),
        ("stamp_size", "= 128", "= 2", "stamp_size: 2 must be 8 to 4096 (pixels)"),
        ("stamp_size", "= 128", "= 64.5", "stamp_size: 64.5 must be a whole number (pixels)"),
        ("fwhm", "fwhm = 0.17", "fwhm = 0", "psf.fwhm: 0 must be positive (arcsec)"),
        ("beta", "beta = 1.85", "beta = 0.5", "psf.beta: a Moffat PSF needs"),
        ("[psf]", "\nfwhm = 0.17", "", "psf: the key fwhm is missing"),
        (
            "centre_offset",
            "offset = 0.5",
            "offset = 65",
            "galaxies.centre_offset: 65 must be 0 to 64 (pixels)",
        ),
        ("magnitude", "\"uniform\"", "\"catalogue\"", "galaxies.magnitude: there is no catalogue"),
        (
            "pixel_conv",
            "= \"effective-psf\"",
            "= 1",
            "pixel_convention: one of \"effective-psf\", \"pixel-av",
        ),
    ] {
        let complaint = complaint(from, to);
        let expected = format!("my.toml: line {}: {message}", line(TEXT, start));
        assert!(complaint.starts_with(&expected), "{complaint}\n{expected}");
    }
}

#[test]
fn a_key_that_is_missing_is_named() {
    assert!(complaint("name = \"mine\"", "").contains("the key name is missing"));
    assert!(complaint("[noise]\n", "[[psf]]\n").contains("psf"));
}

#[test]
fn one_psf_or_several_are_taken() {
    assert_eq!(parse(TEXT).unwrap().psf.len(), 1);
    let several = with("[psf]", "[[psf]]\nmodel = \"gaussian\"\nfwhm = 0.2\nweight = 3\n[[psf]]");
    let survey = parse(&several).unwrap();
    assert_eq!(survey.psf[0], SurveyPsf { model: PsfModel::Gaussian { fwhm: 0.2 }, weight: 3.0 });
    assert_eq!(survey.psf[1], SurveyPsf { model: PsfModel::Moffat { fwhm: 0.17, beta: 1.85 }, weight: 1.0 });
    assert_eq!(parse(&survey.to_toml()).unwrap(), survey);
    let bad = several.replace("weight = 3", "weight = 0");
    let message = parse(&bad).unwrap_err().to_string();
    assert!(message.contains(&format!("line {}: psf.weight: 0 must be", line(&bad, "weight"))), "{message}");
}

#[test]
fn counts_have_a_slope_and_nothing_else_has() {
    let counted = with("23.0, distribution = \"uniform\"", "23.0, distribution = \"counts\", slope = 0.3");
    let survey = parse(&counted).unwrap();
    assert_eq!(survey.galaxies.magnitude.distribution, Distribution::Counts { slope: 0.3 });
    assert_eq!(parse(&survey.to_toml()).unwrap(), survey);
    let even = parse(&counted.replace("slope = 0.3", "slope = 0")).unwrap();
    assert_eq!(even, parse(TEXT).unwrap());
    for (from, to, message) in [
        ("\"counts\"", "\"uniform\"", "magnitude.slope: goes with distribution = \"counts\""),
        ("distribution = \"counts\", ", "", "magnitude.slope: goes with distribution = \"counts\""),
        (", slope = 0.3", "", "the key slope is missing"),
        ("slope = 0.3", "slope = 3", "magnitude.slope: 3 must"),
    ] {
        let complaint = parse(&counted.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(complaint.contains(message), "{complaint}");
    }
}

#[test]
fn noise_is_of_one_of_four_kinds() {
    let noise = |text: &str| {
        let from = TEXT.find("[noise]").unwrap();
        let to = TEXT.find("[galaxies]").unwrap();
        let changed = format!("{}[noise]\n{text}\n{}", &TEXT[..from], &TEXT[to..]);
        let survey = parse(&changed).unwrap();
        assert_eq!(parse(&survey.to_toml()).unwrap(), survey);
        survey.noise
    };
    assert_eq!(noise("kind = \"none\""), SurveyNoise::None);
    assert_eq!(noise("kind = \"white\"\nsigma = 1"), SurveyNoise::White { sigma: 1.0 });
    let drizzled = SurveyNoise::Correlated { sigma: 0.5, autocorrelation: NoiseCorrelation::DRIZZLED };
    assert_eq!(noise("kind = \"correlated\"\nsigma = 0.5"), drizzled);
    let autocorrelation = Some(NoiseCorrelation { x1: 0.4, y1: 0.4, diagonal: 0.2, lag2: 0.1, lag3: 0.02 });
    let image = SurveyNoise::Image { path: "sky.fits".into(), sigma: 0.5, autocorrelation };
    let table = "[noise.autocorrelation]\nx1 = 0.4\ny1 = 0.4\ndiagonal = 0.2\nlag2 = 0.1\nlag3 = 0.02";
    assert_eq!(noise(&format!("kind = \"image\"\nsigma = 0.5\npath = \"sky.fits\"\n{table}")), image);
    assert_eq!((image.sigma(), SurveyNoise::None.sigma()), (0.5, 0.0));
}

#[test]
fn parameters_of_a_catalogue_are_drawn_from_it_unless_they_say_otherwise() {
    let catalogue =
        "[galaxies.catalogue]\npath = \"cat.csv\"\nradius_unit = \"arcsec\"\nsersic_index = \"SERSIC\"\n";
    let all = format!("{}{catalogue}", TEXT.replace(", distribution = \"uniform\"", ""));
    let survey = parse(&all).unwrap();
    assert_eq!(survey.galaxies.from_catalogue(), [true; 4]);
    assert_eq!(parse(&survey.to_toml()).unwrap(), survey);
    let named = survey.galaxies.catalogue.unwrap();
    assert_eq!((named.magnitude.as_str(), named.sersic_index.as_str()), ("MAG", "SERSIC"));
    assert_eq!(named.radius_unit, RadiusUnit::Arcsec);
    let some = format!("{TEXT}{catalogue}");
    let message = parse(&some).unwrap_err().to_string();
    let expected =
        format!("line {}: galaxies.catalogue: no parameter is drawn", line(&some, "[galaxies.cat"));
    assert!(message.contains(&expected), "{message}");
    let some = some.replacen("distribution = \"uniform\"", "distribution = \"catalogue\"", 1);
    assert_eq!(parse(&some).unwrap().galaxies.from_catalogue(), [true, false, false, false]);
}

#[test]
fn files_are_looked_for_beside_the_survey() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.toml");
    let text = with(
        "model = \"moffat\"\nfwhm = 0.17\nbeta = 1.85",
        "model = \"file\"\npath = \"a/psf.fits\"\npixel_scale = 0.04",
    )
    .replace("kind = \"correlated\"", "kind = \"image\"\npath = \"/elsewhere/sky.fits\"")
    .replace("autocorrelation", "# autocorrelation");
    std::fs::write(&path, text).unwrap();
    let survey = Survey::load(&path).unwrap();
    let expected = PsfModel::File { path: folder.path().join("a/psf.fits"), pixel_scale: Some(0.04) };
    assert_eq!(survey.psf[0].model, expected);
    assert_eq!(survey.noise.image(), Some(Path::new("/elsewhere/sky.fits")));
}

#[test]
fn what_is_not_toml_is_an_error_with_its_line() {
    let message = complaint("stamp_size = 128", "stamp_size = ");
    assert!(message.starts_with("my.toml: ") && message.contains("line "), "{message}");
    assert!(parse("").unwrap_err().to_string().contains("line 1: the key"));
}

#[test]
fn what_the_crowded_survey_offers_in_comments_can_be_taken() {
    let text = BUILTIN[1].1;
    let offered = text.find("# [asymmetry.lopsided]").unwrap();
    let taken: Vec<&str> = text[offered..].lines().map(|line| line.strip_prefix("# ").unwrap()).collect();
    let survey = parse(&format!("{}{}", &text[..offered], taken.join("\n"))).unwrap();
    let asymmetry = survey.asymmetry.unwrap();
    assert_eq!(asymmetry.lopsided.unwrap().fraction, Range::uniform(0.0, 0.2));
    assert_eq!(asymmetry.second.unwrap().sersic_index, Range::uniform(1.0, 4.0));
    assert_eq!(parse(&survey.to_toml()).unwrap(), survey);
}

#[test]
fn impossible_companions_are_errors_that_name_the_line_and_the_key() {
    let text = BUILTIN[1].1;
    for (start, from, to, message) in [
        ("none", "none = 0.10", "none = 0.05", "companions.none: 0.05 must be at least exp(-mean) = 0.0821"),
        ("none", "none = 0.10", "none = 1", "companions.none: 1 must be at least"),
        ("mean", "mean = 2.5", "mean = 51", "companions.mean: 51 must not exceed 50"),
        ("stars", "stars = 0.1", "stars = 1.1", "companions.stars: 1.1 must be 0 to 1 (a fraction)"),
        (
            "min_dis",
            "distance = 4.0",
            "distance = 99",
            "companions.min_distance: 99 must be 0 to 32 (pixels)",
        ),
        ("[companions.fl", "max = 10.0", "max = 0.001", "companions.flux_ratio: min = 0.018482 must not"),
        ("scatter", "scatter = 0.2", "scatter = -1", "companions.radius.scatter: -1 must be 0 to 1 (dex)"),
        (
            "colour",
            "stars = 0.1",
            "stars = 0.1\ncolour = 1",
            "companions.colour: unknown key; there are mean,",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        let complaint = parse(&changed).unwrap_err().to_string();
        let expected = format!("my.toml: line {}: {message}", line(&changed, start));
        assert!(complaint.starts_with(&expected), "{complaint}\n{expected}");
    }
}

#[test]
fn a_missing_file_and_an_unknown_name_say_so() {
    let error = Survey::load("no/such/survey.toml").unwrap_err().to_string();
    assert!(error.contains("no/such/survey.toml: cannot read"), "{error}");
    let error = Survey::find("euclid").unwrap_err().to_string();
    assert!(error.contains("candels-f160w"), "{error}");
}
