//! The homes that a power loss can leave behind.
//!
//! Of what was not synced, any part may be on the disk: some of the writes, some of the 4 KiB blocks of one, a half of such
//! a block, the length of a file without its bytes, a name without the file's bytes, or bytes without the name. A file and
//! its name are synced each by itself.

use std::ops::Range;

use fanlight_shared::rng::Rng;

use super::disk::Disk;
use super::history::{Change, History, What, grow, put, resize};

/// The bytes that a disk writes at once.
const BLOCK: usize = 4096;

/// Which part of what was not synced is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Survives {
    Nothing,
    Everything,
    /// What came first.
    Prefix,
    /// Names, and nothing of the bytes but their number.
    Names,
    /// Bytes, and no name.
    Bytes,
    /// Each change or block with the same chance.
    Some,
}

impl Survives {
    pub(super) const ALL: [Self; 6] =
        [Self::Nothing, Self::Everything, Self::Prefix, Self::Names, Self::Bytes, Self::Some];
}

/// Returns the home after a power loss before a line of the recording.
pub(super) fn at(history: &History, line: usize, survives: Survives, rng: &mut Rng) -> Disk {
    let mut disk = history.beginning();
    let begun: Vec<&Change> = history.changes.iter().filter(|it| it.start < line).collect();
    let is_durable = |it: &Change| it.durable.is_some_and(|durable| durable < line);
    let pending = begun.iter().filter(|it| !is_durable(it)).count();
    let mut left = rng.below(pending + 1);
    for change in begun {
        if is_durable(change) {
            apply(&mut disk, &change.what);
            continue;
        }
        match (survives, &change.what) {
            (Survives::Nothing, _) => {}
            (Survives::Everything, what)
            | (Survives::Names, what @ What::Names(_))
            | (Survives::Bytes, what @ (What::Write { .. } | What::Resize { .. })) => apply(&mut disk, what),
            (Survives::Prefix, what) => {
                if left > 0 {
                    apply(&mut disk, what);
                }
                left = left.saturating_sub(1);
            }
            (Survives::Names, What::Write { file, at, bytes }) => {
                grow(disk.bytes(*file), *at as usize + bytes.len())
            }
            (Survives::Some, What::Write { file, at, bytes }) => {
                for part in parts(*at, bytes.len(), rng) {
                    put(disk.bytes(*file), at + part.start as u64, &bytes[part]);
                }
                if rng.below(4) == 0 {
                    grow(disk.bytes(*file), *at as usize + bytes.len());
                }
            }
            (Survives::Some, what) => {
                if rng.below(2) == 0 {
                    apply(&mut disk, what);
                }
            }
            (Survives::Names | Survives::Bytes, _) => {}
        }
    }
    disk
}

fn apply(disk: &mut Disk, what: &What) {
    match what {
        What::Write { file, at, bytes } => put(disk.bytes(*file), *at, bytes),
        What::Resize { file, length } => resize(disk.bytes(*file), *length),
        What::Names(names) => {
            let node = names[0].2;
            for (folder, name, to) in names {
                // The old name of a renamed file may be another file's by now.
                let others =
                    to.is_none() && node.is_some() && disk.entries(*folder).get(name).copied() != node;
                if !others {
                    disk.name(*folder, name, *to);
                }
            }
        }
    }
}

/// Returns the parts of a write that are on the disk: of each block all, nothing, or one of its ends.
fn parts(at: u64, length: usize, rng: &mut Rng) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut from = 0;
    while from < length {
        let to = (from + BLOCK - (at as usize + from) % BLOCK).min(length);
        let middle = from + rng.below(to - from + 1);
        match rng.below(8) {
            0..3 => parts.push(from..to),
            3..6 => {}
            6 => parts.push(from..middle),
            _ => parts.push(middle..to),
        }
        from = to;
    }
    parts
}
