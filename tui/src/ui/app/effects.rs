//! Effects that only a terminal carries out; other programs that have it meanwhile.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use crossterm::event::EventStream;

use super::frame_rate::Urgency;
use super::{App, outside};
use crate::ui::document::{Purpose, Request, Source};
use crate::ui::effect::Effect;

impl App {
    /// Carries out what a step asked for, as far as only a terminal can.
    pub(super) async fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in self.session.carry_out(effects) {
            match effect {
                Effect::Quit => self.over = true,
                Effect::Redraw | Effect::ForgetPictures => {
                    self.terminal.forget()?;
                    self.pictures_again()?;
                    self.frame_rate.request(Urgency::Response);
                }
                Effect::Suspend => self.suspend()?,
                // Who listens for the terminal's answers knows keys only: the mouse is taken after them.
                Effect::Mouse(_) if self.asked.is_some() => {}
                Effect::Mouse(on) => self.terminal.mouse(on)?,
                Effect::Terminal(text) => self.terminal.write(&text)?,
                Effect::TickIn(milliseconds) => self.frame_rate.tick_in(Instant::now(), milliseconds),
                Effect::Edit(path) => {
                    self.outside(Effect::Edit(path.clone()), outside::edit(&path)).await?;
                    self.session.carry_out(vec![refresh(path)]);
                }
                Effect::Pager { name, text } => {
                    let request = Effect::Pager { name: name.clone(), text: String::new() };
                    self.outside(request, outside::page(&name, &text)).await?;
                }
                Effect::Copy(text) => {
                    self.terminal.write(&outside::copy(&text))?;
                    self.session.work.save_copied(&text);
                }
                Effect::Notify(text) => self.terminal.write(&outside::notice(&text))?,
                effect => tracing::error!(?effect, "no terminal carries this out"),
            }
        }
        Ok(())
    }

    /// Stops this process as ctrl-z does; goes on when the shell says so.
    fn suspend(&mut self) -> io::Result<()> {
        self.events = None;
        self.terminal.give();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        self.back()
    }

    /// Another program has the terminal until it ends.
    async fn outside(
        &mut self,
        request: Effect,
        program: impl Future<Output = Result<(), String>>,
    ) -> io::Result<()> {
        self.events = None;
        self.terminal.give();
        let ended = program.await;
        self.back()?;
        if let Err(error) = ended {
            self.session.work.failed(request, error);
        }
        Ok(())
    }

    /// The terminal was cleared: it gets the pictures it is to keep again.
    pub(super) fn pictures_again(&mut self) -> io::Result<()> {
        self.overlay.clear();
        match self.session.model.pictures.again() {
            Some(pictures) => self.terminal.write(&pictures),
            None => Ok(()),
        }
    }

    fn back(&mut self) -> io::Result<()> {
        self.terminal.again()?;
        self.pictures_again()?;
        // Where answers are still listened for, the keys come from there.
        self.events = self.asked.is_none().then(EventStream::new);
        self.session.model.size = self.terminal.size()?;
        self.frame_rate.request(Urgency::Person);
        Ok(())
    }
}

/// Reads a file that may have changed.
fn refresh(path: PathBuf) -> Effect {
    Effect::ReadWorkflow(Request { source: Source::File(path), purpose: Purpose::Refresh })
}
