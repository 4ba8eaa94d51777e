//! `html.text`

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use html2text::render::TextDecorator;
use html2text::{Element, Handle, config};
use indexmap::IndexSet;

use super::{MAX_DOCUMENT_BYTES, html_head};
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::decode::decode;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The width at which lines are wrapped, in characters: wider than any paragraph.
const WIDTH: usize = 1_000_000;

pub(super) fn node_type() -> NodeType {
    Build::new("html.text", "Converts a web page to readable text: headings, lists and quotes as in Markdown, tables as columns, without scripts and styles.")
        .input("html", Type::Any, "The page, as a file or as text.")
        .input("links", Type::Choice, "Whether to write the addresses of links and pictures in the text.")
        .default("hide")
        .choices(&["hide", "show"])
        .input("encoding", Type::Choice, "The encoding of a file. `auto` recognises UTF-8, and otherwise reads the declaration in the page.")
        .default("auto")
        .choices(&["auto", "utf-8", "windows-1252"])
        .output("text", Type::Text, "The text.")
        .output("title", Type::Text, "The title of the page; absent if it has none.")
        .output("links", Type::Text.list(), "The addresses of its links, each once, in order.")
        .max_bytes(48 << 20)
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let bytes;
    let html = match inputs.value("html")? {
        Value::Text(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        file @ Value::Media(_) => {
            bytes = workspace.read(file, MAX_DOCUMENT_BYTES)?;
            decoded(&bytes, inputs.text("encoding")?)?
        }
        other => return Err(format!("input `html`: expected a file or text, got {}", other.type_of()).into()),
    };
    Ok(read(&html, inputs.text("links")? == "show")?)
}

/// Returns the text of a page.
///
/// # Errors
/// A sentence: its encoding is unknown or not supported. It is never guessed, because the text would be wrong.
fn decoded<'a>(page: &'a [u8], encoding: &str) -> Result<Cow<'a, str>, String> {
    if encoding != "auto" || page.starts_with(b"\xff\xfe") || page.starts_with(b"\xfe\xff") {
        return decode(page, encoding == "windows-1252");
    }
    let is_utf8 = std::str::from_utf8(page).is_ok();
    match html_head::encoding(page).as_deref() {
        // Browsers read all of these as windows-1252, too.
        Some("windows-1252" | "iso-8859-1" | "latin1" | "us-ascii" | "ascii") => decode(page, !is_utf8),
        Some("utf-8" | "utf8") => decode(page, false),
        None if is_utf8 => decode(page, false),
        None => Err("the page is not UTF-8 and does not declare its encoding; set `encoding`".into()),
        Some(other) => Err(format!(
            "the page is encoded as `{}`, which is not supported; convert it to UTF-8",
            cut(other, 40)
        )),
    }
}

fn read(html: &str, show: bool) -> Result<Values, String> {
    let links = Rc::new(RefCell::new(IndexSet::new()));
    let decorator = Markdown { show, links: Rc::clone(&links), open: Vec::new() };
    let text = text(html, decorator)?;
    let mut outputs = Values::from([("text".to_owned(), Value::from(text))]);
    if let Some(title) = html_head::title(html).map(plain).transpose()?.filter(|it| !it.is_empty()) {
        outputs.insert("title".to_owned(), title.into());
    }
    let links = links.borrow().iter().map(|it: &String| Value::from(it.as_str())).collect();
    outputs.insert("links".to_owned(), Value::List(links));
    Ok(outputs)
}

fn text(html: &str, decorator: Markdown) -> Result<String, String> {
    let config = config::with_decorator(decorator);
    let made = config.parse_html(html.as_bytes()).and_then(|page| {
        clip_rowspans(&page.document);
        config.render_to_string(config.dom_to_render_tree(&page)?, WIDTH)
    });
    let made = made.map_err(|error| format!("the page can't be read: {error}"))?;
    let mut out = String::with_capacity(made.len());
    for line in made.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    Ok(out.trim_matches('\n').to_owned())
}

