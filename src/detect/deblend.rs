//! A composite taken apart: the tree of its components at rising thresholds, cut where two branches both have a fair part
//! of the light; its faint pixels are then dealt out to the branches.

use super::components::Pixel;
use super::isophote::{Ellipse, Isophote};
use super::settings::Settings;
use crate::rng::{self, Stream};

/// The sources in a connected set of pixels above `threshold` (the lowest of theirs), which come sorted by row and column
/// and leave so; the pixels of all of them together are the given ones.
pub(super) fn deblend(pixels: Vec<Pixel>, threshold: f64, settings: &Settings) -> Vec<Vec<Pixel>> {
    if settings.deblend_levels < 2 {
        return vec![pixels];
    }
    let map = Map::new(&pixels);
    let levels = Levels::new(&pixels, threshold, settings.deblend_levels);
    let branches = Tree::new(&pixels, &map, &levels).branches(settings);
    if branches.len() < 2 {
        return vec![pixels];
    }
    let cores: Vec<Core> = branches
        .into_iter()
        .map(|(seed, level)| Core::grow(seed, level, &pixels, &map, &levels, settings.min_area))
        .collect();
    deal(pixels, &cores, settings.seed)
}

/// Where in the list each pixel of the bounding box stands.
struct Map {
    x: u32,
    y: u32,
    width: usize,
    height: usize,
    indices: Vec<u32>,
}

/// No pixel of the list.
const NONE: u32 = u32::MAX;

impl Map {
    fn new(pixels: &[Pixel]) -> Self {
        let range = |of: fn(&Pixel) -> u32| {
            pixels.iter().map(of).fold((NONE, 0), |(low, high), v| (low.min(v), high.max(v)))
        };
        let ((x, right), (y, top)) = (range(|p| p.x), range(|p| p.y));
        let (width, height) = ((right - x) as usize + 1, (top - y) as usize + 1);
        let mut map = Map { x, y, width, height, indices: vec![NONE; width * height] };
        for (i, pixel) in pixels.iter().enumerate() {
            let at = (pixel.y - y) as usize * width + (pixel.x - x) as usize;
            map.indices[at] = i as u32;
        }
        map
    }

    /// The list's pixels that touch one of it, at a side or a corner; the one itself is among them.
    fn around(&self, pixel: &Pixel) -> impl Iterator<Item = usize> {
        let (x, y) = ((pixel.x - self.x) as usize, (pixel.y - self.y) as usize);
        let columns = x.saturating_sub(1)..(x + 2).min(self.width);
        let rows = y.saturating_sub(1)..(y + 2).min(self.height);
        rows.flat_map(move |y| columns.clone().map(move |x| self.indices[y * self.width + x]))
            .filter(|&i| i != NONE)
            .map(|i| i as usize)
    }
}

/// Thresholds from the lowest to just below the peak, evenly spaced in the logarithm, and the highest that each pixel passes.
struct Levels {
    thresholds: Vec<f64>,
    of: Vec<usize>,
}

impl Levels {
    fn new(pixels: &[Pixel], threshold: f64, count: usize) -> Self {
        let peak = pixels.iter().map(|p| f64::from(p.smooth)).fold(threshold, f64::max);
        let at = |k: usize| threshold * (peak / threshold).powf(k as f64 / count as f64);
        let thresholds: Vec<f64> = (0..count).map(at).collect();
        let level = |p: &Pixel| thresholds.partition_point(|&t| t < f64::from(p.smooth)).saturating_sub(1);
        let of = pixels.iter().map(level).collect();
        Levels { thresholds, of }
    }
}

/// A component at one level that is large enough.
struct Node {
    /// One of its pixels.
    seed: usize,
    size: usize,
    flux: f64,
    /// Nothing in it has been taken apart.
    whole: bool,
}

/// Components that grow as the threshold falls.
struct Tree<'a> {
    pixels: &'a [Pixel],
    map: &'a Map,
    levels: &'a Levels,
    /// Union-find: a pixel's parent, itself at a root; `NONE` below the threshold.
    parents: Vec<u32>,
    /// Of roots: pixels and smoothed light.
    sizes: Vec<usize>,
    fluxes: Vec<f64>,
}

impl<'a> Tree<'a> {
    fn new(pixels: &'a [Pixel], map: &'a Map, levels: &'a Levels) -> Self {
        let n = pixels.len();
        Tree { pixels, map, levels, parents: vec![NONE; n], sizes: vec![0; n], fluxes: vec![0.0; n] }
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.parents[i] as usize != i {
            let next = self.parents[i] as usize;
            self.parents[i] = self.parents[next];
            i = next;
        }
        i
    }

