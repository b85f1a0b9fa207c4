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
    rectified: Option<f32>,
    home: Home,
}

/// Where the gradient of a value belongs: of most values nowhere in particular.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Home(Rc<RefCell<Option<Tensor>>>);

impl Home {
    /// The tensor to write the gradient to, of the value's shape: the place that was reserved for it, for the first that asks,
    /// and one of its own for every other.
    pub(in crate::engine) fn claim(&self, gpu: &Gpu, shape: &[usize]) -> Result<Tensor> {
        self.0.borrow_mut().take().map_or_else(|| gpu.tensor(shape), Ok)
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

    /// By what its gradient has to be multiplied after it is masked by its own sign, if that has to be: see
    /// [`Masks::of_output`].
    pub fn rectified(&self) -> Option<f32> {
        self.rectified
    }

    /// Where its gradient belongs, if it needs one.
    pub(in crate::engine) fn home(&self) -> Option<Home> {
        self.needs_gradient.then(|| self.home.clone())
    }
}

/// Who masks the gradient on the way back through a rectifier, that is, puts 0 where the rectifier's output is not positive.
/// Whoever makes the gradient can do it in passing, which spares a pass over memory; the tape does what nobody did.
///
/// What dropout makes of a rectifier's output is positive where that was and was kept, and 0 elsewhere: to go back through
/// both is to mask once and to multiply by what dropout multiplied by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Masks {
    /// The output is a rectifier's, times this number where dropout kept it, and the operation's `backward` takes for granted
    /// that its gradient is masked and multiplied by the number: 1 for the rectifier alone.
    pub of_output: Option<f32>,
    /// The first input is [rectified](Var::rectified), and the operation's `backward` masks and multiplies the gradient of it.
    pub of_input: bool,
}

struct Node {
    inputs: Vec<usize>,
    backward: Option<Backward>,
    /// The shape of the value, where a gradient of it is wanted.
    wanted: Option<Vec<usize>>,
    /// The value, where its gradient has to be masked by it, and what to multiply that by.
    rectified: Option<(Tensor, f32)>,
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

    /// As [`Tape::parameter`], for the weights or the bias of a convolution or a dense layer, which write the gradient into a
    /// tensor of the same shape that is given. Where several make a part of it, or another operation does, it lies elsewhere:
    /// [`Gradients::of`] has it in any case.
    pub(in crate::engine) fn parameter_at(&self, value: &Tensor, gradient: &Tensor) -> Var {
        debug_assert_eq!(value.shape(), gradient.shape());
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
        let rectified = masks.of_output.filter(|_| needs_gradient).map(|factor| (value.clone(), factor));
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
        // Whether what has come to a gradient so far is masked.
        let mut masked = vec![false; nodes.len()];
        gradients[loss.id] = Some(self.gpu.one()?.reshaped(loss.shape()));
        while let Some(Node { inputs, backward, layer, rectified, masks_input, .. }) = nodes.pop() {
            let Some(backward) = backward else { continue };
            let Some(mut gradient) = gradients[nodes.len()].take() else { continue };
            self.gpu.set_place(Place { pass: Pass::Backward, layer });
            if !masked[nodes.len()] {
                gradient = masked_by(&self.gpu, gradient, rectified.as_ref())?;
            }
            for (i, (input, new)) in inputs.into_iter().zip(backward(&gradient)?).enumerate() {
                let Node { wanted: Some(shape), rectified, .. } = &nodes[input] else { continue };
                let Some(mut new) = new else { continue };
                if new.shape() != shape {
                    let message = format!("a gradient of shape {:?} for a value of {shape:?}", new.shape());
                    return Err(Error::shape("backward", message));
                }
                let mut is_masked = masks_input && i == 0;
                if let Some(mut sum) = gradients[input].take() {
                    // Both masked, or neither.
                    match (masked[input], is_masked) {
                        (true, false) => new = masked_by(&self.gpu, new, rectified.as_ref())?,
                        (false, true) => sum = masked_by(&self.gpu, sum, rectified.as_ref())?,
                        _ => {}
                    }
                    is_masked |= masked[input];
                    new = arithmetic::add_tensors(&self.gpu, &sum, &new)?;
                }
                masked[input] = is_masked;
                gradients[input] = Some(new);
            }
        }
        self.gpu.set_place(Place::default());
        Ok(Gradients { tape: self.id, of: gradients })
    }
}

/// The gradient of a rectified value, masked and multiplied; of any other as it is.
fn masked_by(gpu: &Gpu, gradient: Tensor, rectified: Option<&(Tensor, f32)>) -> Result<Tensor> {
    match rectified {
        Some((y, factor)) => relu::mask(gpu, &gradient, y, *factor),
        None => Ok(gradient),
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
            let (x, p) = (check::random(&[300], 1, 1.0), 0.4);
            let draws = [2, 3].map(|layer| Draw { seed: 1, layer, step: 3 });
            let tape = Tape::new(gpu);
            let v = tape.parameter(&gpu.upload(&[300], &x)?);
            let y = relu::relu(&tape, &v)?;
            let once = dropout::dropout(&tape, &y, p, draws[0])?;
            let twice = dropout::dropout(&tape, &once, p, draws[1])?;
            let factor = 1.0 / (1.0 - p);
            let rectified = [&v, &y, &once, &twice].map(Var::rectified);
            assert_eq!(rectified, [None, Some(1.0), Some(factor), Some(factor / (1.0 - p))]);
            // Of those that read y and what dropout made of it, dropout masks the gradient, and the additions do not.
            let sum = arithmetic::add(&tape, &arithmetic::add(&tape, &twice, &once)?, &y)?;
            let loss = reduce::sum(&tape, &sum)?;
            let found = gpu.read(tape.backward(&loss)?.of(&v).expect("the loss depends on x"))?;
            let [first, second] = draws.map(|draw| dropout::dropout_reference(&[1.0; 300], p, draw));
            let kept = first.into_iter().zip(second).map(|(first, second)| 1.0 + first * (1.0 + second));
            let expected = x.iter().zip(kept).map(|(&x, kept)| if x > 0.0 { kept } else { 0.0 });
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
