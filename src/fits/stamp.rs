//! An image of any size as a network's square stamp: cut around the object or padded, without bad
//! pixels, and with flags for what was done.

use super::background::{Background, background, median};
use super::flags::Flags;
use super::image::Image;

/// Below this signal-to-noise ratio [`Flags::LOW_SNR`] is set.
pub const LOW_SNR: f64 = 5.0;
/// Bad pixels as near the centre as this set [`Flags::CENTRE_BAD`], pixels.
const CENTRE_RADIUS: f64 = 3.0;
/// The brightest peak is looked for within this part of the image's smaller side from its centre.
const SEARCH: f64 = 0.15;

/// A stamp ready for a network.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// `size`² pixels, row-major, y up, in the image's unit; all finite.
    pub pixels: Vec<f32>,
    /// What was done to it.
    pub flags: Flags,
    /// The object's centre as it was given or found, FITS pixels of the image.
    pub x: f64,
    /// As `x`.
    pub y: f64,
    /// FITS pixel of the image (x, y) that is the stamp's first; below 1 where it is padded.
    pub corner: (i64, i64),
    /// The image's sky.
    pub sky: Background,
    /// The greatest signal-to-noise ratio of the light within a circle around the centre, over its radius:
    /// Σ (p − sky) / (σ √N). NaN where the noise is not known.
    pub snr: f64,
}

/// Makes a stamp of `size`² pixels from an image, around `centre` (FITS pixels) or, where none is given:
/// the stamp as it is where the image has that very size; else around the brightest 3×3 pixels within
/// 15% of the image's smaller side from its middle, if they stand out by 3 σ, else around its middle.
///
/// What lies beyond the image is zero, the sky level of a sky-subtracted image. Bad pixels get the median of
/// the good ones within 2, else 5 pixels, else zero. A stamp without one good pixel is all zeros and has
/// [`Flags::NO_DATA`].
pub fn cut(image: &Image, size: usize, centre: Option<(f64, f64)>) -> Stamp {
    let sky = background(&image.pixels, image.width);
    let middle = (0.5 * (image.width as f64 + 1.0), 0.5 * (image.height as f64 + 1.0));
    let fits_exactly = (image.width, image.height) == (size, size);
    let (x, y) = match centre {
        Some((x, y)) if x.is_finite() && y.is_finite() => (x, y),
        _ if fits_exactly => middle,
        _ => peak(image, middle, sky).unwrap_or(middle),
    };
    let half = 0.5 * (size as f64 + 1.0);
    // The first pixel such that the object is within half a pixel of the stamp's centre. `as` saturates
    // for centres far outside, where there are no pixels anyway.
    let corner = (1 + (x - half).round() as i64, 1 + (y - half).round() as i64);
    let corner = (corner.0.clamp(-(1 << 40), 1 << 40), corner.1.clamp(-(1 << 40), 1 << 40));

    let mut flags = Flags::default();
    let end = (corner.0 + size as i64 - 1, corner.1 + size as i64 - 1);
    let (width, height) = (image.width as i64, image.height as i64);
    flags.set(Flags::PADDED, corner.0 < 1 || corner.1 < 1 || end.0 > width || end.1 > height);
    flags.set(Flags::CUT, corner.0 > 1 || corner.1 > 1 || end.0 < width || end.1 < height);
    flags.set(Flags::SKY_LEVEL, sky.level.abs() > sky.sigma && sky.sigma > 0.0);

    let mut pixels = vec![0.0f32; size * size];
    let (mut good, mut bad) = (0usize, Vec::new());
    for row in 0..size {
        let fy = corner.1 + row as i64;
        if fy < 1 || fy > height {
            continue;
        }
        for column in 0..size {
            let fx = corner.0 + column as i64;
            if fx < 1 || fx > width {
                continue;
            }
            let value = image.pixels[((fy - 1) * width + fx - 1) as usize];
            if value.is_finite() {
                pixels[row * size + column] = value;
                good += 1;
            } else {
                bad.push((row * size + column, fx, fy));
            }
        }
    }
    if good == 0 {
        flags |= Flags::NO_DATA;
        return Stamp { pixels, flags, x, y, corner, sky, snr: f64::NAN };
    }
    for &(index, fx, fy) in &bad {
        pixels[index] = neighbours(image, fx, fy, 2).or_else(|| neighbours(image, fx, fy, 5)).unwrap_or(0.0);
        flags |= Flags::BAD_PIXELS;
        let near = (fx as f64 - x).hypot(fy as f64 - y) <= CENTRE_RADIUS;
        flags.set(Flags::CENTRE_BAD, near);
    }
    let snr = signal_to_noise(&pixels, size, (x - corner.0 as f64, y - corner.1 as f64), sky);
    flags.set(Flags::LOW_SNR, snr < LOW_SNR);
    Stamp { pixels, flags, x, y, corner, sky, snr }
}

