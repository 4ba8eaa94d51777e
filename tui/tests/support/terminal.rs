//! A terminal with a program in it: keys go in, the screen is looked at, and nothing ever sleeps: one waits for a named
//! condition, and a failure prints the screen.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a condition may take before the test fails; far longer than any takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What ends a frame: the end of a synchronized update.
const FRAME_END: &[u8] = b"\x1b[?2026l";

struct Shown {
    parser: vt100::Parser,
    /// Bytes that came so far.
    bytes: u64,
    /// Frames that were painted so far.
    paints: u64,
    /// The last bytes, which may be the beginning of an end of a frame.
    tail: Vec<u8>,
    ended: bool,
}

impl Shown {
    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.bytes += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
        self.paints += self.tail.windows(FRAME_END.len()).filter(|it| *it == FRAME_END).count() as u64;
        self.tail.drain(..self.tail.len().saturating_sub(FRAME_END.len() - 1));
    }
}

/// A terminal with a program in it.
pub struct Terminal {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    /// Starts `program` in a terminal of so many columns and rows, with this home and in this folder.
    pub fn start(program: &Path, arguments: &[&str], home: &Path, folder: &Path, size: (u16, u16)) -> Self {
        Self::spawn(Self::command(program, arguments, home, folder), size)
    }

    /// A command with this home, in this folder, and the environment of a plain terminal.
    pub fn command(program: &Path, arguments: &[&str], home: &Path, folder: &Path) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env_clear();
        for name in ["PATH", "HOME", "USER", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("FANLIGHT_HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command
    }

    /// Starts a command in a terminal of so many columns and rows.
    pub fn spawn(command: CommandBuilder, size: (u16, u16)) -> Self {
        let (columns, rows) = size;
        let pty = native_pty_system()
            .openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo terminal");
        let child = pty.slave.spawn_command(command).expect("the program starts");
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().expect("the terminal can be read");
        let writer = pty.master.take_writer().expect("the terminal can be written");
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        let begin = Shown { parser, bytes: 0, paints: 0, tail: Vec::new(), ended: false };
        let shown = Arc::new((Mutex::new(begin), Condvar::new()));
        let seen = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let mut shown = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
                shown.take(&buffer[..read]);
                shown.ended = read == 0;
                seen.1.notify_all();
                if read == 0 {
                    break;
                }
            }
        });
        Self { shown, master: pty.master, writer, child }
    }

    /// Presses keys one after the other: `enter`, `esc`, `tab`, `space`, `ctrl-s`, `up`, or a character.
    pub fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let bytes: Vec<u8> = match *key {
                "enter" => b"\r".to_vec(),
                "esc" => b"\x1b".to_vec(),
                "tab" => b"\t".to_vec(),
                "backtab" => b"\x1b[Z".to_vec(),
                "space" => b" ".to_vec(),
                "backspace" => b"\x7f".to_vec(),
                "up" => b"\x1b[A".to_vec(),
                "down" => b"\x1b[B".to_vec(),
                "right" => b"\x1b[C".to_vec(),
                "left" => b"\x1b[D".to_vec(),
                key => match key.strip_prefix("ctrl-") {
                    Some(letter) => vec![letter.as_bytes()[0] & 0x1f],
                    None => key.as_bytes().to_vec(),
                },
            };
            self.writer
                .write_all(&bytes)
                .and_then(|()| self.writer.flush())
                .expect("the terminal takes keys");
        }
    }

    /// Types a text.
    pub fn type_text(&mut self, text: &str) {
        self.writer
            .write_all(text.as_bytes())
            .and_then(|()| self.writer.flush())
            .expect("the terminal takes text");
    }

    /// Waits until the screen is as `condition` says; `name` says what that is, for the failure.
    pub fn wait(&self, name: &str, mut condition: impl FnMut(&vt100::Screen) -> bool) {
        let until = Instant::now() + PATIENCE;
        let mut shown = self.shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !condition(shown.parser.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !shown.ended,
                "waited in vain for: {name}\n{} bytes came{}; the screen:\n{}",
                shown.bytes,
                if shown.ended { ", then the program ended" } else { "" },
                shown.parser.screen().contents()
            );
            shown = self.shown.1.wait_timeout(shown, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until this text is on the screen.
    pub fn wait_for(&self, text: &str) {
        self.wait(&format!("`{text}` on the screen"), |screen| screen.contents().contains(text));
    }

    /// Waits until this text is no longer on the screen.
    pub fn wait_gone(&self, text: &str) {
        self.wait(&format!("`{text}` gone from the screen"), |screen| !screen.contents().contains(text));
    }

    /// The text on the screen.
    pub fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Looks at the screen.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.shown.0.lock().unwrap_or_else(PoisonError::into_inner).parser.screen())
    }

    /// How many bytes came so far.
    pub fn bytes(&self) -> u64 {
        self.shown.0.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// How many frames were painted so far.
    pub fn paints(&self) -> u64 {
        self.shown.0.lock().unwrap_or_else(PoisonError::into_inner).paints
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("the terminal can be resized");
        let mut shown = self.shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.parser.screen_mut().set_size(cells(rows), cells(columns));
    }

    /// The program's process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process")
    }

    /// Waits for the end of the program; its exit code.
    pub fn ended(mut self) -> u32 {
        self.child.wait().expect("the program ends").exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has cells")
}
