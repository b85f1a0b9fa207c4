//! Pictures of what was made and found.
//!
//! | file | idea |
//! |---|---|
//! | `canvas.rs` | a grey picture with text, written as PNG; no fonts are needed on the machine |
//! | `preview.rs` | the contact sheet of a data set |

mod canvas;
mod preview;

pub use preview::{ContactSheet, check_picture};
