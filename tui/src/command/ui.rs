//! `fanlight` without a command: the terminal UI.

use std::io::IsTerminal as _;

use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::ui::app::{self, Start};
use crate::ui::model::Options;
use crate::ui::picture::PictureMode;
use crate::ui::settings::{Preferences, Settings};

/// How the UI is drawn.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Turn animations off.
    #[arg(long)]
    no_motion: bool,
    /// Leave the mouse to the terminal.
    #[arg(long)]
    no_mouse: bool,
    /// Draw and print only ASCII characters.
    #[arg(long, global = true)]
    ascii: bool,
    /// Delete and cancel without asking.
    #[arg(long)]
    no_confirm: bool,
    /// Ring the bell when the last run has ended.
    #[arg(long)]
    bell: bool,
    /// How to draw pictures: auto, kitty, sixel, iterm, blocks, sextants, octants or off.
    #[arg(long, value_parser = pictures, value_name = "HOW")]
    pictures: Option<PictureMode>,
}

fn pictures(text: &str) -> Result<PictureMode, String> {
    PictureMode::named(text)
        .ok_or_else(|| format!("choose one of {}", PictureMode::NAMES.map(|(name, _)| name).join(", ")))
}

impl Args {
    /// Returns whether ASCII was asked for.
    pub(crate) fn ascii(&self) -> bool {
        self.ascii
    }

    fn options(&self, preferences: Preferences) -> Options {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        // Animation is expensive over a slow line.
        let remote = set("SSH_CONNECTION") || set("SSH_TTY");
        let ascii = crate::ascii::is_asked_for() || preferences.ascii.unwrap_or_else(crate::ascii::is_wanted);
        let colour = !set("NO_COLOR");
        // Half blocks need colours, and neither they nor placeholders are ASCII.
        let pictures = if colour && !ascii { PictureMode::Auto } else { PictureMode::Off };
        Options {
            motion: !self.no_motion && preferences.motion.unwrap_or(!remote),
            mouse: !self.no_mouse && preferences.mouse.unwrap_or(true),
            colour,
            ascii,
            bell: self.bell || preferences.bell.unwrap_or(false),
            confirm: !self.no_confirm && preferences.confirm.unwrap_or(true),
            pictures: self.pictures.or(preferences.pictures).unwrap_or(pictures),
            folder: std::env::current_dir().and_then(|it| it.canonicalize()).unwrap_or_else(|_| ".".into()),
            examples: crate::example::ALL.iter().map(|it| it.name.to_owned()).collect(),
            host: None,
        }
    }
}

/// Opens the terminal UI. Without a terminal it prints the help of `cli`, the command line of this program.
pub(crate) async fn open(args: &Args, mut cli: clap::Command) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        output::note(cli.render_help().to_string().trim_end());
        return Err(Failure::usage("the terminal UI needs a terminal; without one a command is needed")
            .hint("begin with `fanlight run poster --sweep seed=1..6 --out prints/`"));
    }
    let context = Context::from_env()?;
    let settings = Settings::read(&context.home.config).map_err(|error| Failure::usage(error.to_string()))?;
    let exe = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("this program can't find itself: {error}")))?;
    let mut options = args.options(settings.preferences);
    if let Some(host) = &context.host {
        options.host = Some(host.name().to_owned());
        // `ssh` may ask for a password while the terminal is still its own.
        drop(host.connect().await?);
        output::be_silent();
    }
    let left = app::run(Start { home: context.home, exe, host: context.host, options, settings })
        .await
        .map_err(|error| Failure::failed(format!("the terminal can't be used: {error}")))?;
    match left {
        0 => {}
        1 => output::note("1 run continues"),
        left => output::note(&format!("{left} runs continue")),
    }
    Ok(())
}
