//! `legato simulate --mosaic`.

use super::{Common, progress};
use crate::fits::{DatasetMeta, MosaicWriter, Wcs, read_truth, write_truth};
use crate::legato::Ahead;
use crate::sky::{Band, Layout, MosaicSimulator, Simulator};
use crate::{Error, Result, files};
use std::path::{Path, PathBuf};

/// Where on the sky the middle of a mosaic is, degrees: in the COSMOS field.
const MIDDLE: (f64, f64) = (150.1, 2.2);
/// Bands that may wait to be written.
const WAITING: usize = 2;

/// Where the galaxies are.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum LayoutName {
    /// Each on a cell of its own
    Grid,
    /// At random places
    Field,
}

impl LayoutName {
    fn word(self) -> &'static str {
        match self {
            LayoutName::Grid => "grid",
            LayoutName::Field => "field",
        }
    }
}

/// The files of a mosaic.
pub struct Outputs {
    layout: LayoutName,
    image: PathBuf,
    catalogue: PathBuf,
    rms: Option<PathBuf>,
}

impl Outputs {
    /// Refuses to replace anything but an earlier mosaic with its catalogue, and two files of one name.
    ///
    /// # Errors
    /// As [`MosaicWriter::check_output`]; [`Error::Usage`] for files of one name.
    pub fn checked(
        layout: LayoutName,
        image: &Path,
        catalogue: Option<&Path>,
        rms: Option<&Path>,
    ) -> Result<Self> {
        let catalogue = catalogue.map_or_else(|| beside(image), Path::to_owned);
        let outputs = Outputs { layout, image: image.to_owned(), catalogue, rms: rms.map(Path::to_owned) };
        let rms = outputs.rms.as_deref();
        if outputs.image == outputs.catalogue
            || rms.is_some_and(|rms| rms == image || rms == outputs.catalogue)
        {
            return Err(Error::Usage("the mosaic, its catalogue and its --rms need three names".into()));
        }
        for path in std::iter::once(image).chain(rms) {
            MosaicWriter::check_output(path)?;
        }
        let path = &outputs.catalogue;
        files::check_writable(path)?;
        if std::fs::metadata(path).is_ok_and(|m| m.len() > 0) && read_truth(path).is_err() {
            let message =
                "is there already and no table of truth: it is not replaced; name another with --catalog";
            return Err(Error::Catalogue { path: path.clone(), message: message.into() });
        }
        Ok(outputs)
    }

    /// Makes the mosaic, its catalogue and its map of the noise.
    ///
    /// # Errors
    /// As [`MosaicSimulator::new`] and [`MosaicWriter`].
    pub fn make(self, simulator: Simulator, meta: &DatasetMeta, number: u64, common: &Common) -> Result<()> {
        let layout = match self.layout {
            LayoutName::Grid => Layout::Grid,
            LayoutName::Field => Layout::Field,
        };
        let size = simulator.survey().stamp_size;
        let name = simulator.survey().name.clone();
        let mosaic = MosaicSimulator::new(simulator, number, layout)?;
        let side = mosaic.side();
        let middle = 0.5 * (side as f64 + 1.0);
        let wcs = Wcs::upright(MIDDLE, (middle, middle), meta.pixel_scale);
        let create = |path: &Path, word: &str| MosaicWriter::create(path, meta, &wcs, (side, side), word);
        let mut image = create(&self.image, self.layout.word())?;
        let mut rms = self.rms.as_deref().map(|path| create(path, "rms")).transpose()?;
        let truths = mosaic.truths();
        let bar = progress::bar(common, (side / size) as u64, "simulating", "bands");
        let mut bands = Ahead::start(WAITING, {
            let mut bands = mosaic.into_bands();
            move || bands.next()
        });
        while let Some(Band { pixels, rms: noise }) = bands.wait()? {
            image.append(&pixels)?;
            if let Some(rms) = &mut rms {
                rms.append(&noise)?;
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        image.finish()?;
        common.say(format!(
            "{}: {side}×{side} pixels, {number} galaxies of {name} ({})",
            self.image.display(),
            self.layout.word()
        ));
        if let (Some(rms), Some(path)) = (rms, &self.rms) {
            rms.finish()?;
            common.say(format!("{}: the noise of its pixels", path.display()));
        }
        write_truth(&self.catalogue, &truths, &wcs)?;
        common.say(format!("{}: its {number} galaxies", self.catalogue.display()));
        Ok(())
    }
}

/// The catalogue's usual name: that of the mosaic with `-truth` before its ending.
fn beside(image: &Path) -> PathBuf {
    let stem = image.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    image.with_file_name(format!("{stem}-truth.fits"))
}