    fn raise(&mut self, i: usize) {
        self.parents[i] = i as u32;
        self.sizes[i] = 1;
        self.fluxes[i] = f64::from(self.pixels[i].smooth);
        let (pixels, map) = (self.pixels, self.map);
        for other in map.around(&pixels[i]) {
            if self.parents[other] == NONE {
                continue;
            }
            let (a, b) = (self.root(i), self.root(other));
            if a != b {
                let (large, small) = if self.sizes[a] >= self.sizes[b] { (a, b) } else { (b, a) };
                self.parents[small] = large as u32;
                self.sizes[large] += self.sizes[small];
                self.fluxes[large] += self.fluxes[small];
            }
        }
    }

    /// A pixel of each branch that is a source of its own, and the level at which it is one.
    fn branches(mut self, settings: &Settings) -> Vec<(usize, usize)> {
        let least = settings.deblend_contrast * self.pixels.iter().map(|p| f64::from(p.smooth)).sum::<f64>();
        let mut by_level = vec![Vec::new(); self.levels.thresholds.len()];
        for (i, &level) in self.levels.of.iter().enumerate() {
            by_level[level].push(i);
        }
        let mut branches = Vec::new();
        let mut above: Vec<Node> = Vec::new();
        for (level, pixels) in by_level.iter().enumerate().rev() {
            pixels.iter().for_each(|&i| self.raise(i));
            let children: Vec<(usize, Node)> =
                above.into_iter().map(|node| (self.root(node.seed), node)).collect();
            let mut roots: Vec<usize> = children.iter().map(|c| c.0).collect();
            roots.extend(pixels.iter().map(|&i| self.root(i)));
            roots.sort_unstable();
            roots.dedup();
            roots.retain(|&root| self.sizes[root] >= settings.min_area);
            let mut nodes: Vec<Node> = roots
                .iter()
                .map(|&root| Node {
                    seed: root,
                    size: self.sizes[root],
                    flux: self.fluxes[root],
                    whole: true,
                })
                .collect();
            let mut fair = vec![0; nodes.len()];
            let higher = self.levels.thresholds.get(level + 1).copied().unwrap_or(f64::INFINITY);
            let is_fair = |node: &Node| node.flux - higher * node.size as f64 > least;
            // A child's component is no smaller than it, so its root is among them.
            let place = |root: usize| roots.binary_search(&root).ok();
            for (root, child) in &children {
                let Some(i) = place(*root) else { continue };
                nodes[i].whole &= child.whole;
                fair[i] += usize::from(is_fair(child));
            }
            for (root, child) in &children {
                let Some(i) = place(*root).filter(|&i| fair[i] > 1) else { continue };
                nodes[i].whole = false;
                if child.whole && is_fair(child) {
                    branches.push((child.seed, level + 1));
                }
            }
            above = nodes;
        }
        branches
    }
}

/// A branch's own pixels and the Gaussian that their moments describe.
struct Core {
    members: Vec<usize>,
    x: f64,
    y: f64,
    ellipse: Ellipse,
    /// What the moments were multiplied with by their truncation.
    truncation: f64,
    amplitude: f64,
}

impl Core {
    /// From a pixel, over those that touch and pass the level.
    fn grow(
        seed: usize,
        level: usize,
        pixels: &[Pixel],
        map: &Map,
        levels: &Levels,
        min_area: usize,
    ) -> Self {
        let mut seen = std::collections::HashSet::from([seed]);
        let mut members = vec![seed];
        let mut next = 0;
        while let Some(&i) = members.get(next) {
            next += 1;
            for other in map.around(&pixels[i]) {
                if levels.of[other] >= level && seen.insert(other) {
                    members.push(other);
                }
            }
        }
        members.sort_unstable();
        let own: Vec<Pixel> = members.iter().map(|&i| pixels[i]).collect();
        let isophote = Isophote::measure(&own, levels.thresholds[level], min_area);
        // A Gaussian that covers so many pixels above the threshold has its peak so far above it; no more is believed than
        // four times the peak that is seen.
        let height = (isophote.area as f64 / isophote.gaussian_area()).exp();
        Core {
            members,
            x: isophote.x,
            y: isophote.y,
            ellipse: isophote.ellipse(),
            truncation: isophote.truncation(),
            amplitude: (isophote.threshold * height).min(4.0 * isophote.smooth_peak),
        }
    }

