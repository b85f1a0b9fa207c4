//! How far a measurement may be off: repeated measurement of the same stamp, corrected on simulations so that intervals
//! hold as many truths as they claim.
//!
//! | file | idea |
//! |---|---|
//! | `shift.rs` | moving a stamp by a part of a pixel |
//! | `repeats.rs` | copies of a stamp that show the same galaxy as well |
//! | `spread.rs` | how far the answers about one galaxy lie apart |
//! | `measure.rs` | from stamps to values with errors |
//! | `magnitudes.rs` | what changes smoothly with magnitude |
//! | `correction.rs` | from spreads to errors, as a weights file keeps it |
//! | `calibrate.rs` | finding that on simulations |
//! | `coverage.rs` | how many truths the intervals hold |
//! | `domain.rs` | whether a stamp is like those that the networks know |

mod calibrate;
mod correction;
mod coverage;
mod domain;
mod magnitudes;
mod measure;
mod repeats;
mod shift;
mod spread;

pub use calibrate::{Observation, calibrate, check_number, usual_residual};
pub use correction::Correction;
pub use coverage::{Coverage, CoverageByMagnitude, Interval};
pub use domain::{OUT_OF_DOMAIN, out_of_domain, residual_score};
pub use measure::{Estimate, RepeatOptions, Repeated, Repeater};
pub use spread::Spread;
