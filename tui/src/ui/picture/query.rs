//! The question to the terminal how it shows pictures, and its replies, told apart from keys that are typed meanwhile.
//!
//! The question ends with one that every terminal replies (its attributes), so the last answer is known as such. It is
//! sent before the first frame and listened for beside the loop, which paints meanwhile and gets the keys as they come.

mod late;
mod reader;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::event::KeyEvent;
use rustix::event::{PollFd, PollFlags, poll};

use crate::ui::picture::PictureMode;
pub use late::Late;
use reader::{Read, Reader};

/// How long to wait for replies. Over a slow line they may be late; then the environment decides.
const TIMEOUT: Duration = Duration::from_millis(400);
/// How long the rest of a sequence may take; an escape alone is a key.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(25);

/// The replies of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replies {
    /// Whether it claims to support kitty's protocol with placeholders.
    pub kitty: bool,
    /// Whether a terminal with its name and version supports placeholders.
    pub placeholders: bool,
    /// Whether it has 24-bit colours.
    pub deep: bool,
    /// Whether it supports sixels.
    pub sixel: bool,
    /// Width and height of a cell in pixels.
    pub font: Option<(u16, u16)>,
    /// Whether it replied at all.
    pub any: bool,
}

/// Asks whether it accepts a picture for placeholders: kitty before 0.28 doesn't know `U` and doesn't reply.
const KITTY: &str = "\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24,U=1;AAAA\u{1b}\\";
/// Asks for its name and version (XTVERSION).
const VERSION: &str = "\u{1b}[>0q";
/// Asks for the capabilities `RGB` and `Tc` (XTGETTCAP), then sets a 24-bit colour and reads it back (DECRQSS).
const DEEP: &str = "\u{1b}P+q524742\u{1b}\\\u{1b}P+q5463\u{1b}\\\u{1b}[48;2;1;2;3m\u{1b}P$qm\u{1b}\\\u{1b}[m";

/// Returns the query to send; `None` if there is nothing to find out. `deep`: the terminal is known to have 24-bit
/// colours.
#[must_use]
pub fn question(mode: PictureMode, multiplexer: bool, deep: bool) -> Option<String> {
    let deep = if deep { "" } else { DEEP };
    let kitty = match (mode, multiplexer) {
        (PictureMode::Off, _) => return None,
        (PictureMode::Blocks, _) if deep.is_empty() => return None,
        (PictureMode::Blocks, _) => return Some(format!("{deep}\u{1b}[c")),
        (PictureMode::Auto, false) => format!("{KITTY}{VERSION}"),
        // Queries the outer terminal, if the multiplexer passes sequences through.
        (PictureMode::Auto, true) => {
            format!("\u{1b}Ptmux;{}\u{1b}\\", KITTY.replace('\u{1b}', "\u{1b}\u{1b}"))
        }
        _ => String::new(),
    };
    Some(format!("{kitty}{deep}\u{1b}[16t\u{1b}[c"))
}

/// Reads until the last reply or the time-out; keys go to `key` as they are typed. Blocks, so don't call it on the
/// event loop.
pub fn listen(mut key: impl FnMut(KeyEvent)) -> Replies {
    let stdin = std::io::stdin();
    let (mut reader, mut replies) = (Reader::default(), Replies::default());
    let until = Instant::now() + TIMEOUT;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let wait = if reader.is_open() { left.min(SEQUENCE_TIMEOUT) } else { left };
        let Ok(timeout) = rustix::event::Timespec::try_from(wait) else { break };
        let ready = poll(&mut [PollFd::new(&stdin.as_fd(), PollFlags::IN)], Some(&timeout));
        let mut bytes = [0; 1024];
        let read = match ready {
            Ok(0) if reader.is_open() => {
                reader.close().into_iter().for_each(&mut key);
                continue;
            }
            Ok(0) => break,
            Ok(_) => rustix::io::read(stdin.as_fd(), &mut bytes),
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break,
        };
        let Ok(count) = read else { break };
        if count == 0 {
            break;
        }
        for read in reader.read(&bytes[..count]) {
            match read {
                Read::Key(typed) => key(typed),
                Read::Kitty(good) => replies.kitty = good,
                Read::Version { placeholders } => replies.placeholders = placeholders,
                Read::Deep => replies.deep = true,
                Read::Font(font) => replies.font = Some(font),
                Read::Attributes { sixel } => {
                    (replies.sixel, replies.any) = (sixel, true);
                }
            }
        }
        // Also reads what is typed right after the last reply.
        if replies.any && !reader.is_open() {
            break;
        }
    }
    reader.close().into_iter().for_each(&mut key);
    replies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_needed_queries_are_sent() {
        let question = |mode, multiplexer, deep| question(mode, multiplexer, deep).unwrap_or_default();
        assert_eq!(question(PictureMode::Off, false, false), "");
        assert_eq!(question(PictureMode::Blocks, false, true), "");
        assert!(question(PictureMode::Blocks, false, false).ends_with("$qm\u{1b}\\\u{1b}[m\u{1b}[c"));
        let sixel = question(PictureMode::Sixel, false, true);
        assert!(!sixel.contains("_G") && sixel.ends_with("[c"));
        assert!(question(PictureMode::Auto, true, true).starts_with("\u{1b}Ptmux;\u{1b}\u{1b}_G"));
    }
}
