//! Effects that need the terminal, and programs that use it meanwhile.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use crossterm::event::EventStream;

use super::frame_rate::Urgency;
use super::{App, outside};
use crate::ui::document::{Purpose, Request, Source};
use crate::ui::effect::Effect;

impl App {
    /// Carries out the effects that need the terminal.
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
                // The query understands keys only: the mouse is enabled after it.
                Effect::Mouse(_) if self.asked.is_some() => {}
                Effect::Mouse(on) => self.terminal.mouse(on)?,
                Effect::Terminal(text) => self.terminal.write(&text)?,
                Effect::TickIn(milliseconds) => self.frame_rate.tick_in(Instant::now(), milliseconds),
                Effect::Edit(path) => {
                    self.outside(Effect::Edit(path.clone()), crate::editor::edit(&path)).await?;
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
                Effect::Notify(text) => {
                    let terminal = std::env::var("TERM").ok();
                    self.terminal.write(&outside::notice(&text, terminal.as_deref()))?;
                }
                effect => tracing::error!(?effect, "no terminal carries this out"),
            }
        }
        Ok(())
    }

    /// Stops this process as ctrl-z does, until the shell continues it.
    fn suspend(&mut self) -> io::Result<()> {
        self.events = None;
        self.terminal.give();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        self.back()
    }

    /// Runs another program in the terminal until it ends.
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

    /// Sends the terminal the pictures that it should keep, after it was cleared.
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
        // While the query runs, keys come from it.
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
