//! Noiseless stamps are GalSim's, through the built-in F160W PSF. `tests/golden/make_sky.py` made the numbers.

use legato::sky::{Psf, Renderer, Sersic};
use safetensors::SafeTensors;

/// As in `make_sky.py`.
const SIZE: usize = 128;
const SCALE: f64 = 0.06;
const ZERO_POINT: f64 = 25.9463;
const MIDDLE: std::ops::Range<usize> = 52..76;
const STRIDE: usize = 4;

#[test]
fn stamps_are_galsims_to_a_thousandth_of_the_peak() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sky.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name| -> Vec<f32> {
        file.tensor(name).unwrap().data().chunks_exact(4).map(bytemuck::pod_read_unaligned).collect()
    };
    let galaxies: Vec<f64> =
        file.tensor("galaxies").unwrap().data().chunks_exact(8).map(bytemuck::pod_read_unaligned).collect();
    let (middles, sparse) = (floats("middle"), floats("sparse"));
    let renderer = Renderer::new(SIZE, SCALE, &Psf::wfc3_f160w()).unwrap();
    let (side, coarse) = (MIDDLE.len(), SIZE / STRIDE);
    let mut compared = 0;
    for (i, row) in galaxies.chunks_exact(7).enumerate() {
        let [mag, re, n, q, pa, x, y] = row.try_into().unwrap();
        let galaxy = Sersic::from_magnitude(mag, ZERO_POINT, re, n, q, pa).unwrap();
        let stamp = renderer.render(&galaxy, x, y);
        let peak = stamp.iter().fold(0.0f64, |a, &b| a.max(b));
        let middle = middles[i * side * side..][..side * side].iter().enumerate().map(|(j, value)| {
            (stamp[(MIDDLE.start + j / side) * SIZE + MIDDLE.start + j % side], f64::from(*value))
        });
        let sparse = sparse[i * coarse * coarse..][..coarse * coarse]
            .iter()
            .enumerate()
            .map(|(j, value)| (stamp[STRIDE * (j / coarse * SIZE + j % coarse)], f64::from(*value)));
        let worst =
            middle.chain(sparse).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max) / peak;
        println!("R_e {re:.2} px, n {n:.2}, q {q:.2}: {worst:.1e} of the peak");
        assert!(worst < 1e-3, "R_e {re} px, n {n}, q {q}: {worst:.2e} of the peak");
        compared += 1;
    }
    assert_eq!(compared, 32);
}
