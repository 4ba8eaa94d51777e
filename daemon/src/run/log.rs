//! The daemon's log file: bounded in size, and never a reason to stop.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use fanlight_shared::home::{Home, LOG_LIMIT};
use tracing_subscriber::fmt::MakeWriter;

/// A log that is rotated when it is long, keeping one old file. Lines that can't be written are dropped and counted.
#[derive(Debug)]
pub(super) struct Log {
    home: Home,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: Option<File>,
    bytes: u64,
    dropped: u64,
}

impl Log {
    /// Opens the log of a home.
    pub(super) fn open(home: &Home) -> io::Result<Self> {
        let file = home.open_log()?;
        let bytes = file.metadata()?.len();
        Ok(Self { home: home.clone(), open: Mutex::new(Open { file: Some(file), bytes, dropped: 0 }) })
    }
}

impl Open {
    /// Writes one line of the log.
    fn line(&mut self, home: &Home, line: &[u8]) {
        if self.file.is_none() || self.bytes > LOG_LIMIT {
            // If the old file can't be renamed, lines are dropped rather than written without a limit.
            match home.open_log() {
                Ok(file) => {
                    self.bytes = file.metadata().map_or(0, |meta| meta.len());
                    self.file = Some(file);
                }
                Err(_) => self.file = None,
            }
        }
        let Some(file) = self.file.as_mut() else {
            self.dropped += 1;
            return;
        };
        if self.dropped > 0 {
            let note = format!("{} lines could not be written here\n", self.dropped);
            if file.write_all(note.as_bytes()).is_ok() {
                self.dropped = 0;
            }
        }
        match file.write_all(line) {
            Ok(()) => self.bytes += line.len() as u64,
            Err(_) => self.dropped += 1,
        }
    }
}

impl Write for &Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).line(&self.home, line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::below(&folder.path().join("home")).unwrap();
        let log = Log::open(&home).unwrap();
        (folder, log)
    }

    #[test]
    fn a_long_log_is_rotated_while_the_daemon_runs() {
        let (_folder, log) = log();
        let line = [b'x'; 1 << 20];
        for _ in 0..3 * LOG_LIMIT / line.len() as u64 {
            (&log).write_all(&line).unwrap();
        }
        let size = |path| std::fs::metadata(path).unwrap().len();
        assert!(size(log.home.log_file()) <= LOG_LIMIT + line.len() as u64);
        assert!(size(log.home.state.join("daemon.log.1")) <= LOG_LIMIT + line.len() as u64);
        assert_eq!(std::fs::read_dir(&log.home.state).unwrap().count(), 2, "there are never more than two");
    }

    #[test]
    fn an_unwritable_log_blocks_nothing_and_later_reports_the_gap() {
        let (_folder, log) = log();
        // Opened for reading, so every write fails, as on a full disk.
        log.open.lock().unwrap().file = Some(File::open(log.home.log_file()).unwrap());
        for _ in 0..3 {
            (&log).write_all(b"lost\n").unwrap();
        }
        log.open.lock().unwrap().file = None;
        (&log).write_all(b"kept\n").unwrap();
        let text = std::fs::read_to_string(log.home.log_file()).unwrap();
        assert_eq!(text, "3 lines could not be written here\nkept\n");
    }
}
