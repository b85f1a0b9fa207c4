//! Output blocks as GALFIT writes them, one file a galaxy: an empty HDU, the data, the model with what is known of it in
//! its header, and what the model leaves.

use super::flags::Flags;
use super::raw::FitsFile;
use super::wcs::Wcs;
use super::writer::renamed;
use crate::files::{self, Pending};
use crate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The longest part of a name that is kept of an identifier.
const LONGEST: usize = 100;

/// A value and its error; NaN for an error that is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value(pub f64, pub f64);

impl Value {
    /// As GALFIT writes it: `value +/- error`, or in brackets where nothing was fitted.
    fn text(self) -> String {
        let Value(value, error) = self;
        let number = |x: f64| {
            if x != 0.0 && x.abs() < 1e-3 { scientific(x) } else { format!("{x:.4}") }
        };
        if error.is_finite() {
            format!("{} +/- {}", number(value), number(error))
        } else {
            format!("[{}]", number(value))
        }
    }
}

/// A number with three decimals and an exponent of two digits, as C writes it.
fn scientific(x: f64) -> String {
    let text = format!("{x:.3e}");
    match text.split_once('e').and_then(|(digits, power)| Some((digits, power.parse::<i32>().ok()?))) {
        Some((digits, power)) => format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs()),
        None => text,
    }
}

/// A galaxy's data and model. Pixels are row-major, y up, in a unit whose AB zero point is `zero_point`.
#[derive(Clone, Debug)]
pub struct OutputBlock<'a> {
    /// The galaxy's identifier (`OBJECT` of the data).
    pub id: &'a str,
    /// Columns.
    pub width: usize,
    /// The image.
    pub data: &'a [f32],
    /// Galaxy and sky.
    pub model: &'a [f32],
    /// The image's name (`DATAIN`).
    pub image: &'a str,
    /// That of the map of its noise (`SIGMA`), where there is one.
    pub sigma: Option<&'a str>,
    /// The point spread function (`PSF`).
    pub psf: &'a str,
    /// The catalogue in which the galaxy stands (`LOGFILE`).
    pub catalogue: &'a str,
    /// FITS pixel of the image that is the first of the block (`FITSECT`).
    pub corner: (i64, i64),
    /// Where the block's pixels lie on the sky.
    pub wcs: Option<Wcs>,
    /// AB zero point (`MAGZPT`).
    pub zero_point: f64,
    /// Pixel scale, arcsec (`PIXSCALE`).
    pub pixel_scale: f64,
    /// Centre, FITS pixels of the image (`1_XC`, `1_YC`).
    pub centre: [Value; 2],
    /// Total AB magnitude of the model (`1_MAG`).
    pub mag: Value,
    /// Half-light radius along the major axis, pixels (`1_RE`).
    pub re_maj: Value,
    /// Sérsic index (`1_N`).
    pub n: Value,
    /// Axis ratio (`1_AR`).
    pub q: Value,
    /// Position angle, degrees from +y counter-clockwise (`1_PA`).
    pub pa: Value,
    /// Level of the sky in a pixel (`2_SKY`).
    pub sky: Value,
    /// Reduced χ² (`CHI2NU`); NaN where not known.
    pub chi2: f64,
    /// Its degrees of freedom (`NDOF`).
    pub freedom: usize,
    /// Magnitude as it was measured, which may differ from the model's (`MAGMEAS`); NaN where not measured.
    pub measured_mag: f64,
    /// What to be wary of (`FLAGS`, their names).
    pub flags: Flags,
}

