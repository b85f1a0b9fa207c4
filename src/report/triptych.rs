//! Measured galaxies as data, model and what the model leaves, side by side.

use super::canvas::{Canvas, Pen, text_width};
use super::shown::{Shown, Stretch, brightest};
use crate::{Error, Result};
use std::path::Path;

/// White between galaxies and around the sheet, and between the three panels of one.
const GAP: usize = 32;
const SEAM: usize = 4;
const TITLE: Pen = Pen { size: 30.0, bold: true, grey: 0 };
const SUBTITLE: Pen = Pen { size: 18.0, bold: false, grey: 90 };
const HEADING: Pen = Pen { size: 18.0, bold: false, grey: 90 };
const NAME: Pen = Pen { size: 20.0, bold: true, grey: 0 };
const CAPTION: Pen = Pen { size: 18.0, bold: false, grey: 0 };
const FLAGS: Pen = Pen { size: 16.0, bold: false, grey: 110 };
/// From one line of a caption to the next, and their number.
const LINE: usize = 23;
const LINES: usize = 3;
const HEAD: usize = 104;
/// Between the head and the first panels, for what the panels are.
const HEADINGS: usize = 26;
/// Residuals of as many σ have the strongest colour.
const STRONGEST: f32 = 5.0;
/// Blue for what is too bright in the model, vermilion for what is missing in it (Okabe & Ito 2008), and darker ends.
const BELOW: [[f32; 3]; 2] = [[0.0, 114.0, 178.0], [0.0, 40.0, 90.0]];
const ABOVE: [[f32; 3]; 2] = [[213.0, 94.0, 0.0], [110.0, 30.0, 0.0]];
/// Pixels that were left out of the fit, and the line of the half-light ellipse.
const LEFT_OUT: [f32; 3] = [205.0, 205.0, 205.0];
const ELLIPSE: [f32; 3] = [213.0, 94.0, 0.0];
/// The colour bar.
const BAR: (usize, usize) = (256, 14);

/// One galaxy: pixels row-major, y up, all arrays as long.
#[derive(Clone, Debug)]
pub struct Triptych {
    /// Its identifier.
    pub id: String,
    /// Total AB magnitude.
    pub mag: f64,
    /// Half-light radius along the major axis, pixels.
    pub re_maj: f64,
    /// Sérsic index.
    pub n: f64,
    /// Axis ratio.
    pub q: f64,
    /// Position angle, degrees from +y counter-clockwise.
    pub pa: f64,
    /// Centre, FITS pixels of the stamp.
    pub centre: (f64, f64),
    /// Reduced χ².
    pub chi2: f64,
    /// Names of its flags.
    pub flags: String,
    /// The image.
    pub data: Vec<f32>,
    /// Galaxy and sky.
    pub model: Vec<f32>,
    /// Standard deviation of each pixel's noise; not positive where there are no data.
    pub sigma: Vec<f32>,
    /// Pixels that were left out.
    pub excluded: Vec<bool>,
    /// Level of the sky.
    pub sky: f64,
}

/// A sheet of triptychs in the making.
pub struct TriptychSheet {
    title: String,
    size: usize,
    room: usize,
    galaxies: Vec<Triptych>,
}

impl TriptychSheet {
    /// Galaxies on a sheet where nothing else is said.
    pub const GALAXIES: usize = 24;

    /// A sheet for `room` galaxies on stamps of `size`² pixels.
    pub fn new(title: impl Into<String>, size: usize, room: usize) -> Self {
        TriptychSheet { title: title.into(), size, room, galaxies: Vec::new() }
    }

    /// Whether no more are wanted.
    pub fn is_full(&self) -> bool {
        self.galaxies.len() >= self.room
    }

    /// Galaxies on it so far.
    pub fn len(&self) -> usize {
        self.galaxies.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.galaxies.is_empty()
    }

