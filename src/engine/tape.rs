//! Reverse-mode differentiation. Operations run as soon as they are called and leave a note of how
//! to go back; [`Tape::backward`] reads the notes in reverse.

use super::gpu::profile::{Pass, Place};
use super::ops::{arithmetic, relu};
use super::{Gpu, Tensor};
use crate::{Error, Result};
use std::cell::RefCell;
use std::rc::Rc;
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
    rectified: bool,
    home: Home,
}

/// Where the gradient of a value belongs: of most values nowhere in particular.
#[derive(Clone, Debug, Default)]
pub struct Home(Rc<RefCell<Option<Tensor>>>);

impl Home {
    /// The tensor to write the gradient to, of the given shape: the place that was reserved for it, for the first that asks,
    /// and else one of its own.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn tensor(&self, gpu: &Gpu, shape: &[usize]) -> Result<Tensor> {
        let reserved = self.0.borrow_mut().take().filter(|tensor| tensor.shape() == shape);
        reserved.map_or_else(|| gpu.tensor(shape), Ok)
    }
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

    /// Whether its gradient has to be masked by its own sign: see [`Masks::of_output`].
    pub fn rectified(&self) -> bool {
        self.rectified
    }

    /// Where its gradient belongs, if it needs one.
    pub fn home(&self) -> Option<Home> {
        self.needs_gradient.then(|| self.home.clone())
    }
}

/// Who masks the gradient on the way back through a rectifier, that is, puts 0 where the rectifier's output is not positive.
/// Whoever makes the gradient can do it in passing, which spares a pass over memory; the tape does what nobody did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Masks {
    /// The output is a rectifier's, and the operation's `backward` takes for granted that its gradient is masked.
    pub of_output: bool,
    /// The first input is a rectifier's, and the operation's `backward` masks the gradient of it.
    pub of_input: bool,
}

