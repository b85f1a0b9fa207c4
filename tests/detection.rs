//! Sources are SEP's, on the same pixels. `tests/golden/make_detection.py` made the numbers.

use legato::detect::{Detection, Flags, Settings, Source, Window, detect};
use safetensors::SafeTensors;
use std::collections::HashSet;

const WIDTH: usize = 360;
const HEIGHT: usize = 300;
/// Unit of the stored image.
const STEP: f32 = 0.02;
/// The maps are stored at every seventh pixel.
const STRIDE: usize = 7;

/// A row of `make_detection.py`'s table; positions are counted from 0, angles in radians from +x.
struct Theirs {
    x: f64,
    y: f64,
    a: f64,
    b: f64,
    theta: f64,
    flux: f64,
    peak: f64,
    area: f64,
    deblended: bool,
    kron_radius: f64,
    flux_auto: f64,
    half_light_radius: f64,
    x_windowed: f64,
    y_windowed: f64,
    /// Part of what the apertures cover that is masked or belongs to other sources.
    foreign: f64,
}

struct Field {
    pixels: Vec<f32>,
    theirs: Vec<Theirs>,
    level: Vec<f64>,
    rms: Vec<f64>,
}

fn field(name: &str) -> Field {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/detection.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let data = |key: &str| file.tensor(&format!("{name}.{key}")).unwrap().data().to_vec();
    let floats = |key: &str| -> Vec<f64> {
        let size = data(key).len() / HEIGHT.div_ceil(STRIDE) / WIDTH.div_ceil(STRIDE);
        let number = |c: &[u8]| match c.len() {
            4 => f64::from(f32::from_le_bytes(c.try_into().unwrap())),
            _ => f64::from_le_bytes(c.try_into().unwrap()),
        };
        data(key).chunks_exact(size).map(number).collect()
    };
    let pixels =
        data("image").chunks_exact(2).map(|c| STEP * f32::from(i16::from_le_bytes([c[0], c[1]]))).collect();
    let numbers: Vec<f64> =
        data("sources").chunks_exact(8).map(|c| f64::from_le_bytes(c.try_into().unwrap())).collect();
    let theirs = numbers
        .chunks_exact(15)
        .map(|row| Theirs {
            x: row[0],
            y: row[1],
            a: row[2],
            b: row[3],
            theta: row[4],
            flux: row[5],
            peak: row[6],
            area: row[7],
            deblended: row[8] != 0.0,
            kron_radius: row[9],
            flux_auto: row[10],
            half_light_radius: row[11],
            x_windowed: row[12],
            y_windowed: row[13],
            foreign: row[14],
        })
        .collect();
    Field { pixels, theirs, level: floats("level"), rms: floats("rms") }
}

fn found(name: &str, field: &Field) -> Detection {
    let weighted = name == "weighted";
    let rms: Vec<f32> = (0..WIDTH * HEIGHT).map(|i| 1.0 + (i % WIDTH) as f32 / WIDTH as f32).collect();
    let inside = |i: usize| (100..125).contains(&(i / WIDTH)) && (60..110).contains(&(i % WIDTH));
    let mask: Vec<bool> = (0..WIDTH * HEIGHT).map(inside).collect();
    let (rms, mask) = (weighted.then_some(&rms[..]), weighted.then_some(&mask[..]));
    detect(&field.pixels, WIDTH, rms, mask, &Settings::default()).unwrap()
}

/// Their sources with ours of the nearest position.
fn pairs<'a>(theirs: &'a [Theirs], ours: &'a [Source]) -> Vec<(&'a Theirs, &'a Source)> {
    let nearest = |their: &Theirs| {
        let apart = |s: &&Source| separation(their, s);
        ours.iter().min_by(|a, b| apart(a).total_cmp(&apart(b))).unwrap()
    };
    theirs.iter().map(|their| (their, nearest(their))).collect()
}

/// How far apart they are, pixels.
fn separation(theirs: &Theirs, ours: &Source) -> f64 {
    (ours.x - 1.0 - theirs.x).hypot(ours.y - 1.0 - theirs.y)
}

/// The largest of some numbers, and their median.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<f64> = values.map(f64::abs).collect();
    assert!(values.len() > 30, "only {}", values.len());
    values.sort_by(f64::total_cmp);
    (values[values.len() - 1], values[values.len() / 2])
}

const FIELDS: [&str; 2] = ["plain", "weighted"];

#[test]
fn the_sky_is_seps_to_hundredths_of_its_noise() {
    for name in FIELDS {
        let field = field(name);
        let background = found(name, &field).background;
        let whole = Window { x: 0, y: 0, width: WIDTH, height: HEIGHT };
        for (map, theirs) in
            [(background.level_map(whole), &field.level), (background.rms_map(whole), &field.rms)]
        {
            let rows = (0..HEIGHT).step_by(STRIDE);
            let sparse = rows.flat_map(|y| (0..WIDTH).step_by(STRIDE).map(move |x| y * WIDTH + x));
            let differences =
                sparse.zip(theirs).map(|(i, theirs)| (f64::from(map[i]) - theirs) / background.rms);
            let (worst, median) = spread(differences);
            println!("{name}: {worst:.4} σ at most, {median:.4} in the median");
            // SEP counts in a histogram. The standard error of a cell's median is 0.02 σ.
            assert!(worst < 0.05 && median < 0.01, "{name}: {worst} {median}");
        }
    }
}