/// Returns the content of a title, which has entities but no tags.
fn plain(title: &str) -> Result<String, String> {
    let decorator = Markdown { show: false, links: Rc::default(), open: Vec::new() };
    let text = text(&title.replace('<', "&lt;"), decorator)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Ends cells that reach below the last row of their group there, as browsers do; the renderer expects that.
fn clip_rowspans(page: &Handle) {
    let is = |node: &Handle, names: &[&str]| matches!(&node.data, Element { name, .. } if names.contains(&&*name.local));
    let mut left = vec![Handle::clone(page)];
    while let Some(node) = left.pop() {
        let children = node.children.borrow();
        let rows: Vec<&Handle> = children.iter().filter(|child| is(child, &["tr"])).collect();
        for (at, row) in rows.iter().enumerate() {
            for cell in row.children.borrow().iter().filter(|child| is(child, &["td", "th"])) {
                let Element { attrs, .. } = &cell.data else { continue };
                for span in attrs.borrow_mut().iter_mut().filter(|it| &*it.name.local == "rowspan") {
                    let rows_left = rows.len() - at;
                    // 0 means all of them.
                    let wanted = span.value.trim().parse::<usize>().unwrap_or(1);
                    let clipped = if wanted == 0 { rows_left } else { wanted.min(rows_left) };
                    span.value = clipped.to_string().into();
                }
            }
        }
        left.extend(children.iter().cloned());
    }
}

/// Writes formatting as Markdown does.
#[derive(Clone)]
struct Markdown {
    /// Whether addresses are written.
    show: bool,
    links: Rc<RefCell<IndexSet<String>>>,
    /// The addresses of the links that are open.
    open: Vec<String>,
}

impl TextDecorator for Markdown {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        let url = url.trim();
        let mut links = self.links.borrow_mut();
        if !url.is_empty() && !url.starts_with('#') {
            links.insert(url.to_owned());
        }
        self.open.push(url.to_owned());
        (if self.show { "[" } else { "" }.into(), ())
    }
    fn decorate_link_end(&mut self) -> String {
        let url = self.open.pop().unwrap_or_default();
        if self.show { format!("]({url})") } else { String::new() }
    }
    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_em_end(&self) -> String {
        String::new()
    }
    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_strong_end(&self) -> String {
        String::new()
    }
    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }
    fn decorate_code_start(&self) -> (String, ()) {
        ("`".into(), ())
    }
    fn decorate_code_end(&self) -> String {
        "`".into()
    }
    fn decorate_superscript_start(&self) -> (String, ()) {
        ("^".into(), ())
    }
    fn decorate_superscript_end(&self) -> String {
        String::new()
    }
    fn decorate_preformat_first(&self) {}
    fn decorate_preformat_cont(&self) {}
    fn decorate_image(&mut self, src: &str, title: &str) -> (String, ()) {
        // The addresses of embedded pictures are longer than the text.
        let shown = self.show && !src.starts_with("data:");
        (if shown { format!("![{title}]({src})") } else { title.to_owned() }, ())
    }
    fn header_prefix(&self, level: usize) -> String {
        "#".repeat(level) + " "
    }
    fn quote_prefix(&self) -> String {
        "> ".into()
    }
    fn unordered_item_prefix(&self) -> String {
        "- ".into()
    }
    fn ordered_item_prefix(&self, nth: i64) -> String {
        format!("{nth}. ")
    }
    fn make_subblock_decorator(&self) -> Self {
        self.clone()
    }
    fn finalise(&mut self, _: Vec<String>) -> Vec<html2text::render::TaggedLine<()>> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<html><head><title>News &amp; <b>more</title><style>p { color: red }</style></head><body>
        <h1>Today</h1><script>alert('x')</script><p>It <em>rains</em>
        in <a href=\"/hove\">Hove</a> &mdash; caf&eacute;.</p><ul><li>one</li><li>two <a href='https://b.c'>b</a></li></ul>
        <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>22</td></tr></table><blockquote>said</blockquote>
        <pre>x  =
  1</pre><img src=\"data:image/png;base64,AAAA\" alt=\"a chart\"></body></html>";

    fn text(html: &str, show: bool) -> String {
        read(html, show).unwrap()["text"].as_text().unwrap().to_owned()
    }

    #[test]
    fn a_page_becomes_readable_text() {
        let made = read(PAGE, false).unwrap();
        let text = made["text"].as_text().unwrap();
        for part in
            ["# Today\n", "It rains in Hove — café.", "- one\n- two b\n", "> said", "x  =\n  1", "a chart"]
        {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(
            !text.contains("alert") && !text.contains("color: red") && !text.contains("base64"),
            "{text}"
        );
        let row = text.lines().find(|line| line.contains("22")).unwrap();
        assert!(row.contains('1') && row.len() < 20, "{row:?}");
        assert_eq!(made["title"].as_text(), Some("News & <b>more"));
        assert_eq!(made["links"], Value::from(vec!["/hove".into(), "https://b.c".into()]));
    }

    #[test]
    fn addresses_are_written_on_request() {
        let text = text(PAGE, true);
        assert!(text.contains("[Hove](/hove)") && text.contains("[b](https://b.c)"), "{text}");
        assert!(!read("<p>a", true).unwrap().contains_key("title"));
    }

    #[test]
    fn the_encoding_of_a_page_is_never_guessed() {
        assert_eq!(decoded(b"<meta charset=latin1>caf\xe9", "auto").unwrap(), "<meta charset=latin1>café");
        assert_eq!(decoded("café".as_bytes(), "auto").unwrap(), "café");
        assert_eq!(decoded(b"caf\xe9", "windows-1252").unwrap(), "café");
        assert!(decoded(b"caf\xe9", "auto").unwrap_err().contains("set `encoding`"));
        assert!(decoded(b"<meta charset=utf-8>caf\xe9", "auto").unwrap_err().contains("is not UTF-8"));
        let japanese = b"<meta charset=iso-2022-jp>\x1b$B$3\x1b(B";
        assert!(decoded(japanese, "auto").unwrap_err().contains("encoded as `iso-2022-jp`"));
    }

    #[test]
    fn a_page_with_absurd_tables_does_not_take_all_memory() {
        let wide = "<table><tr><td colspan=2000000000>x<td rowspan=2000000000>y</table>";
        assert_eq!(text(wide, false).lines().filter(|line| line.contains(['x', 'y'])).count(), 1);
        let reaching = "<table><tr><td colspan=2>a<td rowspan=0>b<tr><td>c<td rowspan=5>d</table>";
        let made = text(reaching, false);
        assert!(made.contains("a  │b") && made.contains("c│d│"), "{made}");
        let rules = "<hr>".repeat(10_000);
        assert_eq!(text(&rules, false), "");
    }

    #[test]
    fn broken_pages_are_read_too() {
        assert_eq!(text("", false), "");
        assert_eq!(text("no tags & no <end", false), "no tags & no");
        let deep = "<div>".repeat(5_000) + "deep";
        assert_eq!(text(&deep, false), "deep");
        let long = format!("<p>{}</p>", "word ".repeat(50_000));
        assert_eq!(text(&long, false).lines().count(), 1, "a paragraph is a line");
    }
}
