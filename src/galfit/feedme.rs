//! GALFIT's input file, which its users call a feedme: the files of a fit and the first values of its components.

use super::initial::Initial;
use std::fmt;

/// The sky under a galaxy.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sky {
    /// Held at this level, in the image's unit.
    Held(f64),
    /// Fitted, from this level on.
    Fitted(f64),
}

/// One fit of one Sérsic profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedme {
    /// The image; files are named as seen from where GALFIT runs.
    pub image: String,
    /// The output block.
    pub block: String,
    /// The noise of each pixel; GALFIT's own estimate where there is none.
    pub sigma: Option<String>,
    /// The PSF, at the image's sampling.
    pub psf: Option<String>,
    /// Pixels that do not count.
    pub mask: Option<String>,
    /// The limits.
    pub constraints: Option<String>,
    /// Columns and rows of the image, all of which are fitted.
    pub size: (usize, usize),
    /// Side of the box that is convolved, pixels.
    pub convolution: usize,
    /// Magnitude of one unit of the image in one second, its `EXPTIME` being 1.
    pub zero_point: f64,
    /// Pixel scale, arcsec; 1 where it is not known, as nothing is in arcsec.
    pub pixel_scale: f64,
    /// First values.
    pub initial: Initial,
    /// The sky.
    pub sky: Sky,
}

impl fmt::Display for Feedme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |file: &Option<String>| file.clone().unwrap_or_else(|| "none".to_owned());
        let Feedme { size, convolution, initial, pixel_scale, .. } = self;
        // As GALFIT writes them: the files' letters at the margin, the components' keys two wide.
        let mut line =
            |key: &str, value: String, meaning: &str| writeln!(f, "{key}) {value:<32} # {meaning}");
        line("A", self.image.clone(), "input data image")?;
        line("B", self.block.clone(), "output data image block")?;
        line("C", or_none(&self.sigma), "sigma image")?;
        line("D", or_none(&self.psf), "input PSF image")?;
        line("E", "1".into(), "PSF fine sampling factor relative to data")?;
        line("F", or_none(&self.mask), "bad pixel mask")?;
        line("G", or_none(&self.constraints), "file with parameter constraints")?;
        line("H", format!("1 {} 1 {}", size.0, size.1), "image region to fit (xmin xmax ymin ymax)")?;
        line("I", format!("{convolution} {convolution}"), "size of the convolution box (x y)")?;
        line("J", format!("{:.5}", self.zero_point), "magnitude photometric zeropoint")?;
        line("K", format!("{pixel_scale} {pixel_scale}"), "plate scale (dx dy) [arcsec per pixel]")?;
        line("O", "regular".into(), "display type (regular, curses, both)")?;
        line("P", "0".into(), "0: optimise, 1: model, 2: image block, 3: components")?;
        line(" 0", "sersic".into(), "component 1: the galaxy; then value, and 1 for what is fitted")?;
        line(" 1", format!("{:.4} {:.4} 1 1", initial.x, initial.y), "position x, y [pixel]")?;
        line(" 3", format!("{:.4} 1", initial.mag), "integrated magnitude")?;
        line(
            " 4",
            format!("{:.4} 1", initial.re_maj),
            "R_e, half-light radius along the major axis [pixel]",
        )?;
        line(" 5", format!("{:.4} 1", initial.n), "Sersic index")?;
        line(" 9", format!("{:.4} 1", initial.q), "axis ratio (b/a)")?;
        line("10", format!("{:.4} 1", initial.pa), "position angle [degrees: up=0, left=90]")?;
        line(" Z", "0".into(), "subtract it from the image")?;
        let (level, fitted) = match self.sky {
            Sky::Held(level) => (level, 0),
            Sky::Fitted(level) => (level, 1),
        };
        line(" 0", "sky".into(), "component 2")?;
        line(" 1", format!("{level:.6e} {fitted}"), "sky background")?;
        line(" 2", "0.0 0".into(), "dsky/dx")?;
        line(" 3", "0.0 0".into(), "dsky/dy")?;
        line(" Z", "0".into(), "subtract it from the image")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_feedme_is_there_with_its_value() {
        let feedme = Feedme {
            image: "image.fits".into(),
            block: "block.fits".into(),
            sigma: Some("sigma.fits".into()),
            psf: Some("../../psf.fits".into()),
            mask: None,
            constraints: Some("../../constraints.txt".into()),
            size: (128, 97),
            convolution: 201,
            zero_point: 25.9463,
            pixel_scale: 0.06,
            initial: Initial { x: 64.25, y: 48.5, mag: 21.125, re_maj: 7.5, n: 2.5, q: 0.625, pa: -33.0 },
            sky: Sky::Held(-2e-4),
        };
        let text = feedme.to_string();
        let found: Vec<(&str, Vec<&str>)> = text
            .lines()
            .map(|line| {
                let (key, rest) = line.split_once(')').unwrap();
                (key.trim(), rest.split('#').next().unwrap().split_whitespace().collect())
            })
            .collect();
        let expected = [
            ("A", "image.fits"),
            ("B", "block.fits"),
            ("C", "sigma.fits"),
            ("D", "../../psf.fits"),
            ("E", "1"),
            ("F", "none"),
            ("G", "../../constraints.txt"),
            ("H", "1 128 1 97"),
            ("I", "201 201"),
            ("J", "25.94630"),
            ("K", "0.06 0.06"),
            ("O", "regular"),
            ("P", "0"),
            ("0", "sersic"),
            ("1", "64.2500 48.5000 1 1"),
            ("3", "21.1250 1"),
            ("4", "7.5000 1"),
            ("5", "2.5000 1"),
            ("9", "0.6250 1"),
            ("10", "-33.0000 1"),
            ("Z", "0"),
            ("0", "sky"),
            ("1", "-2.000000e-4 0"),
            ("2", "0.0 0"),
            ("3", "0.0 0"),
            ("Z", "0"),
        ];
        assert_eq!(found, expected.map(|(key, value)| (key, value.split(' ').collect::<Vec<_>>())));
        let fitted = Feedme { sky: Sky::Fitted(0.5), ..feedme }.to_string();
        assert!(fitted.contains(" 1) 5.000000e-1 1 "), "{fitted}");
    }
}
