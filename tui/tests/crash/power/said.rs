//! What a daemon has told its clients: from then on it must be durable.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::history::{History, Sent};

/// Something that a client knows.
pub(super) enum Fact {
    /// A run is there, and has perhaps ended in this state.
    Row { run: String, name: String, ended: Option<String> },
    /// An event of a run has happened.
    Event { run: String, seq: u64, event: Json },
}

impl Fact {
    /// Returns the id of the run that it is about.
    pub(super) fn run(&self) -> &str {
        match self {
            Self::Row { run, .. } | Self::Event { run, .. } => run,
        }
    }
}

/// All facts, with the line of the recording from which on a client may know them.
pub(super) struct Said {
    pub(super) facts: Vec<(usize, Fact)>,
    /// The keys of effects, each with the line in which it began.
    pub(super) effects: Vec<(usize, String)>,
}

impl Said {
    /// Reads all messages of the daemon; `effects` is the file with the effects of commands.
    pub(super) fn of(history: &History, effects: &Path) -> Self {
        let mut streams: HashMap<&PathBuf, Vec<&Sent>> = HashMap::new();
        for sent in &history.sent {
            streams.entry(&sent.to).or_default().push(sent);
        }
        let mut facts: Vec<(usize, Fact)> =
            streams.values().flat_map(|it| messages(it)).flat_map(known).collect();
        facts.sort_by_key(|(at, _)| *at);
        let key = |it: &&Sent| (it.at, String::from_utf8_lossy(&it.bytes).trim().to_owned());
        let effects = streams.get(&effects.to_owned()).into_iter().flatten().map(key).collect();
        Self { facts, effects }
    }

    /// Returns the lines at which a client has just learned something.
    pub(super) fn moments(&self) -> Vec<usize> {
        let mut lines: Vec<usize> = self.facts.iter().map(|(at, _)| at + 1).collect();
        lines.dedup();
        lines
    }

    /// Returns the facts that are known before a line.
    pub(super) fn before(&self, line: usize) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(move |(at, _)| *at < line).map(|(_, fact)| fact)
    }
}

/// Returns the text messages of a connection, each with the line in which its last byte was sent; nothing of other sockets.
fn messages(sent: &[&Sent]) -> Vec<(usize, Json)> {
    let all: Vec<u8> = sent.iter().flat_map(|it| it.bytes.iter().copied()).collect();
    let line = |end: usize| {
        let mut length = 0;
        let of = sent.iter().find(|it| {
            length += it.bytes.len();
            length >= end
        });
        of.map_or(0, |it| it.at)
    };
    let mut messages = Vec::new();
    let head = all.windows(4).position(|it| it == b"\r\n\r\n");
    let Some(mut at) = head.filter(|_| all.starts_with(b"HTTP/1.1 101")).map(|it| it + 4) else {
        return messages;
    };
    while let Some([kind, length]) = all.get(at..at + 2) {
        let more = match length {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(long) = all.get(at + 2..at + 2 + more) else { break };
        let long = long.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let length = if more > 0 { long } else { usize::from(*length) };
        let start = at + 2 + more;
        let Some(payload) = all.get(start..start + length) else { break };
        at = start + length;
        if kind & 15 == 1 {
            messages.push((line(at), serde_json::from_slice(payload).expect("a message of the daemon")));
        }
    }
    messages
}

/// Returns what a message says about runs.
fn known((at, message): (usize, Json)) -> Vec<(usize, Fact)> {
    let mut facts = Vec::new();
    let params = &message["params"];
    if params["channel"] == "state" {
        let mut event = params.as_object().expect("an object").clone();
        let mut part = |name: &str| event.remove(name).expect("a part of an event");
        let [run, seq, _, _] = ["run_id", "seq", "channel", "workflow_id"].map(&mut part);
        let seq = seq.as_u64().expect("a number");
        facts.push(Fact::Event { run: text(&run), seq, event: event.into() });
    }
    rows(&message, &mut facts);
    facts.into_iter().map(|fact| (at, fact)).collect()
}

/// Finds all rows of runs in a message.
fn rows(of: &Json, facts: &mut Vec<Fact>) {
    match of {
        Json::Array(all) => all.iter().for_each(|it| rows(it, facts)),
        Json::Object(parts) => {
            parts.values().for_each(|it| rows(it, facts));
            if of["id"].is_string() && of["submitted_at"].is_number() {
                let (run, number) = (text(&of["id"]), &of["number"]);
                let ended = Some(text(&of["state"])).filter(|_| of["ended_at"].is_number());
                facts.push(Fact::Row { run, name: format!("{}#{number}", text(&of["workflow"])), ended });
            }
        }
        _ => {}
    }
}

fn text(of: &Json) -> String {
    of.as_str().unwrap_or_default().to_owned()
}
