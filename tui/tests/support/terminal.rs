//! A terminal with a program in it: it sends keys and reads the screen. Tests wait for a named condition instead of
//! sleeping, and a failure prints the screen.

// Not every test binary uses all of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "terminal/keys.rs"]
mod keys;
#[path = "terminal/shown.rs"]
mod shown;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

pub use keys::Mouse;
use shown::Shown;

/// The time-out of a condition; far longer than any takes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A builder of terminals.
pub struct Opening {
    program: PathBuf,
    arguments: Vec<OsString>,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
    size: (u16, u16),
    slow: Option<u32>,
}

impl Opening {
    /// Starts with this program and folder; its environment has nothing but `TERM`.
    pub fn new(program: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            folder: folder.into(),
            environment: vec![("TERM".into(), "xterm-256color".into())],
            size: (160, 48),
            slow: None,
        }
    }

    /// With these arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(OsString::from).collect();
        self
    }

    /// Adds these variables.
    pub fn environment<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Sets the size in columns and rows.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    /// Limits the line to this many bytes per second.
    pub fn slow(mut self, bytes: u32) -> Self {
        self.slow = Some(bytes);
        self
    }

    /// Opens it. Every frame is recorded.
    pub fn open(self) -> Terminal {
        let mut command = CommandBuilder::new(self.program);
        command.args(self.arguments);
        command.cwd(self.folder);
        command.env_clear();
        for (name, value) in self.environment {
            command.env(name, value);
        }
        Terminal::begin(command, self.size, self.slow, true)
    }
}

fn read(mut reader: Box<dyn Read + Send>, slow: Option<u32>, seen: &(Mutex<Shown>, Condvar)) {
    let mut buffer = vec![0; if slow.is_some() { 64 } else { 16 * 1024 }];
    loop {
        let count = reader.read(&mut buffer).unwrap_or(0);
        if let Some(bytes) = slow {
            // Simulates the line; it isn't a wait for a condition.
            std::thread::sleep(Duration::from_secs(1) * u32::try_from(count).unwrap_or(0) / bytes);
        }
        let mut shown = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.take(&buffer[..count]);
        shown.ended = count == 0;
        seen.1.notify_all();
        if count == 0 {
            break;
        }
    }
}

/// A terminal with a program in it. The program is killed when it is dropped.
pub struct Terminal {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    /// Starts `program` in a terminal of this size, with this home and folder.
    pub fn start(program: &Path, arguments: &[&str], home: &Path, folder: &Path, size: (u16, u16)) -> Self {
        Self::spawn(Self::command(program, arguments, home, folder), size)
    }

    /// Returns a command with this home, in this folder, and the environment of a plain terminal.
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

    /// Starts a command in a terminal of this size, without a recording.
    pub fn spawn(command: CommandBuilder, size: (u16, u16)) -> Self {
        Self::begin(command, size, None, false)
    }

    fn begin(command: CommandBuilder, (columns, rows): (u16, u16), slow: Option<u32>, keeps: bool) -> Self {
        let pty = native_pty_system()
            .openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo terminal");
        let child = pty.slave.spawn_command(command).expect("the program starts");
        drop(pty.slave);
        let reader = pty.master.try_clone_reader().expect("the terminal can be read");
        let writer = pty.master.take_writer().expect("the terminal can be written");
        let shown = Arc::new((Mutex::new(Shown::new(columns, rows, keeps)), Condvar::new()));
        let seen = Arc::clone(&shown);
        std::thread::spawn(move || read(reader, slow, &seen));
        Self { shown, master: pty.master, writer, child }
    }

