//! The messages in the frames, with encoding and decoding.

use std::time::Duration;

use fanlight_shared::id::AttemptId;

use super::frame::{Malformed, Reader, Writer};
use super::log::STDOUT;
use super::record::AttemptState;
use super::spec::StartSpec;
use crate::secret::Secrets;

/// A request of a client. The reply contains its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// Always the first.
    Hello { version: u16, build: String },
    /// Starts a command.
    Start { request: u32, spec: Box<StartSpec> },
    /// Asks for the state of an attempt.
    State { request: u32, id: AttemptId },
    /// All attempts.
    List { request: u32 },
    /// Ends an attempt.
    Stop { request: u32, id: AttemptId, grace: Duration },
    /// Drops the record of an ended attempt.
    Forget { request: u32, id: AttemptId },
    /// Ends the supervisor if nothing runs.
    Shutdown { request: u32 },
    /// Asks for the secrets with which an attempt was started, to mask what it reports besides its output.
    Secrets { request: u32, id: AttemptId },
}

/// A reply or a notification of the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The reply to `Hello`.
    Hello { version: u16, build: String, trees: Containment, running: u32, pid: u32 },
    /// The reply to `Start`.
    Started { request: u32, known: bool, state: AttemptState },
    /// The reply to `State` (none or one) and `List` (several of these; the last one says so).
    Attempts { request: u32, last: bool, states: Vec<AttemptState> },
    /// The reply to `Stop`, `Forget`, `Shutdown`.
    Done { request: u32, yes: bool },
    /// The command can't be started.
    NotStarted { request: u32, why: String },
    /// A running attempt's log has grown.
    Grew { id: AttemptId, end: u64 },
    /// An attempt has ended or is lost.
    Ended { state: AttemptState },
    /// The reply to `Secrets`; empty if they are not known any more.
    Secrets { request: u32, secrets: Secrets },
}

/// How process trees are contained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Containment {
    /// A cgroup per attempt.
    Cgroup,
    /// Subreaper, session and token.
    Session,
}

impl Containment {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Session => "session",
        }
    }
}

impl Request {
    /// Returns the frame; `None` if it is too long.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        match self {
            Self::Hello { version, build } => {
                let mut to = Writer::new(0x01);
                to.u16(*version).os(build);
                to.finish()
            }
            Self::Start { request, spec } => {
                let mut to = Writer::new(0x02);
                to.u32(*request).id(spec.id.as_bytes()).os(&spec.program);
                to.count(spec.arguments.len());
                for argument in &spec.arguments {
                    to.os(argument);
                }
                to.count(spec.env.len());
                for (name, value) in &spec.env {
                    to.os(name).os(value);
                }
                to.os(&spec.cwd).os(&spec.folder).u32(milliseconds(spec.grace));
                // Only if it differs: a supervisor that can't mask or keep as much then refuses the command.
                let limited = spec.stdout_limit != STDOUT;
                if limited || !spec.secrets.is_empty() {
                    write_secrets(&mut to, &spec.secrets);
                }
                if limited {
                    to.u64(spec.stdout_limit);
                }
                to.finish()
            }
            Self::State { request, id } => about(0x03, *request, *id).finish(),
            Self::List { request } => plain(0x04, *request).finish(),
            Self::Stop { request, id, grace } => {
                let mut to = about(0x05, *request, *id);
                to.u32(milliseconds(*grace));
                to.finish()
            }
            Self::Forget { request, id } => about(0x06, *request, *id).finish(),
            Self::Shutdown { request } => plain(0x07, *request).finish(),
            Self::Secrets { request, id } => about(0x08, *request, *id).finish(),
        }
    }

    /// Returns the message of a frame without its length.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let (kind, mut from) = Reader::new(body)?;
        let message = match kind {
            0x01 => Self::Hello { version: from.u16()?, build: from.text()? },
            0x02 => Self::Start {
                request: from.u32()?,
                spec: Box::new(StartSpec {
                    id: AttemptId::from_bytes(from.id()?),
                    program: from.os()?,
                    arguments: from.list(Reader::os)?,
                    env: from.list(|one| Ok((one.os()?, one.os()?)))?,
                    cwd: from.os()?.into(),
                    folder: from.os()?.into(),
                    grace: Duration::from_millis(from.u32()?.into()),
                    secrets: if from.is_empty() { Secrets::default() } else { read_secrets(&mut from)? },
                    stdout_limit: if from.is_empty() { STDOUT } else { from.u64()? },
                }),
            },
            0x03 => Self::State { request: from.u32()?, id: AttemptId::from_bytes(from.id()?) },
            0x04 => Self::List { request: from.u32()? },
            0x05 => Self::Stop {
                request: from.u32()?,
                id: AttemptId::from_bytes(from.id()?),
                grace: Duration::from_millis(from.u32()?.into()),
            },
            0x06 => Self::Forget { request: from.u32()?, id: AttemptId::from_bytes(from.id()?) },
            0x07 => Self::Shutdown { request: from.u32()? },
            0x08 => Self::Secrets { request: from.u32()?, id: AttemptId::from_bytes(from.id()?) },
            _ => return Err(Malformed),
        };
        // A greeting may gain fields in later versions.
        if !matches!(message, Self::Hello { .. }) {
            from.end()?;
        }
        Ok(message)
    }
}

