//! What a weights file says of itself: what it measures, on which images, and how it was made.

use super::calibration::{flux_factor, same_scale};
use super::{Stamps, Target};
use crate::engine::nn::weights::Metadata;
use crate::engine::ops::loss::Loss;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The metadata key that holds it.
const KEY: &str = "provenance";

/// The provenance of a trained network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// What each of the network's outputs measures, and the range that it was trained on.
    pub targets: Vec<Target>,
    /// The weights file that training began with, if there was one.
    #[serde(default)]
    pub from: Option<String>,
    /// The survey whose galaxies it saw.
    pub survey: String,
    /// AB zero point of the images it expects.
    #[serde(deserialize_with = "super::null_is_nan")]
    pub zero_point: f64,
    /// Pixel scale of the images it expects, arcsec.
    #[serde(deserialize_with = "super::null_is_nan")]
    pub pixel_scale: f64,
    /// Standard deviation of the sky noise it saw, in the image's unit; NaN where the data set did not say.
    #[serde(deserialize_with = "super::null_is_nan")]
    pub sigma: f64,
    /// The data set it was trained on.
    pub data: String,
    /// The run's seed.
    pub seed: u64,
    /// The epoch whose weights these are, from 1.
    pub epoch: usize,
    /// Stamps seen until then, repeats counted.
    pub images_seen: u64,
    /// What training made small.
    #[serde(default)]
    pub loss: Loss,
    /// The loss of the scaled targets on the validation set.
    #[serde(alias = "validation_mae", deserialize_with = "super::null_is_nan")]
    pub validation_loss: f64,
    /// R² of the physical values on the validation set, the mean of the outputs.
    #[serde(deserialize_with = "super::null_is_nan")]
    pub validation_r2: f64,
    /// The version of legato that trained it.
    pub version: String,
    /// The adapter that trained it.
    pub adapter: String,
}

impl Provenance {
    /// By what to multiply images of another zero point to bring them to the network's flux unit; `None` where one of
    /// the two is unknown.
    pub fn flux_factor(&self, zero_point: f64) -> Option<f64> {
        Some(flux_factor(zero_point, self.zero_point)).filter(|factor| factor.is_finite())
    }

    /// Refuses stamps of another flux unit or pixel scale than the network's, which `path` holds.
    ///
    /// # Errors
    /// [`Error::Weights`] with both.
    pub fn check_calibration(&self, path: &Path, stamps: &Stamps) -> Result<()> {
        let meta = &stamps.meta;
        if same_scale(meta.pixel_scale, self.pixel_scale) == Some(false)
            || (meta.zero_point - self.zero_point).abs() > 1e-6
        {
            let message = format!(
                "is for images of zero point {} and {}″ pixels, {} is of {} and {}″",
                self.zero_point, self.pixel_scale, stamps.origin, meta.zero_point, meta.pixel_scale
            );
            return Err(Error::weights(path, message));
        }
        Ok(())
    }

    /// As metadata of a weights file.
    ///
    /// # Errors
    /// Numbers that JSON cannot hold.
    pub fn metadata(&self, path: &Path) -> Result<Metadata> {
        let value = serde_json::to_value(self).map_err(|e| Error::weights(path, e.to_string()))?;
        Ok([(KEY.to_owned(), value)].into())
    }

    /// From the metadata of the weights file at `path`.
    ///
    /// # Errors
    /// The file was not made by training with legato, or by a version too different.
    pub fn from_metadata(path: &Path, metadata: &Metadata) -> Result<Self> {
        let value = metadata.get(KEY).ok_or_else(|| {
            Error::weights(path, "does not say what it measures: make it with `legato train`")
        })?;
        Provenance::deserialize(value)
            .map_err(|e| Error::weights(path, format!("has a provenance that cannot be read: {e}")))
    }
}
