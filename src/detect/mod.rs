//! Finds sources on an image, as SExtractor does (Bertin & Arnouts 1996): sky, threshold, connected pixels, deblending,
//! cleaning, shapes and fluxes. Pure arrays; it knows nothing of files. `docs/src/detection.md` has the formulas.
//!
//! | file | idea |
//! |---|---|
//! | `settings.rs` | what a user chooses |
//! | `window.rs` | parts of an image, and who reads them |
//! | `background.rs` | the sky's level and noise on a mesh |
//! | `spline.rs` | the smooth surface through a mesh |
//! | `prepared.rs` | pixels without sky, smoothed, beside their noise |
//! | `components.rs` | pixels that hang together, row by row |
//! | `deblend.rs` | a composite taken apart |
//! | `isophote.rs` | position, shape and light of a set of pixels |
//! | `clean.rs` | detections that a neighbour's wings explain |
//! | `aperture.rs` | Kron flux, half-light radius, windowed position |
//! | `photometry.rs` | apertures on all sources, window by window |
//! | `source.rs` | a source, its flags, its pixels |
//! | `neighbours.rs` | who stands beside whom |
//! | `run.rs` | all of it in order, in bounded memory |

mod aperture;
mod background;
mod clean;
mod components;
mod deblend;
mod isophote;
mod neighbours;
mod photometry;
mod prepared;
mod run;
mod settings;
mod source;
mod spline;
#[cfg(test)]
mod tests;
mod window;

pub use background::Background;
pub use neighbours::{Neighbour, neighbours};
pub use run::{Detection, detect, detect_windows};
pub use settings::{Kernel, Settings};
pub use source::{Flags, Source};
pub use window::{Tile, Window};
