//! A step in which nothing is computed. The ledger follows the pool's rules (sizes rounded up to classes, a buffer used
//! again once its tensor is gone), and each layer takes, keeps and lets go what its operation does.

use crate::engine::gpu::{Pass, pool::size_class, texture::bytes_for};
use crate::engine::nn::Network;
use crate::engine::nn::network::{Layer, Outline};
use crate::engine::ops::conv2d::{
    self, Geometry, pixels_in_texture, pools, weight_gradient_blocks, weight_gradient_textures,
    weights_in_slabs, words_of_places,
};
use crate::engine::ops::dense::forward_chunks;
use crate::engine::{Gpu, Masks};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// What the pool has and has had.
#[derive(Default)]
struct Ledger {
    free: HashMap<u64, usize>,
    taken: u64,
    /// See [`Rehearsal::largest`].
    largest: (u64, &'static str, usize),
}

/// A tensor's memory, free again once nobody keeps it.
pub(super) struct Held {
    class: u64,
    ledger: Rc<RefCell<Ledger>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.ledger.borrow_mut().free.entry(self.class).or_default() += 1;
    }
}

pub(super) type Piece = Rc<Held>;

/// The way back through an operation: from the gradient of its output to that of its input, where one is needed.
type Backward<'a> = Box<dyn FnOnce(&Piece) -> Option<Piece> + 'a>;

/// What an operation makes of its input, and leaves for the way back.
struct Made<'a> {
    y: Piece,
    backward: Backward<'a>,
    masks: Masks,
}

/// What an operation takes.
struct Input<'a> {
    x: &'a Piece,
    /// Without the batch.
    shape: &'a [usize],
    /// Whether anything before it has weights.
    needs_gradient: bool,
    /// Whether a rectifier made it.
    rectified: bool,
}

/// An operation on the tape.
struct Note<'a> {
    /// From 1.
    layer: usize,
    backward: Backward<'a>,
    /// The output of a rectifier, by which its gradient is masked.
    rectified: Option<Piece>,
    masks_input: bool,
    outputs: usize,
}

/// The step and its ledger.
pub(super) struct Rehearsal<'a> {
    gpu: &'a Gpu,
    batch: usize,
    ledger: Rc<RefCell<Ledger>>,
    /// The layer at work, from 1; 0 for none.
    layer: Cell<usize>,
}

impl<'g> Rehearsal<'g> {
    /// Of a batch between 1 and 2³², beyond which no device goes.
    pub(super) fn new(gpu: &'g Gpu, batch: usize) -> Self {
        const LARGEST: u64 = 1 << 32;
        let batch = (batch as u64).clamp(1, LARGEST) as usize;
        Rehearsal { gpu, batch, ledger: Rc::default(), layer: Cell::new(0) }
    }

    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// Bytes taken from the driver so far.
    pub(super) fn taken(&self) -> u64 {
        self.ledger.borrow().taken
    }

    /// Bytes of the largest tensor, what it is, and of which layer, from 1; 0 for none.
    pub(super) fn largest(&self) -> (u64, &'static str, usize) {
        self.ledger.borrow().largest
    }

    /// Memory for a tensor.
    pub(super) fn take(&self, what: &'static str, elements: usize) -> Piece {
        let bytes = (elements.max(1) as u64).saturating_mul(4);
        let class = size_class(bytes);
        let mut ledger = self.ledger.borrow_mut();
        if bytes > ledger.largest.0 {
            ledger.largest = (bytes, what, self.layer.get());
        }
        drop(ledger);
        self.claim(class, class)
    }

    /// One of a class that is free, or else so many bytes more.
    fn claim(&self, class: u64, bytes: u64) -> Piece {
        let mut ledger = self.ledger.borrow_mut();
        match ledger.free.get_mut(&class).filter(|free| **free > 0) {
            Some(free) => *free -= 1,
            None => ledger.taken += bytes,
        }
        Rc::new(Held { class, ledger: self.ledger.clone() })
    }

    /// Has so many numbers in a texture for a while; textures and buffers are never taken for each other.
    fn take_texture(&self, elements: usize) -> Option<Piece> {
        // No class of a buffer is odd.
        bytes_for(elements).map(|bytes| self.claim(bytes | 1, bytes))
    }

