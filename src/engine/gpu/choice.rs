//! The ladder of kernels in words: rungs, tiles, and what a choice between them depends on.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An idea that a kernel adds to those of the rungs below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// One output an invocation; takes every shape.
    Naive,
    /// Numbers loaded and computed four at a time, which channels-last layouts allow.
    Vectors,
    /// A tile of outputs in the registers of an invocation, so that each load serves many of them.
    RegisterTile,
    /// A tile of inputs in workgroup memory, so that each load serves many invocations.
    WorkgroupTile,
    /// A register tile whose inputs a subgroup loads together and hands round by broadcasts.
    Broadcast,
    /// Broadcasts, with tiles so tall that a row of pixels, once loaded, serves every row of the kernel.
    SharedRows,
    /// Shared rows, with half the multiplications down the columns of the kernel, as Winograd found.
    Winograd,
}

impl Rung {
    /// From the simplest on.
    pub const ALL: [Rung; 7] = [
        Rung::Naive,
        Rung::Vectors,
        Rung::RegisterTile,
        Rung::WorkgroupTile,
        Rung::Broadcast,
        Rung::SharedRows,
        Rung::Winograd,
    ];

    /// As in tables and in files.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Naive => "naive",
            Rung::Vectors => "vectors",
            Rung::RegisterTile => "register-tile",
            Rung::WorkgroupTile => "workgroup-tile",
            Rung::Broadcast => "broadcast",
            Rung::SharedRows => "shared-rows",
            Rung::Winograd => "winograd",
        }
    }

    /// Whether a convolution's forward kernel of this rung can pool what it makes, or mask it: whether an invocation makes
    /// whole 2×2 cells.
    pub fn makes_cells(self) -> bool {
        !matches!(self, Rung::Naive | Rung::Vectors)
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a workgroup makes of a product of matrices; both sizes are multiples of eight, and an invocation makes 8×8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "[u32; 2]", into = "[u32; 2]")]
pub struct Tile {
    /// Rows of the product: pixels, weights or stamps.
    pub rows: u32,
    /// Columns of the product: output channels or outputs.
    pub columns: u32,
}

impl From<[u32; 2]> for Tile {
    fn from([rows, columns]: [u32; 2]) -> Self {
        Tile { rows, columns }
    }
}

impl From<Tile> for [u32; 2] {
    fn from(tile: Tile) -> Self {
        [tile.rows, tile.columns]
    }
}

impl Tile {
    /// Those that a search tries: of 64 invocations in every proportion, and larger ones.
    pub const ALL: [Tile; 8] = [
        Tile { rows: 64, columns: 64 },
        Tile { rows: 128, columns: 64 },
        Tile { rows: 64, columns: 128 },
        Tile { rows: 128, columns: 128 },
        Tile { rows: 128, columns: 32 },
        Tile { rows: 32, columns: 128 },
        Tile { rows: 256, columns: 16 },
        Tile { rows: 16, columns: 256 },
    ];

    /// One of 64 invocations that leaves little unused in a product of `rows` × `columns`.
    pub fn for_product(rows: usize, columns: usize) -> Self {
        let (rows, columns) = match (rows, columns) {
            (_, ..=16) => (256, 16),
            (_, ..=32) => (128, 32),
            (..=16, _) => (16, 256),
            (..=32, _) => (32, 128),
            _ => (64, 64),
        };
        Tile { rows, columns }
    }

    /// Whether a kernel can be built for it on any device: whole 8×8 blocks, at most 256 of them.
    pub fn is_sound(self) -> bool {
        let Tile { rows, columns } = self;
        rows > 0
            && columns > 0
            && rows.is_multiple_of(8)
            && columns.is_multiple_of(8)
            && rows.saturating_mul(columns) <= 64 * 256
    }

    /// How many of them cover a product of `rows` × `columns`.
    pub(in crate::engine) fn grid(self, rows: usize, columns: usize) -> [usize; 2] {
        [rows.div_ceil(self.rows as usize), columns.div_ceil(self.columns as usize)]
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.rows, self.columns)
    }
}

/// Which kernel runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// The idea.
    pub rung: Rung,
    /// The tile of [`Rung::WorkgroupTile`]; `None` for one that suits the shape. The other rungs' tiles follow from the
    /// shape and the subgroups.
    pub tile: Option<Tile>,
}

impl From<Rung> for Choice {
    fn from(rung: Rung) -> Self {
        Choice { rung, tile: None }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tile {
            Some(tile) => write!(f, "{} {tile}", self.rung),
            None => write!(f, "{}", self.rung),
        }
    }
}

/// The way forward, and the two ways back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// Outputs from inputs.
    Forward,
    /// The gradient of the input.
    InputGradient,
    /// The gradient of the weights.
    WeightGradient,
}

impl Pass {
    /// All three.
    pub const ALL: [Pass; 3] = [Pass::Forward, Pass::InputGradient, Pass::WeightGradient];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Pass::Forward => "forward",
            Pass::InputGradient => "input gradient",
            Pass::WeightGradient => "weight gradient",
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a layer's kernels depend on, but for the number of `rows` that the same kernel repeats over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "kebab-case")]
pub enum Weights {
    /// A convolution's \[KH\]\[KW\]\[CI\]\[CO\]; a row is a pixel of the batch.
    Conv2d {
        /// Rows and columns of the kernel.
        kernel: [usize; 2],
        /// Channels in and out.
        channels: [usize; 2],
    },
    /// A dense layer's \[I\]\[O\]; a row is an example of the batch.
    Dense {
        /// Inputs.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weights::Conv2d { kernel: [rows, columns], channels: [from, to] } => {
                write!(f, "conv {rows}×{columns} {from}→{to}")
            }
            Weights::Dense { inputs, outputs } => write!(f, "dense {inputs}→{outputs}"),
        }
    }
}
