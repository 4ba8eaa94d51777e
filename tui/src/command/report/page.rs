//! The page itself.

use std::io::{self, Write};

use fanlight_shared::id::SubmissionId;
use fanlight_shared::time::human_duration;

use super::html::line;
use super::{Report, curves, files, sheet, table};
use crate::text;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page.
pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    // Only the script of this page runs, whatever the text of a run contains.
    let nonce = SubmissionId::new().to_string();
    let title = line(&report.sweep.name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src * data:; media-src *; \
         style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n"
    )?;
    header(out, report, &title)?;
    writeln!(out, "<section id=\"grid\"><h2>Products</h2><div class=\"grid\">")?;
    for shown in &report.runs {
        let run = &shown.run;
        write!(
            out,
            "<article id=\"run-{}\" class=\"{}\"><h3>{} <small>{}</small></h3><p class=\"label\">{}</p>",
            run.number,
            run.state.word(),
            line(&run.name()),
            run.state.word(),
            line(&run.label)
        )?;
        if let Some(error) = &run.error {
            write!(out, "<p class=\"error\">{}</p>", line(error))?;
        }
        for (output, path) in &shown.files {
            out.write_all(files::element(output, path, &report.root).as_bytes())?;
        }
        out.write_all(b"</article>\n")?;
    }
    writeln!(out, "</div></section>")?;
    if let Some(of) = &report.sheet {
        out.write_all(sheet::html(report, of).as_bytes())?;
    }
    writeln!(out, "<section id=\"table\"><h2>Table</h2><div class=\"scroll\">")?;
    out.write_all(table::html(report).as_bytes())?;
    out.write_all(b"</div></section>\n")?;
    if !report.curves.is_empty() {
        writeln!(out, "<section id=\"curves\"><h2>Curves</h2><div class=\"charts\">")?;
        for (name, curves) in &report.curves {
            out.write_all(curves::svg(report, name, curves).as_bytes())?;
        }
        out.write_all(b"</div></section>\n")?;
    }
    writeln!(
        out,
        "<footer>Made by Fanlight {} on {}.</footer>\
         <dialog id=\"viewer\"><img alt=\"\"><button type=\"button\">close</button></dialog>\
         <script nonce=\"{nonce}\">{SCRIPT}</script></body></html>",
        env!("CARGO_PKG_VERSION"),
        line(&text::clock(fanlight_shared::time::Time::now()))
    )
}

fn header(out: &mut impl Write, report: &Report, title: &str) -> io::Result<()> {
    let sweep = &report.sweep;
    let counts = &sweep.runs;
    let mut facts = vec![text::count(report.runs.len(), "run")];
    for (count, word) in [
        (counts.completed, "completed"),
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
        (counts.running, "running"),
        (counts.queued, "queued"),
    ] {
        if count > 0 {
            facts.push(format!("{count} {word}"));
        }
    }
    facts.push(human_duration(std::time::Duration::from_millis(sweep.time_ms)));
    if !sweep.spent.is_nothing() {
        facts.push(sweep.spent.to_string());
    }
    writeln!(
        out,
        "<header><h1>{title}</h1><p>{} · submitted {}</p><p>{}</p><nav><a href=\"#grid\">products</a>{} \
         <a href=\"#table\">table</a>{}</nav></header>",
        line(&sweep.workflow),
        line(&text::clock(sweep.created_at)),
        line(&facts.join(" · ")),
        if report.sheet.is_none() { "" } else { " <a href=\"#sheet\">sheet</a>" },
        if report.curves.is_empty() { "" } else { " <a href=\"#curves\">curves</a>" }
    )
}
