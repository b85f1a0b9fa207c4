//! Correlating white noise: the convolution with a kernel that is a sum of few products of a column and a row, each
//! symmetric about its middle.

/// How far from their middle kernels may reach, pixels: even numbers, as taps are taken two by two.
pub(super) const RADII: [usize; 3] = [4, 6, 8];

/// A kernel K(x, y) = Σᵣ aᵣ(|x|) bᵣ(|y|) for |x|, |y| ≤ radius, zero beyond.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// aᵣ and bᵣ, from the middle to the radius.
    factors: Vec<[Vec<f32>; 2]>,
    radius: usize,
}

impl Filter {
    /// From the pairs aᵣ, bᵣ, the middle first, for one of the [`RADII`].
    pub(super) fn new(factors: &[[Vec<f64>; 2]], radius: usize) -> Self {
        let single = |half: &Vec<f64>| half.iter().map(|&tap| tap as f32).collect();
        Filter { factors: factors.iter().map(|[a, b]| [single(a), single(b)]).collect(), radius }
    }

    /// How many pixels the white frame is wider than what it gives, on every side.
    pub(super) fn margin(&self) -> usize {
        self.radius
    }

    /// Adds the filtered `white`, wider and higher by the margins, to `pixels` in rows of `width`.
    #[inline(always)]
    pub(super) fn add(&self, white: &[f32], pixels: &mut [f64], width: usize) {
        let side = 2 * self.radius + 1;
        // The last `side` rows of the frame, filtered along x, once for each factor.
        let mut ring = vec![0.0; self.factors.len() * side * width];
        let slot = |factor: usize, row: usize| (factor * side + row % side) * width;
        let mut sum = vec![0.0; width];
        for (row, values) in white.chunks_exact(width + 2 * self.radius).enumerate() {
            for (factor, [along, _]) in self.factors.iter().enumerate() {
                let filtered = &mut ring[slot(factor, row)..][..width];
                filtered.fill(0.0);
                add_taps(filtered, along, |offset| &values[offset..]);
            }
            let Some(y) = (row + 1).checked_sub(side) else { continue };
            sum.fill(0.0);
            for (factor, [_, across]) in self.factors.iter().enumerate() {
                add_taps(&mut sum, across, |offset| &ring[slot(factor, y + offset)..]);
            }
            for (pixel, &value) in pixels[y * width..][..width].iter_mut().zip(&sum) {
                *pixel += f64::from(value);
            }
        }
    }
}

/// Adds Σ half(|d|) row(radius + d) over −radius ≤ d ≤ radius to `sum`.
#[inline(always)]
fn add_taps<'a>(sum: &mut [f32], half: &[f32], row: impl Fn(usize) -> &'a [f32]) {
    let radius = half.len() - 1;
    for (sum, middle) in sum.iter_mut().zip(row(radius)) {
        *sum += half[0] * middle;
    }
    for d in (1..radius).step_by(2) {
        let [near, far] = [d, d + 1].map(|d| [row(radius - d), row(radius + d)]);
        add_two(sum, [half[d], half[d + 1]], near, far);
    }
}

/// sum += taps₀ (near₀ + near₁) + taps₁ (far₀ + far₁), pixel by pixel.
#[inline(always)]
fn add_two(sum: &mut [f32], taps: [f32; 2], near: [&[f32]; 2], far: [&[f32]; 2]) {
    let n = sum.len();
    let ([a, b], [c, d]) = (near.map(|row| &row[..n]), far.map(|row| &row[..n]));
    for i in 0..n {
        sum[i] += taps[0] * (a[i] + b[i]) + taps[1] * (c[i] + d[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_is_the_direct_convolution() {
        let half = |radius: usize, a: f64, b: f64| {
            (0..=radius).map(|i| (a + b * i as f64).sin()).collect::<Vec<_>>()
        };
        for (radius, width, height) in [(RADII[0], 21, 5), (RADII[0], 32, 9), (RADII[1], 7, 13)] {
            let factors = [
                [half(radius, 1.0, 0.7), half(radius, 0.2, 0.9)],
                [half(radius, 2.0, 0.3), half(radius, 0.5, 0.1)],
            ];
            let filter = Filter::new(&factors, radius);
            let (wide, high) = (width + 2 * radius, height + 2 * radius);
            assert_eq!(filter.margin(), radius);
            let white: Vec<f32> =
                (0..wide * high).map(|i| ((i * 7919) % 1013) as f32 / 500.0 - 1.0).collect();
            let mut pixels = vec![0.5; width * height];
            filter.add(&white, &mut pixels, width);
            for (i, pixel) in pixels.iter().enumerate() {
                let mut expected = 0.5;
                for (dy, dx) in (0..=2 * radius).flat_map(|dy| (0..=2 * radius).map(move |dx| (dy, dx))) {
                    let kernel: f64 =
                        factors.iter().map(|[a, b]| a[dx.abs_diff(radius)] * b[dy.abs_diff(radius)]).sum();
                    expected += kernel * f64::from(white[(i / width + dy) * wide + i % width + dx]);
                }
                assert!(
                    (pixel - expected).abs() < 2e-5 * (1.0 + expected.abs()),
                    "{i}: {pixel}, not {expected}"
                );
            }
        }
    }
}
