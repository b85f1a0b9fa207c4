//! What of a long measurement is done, on disk: a folder beside the catalogue, with a file for each part of the objects.
//! A run that was killed goes on where it was; its catalogue is that of a run that was not.

use crate::fits::{Catalogue, Row};
use crate::{Error, Result, files};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a folder of parts is of, in words that differ between two runs whose parts must not be mixed.
const IDENTITY: &str = "run.txt";
/// The key under which a part keeps what could not be read.
const FAILURE: &str = "FAILURE";

/// The parts of a run that are done.
pub(super) struct Journal {
    folder: PathBuf,
}

/// What came of a part of the objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Done {
    pub(super) rows: Vec<Row>,
    /// The messages of those that could not be read.
    pub(super) failures: Vec<String>,
}

impl Journal {
    /// That of the run which writes the catalogue `output`, begun anew or gone on with.
    ///
    /// # Errors
    /// The folder cannot be written, or holds the parts of another run.
    pub(super) fn open(output: &Path, identity: &str) -> Result<Self> {
        let folder = Self::folder(output);
        files::make_folder(&folder)?;
        files::remove_left_behind(&folder);
        let path = folder.join(IDENTITY);
        if !path.exists() {
            let strangers =
                std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, "list", e))?.next().is_some();
            if strangers {
                return Err(other_run(&folder, "is in the way"));
            }
            files::replace(&path, identity.as_bytes())?;
        } else if files::read(&path)? != identity.as_bytes() {
            return Err(other_run(
                &folder,
                "holds parts of another run (other images, options, networks or version)",
            ));
        }
        Ok(Journal { folder })
    }

    /// The folder of an output's parts.
    pub(super) fn folder(output: &Path) -> PathBuf {
        let mut name = OsString::from(output);
        name.push(".parts");
        PathBuf::from(name)
    }

    fn part(&self, number: u64) -> PathBuf {
        self.folder.join(format!("part-{number:08}.parquet"))
    }

    /// Whether a part is done.
    pub(super) fn has(&self, number: u64) -> bool {
        self.part(number).is_file()
    }

    /// Keeps a part, whole or not at all.
    pub(super) fn keep(&self, number: u64, done: &Done) -> Result<()> {
        let failures = done.failures.iter().map(|message| (FAILURE.to_owned(), message.clone()));
        Catalogue { rows: done.rows.clone(), provenance: failures.collect() }.write(self.part(number))
    }

    /// A part that is done.
    pub(super) fn read(&self, number: u64) -> Result<Done> {
        let Catalogue { rows, provenance } = Catalogue::read(self.part(number))?;
        let failures = provenance.into_iter().filter(|(key, _)| key == FAILURE).map(|(_, message)| message);
        Ok(Done { rows, failures: failures.collect() })
    }

    /// Removes all of it, once the catalogue stands.
    pub(super) fn remove(self) -> Result<()> {
        std::fs::remove_dir_all(&self.folder).map_err(|e| Error::io(&self.folder, "remove", e))
    }
}

fn other_run(folder: &Path, what: &str) -> Error {
    Error::Usage(format!("{} {what}: remove it, or give another output", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_to_the_last_bit_and_go_with_the_journal() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let output = folder.path().join("out.csv");
        let row = Row { id: "é, 1".into(), mag: 0.1 + 0.2, ..Row::default() };
        let done = Done { rows: vec![row], failures: vec!["a.fits: truncated".into()] };
        Journal::open(&output, "one")?.keep(3, &done)?;
        let journal = Journal::open(&output, "one")?;
        assert!(journal.has(3) && !journal.has(0));
        let read = journal.read(3)?;
        assert_eq!((&read.rows[0].id, read.rows[0].mag), (&done.rows[0].id, 0.1 + 0.2));
        assert_eq!(read.failures, done.failures);
        journal.remove()?;
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0);
        Ok(())
    }

    #[test]
    fn parts_of_another_run_and_foreign_files_are_refused() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let output = folder.path().join("out.fits");
        Journal::open(&output, "one")?;
        let message =
            |identity| Journal::open(&output, identity).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message("two").contains("out.fits.parts holds parts of another run"));
        std::fs::remove_file(folder.path().join("out.fits.parts").join(IDENTITY)).expect("it is there");
        std::fs::write(folder.path().join("out.fits.parts/mine"), "").expect("a file");
        assert!(message("one").contains("is in the way: remove it"));
        Ok(())
    }
}
