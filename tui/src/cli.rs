//! The command line as clap sees it.

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser, Subcommand};

use fanlight_shared::sanitise;

use crate::context::Context;
use crate::failure::Failure;
use crate::{command, host};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Cyan.on_default().bold())
    .usage(AnsiColor::Cyan.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .error(AnsiColor::Red.on_default().bold());

/// Run a workflow many times at once, and keep and compare everything that it makes.
#[derive(Parser, Debug)]
#[command(name = "fanlight", version, styles = STYLES, disable_help_subcommand = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) ui: command::ui::Args,
    /// Use the home on another computer: a destination of `ssh`, such as `ada@box`, or a `[host.NAME]` of the config. By
    /// default `FANLIGHT_HOST`.
    #[arg(long, global = true, value_name = "HOST")]
    pub(crate) host: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const AFTER_HELP: &str = "A RUN is `poster#12`, `poster:12`, a workflow's name (its newest run), `last`, an id or the beginning of an id.

Exit codes:

- 0: success
- 1: a run failed or was cancelled, or the command failed
- 2: wrong usage, or an invalid workflow file
- 3: no daemon
- 4: a run waits for a person (only with `--no-wait`)
- 75: another daemon is running for this home (only `fanlight daemon`)
- 130: interrupted";

/// Returns the failure of a command line that names a workflow file and not what to do with it.
pub(crate) fn file_without_command(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(what)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let what = sanitise::line(what);
    command::names_workflow_file(&what).then(|| {
        Failure::usage(format!("there is no command `{what}`"))
            .hint(format!("`fanlight run {what}` runs a file"))
    })
}

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run a workflow, once or many times at once.
    Run(Box<command::run::Args>),
    /// List runs.
    Ps(command::ps::Args),
    /// Show one run: its params, nodes and outputs.
    Show(command::show::Args),
    /// Follow a run until it ends.
    Watch(command::watch::Args),
    /// Say what a run or one of its nodes waits for.
    Why(command::why::Args),
    /// Print the output of the commands of a run.
    Logs(command::logs::Args),
    /// Show the metrics of runs, such as losses, with their curves.
    Metrics(command::metrics::Args),
    /// Cancel runs.
    Cancel(command::cancel::Args),
    /// Answer the question of a run, or list all open questions.
    Answer(command::answer::Args),
    /// Resume ended runs: run what failed again, and reuse the rest.
    Resume(command::resume::Args),
    /// Run an ended run again from one of its nodes on, and reuse what is before it.
    Fork(command::fork::Args),
    /// Delete ended runs.
    Delete(command::delete::Args),
    /// Delete ended runs by age, count, size or state, but never what is starred.
    Prune(command::prune::Args),
    /// Label a run.
    Label(command::label::Args),
    /// List, save, open, star or delete the products of runs.
    Assets(command::assets::Args),
    /// Write ended runs with everything that belongs to them to an archive, for another home.
    Export(command::export::Args),
    /// Add the runs of an archive to this home.
    Import(command::import::Args),
    /// Write a sweep as a page for a browser.
    Report(command::report::Args),
    /// Make a product again from its recipe, and say whether it is identical.
    Reproduce(command::reproduce::Args),
    /// Show how many results later runs reuse, list them, or remove them.
    Cache(command::cache::Args),
    /// Compare runs in a table: their params, outputs and metrics.
    Table(command::table::Args),
    /// Arrange products of past runs by two params, as a table or a picture.
    Sheet(command::sheet::Args),
    /// List the sweeps, or show one.
    Sweep(command::sweep::Args),
    /// Show the queue, pause it, or set how many runs may run at once.
    Queue(command::queue::Args),
    /// Check a workflow file.
    Check(command::check::Args),
    /// Convert a workflow of NodeTool or a graph of ComfyUI.
    Convert(command::convert::Args),
    /// Create a workflow file from an example.
    New(command::new::Args),
    /// List node types, or describe one.
    Nodes(command::nodes::Args),
    /// List the models of language model providers.
    Models(command::models::Args),
    /// Add node types that programs in other languages provide, list them or remove them.
    Plugin(command::plugin::Args),
    /// List the engines where commands run besides this machine, such as clusters, or check one.
    Engine(command::engine::Args),
    /// Print the JSON Schema of workflow files, for editors.
    Schema,
    /// Run the daemon in the foreground, or start, stop or query it.
    Daemon(command::daemon::Args),
    /// Keep secrets for workflows, such as tokens and passwords; their values are never shown.
    Secrets(command::secrets::Args),
    /// Check the stored data: the database against the files.
    Doctor(command::doctor::Args),
    /// Print a completion script for a shell.
    Completions(command::completions::Args),
    /// Print a page of the guide, or list its pages.
    Docs(command::docs::Args),
    /// Show the help of a command, or a summary of the workflow file.
    Help(command::help::Args),
    /// Not in this version.
    #[command(hide = true)]
    Remember(Later),
}

