//! From stamps to parameters: trained networks, run in batches.

use super::checkpoint::is_checkpoint;
use super::{Correction, Parameter, Provenance, Scaling};
use crate::engine::Gpu;
use crate::engine::nn::{Model, weights};
use crate::files::{self, Checksum};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A trained network and which of its outputs measures something.
#[derive(Clone)]
pub struct Estimator {
    /// The network with its weights, shared by all that it measures.
    pub model: Rc<Model>,
    /// What it measures, and how it was made.
    pub provenance: Rc<Provenance>,
    /// What makes errors of its repeated answers; none in a file that was never calibrated.
    pub correction: Option<Rc<Correction>>,
    /// The file it came from.
    pub path: PathBuf,
    /// Of that file's bytes.
    pub checksum: Checksum,
    /// The number of its output.
    output: usize,
}

impl Estimator {
    /// Reads one weights file: an estimator for each output of its network.
    ///
    /// # Errors
    /// It is not there, is damaged, or is not a network that measures stamps.
    pub fn load(gpu: &Gpu, path: &Path) -> Result<Vec<Self>> {
        Self::from_bytes(gpu, path, &files::read(path)?)
    }

    /// As [`Estimator::load`], of a file that is in memory already and is called `path`.
    ///
    /// # Errors
    /// Those of [`Estimator::load`] but for reading.
    pub fn from_bytes(gpu: &Gpu, path: &Path, bytes: &[u8]) -> Result<Vec<Self>> {
        let (model, metadata) = weights::from_bytes(gpu, path, bytes)?;
        let provenance = Rc::new(Provenance::from_metadata(path, &metadata)?);
        let [height, width, channels] = model.network().input;
        if height != width || channels != 1 {
            let message = format!("takes images of {height}×{width}×{channels}, not square stamps");
            return Err(Error::weights(path, message));
        }
        let (found, outputs) = (model.network().output()?, provenance.targets.len());
        if found != [outputs] {
            let message = format!("gives {found:?} numbers a stamp, but names {outputs}");
            return Err(Error::weights(path, message));
        }
        let correction = Correction::from_metadata(path, &metadata)?.map(Rc::new);
        let model = Rc::new(model);
        let checksum = Checksum::of_bytes(bytes);
        let estimator = |output| Estimator {
            model: model.clone(),
            provenance: provenance.clone(),
            correction: correction.clone(),
            path: path.to_owned(),
            checksum: checksum.clone(),
            output,
        };
        Ok((0..outputs).map(estimator).collect())
    }

    /// Reads one weights file: an estimator for the first output of its network.
    ///
    /// # Errors
    /// Those of [`Estimator::load`], and a network that measures nothing.
    pub fn load_first(gpu: &Gpu, path: &Path) -> Result<Self> {
        let first = Self::load(gpu, path)?.into_iter().next();
        first.ok_or_else(|| Error::weights(path, "measures nothing"))
    }

    /// What it measures.
    pub fn parameter(&self) -> Parameter {
        self.provenance.targets[self.output].parameter
    }

    /// The range that it was trained on.
    pub fn scaling(&self) -> Scaling {
        self.provenance.targets[self.output].scaling
    }

    /// Pixels along a side of the stamps that it takes.
    pub fn stamp_size(&self) -> usize {
        self.model.network().input[0]
    }
}

impl Estimator {
    /// Its physical values among the outputs of its network, which has them stamp after stamp.
    pub(super) fn values(&self, outputs: &[f32]) -> Vec<f64> {
        let scaling = self.scaling();
        let own = outputs.iter().skip(self.output).step_by(self.provenance.targets.len());
        own.map(|&target| scaling.value(f64::from(target))).collect()
    }
}

/// The networks of a folder, one a parameter: every `*.safetensors` in it and every `*/weights.safetensors` below it
/// but for those of checkpoints. `path` may also name a single weights file, or a run's folder.
///
/// # Errors
/// There is none, two measure the same parameter, or they take stamps of different sizes, zero points or pixel
/// scales.
pub fn load_estimators(gpu: &Gpu, path: &Path) -> Result<BTreeMap<Parameter, Estimator>> {
    let files = if path.is_dir() { weights_files(path)? } else { vec![path.to_owned()] };
    let loaded = files.iter().map(|file| Estimator::load(gpu, file)).collect::<Result<Vec<_>>>()?;
    let found = by_parameter(loaded.into_iter().flatten())?;
    if found.is_empty() {
        return Err(Error::weights(path, "holds no weights (*.safetensors): train some with `legato train`"));
    }
    Ok(found)
}

/// Estimators that run together, each under what it measures.
///
/// # Errors
/// Two measure the same parameter, or they take stamps of different sizes, zero points or pixel scales.
pub(super) fn by_parameter(
    estimators: impl IntoIterator<Item = Estimator>,
) -> Result<BTreeMap<Parameter, Estimator>> {
    let mut found: BTreeMap<Parameter, Estimator> = BTreeMap::new();
    for estimator in estimators {
        let (parameter, file) = (estimator.parameter(), estimator.path.clone());
        if let Some(other) = found.values().find(|o| o.stamp_size() != estimator.stamp_size()) {
            let (size, theirs) = (estimator.stamp_size(), other.stamp_size());
            let message = format!("takes stamps of {size} pixels, {} of {theirs}", other.path.display());
            return Err(Error::weights(&file, message));
        }
        let calibration = |e: &Estimator| (e.provenance.zero_point, e.provenance.pixel_scale);
        if let Some(other) = found.values().find(|o| calibration(o) != calibration(&estimator)) {
            let ((zero_point, scale), (theirs, their_scale)) = (calibration(&estimator), calibration(other));
            let message = format!(
                "is for images of zero point {zero_point} and {scale}″ pixels, {} for {theirs} and {their_scale}″: \
                 use them one after the other",
                other.path.display()
            );
            return Err(Error::weights(&file, message));
        }
        if let Some(other) = found.insert(parameter, estimator) {
            let message = format!("measures {parameter}, as {} does: keep one of them", other.path.display());
            return Err(Error::weights(&file, message));
        }
    }
    Ok(found)
}

fn weights_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, "list", e))? {
        let path = entry.map_err(|e| Error::io(folder, "list", e))?.path();
        let below = path.join(super::WEIGHTS_FILE);
        if path.extension().is_some_and(|e| e == "safetensors") {
            files.push(path);
        } else if below.is_file() && !is_checkpoint(&path) {
            files.push(below);
        }
    }
    files.sort();
    Ok(files)
}
