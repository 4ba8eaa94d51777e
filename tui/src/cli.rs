//! The command line as clap sees it.

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

use crate::command;
use crate::failure::Failure;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Cyan.on_default().bold())
    .usage(AnsiColor::Cyan.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .error(AnsiColor::Red.on_default().bold());

/// Run one workflow many times at once; keep and compare everything it makes.
#[derive(Parser, Debug)]
#[command(name = "fanlight", version, styles = STYLES, disable_help_subcommand = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) ui: command::ui::Args,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const AFTER_HELP: &str = "A RUN is `poster#12`, `poster:12`, a workflow's name (its newest run), `last`, an id or the beginning of one.\n\
     Exit codes: 0 done, 1 a run failed, 2 wrong usage or invalid file, 3 no daemon, 4 a run waits for a person (`--no-wait`), 130 interrupted.";

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run a workflow, once or many times at once.
    Run(command::run::Args),
    /// List runs.
    Ps(command::ps::Args),
    /// Show one run: its params, nodes and outputs.
    Show(command::show::Args),
    /// Follow a run until it ends.
    Watch(command::watch::Args),
    /// Print what the commands of a run wrote.
    Logs(command::logs::Args),
    /// Cancel runs.
    Cancel(command::cancel::Args),
    /// Answer what a run asks, or list all that is asked.
    Answer(command::answer::Args),
    /// Run again what failed in an ended run; what finished is taken over.
    Resume(command::resume::Args),
    /// Delete ended runs.
    Delete(command::delete::Args),
    /// Give a run a label.
    Label(command::label::Args),
    /// List, save, open, star or delete what runs have made.
    Assets(command::assets::Args),
    /// Show or change the queue: how many runs at once, paused or not.
    Queue(command::queue::Args),
    /// Check a workflow file.
    Check(command::check::Args),
    /// Make a new workflow file from an example.
    New(command::new::Args),
    /// List node types, or describe one.
    Nodes(command::nodes::Args),
    /// Print the JSON Schema of workflow files, for completion in an editor.
    Schema,
    /// Run the daemon in the foreground, or start, stop and ask it.
    Daemon(command::daemon::Args),
    /// Keep secrets for workflows, such as tokens and passwords; their values are never shown.
    Secrets(command::secrets::Args),
    /// Check what is kept: rows against files.
    Doctor(command::doctor::Args),
    /// Print a completion script for a shell.
    Completions(command::completions::Args),
    /// Print a page of the guide, or list its pages.
    Docs(command::docs::Args),
    /// Explain a command, or the workflow file in short.
    Help(command::help::Args),
    /// Not in this version.
    #[command(hide = true)]
    Remember(Later),
}

/// The arguments of a command that does not exist yet; anything is accepted.
#[derive(clap::Args, Debug)]
pub(crate) struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<std::ffi::OsString>,
}

impl Cli {
    /// Returns whether this process becomes the daemon.
    pub(crate) fn is_daemon(&self) -> bool {
        matches!(&self.command, Some(Command::Daemon(args)) if args.is_foreground())
    }
}

/// Returns the error for a flag of a later version. clap doesn't know these flags, or it would suggest them for typos.
pub(crate) fn later(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    (flag == "--host").then(|| Failure::not_in_this_version("--host"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// `UPDATE_DOCS=1 cargo test -p fanlight commands` rewrites the page.
    #[test]
    fn the_page_of_commands_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.md");
        let options = clap_markdown::MarkdownOptions::new().title("Commands".into()).show_footer(false);
        let page = clap_markdown::help_markdown_command_custom(&Cli::command(), &options);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(published == page, "docs/commands.md is old: run this test with UPDATE_DOCS=1");
    }

    #[test]
    fn what_is_documented_is_taken() {
        for line in [
            "fanlight run poster.yaml -p seed=1 -p place=Hove --sweep seed=1..6 --zip --repeat 2 --label x --next --out d",
            "fanlight run poster --matrix --json --detach",
            "fanlight ps --all --workflow poster --json",
            "fanlight ps --failed",
            "fanlight show last --json",
            "fanlight watch poster:12",
            "fanlight logs last framed -f",
            "fanlight logs last --failed",
            "fanlight cancel poster#1 poster#2",
            "fanlight cancel --queued",
            "fanlight cancel --queued --workflow poster",
            "fanlight cancel last --wait",
            "fanlight answer",
            "fanlight answer last",
            "fanlight answer poster#1 yes",
            "fanlight answer poster#1 pick[3] 1 2 --json",
            "fanlight answer poster#1 offset -3",
            "fanlight run poster --no-wait",
            "fanlight watch last --no-wait",
            "fanlight resume last",
            "fanlight resume poster#1 poster#2 --new-version",
            "fanlight resume --failed --workflow poster",
            "fanlight assets list --workflow poster",
            "fanlight assets rm 01 --yes",
            "fanlight queue --max 3 --pause",
            "fanlight new a.yaml --from train",
            "fanlight secrets set token",
            "fanlight secrets list --json",
            "fanlight secrets rm token --yes",
            "fanlight daemon",
            "fanlight daemon stop",
            "fanlight completions zsh",
            "fanlight docs",
            "fanlight docs recipes",
            "fanlight help workflow",
            "fanlight help assets get",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn a_flag_of_a_later_version_is_named_and_never_suggested() {
        let error = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap_err();
        assert!(later(&error("fanlight ps --host me@box")).is_some());
        let slip = error("fanlight ps --hots");
        assert!(later(&slip).is_none() && !slip.to_string().contains("--host"), "{slip}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "fanlight cancel",
            "fanlight cancel last --all",
            "fanlight cancel --wait",
            "fanlight resume",
            "fanlight resume last --failed",
            "fanlight run",
            "fanlight run a --repeat 0",
            "fanlight queue --pause --continue",
            "fanlight queue --max 0",
            "fanlight run a --detach --out d",
            "fanlight run a --detach --no-wait",
            "fanlight secrets set token value",
            "fanlight frobnicate",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
