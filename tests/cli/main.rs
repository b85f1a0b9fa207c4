//! The command line as its users meet it: the built program, run in folders of their own, judged by its exit status,
//! its words and the files it leaves.

mod bad_input;
mod calibrate;
mod calibration;
mod detect;
mod evaluate;
mod experiments;
mod files;
mod fresh;
mod galfit;
mod interrupts;
mod kernels;
mod mosaic;
mod profile;
mod psf;
mod residuals;
mod simulate;
mod support;
mod usage;
mod weights;
mod work;
