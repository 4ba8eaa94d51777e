//! Short messages at the bottom right, and the list of all of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::sanitise;
use fanlight_shared::time::Time;

/// How long a message stays, except for errors.
const DISPLAY_TIME: Duration = Duration::from_secs(3);
/// How many are shown at once.
const MAX_SHOWN: usize = 3;
/// How many are kept.
const MAX_HISTORY: usize = 500;

/// How serious a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Something was done.
    Good,
    /// Something to know.
    Note,
    /// An error, which stays until it is dismissed.
    Bad,
}

/// A short message.
#[derive(Clone, PartialEq, Debug)]
pub struct Toast {
    /// How serious it is.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// When it arrived.
    pub at: Time,
    /// What it is about: it goes once that has changed.
    pub about: Option<About>,
}

/// What a message is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    /// A file: the next message about it replaces this one.
    File(PathBuf),
    /// The daemon, which can't be reached.
    Away,
}

/// The messages on screen, and their history (the newest 500).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Toasts {
    /// On screen, oldest first, at most three.
    pub shown: Vec<Toast>,
    /// All, oldest first.
    pub all: Vec<Toast>,
}

impl Toasts {
    /// Shows a message. A repeated message only stays longer.
    pub fn add(&mut self, tone: Tone, text: impl Into<String>, at: Time) {
        self.push(Toast { tone, text: sanitise::plain(&text.into()), at, about: None });
    }

    /// Shows that something failed because the daemon is away.
    pub fn away(&mut self, text: impl Into<String>, at: Time) {
        let about = Some(About::Away);
        self.push(Toast { tone: Tone::Bad, text: sanitise::plain(&text.into()), at, about });
    }

    /// Lets what failed because the daemon was away go after a moment, now that it is back.
    pub fn back(&mut self, at: Time) {
        for toast in self.shown.iter_mut().filter(|it| it.about == Some(About::Away)) {
            (toast.tone, toast.at, toast.about) = (Tone::Note, at, None);
        }
    }

    /// Shows a message about a file, instead of the last one about it.
    pub fn about(&mut self, file: &Path, tone: Tone, text: impl Into<String>, at: Time) {
        self.resolve(file);
        let about = Some(About::File(file.to_owned()));
        self.push(Toast { tone, text: sanitise::plain(&text.into()), at, about });
    }

    /// Removes the message about a file.
    pub fn resolve(&mut self, file: &Path) {
        self.shown.retain(|it| !matches!(&it.about, Some(About::File(about)) if about == file));
    }

    fn push(&mut self, toast: Toast) {
        self.shown.retain(|it| it.text != toast.text);
        self.shown.push(toast.clone());
        if self.shown.len() > MAX_SHOWN {
            // Errors stay longer than other messages.
            let least = self.shown.iter().position(|it| it.tone != Tone::Bad).unwrap_or(0);
            self.shown.remove(least);
        }
        self.all.push(toast);
        if self.all.len() > MAX_HISTORY {
            self.all.drain(..self.all.len() - MAX_HISTORY);
        }
    }

    /// Removes messages that were shown long enough.
    pub fn expire(&mut self, now: Time) {
        self.shown.retain(|it| it.tone == Tone::Bad || now.since(it.at) < DISPLAY_TIME);
    }

    /// Returns after how many milliseconds the next one disappears.
    #[must_use]
    pub fn next_change(&self, now: Time) -> Option<u64> {
        let going = self.shown.iter().filter(|it| it.tone != Tone::Bad);
        let left = going.map(|it| DISPLAY_TIME.saturating_sub(now.since(it.at))).min()?;
        u64::try_from(left.as_millis()).ok().map(|it| it.max(1))
    }

    /// Dismisses one message, or all. Returns whether there was one.
    pub fn dismiss(&mut self, which: Option<usize>) -> bool {
        match which {
            Some(index) if index < self.shown.len() => {
                self.shown.remove(index);
                true
            }
            Some(_) => false,
            None => {
                let any = !self.shown.is_empty();
                self.shown.clear();
                any
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stay_until_they_are_dismissed() {
        let mut toasts = Toasts::default();
        toasts.add(Tone::Bad, "no", Time(0));
        for number in 0..5 {
            toasts.add(Tone::Note, format!("{number}"), Time(number));
        }
        assert_eq!(toasts.shown.len(), 3);
        toasts.expire(Time(60_000));
        assert_eq!(toasts.shown.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["no"]);
        assert!(toasts.dismiss(None));
        assert!(!toasts.dismiss(None));
        assert_eq!(toasts.all.len(), 6);
    }

    #[test]
    fn what_failed_because_the_daemon_was_away_goes_after_it_is_back() {
        let mut toasts = Toasts::default();
        toasts.away("cancel: the daemon is away", Time(0));
        toasts.add(Tone::Bad, "no", Time(0));
        toasts.expire(Time(60_000));
        assert_eq!((toasts.shown.len(), toasts.next_change(Time(60_000))), (2, None));
        toasts.back(Time(60_000));
        toasts.expire(Time(61_000));
        assert_eq!((toasts.shown.len(), toasts.next_change(Time(61_000))), (2, Some(2_000)));
        toasts.expire(Time(63_000));
        assert_eq!(toasts.shown.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["no"]);
        assert_eq!(toasts.all.len(), 2);
    }

    #[test]
    fn the_next_change_has_a_time() {
        let mut toasts = Toasts::default();
        assert_eq!(toasts.next_change(Time(0)), None);
        toasts.add(Tone::Good, "done", Time(0));
        assert_eq!(toasts.next_change(Time(1_000)), Some(2_000));
    }
}
