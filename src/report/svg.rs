//! A sketch as SVG: colours as attributes, so that the file stands alone, and classes, so that a page can change them.
//! There are no identifiers, so any number of drawings can stand in one page.

use super::html::escape;
use super::sketch::{Anchor, DASH, Mark, Place, Sketch};
use std::fmt::Write;

/// What text is set in: the first that the reader's machine has; all are about as wide.
const FAMILIES: &str = "DejaVu Sans, Verdana, Bitstream Vera Sans, Geneva, sans-serif";

/// The drawing, told to those who cannot see it as `title`.
pub(super) fn svg(sketch: &Sketch, title: &str) -> String {
    let (w, h) = (sketch.width, sketch.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" \
         role=\"img\" font-family=\"{FAMILIES}\"><title>{}</title>\n",
        escape(title)
    );
    for mark in &sketch.marks {
        // Writing to a string cannot fail.
        let _ = write(&mut out, mark);
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn write(out: &mut String, mark: &Mark) -> std::fmt::Result {
    match mark {
        Mark::Line { through, ink, width, dashed } => {
            let (class, colour) = (ink.class(), colour(ink.rgb()));
            let dash =
                if *dashed { format!(" stroke-dasharray=\"{} {}\"", DASH.0, DASH.1) } else { String::new() };
            write!(
                out,
                "<polyline class=\"{class} stroke\" points=\"{}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"{width}\" stroke-linejoin=\"round\"{dash}/>",
                places(through)
            )
        }
        Mark::Area { corners, ink, opacity } => {
            let (class, colour) = (ink.class(), colour(ink.rgb()));
            write!(
                out,
                "<polygon class=\"{class} fill\" points=\"{}\" fill=\"{colour}\"{}/>",
                places(corners),
                opacity_attribute(*opacity)
            )
        }
        Mark::Discs { centres, radius, ink, opacity } => {
            let (class, colour) = (ink.class(), colour(ink.rgb()));
            write!(out, "<g class=\"{class} fill\" fill=\"{colour}\"{}>", opacity_attribute(*opacity))?;
            for &(x, y) in centres {
                write!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>", number(x), number(y))?;
            }
            out.push_str("</g>");
            Ok(())
        }
        Mark::Words { at: (x, y), text, size, bold, ink, anchor, upright } => {
            let (class, colour, x, y) = (ink.class(), colour(ink.rgb()), number(*x), number(*y));
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let weight = if *bold { " font-weight=\"bold\"" } else { "" };
            let turn = if *upright { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            write!(
                out,
                "<text class=\"{class} fill\" x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
                 fill=\"{colour}\"{weight}{turn}>{}</text>",
                escape(text)
            )
        }
    }
}

fn colour((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn opacity_attribute(opacity: f64) -> String {
    if opacity < 1.0 { format!(" fill-opacity=\"{}\"", number(opacity)) } else { String::new() }
}

fn places(places: &[Place]) -> String {
    places.iter().map(|&(x, y)| format!("{},{}", number(x), number(y))).collect::<Vec<_>>().join(" ")
}

/// Two decimals at most: a fiftieth of a pixel of any screen.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
