//! What a measurement leaves: blocks and the sheet of `legato fit`.

use super::super::Common;
use crate::fits::{BlockFolder, OutputBlock, Row, Value, read_psf};
use crate::legato::{ModelFit, Modeller, Object, Provenance};
use crate::report::{Triptych, TriptychSheet, check_picture};
use crate::{Error, Result, files};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(next_help_heading = "Residuals")]
pub struct ResidualArguments {
    /// Write data, model and residual of every galaxy into this folder, as GALFIT's output blocks
    #[arg(long, value_name = "DIR")]
    blocks: Option<PathBuf>,
    /// Draw data, model and residual of the first galaxies side by side into this PNG
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,
    /// Galaxies on the sheet
    #[arg(long, value_name = "N", requires = "sheet", default_value_t = TriptychSheet::GALAXIES,
        value_parser = super::super::at_least_one)]
    sheet_galaxies: usize,
    /// Effective PSF of the images (FITS), in place of that of the networks' survey
    #[arg(long, value_name = "PSF.fits")]
    psf: Option<PathBuf>,
    /// Pixel scale of the PSF, arcsec, in place of its header's
    #[arg(long, value_name = "ARCSEC", requires = "psf")]
    psf_pixel_scale: Option<f64>,
    /// Render what is measured beside the pixels, for PA, CHI2 and OOD; done anyway where the PSF of the networks'
    /// survey is known, or one of the above is given
    #[arg(long)]
    residuals: bool,
    /// Do not render it: no PA and CHI2, and OOD from the repeats alone
    #[arg(long, conflicts_with_all = ["residuals", "blocks", "sheet", "psf"])]
    no_residuals: bool,
}

impl ResidualArguments {
    /// Refuses what cannot be, before any work.
    ///
    /// # Errors
    /// As [`check_picture`] and [`files::make_folder`].
    pub fn check(&self) -> Result<()> {
        if let Some(sheet) = &self.sheet {
            check_picture(sheet)?;
        }
        self.blocks.as_deref().map_or(Ok(()), files::make_folder)
    }

    /// What makes models for these networks; none where none are wanted, or where their PSF is not known and none were
    /// asked for.
    ///
    /// # Errors
    /// As [`read_psf`] and [`Modeller::of_networks`].
    pub fn modeller(&self, networks: &Provenance, size: usize) -> Result<Option<Modeller>> {
        let asked = self.residuals || self.blocks.is_some() || self.sheet.is_some() || self.psf.is_some();
        if self.no_residuals || !(asked || Modeller::knows_psf(networks)) {
            return Ok(None);
        }
        let psf = self.psf.as_ref().map(|path| read_psf(path, self.psf_pixel_scale)).transpose()?;
        Modeller::of_networks(networks, size, psf.as_ref()).map(Some)
    }

    /// Where the models go, of a catalogue at `output`.
    ///
    /// # Errors
    /// As [`BlockFolder::new`].
    pub fn outputs(&self, modeller: Option<&Modeller>, size: usize, output: &Path) -> Result<Residuals> {
        let title = output.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Residuals {
            blocks: self.blocks.as_ref().map(BlockFolder::new).transpose()?,
            sheet: self
                .sheet
                .as_ref()
                .map(|path| (TriptychSheet::new(title.clone(), size, self.sheet_galaxies), path.clone())),
            psf: modeller.map_or_else(String::new, |modeller| modeller.psf().to_owned()),
            zero_point: modeller.map_or(f64::NAN, Modeller::zero_point),
            size,
            catalogue: title,
            trouble: None,
        })
    }
}

/// Where models go.
pub struct Residuals {
    blocks: Option<BlockFolder>,
    sheet: Option<(TriptychSheet, PathBuf)>,
    psf: String,
    zero_point: f64,
    /// Pixels along a side of a stamp.
    size: usize,
    catalogue: String,
    /// What first kept a model from its place.
    trouble: Option<Error>,
}

impl Residuals {
    /// Takes a galaxy's model. What goes wrong is told at the end, once the catalogue stands.
    pub fn take(&mut self, object: &Object, row: &Row, model: &ModelFit) {
        if self.trouble.is_none() {
            self.trouble = self.placed(object, row, model).err();
        }
    }

    fn placed(&mut self, object: &Object, row: &Row, model: &ModelFit) -> Result<()> {
        if let Some((sheet, _)) = self.sheet.as_mut().filter(|(sheet, _)| !sheet.is_full()) {
            sheet.add(triptych(object, row, model))?;
        }
        let Some(blocks) = &mut self.blocks else { return Ok(()) };
        let path = blocks.path(&row.id);
        self.block(object, row, model).write(path)
    }

    /// Writes the sheet, where there is a model to draw, and says so.
    ///
    /// # Errors
    /// A block that could not be written; as [`TriptychSheet::save`].
    pub fn finish(self, common: &Common) -> Result<()> {
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        let Some((sheet, path)) = self.sheet else { return Ok(()) };
        let path_shown = path.display();
        if sheet.is_empty() {
            common.say(format!(
                "{path_shown}: not drawn, since no galaxy has a model (all of RE_MAJ, N and Q must be measured)"
            ));
            return Ok(());
        }
        sheet.save(&path)?;
        common.say(format!("{path_shown}: data, model and residual of {}", sheet.len()));
        Ok(())
    }

    fn block<'a>(&'a self, object: &'a Object, row: &'a Row, model: &'a ModelFit) -> OutputBlock<'a> {
        let stamp = &object.stamp;
        let resampled = stamp.ratio != 1.0;
        // A resampled stamp is an image of its own.
        let corner = if resampled { (1, 1) } else { stamp.corner };
        let shift = |corner: i64| corner as f64 - 1.0;
        let half = |[low, high]: [f64; 2]| 0.5 * (low + high);
        let radius = |pixels: f64| pixels / stamp.ratio;
        OutputBlock {
            id: &row.id,
            width: self.size,
            data: &stamp.pixels,
            model: &model.model,
            image: &row.file,
            sigma: stamp.rms.as_ref().map(|_| "rms map"),
            psf: &self.psf,
            catalogue: &self.catalogue,
            corner,
            wcs: object
                .wcs
                .as_ref()
                .and_then(|wcs| wcs.of_part(stamp.centre, (stamp.x, stamp.y), stamp.ratio)),
            zero_point: self.zero_point,
            pixel_scale: object.pixel_scale * stamp.ratio,
            centre: [
                Value(model.x + shift(corner.0), model.x_err),
                Value(model.y + shift(corner.1), model.y_err),
            ],
            mag: Value(model.mag, 2.5 / std::f64::consts::LN_10 * model.flux_err / model.flux.abs()),
            re_maj: Value(radius(row.re_maj), radius(half(row.re_maj_err))),
            n: Value(row.n, half(row.n_err)),
            q: Value(row.q, half(row.q_err)),
            pa: Value(model.pa, model.pa_err),
            sky: Value(model.sky, model.sky_err),
            chi2: model.chi2,
            freedom: model.freedom,
            measured_mag: row.mag,
            flags: row.flags,
        }
    }
}

fn triptych(object: &Object, row: &Row, model: &ModelFit) -> Triptych {
    Triptych {
        id: row.id.clone(),
        mag: row.mag,
        re_maj: row.re_maj / object.stamp.ratio,
        n: row.n,
        q: row.q,
        pa: model.pa,
        centre: (model.x, model.y),
        chi2: model.chi2,
        flags: row.flags.to_string(),
        data: object.stamp.pixels.clone(),
        model: model.model.clone(),
        sigma: model.sigma.clone(),
        excluded: model.excluded.clone(),
        sky: model.sky,
    }
}
