//! Tensors side by side in one piece of memory, so that one dispatch reaches them all.
//!
//! ```text
//! │ weights of layer 1 │ 0 │ biases of layer 1 │ 0 0 │ weights of layer 2 │ 0 │ …
//! ↑                        ↑                         ↑
//! every tensor begins at a multiple of ALIGNMENT; what is left between two, and behind the last, is zeros
//! ```

use super::Gpu;
use super::tensor::{Tensor, filled};
use crate::Result;

/// Elements that the beginning of a tensor is a multiple of: 256 bytes, the most that a device may ask of what a kernel is
/// launched with (the limit `minStorageBufferOffsetAlignment` of WebGPU).
const ALIGNMENT: usize = 64;

/// Where tensors of so many elements lie.
struct Layout {
    /// For each tensor its piece of memory, and where it begins in that.
    places: Vec<[usize; 2]>,
    /// The elements of each piece.
    lengths: Vec<usize>,
}

/// One piece for all, if the device lets a kernel have so large a one: else as few as will do.
fn layout(gpu: &Gpu, counts: &[usize]) -> Layout {
    layout_within((gpu.largest_tensor() / 4) as usize, counts)
}

fn layout_within(most: usize, counts: &[usize]) -> Layout {
    let mut layout = Layout { places: Vec::with_capacity(counts.len()), lengths: Vec::new() };
    for &count in counts {
        let padded = count.next_multiple_of(ALIGNMENT);
        if layout.lengths.last().is_none_or(|&length| padded > most.saturating_sub(length)) {
            layout.lengths.push(0);
        }
        let piece = layout.lengths.len() - 1;
        layout.places.push([piece, layout.lengths[piece]]);
        layout.lengths[piece] += padded;
    }
    layout
}

/// The elements of each piece of memory that [`upload`] takes for tensors of so many.
pub(super) fn lengths(gpu: &Gpu, counts: &[usize]) -> Vec<usize> {
    layout(gpu, counts).lengths
}

/// Tensors side by side, from the shape and the values of each.
///
/// # Errors
/// Values that do not fill their shape, or no room for them.
pub(super) fn upload(gpu: &Gpu, tensors: &[(&[usize], &[f32])]) -> Result<Vec<Tensor>> {
    let counts: Vec<usize> = tensors.iter().map(|(_, values)| values.len()).collect();
    upload_as(layout(gpu, &counts), gpu, tensors)
}

/// The same of zeros.
pub(super) fn zeros<'a>(gpu: &Gpu, shapes: impl Iterator<Item = &'a [usize]>) -> Result<Vec<Tensor>> {
    let shapes: Vec<_> = shapes.collect();
    let counts: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
    let Layout { places, lengths } = layout(gpu, &counts);
    let pieces = lengths.into_iter().map(|length| gpu.upload(&[length], &vec![0.0; length]));
    Ok(parts(&pieces.collect::<Result<Vec<_>>>()?, shapes, places))
}

fn upload_as(layout: Layout, gpu: &Gpu, tensors: &[(&[usize], &[f32])]) -> Result<Vec<Tensor>> {
    let Layout { places, lengths } = layout;
    let mut contents: Vec<Vec<f32>> = lengths.iter().map(|&length| vec![0.0; length]).collect();
    for (&(shape, values), &[piece, start]) in tensors.iter().zip(&places) {
        filled(shape, values.len())?;
        contents[piece][start..start + values.len()].copy_from_slice(values);
    }
    let pieces = contents.iter().map(|values| gpu.upload(&[values.len()], values));
    Ok(parts(&pieces.collect::<Result<Vec<_>>>()?, tensors.iter().map(|&(shape, _)| shape), places))
}

fn parts<'a>(
    pieces: &[Tensor],
    shapes: impl IntoIterator<Item = &'a [usize]>,
    places: Vec<[usize; 2]>,
) -> Vec<Tensor> {
    shapes.into_iter().zip(places).map(|(shape, [piece, start])| pieces[piece].part(start, shape)).collect()
}

/// Tensors that go through a kernel together, `N` at a time, as flat ones: as few as there are stretches of memory in
/// which all `N` lie side by side. What is left between them comes along.
pub(super) fn joined<'a, const N: usize>(
    groups: impl IntoIterator<Item = [&'a Tensor; N]>,
) -> Vec<[Tensor; N]> {
    let mut stretches: Vec<[Tensor; N]> = Vec::new();
    for group in groups {
        let follows =
            |stretch: &&mut [Tensor; N]| stretch.iter().zip(group).all(|(so_far, t)| neighbours(so_far, t));
        match stretches.last_mut().filter(follows) {
            Some(stretch) => {
                *stretch = std::array::from_fn(|i| {
                    let end = group[i].start() + group[i].len().next_multiple_of(ALIGNMENT);
                    stretch[i].part(0, &[end - stretch[i].start()])
                });
            }
            None => stretches.push(group.map(|t| t.reshaped(&[t.len()]))),
        }
    }
    stretches
}

