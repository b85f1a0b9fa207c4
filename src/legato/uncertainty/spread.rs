//! How far the answers about one galaxy lie apart.

use serde::{Deserialize, Serialize};

/// The spreads of a parameter's answers about one stamp, in its physical unit; 0 where nothing was asked again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Of the answers about the stamp and its copies, about their mean.
    pub copies: f64,
    /// Of those that thinned networks give about the stamp itself.
    pub thinned: f64,
}

/// The root mean square of `again` about `value`, be that their mean or not. 0 of none.
pub(super) fn about(value: f64, again: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for answer in again {
        sum += (answer - value).powi(2);
        count += 1.0;
    }
    if count > 0.0 { f64::sqrt(sum / count) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_spread_about_the_value_and_not_about_their_mean() {
        assert_eq!(about(1.0, [4.0, 4.0]), 3.0);
        assert_eq!(about(0.0, [3.0, -3.0, 3.0]), 3.0);
        assert_eq!(about(5.0, []), 0.0);
        assert!(about(5.0, [f64::NAN]).is_nan());
    }
}
