//! Networks: described as data ([`network`]), with weights and a way forward ([`model`]), trained
//! a step at a time ([`optimiser`]) within the device's memory ([`budget`]), stored on disk ([`weights`]), and asked
//! again with neurons left out ([`thinned`]).

pub mod budget;
pub mod model;
pub mod network;
pub mod optimiser;
pub mod thinned;
pub mod weights;

pub use budget::Budget;
pub use model::{Mode, Model};
pub use network::{Layer, Network};
pub use optimiser::Adam;
pub use thinned::Thinned;
