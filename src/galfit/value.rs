//! A parameter as GALFIT writes it, in the header of its model and in fit.log: `20.08 +/- 0.01` where it was fitted,
//! `[20.08]` where it was held, `{20.08}` where it was tied to another, and `*20.08* +/- *0.01*` where GALFIT warns
//! that it led to numerical trouble (Peng's users' manual, "interpreting the results").

/// How a parameter came by its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Fitted.
    #[default]
    Free,
    /// Held where it was.
    Fixed,
    /// Tied to another component's.
    Tied,
    /// Fitted, and marked by GALFIT as not to be trusted.
    Suspect,
}

/// A parameter's value and error, in GALFIT's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// The value.
    pub value: f64,
    /// GALFIT's 1σ error; NaN where there is none.
    pub error: f64,
    /// How it came by its value.
    pub standing: Standing,
}

impl Value {
    /// Reads what GALFIT writes; none where that is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (value, error) = match text.split_once("+/-") {
            Some((value, error)) => (value, Some(error)),
            None => (text, None),
        };
        Value::of_parts(value, error)
    }

    /// From the words for the value and its error, each with its marks.
    pub fn of_parts(value: &str, error: Option<&str>) -> Option<Self> {
        let standing = match value.trim().chars().next()? {
            '[' => Standing::Fixed,
            '{' => Standing::Tied,
            _ if value.contains('*') || error.is_some_and(|error| error.contains('*')) => Standing::Suspect,
            _ => Standing::Free,
        };
        let error = error.and_then(number).filter(|_| !matches!(standing, Standing::Fixed));
        Some(Value { value: number(value)?, error: error.unwrap_or(f64::NAN), standing })
    }

    /// The same in another unit, `factor` of which make one of GALFIT's.
    pub fn times(self, factor: f64) -> Self {
        Value { value: self.value * factor, error: self.error * factor, ..self }
    }

    /// A value that no fit gave.
    pub fn held(value: f64) -> Self {
        Value { value, error: f64::NAN, standing: Standing::Fixed }
    }
}

/// A number between marks.
fn number(text: &str) -> Option<f64> {
    text.trim_matches(|c: char| c.is_whitespace() || "[]{}*".contains(c)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_parameter_is_read() {
        let read = |text: &str| Value::parse(text).map(|v| (v.value, v.error.to_bits(), v.standing));
        let nan = f64::NAN.to_bits();
        assert_eq!(read("20.08 +/- 0.01"), Some((20.08, 0.01f64.to_bits(), Standing::Free)));
        assert_eq!(read("-60.37 +/- 1.00 "), Some((-60.37, 1.0f64.to_bits(), Standing::Free)));
        assert_eq!(read("[-2.199e-04]"), Some((-2.199e-4, nan, Standing::Fixed)));
        assert_eq!(read("{4.0000} +/- {0.0000}"), Some((4.0, 0f64.to_bits(), Standing::Tied)));
        assert_eq!(
            read("*0.3000* +/- *4789413.5000*"),
            Some((0.3, 4_789_413.5f64.to_bits(), Standing::Suspect))
        );
        assert_eq!(read("1.2 +/- *3.0*"), Some((1.2, 3f64.to_bits(), Standing::Suspect)));
        // What C prints where it has no number.
        assert_eq!(read("nan +/- -nan").map(|v| v.2), Some(Standing::Free));
        assert!(Value::parse("nan +/- inf").is_some_and(|v| v.value.is_nan() && v.error.is_infinite()));
        for text in ["", "  ", "none", "[]", "1.2.3"] {
            assert_eq!(Value::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_in_another_unit_keeps_its_standing() {
        let value = Value::parse("*2.0* +/- *0.5*").map(|v| v.times(3.0));
        assert_eq!(value, Some(Value { value: 6.0, error: 1.5, standing: Standing::Suspect }));
    }
}
