//! DeepLeGATo: networks that read a stamp of a galaxy and return its structural parameters.
//!
//! | file | idea |
//! |---|---|
//! | `parameter.rs` | what is estimated, and its scaling to [-1, 1] |
//! | `presets.rs` | the two architectures |
//! | `provenance.rs` | what a weights file says of itself |
//! | `calibration.rs` | when two images measure light alike |
//! | `stamps.rs` | a data set in memory |
//! | `labelled.rs` | real galaxies with labels |
//! | `fresh.rs` | galaxies drawn while the network learns |
//! | `supply.rs` | what a run learns from and is judged by |
//! | `ahead.rs` | work done ahead of its use |
//! | `recipe.rs` | how a network is trained |
//! | `task.rs` | and what for |
//! | `training.rs` | the training loop |
//! | `transfer.rs` | beginning with weights that were trained for something else |
//! | `checkpoint.rs` | stopping and going on |
//! | `statistics.rs` | R² and its company |
//! | `summary.rs` | all that is told of one method and parameter |
//! | `predict.rs` | from stamps to parameters |
//! | `residuals/` | measured galaxies rendered beside their pixels |
//! | `shipped.rs` | the networks in the box |
//! | `evaluate.rs` | predictions beside the truth |
//! | `estimates.rs` | several catalogues of the same galaxies beside the truth |
//! | `split.rs` | galaxies in groups: by magnitude, companions, signal-to-noise ratio |
//! | `uncertainty/` | how far a measurement may be off |
//! | `export.rs` | a trained network for others |
//! | `measurement/` | from FITS images to a catalogue |
//! | `events.rs` | a run's figures for TensorBoard |

mod ahead;
mod calibration;
mod checkpoint;
mod estimates;
mod evaluate;
pub mod events;
mod export;
mod fresh;
mod labelled;
mod measurement;
mod parameter;
mod predict;
mod presets;
mod provenance;
mod recipe;
mod residuals;
mod shipped;
mod split;
mod stamps;
mod statistics;
mod summary;
mod supply;
mod task;
mod training;
mod transfer;
mod uncertainty;

pub use ahead::Ahead;
pub use checkpoint::Epoch;
pub use estimates::{Comparison, Estimates};
pub use evaluate::{Evaluation, evaluate, observe};
pub use export::export;
pub use fresh::{Fresh, FreshPlan};
pub use labelled::{LabelOptions, LabelReport};
pub use measurement::{
    Catalogued, Field, FitOptions, ImageFiles, Location, Locations, Measurer, Object, Objects, PART,
    Preparation, Progress, Shard, StampFiles, Summary as Measured, measure_all, measure_into, merge,
};
pub use parameter::{Parameter, Scaling};
pub use predict::{Estimator, load_estimators};
pub use presets::{Architecture, Stretching};
pub use provenance::Provenance;
pub use recipe::{Dense, Recipe, Schedule, Stretch};
pub use residuals::{ModelFit, Modeller, Observed, PixelNoise, Shape};
pub use shipped::{Set, estimators_or_shipped, shipped_estimators, shipped_file};
pub use split::{Part, Split, expected_signal_to_noise};
pub use stamps::Stamps;
pub use statistics::{BoxSummary, Statistics, quantile};
pub use summary::Summary;
pub use supply::Supply;
pub use task::{Target, Task};
pub use training::{Event, Outcome, Training, WEIGHTS_FILE};
pub use transfer::transfer;
pub use uncertainty::{
    Correction, Coverage, CoverageByMagnitude, Estimate, Interval, OUT_OF_DOMAIN, Observation, RepeatOptions,
    Repeated, Repeater, Spread, calibrate, check_number, out_of_domain, residual_score, usual_residual,
};

/// A number that JSON may hold as `null`, its only way to write one that is not finite.
fn null_is_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number: Option<f64> = serde::Deserialize::deserialize(deserializer)?;
    Ok(number.unwrap_or(f64::NAN))
}
