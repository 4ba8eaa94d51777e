//! The event loop: drains messages, updates the model, carries out effects and paints once. Keys are shown at once,
//! telemetry at most 30 times a second, and nothing is painted when nothing changed.

mod effects;
mod folder_watch;
mod frame_rate;
mod outside;
mod painter;
pub mod session;
mod terminal_query;
mod watch_file;
mod work;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream, MouseEventKind};
use fanlight_shared::home::Home;
use fanlight_shared::time::Time;
use futures_util::StreamExt as _;
use tokio::signal::unix::{SignalKind, signal};

use super::message::Message;
use super::model::{Model, Options};
use super::picture::overlay::Overlay;
use super::picture::probe;
use super::picture::query::{self, Late, Replies};
use super::settings::Settings;
use super::terminal::Terminal;
use super::theme::Theme;
use super::update::begin;
use super::view;
use crate::host::Host;
use crate::ui::model::pictures::Pictures;
use frame_rate::{FrameRate, Urgency};
use session::Session;
use terminal_query::{Input, TerminalQuery};

/// How long after the start late replies of the terminal are expected.
const LATE_REPLIES: Duration = Duration::from_secs(10);
/// The maximum number of messages per batch, so that a flood shows progress.
const MAX_BATCH: usize = 512;
/// Messages between two checks for keys: each check is a system call.
const MESSAGES_PER_KEY_CHECK: usize = 16;

/// The arguments of the UI.
#[derive(Debug)]
pub struct Start {
    /// Where everything lies.
    pub home: Home,
    /// This program, for starting a daemon.
    pub exe: PathBuf,
    /// The computer with the home, if it is another one.
    pub(crate) host: Option<Arc<Host>>,
    /// The request.
    pub options: Options,
    /// The user's files.
    pub settings: Settings,
}

/// Runs the UI until the user quits. Returns how many runs are still open.
///
/// # Errors
/// The terminal can't be used.
pub async fn run(start: Start) -> io::Result<u32> {
    let mut app = App::new(start)?;
    let ended = app.run().await;
    if let Some(farewell) = app.session.model.pictures.farewell() {
        // The terminal may be gone already.
        let _ = app.terminal.write(&farewell);
    }
    drop(app.terminal);
    tracing::debug!(paints = app.paints, "the UI ended");
    let queue = app.session.model.projection.queue();
    ended.map(|()| queue.running + queue.queued)
}

struct App {
    terminal: Terminal,
    session: Session,
    theme: Theme,
    /// Dropped while another program uses the terminal, so that it doesn't take its keys.
    events: Option<EventStream>,
    /// The query for the terminal's picture protocols, while it runs.
    asked: Option<TerminalQuery>,
    /// Set if the terminal did not reply in time.
    late: Option<Late>,
    /// Pictures that the terminal draws over cells.
    overlay: Overlay,
    frame_rate: FrameRate,
    paints: u64,
    over: bool,
}

enum Next {
    Event(Option<io::Result<Event>>),
    Message(Message),
    Paint,
    Tick,
    End,
    Continued,
    Input(Option<Input>),
}

impl App {
    fn new(start: Start) -> io::Result<Self> {
        let mut terminal = Terminal::take()?;
        let mut model = Model::new(start.options);
        model.keymap = Arc::new(start.settings.keymap);
        model.size = terminal.size()?;
        model.now = Time::now();
        let here = probe::Terminal::here();
        let drawing = probe::drawing(model.options.pictures, &here, Replies::default());
        model.pictures = Pictures::new(model.options.pictures, drawing);
        let asked = query::question(model.options.pictures, here.multiplexer, probe::is_deep(&here));
        if let Some(question) = &asked {
            terminal.write(question)?;
            model.pictures.wait();
        }
        let theme =
            if model.options.colour { start.settings.theme } else { start.settings.theme.without_colour() };
        let mut frame_rate = FrameRate::default();
        frame_rate.request(Urgency::Person);
        Ok(Self {
            terminal,
            session: Session::of(start.home, start.exe, start.host.clone(), model),
            theme,
            // Until the terminal has replied, keys come from the query.
            events: asked.is_none().then(EventStream::new),
            asked: asked.is_some().then(TerminalQuery::listen),
            late: None,
            overlay: Overlay::default(),
            frame_rate,
            paints: 0,
            over: false,
        })
    }

    async fn run(&mut self) -> io::Result<()> {
        let mut end = [
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
        ];
        let mut continued = signal(SignalKind::from_raw(libc_sigcont()))?;
        let effects = begin(&mut self.session.model);
        self.carry_out(effects).await?;
        while !self.over {
            if self.frame_rate.left(Instant::now()).is_some_and(|left| left.is_zero()) {
                self.paint().await?;
            }
            let [terminate, hangup, interrupt] = &mut end;
            let now = Instant::now();
            let paint = self.frame_rate.left(now).map(|left| now + left);
            let events = &mut self.events;
            let event = async {
                match events {
                    Some(events) => events.next().await,
                    None => std::future::pending().await,
                }
            };
            let next = tokio::select! {
                biased;
                _ = terminate.recv() => Next::End,
                _ = hangup.recv() => Next::End,
                _ = interrupt.recv() => Next::End,
                _ = continued.recv() => Next::Continued,
                event = event => Next::Event(event),
                heard = TerminalQuery::heard(&mut self.asked) => Next::Input(heard),
                () = at(paint) => Next::Paint,
                // If a paint is due, messages wait for it and are drained at once, so that a flood wakes the loop once
                // per paint and not once per message.
                message = self.session.next_message(), if paint.is_none() => match message {
                    Some(message) => Next::Message(message),
                    None => Next::End,
                },
                () = at(self.frame_rate.tick()) => Next::Tick,
            };
            self.handle(next).await?;
            self.drain().await?;
        }
        Ok(())
    }

