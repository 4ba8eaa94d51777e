//! Process trees: signalling every member, and knowing when none remains.
//!
//! With a cgroup per attempt the kernel knows the members. Without, the supervisor is the subreaper: a process that
//! loses its parent becomes the supervisor's child, so a tree with members always has one that is a child of the
//! supervisor; its session or its token identifies its attempt. (A process that has changed parents, session and
//! environment is found only if there is a single attempt to which it can belong.)

#[cfg(target_os = "linux")]
pub(crate) mod cgroup;
#[cfg(target_os = "linux")]
pub(crate) mod session;
#[cfg(target_os = "linux")]
pub(crate) mod table;

#[cfg(not(target_os = "linux"))]
pub(crate) mod group;
#[cfg(not(target_os = "linux"))]
use group as session;

use std::io;
use std::path::Path;
use std::process::Command;

use fanlight_shared::id::AttemptId;
use rustix::process::Signal;

use super::message::Containment;

/// How this supervisor contains process trees.
#[derive(Debug)]
pub(crate) enum Trees {
    /// A cgroup per attempt, below this one.
    #[cfg(target_os = "linux")]
    Cgroup(std::path::PathBuf),
    /// Subreaper, session and token.
    Session,
}

/// The requested containment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// Cgroups where they are available.
    #[default]
    Auto,
    /// Cgroups or nothing.
    Cgroup,
    /// Subreaper, session and token.
    Session,
}

impl Choice {
    /// Returns its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cgroup => "cgroup",
            Self::Session => "session",
        }
    }
}

impl Trees {
    /// Finds the best containment.
    pub(crate) fn find(choice: Choice) -> Result<Self, String> {
        #[cfg(target_os = "linux")]
        if choice != Choice::Session {
            match cgroup::find() {
                Ok(base) => return Ok(Self::Cgroup(base)),
                Err(why) if choice == Choice::Cgroup => return Err(why),
                Err(_) => {}
            }
        }
        #[cfg(not(target_os = "linux"))]
        if choice == Choice::Cgroup {
            return Err("this system has no cgroups".into());
        }
        Ok(Self::Session)
    }

    /// Returns the kind of containment.
    pub(crate) fn holds(&self) -> Containment {
        match self {
            #[cfg(target_os = "linux")]
            Self::Cgroup(_) => Containment::Cgroup,
            Self::Session => Containment::Session,
        }
    }

    /// Creates a tree for an attempt that is about to start.
    pub(crate) fn create_tree(&self, id: AttemptId) -> io::Result<Tree> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Cgroup(base) => Ok(Tree::Cgroup(cgroup::Cgroup::make(base, id)?)),
            Self::Session => Ok(Tree::Session),
        }
    }
}

/// The facts about the other attempts that the tree of one attempt needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) id: AttemptId,
    /// The process id of its main process, which is its session too.
    pub(crate) main: u32,
}

/// The tree of one attempt.
#[derive(Debug)]
pub(crate) enum Tree {
    #[cfg(target_os = "linux")]
    Cgroup(cgroup::Cgroup),
    Session,
}

impl Tree {
    /// Starts the main process in it.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<u32> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Cgroup(cgroup) => super::system::spawn_in_cgroup(command, cgroup.folder()?),
            Self::Session => command.spawn().map(|child| child.id()),
        }
    }

    /// Releases what only the start needed.
    pub(crate) fn close(&mut self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Cgroup(cgroup) => cgroup.close(),
            Self::Session => {}
        }
    }

    /// Returns the path of its cgroup.
    pub(crate) fn cgroup(&self) -> Option<&Path> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Cgroup(cgroup) => Some(cgroup.path()),
            Self::Session => None,
        }
    }

    /// Sends a signal to every member. With a cgroup, KILL is certain; otherwise repeat it until [`Tree::is_empty`].
    pub(crate) fn signal(&self, of: Member, all: &[Member], signal: Signal) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Cgroup(cgroup) => cgroup.signal(signal),
            Self::Session => session::signal(of, all, signal),
        }
    }

    /// Returns whether no process of it remains. Called only after the main process was reaped.
    pub(crate) fn is_empty(&self, of: Member, all: &[Member]) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Cgroup(cgroup) => cgroup.remove(),
            Self::Session => session::is_empty(of, all),
        }
    }
}
