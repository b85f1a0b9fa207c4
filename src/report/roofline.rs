//! How near kernels come to what their device can do: the roofline of Williams, Waterman & Patterson (2009). A kernel
//! that makes few operations with each byte is bound by memory, the slope; one that makes many by arithmetic, the flat.

use super::axis::Axis;
use super::curves::numbers;
use super::panel::{Key, Panel, legend};
use super::sketch::{Ink, Sketch};
use super::{Figure, number};
use crate::Result;

/// What a device does at best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roof {
    /// 10⁹ floating-point operations a second.
    pub gflops: f64,
    /// 10⁹ bytes a second.
    pub gbytes: f64,
}

/// A kernel's run.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTime {
    /// The layer.
    pub layer: String,
    /// Forward or back.
    pub pass: String,
    /// The idea of the kernel.
    pub rung: String,
    /// Whether this is what the device would choose.
    pub chosen: bool,
    /// How long a launch took, in seconds.
    pub seconds: f64,
    /// Floating-point operations of a launch.
    pub operations: f64,
    /// Bytes that a launch must move.
    pub bytes: f64,
}

impl KernelTime {
    /// 10⁹ floating-point operations a second.
    pub fn gflops(&self) -> f64 {
        self.operations / self.seconds / 1e9
    }

    /// 10⁹ bytes a second of those that must be moved; what is loaded twice does not count.
    pub fn gbytes(&self) -> f64 {
        self.bytes / self.seconds / 1e9
    }

    /// Operations a byte.
    pub fn intensity(&self) -> f64 {
        self.operations / self.bytes
    }

    /// The share of the most operations a second that the device does.
    pub fn of_peak(&self, roof: &Roof) -> f64 {
        self.gflops() / roof.gflops
    }

    /// The share of the most operations a second that the device does at this intensity.
    pub fn of_roof(&self, roof: &Roof) -> f64 {
        self.gflops() / roof.at(self.intensity())
    }
}

impl Roof {
    /// The most 10⁹ operations a second at so many operations a byte.
    pub fn at(&self, intensity: f64) -> f64 {
        self.gflops.min(intensity * self.gbytes)
    }
}

/// Every kernel's speed over its intensity, under the roof; the numbers go along as CSV.
///
/// # Errors
/// [`crate::Error::Io`] where it cannot be drawn.
pub fn roofline(name: &str, caption: &str, roof: &Roof, kernels: &[KernelTime]) -> Result<Figure> {
    let ridge = roof.gflops / roof.gbytes;
    let intensities = || kernels.iter().map(KernelTime::intensity);
    let low =
        intensities().chain([ridge]).filter(|v| v.is_finite() && *v > 0.0).fold(f64::INFINITY, f64::min);
    let speeds = kernels.iter().map(KernelTime::gflops).chain([roof.gflops, roof.at(low)]);
    let panel = Panel {
        left: 84.0,
        top: 70.0,
        width: 700.0,
        height: 400.0,
        x: Axis::logarithmic("operations a byte", intensities().chain([ridge])),
        y: Axis::logarithmic("10⁹ operations a second", speeds),
    };
    let mut sketch = Sketch::new(820.0, 540.0);
    let (gflops, gbytes) = (number::fixed(roof.gflops, 0), number::fixed(roof.gbytes, 1));
    let title = format!("Kernels under the roof of their device, {gflops} GFLOP/s and {gbytes} GB/s");
    panel.frame(&mut sketch, &title, 1);
    let (left, right) = panel.x.span();
    // The lines of the roof are straight on logarithmic axes; the panel cuts what sticks out below.
    let corners = [left, ridge.clamp(left, right), right].map(|x| (x, roof.at(x)));
    panel.line(&mut sketch, &corners, Ink::Text, false);

    let rungs = slowest_first(kernels);
    // Six colours tell rungs apart; the slowest, which the others are measured by, needs none.
    let ink = |i: usize| i.checked_sub(1).map_or(Ink::Muted, Ink::Series);
    for (i, rung) in rungs.iter().enumerate() {
        let of_rung = kernels.iter().filter(|k| k.rung == *rung);
        let points: Vec<_> = of_rung.map(|k| (k.intensity(), k.gflops())).collect();
        panel.discs(&mut sketch, &points, 4.0, ink(i), 0.75);
    }
    let keys: Vec<_> =
        rungs.iter().enumerate().map(|(i, rung)| (Key::Disc(ink(i)), (*rung).to_owned())).collect();
    legend(&mut sketch, (panel.left, panel.top - 10.0), &keys);
    sketch.figure(name, caption, Some(csv(name, roof, kernels)?))
}

