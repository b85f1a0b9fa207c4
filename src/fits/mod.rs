//! Everything that touches a FITS file, over CFITSIO.
//!
//! | file | idea |
//! |---|---|
//! | `raw.rs` | the only caller of CFITSIO: a handle, errors with its words |
//! | `unpack.rs` | large compressed files, unpacked beside memory |
//! | `header.rs` | what an image's header says |
//! | `calibration.rs` | what one unit of an image is worth, and why |
//! | `wcs.rs` | where on the sky an image lies |
//! | `image.rs` | the images in a file, one after another |
//! | `mosaic.rs` | an image of any size, read by windows |
//! | `layers.rs` | a mosaic with its maps of noise and of bad pixels |
//! | `blocks.rs` | GALFIT's output blocks, written |
//! | `block_headers.rs` | and the headers of such a block, read |
//! | `cutout.rs` | a part of an image as a file of its own |
//! | `stamp.rs` | an image cut or padded to a network's stamp, and flags |
//! | `fill.rs` | what stands in for pixels that are not there |
//! | `resample.rs` | an image in pixels of another size |
//! | `flags.rs` | what was wrong with a stamp, as bits |
//! | `background.rs` | the sky's level and noise, robustly |
//! | `dataset.rs` | cubes of stamps with their truth, read |
//! | `writer.rs` | and written |
//! | `mosaic_writer.rs` | simulated mosaics, written |
//! | `table.rs` | tables of truth |
//! | `columns.rs` | columns of any table, by name |
//! | `foreign.rs` | tables of other programs |
//! | `positions.rs` | catalogues of positions, row by row |
//! | `labels.rs` | what others have measured |
//! | `survey.rs` | the files that a survey names |
//! | `sources.rs` | the sources that detection found, and whose each pixel is |
//! | `ecsv.rs` | the header of Enhanced CSV |
//! | `catalogue.rs` | the catalogue of what was measured |
//! | `testing.rs` | FITS files byte by byte, for the tests |
//! | `psf.rs` | point spread functions, read and written |
//! | `sky.rs` | images of blank sky to take noise from |

mod background;
mod block_headers;
mod blocks;
mod calibration;
mod catalogue;
mod columns;
mod cutout;
mod dataset;
mod ecsv;
mod fill;
mod flags;
mod foreign;
mod header;
mod image;
mod labels;
mod layers;
mod mosaic;
mod mosaic_writer;
mod positions;
mod psf;
mod raw;
mod resample;
mod sky;
mod sources;
mod stamp;
mod survey;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod unpack;
mod wcs;
mod writer;

pub use background::{Background, background};
pub use block_headers::{BlockHeaders, read_block_headers};
pub use blocks::{BlockFolder, OutputBlock, Value};
pub use calibration::ZeroPoint;
pub use catalogue::{Catalogue, CatalogueReader, CatalogueSize, CatalogueWriter, Row};
pub use cutout::Cutout;
pub use dataset::{Dataset, DatasetMeta};
pub use fill::blank_areas;
pub use flags::Flags;
pub use header::{Cards, Header};
pub use image::{Image, ImageSource, open_images};
pub use labels::{Label, Labels};
pub use layers::{Layers, Window};
pub use mosaic::Mosaic;
pub use mosaic_writer::MosaicWriter;
pub use positions::{Place, Position, PositionColumns, Positions};
pub use psf::{read_psf, survey_psfs, write_psf};
pub use sky::read_sky;
pub use sources::{SourceList, detect_sources, write_segmentation};
pub use stamp::{Cutter, LOW_SNR, SAME_SCALE, Stamp, cut};
pub use survey::survey_parts;
pub use table::{read_truth, read_truth_for, write_truth};
pub use wcs::Wcs;
pub use writer::DatasetWriter;
