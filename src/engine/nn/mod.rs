//! Networks as data.
