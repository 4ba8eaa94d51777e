//! `pdf.text`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Stream};
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, InterpreterWarning, SoftMask, TransformExt as _, interpret_page,
};

use super::MAX_DOCUMENT_BYTES;
use super::layout::{Letter, PageText};
use crate::file_error::FileError;
use crate::node_type::bound::Bound;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The most bytes of all outputs.
const MAX_BYTES: u64 = 48 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new("pdf.text", "Extracts the text of a PDF, in the order in which its pages are drawn. Scanned pages have none, unless their text was recognised before.")
        .input("file", ty::file(), "The PDF.")
        .input("unreadable", Type::Choice, "What to do with letters whose font does not say which characters they are: fail, or write `�` for each.")
        .default("fail")
        .choices(&["fail", "replace"])
        .output("text", Type::Text, "The text of all pages, with a blank line between them.")
        .output("pages", Type::Text.list(), "The text of each page; empty for one without text.")
        .output("count", Type::Int, "The number of pages.")
        .max_bytes(MAX_BYTES)
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let file = inputs.value("file")?;
    let name = file.as_media().map(|media| cut(&media.name, 60)).unwrap_or_default();
    let bytes = workspace.read(file, MAX_DOCUMENT_BYTES)?;
    let pages = pages(bytes, inputs.text("unreadable")? == "replace")
        .map_err(|error| format!("`{name}`: {error}"))?;
    let mut bound = Bound::new(MAX_BYTES);
    for page in &pages {
        bound.add_bytes(2 * page.len() as u64)?;
    }
    let text = pages.iter().map(String::as_str).filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n\n");
    let count = Value::Int(i64::try_from(pages.len()).unwrap_or(i64::MAX));
    let pages: Vec<Value> = pages.into_iter().map(Value::from).collect();
    let outputs = [("text", text.into()), ("pages", pages.into()), ("count", count)];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Returns the text of each page.
///
/// # Errors
/// A sentence: it is not a PDF, is encrypted or damaged, or has letters that can't be read.
fn pages(bytes: Vec<u8>, replace: bool) -> Result<Vec<String>, String> {
    let end = &bytes[bytes.len().saturating_sub(2_048)..];
    let is_whole = end.windows(5).any(|it| it == b"%%EOF");
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(_) => "it is encrypted; decrypt it with a command".to_owned(),
        LoadPdfError::Invalid => "it is not a PDF, or a damaged one".to_owned(),
    })?;
    // Without its end, the pages that can still be found are not all.
    if !is_whole {
        return Err("it is not a whole PDF: its end is missing".into());
    }
    check_count(&pdf)?;
    let cache = InterpreterCache::new();
    let mut texts = Vec::with_capacity(pdf.pages().len());
    for (at, page) in pdf.pages().iter().enumerate() {
        let text = page_text(page, &cache, replace);
        texts.push(text.map_err(|error| format!("page {}: {error}", at + 1))?);
    }
    if texts.iter().all(String::is_empty) {
        return Err(format!(
            "it has no text: its {} pages are pictures or empty; recognise the text of scanned pages with a command",
            texts.len()
        ));
    }
    Ok(texts)
}

/// Checks that all pages were found.
fn check_count(pdf: &Pdf) -> Result<(), String> {
    let catalog: Option<Dict<'_>> = pdf.xref().get(pdf.xref().root_id());
    let tree = catalog.and_then(|catalog| catalog.get::<Dict<'_>>(b"Pages"));
    let count = tree.and_then(|tree| tree.get::<u32>(b"Count")).unwrap_or_default();
    let found = pdf.pages().len();
    if found < count as usize {
        return Err(format!("it is damaged: it should have {count} pages, and only {found} can be read"));
    }
    Ok(())
}

fn page_text<'a>(page: &Page<'a>, cache: &InterpreterCache<'a>, replace: bool) -> Result<String, String> {
    check_contents(page)?;
    let unsupported = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&unsupported);
    let settings = InterpreterSettings {
        warning_sink: Arc::new(move |warning| {
            if matches!(warning, InterpreterWarning::UnsupportedFont) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }),
        ..InterpreterSettings::default()
    };
    let transform = page.initial_transform(true).to_kurbo();
    let (width, height) = page.render_dimensions();
    let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let mut context = Context::new(transform, area, cache, page.xref(), settings);
    let mut reader = Reader { text: PageText::default(), unreadable: 0 };
    interpret_page(page, &mut context, &mut reader);
    if unsupported.load(Ordering::Relaxed) > 0 {
        return Err("it has a font that can't be read".into());
    }
    if reader.unreadable > 0 && !replace {
        return Err(format!(
            "{} letters have a font that does not say which characters they are; set `unreadable: replace`, or recognise the text with a command",
            reader.unreadable
        ));
    }
    Ok(reader.text.finish())
}

