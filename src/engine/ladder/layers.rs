//! The layers of networks as work.

use super::Work;
use crate::Result;
use crate::engine::nn::{Layer, Network};
use crate::engine::ops::{conv2d, dense};

/// A layer's work, and its share of its network's multiply-adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerWork {
    /// The work.
    pub work: Work,
    /// Between 0 and 1; of several networks' the largest.
    pub share: f64,
}

/// Every different convolution and dense layer of some networks, for batches of so many inputs, in their order.
///
/// # Errors
/// Networks that make no sense.
pub fn layers(networks: &[Network], batch: usize) -> Result<Vec<LayerWork>> {
    let mut found: Vec<LayerWork> = Vec::new();
    for network in networks {
        let total = (network.macs()? * batch as u64).max(1) as f64;
        let mut shape = network.input.to_vec();
        for (layer, outline) in network.layers.iter().zip(network.outlines()?) {
            let work = match (layer, &shape[..]) {
                (&Layer::Conv2d { kernel, filters, .. }, &[height, width, channels]) => {
                    let image = [height, width, channels];
                    Some(Work::Conv2d(conv2d::Geometry::of_layer(batch, image, kernel, filters)))
                }
                (&Layer::Dense { units, .. }, &[inputs]) => {
                    Some(Work::Dense(dense::Geometry { batch, inputs, outputs: units }))
                }
                _ => None,
            };
            shape = outline.output;
            let Some(work) = work else { continue };
            let share = work.operations() / 2.0 / total;
            match found.iter_mut().find(|known| known.work == work) {
                Some(known) => known.share = known.share.max(share),
                None => found.push(LayerWork { work, share }),
            }
        }
    }
    Ok(found)
}

/// The one of a kind with the most operations.
pub fn heaviest_of(layers: &[LayerWork], kind: impl Fn(&Work) -> bool) -> Option<Work> {
    let of_kind = layers.iter().map(|layer| layer.work).filter(kind);
    of_kind.max_by(|a, b| a.operations().total_cmp(&b.operations()))
}

/// Those that hold at least a tenth of their network's work, and the heaviest of each kind that others are not like:
/// convolutions of one channel, and dense layers.
pub fn heaviest(layers: &[LayerWork]) -> Vec<Work> {
    const TENTH: f64 = 0.1;
    let one_channel = |work: &Work| matches!(work, Work::Conv2d(g) if g.in_channels == 1);
    let is_dense = |work: &Work| matches!(work, Work::Dense(_));
    let tops = [heaviest_of(layers, one_channel), heaviest_of(layers, is_dense)];
    layers.iter().filter(|l| l.share >= TENTH || tops.contains(&Some(l.work))).map(|l| l.work).collect()
}
