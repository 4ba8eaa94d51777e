//! Renders Markdown on a terminal: the text with highlighted headings, code and tables.

use super::style::{Paint, Role};

/// Returns the text as lines for a terminal, or for a pipe where `paint` is off. The fences of code are left out, and
/// code is indented instead.
pub(crate) fn lines(markdown: &str, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let mut code = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            code = !code;
            continue;
        }
        lines.push(if code {
            if line.is_empty() { String::new() } else { format!("    {}", paint.apply(Role::Accent, line)) }
        } else if let Some(heading) =
            line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))
        {
            paint.apply(Role::Strong, heading)
        } else {
            prose(line, paint)
        });
    }
    lines
}

/// Returns a line of prose: code in the accent's colour, links by their words.
fn prose(line: &str, paint: Paint) -> String {
    let mut out = String::new();
    for (at, piece) in line.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str(&paint.apply(Role::Accent, piece));
        } else {
            out.push_str(&without_links(piece));
        }
    }
    out.replace("&lt;", "<").replace("**", "")
}

fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, target)) = rest.split_once("](") {
        let Some((_, after)) = target.split_once(')') else { break };
        let (lead, words) = before.rsplit_once('[').unwrap_or(("", before));
        out.push_str(lead);
        out.push_str(words);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_well_without_its_marks() {
        let page = "# Title\n\nSee [the file](workflow-file.md#each) and `run`, **always**.\n\n```sh exit=1\nfanlight ps\n```\n";
        let lines = lines(page, Paint::none());
        assert_eq!(lines, ["Title", "", "See the file and run, always.", "", "    fanlight ps"]);
    }
}