    /// Adds a galaxy, where there is room.
    ///
    /// # Errors
    /// [`Error::Usage`] for arrays that are not of the sheet's stamps.
    pub fn add(&mut self, galaxy: Triptych) -> Result<()> {
        let count = self.size * self.size;
        let lengths = [galaxy.data.len(), galaxy.model.len(), galaxy.sigma.len(), galaxy.excluded.len()];
        if lengths.iter().any(|&length| length != count) {
            return Err(Error::Usage(format!(
                "{}: a triptych of stamps of {}×{} pixels was given {lengths:?}",
                galaxy.id, self.size, self.size
            )));
        }
        if !self.is_full() {
            self.galaxies.push(galaxy);
        }
        Ok(())
    }

    /// Draws the sheet into a PNG at `path`, over an earlier one.
    ///
    /// # Errors
    /// [`Error::Usage`] for a sheet without galaxies, [`Error::Io`] where it cannot be drawn or written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let (canvas, _) = self.drawn().map_err(|e| match e {
            Error::Io { source, .. } => Error::io(path, "draw", source),
            other => other,
        })?;
        canvas.save(path)
    }

    /// The picture, and the side of its panels.
    fn drawn(&self) -> Result<(Canvas, usize)> {
        if self.galaxies.is_empty() {
            return Err(Error::Usage("a sheet of residuals needs at least one galaxy".into()));
        }
        let shown = Shown::of(self.size);
        let columns = self.galaxies.len().min(2);
        let rows = self.galaxies.len().div_ceil(columns);
        let wide = 3 * shown.side + 2 * SEAM;
        let (across, down) = (wide + GAP, shown.side + 10 + LINES * LINE + GAP);
        let top = GAP + HEAD + HEADINGS;
        let mut canvas = Canvas::new(GAP + columns * across, top + rows * down);
        let mut text = vec![
            (TITLE, (GAP, GAP), fitted(&self.title, TITLE, columns * across - GAP)),
            (SUBTITLE, (GAP, GAP + 40), SAID.to_owned()),
        ];
        // Beside the words where there is room, else under them.
        let bar = match columns {
            2 => (GAP + columns * across - GAP - BAR.0, GAP + 16),
            _ => (GAP + wide - BAR.0, GAP + HEAD - 40),
        };
        colour_bar(&mut canvas, bar, &mut text);
        for column in 0..columns {
            for (panel, words) in PANELS.iter().enumerate() {
                let x = GAP + column * across + panel * (shown.side + SEAM);
                // A lone column has the colour bar above its last panel.
                text.push((HEADING, (x, top - HEADINGS), (*words).to_owned()));
            }
        }
        for (i, galaxy) in self.galaxies.iter().enumerate() {
            let (x, y) = (GAP + i % columns * across, top + i / columns * down);
            galaxy.draw(&mut canvas, &shown, (x, y));
            let lines =
                [(NAME, galaxy.id.clone()), (CAPTION, galaxy.caption()), (FLAGS, galaxy.flags.clone())];
            for (line, (pen, words)) in lines.into_iter().enumerate() {
                text.push((pen, (x, y + shown.side + 10 + line * LINE), fitted(&words, pen, wide)));
            }
        }
        canvas.write(&text).map_err(|e| Error::io("the sheet", "draw", e))?;
        Ok((canvas, shown.side))
    }
}

/// What the panels are.
const PANELS: [&str; 3] = ["data", "model and half-light ellipse", "(data − model) / σ"];
const SAID: &str = "asinh(x / 3σ), alike for data and model; grey in the residual: left out of the fit";