/// Checks that the drawing instructions of a page can be read: those that can't would be left out.
fn check_contents(page: &Page<'_>) -> Result<(), String> {
    let damaged = || "its content is damaged".to_owned();
    let read = |stream: Stream<'_>| stream.decoded_data().map(|_| ()).map_err(|_| damaged());
    let contents = page.raw();
    if let Some(stream) = contents.get::<Stream<'_>>(b"Contents") {
        return read(stream);
    }
    let Some(parts) = contents.get::<Array<'_>>(b"Contents") else {
        return if contents.contains_key(b"Contents") { Err(damaged()) } else { Ok(()) };
    };
    if parts.raw_iter().count() != parts.iter::<Stream<'_>>().count() {
        return Err(damaged());
    }
    parts.iter::<Stream<'_>>().try_for_each(read)
}

/// Reads the letters that a page draws.
struct Reader {
    text: PageText,
    unreadable: usize,
}

impl<'a> Device<'a> for Reader {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            let text = match glyph.as_unicode() {
                Some(BfString::Char(letter)) => letter.to_string(),
                Some(BfString::String(text)) => text,
                None => {
                    self.unreadable += 1;
                    char::REPLACEMENT_CHARACTER.to_string()
                }
            };
            let advance = match &**glyph {
                Glyph::Outline(outline) => outline.advance_width(),
                Glyph::Type3(drawn) => drawn.advance_width(),
            };
            // Glyphs are designed in units of a thousandth of their size.
            let place: Affine = props.transform * glyph.transform();
            let at = place * Point::ORIGIN;
            let next = place * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0) - at;
            let up = place * Point::new(0.0, 1_000.0) - at;
            let unit = place * Point::new(1_000.0, 0.0) - at;
            let length = unit.hypot().max(1e-6);
            self.text.add(Letter {
                text,
                at: (at.x, at.y),
                along: (unit.x / length, unit.y / length),
                size: up.hypot(),
                advance: next.hypot(),
            });
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Returns a PDF of pages with this content each, in Helvetica.
    fn pdf(pages: &[&str]) -> Vec<u8> {
        with(pages, "")
    }

    fn with(pages: &[&str], trailer: &str) -> Vec<u8> {
        let kids: Vec<String> = (0..pages.len()).map(|at| format!("{} 0 R", 4 + 2 * at)).collect();
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        ];
        for (at, page) in pages.iter().enumerate() {
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents {} 0 R /Resources << /Font << /F 3 0 R >> >> >>",
                5 + 2 * at
            ));
            objects.push(format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()));
        }
        let (mut out, mut offsets) = ("%PDF-1.7\n".to_owned(), Vec::new());
        for (at, object) in objects.iter().enumerate() {
            offsets.push(out.len());
            let _ = write!(out, "{} 0 obj\n{object}\nendobj\n", at + 1);
        }
        let xref = out.len();
        let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for offset in offsets {
            let _ = writeln!(out, "{offset:010} 00000 n ");
        }
        let size = objects.len() + 1;
        let _ = write!(out, "trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF\n");
        out.into_bytes()
    }

    fn line(text: &str, y: u32) -> String {
        format!("BT /F 12 Tf 20 {y} Td ({text}) Tj ET\n")
    }

    #[test]
    fn the_text_of_each_page_is_read_in_lines_and_paragraphs() {
        let first =
            line("Dear Anna,", 250) + &line("the lamp ships", 200) + &line("on Friday \\(or so\\).", 186);
        let file = pdf(&[&first, "", &line("Caf\\351", 100)]);
        let pages = pages(file, false).unwrap();
        assert_eq!(pages, ["Dear Anna,\n\nthe lamp ships\non Friday (or so).", "", "Café"]);
    }

    #[test]
    fn a_file_that_is_no_pdf_or_is_cut_or_encrypted_is_refused() {
        let whole = pdf(&[&line("Hello", 100)]);
        let encrypted =
            with(&[&line("Hello", 100)], "/Encrypt << /Filter /Standard /V 9 /R 9 /P -4 >> /ID [<00> <00>]");
        for (bytes, expected) in [
            (b"hello".to_vec(), "it is not a PDF, or a damaged one"),
            (Vec::new(), "it is not a PDF, or a damaged one"),
            (whole[..whole.len() - 8].to_vec(), "it is not a whole PDF: its end is missing"),
            (encrypted, "it is encrypted; decrypt it with a command"),
        ] {
            assert_eq!(pages(bytes, false).unwrap_err(), expected);
        }
        let text = String::from_utf8(whole).unwrap();
        let fewer = text.replace("/Count 1", "/Count 3").into_bytes();
        assert!(pages(fewer, false).unwrap_err().contains("should have 3 pages, and only 1"));
    }

    #[test]
    fn a_file_without_any_text_says_what_to_do() {
        let error = pages(pdf(&["0 0 300 300 re f", ""]), false).unwrap_err();
        assert!(error.starts_with("it has no text: its 2 pages are pictures or empty"), "{error}");
    }
}