    async fn handle(&mut self, next: Next) -> io::Result<()> {
        self.session.model.now = Time::now();
        match next {
            Next::End => self.over = true,
            Next::Paint => {}
            Next::Input(Some(Input::Key(key))) => self.event(Event::Key(key)).await?,
            Next::Input(Some(Input::Replies(replies))) => self.answered(replies)?,
            Next::Input(None) => self.answered(Replies::default())?,
            Next::Continued => {
                self.terminal.resume()?;
                self.pictures_again()?;
                self.session.model.size = self.terminal.size()?;
                self.frame_rate.request(Urgency::Person);
            }
            Next::Tick => {
                self.frame_rate.ticked();
                self.step(Message::Tick(self.session.model.now)).await?;
            }
            Next::Message(message) => self.step(message).await?,
            // The terminal is gone.
            Next::Event(None | Some(Err(_))) => self.over = true,
            Next::Event(Some(Ok(event))) => self.event(event).await?,
        }
        Ok(())
    }

    /// Applies all waiting messages, so that they are painted once.
    async fn drain(&mut self) -> io::Result<()> {
        let mut look = true;
        for taken in 0..MAX_BATCH {
            if self.over {
                break;
            }
            // TerminalQuery with this task's own waker: the stream keeps the first one it gets until a key comes.
            let event = match &mut self.events {
                Some(events) if look => {
                    std::future::poll_fn(|context| Poll::Ready(events.poll_next_unpin(context))).await
                }
                _ => Poll::Pending,
            };
            let next = match event {
                Poll::Ready(event) => Next::Event(event),
                Poll::Pending => match self.session.waiting_message() {
                    Some(message) => {
                        look = taken.is_multiple_of(MESSAGES_PER_KEY_CHECK);
                        Next::Message(message)
                    }
                    None if look => break,
                    None => {
                        look = true;
                        continue;
                    }
                },
            };
            self.handle(next).await?;
        }
        Ok(())
    }

    /// Handles the replies of the terminal: sets how pictures are drawn, and reads keys as usual from now on.
    fn answered(&mut self, replies: Replies) -> io::Result<()> {
        if self.asked.take().is_none() {
            return Ok(());
        }
        let drawing = probe::drawing(self.session.model.options.pictures, &probe::Terminal::here(), replies);
        self.session.work.draw_by(drawing);
        self.session.model.pictures.begin(drawing);
        self.late = (!replies.any).then(|| Late::expect(LATE_REPLIES));
        self.events = Some(EventStream::new());
        self.frame_rate.request(Urgency::Response);
        self.terminal.mouse(self.session.model.options.mouse)
    }

    async fn event(&mut self, event: Event) -> io::Result<()> {
        let message = match event {
            Event::Key(key) if self.late.as_mut().is_some_and(|late| late.swallows(&key, Instant::now())) => {
                return Ok(());
            }
            Event::Key(key) => Message::Key(key),
            // Movement without a button has no meaning here.
            Event::Mouse(mouse) if mouse.kind == MouseEventKind::Moved => return Ok(()),
            Event::Mouse(mouse) => Message::Mouse(mouse),
            Event::Paste(text) => Message::Paste(text),
            Event::Resize(columns, rows) => Message::Resize(columns, rows),
            Event::FocusGained | Event::FocusLost => return Ok(()),
        };
        self.step(message).await
    }

    async fn step(&mut self, message: Message) -> io::Result<()> {
        if let Some(urgency) = Urgency::of(&message, &self.session.model.areas) {
            self.frame_rate.request(urgency);
        }
        let effects = self.session.update(message);
        self.carry_out(effects).await
    }

    async fn paint(&mut self) -> io::Result<()> {
        let (model, theme, overlay) = (&self.session.model, &self.theme, &mut self.overlay);
        let areas = self.terminal.paint(|area, buffer| {
            let areas = view::view(model, theme, area, buffer);
            overlay.settle(buffer);
            let caret = areas.caret;
            (areas, caret)
        })?;
        self.paints += 1;
        self.frame_rate.painted(Instant::now(), areas.tick);
        let effects = self.session.update(Message::Shown(Box::new(areas)));
        Box::pin(self.carry_out(effects)).await
    }
}

/// Returns the number of the signal that continues a stopped process.
fn libc_sigcont() -> i32 {
    rustix::process::Signal::CONT.as_raw()
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}
