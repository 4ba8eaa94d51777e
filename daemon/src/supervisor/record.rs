//! The state of an attempt, in memory, in frames and in the ledger.

use std::time::Duration;

use fanlight_shared::id::AttemptId;
use fanlight_shared::time::Time;

use super::frame::{Malformed, Reader, Writer};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// How its main process ended.
    pub how: How,
    /// Whether it was asked to stop before it ended.
    pub stopped: bool,
    /// Whether a secret was masked in its standard output, which then isn't what the command wrote.
    pub masked: bool,
    /// When the main process started.
    pub started: Time,
    /// When the main process ended.
    pub ended: Time,
    /// The largest resident set of its main process and the children that it waited for, in bytes.
    pub max_rss: u64,
    /// User and system time of its main process and the children that it waited for.
    pub cpu: Duration,
    /// The true length of its log in bytes, dropped bytes included.
    pub log_end: u64,
}

/// The stage of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Something of its tree may be alive.
    Running,
    /// It ended, and no process of it remains.
    Ended(Exit),
    /// Nobody saw how it ended; no process of it remains.
    Lost,
}

/// An attempt as the supervisor knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptState {
    /// Which one.
    pub id: AttemptId,
    /// The process id of its main process; 0 if it never got one.
    pub pid: u32,
    /// When it was started.
    pub started: Time,
    /// The log's true length so far in bytes, dropped bytes included.
    pub log_end: u64,
    /// Its stage.
    pub stage: Stage,
}

impl Exit {
    pub(super) fn encode(&self, to: &mut Writer) {
        match self.how {
            How::Code(code) => to.u8(0).i32(code),
            How::Signal(signal) => to.u8(1).i32(signal),
        };
        let cpu = u64::try_from(self.cpu.as_micros()).unwrap_or(u64::MAX);
        to.u8(u8::from(self.stopped) | u8::from(self.masked) << 1)
            .i64(self.started.0)
            .i64(self.ended.0)
            .u64(self.max_rss)
            .u64(cpu);
        to.u64(self.log_end);
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let how = match (from.u8()?, from.i32()?) {
            (0, code) => How::Code(code),
            (1, signal) => How::Signal(signal),
            _ => return Err(Malformed),
        };
        let flags = from.u8()?;
        if flags > 3 {
            return Err(Malformed);
        }
        Ok(Self {
            how,
            stopped: flags & 1 != 0,
            masked: flags & 2 != 0,
            started: Time(from.i64()?),
            ended: Time(from.i64()?),
            max_rss: from.u64()?,
            cpu: Duration::from_micros(from.u64()?),
            log_end: from.u64()?,
        })
    }
}

impl AttemptState {
    pub(super) fn encode(&self, to: &mut Writer) {
        to.id(self.id.as_bytes()).u32(self.pid).i64(self.started.0).u64(self.log_end);
        match &self.stage {
            Stage::Running => {
                to.u8(0);
            }
            Stage::Ended(exit) => {
                to.u8(1);
                exit.encode(to);
            }
            Stage::Lost => {
                to.u8(2);
            }
        }
    }

    pub(super) fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: AttemptId::from_bytes(from.id()?),
            pid: from.u32()?,
            started: Time(from.i64()?),
            log_end: from.u64()?,
            stage: match from.u8()? {
                0 => Stage::Running,
                1 => Stage::Ended(Exit::decode(from)?),
                2 => Stage::Lost,
                _ => return Err(Malformed),
            },
        })
    }
}

/// Returns the id of this boot of the machine; `None` where the system has none.
#[must_use]
pub fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}
