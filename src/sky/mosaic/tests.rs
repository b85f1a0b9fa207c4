use super::super::survey::Survey;
use super::*;

const SIZE: usize = 32;

fn survey() -> Survey {
    let mut survey = Survey::builtin("candels-f160w").unwrap();
    survey.stamp_size = SIZE;
    survey.galaxies.radius = super::super::Range::uniform(1.5, 6.0);
    survey
}

fn mosaic(number: u64, layout: Layout) -> MosaicSimulator {
    MosaicSimulator::new(Simulator::new(survey(), 3).unwrap(), number, layout).unwrap()
}

fn whole(mosaic: MosaicSimulator) -> Band {
    let mut all = Band { pixels: Vec::new(), rms: Vec::new() };
    for band in mosaic.into_bands() {
        let band = band.unwrap();
        all.pixels.extend(band.pixels);
        all.rms.extend(band.rms);
    }
    all
}

#[test]
fn the_cells_of_a_grid_are_the_stamps() {
    let mosaic = mosaic(7, Layout::Grid);
    assert_eq!(mosaic.side(), 3 * SIZE);
    let Band { pixels, rms } = whole(self::mosaic(7, Layout::Grid));
    assert_eq!((pixels.len(), rms.len()), (9 * SIZE * SIZE, 9 * SIZE * SIZE));
    for (index, truth) in mosaic.truths().iter().enumerate() {
        let (stamp, alone) = mosaic.simulator().stamp(index as u64).unwrap();
        let (x, y) = (index % 3 * SIZE, index / 3 * SIZE);
        assert_eq!((truth.x - alone.x, truth.y - alone.y), (x as f64, y as f64));
        assert_eq!((truth.id, truth.mag), (index as i64, alone.mag));
        for (row, expected) in stamp.chunks_exact(SIZE).enumerate() {
            assert_eq!(&pixels[(y + row) * 3 * SIZE + x..][..SIZE], expected);
        }
    }
    // What is left holds the sky's noise.
    let corner = &pixels[(3 * SIZE - 5) * 3 * SIZE + 3 * SIZE - 5..][..5];
    assert!(corner.iter().all(|p| *p != 0.0 && p.abs() < 0.02));
    let sky = rms.iter().copied().fold(f32::MAX, f32::min);
    assert!((sky - 0.0032).abs() < 1e-5 && rms.iter().any(|r| *r > 1.05 * sky));
}

#[test]
fn any_number_of_threads_makes_the_same_mosaic() {
    for layout in [Layout::Grid, Layout::Field] {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| whole(mosaic(5, layout)))
        };
        assert!(on(1) == on(3), "{layout:?}");
    }
}

#[test]
fn a_field_without_noise_holds_the_light_of_all_its_galaxies() {
    let simulator = Simulator::new(survey(), 3).unwrap().without_noise();
    let mosaic = MosaicSimulator::new(simulator, 30, Layout::Field).unwrap();
    let (side, truths) = (mosaic.side(), mosaic.truths());
    let light = whole(mosaic).pixels;
    let renderer = super::super::Renderer::new(4 * side, 0.06, &super::super::Psf::wfc3_f160w()).unwrap();
    // One scene of all galaxies on a stamp much larger than the mosaic.
    let offset = 1.5 * side as f64;
    let sources: Vec<super::super::Source> = truths
        .iter()
        .map(|t| {
            let galaxy =
                super::super::Sersic::from_magnitude(t.mag, 25.9463, t.re_maj, t.n, t.q, t.pa).unwrap();
            super::super::Source {
                light: super::super::Light::Galaxy(galaxy),
                x: t.x + offset,
                y: t.y + offset,
            }
        })
        .collect();
    let expected = renderer.scene(&sources);
    let at = |x: usize, y: usize| expected[(y + 3 * side / 2) * 4 * side + x + 3 * side / 2];
    for y in 0..side {
        for x in 0..side {
            let (found, expected) = (f64::from(light[y * side + x]), at(x, y));
            // Light is followed to a fiftieth of the noise: of ten galaxies.
            assert!(
                (found - expected).abs() < 1e-3 * expected + 10.0 * 6.4e-5,
                "({x}, {y}): {found} {expected}"
            );
        }
    }
    for truth in truths {
        let inside = 0.5 + 0.5 * SIZE as f64..=0.5 + side as f64 - 0.5 * SIZE as f64;
        assert!(inside.contains(&truth.x) && inside.contains(&truth.y));
    }
}

#[test]
fn the_noise_of_a_field_has_no_seams() {
    let mut survey = survey();
    survey.galaxies.magnitude = super::super::Range::uniform(45.0, 45.0);
    let mosaic = MosaicSimulator::new(Simulator::new(survey, 4).unwrap(), 400, Layout::Field).unwrap();
    let side = mosaic.side();
    let pixels = whole(mosaic).pixels;
    // The coefficient of pixels one above the other, of rows within bands and of rows that meet at a seam.
    let coefficient = |rows: &mut dyn Iterator<Item = usize>| {
        let (mut products, mut squares, mut count) = (0.0, 0.0, 0.0);
        for row in rows {
            for x in 0..side {
                let (a, b) = (f64::from(pixels[row * side + x]), f64::from(pixels[(row + 1) * side + x]));
                products += a * b;
                squares += 0.5 * (a * a + b * b);
                count += 1.0;
            }
        }
        (products / squares, (squares / count).sqrt())
    };
    let (within, sigma) = coefficient(&mut (0..side - 1).filter(|row| row % SIZE != SIZE - 1));
    let (across, _) = coefficient(&mut (0..side - 1).filter(|row| row % SIZE == SIZE - 1));
    // 396,800 and 12,160 pairs; drizzled noise counts as one in 2.5 of them: errors of 0.0025 and 0.014.
    assert!((within - 0.55).abs() < 0.01 && (across - 0.55).abs() < 0.06, "{within} {across}");
    assert!((sigma / 0.0032 - 1.0).abs() < 0.02, "{sigma}");
}

#[test]
fn impossible_mosaics_are_errors() {
    let new = |number| MosaicSimulator::new(Simulator::new(survey(), 3).unwrap(), number, Layout::Grid);
    assert!(new(0).is_err() && new(u64::MAX).is_err());
}
