//! Whether a stamp is like those that the networks know.

/// One in a hundred galaxies like those that the networks learned from has a disagreement of more than this; what has
/// an out-of-domain score of more is flagged.
pub const OUT_OF_DOMAIN: f64 = 3.0;

/// How much further the answers about a stamp lie apart than usual, before it is stretched: the mean of the parameters'
/// logarithms.
pub(super) fn strangeness(of_parameters: &[f64]) -> f64 {
    of_parameters.iter().sum::<f64>() / of_parameters.len() as f64
}

/// The same as a factor, stretched so that `strangest` becomes [`OUT_OF_DOMAIN`]; what is usual stays 1.
pub(super) fn disagreement(strangeness: f64, strangest: f64) -> f64 {
    (strangeness * OUT_OF_DOMAIN.ln() / strangest).exp()
}

/// What the repeats say of the out-of-domain score of a stamp: 1 is usual, and more than [`OUT_OF_DOMAIN`] is not. The
/// larger of its disagreement and the root of its inverse: where answers agree nine times as well as usual, there is
/// nothing to disagree on, such as blank sky. No simulated galaxy comes as far. NaN where nothing was repeated.
pub fn out_of_domain(disagreement: f64) -> f64 {
    disagreement.max(disagreement.powf(-0.5))
}

/// What the rendered model says of it, on the same scale: the part of the galaxy's light that the model leaves
/// unexplained, over the part that it leaves of one simulated galaxy in a hundred (`usual`). A reduced χ² would not do,
/// since it grows with the square of a galaxy's signal-to-noise ratio. Either argument may be NaN, which tells nothing:
/// the score of the object is the larger of both that is a number.
pub fn residual_score(unexplained: f64, usual: f64) -> f64 {
    OUT_OF_DOMAIN * (unexplained / usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_stays_one_and_the_strangest_hundredth_begins_at_the_limit() {
        let strangest = 0.7;
        assert_eq!(disagreement(0.0, strangest), 1.0);
        assert!((disagreement(strangest, strangest) / OUT_OF_DOMAIN - 1.0).abs() < 1e-12);
        assert!(disagreement(-0.5, strangest) < 1.0);
        assert!((strangeness(&[1.0, -0.5, 0.4]) - 0.3).abs() < 1e-12);
    }

    #[test]
    fn a_half_that_is_not_known_tells_nothing() {
        assert_eq!(out_of_domain(2.0), 2.0);
        assert_eq!(out_of_domain(1.0 / 16.0), 4.0);
        assert!(out_of_domain(f64::NAN).is_nan());
        assert_eq!(residual_score(0.1, 0.1), OUT_OF_DOMAIN);
        assert_eq!(residual_score(0.0, 0.1), 0.0);
        assert_eq!(out_of_domain(2.0).max(residual_score(0.1, f64::NAN)), 2.0);
        assert_eq!(out_of_domain(f64::NAN).max(residual_score(0.2, 0.1)), 6.0);
        assert!(disagreement(strangeness(&[]), 0.7).is_nan());
    }
}
