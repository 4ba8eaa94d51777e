//! What happened to a home, from a recording: changes of files and names, what was synced, and what was sent.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::disk::{Disk, Node, NodeId};
use super::strace::{Call, deleted};

/// What one call changed.
pub(super) enum What {
    Write {
        file: NodeId,
        at: u64,
        bytes: Rc<[u8]>,
    },
    Resize {
        file: NodeId,
        length: u64,
    },
    /// Names get another node, or none, at once. The first folder is the one whose sync makes that durable.
    Names(Vec<(NodeId, OsString, Option<NodeId>)>),
}

impl What {
    /// Returns whether it gives or takes this name.
    pub(super) fn names(&self, name: &str) -> bool {
        matches!(self, Self::Names(names) if names[0].1 == *name)
    }

    /// Returns what has to be synced.
    fn synced_by(&self) -> NodeId {
        match self {
            Self::Write { file, .. } | Self::Resize { file, .. } => *file,
            Self::Names(names) => names[0].0,
        }
    }
}

/// A change, with the lines of the recording between which it happened.
pub(super) struct Change {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: What,
    /// The line after which it is durable.
    pub(super) durable: Option<usize>,
}

/// A sync that has succeeded.
pub(super) struct Sync {
    pub(super) start: usize,
    pub(super) end: usize,
    /// None is everything.
    node: Option<NodeId>,
    pub(super) path: PathBuf,
}

/// Bytes that left for another process.
pub(super) struct Sent {
    pub(super) at: usize,
    /// The socket, or the file outside of the home.
    pub(super) to: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// Everything that a recording says about one home.
pub(super) struct History {
    /// The home before it, with all nodes that are created later, which have no names yet.
    before: Disk,
    /// The home after it.
    pub(super) after: Disk,
    pub(super) changes: Vec<Change>,
    pub(super) syncs: Vec<Sync>,
    pub(super) sent: Vec<Sent>,
    /// The number of lines of the recording.
    pub(super) lines: usize,
    /// Where the next write without an offset goes.
    cursors: HashMap<NodeId, u64>,
    /// Files without a name that are still open, by their last path.
    unnamed: HashMap<PathBuf, NodeId>,
}

impl History {
    /// Replays a recording on what the home was before it.
    pub(super) fn of(before: Disk, trace: &str) -> Self {
        let mut history = Self {
            after: before.clone(),
            before,
            changes: Vec::new(),
            syncs: Vec::new(),
            sent: Vec::new(),
            lines: trace.lines().count(),
            cursors: HashMap::new(),
            unnamed: HashMap::new(),
        };
        for call in Call::all(trace).into_iter().filter(|it| it.result >= 0) {
            history.replay(&call);
        }
        for id in history.before.nodes.len()..history.after.nodes.len() {
            let blank = match &history.after.nodes[id] {
                Node::File(_) => Node::File(Vec::new()),
                Node::Folder(_) => Node::Folder(Default::default()),
                Node::Link(to) => Node::Link(to.clone()),
            };
            history.before.create(blank, history.after.modes[id]);
        }
        history.before.modes.clone_from(&history.after.modes);
        history.settle(|_| true);
        history
    }

    /// Finds out which changes are durable when, if only some syncs do anything.
    pub(super) fn settle(&mut self, works: impl Fn(&Path) -> bool) {
        let syncs: Vec<&Sync> = self.syncs.iter().filter(|it| works(&it.path)).collect();
        for change in &mut self.changes {
            let node = change.what.synced_by();
            let of = |it: &&&Sync| it.start > change.end && it.node.is_none_or(|it| it == node);
            change.durable = syncs.iter().filter(of).map(|it| it.end).min();
        }
    }

    /// Returns the home before the recording, with every node of it.
    pub(super) fn beginning(&self) -> Disk {
        self.before.clone()
    }

