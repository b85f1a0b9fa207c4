//! Numbers as people read them.

/// With so many decimals and a true minus sign; "–" where there is none to tell.
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{value:.decimals$}").replace('-', "\u{2212}") } else { "–".to_owned() }
}

/// As [`fixed`], with a plus sign where it is positive.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if value > 0.0 && value.is_finite() { format!("+{text}") } else { text }
}

/// A share as percent with one decimal.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{}%", fixed(100.0 * share, 1)) } else { fixed(share, 1) }
}

/// For programs: all its digits; empty where there is none to tell.
pub fn data(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

/// With as many digits as it has, powers of ten where those are many; for ticks.
pub(super) fn plain(value: f64) -> String {
    let exponent = value.abs().log10().floor();
    if value != 0.0 && !(-4.0..6.0).contains(&exponent) {
        let raised = |c: char| match c.to_digit(10) {
            Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
            None => '⁻',
        };
        let mantissa = (value / 10f64.powf(exponent) * 1e6).round() / 1e6;
        let power: String = format!("{exponent}").chars().map(raised).collect();
        return if mantissa == 1.0 { format!("10{power}") } else { format!("{mantissa}×10{power}") };
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_dash() {
        assert_eq!([fixed(f64::NAN, 2), signed(f64::INFINITY, 2), percent(f64::NAN)], ["–", "–", "–"]);
    }

    #[test]
    fn numbers_carry_true_signs() {
        assert_eq!(
            [fixed(-1.25, 1), signed(1.0, 2), signed(-0.5, 1), percent(0.0213)],
            ["−1.2", "+1.00", "−0.5", "2.1%"]
        );
        assert_eq!(
            [plain(0.05), plain(400.0), plain(-2.5), plain(1e-7), plain(3e8), plain(0.0)],
            ["0.05", "400", "−2.5", "10⁻⁷", "3×10⁸", "0"]
        );
    }
}
