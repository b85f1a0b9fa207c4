//! GALFIT's fit.log, to which every fit in a folder adds its parameters, with fewer digits than the block has them. It
//! serves where there is no block.

use super::component::Component;
use super::model::{Fit, region};
use super::value::Value;
use crate::{Result, files};
use std::path::Path;

/// A fit in fit.log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The output block that GALFIT was to write.
    pub block: String,
    /// What it found.
    pub fit: Fit,
}

/// Reads a fit.log: its fits, in their order.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<Vec<Entry>> {
    Ok(parse(&String::from_utf8_lossy(&files::read(path)?)))
}

/// The fits in a fit.log's text that have a component with a total magnitude.
pub fn parse(text: &str) -> Vec<Entry> {
    let (mut entries, mut lines) = (Vec::<Entry>::new(), text.lines().peekable());
    let mut number = 0;
    while let Some(line) = lines.next() {
        let Some((name, rest)) = line.split_once(':') else {
            read_chi2(line, entries.last_mut());
            continue;
        };
        let (name, rest) = (name.trim(), rest.trim());
        match (name, entries.last_mut()) {
            ("Input image", _) => {
                entries.push(begin(rest));
                number = 0;
            }
            ("Output image", Some(entry)) => entry.block = rest.to_owned(),
            ("Init. par. file" | "Restart file", _) | (_, None) => (),
            // A component, under it the errors of what was fitted.
            (kind, Some(entry)) => {
                number += 1;
                let errors = lines.next_if(|next| !next.contains(':') && !next.contains('='));
                entry.fit.components.extend(component(number, kind, rest, errors.unwrap_or("")));
            }
        }
    }
    entries.retain(|entry| !entry.fit.components.is_empty());
    entries
}

/// A fit of `image[x1:x2,y1:y2]`.
fn begin(image: &str) -> Entry {
    let at = image.rfind('[').unwrap_or(image.len());
    let fit = Fit {
        components: Vec::new(),
        image: image[..at].to_owned(),
        region: region(&image[at..]),
        chi2: f64::NAN,
        zero_point: f64::NAN,
        flags: Vec::new(),
        constraints: None,
    };
    Entry { block: String::new(), fit }
}

/// ` Chi^2/nu = 0.956`, also behind other figures on a line.
fn read_chi2(line: &str, entry: Option<&mut Entry>) {
    if let (Some((_, rest)), Some(entry)) = (line.split_once("Chi^2/nu ="), entry) {
        let number = rest.split([',', ' ']).find(|word| !word.is_empty());
        entry.fit.chi2 = number.and_then(|n| n.parse().ok()).unwrap_or(f64::NAN);
    }
}

/// A component from its line and that of its errors.
fn component(number: usize, kind: &str, values: &str, errors: &str) -> Option<Component> {
    let words = |line: &str| -> Vec<String> {
        line.replace(['(', ')', ','], " ").split_whitespace().map(str::to_owned).collect()
    };
    let (order, values, errors) = (Component::order(kind)?, words(values), words(errors));
    Component::read(number, kind, |name| {
        let place = order.iter().position(|known| *known == name)?;
        Value::of_parts(values.get(place)?, errors.get(place).map(String::as_str))
    })
}

#[cfg(test)]
mod tests {
    use super::super::value::Standing;
    use super::*;

    /// Two fits, laid out as GALFIT 3 does.
    const LOG: &str = "
-----------------------------------------------------------------------------

Input image     : gal.fits[1:93,5:90] 
Init. par. file : galfit.feedme 
Restart file    : galfit.01 
Output image    : imgblock.fits 

 sersic    : (   48.52,    51.28)   20.09      5.12    4.25    0.76   -60.37
              (    0.01,     0.02)    0.03      0.04    0.05    0.06     0.07
 sky       : [ 46.50,  47.00]  1.39  -4.92e-02  -6.00e-03
                                 0.01   1.00e-03   1.00e-03
 Chi^2 = 8259.87,  ndof = 8639
 Chi^2/nu = 0.956 

-----------------------------------------------------------------------------


-----------------------------------------------------------------------------

Input image     : two.fits[1:40,1:40] 
Init. par. file : two.feedme 
Restart file    : galfit.02 
Output image    : two_out.fits 

 psf       : (   20.00,    21.00)   18.50
              (    0.01,     0.01)    0.02
 sersic    : ( [25.00],   [26.00])  *21.50*   *0.30*   [4.00]   0.50    10.00
              (   [0.00],    [0.00])   *9.00*   *8.00*   [0.00]   0.10     5.00
 Chi^2 = 100.0,  ndof = 1593
 Chi^2/nu = 1.063 

-----------------------------------------------------------------------------
";

    #[test]
    fn the_fits_of_a_log_are_read_with_their_errors() {
        let found = parse(LOG);
        assert_eq!(found.len(), 2);
        let Entry { block, fit } = &found[0];
        assert_eq!((block.as_str(), fit.image.as_str(), fit.chi2), ("imgblock.fits", "gal.fits", 0.956));
        assert_eq!(fit.region, Some([1.0, 93.0, 5.0, 90.0]));
        let galaxy = fit.galaxy().unwrap();
        let values: Vec<(f64, f64)> = galaxy.parameters().map(|(_, v)| (v.value, v.error)).collect();
        assert_eq!(
            values,
            [
                (48.52, 0.01),
                (51.28, 0.02),
                (20.09, 0.03),
                (5.12, 0.04),
                (4.25, 0.05),
                (0.76, 0.06),
                (-60.37, 0.07),
            ]
        );
    }

    #[test]
    fn marks_and_other_profiles_are_understood() {
        let fit = &parse(LOG)[1].fit;
        assert_eq!(fit.components.iter().map(|c| c.kind.as_str()).collect::<Vec<_>>(), ["psf", "sersic"]);
        let galaxy = fit.galaxy().unwrap();
        assert_eq!((galaxy.number, galaxy.suspect()), (2, Some("MAG")));
        let shape = galaxy.shape.unwrap();
        assert_eq!((shape.n.value, shape.n.standing), (4.0, Standing::Fixed));
        assert_eq!((shape.q.value, shape.q.error), (0.5, 0.1));
    }

    #[test]
    fn what_is_no_log_has_no_fits() {
        for text in ["", "hello: world\n", "Input image : a.fits[1:2,1:2]\n\n Chi^2/nu = 1\n", "\u{0}:::=\n"]
        {
            assert_eq!(parse(text), [], "{text}");
        }
    }
}
