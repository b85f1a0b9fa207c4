//! The catalogues of all shares of a measurement joined into one.

use super::Shard;
use super::run::SHARE;
use crate::fits::{CatalogueReader, CatalogueSize, CatalogueWriter};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The key of what may differ between shares: they may be measured on several machines.
const ADAPTER: &str = "ADAPTER";

/// One share's catalogue.
struct Share {
    path: PathBuf,
    shard: Shard,
    /// Its objects, as its header has them.
    objects: String,
    provenance: Vec<(String, String)>,
}

/// Joins the catalogues of all shares, in whatever order they are given, into that of a single run; gives back how many
/// rows it has.
///
/// # Errors
/// [`Error::Catalogue`] with what is missing, double, or of another run; files that cannot be read or written.
pub fn merge(paths: &[PathBuf], output: &Path) -> Result<usize> {
    let mut shares = paths.iter().map(|path| Share::open(path)).collect::<Result<Vec<_>>>()?;
    shares.sort_by_key(|share| share.shard);
    let Some(first) = shares.first() else {
        return Err(Error::Usage("no catalogue was given to merge".into()));
    };
    let (of, total) = (first.shard.of(), first.objects_in_all());
    for share in &shares[1..] {
        if share.shard.of() != of || share.objects_in_all() != total {
            return Err(share.error(format!(
                "is share {} ({}), but {} is share {} ({}): they are of two runs",
                share.shard,
                share.objects,
                first.path.display(),
                first.shard,
                first.objects
            )));
        }
        if let Some(((_, theirs), (key, ours))) =
            first.common().zip(share.common()).find(|(theirs, ours)| theirs != ours)
        {
            return Err(share.error(format!(
                "is of another run than {}: its {key} is '{ours}', not '{theirs}'",
                first.path.display()
            )));
        }
    }
    for pair in shares.windows(2) {
        if pair[0].shard == pair[1].shard {
            let (shard, other) = (pair[1].shard, pair[0].path.display());
            return Err(pair[1].error(format!("is share {shard}, as {other} is: leave one of them out")));
        }
    }
    let missing: Vec<String> = (1..=of)
        .filter(|number| !shares.iter().any(|share| share.shard.number() == *number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    if !missing.is_empty() {
        let message = format!("there is no catalogue of the share {}: measure it, too", missing.join(", "));
        return Err(Error::Catalogue { path: output.to_owned(), message });
    }
    join(&shares, output)
}

fn join(shares: &[Share], output: &Path) -> Result<usize> {
    let mut size = CatalogueSize::default();
    for share in shares {
        let mut reader = CatalogueReader::open(&share.path)?;
        while let Some(rows) = reader.next_chunk()? {
            size.add(&rows);
        }
    }
    let mut writer = CatalogueWriter::create(output, &size, &joint_provenance(shares))?;
    for share in shares {
        let mut reader = CatalogueReader::open(&share.path)?;
        while let Some(rows) = reader.next_chunk()? {
            writer.append(&rows)?;
        }
    }
    writer.finish()?;
    Ok(size.rows)
}

/// The first share's without its share, and with the adapters of all.
fn joint_provenance(shares: &[Share]) -> Vec<(String, String)> {
    let mut adapters: Vec<&str> = Vec::new();
    for (_, adapter) in shares.iter().flat_map(|share| &share.provenance).filter(|(key, _)| key == ADAPTER) {
        if !adapters.contains(&adapter.as_str()) {
            adapters.push(adapter);
        }
    }
    let entries = shares.iter().take(1).flat_map(|share| &share.provenance).filter(|(key, _)| key != SHARE);
    let joint = |(key, value): &(String, String)| {
        (key.clone(), if key == ADAPTER { adapters.join("; ") } else { value.clone() })
    };
    entries.map(joint).collect()
}

impl Share {
    fn open(path: &Path) -> Result<Self> {
        let provenance = CatalogueReader::open(path)?.provenance().clone();
        let told = provenance.iter().find(|(key, _)| key == SHARE).map(|(_, value)| value.clone());
        let parts = told.as_deref().and_then(|told| told.split_once(", "));
        let share = parts.and_then(|(shard, objects)| Some((shard.parse().ok()?, objects.to_owned())));
        let Some((shard, objects)) = share else {
            let message =
                "does not say which share of a measurement it is: it must be made by `legato fit --shard`";
            return Err(Error::Catalogue { path: path.to_owned(), message: message.into() });
        };
        Ok(Share { path: path.to_owned(), shard, objects, provenance })
    }

    /// The number of objects of all shares, as text.
    fn objects_in_all(&self) -> &str {
        self.objects.rsplit(' ').next().unwrap_or("")
    }

    /// What all shares of a run have in common.
    fn common(&self) -> impl Iterator<Item = &(String, String)> {
        self.provenance.iter().filter(|(key, _)| key != SHARE && key != ADAPTER)
    }

    fn error(&self, message: String) -> Error {
        Error::Catalogue { path: self.path.clone(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fits::{Catalogue, Row};

    fn share(folder: &Path, name: &str, told: &str, options: &str, rows: std::ops::Range<usize>) -> PathBuf {
        let path = folder.join(name);
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let adapter = entry(ADAPTER, if name.starts_with('a') { "one" } else { "two" });
        let provenance = vec![entry("OPTIONS", options), adapter, entry(SHARE, told)];
        let rows = rows.map(|i| Row { id: i.to_string(), x: i as f64 / 3.0, ..Row::default() }).collect();
        Catalogue { rows, provenance }.write(&path).expect("it can be written");
        path
    }

    #[test]
    fn all_shares_in_any_order_make_the_whole() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let a = share(folder.path(), "a.fits", "1/2, objects 0 to 5 of 11", "x", 0..5);
        // An object that could not be read has no row.
        let b = share(folder.path(), "b.ecsv", "2/2, objects 5 to 11 of 11", "x", 5..10);
        let output = folder.path().join("all.fits");
        assert_eq!(merge(&[b, a], &output)?, 10);
        let all = Catalogue::read(&output)?;
        assert_eq!(all.rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().concat(), "0123456789");
        assert_eq!(all.provenance, [("OPTIONS".into(), "x".into()), (ADAPTER.into(), "one; two".into())]);
        Ok(())
    }

    #[test]
    fn what_is_missing_double_or_of_another_run_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |name: &str, told: &str, options: &str| share(folder.path(), name, told, options, 0..2);
        let first = make("a.fits", "1/3, objects 0 to 2 of 6", "x");
        let second = make("b.fits", "2/3, objects 2 to 4 of 6", "x");
        let again = make("c.fits", "2/3, objects 2 to 4 of 6", "x");
        let other = make("d.fits", "3/3, objects 4 to 6 of 6", "y");
        let larger = make("e.fits", "3/3, objects 6 to 9 of 9", "x");
        let whole = folder.path().join("f.fits");
        Catalogue::default().write(&whole).expect("it can be written");
        let message = |paths: &[&PathBuf]| {
            let paths: Vec<PathBuf> = paths.iter().map(|path| (*path).clone()).collect();
            merge(&paths, &folder.path().join("out.fits")).expect_err("it is wrong").to_string()
        };
        assert!(message(&[&first, &second]).contains("out.fits: there is no catalogue of the share 3/3"));
        assert!(message(&[&first, &second, &again]).contains("c.fits: is share 2/3, as "));
        assert!(message(&[&first, &other]).contains("d.fits: is of another run than"));
        assert!(message(&[&first, &other]).contains("OPTIONS is 'y', not 'x'"));
        assert!(message(&[&first, &larger]).contains("they are of two runs"));
        assert!(message(&[&whole]).contains("f.fits: does not say which share"));
        assert!(message(&[]).contains("no catalogue was given"));
        assert!(!folder.path().join("out.fits").exists());
    }
}
