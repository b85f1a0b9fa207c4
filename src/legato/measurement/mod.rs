//! The main job: from images to a catalogue, of a few stamps or of a survey.
//!
//! | file | idea |
//! |---|---|
//! | `objects.rs` | where the galaxies to be measured come from |
//! | `preparation.rs` | images in the networks' unit and pixel scale |
//! | `stamp_files.rs` | files of images with a galaxy each |
//! | `catalogued.rs` | places from a catalogue of positions |
//! | `field.rs` | galaxies at given places of a mosaic |
//! | `measurer.rs` | from stamps to rows |
//! | `surroundings.rs` | what else is on a stamp |
//! | `run.rs` | part by part, and one catalogue at the end |
//! | `journal.rs` | the parts that are done, on disk |
//! | `shard.rs` | a share of the work |
//! | `merge.rs` | the shares' catalogues joined |

mod catalogued;
mod field;
mod journal;
mod measurer;
mod merge;
mod objects;
mod preparation;
mod run;
mod shard;
mod stamp_files;
mod surroundings;

pub use catalogued::Catalogued;
pub use field::{Field, Location, Locations};
pub use measurer::Measurer;
pub use merge::merge;
pub use objects::{Object, Objects};
pub use preparation::{FitOptions, Preparation};
pub use run::{PART, Progress, Summary, measure_all, measure_into};
pub use shard::Shard;
pub use stamp_files::{ImageFiles, StampFiles};
