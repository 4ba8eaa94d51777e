//! A scene as SVG.

use std::fmt::Write as _;

use super::scene::{Anchor, Color, Scene, Shape, Text};
use crate::node_type::font::Weight;

/// Programs that don't have the font take one of these.
const FONTS: &str = "Lato, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

/// Returns the text of the file.
pub(super) fn write(scene: &Scene) -> String {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"{FONTS}\">\n"
    );
    if !scene.title.is_empty() {
        let _ = writeln!(out, "<title>{}</title>", escaped(&scene.title));
    }
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\"{}/>", paint("fill", scene.background));
    for shape in &scene.shapes {
        match shape {
            Shape::Box { area, radius, fill } => {
                let _ = write!(
                    out,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                    number(area.x),
                    number(area.y),
                    number(area.width),
                    number(area.height)
                );
                if *radius > 0.0 {
                    let _ = write!(out, " rx=\"{}\"", number(*radius));
                }
                let _ = writeln!(out, "{}/>", paint("fill", *fill));
            }
            Shape::Polygon { corners, fill } => {
                let _ = writeln!(out, "<polygon points=\"{}\"{}/>", places(corners), paint("fill", *fill));
            }
            Shape::Line { points, width, color } => {
                let _ = writeln!(
                    out,
                    "<polyline points=\"{}\" fill=\"none\" stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"{}/>",
                    places(points),
                    number(*width),
                    paint("stroke", *color)
                );
            }
            Shape::Circle { center: (x, y), radius, fill } => {
                let (x, y, radius) = (number(*x), number(*y), number(*radius));
                let _ =
                    writeln!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{}/>", paint("fill", *fill));
            }
            Shape::Text(text) => text_element(&mut out, text),
        }
    }
    out.push_str("</svg>\n");
    out
}

fn text_element(out: &mut String, text: &Text) {
    let (x, y) = (number(text.at.0), number(text.at.1));
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = if text.ty.weight == Weight::Heavy { " font-weight=\"800\"" } else { "" };
    let turned = match text.angle {
        0.0 => String::new(),
        angle => format!(" transform=\"rotate({} {x} {y})\"", number(angle)),
    };
    // The size of a font is measured from line to line here, and within its square there.
    let size = number(text.ty.size / 1.2);
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{weight}{anchor}{turned}{}>{}</text>",
        paint("fill", text.color),
        escaped(&text.text)
    );
}

fn paint(what: &str, color: Color) -> String {
    let [r, g, b, a] = color.0;
    let opacity = if a == 255 {
        String::new()
    } else {
        format!(" {what}-opacity=\"{}\"", number(f32::from(a) / 255.0))
    };
    format!(" {what}=\"#{r:02x}{g:02x}{b:02x}\"{opacity}")
}

fn places(points: &[(f32, f32)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
    points.join(" ")
}

/// Returns a number with two decimals at most.
fn number(number: f32) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            // XML has no other control characters, not even escaped.
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {}
            other => out.push(other),
        }
    }
    out
}
