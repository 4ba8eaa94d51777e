//! The loop: drains whatever waits, updates, carries out effects, paints once, at most 60 times a second, keys at once,
//! nothing when nothing changed.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event, EventStream, KeyEventKind};
use fanlight_shared::home::Home;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::time::Time;
use futures_util::StreamExt as _;
use ratatui::buffer::Buffer;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::effect::Effect;
use super::errand::Errands;
use super::link::Daemon;
use super::message::{Came, Message};
use super::model::{Model, Options};
use super::settings::Settings;
use super::terminal::Screen;
use super::theme::Theme;
use super::update::{begin, update};
use super::view::{Areas, view};

/// The least time between two paints that no key asked for: 60 a second.
const FRAME: Duration = Duration::from_micros(16_667);
/// How many messages are taken in before the next paint, so that a flood does not stop it.
const BURST: usize = 512;

/// Runs the UI until the user leaves it.
///
/// # Errors
/// The terminal can't be taken or painted.
pub async fn run(home: Home, catalogue: Catalogue, options: Options, settings: Settings) -> io::Result<()> {
    let (messages, mut waiting) = mpsc::unbounded_channel();
    let daemon = Daemon::begin(home.clone(), messages.clone());
    let errands = Errands::new(daemon, home.clone(), Arc::new(catalogue), messages.clone());
    let mut model = Model::new(options);
    model.keymap = Arc::new(settings.keymap);
    model.now = Time::now();
    let screen = Screen::take()?;
    model.size = screen.size()?;
    let mut app =
        App { model, theme: settings.theme, screen, errands, home, messages, quit: false, tick: None, other: None };
    let effects = begin(&mut app.model);
    app.carry_out(effects)?;
    app.paint()?;
    let mut keys = EventStream::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut last_paint = Instant::now();
    while !app.quit {
        let mut urgent = false;
        tokio::select! {
            biased;
            _ = terminate.recv() => break,
            _ = hang_up.recv() => break,
            event = keys.next() => match event {
                Some(event) => urgent = app.event(event?)?,
                None => break,
            },
            message = waiting.recv() => {
                if let Some(message) = message {
                    app.step(message)?;
                }
            }
            () = sleep_until(app.tick) => {
                app.tick = None;
                app.step(Message::Tick(Time::now()))?;
            }
        }
        for _ in 0..BURST {
            let Ok(message) = waiting.try_recv() else { break };
            app.step(message)?;
        }
        if app.other.is_some() {
            // While another program has the terminal, its keys are its own.
            drop(keys);
            app.hand_over()?;
            keys = EventStream::new();
            urgent = true;
        }
        let since = last_paint.elapsed();
        if !urgent && since < FRAME && !app.quit {
            tokio::time::sleep(FRAME - since).await;
            while let Ok(message) = waiting.try_recv() {
                app.step(message)?;
            }
        }
        app.paint()?;
        last_paint = Instant::now();
    }
    drop(app);
    Ok(())
}

/// Waits until then; for ever where nothing is due.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Something else that gets the terminal for a while.
enum Other {
    /// The user's editor with this file.
    Editor(std::path::PathBuf),
    /// The user's pager with this text.
    Pager(String),
    /// The shell: the process stops, as ctrl-z does.
    Shell,
}

struct App {
    model: Model,
    theme: Theme,
    screen: Screen,
    errands: Errands,
    home: Home,
    messages: mpsc::UnboundedSender<Message>,
    quit: bool,
    /// When something shown moves by itself.
    tick: Option<Instant>,
    /// What gets the terminal next.
    other: Option<Other>,
}

