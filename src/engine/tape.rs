//! Reverse-mode differentiation. Operations run as soon as they are called and leave a note of how
//! to go back; [`Tape::backward`] reads the notes in reverse.

use super::gpu::profile::{Pass, Place};
use super::ops::arithmetic;
use super::{Gpu, Tensor};
use crate::{Error, Result};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// From the gradient of an operation's output to those of its inputs, in their order; `None` for an
/// input that needs none.
type Backward = Box<dyn FnOnce(&Tensor) -> Result<Vec<Option<Tensor>>>>;

/// A value on the tape.
#[derive(Clone, Debug)]
pub struct Var {
    value: Tensor,
    id: usize,
    tape: u64,
    needs_gradient: bool,
}

impl Var {
    /// The value itself.
    pub fn value(&self) -> &Tensor {
        &self.value
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }

    /// Whether anything upstream of it asked for a gradient.
    pub fn needs_gradient(&self) -> bool {
        self.needs_gradient
    }
}

struct Node {
    inputs: Vec<usize>,
    backward: Option<Backward>,
    /// The shape of the value, where a gradient of it is wanted.
    wanted: Option<Vec<usize>>,
    /// For the profile.
    layer: u32,
}

/// The operations of one forward pass, in the order in which they were made.
pub struct Tape {
    gpu: Gpu,
    /// Tells the variables of one tape from those of another.
    id: u64,
    nodes: RefCell<Vec<Node>>,
}

impl Tape {
    /// An empty tape.
    pub fn new(gpu: &Gpu) -> Self {
        static TAPES: AtomicU64 = AtomicU64::new(0);
        Tape { gpu: gpu.clone(), id: TAPES.fetch_add(1, Ordering::Relaxed), nodes: RefCell::default() }
    }

    /// The device that the tape's values live on.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// A value that gradients are wanted for: a weight.
    pub fn parameter(&self, value: &Tensor) -> Var {
        self.node(value.clone(), true, vec![], None)
    }

    /// A value that is given: data.
    pub fn constant(&self, value: &Tensor) -> Var {
        self.node(value.clone(), false, vec![], None)
    }

    /// The output of an operation on `inputs`. `backward` maps the gradient of `value` to those of
    /// the inputs; it is dropped, with all it holds, where no input needs a gradient.
    pub fn push(
        &self,
        value: Tensor,
        inputs: &[&Var],
        backward: impl FnOnce(&Tensor) -> Result<Vec<Option<Tensor>>> + 'static,
    ) -> Var {
        let needs_gradient = inputs.iter().any(|v| v.needs_gradient);
        let backward: Option<Backward> = if needs_gradient { Some(Box::new(backward)) } else { None };
        self.node(value, needs_gradient, inputs.iter().map(|v| v.id).collect(), backward)
    }

    fn node(
        &self,
        value: Tensor,
        needs_gradient: bool,
        inputs: Vec<usize>,
        backward: Option<Backward>,
    ) -> Var {
        let mut nodes = self.nodes.borrow_mut();
        let wanted = needs_gradient.then(|| value.shape().to_vec());
        nodes.push(Node { inputs, backward, wanted, layer: self.gpu.place().layer });
        Var { value, id: nodes.len() - 1, tape: self.id, needs_gradient }
    }

    /// The gradient of `loss`, a single number, with respect to every parameter. What the tape held
    /// for the way back is released on the way.
    ///
    /// # Errors
    /// `loss` is not a single number, or of another tape; an operation makes a gradient of the wrong
    /// shape; or a backward kernel cannot run.
    pub fn backward(self, loss: &Var) -> Result<Gradients> {
        if loss.value.len() != 1 {
            return Err(Error::shape(
                "backward",
                format!("the loss has shape {:?}, not one element", loss.shape()),
            ));
        }
        if loss.tape != self.id {
            return Err(Error::shape("backward", "the loss is a value of another tape"));
        }
        let mut nodes = self.nodes.into_inner();
        let mut gradients: Vec<Option<Tensor>> = vec![None; nodes.len()];
        gradients[loss.id] = Some(self.gpu.one()?.reshaped(loss.shape()));
        while let Some(Node { inputs, backward, layer, .. }) = nodes.pop() {
            let Some(backward) = backward else { continue };
            let Some(gradient) = gradients[nodes.len()].take() else { continue };
            self.gpu.set_place(Place { pass: Pass::Backward, layer });
            for (input, new) in inputs.into_iter().zip(backward(&gradient)?) {
                let (Some(new), Some(shape)) = (new, &nodes[input].wanted) else { continue };
                if new.shape() != shape {
                    let message = format!("a gradient of shape {:?} for a value of {shape:?}", new.shape());
                    return Err(Error::shape("backward", message));
                }
                gradients[input] = Some(match gradients[input].take() {
                    Some(sum) => arithmetic::add_tensors(&self.gpu, &sum, &new)?,
                    None => new,
                });
            }
        }
        self.gpu.set_place(Place::default());
        Ok(Gradients { tape: self.id, of: gradients })
    }
}

/// What [`Tape::backward`] found.
pub struct Gradients {
    tape: u64,
    of: Vec<Option<Tensor>>,
}

impl Gradients {
    /// The gradient of the loss with respect to a parameter; `None` if the loss does not depend on
    /// it.
    pub fn of(&self, parameter: &Var) -> Option<&Tensor> {
        self.of.get(parameter.id).filter(|_| parameter.tape == self.tape).and_then(Option::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ops::{check, reduce};
    use super::*;

    #[test]
    fn a_variable_used_twice_gathers_both_gradients() {
        check::on_every_gpu(|gpu| {
            let x = gpu.upload(&[3], &[1.0, -2.0, 3.0])?;
            let tape = Tape::new(gpu);
            let x = tape.parameter(&x);
            let y = arithmetic::add(&tape, &arithmetic::scale(&tape, &x, 2.0)?, &x)?;
            let z = arithmetic::multiply(&tape, &y, &x)?; // 3x², whose derivative is 6x
            let loss = reduce::sum(&tape, &z)?;
            let gradients = tape.backward(&loss)?;
            let dx = gpu.read(gradients.of(&x).expect("the loss depends on x"))?;
            assert_eq!(dx, [6.0, -12.0, 18.0]);
            Ok(())
        });
    }

    #[test]
    fn a_constant_gets_no_gradient() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.parameter(&gpu.upload(&[1], &[2.0])?);
            let c = tape.constant(&gpu.upload(&[1], &[5.0])?);
            let loss = arithmetic::multiply(&tape, &x, &c)?;
            let gradients = tape.backward(&loss)?;
            assert!(gradients.of(&c).is_none());
            assert_eq!(gpu.read(gradients.of(&x).expect("a parameter"))?, [5.0]);
            Ok(())
        });
    }

    #[test]
    fn a_loss_of_another_tape_is_an_error() {
        check::on_every_gpu(|gpu| {
            let (tape, other) = (Tape::new(gpu), Tape::new(gpu));
            let x = other.parameter(&gpu.upload(&[1], &[2.0])?);
            let message = tape.backward(&x).err().expect("another tape's").to_string();
            assert_eq!(message, "backward: the loss is a value of another tape");
            Ok(())
        });
    }

    #[test]
    fn a_loss_of_several_elements_is_an_error() {
        check::on_every_gpu(|gpu| {
            let tape = Tape::new(gpu);
            let x = tape.parameter(&gpu.upload(&[2], &[1.0, 2.0])?);
            let message = tape.backward(&x).err().expect("not a number").to_string();
            assert_eq!(message, "backward: the loss has shape [2], not one element");
            Ok(())
        });
    }
}
