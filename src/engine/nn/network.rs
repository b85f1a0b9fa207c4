//! A network as data: a list of layers that can be printed as a table, read from TOML and stored
//! inside a weights file.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Layer {
    /// y = scale·asinh(gain·x): linear in faint pixels, logarithmic in bright ones.
    Stretch {
        /// Multiplies the input; its inverse is where the curve bends.
        gain: f32,
        /// Multiplies the output.
        scale: f32,
    },
    /// Adds normal noise of zero mean while training.
    GaussianNoise {
        /// Its standard deviation, in the units of the layer's input.
        sigma: f32,
    },
    /// Convolution with stride 1 and `same` border, square kernel, bias.
    Conv2d {
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Channels out.
        filters: usize,
        /// Whether a rectifier follows.
        relu: bool,
    },
    /// The largest of each 2×2 cell.
    MaxPool,
    /// Sets elements to 0 at random while training, and scales the rest up to the same mean.
    Dropout {
        /// The share that is dropped, in [0, 1).
        probability: f32,
    },
    /// An image as a vector.
    Flatten,
    /// Fully connected, with bias.
    Dense {
        /// Numbers out.
        units: usize,
        /// Whether a rectifier follows.
        relu: bool,
    },
}

/// A stack of layers and the shape of one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// What it is called.
    pub name: String,
    /// Height, width and channels of an input.
    pub input: [usize; 3],
    /// From input to output.
    pub layers: Vec<Layer>,
}

/// A parameter's name and shape, and how many inputs feed each output.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterShape {
    /// As in the weights file: `conv1.weight`, `dense3.bias` …
    pub name: String,
    /// Convolution weights are \[KH\]\[KW\]\[CI\]\[CO\], dense ones \[in\]\[out\].
    pub shape: Vec<usize>,
    /// Inputs of one output; 0 for a bias.
    pub fan_in: usize,
}

/// Elements that no tensor may exceed, so that products of a few of them cannot overflow.
const LARGEST: usize = 1 << 31;

fn fits(shape: &[usize]) -> bool {
    shape.iter().try_fold(1usize, |n, &k| n.checked_mul(k)).is_some_and(|n| n <= LARGEST)
}

/// What a layer makes of one input.
pub(in crate::engine) struct Outline {
    /// The shape that comes out, without the batch.
    pub(in crate::engine) output: Vec<usize>,
    pub(super) parameters: Vec<ParameterShape>,
    macs: u64,
}

impl Network {
    /// Reads a network from TOML; `origin` is the file's name, for messages.
    ///
    /// # Errors
    /// Text that does not parse, or layers that do not follow from one another.
    pub fn from_toml(text: &str, origin: &std::path::Path) -> Result<Self> {
        let network: Network = toml::from_str(text)
            .map_err(|e| Error::Config { path: origin.to_owned(), message: e.to_string() })?;
        network.check()?;
        Ok(network)
    }

