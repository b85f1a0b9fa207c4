//! Output blocks as GALFIT writes them, for tests.

use crate::fits::testing::{Hdu, write};
use std::path::Path;

/// A model's header: kinds and parameters of its components as keys and values, and further cards.
pub(super) fn model(components: &[(&str, &[(&str, &str)])], more: &[&str]) -> Hdu {
    let mut hdu = Hdu::floats(&[40, 30], &[0.0; 1200]);
    for card in [
        "OBJECT  = 'model   '           / Component type",
        "COMMENT ========== GALFIT Input Parameters ==========",
        "INITFILE= 'galfit.feedme'      / GALFIT input file",
        "DATAIN  = 'image.fits'         / Input data image",
        "CONSTRNT= '../../constraints.txt' / Parameter constraint file",
        "FITSECT = '[1:40,1:30]'        / Image section fitted",
        "MAGZPT  =              25.9463 / Magnitude zeropoint",
    ] {
        hdu = hdu.card(card);
    }
    for (i, (kind, parameters)) in components.iter().enumerate() {
        hdu = hdu.card(&format!("COMP_{}  = '{kind:<8}'           / Component type", i + 1));
        for (key, value) in *parameters {
            let key = format!("{}_{key}", i + 1);
            hdu = hdu.card(&format!("{key:<8}= '{value:<8}' / a parameter"));
        }
        hdu = hdu.card("COMMENT ------------------------------------------------------------------------");
    }
    for card in more {
        hdu = hdu.card(card);
    }
    hdu.card("CHI2NU  =               1.0625 / Reduced Chi^2")
        .card("LOGFILE = 'galfit.01'          / Output logfile")
}

/// A block of this model, its data with `cards` in their header.
pub(super) fn block(path: &Path, model: Hdu, cards: &[&str]) {
    let data = cards.iter().fold(Hdu::floats(&[40, 30], &[1.0; 1200]), |hdu, card| hdu.card(card));
    write(path, &[Hdu::empty(), data, model, Hdu::floats(&[40, 30], &[0.0; 1200])]);
}

/// A galaxy's parameters, well measured.
pub(super) const GALAXY: &[(&str, &str)] = &[
    ("XC", "21.5000 +/- 0.0200"),
    ("YC", "14.2500 +/- 0.0300"),
    ("MAG", "21.1250 +/- 0.0100"),
    ("RE", "5.5000 +/- 0.1000"),
    ("N", "1.7500 +/- 0.0500"),
    ("AR", "0.6400 +/- 0.0150"),
    ("PA", "100.0000 +/- 1.5000"),
];

/// A sky that was held.
pub(super) const SKY: &[(&str, &str)] =
    &[("XC", "[20.0000]"), ("YC", "[15.0000]"), ("SKY", "[-2.199e-04]"), ("DSDX", "[0.000e+00]")];