#[test]
fn every_source_of_seps_is_found_and_no_other() {
    for name in FIELDS {
        let field = field(name);
        let ours = found(name, &field).sources;
        assert_eq!(ours.len(), field.theirs.len(), "{name}");
        let pairs = pairs(&field.theirs, &ours);
        let places: HashSet<(u64, u64)> = pairs.iter().map(|(_, s)| (s.x.to_bits(), s.y.to_bits())).collect();
        assert_eq!(places.len(), ours.len(), "{name}: two of theirs are one of ours");
        for (t, s) in &pairs {
            assert_eq!(s.flags.contains(Flags::DEBLENDED), t.deblended, "{name} {} {}", t.x, t.y);
        }
        let (worst, median) = spread(pairs.iter().map(|(t, s)| separation(t, s)));
        println!("{name}: {} sources, {worst:.3} px apart at most, {median:.4} in the median", ours.len());
        // The lot decides where blended sources' faint pixels go, and it is not SEP's.
        assert!(worst < 1.0 && median < 0.01, "{name}: {worst} {median}");
    }
}

#[test]
fn sources_of_the_same_pixels_have_seps_shapes_and_light() {
    for name in FIELDS {
        let field = field(name);
        let ours = found(name, &field).sources;
        let all = pairs(&field.theirs, &ours);
        let whole: Vec<_> = all.iter().filter(|(t, _)| !t.deblended).collect();
        let same: Vec<_> = whole.iter().filter(|(t, s)| t.area == s.area as f64).collect();
        println!("{name}: {} of {} whole sources have the same pixels", same.len(), whole.len());
        // The sky's differences move a pixel across the threshold here and there.
        assert!(same.len() * 4 > whole.len() * 3, "{name}: {} of {}", same.len(), whole.len());
        assert!(whole.iter().all(|(t, s)| (t.area - s.area as f64).abs() <= 2.0f64.max(0.02 * t.area)));
        let check = |what: &str, limit: f64, value: &dyn Fn(&Theirs, &Source) -> f64| {
            let (worst, median) = spread(same.iter().map(|(t, s)| value(t, s)));
            println!("{name}: {what}: {worst:.5} at most, {median:.5} in the median");
            assert!(worst < limit, "{name}: {what}: {worst}");
        };
        check("position, px", 0.01, &separation);
        check("a, relative", 0.005, &|t, s| s.a / t.a - 1.0);
        check("b, relative", 0.005, &|t, s| s.b / t.b - 1.0);
        let angle = |t: &Theirs, s: &Source| {
            let difference = s.pa + 90.0 - t.theta.to_degrees();
            (difference - 180.0 * (difference / 180.0).round()) * (1.0 - t.b / t.a)
        };
        check("position angle, degrees times the ellipticity", 0.2, &angle);
        check("isophotal light, in its error", 0.3, &|t, s| (s.flux - t.flux) / s.flux_err);
        check("isophotal light, relative", 0.012, &|t, s| s.flux / t.flux - 1.0);
        check("peak, relative", 0.012, &|t, s| s.peak / t.peak - 1.0);
    }
}

#[test]
fn apertures_without_neighbours_hold_seps_light() {
    let mut compared = 0;
    for name in FIELDS {
        let field = field(name);
        let ours = found(name, &field).sources;
        for (t, s) in pairs(&field.theirs, &ours) {
            let whole = !s.flags.contains(Flags::EDGE) && !s.flags.contains(Flags::CUT);
            if t.deblended || t.foreign > 0.0 || t.area != s.area as f64 || !whole || s.snr < 20.0 {
                continue;
            }
            compared += 1;
            let place = format!("{name} {:.1} {:.1} S/N {:.0}", t.x, t.y, s.snr);
            println!(
                "{place}: {:.4} {:.4} {:.4}",
                s.kron_radius / t.kron_radius,
                s.flux_auto / t.flux_auto,
                s.half_light_radius / t.half_light_radius
            );
            assert!(
                (s.flux_auto - t.flux_auto).abs() < 0.25 * s.flux_auto_err + 0.001 * s.flux_auto,
                "{place}"
            );
            assert!((s.kron_radius / t.kron_radius - 1.0).abs() < 0.03, "{place}");
            assert!((s.half_light_radius / t.half_light_radius - 1.0).abs() < 0.02, "{place}");
            let windowed = (s.x_windowed - 1.0 - t.x_windowed).hypot(s.y_windowed - 1.0 - t.y_windowed);
            assert!(windowed < 0.01, "{place}: {windowed}");
        }
    }
    assert!(compared > 30, "{compared}");
}
