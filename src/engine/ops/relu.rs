use crate::engine::gpu::{Source, device::linear_grid};
use crate::engine::{Gpu, Tensor};
static MASK: Source =
    Source { name: "relu_mask", parts: &[include_str!("../../../shaders/relu_mask.wgsl")], in_bounds: true };
pub(crate) fn mask(gpu: &Gpu, g: &Tensor, y: &Tensor) -> crate::Result<Tensor> {
    let z = gpu.tensor(g.shape())?;
    gpu.launch(&MASK, &[], &[g, y, &z], &[], linear_grid(z.len(), 256))?;
    Ok(z)
}
