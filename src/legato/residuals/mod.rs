//! What a measurement leaves of an image: the galaxy rendered with its measured shape, set beside its pixels.
//!
//! | file | idea |
//! |---|---|
//! | `modeller.rs` | from measured shapes to models and what they leave |
//! | `search.rs` | position angle and centre, by Gauss and Newton's steps |
//! | `start.rs` | where they begin: weighted moments |
//! | `mask.rs` | the light of others, left out |
//! | `linear.rs` | least squares of a few unknowns |
//! | `tests.rs` | of models of simulated galaxies |

mod linear;
mod mask;
mod modeller;
mod search;
mod start;
#[cfg(test)]
mod tests;

pub use modeller::{ModelFit, Modeller, Observed, PixelNoise, Shape};
