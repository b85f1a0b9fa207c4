//! Beginning with weights that were trained for something else: another survey, other parameters.

use super::{Estimator, Recipe, Task};
use crate::engine::Gpu;
use crate::engine::nn::{Layer, Model, Network, weights};
use crate::{Error, Result};
use std::path::Path;

/// A trained network, known by any of its outputs, made ready for a task. All layers but the last begin
/// with its weights. So do those outputs of the last one that measured what the task wants,
/// moved from its range of them to the task's, so that they begin with the same physical
/// values; others begin with random weights. Dropout and noise are the recipe's, where the network has them; those
/// that it lacks are not put in.
///
/// # Errors
/// It does not end in a dense layer.
pub fn transfer(gpu: &Gpu, trained: &Estimator, recipe: &Recipe, task: &Task) -> Result<Model> {
    let path = &trained.path;
    let network = adjusted(trained.model.network(), recipe, task.targets.len(), path)?;
    let mut arrays = weights::model_arrays(gpu, &trained.model)?;
    let shapes = network.parameters()?;
    let fresh = Model::random(gpu, &network, task.seed)?;
    let mut last = weights::model_arrays(gpu, &fresh)?;
    for shape in &shapes[shapes.len() - 2..] {
        let is_bias = shape.fan_in == 0;
        let (Some((_, new)), Some((_, old))) = (last.get_mut(&shape.name), arrays.remove(&shape.name)) else {
            continue;
        };
        let (columns, outputs) = (trained.provenance.targets.len(), task.targets.len());
        for (column, target) in task.targets.iter().enumerate() {
            let theirs = &trained.provenance.targets;
            let Some(from) = theirs.iter().position(|t| t.parameter == target.parameter) else { continue };
            // The task's target of a value is slope·t + offset, t being the trained network's.
            let offset_and_slope = [0.0, 1.0].map(|t| target.scaling.target(theirs[from].scaling.value(t)));
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

/// The same network with another number of outputs, and a recipe's dropout and noise.
fn adjusted(network: &Network, recipe: &Recipe, outputs: usize, path: &Path) -> Result<Network> {
    let mut network = network.clone();
    for layer in &mut network.layers {
        match layer {
            Layer::Dropout { probability } => *probability = recipe.dropout,
            Layer::GaussianNoise { sigma } => *sigma = recipe.noise,
            _ => (),
        }
    }
    network.layers.retain(|layer| !layer.does_nothing());
    match network.layers.last_mut() {
        Some(Layer::Dense { units, .. }) => *units = outputs,
        _ => return Err(Error::weights(path, "does not end in a dense layer, which could be exchanged")),
    }
    Ok(network)
}