impl Triptych {
    fn draw(&self, canvas: &mut Canvas, shown: &Shown, (x, y): (usize, usize)) {
        let noise = self.noise();
        let above = |pixels: &[f32]| -> Vec<f32> { pixels.iter().map(|p| p - self.sky as f32).collect() };
        let (data, model) = (above(&self.data), above(&self.model));
        // The galaxy's own light is to be seen, whatever shines beside it.
        let own = data.iter().zip(&self.excluded).filter(|(_, out)| !**out).map(|(value, _)| *value);
        let stretch = Stretch::new(3.0 * noise, brightest(own.chain(model.iter().copied())));
        let panel = |number: usize| (x + number * (shown.side + SEAM), y);
        for (number, pixels) in [&data, &model].into_iter().enumerate() {
            shown.draw(canvas, pixels, panel(number), |value, _| stretch.shade(value));
        }
        let residual: Vec<f32> = self
            .data
            .iter()
            .zip(&self.model)
            .zip(&self.sigma)
            .map(|((data, model), sigma)| if *sigma > 0.0 { (data - model) / sigma } else { 0.0 })
            .collect();
        shown.draw(canvas, &residual, panel(2), |value, _| diverging(value));
        let out: Vec<f32> = self.excluded.iter().map(|&out| f32::from(u8::from(out))).collect();
        shown.draw(canvas, &out, panel(2), |value, there| mixed(there, LEFT_OUT, 0.75 * value));
        self.outline(canvas, shown, panel(1));
    }

    /// The usual noise of its pixels.
    fn noise(&self) -> f32 {
        let mut known: Vec<f32> = self.sigma.iter().copied().filter(|s| *s > 0.0).collect();
        if known.is_empty() {
            return 1e-3 * brightest(self.data.iter().copied());
        }
        let middle = known.len() / 2;
        *known.select_nth_unstable_by(middle, f32::total_cmp).1
    }

    /// The half-light ellipse as a fine line.
    fn outline(&self, canvas: &mut Canvas, shown: &Shown, corner: (usize, usize)) {
        let (sin, cos) = self.pa.to_radians().sin_cos();
        let (major, minor) = (self.re_maj, self.re_maj * self.q);
        if !(major.is_finite() && minor.is_finite() && sin.is_finite()) {
            return;
        }
        let at = |angle: f64| {
            let (along, across) = (major * angle.cos(), minor * angle.sin());
            let place =
                (self.centre.0 - sin * along + cos * across, self.centre.1 + cos * along + sin * across);
            shown.place(corner, place)
        };
        // Steps of less than a pixel; each leaves its share on the four pixels about it.
        let zoom = shown.larger as f64 / shown.smaller as f64;
        let steps = (8.0 * major * zoom).ceil().clamp(64.0, 8192.0) as usize;
        let mut ink = std::collections::BTreeMap::<(usize, usize), f32>::new();
        for step in 0..steps {
            let (px, py) = at(std::f64::consts::TAU * step as f64 / steps as f64);
            let (left, top) = ((px - 0.5).floor(), (py - 0.5).floor());
            for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                let (cx, cy) = (left + dx, top + dy);
                let inside = |c: f64, start: usize| c >= start as f64 && c < (start + shown.side) as f64;
                if inside(cx, corner.0) && inside(cy, corner.1) {
                    let share = (1.0 - (px - 0.5 - cx).abs()) * (1.0 - (py - 0.5 - cy).abs());
                    let most = ink.entry((cx as usize, cy as usize)).or_default();
                    *most = most.max(share as f32);
                }
            }
        }
        for ((cx, cy), share) in ink {
            canvas.set(cx, cy, mixed(canvas.colour(cx, cy), ELLIPSE, share.min(1.0)));
        }
    }

    fn caption(&self) -> String {
        let number = |value: f64, decimals: usize| match value.is_finite() {
            true if value.abs() < 1e5 => format!("{value:.decimals$}"),
            true => format!("{value:.1e}"),
            false => "–".to_owned(),
        };
        format!(
            "mag {}   Rₑ {} px   n {}   q {}   χ² {}",
            number(self.mag, 2),
            number(self.re_maj, 2),
            number(self.n, 2),
            number(self.q, 3),
            number(self.chi2, 2)
        )
    }
}

