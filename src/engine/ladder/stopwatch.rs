//! Seconds a launch.

use crate::Result;
use crate::engine::{Gpu, Tensor};
use std::time::Instant;

/// The mean time of `launches` of some work in one submission, from its recording until the device is idle. What it
/// returns is dropped at once, so that all launches write the same memory, one after the other.
///
/// # Errors
/// Whatever went wrong on the device.
pub fn seconds(gpu: &Gpu, launches: usize, run: impl Fn() -> Result<Tensor>) -> Result<f64> {
    gpu.wait()?;
    let start = Instant::now();
    for _ in 0..launches {
        drop(run()?);
    }
    gpu.wait()?;
    Ok(start.elapsed().as_secs_f64() / launches as f64)
}

/// The middle one of some times; infinite where there are none.
pub fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (below, above) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(below), sorted.get(above)) {
        (Some(a), Some(b)) => 0.5 * (a + b),
        _ => f64::INFINITY,
    }
}

/// How many launches fill about 50 ms, which hides the submission and stays far from what drivers kill.
pub fn enough_launches(seconds: f64) -> usize {
    const FILL: f64 = 0.05;
    ((FILL / seconds.max(1e-9)) as usize).clamp(1, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!([median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])], [2.0, 2.5]);
        assert_eq!(median(&[]), f64::INFINITY);
    }

    #[test]
    fn short_launches_are_repeated() {
        assert_eq!([enough_launches(1e-3), enough_launches(2.0), enough_launches(0.0)], [50, 1, 200]);
    }
}
