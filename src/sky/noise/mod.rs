//! The noise of a stamp: that of the sky and the detector, and that of the source's own photons.
//!
//! | file | idea |
//! |---|---|
//! | `model.rs` | what noise a survey has, and adding it to a stamp |
//! | `normal.rs` | normal deviates from random words |
//! | `poisson.rs` | Poisson counts from random words |
//! | `autocorrelation.rs` | from an autocorrelation to the kernel that makes it of white noise |
//! | `filter.rs` | the convolution with that kernel |
//! | `blank.rs` | noise cut out of an image of blank sky |
//! | `tests.rs` | of the noise on whole stamps |

mod autocorrelation;
mod blank;
mod filter;
mod model;
mod normal;
mod poisson;
#[cfg(test)]
mod tests;

pub use blank::SkyImage;
pub use model::{Noise, NoiseModel};
