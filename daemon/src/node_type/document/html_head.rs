//! What the head of a web page says about it: its title and its encoding.

/// How much of a page may precede the declaration of its encoding, in bytes.
const MAX_HEAD: usize = 4 << 10;

/// Returns the content of the title element, with entities as they are.
pub(super) fn title(html: &str) -> Option<&str> {
    let title = Tags { rest: html }.find(|tag| tag.is("title"))?;
    title.content()
}

/// Returns the encoding that a page declares in a `meta` element, in lower case.
pub(super) fn encoding(page: &[u8]) -> Option<String> {
    // Every encoding that can be declared in this way begins as ASCII does.
    let head = String::from_utf8_lossy(&page[..page.len().min(MAX_HEAD)]);
    let name = |tag: Tag<'_>| {
        let attributes = tag.attributes.to_ascii_lowercase();
        let (_, after) = attributes.split_once("charset")?;
        let value = after.trim_start().strip_prefix('=')?.trim_start_matches(['"', '\'', ' ']);
        let end = value.find(|c: char| matches!(c, '"' | '\'' | ';' | '/') || c.is_whitespace());
        Some(value[..end.unwrap_or(value.len())].to_owned())
    };
    Tags { rest: &head }.filter(|tag| tag.is("meta")).find_map(name)
}

/// The start tags of a page, without those in comments, scripts and drawings.
struct Tags<'a> {
    rest: &'a str,
}

/// A start tag.
struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    /// Everything after it.
    after: &'a str,
}

impl Tag<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl<'a> Tag<'a> {
    /// Returns the text up to the end tag.
    fn content(&self) -> Option<&'a str> {
        find_end(self.after, self.name).map(|end| &self.after[..end])
    }
}

/// Elements whose content is not the page's own markup.
const OPAQUE: [&str; 9] =
    ["script", "style", "template", "noscript", "textarea", "iframe", "svg", "math", "xmp"];

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            self.rest = &self.rest[self.rest.find('<')? + 1..];
            if let Some(comment) = self.rest.strip_prefix("!--") {
                self.rest = &comment[comment.find("-->")? + 3..];
                continue;
            }
            if !self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            let end = end_of_tag(self.rest)?;
            let inner = &self.rest[..end];
            let after = &self.rest[end + 1..];
            let name_end = inner.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inner.len());
            let (name, attributes) = inner.split_at(name_end);
            self.rest = after;
            let is = |names: &[&str]| names.iter().any(|it| name.eq_ignore_ascii_case(it));
            let is_closed = attributes.ends_with('/') && is(&["svg", "math"]);
            if is(&OPAQUE) && !is_closed {
                self.rest = &after[find_end(after, name)?..];
            }
            return Some(Tag { name, attributes, after });
        }
    }
}

/// Returns where a tag ends: at the first `>` outside of quotes.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    tag.bytes().position(|byte| match (quote, byte) {
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (None, byte) => byte == b'>',
        (Some(open), byte) => {
            if byte == open {
                quote = None;
            }
            false
        }
    })
}

/// Returns where the end tag of an element begins.
fn find_end(text: &str, name: &str) -> Option<usize> {
    let is_end = |at: &usize| {
        let after = &text.as_bytes()[at + 2..];
        after.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()))
            && !after.get(name.len()).is_some_and(u8::is_ascii_alphanumeric)
    };
    text.match_indices("</").map(|(at, _)| at).find(is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_that_of_the_page() {
        assert_eq!(title("<TITLE lang=en>A &amp; b</Title>"), Some("A &amp; b"));
        let page = "<!-- <title>old</title> --><script>x = '<title>no</title>'</script>
            <p data-x=\"<title>no</title>\"><svg><title>icon</title></svg><titlebar><title\n>yes</title>";
        assert_eq!(title(page), Some("yes"));
        for without in
            ["", "<", "<title>cut", "<!-- <title>x</title>", "<p title='x'>", "<script><title>x</title>"]
        {
            assert_eq!(title(without), None, "{without}");
        }
    }

    #[test]
    fn the_encoding_is_that_of_a_meta_element() {
        for (page, expected) in [
            ("<meta charset=UTF-8>", Some("utf-8")),
            ("<html><meta name=x><META CHARSET = 'Shift_JIS' />", Some("shift_jis")),
            (
                "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-2\">",
                Some("iso-8859-2"),
            ),
            ("<!-- <meta charset=x> --><p>charset=y", None),
        ] {
            assert_eq!(encoding(page.as_bytes()).as_deref(), expected, "{page}");
        }
    }
}