    /// Presses keys one after the other: `enter`, `esc`, `tab`, `space`, `ctrl-s`, `up`, or a character.
    pub fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.write(&keys::bytes(key));
        }
    }

    /// Types a text.
    pub fn type_text(&mut self, text: &str) {
        self.write(text.as_bytes());
    }

    /// Sends a mouse event at a cell, columns and rows from 0, as terminals report it (SGR).
    pub fn mouse(&mut self, what: Mouse, (column, row): (u16, u16)) {
        self.write(what.report(column, row).as_bytes());
    }

    /// Clicks on the first character of this text.
    #[track_caller]
    pub fn click(&mut self, text: &str) {
        let at = self.find(text).unwrap_or_else(|| panic!("no `{text}` to click on:\n{}", self.text()));
        self.mouse(Mouse::Down, at);
        self.mouse(Mouse::Up, at);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).and_then(|()| self.writer.flush()).expect("the terminal takes keys");
    }

    /// Returns where this text begins on the screen: column and row.
    pub fn find(&self, text: &str) -> Option<(u16, u16)> {
        self.look(|screen| {
            let (_, columns) = screen.size();
            screen.rows(0, columns.into()).enumerate().find_map(|(row, line)| {
                let before = &line[..line.find(text)?];
                let column = unicode_width::UnicodeWidthStr::width(before);
                Some((u16::try_from(column).unwrap_or(0), u16::try_from(row).unwrap_or(0)))
            })
        })
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn until(&self, name: &str, ends: bool, mut condition: impl FnMut(&Shown) -> bool) {
        let until = Instant::now() + TIMEOUT;
        let mut shown = self.lock();
        while !condition(&shown) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && (ends || !shown.ended),
                "waited in vain for: {name}\n{} bytes came{}; the screen:\n{}",
                shown.bytes,
                if shown.ended { ", then the program ended" } else { "" },
                shown.screen().contents()
            );
            shown = self.shown.1.wait_timeout(shown, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the screen meets `condition`; `name` describes it in a failure.
    #[track_caller]
    pub fn wait(&self, name: &str, mut condition: impl FnMut(&vt100::Screen) -> bool) {
        self.until(name, false, |shown| condition(shown.screen()));
    }

    /// Waits until all these texts are on the screen.
    #[track_caller]
    pub fn wait_for_all(&self, texts: &[&str]) {
        self.wait(&format!("all of {texts:?} on the screen"), |screen| {
            let contents = screen.contents();
            texts.iter().all(|text| contents.contains(text))
        });
    }

    /// Waits until this text is on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait_for_all(&[text]);
    }

    /// Waits until this text is no longer on the screen.
    #[track_caller]
    pub fn wait_gone(&self, text: &str) {
        self.wait(&format!("`{text}` gone from the screen"), |screen| !screen.contents().contains(text));
    }

    /// Waits until this was written to the terminal.
    #[track_caller]
    pub fn wait_for_bytes(&self, wanted: &[u8]) {
        let name = format!("the bytes {}", wanted.escape_ascii());
        self.until(&name, true, |shown| shown.kept().raw.windows(wanted.len()).any(|it| it == wanted));
    }

    /// Returns the text on the screen.
    pub fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Returns the first line of the screen that contains this text.
    pub fn line(&self, text: &str) -> Option<String> {
        self.text().lines().find(|line| line.contains(text)).map(str::to_owned)
    }

    /// Reads the screen.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.lock().screen())
    }

    /// Returns how many bytes arrived so far.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Returns how many frames were painted so far.
    pub fn paints(&self) -> u64 {
        self.lock().paints
    }

    /// Returns all bytes received so far.
    pub fn raw(&self) -> Vec<u8> {
        self.lock().kept().raw.clone()
    }

    /// Returns the text of every complete frame since this many bytes had arrived.
    pub fn frames_since(&self, bytes: u64) -> Vec<String> {
        let shown = self.lock();
        shown.kept().frames.iter().filter(|(end, _)| *end > bytes).map(|(_, frame)| frame.clone()).collect()
    }

    /// Resizes the terminal.
    pub fn resize(&self, columns: u16, rows: u16) {
        // The screen first: the program may react at once.
        self.lock().resize(columns, rows);
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("the terminal can be resized");
    }

    /// Returns the program's process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process")
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("it can be signalled");
    }

    /// Waits for the end of the program and its output. Returns its exit status.
    pub fn ends(&mut self) -> ExitStatus {
        self.until("the program's end", true, |shown| shown.ended);
        self.child.wait().expect("the program ends")
    }

    /// Waits for the end of the program. Returns its exit code.
    pub fn ended(mut self) -> u32 {
        self.ends().exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
