//! What the test files share: devices, numbers to feed them, and how results are compared.
#![allow(dead_code, reason = "each test file takes the part that it needs")]

use legato::Result;
use legato::engine::nn::{Layer, Network};
use legato::engine::{Gpu, GpuOptions};
use legato::legato::Stamps;
use legato::rng::{Philox, Stream, unit_f32};
use legato::sky::{Range, Simulator, Survey, SurveyNoise};
use rand::Rng;

/// The device that the tests run on: the one that `LEGATO_TEST_DEVICE` names, or the best there is.
pub fn open(unchecked: bool) -> Gpu {
    let device = std::env::var("LEGATO_TEST_DEVICE").unwrap_or_else(|_| "auto".into());
    Gpu::open(&GpuOptions { device, unchecked, ..GpuOptions::default() })
        .unwrap_or_else(|e| panic!("the tests need a device: {e}"))
}

/// The device as the program opens it.
pub fn gpu() -> Gpu {
    open(GpuOptions::default().unchecked)
}

/// Numbers in [-limit, limit) by the rule of `tests/golden/README.md`: computed in f64, rounded once.
pub fn symmetric(count: usize, sub: u32, limit: f64) -> Vec<f32> {
    const SEED: u64 = 2018;
    let mut words = Philox::new(SEED, Stream::Test, sub, 0);
    let unit = || f64::from(unit_f32(words.next_u32()));
    std::iter::repeat_with(unit).take(count).map(|u| ((2.0 * u - 1.0) * limit) as f32).collect()
}

/// All pixels of a data set, stamp after stamp.
pub fn pixels(stamps: &Stamps) -> Vec<f32> {
    (0..stamps.len()).flat_map(|i| stamps.pixels(i)).copied().collect()
}

/// Fails, naming the element that is furthest off, unless each is within `tolerance` of what it should
/// be, relative to itself plus the largest: a sum that nearly cancels keeps its terms' rounding. Prints
/// the worst deviation, for `--nocapture`.
pub fn close(what: &str, tolerance: f64, got: &[f32], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: number of elements");
    let largest = want.iter().fold(0.0_f64, |m, w| m.max(w.abs()));
    let off = |i: usize| {
        let deviation = (f64::from(got[i]) - want[i]).abs() / (largest + want[i].abs());
        // NaN is as far off as can be; 0/0 is a tensor of zeros, as it should be.
        if f64::from(got[i]) == want[i] {
            0.0
        } else if deviation.is_nan() {
            f64::INFINITY
        } else {
            deviation
        }
    };
    let Some(worst) = (0..got.len()).max_by(|&a, &b| off(a).total_cmp(&off(b))) else { return };
    println!("{what}: off by {:.1e} at most", off(worst));
    assert!(
        off(worst) <= tolerance,
        "{what}: element {worst} is {} instead of {}: off by {:.1e}, {tolerance:.0e} are allowed",
        got[worst],
        want[worst],
        off(worst)
    );
}

/// Widens to f64.
pub fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Bits, for comparisons that must be exact.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Galaxies as CANDELS has them, but small enough for stamps of 16 pixels.
pub fn survey() -> Survey {
    let mut survey = Survey::builtin("candels-f160w").expect("a builtin survey");
    survey.name = "small".into();
    survey.stamp_size = 16;
    survey.noise = SurveyNoise::White { sigma: 0.0032 };
    survey.galaxies.radius = Range { min: 1.0, max: 3.0, ..survey.galaxies.radius };
    survey.galaxies.sersic_index = Range { min: 0.5, max: 4.0, ..survey.galaxies.sersic_index };
    survey
}

/// Simulated stamps of [`survey`].
pub fn stamps(seed: u64, range: std::ops::Range<u64>) -> Result<Stamps> {
    Stamps::simulate(&Simulator::new(survey(), seed)?, range)
}

/// The architectures' style in miniature.
pub fn network() -> Network {
    Network {
        name: "miniature".into(),
        input: [16, 16, 1],
        layers: vec![
            Layer::Stretch { gain: 1.0 / (3.0 * 0.0032), scale: 1.0 / 3.0 },
            Layer::GaussianNoise { sigma: 0.01 },
            Layer::Conv2d { kernel: 3, filters: 6, relu: true },
            Layer::MaxPool,
            Layer::Dropout { probability: 0.05 },
            Layer::Conv2d { kernel: 2, filters: 8, relu: true },
            Layer::MaxPool,
            Layer::Flatten,
            Layer::Dense { units: 16, relu: true },
            Layer::Dense { units: 1, relu: false },
        ],
    }
}