impl OutputBlock<'_> {
    /// Writes the block to `path`, whole or not at all; an earlier file there is replaced.
    ///
    /// # Errors
    /// [`Error::Usage`] for pixels that are no whole number of rows or not as many of data as of the model; [`Error::Io`]
    /// and [`Error::Fits`] where it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let count = self.data.len();
        if count == 0 || self.width == 0 || !count.is_multiple_of(self.width) || self.model.len() != count {
            return Err(Error::Usage(format!(
                "{}: {count} pixels of data and {} of the model do not make a block of {} columns",
                self.id,
                self.model.len(),
                self.width
            )));
        }
        let pending = Pending::new(path)?;
        self.write_hdus(&pending.path()).map_err(|e| renamed(e, path))?;
        pending.finish()
    }

    fn write_hdus(&self, path: &Path) -> Result<()> {
        let shape = [self.width, self.data.len() / self.width];
        let mut file = FitsFile::create(path)?;
        file.add_image(&[])?;
        file.add_image(&shape)?;
        file.set_text("OBJECT", self.id, "")?;
        file.set_f64("MAGZERO", self.zero_point, "AB magnitude of one unit")?;
        if self.pixel_scale.is_finite() {
            file.set_f64("PIXSCALE", self.pixel_scale, "[arcsec] size of a pixel")?;
        }
        if let Some(wcs) = &self.wcs {
            wcs.write(&mut file)?;
        }
        file.set_text("LOGFILE", self.catalogue, "catalogue with this galaxy")?;
        file.write_rows(0, self.data)?;
        file.add_image(&shape)?;
        self.write_model(&mut file, shape)?;
        file.write_rows(0, self.model)?;
        file.add_image(&shape)?;
        file.set_text("OBJECT", "residual map", "Component type")?;
        let residual: Vec<f32> = self.data.iter().zip(self.model).map(|(data, model)| data - model).collect();
        file.write_rows(0, &residual)?;
        file.close()
    }

    /// The model's header, in GALFIT's words and order.
    fn write_model(&self, file: &mut FitsFile, [width, height]: [usize; 2]) -> Result<()> {
        let line = "-".repeat(70);
        let (x, y) = self.corner;
        let section = format!("[{x}:{},{y}:{}]", x + width as i64 - 1, y + height as i64 - 1);
        let sky_centre =
            |first: i64, length: usize| Value(first as f64 + 0.5 * (length as f64 - 1.0), f64::NAN);
        file.set_text("OBJECT", "model", "Component type")?;
        file.add_comment("========== GALFIT Input Parameters ==========")?;
        file.set_text("INITFILE", "none", "GALFIT input file")?;
        file.set_text("DATAIN", self.image, "Input data image")?;
        file.set_text("SIGMA", self.sigma.unwrap_or("none"), "Input sigma image")?;
        file.set_text("PSF", self.psf, "Convolution PSF")?;
        file.set_text("CONSTRNT", "none", "Parameter constraint file")?;
        file.set_text("MASK", "none", "Input mask image")?;
        file.set_text("FITSECT", &section, "Image section fitted")?;
        file.set_text("CONVBOX", &format!("{width}, {height}"), "Convolution box size")?;
        file.set_f64("MAGZPT", self.zero_point, "Magnitude zeropoint")?;
        file.add_comment("========== GALFIT Final Parameters ==========")?;
        file.add_comment("RE, N and AR measured by networks; XC, YC, MAG, PA and SKY fitted")?;
        file.set_text("COMP_1", "sersic", "Component type")?;
        for (key, value, comment) in [
            ("1_XC", self.centre[0], "X center [pixel]"),
            ("1_YC", self.centre[1], "Y center [pixel]"),
            ("1_MAG", self.mag, "Integrated magnitude [mag]"),
            ("1_RE", self.re_maj, "Effective radius Re [pixels]"),
            ("1_N", self.n, "Sersic index"),
            ("1_AR", self.q, "Axis ratio (b/a)"),
            ("1_PA", self.pa, "Position Angle (PA) [degrees: Up=0, Left=90]"),
        ] {
            file.set_text(key, &value.text(), comment)?;
        }
        file.add_comment(&line)?;
        file.set_text("COMP_2", "sky", "Component type")?;
        file.set_text("2_XC", &sky_centre(x, width).text(), "X center [pixel]")?;
        file.set_text("2_YC", &sky_centre(y, height).text(), "Y center [pixel]")?;
        let sky = match self.sky {
            Value(level, error) if error.is_finite() => {
                format!("{} +/- {}", scientific(level), scientific(error))
            }
            Value(level, _) => format!("[{}]", scientific(level)),
        };
        file.set_text("2_SKY", &sky, "Sky background [ADUs]")?;
        file.set_text("2_DSDX", "[0.000e+00]", "x sky gradient [ADUs]")?;
        file.set_text("2_DSDY", "[0.000e+00]", "y sky gradient [ADUs]")?;
        file.add_comment(&line)?;
        file.set_text("FLAGS", &flag_words(self.flags), "of legato's catalogue")?;
        file.add_comment(&line)?;
        if self.chi2.is_finite() {
            file.set_f64("CHISQ", self.chi2 * self.freedom as f64, "Chi^2 of fit")?;
            file.add_u64("NDOF", self.freedom as u64, "Degrees of freedom")?;
        }
        file.add_u64("NFREE", 5, "Number of free parameters")?;
        file.add_u64("NFIX", 5, "Number of fixed parameters")?;
        if self.chi2.is_finite() {
            file.set_f64("CHI2NU", self.chi2, "Reduced Chi^2")?;
        }
        if self.measured_mag.is_finite() {
            file.set_f64("MAGMEAS", self.measured_mag, "[mag] magnitude that was measured")?;
        }
        file.set_text("LOGFILE", self.catalogue, "catalogue with this galaxy")?;
        file.set_text("PROGRAM", &format!("legato {}", env!("CARGO_PKG_VERSION")), "")?;
        file.add_comment("=============================================")
    }
}

