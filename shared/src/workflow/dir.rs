//! `dir:`: the folder in which a command works instead of its private one.

use crate::template::Template;
use crate::value::cut;

/// The folder in which a command works.
#[derive(Clone, PartialEq, Debug)]
pub enum Dir {
    /// A folder, relative to the file, which it shares with others.
    Shared(String),
    /// A copy of a folder, for each attempt its own.
    Copy {
        /// The folder, relative to the file.
        from: String,
        /// Patterns of what is not copied, relative to the folder.
        exclude: Vec<String>,
    },
    /// A work tree of a git repository, for each attempt its own.
    Worktree {
        /// The revision that is checked out: a branch, a tag or a commit.
        revision: Template,
        /// A folder of the repository, relative to the file.
        repo: String,
    },
}

impl Dir {
    /// Returns the folder of the user that the command reads, relative to the file.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Shared(path) => path,
            Self::Copy { from, .. } => from,
            Self::Worktree { repo, .. } => repo,
        }
    }

    /// Returns the revision, if it is a work tree.
    #[must_use]
    pub fn revision(&self) -> Option<&Template> {
        match self {
            Self::Worktree { revision, .. } => Some(revision),
            Self::Shared(_) | Self::Copy { .. } => None,
        }
    }
}

/// Checks the name of a revision before it becomes an argument of git.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn check_revision(revision: &str) -> Result<(), String> {
    let shown = cut(&crate::sanitise::line(revision), 60);
    if revision.trim().is_empty() {
        return Err("the revision is empty; write a branch, a tag or a commit, such as `HEAD`".into());
    }
    if revision.starts_with('-') {
        return Err(format!("the revision `{shown}` begins with `-`, so git would take it for an option"));
    }
    if revision.chars().any(char::is_control) {
        return Err(format!("the revision `{shown}` contains a control character"));
    }
    Ok(())
}
