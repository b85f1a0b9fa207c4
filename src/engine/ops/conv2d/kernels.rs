//! The convolution's kernels: which texts each is made of.

use super::super::words::{PLAIN, WORDS};
use crate::engine::gpu::Source;

macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!("../../../../shaders/", $name, ".wgsl"))
    };
}

macro_rules! kernel {
    ($name:literal $(, $part:expr)*) => {
        Source { name: $name, parts: &[$($part,)* shader!($name)], in_bounds: true }
    };
}
/// A kernel for two and for four output channels an invocation.
macro_rules! kernel_by_width {
    ($name:literal $(, $part:expr)*) => {
        [kernel!($name, BY_2, TILE $(, $part)*), kernel!($name, BY_4, TILE $(, $part)*)]
    };
}

/// Winograd's forward kernel for a way to load and store weights and outputs, one to load pixels, a place for weights, and one for
/// sums.
macro_rules! winograd {
    ($stored:expr, $pixels:tt, $weights:expr, $sums:tt) => {
        [
            winograd!($stored, $pixels, $weights, $sums, NO_PLACES),
            winograd!($stored, $pixels, $weights, $sums, PLACES),
        ]
    };
    ($stored:expr, [$($pixels:expr),+], $weights:expr, [$($sums:expr),+], $places:expr) => {
        kernel!(
            "conv2d_forward_7_winograd",
            BY_2,
            TILE,
            SHARED_ROWS,
            FORWARD_SHARED,
            WINOGRAD,
            OUTPUTS,
            $stored,
            $($pixels,)+
            $weights,
            $($sums,)+
            STORE,
            $places
        )
    };
}

/// Winograd's kernel of the weight gradient for words or none, a way to load pixels and gradients, and a place for sums.
macro_rules! winograd_weights {
    ($stored:expr, [$($parts:expr),+], [$($sums:expr),+]) => {
        kernel!(
            "conv2d_weight_gradient_7_winograd",
            BY_2,
            $stored,
            TILE,
            SHARED_ROWS,
            $($parts,)+
            WEIGHTS_SHARED,
            WINOGRAD
            $(, $sums)+
        )
    };
}

const BY_2: &str = shader!("conv2d_outputs_by_2");
const BY_4: &str = shader!("conv2d_outputs_by_4");
const TILE: &str = shader!("conv2d_tile");
const WINDOWS: &str = shader!("conv2d_windows");
const WINDOWS_LOADED: &str = shader!("conv2d_windows_loaded");
const STORE: &str = shader!("conv2d_forward_store");
const NO_PLACES: &str = shader!("conv2d_forward_no_places");
const PLACES: &str = shader!("conv2d_forward_places");
const SHARED_ROWS: &str = shader!("conv2d_shared_rows");
const FORWARD_SHARED: &str = shader!("conv2d_forward_shared_rows");
const WINOGRAD: &str = shader!("conv2d_winograd");
const OUTPUTS: &str = shader!("conv2d_winograd_outputs");
const SUMS: &str = shader!("conv2d_winograd_sums");
const SUMS_IN_MEMORY: &str = shader!("conv2d_winograd_sums_in_memory");
const IN_MEMORY: &str = shader!("conv2d_winograd_in_memory");
const PIXELS: &str = shader!("conv2d_winograd_pixels");
const PIXELS_WORDS: &str = shader!("conv2d_winograd_pixels_words");
const TEXTURE: &str = shader!("texture");
const IN_BUFFER: &str = shader!("conv2d_pixels_in_buffer");
const IN_TEXTURE: &str = shader!("conv2d_pixels_in_texture");
const GRADIENTS: &str = shader!("conv2d_gradients_in_buffer");
const GRADIENTS_IN_TEXTURE: &str = shader!("conv2d_gradients_in_texture");
const WEIGHTS: &str = shader!("conv2d_winograd_weights");
const WEIGHTS_LAID_OUT: &str = shader!("conv2d_winograd_weights_laid_out");
const WEIGHTS_SHARED: &str = shader!("conv2d_weight_gradient_shared_rows");
const WEIGHTS_PIXELS: &str = shader!("conv2d_weight_gradient_pixels");
const WEIGHTS_PIXELS_WORDS: &str = shader!("conv2d_weight_gradient_pixels_words");
const WEIGHTS_SUMS: &str = shader!("conv2d_weight_gradient_sums");
const WEIGHTS_SUMS_IN_MEMORY: &str = shader!("conv2d_weight_gradient_sums_in_memory");
const OUTER: &str = shader!("conv2d_outer_product");
const OF_CHANNELS: &str = shader!("conv2d_terms_of_channels");
const ONE_BY_ONE: &str = shader!("conv2d_terms_one_by_one");

/// A kernel for two and for four output channels an invocation.
pub(super) type ByWidth = [Source; 2];

/// A forward kernel that writes down where the largest of a pooled cell was, if it pools at all: no, and yes.
pub(super) type ByPlaces<T> = [T; 2];

