//! Two numbers that are loaded and stored as a word: see `shaders/words.wgsl`.

/// Two numbers as a word.
pub(super) const WORDS: &str = include_str!("../../../shaders/words.wgsl");