impl Reply {
    /// Returns the frame; `None` if it is too long.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        match self {
            Self::Hello { version, build, trees, running, pid } => {
                let mut to = Writer::new(0x81);
                to.u16(*version)
                    .os(build)
                    .u8(u8::from(*trees == Containment::Cgroup))
                    .u32(*running)
                    .u32(*pid);
                to.finish()
            }
            Self::Started { request, known, state } => {
                let mut to = plain(0x82, *request);
                to.u8((*known).into());
                state.encode(&mut to);
                to.finish()
            }
            Self::Attempts { request, last, states } => {
                let mut to = plain(0x83, *request);
                to.u8((*last).into()).count(states.len());
                for state in states {
                    state.encode(&mut to);
                }
                to.finish()
            }
            Self::Done { request, yes } => {
                let mut to = plain(0x84, *request);
                to.u8((*yes).into());
                to.finish()
            }
            Self::NotStarted { request, why } => {
                let mut to = plain(0x85, *request);
                to.os(why);
                to.finish()
            }
            Self::Secrets { request, secrets } => {
                let mut to = plain(0x86, *request);
                write_secrets(&mut to, secrets);
                to.finish()
            }
            Self::Grew { id, end } => {
                let mut to = Writer::new(0x90);
                to.id(id.as_bytes()).u64(*end);
                to.finish()
            }
            Self::Ended { state } => {
                let mut to = Writer::new(0x91);
                state.encode(&mut to);
                to.finish()
            }
        }
    }

    /// Returns the message of a frame without its length.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let (kind, mut from) = Reader::new(body)?;
        let message = match kind {
            0x81 => Self::Hello {
                version: from.u16()?,
                build: from.text()?,
                trees: if from.bool()? { Containment::Cgroup } else { Containment::Session },
                running: from.u32()?,
                pid: from.u32()?,
            },
            0x82 => Self::Started {
                request: from.u32()?,
                known: from.bool()?,
                state: AttemptState::decode(&mut from)?,
            },
            0x83 => Self::Attempts {
                request: from.u32()?,
                last: from.bool()?,
                states: from.list(AttemptState::decode)?,
            },
            0x84 => Self::Done { request: from.u32()?, yes: from.bool()? },
            0x85 => Self::NotStarted { request: from.u32()?, why: from.text()? },
            0x86 => Self::Secrets { request: from.u32()?, secrets: read_secrets(&mut from)? },
            0x90 => Self::Grew { id: AttemptId::from_bytes(from.id()?), end: from.u64()? },
            0x91 => Self::Ended { state: AttemptState::decode(&mut from)? },
            _ => return Err(Malformed),
        };
        if !matches!(message, Self::Hello { .. }) {
            from.end()?;
        }
        Ok(message)
    }

    /// Returns the number of the request that it replies to; `None` for greetings and notifications.
    pub(crate) fn request(&self) -> Option<u32> {
        match self {
            Self::Started { request, .. }
            | Self::Attempts { request, .. }
            | Self::Done { request, .. }
            | Self::Secrets { request, .. }
            | Self::NotStarted { request, .. } => Some(*request),
            Self::Hello { .. } | Self::Grew { .. } | Self::Ended { .. } => None,
        }
    }
}

