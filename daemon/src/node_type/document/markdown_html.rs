//! `markdown.html`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::MAX_DOCUMENT_BYTES;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The most bytes of a page, pictures included.
const MAX_PAGE_BYTES: usize = 24 << 20;
/// The style sheet of a page.
const STYLE: &str = include_str!("page.css");

pub(super) fn node_type() -> NodeType {
    Build::new("markdown.html", "Converts Markdown to a web page with embedded pictures.")
        .input("text", Type::Text, "The Markdown: CommonMark with tables, task lists, footnotes and strikethrough. A picture whose address is the name of an input, as in `![sales](chart)`, is embedded.")
        .input("title", Type::Text, "The title of the page; the first heading by default.")
        .optional()
        .input("page", Type::Bool, "Whether to make a whole page with a style sheet, or only its content.")
        .default(true)
        .input("html", Type::Choice, "What to do with HTML in the Markdown: show it as text, drop it, or keep it. Keep it only if you trust the text.")
        .default("escape")
        .choices(&["escape", "drop", "keep"])
        .input("name", Type::Text, "The name of the file.")
        .default("page.html")
        .more_inputs()
        .output("html", Type::Text, "The page, or its content.")
        .output("file", ty::file(), "The same as a file.")
        .max_bytes(MAX_PAGE_BYTES as u64 + (1 << 20))
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let mut pictures = Pictures { workspace, inputs: &inputs, bytes: 0 };
    let page = page(&inputs, &mut |name| pictures.data(name))?;
    let file = workspace.put_file(inputs.text("name")?, page.as_bytes())?;
    Ok(Values::from([("html".to_owned(), page.into()), ("file".to_owned(), file)]))
}

/// The pictures among the inputs.
struct Pictures<'a> {
    workspace: &'a Workspace,
    inputs: &'a Values,
    bytes: usize,
}

impl Pictures<'_> {
    /// Returns a `data:` address with the bytes of an input; `None` if no input with this name is a file.
    fn data(&mut self, name: &str) -> Result<Option<String>, FileError> {
        let Some(value @ Value::Media(media)) = self.inputs.get(name) else { return Ok(None) };
        if !media.mime.starts_with("image/") {
            return Err(format!("input `{name}`: `{}` is not a picture", cut(&media.name, 60)).into());
        }
        let bytes = self.workspace.read(value, MAX_DOCUMENT_BYTES)?;
        self.bytes += bytes.len();
        if self.bytes * 4 / 3 > MAX_PAGE_BYTES {
            return Err(format!(
                "the pictures have more than {} MiB; make them smaller",
                (MAX_PAGE_BYTES * 3 / 4) >> 20
            )
            .into());
        }
        Ok(Some(format!("data:{};base64,{}", media.mime, STANDARD.encode(bytes))))
    }
}

fn page(
    inputs: &Values,
    picture: &mut dyn FnMut(&str) -> Result<Option<String>, FileError>,
) -> Result<String, FileError> {
    let text = inputs.text("text")?;
    let raw = inputs.text("html")?;
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    let mut events = Vec::new();
    for event in Parser::new_ext(text, options) {
        events.push(match event {
            Event::Html(html) | Event::InlineHtml(html) if raw == "escape" => Event::Text(html),
            Event::Html(_) | Event::InlineHtml(_) if raw == "drop" => continue,
            Event::Start(Tag::Link { link_type, dest_url, title, id }) if raw != "keep" => {
                Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id })
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                let dest_url = match picture(&dest_url)? {
                    Some(data) => data.into(),
                    None if raw == "keep" => dest_url,
                    None => harmless(dest_url),
                };
                Event::Start(Tag::Image { link_type, dest_url, title, id })
            }
            other => other,
        });
    }
    let heading = heading(&events);
    let mut content = String::new();
    html::push_html(&mut content, events.into_iter());
    if content.len() > MAX_PAGE_BYTES {
        return Err(format!("the page has more than {} MiB", MAX_PAGE_BYTES >> 20).into());
    }
    if !inputs.flag("page")? {
        return Ok(content);
    }
    let title = inputs.maybe("title").and_then(Value::as_text).map_or(heading, str::to_owned);
    let mut escaped = String::new();
    pulldown_cmark_escape::escape_html(&mut escaped, &title).map_err(|error| error.to_string())?;
    Ok(format!(
        "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{escaped}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{content}</main>\n</body>\n</html>\n"
    ))
}