/// The names of flags, as many as fit into a card.
fn flag_words(flags: Flags) -> String {
    let names = Flags::NAMES.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name);
    names.collect::<Vec<_>>().join(" ")
}

/// A folder of blocks: a name of its own for every galaxy, whatever its identifier is.
#[derive(Debug)]
pub struct BlockFolder {
    folder: PathBuf,
    /// How often a name was given, in lower case, which is all that some systems tell apart.
    given: HashMap<String, u32>,
}

impl BlockFolder {
    /// Makes the folder where it is not there.
    ///
    /// # Errors
    /// As [`files::make_folder`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        files::make_folder(&folder)?;
        Ok(BlockFolder { folder, given: HashMap::new() })
    }

    /// Where the block of the next galaxy of this identifier belongs: `ID.fits`, with what no file's name may hold
    /// replaced and a checksum of the identifier behind it, and a number from 2 on for one that was there before.
    pub fn path(&mut self, id: &str) -> PathBuf {
        let name = file_name(id);
        let times = self.given.entry(name.to_ascii_lowercase()).or_default();
        *times += 1;
        let number = if *times > 1 { format!("~{times}") } else { String::new() };
        self.folder.join(format!("{name}{number}.fits"))
    }
}

/// An identifier as a file's name without an ending, the same for the same identifier and no other.
fn file_name(id: &str) -> String {
    /// What Windows keeps for devices.
    const KEPT: [&str; 4] = ["con", "prn", "aux", "nul"];
    // Brackets choose an HDU where FITS files are named.
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let kept: String = id.chars().map(|c| if plain(c) { c } else { '_' }).take(LONGEST).collect();
    let kept = kept.trim_matches('.').to_owned();
    let device = kept.split('.').next().unwrap_or("").to_ascii_lowercase();
    if kept == id && !kept.is_empty() && !kept.starts_with('-') && !KEPT.contains(&device.as_str()) {
        return kept;
    }
    format!("{}_{:08x}", kept.trim_start_matches('-'), crc32c::crc32c(id.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::header::Cards;
    use super::super::open_images;
    use super::*;

    fn block<'a>(data: &'a [f32], model: &'a [f32]) -> OutputBlock<'a> {
        OutputBlock {
            id: "galaxy / 7",
            width: 3,
            data,
            model,
            image: "mosaic.fits[SCI]",
            sigma: None,
            psf: "Gaussian, FWHM 0.2 arcsec",
            catalogue: "out.fits",
            corner: (101, -3),
            wcs: Some(Wcs::upright((150.0, 2.2), (2.0, 1.5), 0.06)),
            zero_point: 25.9463,
            pixel_scale: 0.06,
            centre: [Value(102.25, 0.01), Value(-2.5, 0.02)],
            mag: Value(21.5, 0.0312),
            re_maj: Value(4.0, 0.25),
            n: Value(1.5, f64::NAN),
            q: Value(0.5, 0.0004),
            pa: Value(-41.6059, 1.2612),
            sky: Value(-3.139e-4, 1e-5),
            chi2: 1.25,
            freedom: 400,
            measured_mag: 21.45,
            flags: Flags::CUT | Flags::LOW_SNR,
        }
    }

    #[test]
    fn a_block_has_galfits_hdus_and_keywords_and_gives_back_its_data() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block.fits");
        let (data, model) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.5, 0.5, 1.0, 1.0, 2.0, 8.0]);
        block(&data, &model).write(&path).unwrap();
        let mut file = FitsFile::open(&path).unwrap();
        assert_eq!(file.hdu_count().unwrap(), 4);
        assert!(file.go_to(0).unwrap() && file.image_shape().unwrap().is_empty());
        let mut pixels = vec![0.0; 6];
        for (hdu, expected) in [(1, data), (2, model), (3, [0.5, 1.5, 2.0, 3.0, 3.0, -2.0])] {
            file.go_to(hdu).unwrap();
            assert_eq!(file.image_shape().unwrap(), [3, 2]);
            file.read_pixels(2, 0, &mut pixels).unwrap();
            assert_eq!(pixels, expected);
        }
        file.go_to(2).unwrap();
        let cards = Cards::parse(&file.cards().unwrap());
        for (key, text) in [
            ("OBJECT", "model"),
            ("FITSECT", "[101:103,-3:-2]"),
            ("COMP_1", "sersic"),
            ("1_XC", "102.2500 +/- 0.0100"),
            ("1_MAG", "21.5000 +/- 0.0312"),
            ("1_N", "[1.5000]"),
            ("1_AR", "0.5000 +/- 4.000e-04"),
            ("1_PA", "-41.6059 +/- 1.2612"),
            ("COMP_2", "sky"),
            ("2_XC", "[102.0000]"),
            ("2_SKY", "-3.139e-04 +/- 1.000e-05"),
            ("FLAGS", "CUT LOW_SNR"),
            ("LOGFILE", "out.fits"),
            ("INITFILE", "none"),
        ] {
            assert_eq!(cards.text(key), Some(text), "{key}");
        }
        assert_eq!((cards.number("CHI2NU"), cards.number("MAGZPT")), (Some(1.25), Some(25.9463)));
        // The reader knows it for a block: the data alone are an image, with its zero point and place.
        let images: Vec<_> = open_images(&path).unwrap().map(|image| image.unwrap()).collect();
        assert_eq!((images.len(), images[0].hdu), (1, 1));
        assert_eq!((images[0].header.zero_point, images[0].header.pixel_scale), (Some(25.9463), Some(0.06)));
        assert_eq!(images[0].header.object.as_deref(), Some("galaxy / 7"));
        let (ra, dec) = images[0].header.wcs.as_ref().unwrap().sky(2.0, 1.5);
        assert!((ra - 150.0).abs() < 1e-12 && (dec - 2.2).abs() < 1e-12);
    }

    #[test]
    fn pixels_that_make_no_block_are_an_error_and_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block.fits");
        for (data, model) in [(&[1.0; 6][..], &[1.0; 3][..]), (&[1.0; 5], &[1.0; 5]), (&[], &[])] {
            let error = block(data, model).write(&path).unwrap_err().to_string();
            assert!(error.contains("galaxy / 7") && error.contains("do not make a block"), "{error}");
        }
        let nowhere = block(&[1.0; 6], &[1.0; 6]).write(folder.path().join("no/block.fits"));
        assert!(nowhere.unwrap_err().to_string().contains("no/block.fits: cannot write"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn every_identifier_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut blocks = BlockFolder::new(folder.path().join("a/b")).unwrap();
        let ids = [
            "7",
            "H.gf2",
            "cube[0,3]",
            "a/b",
            "a_b",
            "a b",
            "",
            ".",
            "..",
            "../x",
            "-o",
            "con",
            "NUL.1",
            "Café",
            "x\u{0}y",
            "7",
            "h.GF2",
        ];
        let paths: Vec<PathBuf> = ids.iter().map(|id| blocks.path(id)).collect();
        let lower: std::collections::HashSet<String> =
            paths.iter().map(|path| path.to_string_lossy().to_lowercase()).collect();
        assert_eq!(lower.len(), ids.len(), "{paths:?}");
        for path in &paths {
            assert_eq!(path.parent(), Some(folder.path().join("a/b").as_path()), "{path:?}");
            std::fs::write(path, "x").unwrap();
        }
        assert!(paths[0].ends_with("7.fits") && paths[1].ends_with("H.gf2.fits"));
        assert!(paths[15].ends_with("7~2.fits"));
        assert!(blocks.path(&"é".repeat(5000)).file_name().unwrap().len() < 130);
    }
}
