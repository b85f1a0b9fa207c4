//! A trained network made ready for others.

use super::Provenance;
use crate::Result;
use crate::engine::nn::weights::{self, Precision};
use std::path::Path;

/// Copies the weights file `from` to `to`, in a precision, and takes the folders of the machine that it was made on out
/// of what it says of itself.
///
/// # Errors
/// It cannot be read or written, or was not made by training.
pub fn export(from: &Path, to: &Path, precision: Precision) -> Result<Provenance> {
    let (arrays, mut metadata) = weights::read_arrays(from)?;
    let mut provenance = Provenance::from_metadata(from, &metadata)?;
    for path in [provenance.from.as_mut(), Some(&mut provenance.data)].into_iter().flatten() {
        if let Some((_, name)) = path.rsplit_once(['/', '\\']) {
            *path = name.to_owned();
        }
    }
    metadata.extend(provenance.metadata(from)?);
    weights::write_arrays_in(precision, to, &arrays, &metadata)?;
    Ok(provenance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legato::shipped_file;

    #[test]
    fn an_exported_network_is_the_same_to_the_precision_and_tells_no_folders() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let (_, bytes) = shipped_file(crate::legato::Set::Isolated);
        std::fs::write(path("a"), bytes).expect("a file");
        let (arrays, mut metadata) = weights::read_arrays(&path("a"))?;
        let mut told = Provenance::from_metadata(&path("a"), &metadata)?;
        (told.from, told.data) = (Some("/home/me/first".into()), "simulated: mine".into());
        metadata.extend(told.metadata(&path("a"))?);
        weights::write_arrays(&path("b"), &arrays, &metadata)?;
        for (precision, allowed) in [(Precision::Single, 0.0), (Precision::Half, 2f32.powi(-11))] {
            let exported = export(&path("b"), &path("c"), precision)?;
            assert_eq!(exported, Provenance { from: Some("first".into()), ..told.clone() });
            let (again, metadata) = weights::read_arrays(&path("c"))?;
            assert_eq!(Provenance::from_metadata(&path("c"), &metadata)?, exported);
            for ((name, (shape, values)), (_, (same, found))) in arrays.iter().zip(&again) {
                assert_eq!((shape, values.len()), (same, found.len()), "{name}");
                // Below the smallest normal number of 16 bits its spacing is what counts.
                let near = |(a, b): (&f32, &f32)| (a - b).abs() <= allowed * a.abs().max(6.2e-5);
                assert!(values.iter().zip(found).all(near), "{name}");
            }
        }
        Ok(())
    }
}
