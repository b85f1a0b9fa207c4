//! The sources that detection found on a mosaic, written as FITS table, CSV or ECSV, and the map of whose each pixel is.

use super::catalogue::Provenance;
use super::columns::catalogue;
use super::ecsv;
use super::header::Header;
use super::layers::Layers;
use super::raw::{Column, FitsFile};
use super::writer::renamed;
use crate::detect::{self, Detection, Neighbour, Settings, Source, Tile, neighbours};
use crate::files::Pending;
use crate::{Error, Result};
use std::path::Path;

/// Finds the sources of a mosaic, window by window, with its maps of noise and of bad pixels where it has them. Neither the
/// mosaic nor a map need fit into memory.
///
/// # Errors
/// As [`Layers::window`] and [`detect::detect_windows`].
pub fn detect_sources(layers: &mut Layers, settings: &Settings) -> Result<Detection> {
    let (width, height) = (layers.image().width(), layers.image().height());
    let read = |w: detect::Window| {
        let window = layers.window(w.x as i64 + 1, w.y as i64 + 1, w.width, w.height)?;
        Ok(Tile { pixels: window.pixels, rms: window.rms, mask: None })
    };
    detect::detect_windows(width, height, read, settings)
}

/// A list of sources with what the image's header adds.
pub struct SourceList<'a> {
    detection: &'a Detection,
    header: &'a Header,
    zero_point: f64,
    neighbours: Vec<Option<Neighbour>>,
    unit: String,
}

/// A column of numbers.
struct Number {
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    decimals: usize,
    get: fn(&Line) -> f64,
}

/// A source and what belongs to it.
struct Line<'a> {
    source: &'a Source,
    sky: (f64, f64),
    magnitude: f64,
    neighbour: Option<Neighbour>,
}

/// In place of a unit: that of the image.
const OF_THE_IMAGE: &str = "image";

const fn number(
    name: &'static str,
    unit: &'static str,
    decimals: usize,
    get: fn(&Line) -> f64,
    description: &'static str,
) -> Number {
    Number { name, unit, description, decimals, get }
}

const NUMBERS: [Number; 21] = [
    number("RA", "deg", 7, |l| l.sky.0, "right ascension of X, Y"),
    number("DEC", "deg", 7, |l| l.sky.1, "declination of X, Y"),
    number("X", "pixel", 4, |l| l.source.x_windowed, "windowed centre, the first pixel's being 1"),
    number("Y", "pixel", 4, |l| l.source.y_windowed, "windowed centre, the first pixel's being 1"),
    number("X_ISO", "pixel", 4, |l| l.source.x, "barycentre above the threshold"),
    number("Y_ISO", "pixel", 4, |l| l.source.y, "barycentre above the threshold"),
    number("MAG_AUTO", "mag", 4, |l| l.magnitude, "AB magnitude of FLUX_AUTO"),
    number("FLUX_AUTO", OF_THE_IMAGE, 5, |l| l.source.flux_auto, "light within the Kron ellipse"),
    number("FLUX_AUTO_ERR", OF_THE_IMAGE, 5, |l| l.source.flux_auto_err, "its standard deviation"),
    number("FLUX_ISO", OF_THE_IMAGE, 5, |l| l.source.flux, "light above the threshold"),
    number("FLUX_ISO_ERR", OF_THE_IMAGE, 5, |l| l.source.flux_err, "its standard deviation"),
    number("PEAK", OF_THE_IMAGE, 5, |l| l.source.peak, "brightest pixel"),
    number("SNR", "", 2, |l| l.source.snr, "FLUX_AUTO over its error"),
    number("HALF_LIGHT_RADIUS", "pixel", 4, |l| l.source.half_light_radius, "circle of half of FLUX_AUTO"),
    number("KRON_RADIUS", "", 3, |l| l.source.kron_radius, "Kron ellipse, in units of A and B"),
    number("A", "pixel", 4, |l| l.source.a, "semi-major axis, a standard deviation"),
    number("B", "pixel", 4, |l| l.source.b, "semi-minor axis, a standard deviation"),
    number("Q", "", 4, |l| l.source.axis_ratio(), "axis ratio B/A"),
    number("PA", "deg", 2, |l| l.source.pa, "position angle, from +y counter-clockwise"),
    number(
        "NEIGH_RATIO",
        "",
        4,
        |l| l.neighbour.map_or(f64::NAN, |n| n.ratio),
        "brightest neighbour over its own light",
    ),
    number(
        "NEIGH_DIST",
        "pixel",
        2,
        |l| l.neighbour.map_or(f64::NAN, |n| n.distance),
        "distance of that neighbour",
    ),
];

/// A column of whole numbers: name, unit, description.
const WHOLE: [(&str, &str, &str); 4] = [
    ("ID", "", "number, from 1, as in the segmentation map"),
    ("AREA", "pixel**2", "pixels above the threshold"),
    ("COMPOSITE", "", "sources of the same number touch"),
    ("FLAGS", "", "sum of bits, explained in the table's history"),
];

/// The name of the table in a FITS file.
const TABLE: &str = "SOURCES";

