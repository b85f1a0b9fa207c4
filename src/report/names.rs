//! What parameters are called on axes and in tables.

use crate::legato::Parameter;

/// As a title.
pub fn title(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Magnitude => "Magnitude",
        Parameter::Radius => "Effective radius",
        Parameter::SersicIndex => "Sérsic index",
        Parameter::AxisRatio => "Axis ratio",
    }
}

/// What stands behind a value, with its space; nothing for pure numbers.
fn unit(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Magnitude => " (mag)",
        Parameter::Radius => " (pixels)",
        Parameter::SersicIndex | Parameter::AxisRatio => "",
    }
}

/// Its symbol.
fn symbol(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Magnitude => "m",
        Parameter::Radius => "Rₑ",
        Parameter::SersicIndex => "n",
        Parameter::AxisRatio => "q",
    }
}

/// On an axis of `what` values: "true", "estimated".
pub(super) fn value_axis(what: &str, parameter: Parameter) -> String {
    format!("{what} {}{}", symbol(parameter), unit(parameter))
}

/// On an axis of errors.
pub(super) fn error_axis(parameter: Parameter) -> String {
    format!("Δ{}{}", symbol(parameter), unit(parameter))
}

/// In a table: name and unit.
pub(super) fn row(parameter: Parameter) -> String {
    format!("{}{}", title(parameter), unit(parameter))
}
