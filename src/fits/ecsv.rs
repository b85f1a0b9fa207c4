//! The header of astropy's Enhanced CSV, version 1.0: columns with units and descriptions, and provenance.

use super::catalogue::Provenance;
use std::fmt::Write;

/// The columns (name, type, unit as FITS has it, description) and the provenance as YAML.
pub(super) fn header<'a>(columns: impl IntoIterator<Item = [&'a str; 4]>, provenance: &Provenance) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace(['\n', '\r'], " ").replace('\'', "''"));
    let mut yaml = String::from("datatype:\n");
    for [name, kind, unit, description] in columns {
        let unit = match unit {
            "" => String::new(),
            "pixel" => ", unit: pix".to_owned(),
            "pixel**2" => ", unit: pix2".to_owned(),
            unit => format!(", unit: {unit}"),
        };
        // Bare, N and Y would be YAML 1.1's no and yes.
        let name = if ["N", "Y"].contains(&name) { quoted(name) } else { name.to_owned() };
        // Writing to a String cannot fail.
        let _ = writeln!(
            yaml,
            "- {{name: {name}{unit}, datatype: {kind}, description: {}}}",
            quoted(description)
        );
    }
    if !provenance.is_empty() {
        yaml.push_str("meta:\n");
        for (key, value) in provenance {
            let _ = writeln!(yaml, "  {}: {}", quoted(key), quoted(value));
        }
    }
    yaml
}

/// The YAML as the comments that stand before the rows.
pub(super) fn comments(yaml: &str) -> String {
    let lines = yaml.lines().fold(String::new(), |text, line| text + "# " + line + "\n");
    format!("# %ECSV 1.0\n# ---\n# delimiter: ','\n{lines}")
}
