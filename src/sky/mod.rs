//! Galaxies as the sky makes them: profile, point spread function, noise, stamp. Plain f64 on the
//! CPU, parallel by stamp.
//!
//! | file | idea |
//! |---|---|
//! | `sersic.rs` | the profile, its b_n and its flux |
//! | `core.rs` | its light split into a cusp to transform and a rest to sample |
//! | `hankel.rs`, `bessel.rs` | the transform of the one: a matrix of J₀ |
//! | `cubic.rs` | smooth functions, tabulated |
//! | `psf/` | effective point spread functions and their transfer functions |
//! | `fourier.rs` | the 2-D transforms of real images |
//! | `grid.rs` | the plane on which a stamp is convolved |
//! | `render.rs` | galaxies and stars ⊗ PSF at the pixels' centres |
//! | `averaged.rs` | GALFIT's convention: averages over pixels |
//! | `noise/` | sky and photon noise, correlated or not |
//! | `survey/` | a survey described in TOML |
//! | `parts.rs` | the contents of the files that a survey names |
//! | `draws.rs` | random numbers by stamp and purpose |
//! | `scene/` | what is on a stamp and around it |
//! | `simulate.rs` | (survey, seed, index) → stamp and truth |
//! | `mosaic/` | many of them on one image |
//! | `truth.rs` | what is on a stamp |

mod averaged;
mod bessel;
mod core;
mod cubic;
mod draws;
mod fourier;
mod grid;
mod hankel;
mod mosaic;
mod noise;
mod parts;
mod psf;
mod render;
mod scene;
mod sersic;
mod simulate;
mod survey;
mod truth;

pub use averaged::PixelConvention;
pub use mosaic::{Band, Bands, Layout, MosaicSimulator};
pub use noise::{Noise, NoiseModel, SkyImage};
pub use parts::{CatalogueGalaxy, SurveyParts};
pub use psf::{Psf, PsfImage, Wfc3F160w};
pub use render::{Light, Renderer, Source};
pub use sersic::{
    AXIS_RATIO_LIMITS, INDEX_LIMITS, MAGNITUDE_LIMITS, RADIUS_LIMITS, Sersic, b_n, flux_of, magnitude_of,
};
pub use simulate::Simulator;
pub use survey::{
    Asymmetry, Companions, Distribution, FluxRatios, GalaxyCatalogue, GalaxyRanges, Lopsided,
    NoiseCorrelation, PsfModel, RadiusLaw, RadiusUnit, Range, SecondComponent, Survey, SurveyNoise,
    SurveyPsf,
};
pub use truth::Truth;
