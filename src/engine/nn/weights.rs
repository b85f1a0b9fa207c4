//! Weights on disk: safetensors, with the network itself and whatever else is worth knowing in the
//! file's metadata.

use super::{Model, Network};
use crate::engine::{Gpu, Tensor};
use crate::{Error, Result, files};
use half::f16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The one entry of a safetensors file's metadata: a JSON object.
const METADATA_KEY: &str = "legato";
/// The key in it under which a weights file keeps its network.
const NETWORK_KEY: &str = "network";

/// What a weights file says of itself besides its tensors.
pub type Metadata = BTreeMap<String, serde_json::Value>;

/// Named arrays with shapes, as they are stored.
pub type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// How many bits of a number are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32: all that is computed with.
    #[default]
    Single,
    /// 16: half the size, three decimal digits. Numbers beyond ±65,504 cannot be stored.
    Half,
}

/// Writes arrays and metadata as safetensors.
///
/// # Errors
/// The file cannot be written.
pub fn write_arrays(path: &Path, arrays: &Arrays, metadata: &Metadata) -> Result<()> {
    write_arrays_in(Precision::Single, path, arrays, metadata)
}

/// As [`write_arrays`], in a precision.
///
/// # Errors
/// As [`write_arrays`]; a number that half precision does not hold.
pub fn write_arrays_in(
    precision: Precision,
    path: &Path,
    arrays: &Arrays,
    metadata: &Metadata,
) -> Result<()> {
    let failed = |e: safetensors::SafeTensorError| Error::weights(path, format!("cannot be stored: {e}"));
    let stored = arrays
        .iter()
        .map(|(name, (shape, values))| {
            let (kind, bytes) = match precision {
                Precision::Single => (Dtype::F32, Cow::Borrowed(bytemuck::cast_slice(values))),
                Precision::Half => (Dtype::F16, Cow::Owned(halves(path, name, values)?)),
            };
            Ok((name, kind, shape, bytes))
        })
        .collect::<Result<Vec<_>>>()?;
    let views = stored
        .iter()
        .map(|(name, kind, shape, bytes)| {
            Ok((name, TensorView::new(*kind, shape.to_vec(), bytes).map_err(failed)?))
        })
        .collect::<Result<Vec<_>>>()?;
    // One entry, since safetensors keeps several in no fixed order, and equal weights shall make equal files.
    let text = serde_json::to_string(metadata).map_err(|e| Error::weights(path, e.to_string()))?;
    let entry = HashMap::from([(METADATA_KEY.to_owned(), text)]);
    let bytes = safetensors::serialize(views, Some(entry)).map_err(failed)?;
    files::replace(path, &bytes)
}

/// Numbers in half precision, little-endian.
fn halves(path: &Path, name: &str, values: &[f32]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(2 * values.len());
    for value in values {
        let half = f16::from_f32(*value);
        if half.is_infinite() && value.is_finite() {
            return Err(Error::weights(
                path,
                format!("tensor {name} holds {value}, too large for half precision"),
            ));
        }
        bytes.extend(half.to_le_bytes());
    }
    Ok(bytes)
}

/// Reads arrays and metadata from safetensors, in single or half precision.
///
/// # Errors
/// The file is not there, is damaged, or holds other numbers than f32 and f16.
pub fn read_arrays(path: &Path) -> Result<(Arrays, Metadata)> {
    parse_arrays(path, &files::read(path)?)
}