/// Whether the second begins where the first ends, but for the zeros between.
fn neighbours(first: &Tensor, second: &Tensor) -> bool {
    first.shares_memory(second) && second.start() == first.start() + first.len().next_multiple_of(ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use super::super::ops::check;
    use super::*;

    #[test]
    fn every_tensor_begins_at_a_multiple_and_a_full_piece_is_followed_by_another() {
        let Layout { places, lengths } = layout_within(256, &[1, 64, 65, 3, 192, 300]);
        assert_eq!(places, [[0, 0], [0, 64], [0, 128], [1, 0], [1, 64], [2, 0]]);
        // The last does not fit any piece, and the device will say so.
        assert_eq!(lengths, [256, 256, 320]);
        assert!(layout_within(256, &[]).lengths.is_empty());
    }

    #[test]
    fn what_lies_side_by_side_is_read_and_joined() {
        check::on_every_gpu(|gpu| {
            let values = [vec![1.0; 3], vec![2.0; 64], vec![3.0]];
            let shapes: [&[usize]; 3] = [&[3, 1], &[4, 16], &[1]];
            let parts: Vec<_> = shapes.into_iter().zip(values.iter().map(Vec::as_slice)).collect();
            let (a, b) = (upload(gpu, &parts)?, upload(gpu, &parts)?);
            for (tensor, (shape, values)) in a.iter().zip(&parts) {
                assert_eq!((tensor.shape(), &gpu.read(tensor)?[..]), (*shape, *values));
            }
            let both = || a.iter().zip(&b).map(<[&Tensor; 2]>::from);
            let all = joined(both());
            assert_eq!(all.len(), 1);
            let mut whole = vec![0.0; 192];
            whole[..3].fill(1.0);
            whole[64..128].fill(2.0);
            whole[128] = 3.0;
            for tensor in &all[0] {
                assert_eq!((tensor.shape(), gpu.read(tensor)?), (&[192][..], whole.clone()));
            }
            for (tensor, (shape, values)) in zeros(gpu, shapes.into_iter())?.iter().zip(&parts) {
                assert_eq!((tensor.shape(), gpu.read(tensor)?), (*shape, vec![0.0; values.len()]));
            }
            // Without the one in the middle, or with another in its place, nothing is side by side.
            let lengths =
                |stretches: Vec<[Tensor; 2]>| stretches.iter().map(|[t, _]| t.len()).collect::<Vec<_>>();
            assert_eq!(lengths(joined(both().step_by(2))), [3, 1]);
            let other = gpu.upload(&[4, 16], &values[1])?;
            assert_eq!(lengths(joined([[&a[0], &b[0]], [&a[1], &other], [&a[2], &b[2]]])), [3, 64, 1]);
            Ok(())
        });
    }

    #[test]
    fn what_does_not_fit_one_piece_is_in_two() {
        check::on_every_gpu(|gpu| {
            let values = [vec![1.0; 3], vec![2.0; 64], vec![3.0; 5]];
            let parts: Vec<_> = values.iter().map(|v| v.len()).collect();
            let shapes: Vec<_> = parts.iter().map(std::slice::from_ref).collect();
            let tensors: Vec<_> = shapes.into_iter().zip(values.iter().map(Vec::as_slice)).collect();
            let tensors = upload_as(layout_within(128, &parts), gpu, &tensors)?;
            for (tensor, values) in tensors.iter().zip(&values) {
                assert_eq!(&gpu.read(tensor)?, values);
            }
            let lengths: Vec<_> = joined(tensors.iter().map(|t| [t])).iter().map(|[t]| t.len()).collect();
            assert_eq!(lengths, [128, 5]);
            Ok(())
        });
    }

    #[test]
    fn values_that_do_not_fill_their_shape_are_an_error() {
        check::on_every_gpu(|gpu| {
            let message = upload(gpu, &[(&[1], &[1.0]), (&[2], &[1.0])]).expect_err("1 is not 2").to_string();
            assert_eq!(message, "upload: 1 values do not fill a tensor of shape [2]");
            Ok(())
        });
    }
}