impl Command {
    /// Returns whether it works on files and processes of the computer with the home, so that it runs there.
    fn is_of_the_host(&self) -> bool {
        matches!(self, Self::Daemon(_) | Self::Doctor(_) | Self::Secrets(_) | Self::Plugin(_))
    }
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

    /// Runs the command.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        if host::is_chosen() && self.command.as_ref().is_some_and(Command::is_of_the_host) {
            return host::run_there(&Context::from_env()?.home).await;
        }
        match self.command {
            None => command::ui::open(&self.ui, Self::command()).await,
            Some(Command::Run(args)) => command::run::run(*args).await,
            Some(Command::Ps(args)) => command::ps::run(args).await,
            Some(Command::Show(args)) => command::show::run(args).await,
            Some(Command::Watch(args)) => command::watch::run(args).await,
            Some(Command::Why(args)) => command::why::run(args).await,
            Some(Command::Logs(args)) => command::logs::run(args).await,
            Some(Command::Metrics(args)) => command::metrics::run(args).await,
            Some(Command::Cancel(args)) => command::cancel::run(args).await,
            Some(Command::Answer(args)) => command::answer::run(args).await,
            Some(Command::Fork(args)) => command::fork::run(args).await,
            Some(Command::Resume(args)) => command::resume::run(args).await,
            Some(Command::Delete(args)) => command::delete::run(args).await,
            Some(Command::Prune(args)) => command::prune::run(args).await,
            Some(Command::Label(args)) => command::label::run(args).await,
            Some(Command::Assets(args)) => command::assets::run(args).await,
            Some(Command::Export(args)) => command::export::run(args).await,
            Some(Command::Import(args)) => command::import::run(args).await,
            Some(Command::Report(args)) => command::report::run(args).await,
            Some(Command::Reproduce(args)) => command::reproduce::run(args).await,
            Some(Command::Cache(args)) => command::cache::run(args).await,
            Some(Command::Table(args)) => command::table::run(args).await,
            Some(Command::Sheet(args)) => command::sheet::run(args).await,
            Some(Command::Sweep(args)) => command::sweep::run(args).await,
            Some(Command::Queue(args)) => command::queue::run(args).await,
            Some(Command::Check(args)) => command::check::run(&args).await,
            Some(Command::Convert(args)) => command::convert::run(&args).await,
            Some(Command::New(args)) => command::new::run(&args),
            Some(Command::Nodes(args)) => command::nodes::run(&args).await,
            Some(Command::Models(args)) => command::models::run(args).await,
            Some(Command::Plugin(args)) => command::plugin::run(args).await,
            Some(Command::Engine(args)) => command::engine::run(args).await,
            Some(Command::Schema) => command::schema::run().await,
            Some(Command::Daemon(args)) => command::daemon::run(args).await,
            Some(Command::Doctor(args)) => command::doctor::run(args).await,
            Some(Command::Completions(args)) => command::completions::run(args, Self::command()),
            Some(Command::Docs(args)) => command::docs::run(&args, Self::command()),
            Some(Command::Help(args)) => command::help::run(&args, Self::command()),
            Some(Command::Secrets(args)) => command::secrets::run(args).await,
            Some(Command::Remember(_)) => Err(Failure::not_in_this_version("remember")),
        }
    }
}