struct Node {
    inputs: Vec<usize>,
    backward: Option<Backward>,
    /// The shape of the value, where a gradient of it is wanted.
    wanted: Option<Vec<usize>>,
    /// The value, where its gradient has to be masked by it.
    rectified: Option<Tensor>,
    /// Whether the gradient of its first input comes masked.
    masks_input: bool,
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
        self.node(value.clone(), true, vec![], None, Masks::default())
    }

    /// As [`Tape::parameter`], and the operation that makes the gradient writes it into a tensor of the same shape. Where
    /// several operations make a part of it each, [`Gradients::of`] is their sum, which lies elsewhere.
    pub fn parameter_at(&self, value: &Tensor, gradient: &Tensor) -> Var {
        let home = Home(Rc::new(RefCell::new(Some(gradient.clone()))));
        Var { home, ..self.parameter(value) }
    }

    /// A value that is given: data.
    pub fn constant(&self, value: &Tensor) -> Var {
        self.node(value.clone(), false, vec![], None, Masks::default())
    }

    /// The output of an operation on `inputs`. `backward` maps the gradient of `value` to those of
    /// the inputs; it is dropped, with all it holds, where no input needs a gradient.
    pub fn push(
        &self,
        value: Tensor,
        inputs: &[&Var],
        backward: impl FnOnce(&Tensor) -> Result<Vec<Option<Tensor>>> + 'static,
    ) -> Var {
        self.push_with(Masks::default(), value, inputs, backward)
    }

    /// As [`Tape::push`], for an operation that ends in a rectifier or masks for the one before it.
    pub fn push_with(
        &self,
        masks: Masks,
        value: Tensor,
        inputs: &[&Var],
        backward: impl FnOnce(&Tensor) -> Result<Vec<Option<Tensor>>> + 'static,
    ) -> Var {
        let needs_gradient = inputs.iter().any(|v| v.needs_gradient);
        let backward: Option<Backward> = if needs_gradient { Some(Box::new(backward)) } else { None };
        self.node(value, needs_gradient, inputs.iter().map(|v| v.id).collect(), backward, masks)
    }

    fn node(
        &self,
        value: Tensor,
        needs_gradient: bool,
        inputs: Vec<usize>,
        backward: Option<Backward>,
        masks: Masks,
    ) -> Var {
        let mut nodes = self.nodes.borrow_mut();
        let wanted = needs_gradient.then(|| value.shape().to_vec());
        let rectified = (needs_gradient && masks.of_output).then(|| value.clone());
        let (layer, masks_input) = (self.gpu.place().layer, masks.of_input);
        nodes.push(Node { inputs, backward, wanted, rectified, masks_input, layer });
        let (id, rectified) = (nodes.len() - 1, masks.of_output);
        Var { value, id, tape: self.id, needs_gradient, rectified, home: Home::default() }
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
        // Whether all that has come to a gradient came masked.
        let mut masked = vec![true; nodes.len()];
        gradients[loss.id] = Some(self.gpu.one()?.reshaped(loss.shape()));
        masked[loss.id] = false;
        while let Some(Node { inputs, backward, layer, rectified, masks_input, .. }) = nodes.pop() {
            let Some(backward) = backward else { continue };
            let Some(mut gradient) = gradients[nodes.len()].take() else { continue };
            self.gpu.set_place(Place { pass: Pass::Backward, layer });
            if let Some(y) = rectified.filter(|_| !masked[nodes.len()]) {
                gradient = relu::mask(&self.gpu, &gradient, &y)?;
            }
            for (i, (input, new)) in inputs.into_iter().zip(backward(&gradient)?).enumerate() {
                let (Some(new), Some(shape)) = (new, &nodes[input].wanted) else { continue };
                if new.shape() != shape {
                    let message = format!("a gradient of shape {:?} for a value of {shape:?}", new.shape());
                    return Err(Error::shape("backward", message));
                }
                masked[input] &= masks_input && i == 0;
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
    use super::super::ops::draw::Draw;
    use super::super::ops::{check, dense, dropout, reduce};
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
    fn a_gradient_that_is_masked_in_part_is_masked_as_a_whole() {
        check::on_every_gpu(|gpu| {
            let (x, p, draw) = (check::random(&[300], 1, 1.0), 0.4, Draw { seed: 1, layer: 2, step: 3 });
            let tape = Tape::new(gpu);
            let v = tape.parameter(&gpu.upload(&[300], &x)?);
            let y = relu::relu(&tape, &v)?;
            // Of the two that read y, dropout masks the gradient, and the addition does not.
            let dropped = dropout::dropout(&tape, &y, p, draw)?;
            assert!(y.rectified() && dropped.rectified() && !v.rectified());
            let loss = reduce::sum(&tape, &arithmetic::add(&tape, &dropped, &y)?)?;
            let found = gpu.read(tape.backward(&loss)?.of(&v).expect("the loss depends on x"))?;
            let kept = dropout::dropout_reference(&[1.0; 300], p, draw);
            let expected = x.iter().zip(kept).map(|(&x, kept)| if x > 0.0 { 1.0 + kept } else { 0.0 });
            check::close("gradient", &found, expected);
            Ok(())
        });
    }

    #[test]
    fn a_gradient_is_written_where_it_belongs_unless_two_operations_make_a_part_of_it() {
        check::on_every_gpu(|gpu| {
            let (x, w) = (check::random(&[2, 3], 1, 1.0), check::random(&[3, 3], 2, 1.0));
            let [x, w, b] =
                [gpu.upload(&[2, 3], &x)?, gpu.upload(&[3, 3], &w)?, gpu.upload(&[3], &[0.1, 0.2, 0.3])?];
            let home = gpu.upload(&[3, 3], &[7.0; 9])?;
            // Once through the layer, or twice.
            let gradient = |times: usize, home: Option<&Tensor>| {
                let tape = Tape::new(gpu);
                let w = home.map_or_else(|| tape.parameter(&w), |home| tape.parameter_at(&w, home));
                let (x, b) = (tape.constant(&x), tape.constant(&b));
                let y = (0..times).try_fold(x, |x, _| dense::dense(&tape, &x, &w, &b))?;
                let loss = reduce::sum(&tape, &y)?;
                let gradients = tape.backward(&loss)?;
                Ok(gradients.of(&w).expect("the loss depends on w").clone())
            };
            let once = gradient(1, Some(&home))?;
            assert!(once.shares_memory(&home));
            assert_eq!(gpu.read(&home)?, gpu.read(&gradient(1, None)?)?);
            let twice = gradient(2, Some(&home))?;
            assert!(!twice.shares_memory(&home));
            assert_eq!(gpu.read(&twice)?, gpu.read(&gradient(2, None)?)?);
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