    /// Forward and, in training, back. Returns the bytes that were taken at the end of the way forward.
    pub(super) fn run(&self, network: &Network, outlines: &[Outline], training: bool) -> u64 {
        // What a device holds from the beginning.
        let _one = self.take("the number 1", 1);
        let mut shape = network.input.to_vec();
        let input = self.batch * shape.iter().product::<usize>();
        let mut x = self.take("the images", input);
        if training {
            let _placements = self.take("the placements", 5 * self.batch);
            x = self.take("the augmented images", input);
        }
        let answers = outlines.last().map_or(0, |last| last.output.iter().product::<usize>());
        let (_input, _targets) = (x.clone(), self.take("the targets", self.batch * answers));
        let mut notes: Vec<Note> = Vec::new();
        let (mut needs_gradient, mut rectified) = (false, false);
        // Whether the layer before did the work of this one, too.
        let mut done = false;
        for (index, (layer, outline)) in network.layers.iter().zip(outlines).enumerate() {
            self.layer.set(index + 1);
            if std::mem::take(&mut done) {
                shape.clone_from(&outline.output);
                continue;
            }
            let weighted = !outline.parameters.is_empty();
            let mut layer = layer.clone();
            if let Layer::Conv2d { relu, .. } = &mut layer {
                *relu &= !network.rectified_by_pool(index);
            }
            let pooled = network.rectified_by_pool(index) && self.pools(&layer, &shape);
            done = pooled || training && network.noise_behind_stretch(index).is_some();
            let written = if pooled { &outlines[index + 1] } else { outline };
            let input = Input { x: &x, shape: &shape, needs_gradient, rectified };
            let made = self.layer(&layer, input, written, pooled, training);
            rectified = made.masks.of_output.is_some();
            needs_gradient |= weighted && training;
            if needs_gradient {
                notes.push(Note {
                    layer: index + 1,
                    backward: made.backward,
                    rectified: rectified.then(|| made.y.clone()),
                    masks_input: made.masks.of_input,
                    outputs: self.batch * written.output.iter().product::<usize>(),
                });
            }
            x = made.y;
            shape.clone_from(&outline.output);
        }
        self.layer.set(0);
        let forward = self.taken();
        if training {
            // The loss, which keeps the answers for the way back.
            let outputs = self.batch * shape.iter().product::<usize>();
            let terms = self.take("the losses", outputs);
            let _loss = self.take("the loss", 1);
            self.sum_rows_in_place(outputs, 1);
            drop(terms);
            let mut gradient = Some(self.take("the gradient of the loss", outputs));
            drop(x);
            let mut masked = false;
            while let (Some(mut g), Some(note)) = (gradient.take(), notes.pop()) {
                self.layer.set(note.layer);
                if note.rectified.is_some() && !masked {
                    g = self.take("the masked gradient", note.outputs);
                }
                drop(note.rectified);
                gradient = (note.backward)(&g);
                masked = note.masks_input;
            }
        }
        forward
    }

    /// Whether a layer on images of \[height, width, channels\] pools what it makes.
    fn pools(&self, layer: &Layer, shape: &[usize]) -> bool {
        match (layer, shape) {
            (&Layer::Conv2d { kernel, filters, .. }, &[height, width, channels]) => {
                let image = [height, width, channels];
                pools(self.gpu, &Geometry::of_layer(self.batch, image, kernel, filters))
            }
            _ => false,
        }
    }