/// The colour of a residual in units of σ: white at zero.
fn diverging(value: f32) -> [u8; 3] {
    let [colour, end] = if value < 0.0 { BELOW } else { ABOVE };
    let strength = (value.abs() / STRONGEST).min(1.0);
    // The pure colour at three quarters of the way.
    if strength < 0.75 {
        mixed([255; 3], colour, strength / 0.75)
    } else {
        mixed(colour.map(|c| c as u8), end, (strength - 0.75) / 0.25)
    }
}

/// A colour with a part of another in it.
fn mixed(colour: [u8; 3], other: [f32; 3], part: f32) -> [u8; 3] {
    let part = part.clamp(0.0, 1.0);
    std::array::from_fn(|i| (f32::from(colour[i]) * (1.0 - part) + other[i] * part).round() as u8)
}

/// What the residual's colours mean.
fn colour_bar(canvas: &mut Canvas, (x, y): (usize, usize), text: &mut Vec<(Pen, (usize, usize), String)>) {
    for column in 0..BAR.0 {
        let value = STRONGEST * (2.0 * column as f32 / (BAR.0 - 1) as f32 - 1.0);
        for row in 0..BAR.1 {
            canvas.set(x + column, y + row, diverging(value));
        }
    }
    for (value, words) in [(-5.0, "−5 σ"), (0.0, "0"), (5.0, "+5 σ")] {
        let width = text_width(words, HEADING.size / 1.164);
        let middle = x as f64 + BAR.0 as f64 * (0.5 + 0.1 * value);
        let left = (middle - 0.5 * width).clamp(x as f64, x as f64 + BAR.0 as f64 - width);
        text.push((HEADING, (left as usize, y + BAR.1 + 4), words.to_owned()));
    }
}

