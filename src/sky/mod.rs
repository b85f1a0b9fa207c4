//! Galaxies as the sky makes them: profile, point spread function, noise, stamp. Plain f64 on the
//! CPU, parallel by stamp.
//!
//! | file | idea |
//! |---|---|
//! | `sersic.rs` | the profile, its b_n and its flux |
//! | `core.rs` | its light split into a cusp to transform and a rest to sample |
//! | `bessel.rs` | J₀, for that transform |
//! | `psf/` | effective point spread functions and their transfer functions |
//! | `fourier.rs` | the 2-D transforms of real images |
//! | `render.rs` | galaxy ⊗ PSF at the pixels' centres |
//! | `noise.rs` | sky and photon noise, correlated or not |
//! | `survey.rs` | a survey described in TOML |
//! | `simulate.rs` | (survey, seed, index) → stamp and truth |

mod averaged;
mod bessel;
mod core;
mod cubic;
mod fourier;
mod grid;
mod hankel;
mod noise;
mod psf;
mod render;
mod sersic;
mod simulate;
mod survey;

pub use averaged::PixelConvention;
pub use noise::Noise;
pub use psf::{Psf, PsfImage, Wfc3F160w};
pub use render::{Light, Renderer, Source};
pub use sersic::{AXIS_RATIO_LIMITS, INDEX_LIMITS, Sersic, b_n, flux_of, magnitude_of};
pub use simulate::{Simulator, Truth};
pub use survey::{Distribution, GalaxyRanges, NoiseCorrelation, PsfModel, Range, Survey};