impl<'a> SourceList<'a> {
    /// Of the sources on an image with this header. `zero_point` is the AB magnitude of one of its units, NaN where it is not
    /// known; neighbours are sought within `reach` pixels.
    pub fn new(detection: &'a Detection, header: &'a Header, zero_point: f64, reach: f64) -> Self {
        let neighbours = neighbours(&detection.sources, reach);
        // FITS has no unit that is not ASCII.
        let unit = header.unit.clone().filter(|u| u.is_ascii()).unwrap_or_default();
        SourceList { detection, header, zero_point, neighbours, unit }
    }

    /// Writes the list: `.csv` as text, `.ecsv` as the same with units, descriptions and provenance, anything else as a FITS
    /// file with a binary table `SOURCES`. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Fits`] or [`Error::Catalogue`] where it cannot be written.
    pub fn write(&self, path: &Path, provenance: &Provenance) -> Result<()> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let pending = Pending::new(path)?;
        let temporary = pending.path();
        match ending.as_deref() {
            Some("csv") => self.write_text(&temporary, path, String::new())?,
            Some("ecsv") => {
                let whole = |(name, unit, description)| [name, "int64", unit, description];
                let numbers = NUMBERS.iter().map(|n| [n.name, "float64", self.unit_of(n), n.description]);
                let [id, rest @ ..] = WHOLE.map(whole);
                let head = ecsv::header([id].into_iter().chain(numbers).chain(rest), provenance);
                self.write_text(&temporary, path, ecsv::comments(&head))?;
            }
            _ => self.write_fits(&temporary, provenance).map_err(|e| renamed(e, path))?,
        }
        pending.finish()
    }

    fn unit_of(&self, number: &Number) -> &str {
        if number.unit == OF_THE_IMAGE { &self.unit } else { number.unit }
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.detection.sources.iter().zip(&self.neighbours).map(|(source, &neighbour)| {
            let nowhere = (f64::NAN, f64::NAN);
            let sky =
                self.header.wcs.as_ref().map_or(nowhere, |w| w.sky(source.x_windowed, source.y_windowed));
            Line { source, sky, magnitude: source.magnitude(self.zero_point), neighbour }
        })
    }

    /// The whole numbers of a source, as [`WHOLE`] has them.
    fn whole(&self, i: usize) -> [i64; 4] {
        let source = &self.detection.sources[i];
        [i as i64 + 1, source.area as i64, source.composite as i64 + 1, source.flags.0.into()]
    }

    fn write_text(&self, temporary: &Path, path: &Path, head: String) -> Result<()> {
        let broken = |e: csv::Error| catalogue(path, e.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        let [id, rest @ ..] = WHOLE.map(|w| w.0);
        writer
            .write_record([id].into_iter().chain(NUMBERS.iter().map(|n| n.name)).chain(rest))
            .map_err(broken)?;
        for (i, line) in self.lines().enumerate() {
            let [id, rest @ ..] = self.whole(i).map(|n| n.to_string());
            let numbers = NUMBERS.iter().map(|n| match (n.get)(&line) {
                value if value.is_finite() => format!("{value:.*}", n.decimals),
                _ => String::new(),
            });
            writer.write_record([id].into_iter().chain(numbers).chain(rest)).map_err(broken)?;
        }
        let body = writer.into_inner().map_err(|e| catalogue(path, e.to_string()))?;
        std::fs::write(temporary, [head.into_bytes(), body].concat()).map_err(|e| Error::io(path, "write", e))
    }

    fn write_fits(&self, path: &Path, provenance: &Provenance) -> Result<()> {
        let [id, rest @ ..] = WHOLE.map(|(name, unit, _)| Column { name, form: "1K", unit });
        let numbers = NUMBERS.iter().map(|n| Column { name: n.name, form: "1D", unit: self.unit_of(n) });
        let columns: Vec<Column> = [id].into_iter().chain(numbers).chain(rest).collect();
        let [id, rest @ ..] = WHOLE.map(|w| w.2);
        let descriptions = [id].into_iter().chain(NUMBERS.iter().map(|n| n.description)).chain(rest);
        let mut file = FitsFile::create(path)?;
        file.add_image(&[])?;
        file.add_table(TABLE, &columns, self.detection.sources.len())?;
        for (i, description) in descriptions.enumerate() {
            file.set_text(&format!("TCOMM{}", i + 1), description, "")?;
        }
        if !self.detection.sources.is_empty() {
            let lines: Vec<Line> = self.lines().collect();
            for (i, number) in NUMBERS.iter().enumerate() {
                file.write_f64(i + 1, 0, &lines.iter().map(number.get).collect::<Vec<_>>())?;
            }
            for k in 0..WHOLE.len() {
                let column = if k == 0 { 0 } else { NUMBERS.len() + k };
                let values: Vec<i64> = (0..lines.len()).map(|i| self.whole(i)[k]).collect();
                file.write_i64(column, 0, &values)?;
            }
        }
        for (key, value) in provenance {
            file.add_history(&format!("{key}: {value}"))?;
        }
        file.close()
    }
}