pub(super) static FORWARD_NAIVE: Source = kernel!("conv2d_forward_1_naive");
pub(super) static FORWARD_VECTORS: Source =
    kernel!("conv2d_forward_2_vectors", BY_4, TILE, PLAIN, STORE, NO_PLACES);
pub(super) static FORWARD_REGISTERS: ByPlaces<ByWidth> = [
    kernel_by_width!("conv2d_forward_3_register_tile", PLAIN, STORE, NO_PLACES),
    kernel_by_width!("conv2d_forward_3_register_tile", PLAIN, STORE, PLACES),
];
pub(super) static FORWARD_REGISTERS_ONE: ByPlaces<ByWidth> = [
    kernel_by_width!("conv2d_forward_3_register_tile_one_channel", WINDOWS_LOADED, PLAIN, STORE, NO_PLACES),
    kernel_by_width!("conv2d_forward_3_register_tile_one_channel", WINDOWS_LOADED, PLAIN, STORE, PLACES),
];
/// For channels by fours, and for any number of them.
pub(super) static FORWARD_WORKGROUP: ByPlaces<[Source; 2]> = [
    [
        kernel!("conv2d_forward_4_workgroup_tile", BY_4, TILE, PLAIN, STORE, NO_PLACES, OF_CHANNELS),
        kernel!("conv2d_forward_4_workgroup_tile", BY_4, TILE, PLAIN, STORE, NO_PLACES, ONE_BY_ONE),
    ],
    [
        kernel!("conv2d_forward_4_workgroup_tile", BY_4, TILE, PLAIN, STORE, PLACES, OF_CHANNELS),
        kernel!("conv2d_forward_4_workgroup_tile", BY_4, TILE, PLAIN, STORE, PLACES, ONE_BY_ONE),
    ],
];
pub(super) static FORWARD_BROADCAST: ByPlaces<ByWidth> = [
    kernel_by_width!("conv2d_forward_5_broadcast", WINDOWS, PLAIN, STORE, NO_PLACES),
    kernel_by_width!("conv2d_forward_5_broadcast", WINDOWS, PLAIN, STORE, PLACES),
];
pub(super) static FORWARD_BROADCAST_ONE: ByPlaces<ByWidth> = [
    kernel_by_width!("conv2d_forward_5_broadcast_one_channel", WINDOWS, PLAIN, STORE, NO_PLACES),
    kernel_by_width!("conv2d_forward_5_broadcast_one_channel", WINDOWS, PLAIN, STORE, PLACES),
];
pub(super) static FORWARD_SHARED_ROWS: ByPlaces<Source> = [
    kernel!("conv2d_forward_6_shared_rows", BY_2, TILE, SHARED_ROWS, FORWARD_SHARED, PLAIN, STORE, NO_PLACES),
    kernel!("conv2d_forward_6_shared_rows", BY_2, TILE, SHARED_ROWS, FORWARD_SHARED, PLAIN, STORE, PLACES),
];
/// With numbers that are loaded and stored one by one; with words of two but for the pixels; with words alone; and the last two with
/// sums in memory.
pub(super) static FORWARD_WINOGRAD: [ByPlaces<Source>; 5] = [
    winograd!(PLAIN, [PIXELS], WEIGHTS, [SUMS]),
    winograd!(WORDS, [PIXELS], WEIGHTS, [SUMS]),
    winograd!(WORDS, [IN_BUFFER, PIXELS_WORDS], WEIGHTS, [SUMS]),
    winograd!(WORDS, [PIXELS], WEIGHTS, [SUMS_IN_MEMORY, IN_MEMORY]),
    winograd!(WORDS, [IN_BUFFER, PIXELS_WORDS], WEIGHTS, [SUMS_IN_MEMORY, IN_MEMORY]),
];
/// With weights laid out in a uniform buffer, and pixels in a texture.
pub(super) static FORWARD_WINOGRAD_LAID_OUT: ByPlaces<Source> =
    winograd!(WORDS, [TEXTURE, IN_TEXTURE, PIXELS_WORDS], WEIGHTS_LAID_OUT, [SUMS]);

pub(super) static WEIGHTS_NAIVE: Source = kernel!("conv2d_weight_gradient_1_naive");
pub(super) static WEIGHTS_VECTORS: Source = kernel!("conv2d_weight_gradient_2_vectors", BY_4, TILE, OUTER);
pub(super) static WEIGHTS_REGISTERS: ByWidth = kernel_by_width!("conv2d_weight_gradient_3_register_tile");
pub(super) static WEIGHTS_REGISTERS_ONE: ByWidth =
    kernel_by_width!("conv2d_weight_gradient_3_register_tile_one_channel", WINDOWS_LOADED);
pub(super) static WEIGHTS_WORKGROUP: [Source; 2] = [
    kernel!("conv2d_weight_gradient_4_workgroup_tile", BY_4, TILE, OUTER, OF_CHANNELS),
    kernel!("conv2d_weight_gradient_4_workgroup_tile", BY_4, TILE, OUTER, ONE_BY_ONE),
];
pub(super) static WEIGHTS_BROADCAST: ByWidth =
    kernel_by_width!("conv2d_weight_gradient_5_broadcast", WINDOWS);