#[cfg(test)]
mod tests {
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
        let page = clap_markdown::help_markdown_command_custom(&Cli::command(), &options).replace('↴', "");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(published == page, "docs/commands.md is old: run this test with UPDATE_DOCS=1");
    }

    #[test]
    fn documented_command_lines_are_accepted() {
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
            "fanlight metrics last",
            "fanlight metrics train#1 train#2 --name loss --csv",
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
            "fanlight assets show 0199 --json",
            "fanlight assets get 0199 out.png --no-recipe",
            "fanlight reproduce poster.png -p photo=beach.jpg --yes",
            "fanlight prune --older-than 30d --keep 10 --max-size 20GB --state failed,cancelled --dry-run",
            "fanlight report poster/3 page",
            "fanlight export poster#1 poster/3 poster.tar.zst --ended --force --json",
            "fanlight export poster -",
            "fanlight import poster.tar.zst --json",
            "fanlight queue --max 3 --pause",
            "fanlight queue next poster#3 poster#1",
            "fanlight queue later --sweep poster/3",
            "fanlight queue priority -5 poster#3 poster#1",
            "fanlight queue priority 7 --sweep poster/3",
            "fanlight run poster --priority -3",
            "fanlight sweep",
            "fanlight sweep list --workflow poster --json",
            "fanlight sweep show poster/3",
            "fanlight sweep extend poster/3 --sweep seed=7..9 -p place=Hove --repeat 2 --detach",
            "fanlight sweep cull poster --keep 3 --by loss --minimize --yes",
            "fanlight sweep cull poster --where params.seed>3",
            "fanlight sweep rm poster/3 --assets --yes",
            "fanlight resume --sweep poster/3 --failed",
            "fanlight run poster --rows rows.csv --sample 3 --seed -4 --missing --dry-run",
            "fanlight run poster --sweep seed=1..6 --name lr-scan",
            "fanlight ps --all --sweep lr-scan",
            "fanlight new a.yaml --from train",
            "fanlight secrets set token",
            "fanlight secrets list --json",
            "fanlight secrets rm token --yes",
            "fanlight models",
            "fanlight models openai --json",
            "fanlight plugin add clip --yes",
            "fanlight plugin list --json",
            "fanlight plugin remove clip",
            "fanlight engine list --json",
            "fanlight engine check cluster --gpu --timeout 10m --json",
            "fanlight daemon",
            "fanlight daemon stop",
            "fanlight daemon install --dry-run",
            "fanlight daemon uninstall",
            "fanlight completions zsh",
            "fanlight docs",
            "fanlight docs recipes",
            "fanlight --host ada@box",
            "fanlight ps --host box --all",
            "fanlight --host box run poster -p seed=1",
            "fanlight daemon start --linger --json",
            "fanlight help workflow",
            "fanlight help assets get",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn contradictory_command_lines_are_refused() {
        for line in [
            "fanlight cancel last --all",
            "fanlight resume last --failed",
            "fanlight run",
            "fanlight run a --repeat 0",
            "fanlight run a --seed 3",
            "fanlight sweep cull a",
            "fanlight sweep cull a --keep 3",
            "fanlight queue --pause --continue",
            "fanlight queue --max 0",
            "fanlight queue next",
            "fanlight queue priority 5",
            "fanlight queue priority 101 last",
            "fanlight run a --priority high",
            "fanlight run a --detach --out d",
            "fanlight run a --detach --no-wait",
            "fanlight metrics",
            "fanlight metrics last --csv --json",
            "fanlight secrets set token value",
            "fanlight engine check",
            "fanlight engine check cluster --timeout 2h",
            "fanlight prune",
            "fanlight frobnicate",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
