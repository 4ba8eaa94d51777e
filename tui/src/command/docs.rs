//! `fanlight docs`: the guide, in the terminal.

use std::path::PathBuf;

use fanlight_shared::problem::near;

use crate::failure::Failure;
use crate::guide::PAGES;
use crate::output::style::{Paint, Role};
use crate::output::table::{Cell, Table};
use crate::output::{Out, markdown, note};

/// The arguments of `docs`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Print this page; without it, the pages are listed.
    #[arg(value_name = "PAGE")]
    page: Option<String>,
    /// Write a man page for each command into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "page")]
    man: Option<PathBuf>,
}

/// Runs `docs`; `cli` is the command line of this program.
pub(crate) fn run(args: &Args, cli: clap::Command) -> Result<(), Failure> {
    if let Some(folder) = &args.man {
        return man(folder, cli);
    }
    let mut out = Out::new();
    let Some(name) = &args.page else {
        let mut table = Table::new(&["PAGE", "WHAT IT IS ABOUT"]);
        for page in PAGES {
            table.row(vec![Cell::new(page.name, Role::Strong), page.title().into()]);
        }
        table.print(&mut out)?;
        return out.flush();
    };
    let wanted = name.trim_end_matches(".md");
    let page = PAGES.iter().find(|page| page.name == wanted).ok_or_else(|| {
        let hint = match near(wanted, PAGES.iter().map(|page| page.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`fanlight docs` lists the pages".to_owned(),
        };
        Failure::usage(format!("the guide has no page `{wanted}`")).hint(hint)
    })?;
    for line in markdown::lines(page.text, out.columns(), Paint::stdout()) {
        out.line(&line)?;
    }
    out.flush()
}

fn man(folder: &std::path::Path, cli: clap::Command) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!("man pages can't be written into `{}`: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(cli, folder).map_err(failed)?;
    note(&format!(
        "man pages are in `{}`; add its parent to MANPATH, or copy them to a man1 folder",
        folder.display()
    ));
    Ok(())
}