    /// Half the squared distance of a pixel in the Gaussian's σ.
    fn distance(&self, pixel: &Pixel) -> f64 {
        let (dx, dy) = (f64::from(pixel.x) - self.x, f64::from(pixel.y) - self.y);
        0.5 * self.truncation * self.ellipse.square(dx, dy)
    }
}

/// Gives each core its pixels, and every other pixel to one of them by lot, the chances being in proportion to what the
/// cores' Gaussians have there; where these are all nothing, to the nearest. The lot depends on the pixel's place alone.
fn deal(pixels: Vec<Pixel>, cores: &[Core], seed: u64) -> Vec<Vec<Pixel>> {
    let mut owners = vec![NONE; pixels.len()];
    for (owner, core) in cores.iter().enumerate() {
        core.members.iter().for_each(|&i| owners[i] = owner as u32);
    }
    let mut shares = vec![0.0; cores.len()];
    let mut dealt = vec![Vec::new(); cores.len()];
    for (pixel, owner) in pixels.into_iter().zip(owners) {
        let owner = if owner == NONE {
            let mut total = 0.0;
            for (core, share) in cores.iter().zip(&mut shares) {
                total += core.amplitude * (-core.distance(&pixel)).exp();
                *share = total;
            }
            if total > 1e-30 {
                let word = rng::philox([pixel.x, pixel.y, 0, Stream::Deblending as u32], rng::key(seed))[0];
                let drawn = total * f64::from(rng::unit_f32(word));
                shares.partition_point(|&share| share <= drawn).min(cores.len() - 1)
            } else {
                let distance = |i: &usize| cores[*i].distance(&pixel);
                (0..cores.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
            }
        } else {
            owner as usize
        };
        dealt[owner].push(pixel);
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaussians (x, y, σ, peak) on 60×40 pixels, above 1.
    fn composite(gaussians: &[(f64, f64, f64, f64)]) -> Vec<Pixel> {
        let all = (0..40u32).flat_map(|y| (0..60u32).map(move |x| (x, y)));
        all.map(|(x, y)| {
            let light = gaussians.iter().map(|&(u, v, sigma, peak)| {
                let r2 = (f64::from(x) - u).powi(2) + (f64::from(y) - v).powi(2);
                peak * (-0.5 * r2 / (sigma * sigma)).exp()
            });
            let value = light.sum::<f64>() as f32;
            Pixel { x, y, value, smooth: value, rms: 1.0 }
        })
        .filter(|p| p.smooth > 1.0)
        .collect()
    }

    #[test]
    fn two_gaussians_are_split_and_share_all_pixels() {
        let pixels = composite(&[(20.2, 20.0, 3.0, 100.0), (31.0, 21.4, 3.0, 40.0)]);
        let sources = deblend(pixels.clone(), 1.0, &Settings::default());
        assert_eq!(sources.len(), 2);
        let mut together: Vec<Pixel> = sources.concat();
        together.sort_unstable_by_key(|p| (p.y, p.x));
        assert_eq!(together, pixels);
        let fluxes: Vec<f64> = sources.iter().map(|s| Isophote::measure(s, 1.0, 5).flux).collect();
        let ratio = fluxes.iter().copied().fold(f64::INFINITY, f64::min) / fluxes.iter().sum::<f64>();
        assert!((ratio - 40.0 / 140.0).abs() < 0.02, "{ratio}");
    }

    #[test]
    fn contrast_and_levels_decide_what_is_a_source() {
        let pixels = composite(&[(20.0, 20.0, 3.0, 100.0), (34.0, 20.0, 2.0, 10.0)]);
        let count = |settings| deblend(pixels.clone(), 1.0, &settings).len();
        assert_eq!(count(Settings::default()), 2);
        assert_eq!(count(Settings { deblend_contrast: 0.1, ..Settings::default() }), 1);
        assert_eq!(count(Settings { deblend_levels: 1, ..Settings::default() }), 1);
        assert_eq!(count(Settings { deblend_levels: 0, ..Settings::default() }), 1);
    }

    #[test]
    fn one_gaussian_stays_whole_and_four_are_found() {
        let pixels = composite(&[(20.0, 20.0, 4.0, 1e5)]);
        assert_eq!(deblend(pixels.clone(), 1.0, &Settings::default()), [pixels]);
        let four: Vec<(f64, f64, f64, f64)> =
            [(10.0, 10.0), (22.0, 11.0), (15.0, 22.0), (28.0, 24.0)].map(|(x, y)| (x, y, 2.5, 50.0)).to_vec();
        assert_eq!(deblend(composite(&four), 1.0, &Settings::default()).len(), 4);
    }
}
