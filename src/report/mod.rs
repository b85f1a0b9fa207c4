//! Pictures and pages of what was made and found.
//!
//! | file | idea |
//! |---|---|
//! | `canvas.rs` | a grey picture with text, written as PNG; no fonts are needed on the machine |
//! | `preview.rs` | the contact sheet of a data set |
//! | `sketch.rs` | a drawing as a list of marks |
//! | `svg.rs`, `raster.rs` | the same drawing as SVG and as PNG |
//! | `axis.rs`, `panel.rs` | values to places, and the frame around them |
//! | `curves.rs` | how a network learned, and what labelled galaxies teach it |
//! | `page.rs`, `page.css` | one HTML file with its figures and tables beside it |
//! | `html.rs`, `number.rs` | texts and numbers as pages show them |

mod axis;
mod canvas;
mod curves;
mod html;
pub mod number;
mod page;
mod panel;
mod preview;
mod raster;
mod sketch;
mod svg;

pub use curves::{CurvePoint, Series, Style, adaptation_curve, learning_curves};
pub use page::{Block, Figure, Page, Table};
pub use preview::{ContactSheet, check_picture};