fn write_secrets(to: &mut Writer, secrets: &Secrets) {
    to.count(secrets.iter().count());
    for (name, value) in secrets.iter() {
        to.os(name).os(value);
    }
}

fn read_secrets(from: &mut Reader<'_>) -> Result<Secrets, Malformed> {
    Ok(from.list(|one| Ok((one.text()?, one.text()?)))?.into_iter().collect())
}

fn plain(kind: u8, request: u32) -> Writer {
    let mut to = Writer::new(kind);
    to.u32(request);
    to
}

fn about(kind: u8, request: u32, id: AttemptId) -> Writer {
    let mut to = plain(kind, request);
    to.id(id.as_bytes());
    to
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use fanlight_shared::time::Time;

    use super::super::frame;
    use super::super::record::{Exit, How, Stage};
    use super::*;

    fn body(frame: &[u8]) -> &[u8] {
        frame::first(frame).unwrap().unwrap().0
    }

    #[test]
    fn requests_survive_encoding() {
        let id = AttemptId::new();
        let spec = StartSpec {
            id,
            program: "sh".into(),
            arguments: vec!["-c".into(), "".into()],
            env: vec![("PATH".into(), "/bin".into())],
            cwd: "/".into(),
            folder: "/tmp/a b".into(),
            grace: Duration::from_millis(1500),
            secrets: Secrets::default(),
            stdout_limit: STDOUT,
        };
        let secrets: Secrets = [("token".to_owned(), "12345678".to_owned())].into_iter().collect();
        let secret = StartSpec { secrets, ..spec.clone() };
        let long = StartSpec { stdout_limit: 64 << 20, ..spec.clone() };
        let grace = Duration::from_secs(5);
        for request in [
            Request::Hello { version: 1, build: "0.1.0".into() },
            Request::Start { request: 1, spec: Box::new(spec) },
            Request::Start { request: 1, spec: Box::new(secret) },
            Request::Start { request: 1, spec: Box::new(long) },
            Request::Secrets { request: 7, id },
            Request::State { request: 2, id },
            Request::List { request: 3 },
            Request::Stop { request: 4, id, grace },
            Request::Forget { request: 5, id },
            Request::Shutdown { request: 6 },
        ] {
            assert_eq!(Request::decode(body(&request.encode().unwrap())), Ok(request));
        }
    }

    #[test]
    fn replies_survive_encoding() {
        let exit = Exit {
            how: How::Signal(9),
            stopped: true,
            masked: true,
            started: Time(1),
            ended: Time(2),
            max_rss: 3,
            cpu: Duration::from_micros(4),
            log_end: 5,
        };
        let id = AttemptId::new();
        let state = |stage| AttemptState { id, pid: 7, started: Time(1), log_end: 5, stage };
        let states = vec![state(Stage::Running), state(Stage::Lost), state(Stage::Ended(exit))];
        for reply in [
            Reply::Hello { version: 1, build: "x".into(), trees: Containment::Cgroup, running: 2, pid: 3 },
            Reply::Started { request: 1, known: true, state: state(Stage::Running) },
            Reply::Attempts { request: 1, last: false, states },
            Reply::Done { request: 1, yes: true },
            Reply::NotStarted { request: 1, why: "no".into() },
            Reply::Grew { id, end: 9 },
            Reply::Secrets { request: 2, secrets: [("a".into(), "12345678".into())].into_iter().collect() },
            Reply::Ended { state: state(Stage::Ended(exit)) },
        ] {
            assert_eq!(Reply::decode(body(&reply.encode().unwrap())), Ok(reply));
        }
    }

    #[test]
    fn bytes_that_are_not_a_message_are_refused() {
        assert_eq!(Request::decode(&[0x55]), Err(Malformed));
        assert_eq!(Request::decode(&[0x04, 1, 0, 0, 0, 9]), Err(Malformed));
        assert_eq!(Request::decode(&[0x02, 1]), Err(Malformed));
        assert_eq!(Request::decode(&[]), Err(Malformed));
    }
}