    /// One layer forward, which writes what `outline` has, and its way back with what it keeps for it. A convolution is
    /// `pooled` where it does the pooling that follows it.
    fn layer<'a>(
        &'a self,
        layer: &Layer,
        Input { x, shape, needs_gradient, rectified }: Input,
        outline: &Outline,
        pooled: bool,
        training: bool,
    ) -> Made<'a> {
        const OUTPUT: &str = "the output";
        const GRADIENT: &str = "the gradient of the input";
        let inputs = self.batch * shape.iter().product::<usize>();
        let outputs = self.batch * outline.output.iter().product::<usize>();
        let x = x.clone();
        let mut masks = Masks::default();
        let (y, backward): (Piece, Backward) = match *layer {
            Layer::GaussianNoise { .. } | Layer::Dropout { .. } if !training => {
                (x, Box::new(|g| Some(g.clone())))
            }
            Layer::Flatten => (x, Box::new(|g| Some(g.clone()))),
            Layer::GaussianNoise { .. } => (self.take(OUTPUT, outputs), Box::new(|g| Some(g.clone()))),
            Layer::Dropout { .. } => {
                // Whatever the factor.
                masks = Masks { of_output: rectified.then_some(1.0), of_input: rectified };
                let back =
                    move |g: &Piece| Some(if rectified { g.clone() } else { self.take(GRADIENT, inputs) });
                (self.take(OUTPUT, outputs), Box::new(back))
            }
            Layer::Stretch { .. } | Layer::MaxPool => {
                let back = move |_: &Piece| {
                    let _kept = x;
                    Some(self.take(GRADIENT, inputs))
                };
                (self.take(OUTPUT, outputs), Box::new(back))
            }
            Layer::Conv2d { kernel, filters, relu } => {
                let (height, width, in_channels) = (shape[0], shape[1], shape[2]);
                let image = [height, width, in_channels];
                let geometry = Geometry::of_layer(self.batch, image, kernel, filters);
                let by = conv2d::choice(self.gpu, Pass::InputGradient, &geometry);
                let of_input = needs_gradient && rectified && conv2d::masks(by);
                masks = Masks { of_output: (relu || pooled).then_some(1.0), of_input };
                let places = (pooled && training)
                    .then(|| self.take("the places", words_of_places(self.gpu, &geometry)));
                let y = self.take(OUTPUT, outputs);
                let slabs = |pass| weights_in_slabs(self.gpu, pass, &geometry);
                let in_texture = move |pass| {
                    let elements = pixels_in_texture(self.gpu, pass, &geometry);
                    elements.and_then(|elements| self.take_texture(elements))
                };
                let texture = in_texture(Pass::Forward);
                drop(slabs(Pass::Forward).map(|count| self.take("the weights laid out", count)));
                drop(texture);
                let turned = slabs(Pass::InputGradient).unwrap_or(kernel * kernel * in_channels * filters);
                let back = move |_: &Piece| {
                    let _kept = x;
                    let sums = self.batch * height * width;
                    let _spread = places.map(|_| self.take("the gradient of the sums", sums * filters));
                    let weights = kernel * kernel * in_channels * filters;
                    let blocks = weight_gradient_blocks(self.gpu, &geometry);
                    let partial = self.take("the partial gradients of the weights", blocks * weights);
                    let textures = weight_gradient_textures(self.gpu, &geometry)
                        .map(|sizes| sizes.map(|elements| self.take_texture(elements)));
                    drop(textures);
                    self.sum_rows_in_place(blocks, weights);
                    drop(partial);
                    self.sum_rows_in_place(if pooled { outputs / filters } else { sums }, filters);
                    needs_gradient.then(|| {
                        let dx = self.take(GRADIENT, inputs);
                        let _texture = in_texture(Pass::InputGradient);
                        self.take("the weights turned round", turned);
                        dx
                    })
                };
                (y, Box::new(back))
            }
            Layer::Dense { units, relu } => {
                let terms = shape[0];
                let chunks = forward_chunks(self.batch, units, terms);
                let partial = self.take("the partial sums", chunks.saturating_mul(outputs));
                let y = self.take(OUTPUT, outputs);
                drop(partial);
                masks.of_output = relu.then_some(1.0);
                let back = move |_: &Piece| {
                    let _kept = x;
                    let dx = needs_gradient.then(|| self.take(GRADIENT, inputs));
                    self.sum_rows_in_place(self.batch, units);
                    dx
                };
                (y, Box::new(back))
            }
        };
        Made { y, backward, masks }
    }

    /// As the operation: in two passes where there are many rows.
    fn sum_rows_in_place(&self, rows: usize, columns: usize) {
        let blocks = rows.div_ceil((rows as f64).sqrt().ceil() as usize);
        let _partial = (rows > 64).then(|| self.take("the partial sums", blocks * columns));
    }
}
