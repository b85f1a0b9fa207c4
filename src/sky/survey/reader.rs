//! A TOML file read key by key. Every complaint names the line and the key, for a range that makes no
//! sense as for a key that does not exist, which derived readers do not.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a file, its line and key first; the file's name is for the caller to add.
pub(super) type Read<T> = std::result::Result<T, String>;

/// A table of the file.
pub(super) struct Table<'a> {
    text: &'a str,
    /// Its dotted name, empty for the whole file.
    path: String,
    /// Where it begins, bytes.
    at: usize,
    entries: &'a DeTable<'a>,
}

/// The value of a key.
pub(super) struct Field<'a> {
    text: &'a str,
    path: String,
    at: usize,
    value: &'a Spanned<DeValue<'a>>,
}

fn complaint(text: &str, at: usize, what: &str) -> String {
    let line = 1 + text.bytes().take(at).filter(|b| *b == b'\n').count();
    format!("line {line}: {what}")
}

impl<'a> Table<'a> {
    /// The whole of a file that [`DeTable::parse`] has taken apart.
    pub(super) fn root(text: &'a str, entries: &'a DeTable<'a>) -> Self {
        Table { text, path: String::new(), at: 0, entries }
    }

    /// A complaint about the table as a whole.
    pub(super) fn fail<T>(&self, message: impl AsRef<str>) -> Read<T> {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        Err(complaint(self.text, self.at, &(path + message.as_ref())))
    }

    /// Refuses keys other than these.
    pub(super) fn only(&self, keys: &[&str]) -> Read<()> {
        match self.entries.iter().find(|(key, _)| !keys.contains(&key.get_ref().as_ref())) {
            None => Ok(()),
            Some((key, _)) => {
                let (path, keys) = (self.name(key.get_ref()), keys.join(", "));
                let what = format!("{path}: unknown key; there are {keys}");
                Err(complaint(self.text, key.span().start, &what))
            }
        }
    }