/// The mean of the 3×3 pixels at each place near the middle; the brightest place, FITS pixels.
fn peak(image: &Image, middle: (f64, f64), sky: Background) -> Option<(f64, f64)> {
    let radius = (SEARCH * image.width.min(image.height) as f64).max(2.0);
    let mut best: Option<(f64, f64, f64)> = None;
    for y in 1..image.height.saturating_sub(1) {
        for x in 1..image.width.saturating_sub(1) {
            let place = (x as f64 + 1.0, y as f64 + 1.0);
            if (place.0 - middle.0).hypot(place.1 - middle.1) > radius {
                continue;
            }
            let around = (0..9).map(|k| image.pixels[(y + k / 3 - 1) * image.width + x + k % 3 - 1]);
            let (sum, n) =
                around.filter(|p| p.is_finite()).fold((0.0, 0), |(sum, n), p| (sum + f64::from(p), n + 1));
            if n >= 5 && best.is_none_or(|(value, ..)| sum / f64::from(n) > value) {
                best = Some((sum / f64::from(n), place.0, place.1));
            }
        }
    }
    // The mean of nine pixels has a third of a pixel's noise.
    best.filter(|(value, ..)| value - sky.level > sky.sigma).map(|(_, x, y)| (x, y))
}

/// The median of the good pixels within `reach` rows and columns of a FITS pixel.
fn neighbours(image: &Image, fx: i64, fy: i64, reach: i64) -> Option<f32> {
    let mut values = Vec::new();
    for y in (fy - reach).max(1)..=(fy + reach).min(image.height as i64) {
        for x in (fx - reach).max(1)..=(fx + reach).min(image.width as i64) {
            let value = image.pixels[((y - 1) * image.width as i64 + x - 1) as usize];
            if value.is_finite() {
                values.push(f64::from(value));
            }
        }
    }
    median(&mut values).map(|v| v as f32)
}