impl App {
    /// Takes in what the terminal said. Answers whether it is painted at once.
    fn event(&mut self, event: Event) -> io::Result<bool> {
        let message = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => Message::Key(key),
            Event::Mouse(mouse) => Message::Mouse(mouse),
            Event::Paste(text) => Message::Paste(text),
            Event::Resize(columns, rows) => Message::Resize(columns, rows),
            _ => return Ok(false),
        };
        self.step(message)?;
        Ok(true)
    }

    fn step(&mut self, message: Message) -> io::Result<()> {
        if !matches!(message, Message::Tick(_)) {
            self.model.now = Time::now();
        }
        let effects = update(&mut self.model, message);
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.quit = true,
                Effect::Suspend => self.other = Some(Other::Shell),
                Effect::Edit(path) => self.other = Some(Other::Editor(path)),
                Effect::Pager { text, .. } => self.other = Some(Other::Pager(text)),
                Effect::Redraw | Effect::ForgetPictures => self.screen.clear()?,
                Effect::Mouse(mouse) => self.screen.take_mouse(mouse)?,
                Effect::Notify(text) => self.screen.send(&notice(&text))?,
                Effect::Copy(text) => self.copy(&text)?,
                Effect::TickIn(milliseconds) => self.tick_in(milliseconds),
                effect => self.errands.run(effect),
            }
        }
        Ok(())
    }

    fn tick_in(&mut self, milliseconds: u64) {
        let due = Instant::now() + Duration::from_millis(milliseconds);
        self.tick = Some(self.tick.map_or(due, |tick| tick.min(due)));
    }

    /// Paints the model, and tells the update what lies where if that changed.
    fn paint(&mut self) -> io::Result<()> {
        let mut areas = Areas::default();
        let (model, theme) = (&self.model, &self.theme);
        self.screen.paint(|area, buffer: &mut Buffer| areas = view(model, theme, area, buffer))?;
        if let Some(tick) = areas.tick {
            self.tick_in(tick);
        }
        if areas != self.model.areas {
            self.step(Message::Shown(Box::new(areas)))?;
        }
        Ok(())
    }

    /// Copies by OSC 52, and leaves the text in a file too, since not every terminal takes it.
    fn copy(&mut self, text: &str) -> io::Result<()> {
        crossterm::execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
        let path = self.home.state.join("copied.txt");
        let said = match std::fs::write(&path, text) {
            Ok(()) => format!("copied ({} characters; also in {})", text.chars().count(), path.display()),
            Err(_) => format!("copied ({} characters)", text.chars().count()),
        };
        let _ = self.messages.send(Message::Came(Box::new(Came::Done(said))));
        Ok(())
    }

    /// Gives the terminal to another program until that ends.
    fn hand_over(&mut self) -> io::Result<()> {
        let Some(other) = self.other.take() else { return Ok(()) };
        self.screen.release()?;
        let failed = match &other {
            Other::Editor(path) => start(&editor(), path),
            Other::Pager(text) => page(text),
            Other::Shell => stop(),
        };
        self.screen.resume()?;
        if let Err(error) = failed {
            self.step(Message::Came(Box::new(Came::Failed { what: "start a program".into(), error: error.to_string() })))?;
        }
        if let Other::Editor(path) = other {
            self.errands.run(Effect::ReadFile(path));
        }
        let (columns, rows) = self.screen.size()?;
        self.step(Message::Resize(columns, rows))
    }
}

/// The user's editor: a program with its arguments.
fn editor() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|it| !it.trim().is_empty());
    named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

fn start(program: &str, path: &Path) -> io::Result<()> {
    let mut words = program.split_whitespace();
    let name = words.next().unwrap_or("vi");
    Command::new(name).args(words).arg(path).status().map(|_| ()).map_err(|error| {
        io::Error::other(format!("`{name}` can't be started: {error}; set EDITOR to another one"))
    })
}

fn page(text: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new()?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    let pager = std::env::var("PAGER").ok().filter(|it| !it.trim().is_empty());
    start(pager.as_deref().unwrap_or("less"), file.path())
}

/// Stops this process until the shell continues it.
fn stop() -> io::Result<()> {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
    Ok(())
}

/// A notice for the desktop where the terminal knows OSC 9, and a bell everywhere.
fn notice(text: &str) -> String {
    format!("\x1b]9;{text}\x07\x07")
}