    /// The value of a key that need not be there.
    pub(super) fn optional(&self, key: &str) -> Option<Field<'a>> {
        let (name, value) = self.entries.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(Field { text: self.text, path: self.name(key), at: name.span().start, value })
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, key: &str) -> Read<Field<'a>> {
        match self.optional(key) {
            Some(field) => Ok(field),
            None => self.fail(format!("the key {key} is missing")),
        }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl<'a> Field<'a> {
    /// A complaint about this value.
    pub(super) fn fail<T>(&self, message: impl AsRef<str>) -> Read<T> {
        Err(complaint(self.text, self.at, &format!("{}: {}", self.path, message.as_ref())))
    }

    fn expected<T>(&self, what: &str) -> Read<T> {
        let found = match self.value.get_ref() {
            DeValue::String(s) => format!("\"{s}\""),
            DeValue::Integer(i) => i.to_string(),
            DeValue::Float(f) => f.to_string(),
            DeValue::Boolean(b) => b.to_string(),
            DeValue::Datetime(d) => d.to_string(),
            DeValue::Array(_) => "an array".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        self.fail(format!("{what} was expected, not {found}"))
    }

    /// A string.
    pub(super) fn string(&self) -> Read<&'a str> {
        match self.value.get_ref() {
            DeValue::String(s) => Ok(s),
            _ => self.expected("a string"),
        }
    }

    /// One of a few words, as what stands for it.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Read<T> {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        match self.value.get_ref() {
            DeValue::String(s) => match choices.iter().find(|(word, _)| word == s) {
                Some((_, choice)) => Ok(*choice),
                None => self.expected(&format!("one of {}", words.join(", "))),
            },
            _ => self.expected(&format!("one of {}", words.join(", "))),
        }
    }

    /// A finite number.
    pub(super) fn number(&self) -> Read<f64> {
        let number = match self.value.get_ref() {
            DeValue::Float(f) => f.as_str().parse().ok(),
            DeValue::Integer(i) => i128::from_str_radix(i.as_str(), i.radix()).ok().map(|i| i as f64),
            _ => None,
        };
        match number.filter(|x: &f64| x.is_finite()) {
            Some(number) => Ok(number),
            None => self.expected("a number"),
        }
    }

    /// A number above zero, of this unit.
    pub(super) fn positive(&self, unit: &str) -> Read<f64> {
        match self.number()? {
            x if x > 0.0 => Ok(x),
            x => self.fail(format!("{x} must be positive ({unit})")),
        }
    }

    /// A number from zero on, of this unit.
    pub(super) fn not_negative(&self, unit: &str) -> Read<f64> {
        match self.number()? {
            x if x >= 0.0 => Ok(x),
            x => self.fail(format!("{x} must not be negative ({unit})")),
        }
    }

    /// A number from `low` to `high`, of this unit.
    pub(super) fn within(&self, low: f64, high: f64, unit: &str) -> Read<f64> {
        match self.number()? {
            x if (low..=high).contains(&x) => Ok(x),
            x => self.fail(format!("{x} must be {low} to {high} ({unit})")),
        }
    }

    /// A whole number from `low` to `high`, of this unit.
    pub(super) fn whole(&self, low: u32, high: u32, unit: &str) -> Read<u32> {
        match self.within(low.into(), high.into(), unit)? {
            x if x.fract() == 0.0 => Ok(x as u32),
            x => self.fail(format!("{x} must be a whole number ({unit})")),
        }
    }

    /// A table.
    pub(super) fn table(&self) -> Read<Table<'a>> {
        match self.value.get_ref() {
            DeValue::Table(entries) => {
                Ok(Table { text: self.text, path: self.path.clone(), at: self.at, entries })
            }
            _ => self.expected("a table"),
        }
    }

    /// One table or an array of them.
    pub(super) fn tables(&self) -> Read<Vec<Table<'a>>> {
        let DeValue::Array(values) = self.value.get_ref() else { return Ok(vec![self.table()?]) };
        values
            .iter()
            .map(|value| {
                let (text, path) = (self.text, self.path.clone());
                Field { text, path, at: value.span().start, value }.table()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\nb = 2.5 # x\n\n[c]\nd = \"word\"\n[[e]]\nf = 0x10\n[[e]]\nf = -3\n";

    fn read<T>(from: impl Fn(&Table) -> Read<T>) -> Read<T> {
        from(&Table::root(TEXT, DeTable::parse(TEXT).unwrap().get_ref()))
    }

    #[test]
    fn values_are_found_by_their_keys() {
        assert_eq!(read(|t| t.required("a")?.whole(0, 9, "")), Ok(1));
        assert_eq!(read(|t| t.required("b")?.number()), Ok(2.5));
        let word = |t: &Table| t.required("c")?.table()?.required("d")?.choice(&[("no", 1), ("word", 2)]);
        assert_eq!(read(word), Ok(2));
        let all = |t: &Table| {
            t.required("e")?.tables()?.iter().map(|e| e.required("f")?.number()).collect::<Read<Vec<f64>>>()
        };
        assert_eq!(read(all), Ok(vec![16.0, -3.0]));
        assert_eq!(read(|t| Ok(t.required("c")?.tables()?.len())), Ok(1));
        assert!(read(|t| Ok(t.optional("absent").is_none())).unwrap());
    }

    #[test]
    fn complaints_name_the_line_and_the_key() {
        let fails = |from: &dyn Fn(&Table) -> Read<f64>, message: &str| {
            assert_eq!(read(from), Err(message.to_owned()));
        };
        fails(&|t| t.required("c")?.number(), "line 4: c: a number was expected, not a table");
        fails(
            &|t| t.required("c")?.table()?.required("d")?.number(),
            "line 5: c.d: a number was expected, not \"word\"",
        );
        fails(&|t| t.required("c")?.table()?.required("g")?.number(), "line 4: c: the key g is missing");
        fails(&|t| t.required("z")?.number(), "line 1: the key z is missing");
        fails(
            &|t| t.required("e")?.tables()?[1].required("f")?.positive("s"),
            "line 9: e.f: -3 must be positive (s)",
        );
        fails(&|t| t.required("e")?.tables()?[1].fail("no"), "line 8: e: no");
        fails(&|t| t.required("b")?.within(0.0, 2.0, "m"), "line 2: b: 2.5 must be 0 to 2 (m)");
        fails(
            &|t| Ok(t.required("b")?.whole(0, 9, "m")?.into()),
            "line 2: b: 2.5 must be a whole number (m)",
        );
        fails(
            &|t| t.required("c")?.table()?.required("d")?.choice(&[("no", 1.0), ("yes", 2.0)]),
            "line 5: c.d: one of \"no\", \"yes\" was expected, not \"word\"",
        );
        fails(
            &|t| t.required("e")?.tables()?[0].only(&["g", "h"]).map(|()| 0.0),
            "line 7: e.f: unknown key; there are g, h",
        );
    }
}