    fn replay(&mut self, call: &Call<'_>) {
        match call.name {
            "open" | "openat" | "creat" | "openat2" => self.open(call),
            "write" | "writev" | "sendto" | "sendmsg" => self.write(call, None),
            "pwrite64" | "pwritev" | "pwritev2" => self.write(call, Some(call.number(3))),
            "copy_file_range" => self.copy(call, 0, 2),
            "sendfile" => self.copy(call, 1, 0),
            "ioctl" if call.arguments[1].contains("FICLONE") => self.copy(call, 2, 0),
            "splice" | "truncate" if self.node(&call.file(0)).is_some() => {
                panic!("not in the model: {}", call.name)
            }
            "ftruncate" => self.resize(call, call.number(1)),
            "fallocate" => {
                let file = self.node(&call.file(0));
                let length = call.number(2) + call.number(3);
                let grows = file.is_some_and(|it| (self.after.bytes(it).len() as u64) < length);
                if grows && call.arguments[1] == "0" {
                    self.resize(call, length);
                }
            }
            "mkdir" => self.make(call, &call.path(0), Node::Folder(Default::default()), 1),
            "mkdirat" => self.make(call, &call.path_at(1), Node::Folder(Default::default()), 2),
            "symlink" => self.make(call, &call.path(1), Node::Link(call.path(0)), 0),
            "symlinkat" => self.make(call, &call.path_at(2), Node::Link(call.path(0)), 0),
            "unlink" | "rmdir" => self.remove(call, &call.path(0)),
            "unlinkat" => self.remove(call, &call.path_at(1)),
            "rename" => self.rename(call, &call.path(0), &call.path(1)),
            "renameat" | "renameat2" => self.rename(call, &call.path_at(1), &call.path_at(3)),
            "link" => self.link(call, &call.path(0), &call.path(1)),
            "linkat" => self.link(call, &call.path_at(1), &call.path_at(3)),
            "fsync" | "fdatasync" => {
                let path = call.file(0);
                let Some(node) = self.node(&path) else { return };
                self.syncs.push(Sync { start: call.start, end: call.end, node: Some(node), path });
            }
            "sync" | "syncfs" => {
                let path = PathBuf::new();
                self.syncs.push(Sync { start: call.start, end: call.end, node: None, path });
            }
            "chmod" => self.mode(&call.path(0), &call.arguments[1]),
            "fchmod" => self.mode(&call.file(0), &call.arguments[1]),
            "fchmodat" => self.mode(&call.path_at(1), &call.arguments[2]),
            "mmap" if call.has(3, "MAP_SHARED") && call.has(2, "PROT_WRITE") => {
                let path = call.file(4);
                let known = self.node(&path).is_none() || is_mapped(&path);
                assert!(known, "{} is changed in memory, which is not in the model", path.display());
            }
            _ => {}
        }
    }

    fn node(&self, path: &Path) -> Option<NodeId> {
        self.after.find(path).or_else(|| self.unnamed.get(path).copied())
    }

    fn change(&mut self, call: &Call<'_>, what: What) {
        match &what {
            What::Write { file, at, bytes } => put(self.after.bytes(*file), *at, bytes),
            What::Resize { file, length } => resize(self.after.bytes(*file), *length),
            What::Names(names) => {
                for (folder, name, node) in names {
                    self.after.name(*folder, name, *node);
                }
            }
        }
        self.changes.push(Change { start: call.start, end: call.end, what, durable: None });
    }

    fn open(&mut self, call: &Call<'_>) {
        let Some(path) = &call.opened else { return };
        let flags = if call.name == "open" { 1 } else { 2 };
        assert!(
            !call.has(flags, "O_TMPFILE") || !path.starts_with(&self.after.root),
            "a file without a name"
        );
        let found = self.after.find(path);
        if call.has(flags, "O_CREAT") && found.is_none() {
            self.make(call, path, Node::File(Vec::new()), flags + 1);
        }
        let Some(file) = self.after.find(path) else { return };
        let Node::File(bytes) = &self.after.nodes[file] else { return };
        let length = bytes.len() as u64;
        if call.has(flags, "O_WRONLY") || call.has(flags, "O_RDWR") {
            self.cursors.insert(file, if call.has(flags, "O_APPEND") { length } else { 0 });
        }
        if call.has(flags, "O_TRUNC") && length > 0 {
            self.change(call, What::Resize { file, length: 0 });
        }
    }

    fn write(&mut self, call: &Call<'_>, at: Option<u64>) {
        let path = call.file(0);
        let mut bytes = call.bytes(1);
        bytes.truncate(call.result as usize);
        let Some(file) = self.node(&path) else {
            // Pipes and the like are of no interest.
            if path.is_absolute() || path.as_os_str().to_string_lossy().starts_with("socket:") {
                self.sent.push(Sent { at: call.start, to: path, bytes });
            }
            return;
        };
        self.put(call, file, at, bytes);
    }

