//! From images to vectors: \[B, …\] → \[B, product of the rest\]. The memory stays where it is, on the
//! way back too.

use crate::engine::{Tape, Var};
use crate::{Error, Result};

/// The same values as one vector an image: \[B, …\] → \[B, product of the rest\].
///
/// # Errors
/// `x` has no axis at all.
pub fn flatten(tape: &Tape, x: &Var) -> Result<Var> {
    let shape = x.shape().to_vec();
    let Some((&batch, rest)) = shape.split_first() else {
        return Err(Error::shape("flatten", "the input has no axis, so no batch to keep"));
    };
    let y = x.value().reshaped(&[batch, rest.iter().product()]);
    Ok(tape.push(y, &[x], move |g| Ok(vec![Some(g.reshaped(&shape))])))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn the_order_stays_and_nothing_is_copied() {
        check::on_every_gpu(|gpu| {
            for (shape, flat) in [(vec![2, 3, 1, 5], [2, 15]), (vec![1, 1, 1, 1], [1, 1]), (vec![7], [7, 1])]
            {
                let tape = Tape::new(gpu);
                let values = check::random(&shape, 1, 1.0);
                let x = tape.constant(&gpu.upload(&shape, &values)?);
                let before = gpu.allocations();
                let y = flatten(&tape, &x)?;
                assert_eq!((y.shape(), gpu.allocations()), (&flat[..], before));
                assert_eq!(gpu.read(y.value())?, values);
            }
            Ok(())
        });
    }

    #[test]
    fn gradients_match_finite_differences() {
        check::gradients("flatten", &[&[3, 2, 5, 1]], 0.1, |tape, v| flatten(tape, &v[0]));
    }

    #[test]
    fn a_number_without_axes_is_an_error() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.constant(&gpu.upload(&[], &[1.0])?);
            let message = flatten(&tape, &x).expect_err("no axis").to_string();
            assert_eq!(message, "flatten: the input has no axis, so no batch to keep");
            Ok(())
        });
    }
}
