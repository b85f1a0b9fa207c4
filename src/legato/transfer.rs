//! Beginning with weights that were trained for something else: another survey, other parameters.

use super::{Estimator, Task};
use crate::engine::Gpu;
use crate::engine::nn::{Layer, Model, Network, weights};
use crate::{Error, Result};
use std::path::Path;

/// The network of the weights file `path`, made ready for a task. All layers but the last begin
/// with the file's weights. So do those outputs of the last one that measured what the task wants,
/// moved from the file's range of it to the task's, so that they begin with the same physical
/// values; others begin with random weights.
///
/// # Errors
/// The file is not there, is damaged, or does not end in a dense layer.
pub fn transfer(gpu: &Gpu, path: &Path, task: &Task) -> Result<Model> {
    let trained = Estimator::load(gpu, path)?;
    let Some(first) = trained.first() else {
        return Err(Error::weights(path, "measures nothing"));
    };
    let network = with_outputs(first.model.network(), task.targets.len(), path)?;
    let mut arrays = weights::model_arrays(gpu, &first.model)?;
    let shapes = network.parameters()?;
    let fresh = Model::random(gpu, &network, task.seed)?;
    let mut last = weights::model_arrays(gpu, &fresh)?;
    for shape in &shapes[shapes.len() - 2..] {
        let is_bias = shape.fan_in == 0;
        let (Some((_, new)), Some((_, old))) = (last.get_mut(&shape.name), arrays.remove(&shape.name)) else {
            continue;
        };
        let (columns, outputs) = (first.provenance.targets.len(), task.targets.len());
        for (column, target) in task.targets.iter().enumerate() {
            let Some(from) = first.provenance.targets.iter().position(|t| t.parameter == target.parameter)
            else {
                continue;
            };
            // The task's target of a value is slope·t + offset, t being the file's.
            let offset_and_slope =
                [0.0, 1.0].map(|t| target.scaling.target(first.provenance.targets[from].scaling.value(t)));
            let [offset, slope] = [offset_and_slope[0], offset_and_slope[1] - offset_and_slope[0]];
            for (row, old) in old.chunks_exact(columns).enumerate() {
                let moved = slope * f64::from(old[from]) + if is_bias { offset } else { 0.0 };
                new[row * outputs + column] = moved as f32;
            }
        }
        if let Some(values) = last.remove(&shape.name) {
            arrays.insert(shape.name.clone(), values);
        }
    }
    weights::from_arrays(gpu, path, &network, arrays)
}

/// The same network with another number of outputs.
fn with_outputs(network: &Network, outputs: usize, path: &Path) -> Result<Network> {
    let mut network = network.clone();
    match network.layers.last_mut() {
        Some(Layer::Dense { units, .. }) => *units = outputs,
        _ => return Err(Error::weights(path, "does not end in a dense layer, which could be exchanged")),
    }
    Ok(network)
}