    fn put(&mut self, call: &Call<'_>, file: NodeId, at: Option<u64>, bytes: Vec<u8>) {
        let cursor = self.cursors.entry(file).or_default();
        let at = at.unwrap_or_else(|| {
            let at = *cursor;
            *cursor += bytes.len() as u64;
            at
        });
        self.change(call, What::Write { file, at, bytes: bytes.into() });
    }

    /// Replays the copying of bytes by the kernel, which takes them from the same place as it puts them.
    fn copy(&mut self, call: &Call<'_>, from: usize, to: usize) {
        let Some(file) = self.node(&call.file(to)) else { return };
        let at = self.cursors.get(&file).copied().unwrap_or_default() as usize;
        let source = call.file(from);
        let all = match self.node(&source) {
            Some(node) => self.after.bytes(node).clone(),
            None => std::fs::read(&source).unwrap_or_default(),
        };
        let length = if call.name == "ioctl" { all.len() } else { call.result as usize };
        let bytes = all.get(at..(at + length).min(all.len())).unwrap_or_default().to_vec();
        self.put(call, file, None, bytes);
    }

    fn resize(&mut self, call: &Call<'_>, length: u64) {
        if let Some(file) = self.node(&call.file(0)) {
            self.change(call, What::Resize { file, length });
        }
    }

    fn make(&mut self, call: &Call<'_>, path: &Path, node: Node, mode: usize) {
        let Some((folder, name)) = self.after.place(path) else { return };
        let mode = call.arguments.get(mode).and_then(|it| u32::from_str_radix(it, 8).ok()).unwrap_or(0o700);
        let id = self.after.create(node, mode);
        self.change(call, What::Names(vec![(folder, name, Some(id))]));
    }

    fn remove(&mut self, call: &Call<'_>, path: &Path) {
        let Some((folder, name)) = self.after.place(path) else { return };
        self.forget(path);
        self.change(call, What::Names(vec![(folder, name, None)]));
    }

    /// Remembers the file that loses its last name, which may be open.
    fn forget(&mut self, path: &Path) {
        if let Some(node) = self.after.find(path) {
            self.unnamed.insert(deleted(path.to_owned()), node);
        }
    }

    fn rename(&mut self, call: &Call<'_>, from: &Path, to: &Path) {
        assert!(!call.has(4, "RENAME_EXCHANGE"), "an exchange of names is not in the model");
        let (Some((old, name)), Some((new, target))) = (self.after.place(from), self.after.place(to)) else {
            let inside = [from, to].iter().any(|it| it.starts_with(&self.after.root));
            return assert!(!inside, "{} is renamed to {}", from.display(), to.display());
        };
        let Some(node) = self.after.find(from).filter(|_| from != to) else { return };
        self.forget(to);
        self.change(call, What::Names(vec![(new, target, Some(node)), (old, name, None)]));
    }

    fn link(&mut self, call: &Call<'_>, from: &Path, to: &Path) {
        let (Some(node), Some((folder, name))) = (self.node(from), self.after.place(to)) else { return };
        self.change(call, What::Names(vec![(folder, name, Some(node))]));
    }

    fn mode(&mut self, path: &Path, mode: &str) {
        if let (Some(node), Ok(mode)) = (self.node(path), u32::from_str_radix(mode, 8)) {
            self.after.modes[node] = mode & 0o700;
        }
    }
}

/// Puts bytes into a file; what is missing before them are zeros.
pub(super) fn put(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (at, end) = (at as usize, at as usize + bytes.len());
    grow(file, end);
    file[at..end].copy_from_slice(bytes);
}

/// Makes a file at least this long, with zeros.
pub(super) fn grow(file: &mut Vec<u8>, length: usize) {
    // Not `resize`, which is slow without optimisation.
    file.extend_from_slice(&vec![0; length.saturating_sub(file.len())]);
}

/// Makes a file this long.
pub(super) fn resize(file: &mut Vec<u8>, length: u64) {
    file.truncate(length as usize);
    grow(file, length as usize);
}

/// Returns whether processes change a file in memory: the index of SQLite's log, and the run that the engine works on.
pub(super) fn is_mapped(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with("-shm") || path.ends_with("state/working")
}