    /// The network as TOML, as [`Network::from_toml`] reads it.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn to_toml(&self) -> Result<String> {
        self.check()?;
        let failed = |e: toml::ser::Error| Error::Network {
            network: self.name.clone(),
            layer: 0,
            message: e.to_string(),
        };
        toml::to_string(self).map_err(failed)
    }

    /// Refuses layers that do not follow from one another.
    ///
    /// # Errors
    /// Names the layer and the shape that reached it.
    pub fn check(&self) -> Result<()> {
        self.outlines().map(drop)
    }

    /// Every parameter, in the order of the layers, weights before biases.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn parameters(&self) -> Result<Vec<ParameterShape>> {
        Ok(self.outlines()?.into_iter().flat_map(|o| o.parameters).collect())
    }

    /// The number of weights and biases.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn parameter_count(&self) -> Result<usize> {
        Ok(self.parameters()?.iter().map(|p| p.shape.iter().product::<usize>()).sum())
    }

    /// Multiply-adds of one forward pass over one input.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn macs(&self) -> Result<u64> {
        Ok(self.outlines()?.iter().map(|o| o.macs).sum())
    }

    /// Floats of activation that one input leaves on its way forward.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn activations(&self) -> Result<usize> {
        Ok(self.outlines()?.iter().map(|o| o.output.iter().product::<usize>()).sum())
    }

    /// Whether layer `index`, from 0, is a convolution whose rectifier the pooling after it does, for less.
    pub(super) fn rectified_by_pool(&self, index: usize) -> bool {
        matches!(self.layers.get(index..index + 2), Some([Layer::Conv2d { relu: true, .. }, Layer::MaxPool]))
    }

    /// The standard deviation of the noise behind layer `index`, from 0, where that is a stretch: in training the two are one
    /// kernel.
    pub(super) fn noise_behind_stretch(&self, index: usize) -> Option<f32> {
        match self.layers.get(index..index + 2) {
            Some(&[Layer::Stretch { .. }, Layer::GaussianNoise { sigma }]) => Some(sigma),
            _ => None,
        }
    }

    /// The shape of what comes out for one input.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn output(&self) -> Result<Vec<usize>> {
        Ok(self.outlines()?.pop().map_or(self.input.to_vec(), |o| o.output))
    }

    pub(in crate::engine) fn outlines(&self) -> Result<Vec<Outline>> {
        let mut shape = self.input.to_vec();
        let (mut convolutions, mut denses) = (0, 0);
        let mut outlines = Vec::with_capacity(self.layers.len());
        if !fits(&shape) {
            let message = format!("an input of {} is too large for any device", sizes(&shape));
            return Err(Error::Network { network: self.name.clone(), layer: 1, message });
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let wrong =
                |message: String| Error::Network { network: self.name.clone(), layer: index + 1, message };
            let image = || match shape[..] {
                [h, w, c] if h * w * c > 0 => Ok([h, w, c]),
                _ => Err(wrong(format!("{layer} takes an image, but gets {}", sizes(&shape)))),
            };
            let same = |output: &[usize]| Outline { output: output.to_vec(), parameters: vec![], macs: 0 };
            let weighted =
                |name: String, weight: Vec<usize>, fan_in, output: Vec<usize>, positions: usize| {
                    let macs = weight.iter().fold(positions as u64, |macs, &n| macs.saturating_mul(n as u64));
                    let bias = vec![*weight.last().unwrap_or(&0)];
                    let parameters = vec![
                        ParameterShape { name: format!("{name}.weight"), shape: weight, fan_in },
                        ParameterShape { name: format!("{name}.bias"), shape: bias, fan_in: 0 },
                    ];
                    Outline { output, parameters, macs }
                };
            let outline = match *layer {
                Layer::Stretch { gain, scale } if gain > 0.0 && scale > 0.0 => same(&shape),
                Layer::GaussianNoise { sigma } if sigma >= 0.0 && sigma.is_finite() => same(&shape),
                Layer::Dropout { probability } if (0.0..1.0).contains(&probability) => same(&shape),
                Layer::Stretch { .. } => return Err(wrong("gain and scale must be positive".into())),
                Layer::GaussianNoise { .. } => return Err(wrong("sigma must be zero or more".into())),
                Layer::Dropout { .. } => return Err(wrong("the probability must be in [0, 1)".into())),
                Layer::Conv2d { kernel, filters, .. } => {
                    let [h, w, c] = image()?;
                    if kernel == 0 || filters == 0 {
                        return Err(wrong("kernel and filters must be at least 1".into()));
                    }
                    convolutions += 1;
                    let weight = vec![kernel, kernel, c, filters];
                    weighted(
                        format!("conv{convolutions}"),
                        weight,
                        kernel.saturating_mul(kernel).saturating_mul(c),
                        vec![h, w, filters],
                        h * w,
                    )
                }
                Layer::MaxPool => {
                    let [h, w, c] = image()?;
                    if h < 2 || w < 2 {
                        return Err(wrong(format!("cannot halve {}", sizes(&shape))));
                    }
                    same(&[h / 2, w / 2, c])
                }
                Layer::Flatten => same(&[shape.iter().product()]),
                Layer::Dense { units, .. } => {
                    let [inputs] = shape[..] else {
                        return Err(wrong(format!(
                            "a dense layer takes a vector, but gets {}: put a flatten layer before it",
                            sizes(&shape)
                        )));
                    };
                    if units == 0 {
                        return Err(wrong("units must be at least 1".into()));
                    }
                    denses += 1;
                    weighted(format!("dense{denses}"), vec![inputs, units], inputs, vec![units], 1)
                }
            };
            if !(fits(&outline.output) && outline.parameters.iter().all(|p| fits(&p.shape))) {
                return Err(wrong(format!("{layer} on {} is too large for any device", sizes(&shape))));
            }
            shape.clone_from(&outline.output);
            outlines.push(outline);
        }
        Ok(outlines)
    }

    /// The layers as a table: what each makes, its parameters, its multiply-adds.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn table(&self) -> Result<String> {
        let outlines = self.outlines()?;
        let mut lines = vec![
            format!("{}: input {}", self.name, sizes(&self.input)),
            format!("{:>3}  {:<28}{:>14}{:>12}{:>14}", "", "layer", "output", "parameters", "MACs"),
        ];
        let count =
            |o: &Outline| o.parameters.iter().map(|p| p.shape.iter().product::<usize>()).sum::<usize>();
        for (index, (layer, outline)) in self.layers.iter().zip(&outlines).enumerate() {
            let (number, output) = (index + 1, sizes(&outline.output));
            let (parameters, macs) = (grouped(count(outline) as u64), grouped(outline.macs));
            lines.push(format!(
                "{number:>3}  {:<28}{output:>14}{parameters:>12}{macs:>14}",
                layer.to_string()
            ));
        }
        let (parameters, macs) = (grouped(self.parameter_count()? as u64), grouped(self.macs()?));
        lines.push(format!("{:>3}  {:<28}{:>14}{parameters:>12}{macs:>14}", "", "total", ""));
        Ok(lines.join("\n"))
    }
}

