//! `fanlight` without a command: the terminal UI.

use std::io::IsTerminal as _;

use clap::{CommandFactory as _, ValueEnum};

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::ui::app::{self, Start};
use crate::ui::model::{Options, PictureMode};
use crate::ui::settings::Settings;

/// How the UI is drawn.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Nothing moves that need not.
    #[arg(long)]
    no_motion: bool,
    /// Leave the mouse to the terminal.
    #[arg(long)]
    no_mouse: bool,
    /// Draw with ASCII only.
    #[arg(long)]
    ascii: bool,
    /// Do destructive things without asking.
    #[arg(long)]
    no_confirm: bool,
    /// Ring the bell when the last run ended.
    #[arg(long)]
    bell: bool,
    /// How pictures are drawn.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pictures: Pictures,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Pictures {
    #[default]
    Auto,
    Kitty,
    Sixel,
    Iterm,
    Blocks,
    Off,
}

impl Args {
    fn options(&self) -> Options {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        // Over a slow line whatever moves costs; who wants it anyway has a terminal beside it.
        let remote = set("SSH_CONNECTION") || set("SSH_TTY");
        let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
        let plain = matches!(utf8.as_deref(), Some("C" | "POSIX"))
            || std::env::var_os("TERM").is_some_and(|it| it == "linux");
        Options {
            motion: !self.no_motion && !remote,
            mouse: !self.no_mouse,
            colour: !set("NO_COLOR"),
            ascii: self.ascii || plain,
            bell: self.bell,
            confirm: !self.no_confirm,
            pictures: match self.pictures {
                Pictures::Auto => PictureMode::Auto,
                Pictures::Kitty => PictureMode::Kitty,
                Pictures::Sixel => PictureMode::Sixel,
                Pictures::Iterm => PictureMode::Iterm,
                Pictures::Blocks => PictureMode::Blocks,
                Pictures::Off => PictureMode::Off,
            },
            folder: std::env::current_dir().and_then(|it| it.canonicalize()).unwrap_or_else(|_| ".".into()),
            examples: crate::example::ALL.iter().map(|it| it.name.to_owned()).collect(),
        }
    }
}

/// Opens the terminal UI. Without a terminal it says what there is instead.
pub(super) async fn open(args: &Args) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        output::note(Cli::command().render_help().to_string().trim_end());
        return Err(Failure::usage("the terminal UI needs a terminal; without one a command is needed")
            .hint("begin with `fanlight run poster --sweep seed=1..6 --out prints/`"));
    }
    let context = Context::from_env()?;
    let settings = Settings::read(&context.home.config).map_err(|error| Failure::usage(error.to_string()))?;
    let exe = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("this program can't find itself: {error}")))?;
    let left = app::run(Start { home: context.home, exe, options: args.options(), settings })
        .await
        .map_err(|error| Failure::failed(format!("the terminal can't be used: {error}")))?;
    match left {
        0 => {}
        1 => output::note("1 run goes on"),
        left => output::note(&format!("{left} runs go on")),
    }
    Ok(())
}
