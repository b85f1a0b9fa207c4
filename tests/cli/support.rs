//! Folders to work in, the program, and what it answered.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A survey of small stamps.
pub const SURVEY: &str = r#"
name = "tiny"
pixel_scale = 0.06
zero_point = 25.9463
exposure = 3200.0
stamp_size = 16
[psf]
model = "moffat"
fwhm = 0.17
beta = 1.85
[noise]
kind = "white"
sigma = 0.0032
[galaxies]
centre_offset = 0.5
magnitude = { min = 18.0, max = 22.0 }
radius = { min = 1.5, max = 4.0 }
sersic_index = { min = 0.5, max = 4.0 }
axis_ratio = { min = 0.3, max = 0.9 }
"#;

/// A network that learns in no time; its input is square, of `size` pixels.
pub fn network(size: usize) -> String {
    format!(
        r#"
name = "tiny"
input = [{size}, {size}, 1]
layers = [
    {{ type = "stretch", gain = 104.0, scale = 0.333 }},
    {{ type = "conv2d", kernel = 3, filters = 4, relu = true }},
    {{ type = "max-pool" }},
    {{ type = "flatten" }},
    {{ type = "dense", units = 8, relu = true }},
    {{ type = "dense", units = 1, relu = false }},
]
"#
    )
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// Asserts that all went well.
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Asserts the exit status, that standard error says all of `words`, and that nothing panicked.
    pub fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "'{word}' is not in:\n{}", self.err);
        }
        self
    }
}

/// A folder of a test's own.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::write(place.path("survey.toml"), SURVEY).unwrap();
        std::fs::write(place.path("network.toml"), network(16)).unwrap();
        place
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program, to be run here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_legato"));
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        // Never the tuning of whoever runs the tests.
        command.env("LEGATO_TUNING", self.path("tuning"));
        command
    }

    /// Runs it with arguments that are separated by spaces.
    pub fn legato(&self, arguments: &str) -> Answer {
        self.run(&mut self.command(&arguments.split_whitespace().collect::<Vec<_>>()))
    }

    pub fn run(&self, command: &mut Command) -> Answer {
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let answer =
            Answer { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
        let left = hidden(self.0.path());
        assert!(left.is_empty(), "left behind: {left:?}\n{answer:#?}");
        answer
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

/// Temporary folders of the program's in a folder or below it.
pub fn hidden(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(".legato-") {
            found.push(path);
        } else if path.is_dir() && !path.is_symlink() {
            found.extend(hidden(&path));
        }
    }
    found
}

/// A place with a data set `train.fits` of 60 stamps and `runs` with a network for magnitude and one for radius; a
/// copy of the one that is made once.
pub fn trained() -> Place {
    static ORIGINAL: OnceLock<PathBuf> = OnceLock::new();
    let original = ORIGINAL.get_or_init(|| {
        let place = Place::new();
        place.legato("simulate --survey survey.toml -n 60 --seed 3 -o train.fits").well();
        for parameter in ["magnitude", "radius"] {
            let run = format!(
                "train --parameter {parameter} --data train.fits --survey survey.toml --network network.toml \
                 --epochs 2 --batch 16 -o runs/{parameter}"
            );
            place.legato(&run).well();
        }
        let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli");
        if kept.exists() {
            std::fs::remove_dir_all(&kept).unwrap();
        }
        copy(place.folder(), &kept);
        kept
    });
    let place = Place::new();
    copy(original, place.folder());
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Replaces the first occurrence of `from` in a file by `to`, which is as long.
pub fn patch(path: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).expect("text to replace");
    bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    std::fs::write(path, bytes).unwrap();
}