impl Layer {
    /// Whether it leaves everything as it is, in training too.
    pub fn does_nothing(&self) -> bool {
        matches!(self, Layer::Dropout { probability: 0.0 } | Layer::GaussianNoise { sigma: 0.0 })
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rectified = |relu: &bool| if *relu { " + ReLU" } else { "" };
        match self {
            Layer::Stretch { gain, scale } => write!(f, "{scale:.3}·asinh({gain:.1}·x)"),
            Layer::GaussianNoise { sigma } => write!(f, "Gaussian noise {sigma}"),
            Layer::Conv2d { kernel, filters, relu } => {
                write!(f, "conv {kernel}×{kernel} ×{filters}{}", rectified(relu))
            }
            Layer::MaxPool => write!(f, "max-pool 2×2"),
            Layer::Dropout { probability } => write!(f, "dropout {probability}"),
            Layer::Flatten => write!(f, "flatten"),
            Layer::Dense { units, relu } => write!(f, "dense {units}{}", rectified(relu)),
        }
    }
}

/// 128×128×1.
fn sizes(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

/// 2,189,089.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|c| std::str::from_utf8(c).unwrap_or("")).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(layers: Vec<Layer>) -> Network {
        Network { name: "test".into(), input: [5, 6, 2], layers }
    }

    #[test]
    fn shapes_parameters_and_macs_follow_from_the_layers() {
        let network = network(vec![
            Layer::Conv2d { kernel: 3, filters: 4, relu: true },
            Layer::MaxPool,
            Layer::Flatten,
            Layer::Dense { units: 7, relu: false },
        ]);
        let shapes: Vec<_> =
            network.parameters().expect("a sound network").into_iter().map(|p| p.shape).collect();
        assert_eq!(shapes, [vec![3, 3, 2, 4], vec![4], vec![2 * 3 * 4, 7], vec![7]]);
        assert_eq!(network.parameter_count().expect("sound"), 72 + 4 + 168 + 7);
        assert_eq!(network.macs().expect("sound"), 72 * 30 + 168);
    }

    #[test]
    fn a_layer_that_cannot_follow_is_named() {
        let message = network(vec![Layer::MaxPool, Layer::Dense { units: 1, relu: false }])
            .check()
            .expect_err("an image into a dense layer")
            .to_string();
        assert_eq!(
            message,
            "network 'test', layer 2: a dense layer takes a vector, but gets 2×3×2: put a flatten layer before it"
        );
        assert!(network(vec![Layer::MaxPool; 3]).check().is_err());
        assert!(network(vec![Layer::Dropout { probability: 1.0 }]).check().is_err());
        assert!(network(vec![Layer::Flatten, Layer::MaxPool]).check().is_err());
    }

    #[test]
    fn a_network_survives_toml() {
        let network = network(vec![
            Layer::Stretch { gain: 100.0, scale: 0.5 },
            Layer::Conv2d { kernel: 2, filters: 3, relu: false },
        ]);
        let text = toml::to_string(&network).expect("serialises");
        assert_eq!(Network::from_toml(&text, "n.toml".as_ref()).expect("parses"), network);
        let wrong = text.replace("filters", "filtres");
        assert!(
            Network::from_toml(&wrong, "n.toml".as_ref())
                .expect_err("unknown key")
                .to_string()
                .contains("filtres")
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 2_189_089].map(grouped), ["0", "999", "1,000", "2,189,089"]);
    }
}
