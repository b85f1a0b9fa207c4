//! What was wrong with a stamp or its measurement, as bits of a catalogue's `FLAGS`.

use std::fmt;

/// A set of warnings; zero is none. The bits are part of the catalogue's format and never change
/// their meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u32);

impl Flags {
    /// Bit 0 (1): the stamp reaches beyond the image; there it is padded with white noise of the sky's σ around zero, or
    /// with zeros where the border is no sky ([`Flags::SKY_LEVEL`]).
    pub const PADDED: Flags = Flags(1);
    /// Bit 1 (2): the image was larger than the stamp and cut.
    pub const CUT: Flags = Flags(1 << 1);
    /// Bit 2 (4): blank, non-finite or masked pixels, or such of no weight, were replaced by the median of their
    /// neighbours, or by noise where there are none.
    pub const BAD_PIXELS: Flags = Flags(1 << 2);
    /// Bit 3 (8): some of them within 3 pixels of the object's centre.
    pub const CENTRE_BAD: Flags = Flags(1 << 3);
    /// Bit 4 (16): a measured value lies outside the range of the training galaxies.
    pub const OUT_OF_RANGE: Flags = Flags(1 << 4);
    /// Bit 5 (32): the image's pixel scale is not known, or too far from the networks' to resample.
    pub const PIXEL_SCALE: Flags = Flags(1 << 5);
    /// Bit 6 (64): the header gives no zero point; the survey's was assumed.
    pub const ZERO_POINT_ASSUMED: Flags = Flags(1 << 6);
    /// Bit 7 (128): the signal-to-noise ratio is below [`super::LOW_SNR`].
    pub const LOW_SNR: Flags = Flags(1 << 7);
    /// Bit 8 (256): not one good pixel; nothing was measured.
    pub const NO_DATA: Flags = Flags(1 << 8);
    /// Bit 9 (512): the border's level differs from zero by more than its noise: the sky is not
    /// subtracted, or the object fills the image.
    pub const SKY_LEVEL: Flags = Flags(1 << 9);
    /// Bit 10 (1024): resampled from pixels of another size to the networks'.
    pub const RESAMPLED: Flags = Flags(1 << 10);
    /// Bit 11 (2048): a pixel on the stamp is saturated.
    pub const SATURATED: Flags = Flags(1 << 11);
    /// Bit 12 (4096): another source of at least a tenth of its flux lies on the stamp.
    pub const NEIGHBOUR: Flags = Flags(1 << 12);
    /// Bit 13 (8192): split from a neighbour that touches it.
    pub const BLENDED: Flags = Flags(1 << 13);
    /// Bit 14 (16384): unlike the galaxies that the networks were trained on; not to be trusted.
    pub const OUT_OF_DOMAIN: Flags = Flags(1 << 14);
    /// Bit 15 (32768): the position lies beyond the image; nothing was measured.
    pub const OFF_IMAGE: Flags = Flags(1 << 15);
    /// Bit 16 (65536): of a GALFIT catalogue: the fit ended at a limit, did not converge, or has a parameter that
    /// GALFIT itself marks as not to be trusted.
    pub const BAD_FIT: Flags = Flags(1 << 16);

    /// Bit 17 (131072): the image is deeper or shallower than those that the networks know; its flux was scaled for them
    /// so that the noise is theirs.
    pub const OTHER_DEPTH: Flags = Flags(1 << 17);

    /// Every flag and its name.
    pub const NAMES: [(Flags, &'static str); 18] = [
        (Flags::PADDED, "PADDED"),
        (Flags::CUT, "CUT"),
        (Flags::BAD_PIXELS, "BAD_PIXELS"),
        (Flags::CENTRE_BAD, "CENTRE_BAD"),
        (Flags::OUT_OF_RANGE, "OUT_OF_RANGE"),
        (Flags::PIXEL_SCALE, "PIXEL_SCALE"),
        (Flags::ZERO_POINT_ASSUMED, "ZERO_POINT_ASSUMED"),
        (Flags::LOW_SNR, "LOW_SNR"),
        (Flags::NO_DATA, "NO_DATA"),
        (Flags::SKY_LEVEL, "SKY_LEVEL"),
        (Flags::RESAMPLED, "RESAMPLED"),
        (Flags::SATURATED, "SATURATED"),
        (Flags::NEIGHBOUR, "NEIGHBOUR"),
        (Flags::BLENDED, "BLENDED"),
        (Flags::OUT_OF_DOMAIN, "OUT_OF_DOMAIN"),
        (Flags::OFF_IMAGE, "OFF_IMAGE"),
        (Flags::BAD_FIT, "BAD_FIT"),
        (Flags::OTHER_DEPTH, "OTHER_DEPTH"),
    ];

    /// What a single flag warns of, in a few words; empty for none and for several.
    pub fn meaning(self) -> &'static str {
        match self {
            Flags::PADDED => "the stamp reaches beyond the image; noise there",
            Flags::CUT => "larger than the stamp; cut around the object",
            Flags::BAD_PIXELS => "blank, infinite or masked pixels were filled in",
            Flags::CENTRE_BAD => "some of those within 3 pixels of the centre",
            Flags::OUT_OF_RANGE => "a value lies outside the range of the training galaxies",
            Flags::PIXEL_SCALE => "pixels of unknown size, or too unlike the networks' to resample",
            Flags::ZERO_POINT_ASSUMED => "no zero point in the header; the networks' was assumed",
            Flags::LOW_SNR => "signal-to-noise ratio below 5",
            Flags::NO_DATA => "not one good pixel; nothing was measured",
            Flags::SKY_LEVEL => "the sky is not subtracted, or the object fills the image",
            Flags::RESAMPLED => "resampled to the networks' pixel scale",
            Flags::SATURATED => "saturated pixels on the stamp",
            Flags::NEIGHBOUR => "another source of a tenth of its flux or more on the stamp",
            Flags::BLENDED => "split from a neighbour that touches it",
            Flags::OUT_OF_DOMAIN => "unlike the galaxies of the training",
            Flags::OFF_IMAGE => "the position is beyond the image; nothing was measured",
            Flags::BAD_FIT => "of GALFIT: at a limit, not converged, or marked by it",
            Flags::OTHER_DEPTH => "deeper or shallower than the networks' images; scaled to their noise",
            _ => "",
        }
    }

    /// Whether all of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets `other` where `condition` holds.
    pub fn set(&mut self, other: Flags, condition: bool) {
        if condition {
            self.0 |= other.0;
        }
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Flags {
    /// The names, joined by "|"; "-" for none.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names: Vec<&str> =
            Flags::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name).collect();
        f.pad(&if names.is_empty() { "-".to_owned() } else { names.join("|") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_print_their_names() {
        assert_eq!((Flags::CUT | Flags::NO_DATA).to_string(), "CUT|NO_DATA");
        assert_eq!(Flags::default().to_string(), "-");
    }

    #[test]
    fn every_flag_is_one_bit_of_its_own() {
        let all = Flags::NAMES.iter().fold(0, |bits, (flag, _)| {
            assert!(flag.0.is_power_of_two() && bits & flag.0 == 0 && !flag.meaning().is_empty());
            bits | flag.0
        });
        assert_eq!(all.count_ones() as usize, Flags::NAMES.len());
    }
}