/// The rungs, each once, by the most operations a second that any of their kernels makes.
fn slowest_first(kernels: &[KernelTime]) -> Vec<&str> {
    let mut best: Vec<(&str, f64)> = Vec::new();
    for kernel in kernels {
        match best.iter_mut().find(|(rung, _)| *rung == kernel.rung) {
            Some((_, gflops)) => *gflops = gflops.max(kernel.gflops()),
            None => best.push((&kernel.rung, kernel.gflops())),
        }
    }
    best.sort_by(|a, b| a.1.total_cmp(&b.1));
    best.into_iter().map(|(rung, _)| rung).collect()
}

fn csv(name: &str, roof: &Roof, kernels: &[KernelTime]) -> Result<String> {
    let columns = [
        "layer",
        "pass",
        "rung",
        "chosen",
        "seconds",
        "operations",
        "bytes",
        "gflops",
        "gbytes_per_s",
        "operations_per_byte",
        "share_of_peak",
        "share_of_roof",
        "peak_gflops",
        "peak_gbytes_per_s",
    ]
    .map(str::to_owned);
    let row = |k: &KernelTime| {
        let texts = [k.layer.clone(), k.pass.clone(), k.rung.clone(), k.chosen.to_string()];
        let values = [
            k.seconds,
            k.operations,
            k.bytes,
            k.gflops(),
            k.gbytes(),
            k.intensity(),
            k.of_peak(roof),
            k.of_roof(roof),
            roof.gflops,
            roof.gbytes,
        ];
        texts.into_iter().chain(values.map(number::data)).collect()
    };
    numbers(name, &columns, kernels.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(rung: &str, seconds: f64) -> KernelTime {
        KernelTime {
            layer: "conv".into(),
            pass: "forward".into(),
            rung: rung.into(),
            chosen: false,
            seconds,
            operations: 4e9,
            bytes: 1e8,
        }
    }

    #[test]
    fn shares_are_of_what_bounds_the_kernel() {
        let kernel = kernel("naive", 0.5);
        assert_eq!((kernel.gflops(), kernel.gbytes(), kernel.intensity()), (8.0, 0.2, 40.0));
        let memory = Roof { gflops: 1000.0, gbytes: 1.0 };
        assert_eq!((kernel.of_peak(&memory), kernel.of_roof(&memory)), (0.008, 0.2));
        let arithmetic = Roof { gflops: 16.0, gbytes: 100.0 };
        assert_eq!(kernel.of_roof(&arithmetic), 0.5);
    }

    #[test]
    fn the_slowest_rung_is_grey_and_seven_have_an_ink_each() {
        let names = ["winograd", "rows", "broadcast", "tile", "registers", "vectors", "naive"];
        let mut all: Vec<_> = (1..).zip(names).map(|(n, name)| kernel(name, 0.1 * f64::from(n))).collect();
        all.push(kernel("naive", 2.0));
        assert_eq!(slowest_first(&all), names.into_iter().rev().collect::<Vec<_>>());
        let svg = roofline("roofline", "c", &Roof { gflops: 100.0, gbytes: 10.0 }, &all).unwrap().svg;
        for ink in ["muted", "0", "1", "2", "3", "4", "5"] {
            let discs = format!("<g class=\"ink-{ink} fill\"");
            // Those of the rung, and one in the legend.
            assert_eq!(svg.matches(&discs).count(), 2, "ink-{ink}");
        }
    }

    #[test]
    fn any_kernels_are_drawn() {
        let roof = Roof { gflops: 100.0, gbytes: 10.0 };
        let all = [kernel("naive", 0.5), kernel("<tile>", 0.1), kernel("naive", f64::INFINITY)];
        for count in 0..=all.len() {
            let figure = roofline("roofline", "c", &roof, &all[..count]).unwrap();
            assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"), "{}", figure.svg);
            assert_eq!(figure.csv.unwrap().lines().count(), count + 1);
        }
    }
}
