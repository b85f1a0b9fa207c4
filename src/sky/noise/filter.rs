//! Correlating white noise: the convolution with a kernel that is a sum of few products of a column and a row, each
//! symmetric about its middle.

/// Pixels of a row that are summed side by side.
const SIDE: usize = 16;
/// How far from their middle kernels may reach, pixels. Each is compiled by itself.
pub(super) const RADII: [usize; 2] = [4, 8];

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

    /// Columns and rows of the white frame that gives `width` × `height` pixels, and its margin at the left and top.
    pub(super) fn frame(&self, width: usize, height: usize) -> (usize, usize, usize) {
        (width.next_multiple_of(SIDE) + 2 * self.radius, height + 2 * self.radius, self.radius)
    }

    /// Adds the filtered `white`, a frame as [`Filter::frame`] wants it, to `pixels` in rows of `width`.
    #[inline(always)]
    pub(super) fn add(&self, white: &[f32], pixels: &mut [f64], width: usize) {
        if self.radius == RADII[0] {
            self.add_at::<{ RADII[0] }>(white, pixels, width);
        } else {
            self.add_at::<{ RADII[1] }>(white, pixels, width);
        }
    }

    #[inline(always)]
    fn add_at<const RADIUS: usize>(&self, white: &[f32], pixels: &mut [f64], width: usize) {
        let side = 2 * RADIUS + 1;
        let padded = width.next_multiple_of(SIDE);
        // The last `side` rows of the frame, filtered along x, once for each factor.
        let mut ring = vec![0.0; self.factors.len() * side * padded];
        let slot = |factor: usize, row: usize| (factor * side + row % side) * padded;
        for (row, values) in white.chunks_exact(padded + 2 * RADIUS).enumerate() {
            for (factor, [along, _]) in self.factors.iter().enumerate() {
                let filtered = &mut ring[slot(factor, row)..][..padded];
                for (block, out) in filtered.as_chunks_mut().0.iter_mut().enumerate() {
                    let near = &values[block * SIDE..][..SIDE + 2 * RADIUS];
                    let mut sum = [0.0; SIDE];
                    symmetric_sum::<RADIUS>(along, &mut sum, |offset| &near[offset..]);
                    *out = sum;
                }
            }
            let Some(y) = (row + 1).checked_sub(side) else { continue };
            let line = &mut pixels[y * width..][..width];
            for (block, out) in line.chunks_mut(SIDE).enumerate() {
                let mut sum = [0.0; SIDE];
                for (factor, [_, across]) in self.factors.iter().enumerate() {
                    let at = |offset| &ring[slot(factor, y + offset) + block * SIDE..];
                    symmetric_sum::<RADIUS>(across, &mut sum, at);
                }
                for (pixel, value) in out.iter_mut().zip(sum) {
                    *pixel += f64::from(value);
                }
            }
        }
    }
}

/// Adds Σ half(|d|) at(RADIUS + d) over −RADIUS ≤ d ≤ RADIUS to each of `sum`.
#[inline(always)]
fn symmetric_sum<'a, const RADIUS: usize>(
    half: &[f32],
    sum: &mut [f32; SIDE],
    at: impl Fn(usize) -> &'a [f32],
) {
    let (&first, rest) = half.split_first().unwrap_or((&0.0, &[]));
    let middle = &at(RADIUS)[..SIDE];
    (0..SIDE).for_each(|i| sum[i] += first * middle[i]);
    for (d, &tap) in (1..=RADIUS).zip(rest) {
        let (before, after) = (&at(RADIUS - d)[..SIDE], &at(RADIUS + d)[..SIDE]);
        (0..SIDE).for_each(|i| sum[i] += tap * (before[i] + after[i]));
    }
}
