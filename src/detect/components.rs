//! Pixels that hang together, found row by row: what has no pixel on the latest row is complete. So memory holds the rows
//! in work and the components that reach them, however large the image.

/// A pixel above the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pixel {
    /// Column, counted from 0 at the image's first.
    pub(super) x: u32,
    /// Row.
    pub(super) y: u32,
    /// Above the sky.
    pub(super) value: f32,
    /// The same, smoothed.
    pub(super) smooth: f32,
    /// Standard deviation of the noise.
    pub(super) rms: f32,
}

/// Pixels side by side on a row, and the place of the component they belong to.
#[derive(Clone, Copy)]
struct Run {
    first: u32,
    last: u32,
    place: usize,
}

/// Collects components; pixels that touch at a corner hang together.
#[derive(Default)]
pub(super) struct Components {
    /// The components that are not complete, by place.
    open: Vec<Vec<Pixel>>,
    /// Places that hold none.
    free: Vec<usize>,
    /// Where a place's component went when another swallowed it on this row; itself otherwise.
    moved: Vec<usize>,
    /// The runs of the row before.
    before: Vec<Run>,
}

impl Components {
    /// Adds the next row's pixels, in order, and gives the components that are complete, their pixels by row and column.
    pub(super) fn row(&mut self, pixels: &[Pixel]) -> Vec<Vec<Pixel>> {
        let mut runs: Vec<Run> = Vec::new();
        let mut candidate = 0;
        for run in pixels.chunk_by(|a, b| b.x == a.x + 1) {
            let (first, last) = (run[0].x, run[run.len() - 1].x);
            while self.before.get(candidate).is_some_and(|b| b.last + 1 < first) {
                candidate += 1;
            }
            let mut place = None;
            let touching = self.before[candidate..].iter().take_while(|b| b.first <= last + 1);
            for other in touching.map(|b| b.place).collect::<Vec<_>>() {
                let other = self.find(other);
                place = Some(match place {
                    Some(place) => self.join(place, other),
                    None => other,
                });
            }
            let place = place.unwrap_or_else(|| self.new_place());
            self.open[place].extend_from_slice(run);
            runs.push(Run { first, last, place });
        }
        for run in &mut runs {
            run.place = self.find(run.place);
        }
        let mut lives = vec![false; self.open.len()];
        runs.iter().for_each(|run| lives[run.place] = true);
        let before = std::mem::replace(&mut self.before, runs);
        self.close(before.iter().map(|run| run.place), &lives)
    }

    /// The components that reach the last row.
    pub(super) fn finish(mut self) -> Vec<Vec<Pixel>> {
        self.row(&[])
    }

    fn new_place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.open.push(Vec::new());
            self.moved.push(self.moved.len());
            self.open.len() - 1
        })
    }

    fn find(&self, mut place: usize) -> usize {
        while self.moved[place] != place {
            place = self.moved[place];
        }
        place
    }

    /// The smaller goes to the larger.
    fn join(&mut self, a: usize, b: usize) -> usize {
        if a == b {
            return a;
        }
        let (larger, smaller) = if self.open[a].len() >= self.open[b].len() { (a, b) } else { (b, a) };
        let pixels = std::mem::take(&mut self.open[smaller]);
        self.open[larger].extend(pixels);
        self.moved[smaller] = larger;
        larger
    }

    /// Takes out what had pixels on the row before and has none on this.
    fn close(&mut self, places: impl Iterator<Item = usize>, lives: &[bool]) -> Vec<Vec<Pixel>> {
        let mut complete = Vec::new();
        for place in places {
            if lives[place] || (self.moved[place] == place && self.open[place].is_empty()) {
                continue;
            }
            if self.moved[place] == place {
                let mut pixels = std::mem::take(&mut self.open[place]);
                pixels.sort_unstable_by_key(|p| (p.y, p.x));
                complete.push(pixels);
            } else {
                self.moved[place] = place;
            }
            self.free.push(place);
        }
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn components(image: &[&str]) -> Vec<usize> {
        let mut found = Components::default();
        let mut complete = Vec::new();
        for (y, row) in image.iter().enumerate() {
            let pixels: Vec<Pixel> = row
                .bytes()
                .enumerate()
                .filter(|(_, c)| *c == b'#')
                .map(|(x, _)| Pixel { x: x as u32, y: y as u32, value: 1.0, smooth: 1.0, rms: 1.0 })
                .collect();
            complete.extend(found.row(&pixels));
        }
        complete.extend(found.finish());
        let mut sizes: Vec<usize> = complete.iter().map(Vec::len).collect();
        sizes.sort_unstable();
        sizes
    }

    #[test]
    fn corners_touch() {
        assert_eq!(components(&["#..#", ".#..", "...."]), [1, 2]);
        assert_eq!(components(&["#.#", "...", "#.#"]), [1, 1, 1, 1]);
    }

    #[test]
    fn arms_that_meet_late_are_one() {
        assert_eq!(components(&["#.#.#.#", "#.#.#.#", "#####.#", "....#.#", "....###"]), [19]);
        // A spiral, whose inside another component fills.
        assert_eq!(components(&["#######", "#.....#", "#.###.#", "#.....#", "#######"]), [3, 20]);
    }

    #[test]
    fn places_are_used_again() {
        let comb = ["#.#.#.#.#", "#########", ".........", "#.#.#.#.#", "#########"];
        assert_eq!(components(&comb), [14, 14]);
        assert_eq!(components(&["###", "...", "###", "...", "###"]), [3, 3, 3]);
    }

    #[test]
    fn components_are_those_of_a_flood_fill() {
        // A pseudo-random pattern of the density at which components are longest and most branched.
        let (width, height) = (61, 47);
        let lit: Vec<bool> = (0..width * height)
            .map(|i| crate::rng::philox([i as u32, 0, 0, 8], [1, 0])[0] % 100 < 40)
            .collect();
        let rows: Vec<String> =
            lit.chunks(width).map(|row| row.iter().map(|&l| if l { '#' } else { '.' }).collect()).collect();
        let mut seen = vec![false; lit.len()];
        let mut expected = Vec::new();
        for start in 0..lit.len() {
            let mut stack = vec![start];
            let mut size = 0;
            while let Some(i) = stack.pop() {
                if !lit[i] || std::mem::replace(&mut seen[i], true) {
                    continue;
                }
                size += 1;
                let (x, y) = (i % width, i / width);
                for v in y.saturating_sub(1)..(y + 2).min(height) {
                    stack.extend((x.saturating_sub(1)..(x + 2).min(width)).map(|u| v * width + u));
                }
            }
            if size > 0 {
                expected.push(size);
            }
        }
        expected.sort_unstable();
        assert_eq!(components(&rows.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }
}