/// As much of a text as fits, with an ellipsis where it does not.
fn fitted(text: &str, pen: Pen, width: usize) -> String {
    // Bold letters are wider by an eighth at most.
    let em = pen.size / 1.164 * if pen.bold { 1.125 } else { 1.0 };
    if text_width(text, em) <= width as f64 {
        return text.to_owned();
    }
    let mut short: Vec<char> = text.chars().collect();
    while !short.is_empty() {
        short.pop();
        let shortened: String = short.iter().chain(['…'].iter()).collect();
        if text_width(&shortened, em) <= width as f64 {
            return shortened;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 32;

    /// A blob whose model misses a spot.
    fn galaxy(id: &str) -> Triptych {
        let model: Vec<f32> = (0..SIZE * SIZE)
            .map(|i| {
                let (dx, dy) = ((i % SIZE) as f32 - 15.5, (i / SIZE) as f32 - 15.5);
                (-(dx * dx + dy * dy) / 30.0).exp() + 0.1
            })
            .collect();
        let mut data = model.clone();
        data[2 * SIZE + 3] += 0.1;
        data[29 * SIZE + 3] -= 0.1;
        let mut excluded = vec![false; SIZE * SIZE];
        excluded[29 * SIZE + 28] = true;
        Triptych {
            id: id.to_owned(),
            mag: 20.5,
            re_maj: 4.0,
            n: 1.5,
            q: 0.5,
            pa: 0.0,
            centre: (16.5, 16.5),
            chi2: 1.05,
            flags: "CUT|LOW_SNR".to_owned(),
            data,
            model,
            sigma: vec![0.01; SIZE * SIZE],
            excluded,
            sky: 0.1,
        }
    }

    fn sheet(count: usize) -> TriptychSheet {
        let mut sheet = TriptychSheet::new("a title", SIZE, TriptychSheet::GALAXIES);
        (0..count).for_each(|i| sheet.add(galaxy(&format!("galaxy {i}"))).unwrap());
        sheet
    }

    #[test]
    fn what_the_model_misses_is_warm_what_it_has_too_much_cold_and_what_is_left_out_grey() {
        let (canvas, side) = sheet(1).drawn().unwrap();
        let shown = Shown::of(SIZE);
        let corner = (GAP + 2 * (side + SEAM), GAP + HEAD + HEADINGS);
        let at = |x: f64, y: f64| {
            let (px, py) = shown.place(corner, (x, y));
            canvas.colour(px as usize, py as usize)
        };
        assert_eq!(at(4.0, 3.0), [110, 30, 0]);
        assert_eq!(at(4.0, 30.0), [0, 40, 90]);
        assert_eq!(at(16.0, 16.0), [255; 3]);
        let [red, green, blue] = at(29.0, 30.0);
        assert!(red == green && green == blue && red < 230);
    }

    #[test]
    fn data_and_model_are_drawn_alike_with_the_ellipse_on_the_model() {
        let (canvas, side) = sheet(1).drawn().unwrap();
        let shown = Shown::of(SIZE);
        let at = |panel: usize, x: f64, y: f64| {
            let corner = (GAP + panel * (side + SEAM), GAP + HEAD + HEADINGS);
            let (px, py) = shown.place(corner, (x, y));
            canvas.colour(px as usize, py as usize)
        };
        for place in [(16.0, 17.0), (10.0, 12.0), (1.0, 1.0)] {
            assert_eq!(at(0, place.0, place.1), at(1, place.0, place.1));
        }
        assert!(at(0, 16.0, 16.0)[0] < 10 && at(0, 1.0, 1.0)[0] > 150);
        // The end of its major axis, four pixels up.
        let [red, green, blue] = at(1, 16.5, 20.5);
        assert!(red > green && green > blue, "{red} {green} {blue}");
    }

    #[test]
    fn the_sheet_has_room_for_all_and_no_more_than_wanted() {
        let mut few = TriptychSheet::new("", SIZE, 2);
        for i in 0..5 {
            assert_eq!(few.is_full(), i >= 2);
            few.add(galaxy("x")).unwrap();
        }
        assert_eq!(few.len(), 2);
        let folder = tempfile::tempdir().unwrap();
        for count in [1, 2, 5] {
            let path = folder.path().join(format!("{count}.png"));
            sheet(count).save(&path).unwrap();
            let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
            let info = png::Decoder::new(file).read_info().unwrap().info().clone();
            let (columns, rows) = (count.min(2), count.div_ceil(2));
            let side = Shown::of(SIZE).side;
            assert_eq!(info.width as usize, GAP + columns * (3 * side + 2 * SEAM + GAP));
            let down = side + 10 + LINES * LINE + GAP;
            assert_eq!(info.height as usize, GAP + HEAD + HEADINGS + rows * down);
            assert_eq!(info.color_type, png::ColorType::Rgb);
        }
        assert!(sheet(0).is_empty() && sheet(0).save(&folder.path().join("none.png")).is_err());
        let mut wrong = galaxy("odd");
        wrong.sigma.pop();
        assert!(sheet(1).add(wrong).unwrap_err().to_string().contains("odd: a triptych"));
    }

    #[test]
    fn stamps_of_nothing_and_values_that_are_not_known_are_drawn() {
        let mut sheet = TriptychSheet::new("a title that is far too long ".repeat(20), SIZE, 3);
        let mut blank = galaxy(&"name ".repeat(100));
        blank.sigma.fill(0.0);
        blank.excluded.fill(true);
        (blank.chi2, blank.mag, blank.pa) = (f64::NAN, f64::INFINITY, f64::NAN);
        blank.data.fill(0.0);
        assert_eq!(blank.caption(), "mag –   Rₑ 4.00 px   n 1.50   q 0.500   χ² –");
        sheet.add(blank).unwrap();
        sheet.drawn().unwrap();
        assert!(fitted(&"wide ".repeat(40), CAPTION, 200).ends_with('…'));
    }
}
