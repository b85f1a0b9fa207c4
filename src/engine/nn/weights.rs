//! Weights on disk: safetensors, with the network itself and whatever else is worth knowing in the
//! file's metadata.

use super::{Model, Network};
use crate::engine::{Gpu, Tensor};
use crate::{Error, Result, files};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The metadata key under which a weights file keeps its network, as JSON.
const NETWORK_KEY: &str = "network";

/// What a weights file says of itself besides its tensors.
pub type Metadata = BTreeMap<String, String>;

/// Named arrays with shapes, as they are stored.
pub type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Writes arrays and metadata as safetensors.
///
/// # Errors
/// The file cannot be written.
pub fn write_arrays(path: &Path, arrays: &Arrays, metadata: &Metadata) -> Result<()> {
    let failed = |e: safetensors::SafeTensorError| Error::weights(path, format!("cannot be stored: {e}"));
    let views = arrays
        .iter()
        .map(|(name, (shape, values))| {
            let view =
                TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values)).map_err(failed)?;
            Ok((name, view))
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata: HashMap<String, String> = metadata.clone().into_iter().collect();
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(failed)?;
    files::replace(path, &bytes)
}

/// Reads arrays and metadata from safetensors.
///
/// # Errors
/// The file is not there, is damaged, or holds other numbers than f32.
pub fn read_arrays(path: &Path) -> Result<(Arrays, Metadata)> {
    let bytes = files::read(path)?;
    let damaged = |e: safetensors::SafeTensorError| {
        Error::weights(path, format!("is not a whole safetensors file ({e}); copy it again or train it anew"))
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let mut arrays = Arrays::new();
    for (name, view) in SafeTensors::deserialize(&bytes).map_err(damaged)?.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(Error::weights(
                path,
                format!("tensor {name} holds {:?}; only F32 can be read", view.dtype()),
            ));
        }
        // Copied number by number: the file's bytes need not be aligned.
        let values =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        arrays.insert(name, (view.shape().to_vec(), values));
    }
    Ok((arrays, metadata))
}

/// Reads tensors back from the device, under names of the caller's.
///
/// # Errors
/// The device fails.
pub fn download<'a>(gpu: &Gpu, tensors: impl IntoIterator<Item = (String, &'a Tensor)>) -> Result<Arrays> {
    tensors.into_iter().map(|(name, t)| Ok((name, (t.shape().to_vec(), gpu.read(t)?)))).collect()
}

/// A model's weights as arrays.
///
/// # Errors
/// The device fails.
pub fn model_arrays(gpu: &Gpu, model: &Model) -> Result<Arrays> {
    download(gpu, model.parameters().iter().map(|(shape, tensor)| (shape.name.clone(), tensor)))
}

/// Writes weights, given as arrays, with the network that they belong to.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, network: &Network, arrays: &Arrays, mut metadata: Metadata) -> Result<()> {
    let text = serde_json::to_string(network).map_err(|e| Error::weights(path, e.to_string()))?;
    metadata.insert(NETWORK_KEY.into(), text);
    write_arrays(path, arrays, &metadata)
}

/// Reads a model that [`save`] wrote, and the rest of its metadata.
///
/// # Errors
/// The file is not there, is damaged, is not one of ours, or its tensors are not those of its
/// network.
pub fn load(gpu: &Gpu, path: &Path) -> Result<(Model, Metadata)> {
    let (arrays, mut metadata) = read_arrays(path)?;
    let text = metadata.remove(NETWORK_KEY).ok_or_else(|| {
        Error::weights(path, "has no network in its metadata: it was not written by legato")
    })?;
    let network: Network = serde_json::from_str(&text).map_err(|e| {
        Error::weights(path, format!("describes a network that this version cannot read: {e}"))
    })?;
    let model = from_arrays(gpu, path, &network, arrays)?;
    Ok((model, metadata))
}

/// A model of `network` with the weights of `arrays`, which came from `path`.
///
/// # Errors
/// The arrays are not those of the network.
pub fn from_arrays(gpu: &Gpu, path: &Path, network: &Network, mut arrays: Arrays) -> Result<Model> {
    let mut values = Vec::new();
    for parameter in network.parameters()? {
        let found = arrays.remove(&parameter.name);
        match found {
            Some((shape, numbers)) if shape == parameter.shape => values.push(numbers),
            other => {
                let found = other.map_or("nothing".into(), |(shape, _)| format!("{shape:?}"));
                return Err(Error::weights(
                    path,
                    format!(
                        "holds weights of another network: {} needs {} of {:?}, the file has {found}",
                        network.name, parameter.name, parameter.shape
                    ),
                ));
            }
        }
    }
    if let Some(name) = arrays.keys().next() {
        let message = format!("holds weights of another network: {} has no parameter {name}", network.name);
        return Err(Error::weights(path, message));
    }
    Model::with_values(gpu, network, values)
}