/// See [`Stamp::snr`]; `centre` in 0-based pixels.
fn signal_to_noise(pixels: &[f32], size: usize, centre: (f64, f64), sky: Background) -> f64 {
    if sky.sigma.is_nan() || sky.sigma <= 0.0 {
        return f64::NAN;
    }
    // Light and pixels in rings of one pixel, then summed outwards.
    let mut rings = vec![(0.0, 0usize); size / 2];
    for (i, &p) in pixels.iter().enumerate() {
        let r = ((i % size) as f64 - centre.0).hypot((i / size) as f64 - centre.1);
        if let Some(ring) = rings.get_mut(r as usize) {
            ring.0 += f64::from(p) - sky.level;
            ring.1 += 1;
        }
    }
    let (mut light, mut n, mut best) = (0.0, 0, f64::NEG_INFINITY);
    for (sum, count) in rings {
        light += sum;
        n += count;
        if n > 0 {
            best = best.max(light / (sky.sigma * (n as f64).sqrt()));
        }
    }
    if best.is_finite() { best } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::super::header::Header;
    use super::*;

    /// A Gaussian blob on noise that repeats but has no preferred place.
    fn image(width: usize, height: usize, x: f64, y: f64) -> Image {
        let pixels = (0..width * height)
            .map(|i| {
                let (dx, dy) = ((i % width) as f64 + 1.0 - x, (i / width) as f64 + 1.0 - y);
                let noise = ((i * 7919) % 101) as f64 / 50.0 - 1.0;
                (100.0 * (-(dx * dx + dy * dy) / 8.0).exp() + noise) as f32
            })
            .collect();
        Image {
            path: "test.fits".into(),
            hdu: 0,
            plane: None,
            name: "test".to_owned(),
            width,
            height,
            pixels,
            header: Header::default(),
        }
    }

    fn brightest(stamp: &Stamp, size: usize) -> (usize, usize) {
        let i = (0..size * size).max_by(|&a, &b| stamp.pixels[a].total_cmp(&stamp.pixels[b])).unwrap();
        (i % size, i / size)
    }

    #[test]
    fn an_image_of_the_stamps_size_is_left_as_it_is() {
        let image = image(64, 64, 30.0, 35.0);
        let stamp = cut(&image, 64, None);
        assert_eq!((stamp.pixels, stamp.flags, stamp.corner), (image.pixels, Flags::default(), (1, 1)));
        assert!(stamp.snr > 100.0);
    }

    #[test]
    fn a_smaller_image_is_padded_with_the_object_in_the_middle() {
        let stamp = cut(&image(35, 31, 16.0, 17.0), 64, None);
        assert_eq!(stamp.flags, Flags::PADDED);
        assert_eq!((stamp.x, stamp.y), (16.0, 17.0));
        let (x, y) = brightest(&stamp, 64);
        assert!((31..=32).contains(&x) && (31..=32).contains(&y), "{x} {y}");
        assert_eq!(stamp.pixels[0], 0.0);
    }

    #[test]
    fn a_larger_image_is_cut_around_the_object() {
        let big = image(150, 131, 80.0, 60.0);
        let stamp = cut(&big, 64, None);
        assert_eq!(stamp.flags, Flags::CUT);
        assert_eq!((stamp.x, stamp.y), (80.0, 60.0));
        // Pixel for pixel that part of the image.
        let (x0, y0) = (stamp.corner.0 as usize - 1, stamp.corner.1 as usize - 1);
        assert_eq!(stamp.pixels[5 * 64 + 9], big.pixels[(y0 + 5) * 150 + x0 + 9]);
        let given = cut(&big, 64, Some((40.4, 50.0)));
        assert_eq!((given.x, given.y, given.corner), (40.4, 50.0, (9, 19)));
    }

    #[test]
    fn bad_pixels_are_replaced_and_flagged_where_they_matter() {
        let mut damaged = image(64, 64, 32.5, 32.5);
        damaged.pixels[10 * 64 + 10] = f32::NAN;
        let stamp = cut(&damaged, 64, None);
        assert_eq!(stamp.flags, Flags::BAD_PIXELS);
        assert!(stamp.pixels[10 * 64 + 10].abs() <= 1.0);
        damaged.pixels[31 * 64 + 32] = f32::INFINITY;
        assert!(cut(&damaged, 64, None).flags.contains(Flags::CENTRE_BAD));
    }

    #[test]
    fn a_stamp_without_data_is_flagged_and_finite() {
        let mut blank = image(40, 40, 20.0, 20.0);
        blank.pixels.fill(f32::NAN);
        for stamp in [cut(&blank, 64, None), cut(&image(40, 40, 20.0, 20.0), 64, Some((1e300, -500.0)))] {
            assert!(stamp.flags.contains(Flags::NO_DATA));
            assert!(stamp.pixels.iter().all(|p| *p == 0.0) && stamp.snr.is_nan());
        }
    }

    #[test]
    fn noise_alone_has_a_low_snr() {
        assert!(cut(&image(64, 64, 1e4, 1e4), 64, None).flags.contains(Flags::LOW_SNR));
    }
}
