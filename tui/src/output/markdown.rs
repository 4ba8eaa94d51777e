//! Renders Markdown on a terminal: paragraphs and lists in its width, aligned tables, highlighted headings and code.

mod table;
mod words;

use super::style::{Paint, Role};
use words::{Word, fill, render, words};

/// Lines of prose are not longer, because they would be hard to read.
const MAX_WIDTH: usize = 100;

/// Returns the text as lines for a terminal of this many columns; without a width, nothing is wrapped. The fences of
/// code are left out, and code is indented instead.
pub(crate) fn lines(markdown: &str, width: Option<usize>, paint: Paint) -> Vec<String> {
    let width = width.map_or(usize::MAX, |it| it.min(MAX_WIDTH));
    let mut lines: Vec<String> = Vec::new();
    let mut rest = markdown.lines().peekable();
    while let Some(line) = rest.next() {
        let start = line.trim_start();
        if start.starts_with("```") {
            let code = rest.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
            lines.extend(code.map(|line| code_line(line, paint)));
        } else if line.starts_with('#') {
            let heading = words(line.trim_start_matches(['#', ' ']), Role::Strong, paint);
            lines.extend(fill(&heading, "", "", width).iter().map(|line| render(line, paint)));
        } else if start.starts_with('|') {
            let mut rows = vec![start];
            while let Some(row) = rest.next_if(|line| line.trim_start().starts_with('|')) {
                rows.push(row.trim_start());
            }
            lines.extend(table::lines(&rows, width, paint));
        } else if let Some(marker) = marker(line) {
            let (marker, text) = line.split_at(marker);
            let mut text = vec![text];
            while let Some(more) = rest.next_if(|line| line.starts_with("  ") && self::marker(line).is_none())
            {
                text.push(more);
            }
            let marker = marker.replacen('*', "-", 1);
            let indent = " ".repeat(marker.chars().count());
            lines.extend(paragraph(&text, &marker, &indent, width, paint));
        } else if line.starts_with("    ") {
            lines.push(code_line(start, paint));
        } else if start.is_empty() {
            // An empty line separates blocks; several look like a gap.
            if lines.last().is_some_and(|line| !line.is_empty()) {
                lines.push(String::new());
            }
        } else {
            let mut text = vec![line];
            while let Some(more) = rest.next_if(|line| is_prose(line)) {
                text.push(more);
            }
            lines.extend(paragraph(&text, "", "", width, paint));
        }
    }
    lines
}

fn code_line(line: &str, paint: Paint) -> String {
    if line.is_empty() { String::new() } else { format!("    {}", paint.apply(Role::Accent, line)) }
}

/// Returns where the text begins in a line that begins an item of a list.
fn marker(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    let text = &line[indent..];
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let marker = match digits {
        0 if text.starts_with("- ") || text.starts_with("* ") => 2,
        1.. if text[digits..].starts_with(". ") => digits + 2,
        _ => return None,
    };
    // More than that is code.
    (indent < 4).then_some(indent + marker)
}

fn is_prose(line: &str) -> bool {
    let start = line.trim_start();
    !start.is_empty() && !start.starts_with(['#', '|']) && !start.starts_with("```") && marker(line).is_none()
}

/// Returns a paragraph in lines of this width. Without a width the lines stay as they are.
fn paragraph(text: &[&str], first: &str, indent: &str, width: usize, paint: Paint) -> Vec<String> {
    let filled: Vec<Vec<Word>> = if width == usize::MAX {
        let line = |(at, line): (usize, &&str)| {
            fill(&words(line, Role::Plain, paint), if at == 0 { first } else { indent }, indent, width)
        };
        text.iter().enumerate().flat_map(line).collect()
    } else {
        fill(&words(&text.join(" "), Role::Plain, paint), first, indent, width)
    };
    filled.iter().map(|line| render(line, paint)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;

    const PAGE: &str = "# The `title`\n\nSee [the file](workflow-file.md#each) and `run`,\n**always**.\n\n```sh exit=1\nfanlight ps\n```\n\n- one\n  and more\n1. two\n\n| key | what |\n|---|---|\n| `a \\| b` | a list&lt;int> |\n| c | |\n";

    #[test]
    fn a_page_of_the_guide_is_readable_as_plain_text() {
        let expected = "The `title`\n\nSee the file and `run`,\nalways.\n\n    fanlight ps\n\n- one\n  and more\n1. two\n\nkey      what\n`a | b`  a list<int>\nc";
        assert_eq!(lines(PAGE, None, Paint::none()).join("\n"), expected);
    }

    #[test]
    fn paragraphs_lists_and_tables_are_wrapped_to_the_terminal() {
        let lines = lines(PAGE, Some(14), Paint::none()).join("\n");
        let expected = "The `title`\n\nSee the file\nand `run`,\nalways.\n\n    fanlight ps\n\n- one and more\n1. two\n\nkey     what\n`a |    a\nb`      list<i\n        nt>\nc";
        assert_eq!(lines, expected);
    }

    #[test]
    fn prose_and_tables_of_the_guide_fit_into_80_columns() {
        for page in crate::guide::PAGES {
            for line in lines(page.text, Some(80), Paint::none()) {
                // Code stays as it is.
                assert!(width(&line) <= 80 || line.starts_with("    "), "{}: {line}", page.name);
            }
        }
    }
}