/// Writes which source each pixel belongs to, 0 for none, as a FITS image of integers, a few rows at a time. The file appears
/// whole or not at all.
///
/// # Errors
/// [`Error::Io`] or [`Error::Fits`] where it cannot be written.
pub fn write_segmentation(detection: &Detection, path: &Path) -> Result<()> {
    const PIXELS_AT_ONCE: usize = 1 << 22;
    let pending = Pending::new(path)?;
    let write = || {
        let (width, height) = (detection.width, detection.height);
        let mut file = FitsFile::create(&pending.path())?;
        file.add_integers(width, height)?;
        file.set_text("BUNIT", "", "the number of a source in the list, 0 for none")?;
        let rows = (PIXELS_AT_ONCE / width).max(1);
        for y in (0..height).step_by(rows) {
            let window = detect::Window { x: 0, y, width, height: rows.min(height - y) };
            let labels: Vec<i32> = detection.segmentation(window).into_iter().map(|l| l as i32).collect();
            file.write_integers(y, &labels)?;
        }
        file.close()
    };
    write().map_err(|e| renamed(e, path))?;
    pending.finish()
}

#[cfg(test)]
mod tests {
    use super::super::mosaic::Mosaic;
    use super::super::testing::{Hdu, write};
    use super::*;

    /// Two bright squares on a sky that alternates between −1 and 1, the rms being 1.
    fn field(folder: &Path) -> Layers {
        let (width, height) = (40, 30);
        let value = |i: usize| {
            let (x, y) = (i % width, i / width);
            let lit =
                (5..9).contains(&x) && (6..10).contains(&y) || (25..30).contains(&x) && (15..20).contains(&y);
            if lit { 100.0 } else { 1.0 - 2.0 * ((x + y) % 2) as f32 }
        };
        let pixels: Vec<f32> = (0..width * height).map(value).collect();
        let image = Hdu::floats(&[width, height], &pixels).card("BUNIT   = 'ELECTRONS/S'");
        write(&folder.join("image.fits"), &[image]);
        write(&folder.join("rms.fits"), &[Hdu::floats(&[width, height], &vec![1.0; width * height])]);
        let layers = Layers::new(Mosaic::open(folder.join("image.fits")).unwrap());
        layers.with_rms(folder.join("rms.fits")).unwrap()
    }

    #[test]
    fn a_list_is_written_with_its_units_and_the_map_has_its_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let mut layers = field(folder.path());
        let settings = Settings { subtract: false, threshold: 5.0, ..Settings::default() };
        let found = detect_sources(&mut layers, &settings).unwrap();
        assert_eq!(found.sources.len(), 2);
        let list = SourceList::new(&found, layers.image().header(), 25.0, 50.0);
        let provenance = vec![("program".to_owned(), "legato".to_owned())];
        let path = folder.path().join("list.fits");
        list.write(&path, &provenance).unwrap();
        let mut file = FitsFile::open(&path).unwrap();
        file.go_to(1).unwrap();
        let mut column = |name: &str| {
            let number = file.column(name).unwrap();
            file.read_f64(number, 2).unwrap()
        };
        assert_eq!(column("ID"), [1.0, 2.0]);
        assert!((column("X_ISO")[0] - 7.5).abs() < 0.1 && (column("Y_ISO")[1] - 18.0).abs() < 0.1);
        assert!(column("RA")[0].is_nan());
        let (flux, magnitude) = (column("FLUX_AUTO"), column("MAG_AUTO"));
        assert!((magnitude[1] - (25.0 - 2.5 * flux[1].log10())).abs() < 1e-9);
        assert!((column("NEIGH_RATIO")[0] - flux[1] / flux[0]).abs() < 1e-9);
        assert!(file.cards().unwrap().join("\n").contains("'ELECTRONS/S'"));

        let text = folder.path().join("list.ecsv");
        list.write(&text, &provenance).unwrap();
        let text = std::fs::read_to_string(text).unwrap();
        assert!(text.contains("# - {name: FLUX_AUTO, unit: ELECTRONS/S, datatype: float64"), "{text}");
        assert!(
            text.contains("#   'program': 'legato'")
                && text.lines().last().is_some_and(|l| l.starts_with("2,,,"))
        );

        let map = folder.path().join("map.fits");
        write_segmentation(&found, &map).unwrap();
        let map = Mosaic::open(&map).unwrap().window(1, 1, 40, 30).unwrap();
        assert_eq!((map[7 * 40 + 6], map[17 * 40 + 27], map[0]), (1.0, 2.0, 0.0));
    }

    #[test]
    fn an_empty_list_is_a_table_without_rows() {
        let folder = tempfile::tempdir().unwrap();
        let mut layers = field(folder.path());
        let settings = Settings { threshold: 1e6, ..Settings::default() };
        let found = detect_sources(&mut layers, &settings).unwrap();
        let list = SourceList::new(&found, layers.image().header(), f64::NAN, 50.0);
        for name in ["none.fits", "none.csv"] {
            list.write(&folder.path().join(name), &Vec::new()).unwrap();
        }
        let text = std::fs::read_to_string(folder.path().join("none.csv")).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with("ID,RA,DEC,X,Y,") && text.trim_end().ends_with("AREA,COMPOSITE,FLAGS"));
    }
}