pub(super) static WEIGHTS_BROADCAST_ONE: ByWidth =
    kernel_by_width!("conv2d_weight_gradient_5_broadcast_one_channel", WINDOWS);
pub(super) static WEIGHTS_SHARED_ROWS: Source =
    kernel!("conv2d_weight_gradient_6_shared_rows", BY_2, TILE, SHARED_ROWS, WEIGHTS_PIXELS, WEIGHTS_SHARED);
/// In the same forms as [`FORWARD_WINOGRAD`].
pub(super) static WEIGHTS_WINOGRAD: [Source; 5] = [
    winograd_weights!(PLAIN, [WEIGHTS_PIXELS, GRADIENTS], [WEIGHTS_SUMS]),
    winograd_weights!(WORDS, [WEIGHTS_PIXELS, GRADIENTS], [WEIGHTS_SUMS]),
    winograd_weights!(WORDS, [IN_BUFFER, WEIGHTS_PIXELS_WORDS, GRADIENTS], [WEIGHTS_SUMS]),
    winograd_weights!(WORDS, [WEIGHTS_PIXELS, GRADIENTS], [WEIGHTS_SUMS_IN_MEMORY, IN_MEMORY]),
    winograd_weights!(
        WORDS,
        [IN_BUFFER, WEIGHTS_PIXELS_WORDS, GRADIENTS],
        [WEIGHTS_SUMS_IN_MEMORY, IN_MEMORY]
    ),
];
/// With pixels and gradients in textures, both by two channels.
pub(super) static WEIGHTS_WINOGRAD_TEXTURES: Source = winograd_weights!(
    WORDS,
    [TEXTURE, IN_TEXTURE, WEIGHTS_PIXELS_WORDS, GRADIENTS_IN_TEXTURE],
    [WEIGHTS_SUMS]
);

pub(super) static FLIP: Source = kernel!("conv2d_flip");
pub(super) static LAY_OUT: Source = kernel!("conv2d_lay_out");

pub(in crate::engine::ops) const KERNELS: &[&Source] = &[
    &FORWARD_NAIVE,
    &FORWARD_VECTORS,
    &FORWARD_REGISTERS[0][0],
    &FORWARD_REGISTERS[0][1],
    &FORWARD_REGISTERS[1][0],
    &FORWARD_REGISTERS[1][1],
    &FORWARD_REGISTERS_ONE[0][0],
    &FORWARD_REGISTERS_ONE[0][1],
    &FORWARD_REGISTERS_ONE[1][0],
    &FORWARD_REGISTERS_ONE[1][1],
    &FORWARD_WORKGROUP[0][0],
    &FORWARD_WORKGROUP[0][1],
    &FORWARD_WORKGROUP[1][0],
    &FORWARD_WORKGROUP[1][1],
    &FORWARD_BROADCAST[0][0],
    &FORWARD_BROADCAST[0][1],
    &FORWARD_BROADCAST[1][0],
    &FORWARD_BROADCAST[1][1],
    &FORWARD_BROADCAST_ONE[0][0],
    &FORWARD_BROADCAST_ONE[0][1],
    &FORWARD_BROADCAST_ONE[1][0],
    &FORWARD_BROADCAST_ONE[1][1],
    &FORWARD_SHARED_ROWS[0],
    &FORWARD_SHARED_ROWS[1],
    &FORWARD_WINOGRAD[0][0],
    &FORWARD_WINOGRAD[0][1],
    &FORWARD_WINOGRAD[1][0],
    &FORWARD_WINOGRAD[1][1],
    &FORWARD_WINOGRAD[2][0],
    &FORWARD_WINOGRAD[2][1],
    &FORWARD_WINOGRAD[3][0],
    &FORWARD_WINOGRAD[3][1],
    &FORWARD_WINOGRAD[4][0],
    &FORWARD_WINOGRAD[4][1],
    &FORWARD_WINOGRAD_LAID_OUT[0],
    &FORWARD_WINOGRAD_LAID_OUT[1],
    &WEIGHTS_NAIVE,
    &WEIGHTS_VECTORS,
    &WEIGHTS_REGISTERS[0],
    &WEIGHTS_REGISTERS[1],
    &WEIGHTS_REGISTERS_ONE[0],
    &WEIGHTS_REGISTERS_ONE[1],
    &WEIGHTS_WORKGROUP[0],
    &WEIGHTS_WORKGROUP[1],
    &WEIGHTS_BROADCAST[0],
    &WEIGHTS_BROADCAST[1],
    &WEIGHTS_BROADCAST_ONE[0],
    &WEIGHTS_BROADCAST_ONE[1],
    &WEIGHTS_SHARED_ROWS,
    &WEIGHTS_WINOGRAD[0],
    &WEIGHTS_WINOGRAD[1],
    &WEIGHTS_WINOGRAD[2],
    &WEIGHTS_WINOGRAD[3],
    &WEIGHTS_WINOGRAD[4],
    &WEIGHTS_WINOGRAD_TEXTURES,
    &FLIP,
    &LAY_OUT,
];