/// Returns an address that can't run code: of a page, of mail, or a relative one. All others become `#`.
fn harmless(address: CowStr<'_>) -> CowStr<'_> {
    // Browsers ignore blanks and control characters before and within the scheme.
    let cleaned: String = address.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let scheme = cleaned.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let has_scheme = scheme.as_deref().is_some_and(|it| !it.contains(['/', '?', '#']));
    match scheme.as_deref() {
        Some("http" | "https" | "mailto" | "tel") => address,
        _ if has_scheme => "#".into(),
        _ => address,
    }
}

/// Returns the text of the first heading of the highest level.
fn heading(events: &[Event<'_>]) -> String {
    let mut found: Option<(HeadingLevel, String)> = None;
    let mut within: Option<(HeadingLevel, String)> = None;
    for event in events {
        match (event, &mut within) {
            (Event::Start(Tag::Heading { level, .. }), _) => within = Some((*level, String::new())),
            (Event::Text(text) | Event::Code(text), Some((_, so_far))) => so_far.push_str(text),
            (Event::End(TagEnd::Heading(_)), Some(_)) => {
                let ended = within.take();
                if found.as_ref().map(|it| it.0) > ended.as_ref().map(|it| it.0) || found.is_none() {
                    found = ended;
                }
            }
            _ => {}
        }
    }
    found.map_or_else(|| "Page".to_owned(), |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::inputs;

    fn made(text: &str, given: &[(&str, Value)]) -> String {
        let mut all = vec![("text", text.into())];
        all.extend(given.iter().cloned());
        let inputs = inputs(&node_type(), &all).unwrap();
        let mut picture = |name: &str| Ok((name == "chart").then(|| "data:image/png;base64,AA==".to_owned()));
        page(&inputs, &mut picture).unwrap()
    }

    fn content(text: &str, html: &str) -> String {
        made(text, &[("page", false.into()), ("html", html.into())])
    }

    #[test]
    fn a_page_has_a_title_a_style_and_pictures() {
        let page =
            made("## Part\n\n# Sales & *more*\n\n![sales](chart)\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n", &[]);
        assert!(
            page.starts_with("<!doctype html>") && page.contains("<title>Sales &amp; more</title>"),
            "{page}"
        );
        assert!(page.contains("<img src=\"data:image/png;base64,AA==\" alt=\"sales\" />"));
        assert!(page.contains("<td style=\"text-align: right\">2</td>") && page.contains("<style>\n"));
        assert!(made("x", &[("title", "<b>".into())]).contains("<title>&lt;b&gt;</title>"));
        assert_eq!(content("~~a~~ b[^1]\n\n[^1]: c\n", "escape").matches("<sup").count(), 2);
    }

    #[test]
    fn html_in_the_markdown_has_no_effect_unless_it_is_kept() {
        let text = "a <b onclick=\"x()\">b</b>\n\n<script>alert(1)</script>\n";
        let escaped = content(text, "escape");
        assert!(
            escaped.contains("&lt;script&gt;") && !escaped.contains("<script") && !escaped.contains("<b "),
            "{escaped}"
        );
        let dropped = content(text, "drop");
        assert!(dropped.contains("<p>a b</p>") && !dropped.contains("script"), "{dropped}");
        assert!(content(text, "keep").contains("<script>alert(1)</script>"));
    }

    #[test]
    fn no_address_runs_code() {
        for bad in [
            "javascript:alert(1)",
            "JaVaScript:alert(1)",
            "data:text/html;base64,AA==",
            "vbscript:x",
            "file:///etc/passwd",
            "java&#10;script:alert(1)",
        ] {
            for text in [format!("[a](<{bad}>)"), format!("![a](<{bad}>)")] {
                let html = content(&text, "escape");
                assert!(html.contains("\"#\""), "{text}: {html}");
            }
        }
        for good in ["https://example.com/a?b=c:d", "other.html", "#part", "mailto:a@b.c", "a/b:c"] {
            assert!(
                content(&format!("[a]({good})"), "escape").contains(&format!("href=\"{good}\"")),
                "{good}"
            );
        }
    }
}