/// The arrays and metadata of a safetensors file whose bytes came from `path`.
fn parse_arrays(path: &Path, bytes: &[u8]) -> Result<(Arrays, Metadata)> {
    let damaged = |e: safetensors::SafeTensorError| {
        Error::weights(path, format!("is not a whole safetensors file ({e}); copy it again or train it anew"))
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let text = header.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY));
    let metadata = text.map_or(Ok(Metadata::new()), |text| serde_json::from_str(text));
    let metadata =
        metadata.map_err(|e| Error::weights(path, format!("has metadata that cannot be read: {e}")))?;
    let mut arrays = Arrays::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(damaged)?.tensors() {
        // Number by number: the file's bytes need not be aligned.
        let bytes = view.data();
        let values = match view.dtype() {
            Dtype::F32 => {
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Dtype::F16 => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            other => {
                let message = format!("tensor {name} holds {other:?}; only F32 and F16 can be read");
                return Err(Error::weights(path, message));
            }
        };
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
    let description = serde_json::to_value(network).map_err(|e| Error::weights(path, e.to_string()))?;
    metadata.insert(NETWORK_KEY.into(), description);
    write_arrays(path, arrays, &metadata)
}

/// Reads a model that [`save`] wrote, and the rest of its metadata.
///
/// # Errors
/// The file is not there, is damaged, is not one of ours, or its tensors are not those of its
/// network.
pub fn load(gpu: &Gpu, path: &Path) -> Result<(Model, Metadata)> {
    from_bytes(gpu, path, &files::read(path)?)
}

/// As [`load`], of a file that is in memory already; `path` is what errors call it.
///
/// # Errors
/// Those of [`load`] but for reading.
pub fn from_bytes(gpu: &Gpu, path: &Path, bytes: &[u8]) -> Result<(Model, Metadata)> {
    let (arrays, mut metadata) = parse_arrays(path, bytes)?;
    let description = metadata.remove(NETWORK_KEY).ok_or_else(|| {
        Error::weights(path, "has no network in its metadata: it was not written by legato")
    })?;
    let network: Network = serde_json::from_value(description).map_err(|e| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::nn::Layer;
    use crate::engine::ops::check;

    fn network(units: usize) -> Network {
        let layers = vec![
            Layer::Conv2d { kernel: 3, filters: 2, relu: true },
            Layer::Flatten,
            Layer::Dense { units, relu: false },
        ];
        Network { name: format!("dense-{units}"), input: [5, 4, 1], layers }
    }

    /// Writes random weights of `network(3)` and returns their file.
    fn saved(gpu: &Gpu, folder: &Path) -> Result<std::path::PathBuf> {
        let (path, model) = (folder.join("w.safetensors"), Model::random(gpu, &network(3), 1)?);
        save(&path, model.network(), &model_arrays(gpu, &model)?, Metadata::new())?;
        Ok(path)
    }

    fn refusal<T>(result: Result<T>, path: &Path) -> String {
        let Err(error @ Error::Weights { .. }) = result else { panic!("no error of the weights file") };
        let message = error.to_string();
        assert!(message.starts_with(&format!("{}: ", path.display())), "{message}");
        message
    }

    #[test]
    fn weights_come_back_bit_for_bit_with_their_network_and_metadata() {
        let folder = tempfile::tempdir().expect("a folder");
        check::on_every_gpu(|gpu| {
            let network = network(3);
            let mut values: Vec<Vec<f32>> = network
                .parameters()?
                .iter()
                .enumerate()
                .map(|(number, parameter)| check::random(&parameter.shape, number as u32, 1.0))
                .collect();
            let awkward = [-0.0, f32::MIN_POSITIVE / 8.0, f32::MAX, f32::NEG_INFINITY, 1.0 / 3.0];
            values[0][..5].copy_from_slice(&awkward);
            let path = folder.path().join("w.safetensors");
            let model = Model::with_values(gpu, &network, values.clone())?;
            let metadata = Metadata::from([("made".to_owned(), "by a \"test\"".into())]);
            save(&path, &network, &model_arrays(gpu, &model)?, metadata.clone())?;
            let (again, found) = load(gpu, &path)?;
            assert_eq!((again.network(), found), (&network, metadata));
            for ((_, tensor), values) in again.parameters().iter().zip(&values) {
                let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&gpu.read(tensor)?), bits(values));
            }
            Ok(())
        });
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        check::on_every_gpu(|gpu| {
            let path = saved(gpu, folder.path())?;
            let whole = files::read(&path)?;
            let truncated = [0, 7, 8, 100, whole.len() - 1].map(|length| whole[..length].to_vec());
            let garbage = [vec![0xFF; 1000], b"no tensors here ".repeat(40), [&whole[..], b"more"].concat()];
            for bytes in truncated.into_iter().chain(garbage) {
                std::fs::write(&path, bytes).expect("a file");
                let message = refusal(load(gpu, &path), &path);
                assert!(message.contains("is not a whole safetensors file"), "{message}");
            }
            Ok(())
        });
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_that_names_it() {
        check::on_every_gpu(|gpu| {
            let message = load(gpu, Path::new("no/w.safetensors")).err().expect("no file").to_string();
            assert!(message.starts_with("no/w.safetensors: cannot read"), "{message}");
            Ok(())
        });
    }

    #[test]
    fn weights_of_another_network_are_an_error_with_the_parameter_and_its_shapes() {
        let folder = tempfile::tempdir().expect("a folder");
        check::on_every_gpu(|gpu| {
            let path = saved(gpu, folder.path())?;
            let (arrays, _) = read_arrays(&path)?;
            let message = refusal(from_arrays(gpu, &path, &network(4), arrays.clone()), &path);
            let expected = "another network: dense-4 needs dense1.weight of [40, 4], the file has [40, 3]";
            assert!(message.ends_with(expected), "{message}");

            let mut fewer = arrays.clone();
            fewer.remove("conv1.bias");
            let message = refusal(from_arrays(gpu, &path, &network(3), fewer), &path);
            assert!(message.ends_with("dense-3 needs conv1.bias of [2], the file has nothing"), "{message}");

            let mut more = arrays;
            more.insert("conv2.weight".into(), (vec![1], vec![0.0]));
            let message = refusal(from_arrays(gpu, &path, &network(3), more), &path);
            assert!(message.ends_with("dense-3 has no parameter conv2.weight"), "{message}");
            Ok(())
        });
    }

    #[test]
    fn a_file_of_another_program_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        check::on_every_gpu(|gpu| {
            let path = folder.path().join("w.safetensors");
            write_arrays(&path, &Arrays::from([("w".into(), (vec![1], vec![0.0]))]), &Metadata::new())?;
            let message = refusal(load(gpu, &path), &path);
            assert!(message.contains("it was not written by legato"), "{message}");
            let unknown = Metadata::from([(NETWORK_KEY.to_owned(), serde_json::json!({ "layers": 7 }))]);
            write_arrays(&path, &Arrays::new(), &unknown)?;
            let message = refusal(load(gpu, &path), &path);
            assert!(message.contains("a network that this version cannot read"), "{message}");
            Ok(())
        });
    }

    #[test]
    fn numbers_of_another_type_are_an_error_that_names_the_tensor() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("w.safetensors");
        let view = TensorView::new(Dtype::BF16, vec![2], &[0; 4]).expect("two numbers");
        let bytes = safetensors::serialize([("brain", view)], None).expect("serialises");
        std::fs::write(&path, bytes).expect("a file");
        let message = refusal(read_arrays(&path), &path);
        assert!(message.ends_with("tensor brain holds BF16; only F32 and F16 can be read"), "{message}");
    }

    #[test]
    fn half_precision_rounds_to_the_nearest_and_refuses_what_it_does_not_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("w.safetensors");
        let store = |values: Vec<f32>| {
            let arrays = Arrays::from([("w".into(), (vec![values.len()], values))]);
            write_arrays_in(Precision::Half, &path, &arrays, &Metadata::new())
        };
        // A third is 1365.33 of its binade's steps of 2⁻¹².
        store(vec![0.0, -1.5, 1.0 / 3.0, 65504.0, f32::INFINITY]).expect("it is stored");
        let (arrays, _) = read_arrays(&path).expect("it is read");
        assert_eq!(arrays["w"].1, [0.0, -1.5, 1365.0 / 4096.0, 65504.0, f32::INFINITY]);
        let message = refusal(store(vec![1.0, 7e4]), &path);
        assert!(message.contains("tensor w holds 70000, too large for half precision"), "{message}");
    }
}
