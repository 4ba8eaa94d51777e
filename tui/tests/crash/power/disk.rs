//! A folder tree in memory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// A file or a folder, by its number, which it keeps while it is renamed.
pub(super) type NodeId = usize;

/// A file, a folder or a link.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Node {
    File(Vec<u8>),
    Folder(BTreeMap<OsString, NodeId>),
    Link(PathBuf),
}

/// The tree below one folder.
#[derive(Clone)]
pub(super) struct Disk {
    pub(super) root: PathBuf,
    /// The first one is the root.
    pub(super) nodes: Vec<Node>,
    /// The rights of the owner.
    pub(super) modes: Vec<u32>,
}

impl Disk {
    /// Reads a folder.
    pub(super) fn read(root: &Path) -> Self {
        let mut disk = Self { root: root.to_owned(), nodes: Vec::new(), modes: Vec::new() };
        disk.add(root);
        disk
    }

    fn add(&mut self, path: &Path) -> NodeId {
        let meta = std::fs::symlink_metadata(path).unwrap();
        let node = if meta.is_symlink() {
            Node::Link(std::fs::read_link(path).unwrap())
        } else if meta.is_dir() {
            Node::Folder(BTreeMap::new())
        } else {
            Node::File(std::fs::read(path).unwrap())
        };
        let id = self.create(node, meta.permissions().mode());
        if meta.is_dir() {
            for entry in std::fs::read_dir(path).unwrap().flatten() {
                let inner = self.add(&entry.path());
                self.entries(id).insert(entry.file_name(), inner);
            }
        }
        id
    }

    /// Adds a node that has no name yet.
    pub(super) fn create(&mut self, node: Node, mode: u32) -> NodeId {
        self.nodes.push(node);
        self.modes.push(mode & 0o700);
        self.nodes.len() - 1
    }

    /// Returns the entries of a folder.
    pub(super) fn entries(&mut self, folder: NodeId) -> &mut BTreeMap<OsString, NodeId> {
        match &mut self.nodes[folder] {
            Node::Folder(entries) => entries,
            _ => panic!("{folder} is no folder"),
        }
    }

    /// Returns the bytes of a file.
    pub(super) fn bytes(&mut self, file: NodeId) -> &mut Vec<u8> {
        match &mut self.nodes[file] {
            Node::File(bytes) => bytes,
            _ => panic!("{file} is no file"),
        }
    }

    /// Returns the node with this path.
    pub(super) fn find(&self, path: &Path) -> Option<NodeId> {
        let mut node = 0;
        for name in path.strip_prefix(&self.root).ok()? {
            let Node::Folder(entries) = &self.nodes[node] else { return None };
            node = *entries.get(name)?;
        }
        Some(node)
    }

    /// Returns the folder of a path, and the name there.
    pub(super) fn place(&self, path: &Path) -> Option<(NodeId, OsString)> {
        Some((self.find(path.parent()?)?, path.file_name()?.to_owned()))
    }

    /// Gives a name in a folder to a node, or to none.
    pub(super) fn name(&mut self, folder: NodeId, name: &OsString, node: Option<NodeId>) {
        match node {
            Some(node) => self.entries(folder).insert(name.clone(), node),
            None => self.entries(folder).remove(name),
        };
    }

    /// Writes a part of the tree into a new folder.
    pub(super) fn write(&self, from: &Path, target: &Path) {
        if let Some(node) = self.find(from) {
            self.write_node(node, target);
        }
    }

    fn write_node(&self, node: NodeId, target: &Path) {
        match &self.nodes[node] {
            Node::File(bytes) => std::fs::write(target, bytes).unwrap(),
            Node::Link(to) => return symlink(to, target).unwrap(),
            Node::Folder(entries) => {
                std::fs::create_dir(target).unwrap();
                entries.iter().for_each(|(name, node)| self.write_node(*node, &target.join(name)));
            }
        }
        std::fs::set_permissions(target, std::fs::Permissions::from_mode(self.modes[node])).unwrap();
    }

    /// Returns all paths with their content, for comparison: of a file its bytes, of a link its target.
    pub(super) fn listed(&self) -> BTreeMap<PathBuf, Option<&[u8]>> {
        let mut listed = BTreeMap::new();
        self.list(0, Path::new(""), &mut listed);
        listed
    }

    fn list<'a>(&'a self, node: NodeId, path: &Path, listed: &mut BTreeMap<PathBuf, Option<&'a [u8]>>) {
        use std::os::unix::ffi::OsStrExt as _;
        let content = match &self.nodes[node] {
            Node::File(bytes) => Some(&bytes[..]),
            Node::Link(to) => Some(to.as_os_str().as_bytes()),
            Node::Folder(entries) => {
                entries.iter().for_each(|(name, node)| self.list(*node, &path.join(name), listed));
                None
            }
        };
        listed.insert(path.to_owned(), content);
    }
}
