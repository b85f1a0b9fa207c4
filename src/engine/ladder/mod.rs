//! How fast the rungs are on a device, and which is best there.
//!
//! | file | idea |
//! |---|---|
//! | `work.rs` | a pass of a layer: its operations and bytes, its tensors, its run on any rung |
//! | `layers.rs` | the layers of networks |
//! | `stopwatch.rs` | seconds a launch |
//! | `peak.rs` | how fast the device computes and copies at best |
//! | `search.rs` | the fastest rung and tile for each pass of a layer |

mod layers;
mod peak;
mod search;
mod stopwatch;
mod work;

pub use layers::{LayerWork, heaviest, heaviest_of, layers};
pub use peak::{Peak, peak};
pub use search::fastest;
pub use stopwatch::{enough_launches, median, seconds};
pub use work::{Operands, Work};

pub(super) use peak::KERNELS;
