//! `fanlight` without a command: the terminal UI.

use std::io::IsTerminal as _;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::model::{Options, PictureMode};
use crate::ui::settings::Settings;
use crate::{embedded, example, output};

/// How the terminal UI looks.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Nothing moves that need not.
    #[arg(long)]
    no_motion: bool,
    /// The mouse stays the terminal's.
    #[arg(long)]
    no_mouse: bool,
    /// Only ASCII is drawn.
    #[arg(long)]
    ascii: bool,
    /// How pictures are drawn.
    #[arg(long, value_enum, default_value_t = Pictures::Auto, value_name = "HOW")]
    pictures: Pictures,
}

/// How pictures are drawn.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Pictures {
    Auto,
    Kitty,
    Sixel,
    Iterm,
    Blocks,
    Off,
}

/// Opens the terminal UI.
pub(super) async fn open(args: &Args) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        output::note(Cli::command().render_help().to_string().trim_end());
        return Err(Failure::usage("the terminal UI needs a terminal; without one a command is needed")
            .hint("begin with `fanlight run poster --sweep seed=1..6 --out prints/`"));
    }
    let context = Context::from_env()?;
    let settings =
        Settings::read(&context.home.config).map_err(|error| Failure::usage(error.to_string()))?;
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let options = Options {
        // Over a slow line what moves costs more than it says.
        motion: !args.no_motion && !set("SSH_CONNECTION"),
        mouse: !args.no_mouse,
        colour: !set("NO_COLOR"),
        ascii: args.ascii,
        pictures: match args.pictures {
            Pictures::Auto => PictureMode::Auto,
            Pictures::Kitty => PictureMode::Kitty,
            Pictures::Sixel => PictureMode::Sixel,
            Pictures::Iterm => PictureMode::Iterm,
            Pictures::Blocks => PictureMode::Blocks,
            Pictures::Off => PictureMode::Off,
        },
        folder: std::env::current_dir().unwrap_or_default(),
        examples: example::ALL.iter().map(|example| example.name.to_owned()).collect(),
        ..Options::default()
    };
    crate::ui::app::run(context.home, embedded::catalogue(), options, settings)
        .await
        .map_err(|error| Failure::failed(format!("the terminal can't be used: {error}")))?;
    Ok(())
}
