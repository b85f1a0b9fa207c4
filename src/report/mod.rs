//! Pictures and pages of what was made and found.
//!
//! | file | idea |
//! |---|---|
//! | `canvas.rs` | a picture with text, written as PNG; no fonts are needed on the machine |
//! | `shown.rs` | stamps on a picture |
//! | `triptych.rs` | data, model and residual of measured galaxies side by side |
//! | `preview.rs` | the contact sheet of a data set |
//! | `sketch.rs` | a drawing as a list of marks |
//! | `svg.rs`, `raster.rs` | the same drawing as SVG and as PNG |
//! | `axis.rs`, `panel.rs` | values to places, and the frame around them |
//! | `grid.rs` | panels in rows under one legend |
//! | `curves.rs` | how a network learned, and what labelled galaxies teach it |
//! | `methods.rs` | a colour a method, the same in every panel |
//! | `boxes.rs` | errors group by group, as box plots |
//! | `scatter.rs` | estimates against the truth |
//! | `noise.rs` | bias and scatter against the signal-to-noise ratio |
//! | `coverage.rs` | how many truths errors hold |
//! | `roofline.rs` | kernels under the roof of their device |
//! | `names.rs`, `paper.rs` | what parameters are called, and what the paper reports of them |
//! | `evaluation.rs` | the page of an evaluation, and its table |
//! | `page.rs`, `page.css` | one HTML file with its figures and tables beside it |
//! | `html.rs`, `number.rs` | texts and numbers as pages show them |

mod axis;
mod boxes;
mod canvas;
mod coverage;
mod curves;
mod evaluation;
mod grid;
mod html;
mod methods;
pub mod names;
mod noise;
pub mod number;
mod page;
mod panel;
pub mod paper;
mod preview;
mod raster;
mod roofline;
mod scatter;
mod shown;
mod sketch;
mod svg;
mod triptych;

pub use boxes::error_boxes;
pub use coverage::{add_coverage, coverage_table};
pub use curves::{CurvePoint, Series, Style, adaptation_curve, learning_curves};
pub use evaluation::{Evaluated, add_evaluation, statistics_table};
pub use noise::noise_curves;
pub use page::{Block, Figure, Page, Table};
pub use preview::{ContactSheet, check_picture};
pub use roofline::{KernelTime, Roof, roofline};
pub use scatter::truth_scatter;
pub use triptych::{Triptych, TriptychSheet};
